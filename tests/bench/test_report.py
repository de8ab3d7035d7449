# ruff: noqa: RUF001 - a ratio is written with the sign for "times", a range with a dash
"""What is said of the results, in a terminal and on the page; and the command that says it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bench.__main__ import main
from bench.measuring import Case, Spread
from bench.report import PageError, rendered, result, table, target
from bench.results import ON_ENGINE, QUESTIONS, Chart, Measured, RanWith, Results, load

_ROOT = Path(__file__).parents[2]
_RESULTS = _ROOT / "bench/results.json"
_PAGE = _ROOT / "docs/performance.md"
_IMAGES = _ROOT / "docs/images/performance"

_HIT = Case("a hit", "[red] peer", "much|work", "1: alike", Spread(0.9, 1.0, 1.2, 5), most=1.1)
_MISS = Case("a miss", "peer", "work", "0", Spread(4, 6, 7, 7), "calls", most=5)
_FREE = Case("no target", "peer", "work", "1", Spread(2.0, 2.0, 2.0, 5))
_FOUND: Results = {
    "requests": Measured([_FREE], {}, RanWith("3.11.7", "3.272.0", 1)),
    "start-up": Measured(
        [_HIT, _MISS],
        {},
        RanWith("3.11.7", "3.272.0", 2, "3.259.0"),
        [Chart("start-up-b", "second"), Chart("start-up-a", "first")],
    ),
}
_EMPTY = "# Title\n" + "".join(
    f"\nProse of {name}.\n\n<!-- bench: {name} -->\nold\n<!-- /bench -->\n"
    for name in ("targets", *QUESTIONS)
)


def _printed(results: Results) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    console.print(table(results))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def _part(page: str, name: str) -> str:
    return page.partition(f"<!-- bench: {name} -->\n")[2].partition("<!-- /bench -->")[0].strip()


def test_table_shows_which_targets_are_met_and_missed() -> None:
    """A row for each case, questions in their order, and nothing taken for markup."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in _printed(_FOUND)]
    assert [row for row in rows if row] == [
        ["start-up", "a hit", "[red] peer", "1: alike", "≤ 1.1×", "1.00× (0.90–1.20)", "met"],
        ["", "a miss", "peer", "0", "≤ 5 calls", "6 calls (4–7)", "missed"],
        ["requests", "no target", "peer", "1", "", "2.00×", ""],
    ]


@pytest.mark.parametrize(
    ("unit", "spread", "text"),
    [
        ("ratio", Spread(1.0, 1.25, 1.5, 3), "1.25× (1.00–1.50)"),
        ("ratio", Spread(0.0123, 0.05, 0.1, 3), "0.05× (0.0123–0.10)"),
        ("ratio", Spread(99.0, 101.4, 1234.0, 3), "101× (99.00–1234)"),
        ("calls", Spread(3, 3, 3, 9), "3 calls"),
        ("calls", Spread(3, 3.5, 4, 4), "3.5 calls (3–4)"),
        ("s", Spread(0.01234, 12.39, 1234.0, 3), "12.4 s (0.0123–1234)"),
    ],
)
def test_result_is_told_with_its_unit(unit: str, spread: Spread, text: str) -> None:
    """As many digits as say something."""
    assert result(replace(_FREE, unit=unit, result=spread)) == text


@pytest.mark.parametrize(
    ("unit", "most", "least", "text"),
    [
        ("ratio", None, None, ""),
        ("ratio", 1.1, None, "≤ 1.1×"),
        ("s", None, 30.0, "≥ 30 s"),
        ("calls", 4, 2, "≥ 2 calls, ≤ 4 calls"),
    ],
)
def test_target_is_told_with_its_unit(
    unit: str, most: float | None, least: float | None, text: str
) -> None:
    """And is empty where there is none."""
    assert target(replace(_FREE, unit=unit, most=most, least=least)) == text


def test_narrow_miss_does_not_look_like_a_hit() -> None:
    """It is told with all the digits that are kept."""
    narrow = replace(_HIT, most=1.25, result=Spread(1.0, 1.254, 1.5, 3))
    assert result(narrow) == "1.254× (1.00–1.50)"
    assert result(replace(narrow, most=1.26)) == "1.25× (1.00–1.50)"
    whole = replace(narrow, most=None, least=1.0, result=Spread(0.9, 0.9996, 1.5, 3))
    assert result(whole) == "0.9996× (0.90–1.50)"


def test_page_has_the_targets_of_all_questions() -> None:
    """A row for each case with a target, in the order of the questions."""
    assert _part(rendered(_FOUND, _EMPTY), "targets").splitlines() == [
        "| what | peer | target | result |  |",
        "|---|---|---|---|---|",
        "| a hit | [red] peer | ≤ 1.1× | 1.00× (0.90–1.20) | ✓ |",
        "| a miss | peer | ≤ 5 calls | 6 calls (4–7) | ✗ |",
    ]


def test_page_has_table_charts_and_circumstances_of_a_question() -> None:
    """Charts in the order in which the question gives them; a bar does not end a cell."""
    page = rendered(_FOUND, _EMPTY)
    assert _part(page, "start-up").splitlines() == [
        "| case | peer | workload | bound | target | result (median, low–high) |",
        "|---|---|---|---|---|---|",
        r"| a hit | [red] peer | much\|work | 1: alike | ≤ 1.1× | 1.00× (0.90–1.20) |",
        "| a miss | peer | work | 0 | ≤ 5 calls | 6 calls (4–7) |",
        "",
        "![second](images/performance/start-up-b.svg)",
        "![first](images/performance/start-up-a.svg)",
        "",
        "<sub>Python 3.11.7, Pulumi SDK 3.272.0, CLI 3.259.0, 2 CPUs; 5 to 7 runs.</sub>",
    ]
    assert _part(page, "requests").splitlines()[-2:] == [
        "",
        "<sub>Python 3.11.7, Pulumi SDK 3.272.0, 1 CPU; 5 runs.</sub>",
    ]


