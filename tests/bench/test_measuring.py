"""What the benchmark makes of its runs, and how it keeps that."""

from __future__ import annotations

import itertools
import json
import math
import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.measuring import Answer, Case, Spread, interleaved, ratios, spread
from bench.results import (
    ON_ENGINE,
    QUESTIONS,
    Chart,
    Measured,
    RanWith,
    dumped,
    load,
    measured,
    parsed,
    ran_with,
)

_QUESTIONS = Path(__file__).parents[2] / "bench/questions"
_MACHINE = RanWith("3.11.7", "3.272.0", 2)
_CASE = Case("what", "peer", "workload", "bound", Spread(0.5, 1.0, 2.0, 3), most=1.5, least=0.1)


def test_runs_are_interleaved_forwards_and_backwards() -> None:
    """Whoever came first comes last in the next round, and results are in the order of rounds."""
    order: list[str] = []
    count = itertools.count(1)

    def contestant(name: str) -> Callable[[], int]:
        def run() -> int:
            order.append(name)
            return next(count)

        return run

    found = interleaved({name: contestant(name) for name in ("a", "b", "c")}, 3)
    assert order == ["a", "b", "c", "c", "b", "a", "a", "b", "c"]
    assert found == {"a": [1, 6, 7], "b": [2, 5, 8], "c": [3, 4, 9]}


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([2.0], Spread(2.0, 2.0, 2.0, 1)),
        ([9.0, 1.0, 2.0], Spread(1.0, 2.0, 9.0, 3)),
        ([8.0, 1.0, 2.0, 3.0], Spread(1.0, 2.5, 8.0, 4)),
    ],
)
def test_spread_is_median_with_lowest_and_highest(figures: list[float], expected: Spread) -> None:
    """In whatever order the runs were."""
    assert spread(figures) == expected


def test_ratios_are_those_of_pairs() -> None:
    """A run is compared with the one beside it: medians alone would say 1 here."""
    assert ratios([1.0, 2.0, 30.0], [2.0, 1.0, 10.0]) == Spread(0.5, 2.0, 3.0, 3)


def test_every_run_needs_one_beside_it() -> None:
    """Runs of one side alone are a mistake, not left out."""
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("most", "least", "met"),
    [
        (None, None, None),
        (1.0, None, True),
        (0.99, None, False),
        (None, 1.0, True),
        (None, 1.01, False),
        (1.0, 1.0, True),
        (2.0, 1.5, False),
        (0.5, 0.1, False),
        (0.0, None, False),
    ],
)
def test_target_is_met_at_its_edge(
    most: float | None, least: float | None, *, met: bool | None
) -> None:
    """The median counts, and the limits are within."""
    assert replace(_CASE, most=most, least=least).met is met


def test_figures_are_rounded_to_four_digits() -> None:
    """Those of the charts too; whole numbers are counts and stay."""
    answer = Answer(
        [replace(_CASE, result=Spread(0.0123456, 1.00004, 98765.4, 123456))],
        {"points": [(1 / 3, 123456)], "deep": {"tiny": 1.23456e-7}},
    )
    found = measured(answer, _MACHINE)
    assert found.cases[0].result == Spread(0.01235, 1.0, 98770.0, 123456)
    assert found.data == {"points": [[0.3333, 123456]], "deep": {"tiny": 1.235e-7}}


def test_target_is_judged_by_the_figure_that_is_kept() -> None:
    """What the terminal says now, the page will say later."""
    case = replace(_CASE, result=spread([1.5000001]))
    assert case.met is False
    kept = measured(Answer([case]), _MACHINE)
    assert kept.cases[0].met is True
    assert parsed(dumped({"memory": kept}))["memory"].cases[0].met is True


def test_file_gives_back_what_was_put_in() -> None:
    """Every field of every dataclass, set and left out."""
    bare = replace(_CASE, unit="calls", most=None, least=None)
    results = {
        "waiting": Measured(
            [_CASE, bare],
            {"names": ["a [\n1 ]", "ü"], "points": [[1, 2.5], [-3.0, 1e-9]], "none": None},
            replace(_MACHINE, cli="3.259.0"),
            [Chart("waiting-b", "the first"), Chart("waiting-a", "the second")],
        ),
        "memory": Measured([], {}, _MACHINE, []),
    }
    text = dumped(results)
    assert parsed(text) == results
    assert dumped(parsed(text)) == text


def test_file_is_sorted_with_a_line_for_each_point() -> None:
    """So that a diff shows what has changed and nothing else."""
    text = dumped({"waiting": Measured([], {"b": [[1, 2.5], [3, 4]], "a": 1}, _MACHINE)})
    plain = json.loads(text)
    assert text.endswith("}\n")
    assert list(plain["waiting"]) == sorted(plain["waiting"])
    assert list(plain["waiting"]["data"]) == ["a", "b"]
    assert '\n  "b": [\n' not in text  # one level deeper
    assert '\n   "b": [\n    [1, 2.5],\n    [3, 4]\n   ]' in text


@pytest.mark.parametrize("figure", [math.nan, math.inf])
def test_what_is_no_number_is_not_kept(figure: float) -> None:
    """A failed measurement is no result."""
    with pytest.raises(ValueError, match="Out of range"):
        dumped({"waiting": Measured([], {"figure": figure}, _MACHINE)})


def test_file_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """The first question that is measured makes it."""
    assert load(tmp_path / "results.json") == {}
    (tmp_path / "results.json").write_text(dumped({"memory": Measured([], {}, _MACHINE, [])}))
    assert list(load(tmp_path / "results.json")) == ["memory"]


def test_engine_is_asked_for_its_version(tmp_path: Path) -> None:
    """Only where there is one; the rest is that of this process."""
    engine = tmp_path / "pulumi"
    engine.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.259.0\n')
    engine.chmod(0o755)
    assert ran_with(str(engine)).cli == "3.259.0"
    found = ran_with(None)
    assert found.cli is None
    assert found.python == platform.python_version()
    assert found.cpus >= 1


def test_every_module_is_a_question_and_knows_whether_it_needs_the_engine() -> None:
    """Who runs the engine is asked for it before anything is measured."""
    modules = {path.stem: path.read_text(encoding="utf-8") for path in _QUESTIONS.glob("[!_]*.py")}
    assert set(modules) == {name.replace("-", "_") for name in QUESTIONS}
    on_engine = {
        name for name, text in modules.items() if "bench.command" in text or "tests.engine" in text
    }
    assert on_engine == {name.replace("-", "_") for name in ON_ENGINE}