@pytest.mark.parametrize("name", ["targets", "waiting"])
def test_page_says_what_is_not_measured_yet(name: str) -> None:
    """Not an empty table."""
    assert _part(rendered({}, _EMPTY), name) == "Not measured yet."


def test_page_is_replaced_between_its_markers_only() -> None:
    """And a second time changes nothing."""
    page = rendered(_FOUND, _EMPTY)
    assert rendered(_FOUND, page) == page
    assert rendered({}, page) == rendered({}, _EMPTY) != page
    outside = re.compile(r"(?<= -->\n).*?(?=<!-- /bench -->)", re.DOTALL)
    assert outside.sub("", page) == outside.sub("", _EMPTY)
    assert "\nold\n" not in page


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bench: memory ", "bench: colour ", "marker 'colour' is of no question"),
        ("<!-- bench: memory -->\nold\n<!-- /bench -->\n", "", "one marker 'memory', and has 0"),
        ("<!-- bench: targets -->\nold\n<!-- /bench -->\n", "", "one marker 'targets', and has 0"),
        ("bench: memory ", "bench: waiting ", "one marker 'waiting', and has 2"),
        ("<!-- bench: memory -->\nold\n", "", "line .*/bench --> .* closes none"),
        (
            "<!-- bench: memory -->\nold\n<!-- /bench -->",
            "<!-- bench: memory -->\nold\n",
            "line .*bench: requests --> is inside another",
        ),
    ],
    ids=["unknown", "question missing", "targets missing", "double", "not opened", "not closed"],
)
def test_page_with_a_wrong_marker_is_refused(old: str, new: str, message: str) -> None:
    """Nothing that was measured goes untold, and no text is taken for a generated one."""
    wrong = _EMPTY.replace(old, new)
    assert wrong != _EMPTY
    with pytest.raises(PageError, match=message):
        rendered(_FOUND, wrong)


def test_last_marker_has_to_be_closed() -> None:
    """Otherwise the rest of the page would go."""
    with pytest.raises(PageError, match="'preflight' is not closed"):
        rendered({}, _EMPTY.removesuffix("<!-- /bench -->\n"))


def test_page_is_what_the_results_say() -> None:
    """Nobody has written a figure by hand, or measured without rendering."""
    page = _PAGE.read_text(encoding="utf-8")
    results = load(_RESULTS)
    assert results
    assert rendered(results, page) == page


def test_pictures_are_those_of_the_results() -> None:
    """Each chart was drawn, and none is left that nothing shows."""
    charts = [chart for one in load(_RESULTS).values() for chart in one.charts]
    assert sorted(path.name for path in _IMAGES.iterdir()) == sorted(
        f"{chart.stem}.svg" for chart in charts
    )
    assert [chart.stem for chart in charts if not chart.alt] == []


@pytest.mark.parametrize(
    "path", [_RESULTS, _PAGE, *sorted(_IMAGES.iterdir())], ids=lambda path: path.name
)
def test_nothing_tells_whose_machine_it_was(path: Path) -> None:
    """No paths, hosts, dates or keys."""
    text = path.read_text(encoding="utf-8")
    told = r"/(?:home|root|tmp|Users|work)\b|\d{4}-\d\d-\d\d|localhost|127\.0\.0\.1|LTAI"
    assert re.findall(told, text) == []


def test_help_loads_no_question() -> None:
    """Nor what draws: who only asks for options is not kept waiting."""
    code = "import sys, bench.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, cwd=_ROOT
    )
    loaded = set(done.stdout.split())
    assert "bench.report" in loaded
    assert loaded & {"matplotlib", "pulumi", "grpc", "bench.questions"} == set()


@pytest.mark.parametrize("name", sorted(ON_ENGINE))
def test_missing_engine_is_told_before_anything_is_measured(name: str) -> None:
    """By one line, although another question needs none."""
    done = CliRunner(env={"ADBPG_ENGINE": None}).invoke(main, ["--only", "waiting", "--only", name])
    assert done.exit_code == 1
    assert done.output == (
        f"Error: {name}: the Pulumi CLI is needed, and ADBPG_ENGINE names none. "
        "`make bench` finds or builds it.\n"
    )


def test_quick_run_prints_the_table_and_writes_nothing() -> None:
    """It is for trying out; what is committed stays."""
    files = [_RESULTS, _PAGE, *_IMAGES.iterdir()]
    before = [path.stat().st_mtime_ns for path in files]
    done = CliRunner().invoke(
        main, ["--only", "waiting", "--quick"], catch_exceptions=False, env={"ADBPG_ENGINE": None}
    )
    assert done.exit_code == 0
    said, *printed = done.output.splitlines()
    assert said == "waiting …"
    assert any("DescribeModelService calls" in line for line in printed)
    assert [path.stat().st_mtime_ns for path in files] == before


def test_quick_and_render_exclude_each_other() -> None:
    """One of them writes, the other must not."""
    done = CliRunner().invoke(main, ["--quick", "--render"])
    assert done.exit_code == 2
    assert "--render measures nothing" in done.output
