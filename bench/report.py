"""Results as text: the table of a terminal, and the parts of a page between its markers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from bench.measuring import Case
from bench.results import QUESTIONS, Measured, RanWith, Results

_TARGETS = "targets"
_OPENED = re.compile(r"<!-- bench: (.*) -->")
_CLOSED = "<!-- /bench -->"
_NOT_MEASURED = "Not measured yet."
#: Where the pictures are, as seen from the page.
_IMAGES = "images/performance"


class PageError(Exception):
    """The page has no place for something, or a place for nothing."""


def table(results: Results) -> Table:
    """All cases, one a line, for a terminal."""
    shown = Table("question", "case", "peer", "bound", "target", "result", "met")
    for question in _in_order(results):
        for number, case in enumerate(results[question].cases):
            shown.add_row(
                "" if number else question,
                # As it stands: a bracket in it is no markup.
                *map(Text, (case.what, case.peer, case.bound, target(case), result(case))),
                Text("missed", "bold red")
                if case.met is False
                else Text("met" if case.met else ""),
            )
        shown.add_section()
    return shown


def rendered(results: Results, page: str) -> str:
    """
    The page with what the results say between its markers; the rest of it stays.

    Raises:
        PageError: A marker is unknown, missing, doubled or not closed.
    """
    lines: list[str] = []
    found: list[str] = []
    inside = False
    for number, line in enumerate(page.splitlines(), 1):
        opened = _OPENED.fullmatch(line)
        closed = line == _CLOSED
        if (opened and inside) or (closed and not inside):
            raise PageError(f"line {number}: {line} is inside another marker, or closes none")
        if opened:
            found.append(opened[1])
            lines += [line, "", *_part(opened[1], results), "", _CLOSED]
        elif not inside and not closed:
            lines.append(line)
        inside = bool(opened) or (inside and not closed)
    if inside:
        raise PageError(f"the marker {found[-1]!r} is not closed")
    for name in (_TARGETS, *QUESTIONS):
        if found.count(name) != 1:
            raise PageError(f"the page needs one marker {name!r}, and has {found.count(name)}")
    return "\n".join(lines) + "\n"


def target(case: Case) -> str:
    """What the median is to keep; empty without a target."""
    limits = (("≥", case.least), ("≤", case.most))
    kept = [f"{sign} {limit:g}{_unit(case)}" for sign, limit in limits if limit is not None]
    return ", ".join(kept)


def result(case: Case) -> str:
    """The median, with the lowest and the highest where runs differ."""
    low, median, high = (
        _figure(figure, case.unit)
        for figure in (case.result.low, case.result.median, case.result.high)
    )
    if case.met is False and float(median) in {case.most, case.least}:
        median = f"{case.result.median:g}"  # all digits, or a miss would look like a hit
    spread = "" if low == high else f" ({low}–{high})"
    return f"{median}{_unit(case)}{spread}"


def _unit(case: Case) -> str:
    return "×" if case.unit == "ratio" else f" {case.unit}"


def _figure(value: float, unit: str) -> str:
    if abs(value) >= 100 or (unit != "ratio" and value == int(value)):
        return f"{value:.0f}"
    return f"{value:.2f}" if unit == "ratio" and abs(value) >= 0.1 else f"{value:.3g}"


def _in_order(results: Results) -> Iterator[str]:
    return (question for question in QUESTIONS if question in results)


def _part(name: str, results: Results) -> Iterable[str]:
    if name == _TARGETS:
        cases = [case for one in _in_order(results) for case in results[one].cases]
        return _targets([case for case in cases if case.met is not None])
    if name not in QUESTIONS:
        raise PageError(f"the marker {name!r} is of no question: {', '.join(QUESTIONS)}")
    return _question(results[name]) if name in results else [_NOT_MEASURED]


def _targets(cases: Sequence[Case]) -> Iterable[str]:
    if not cases:
        return [_NOT_MEASURED]
    rows = [
        (case.what, case.peer, target(case), result(case), "✓" if case.met else "✗")
        for case in cases
    ]
    return _rows(("what", "peer", "target", "result", ""), rows)


def _question(measured: Measured) -> Iterator[str]:
    heads = ("case", "peer", "workload", "bound", "target", "result (median, low–high)")
    yield from _rows(
        heads,
        (
            (case.what, case.peer, case.workload, case.bound, target(case), result(case))
            for case in measured.cases
        ),
    )
    yield ""
    if measured.charts:
        yield from (f"![{chart.alt}]({_IMAGES}/{chart.stem}.svg)" for chart in measured.charts)
        yield ""
    yield f"<sub>{_machine(measured.ran_with)}; {_runs(measured.cases)}.</sub>"


def _rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        cells = (cell.replace("|", r"\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


def _machine(machine: RanWith) -> str:
    cli = f", CLI {machine.cli}" if machine.cli else ""
    cpus = "1 CPU" if machine.cpus == 1 else f"{machine.cpus} CPUs"
    return f"Python {machine.python}, Pulumi SDK {machine.sdk}{cli}, {cpus}"


def _runs(cases: Sequence[Case]) -> str:
    fewest, most = (pick(case.result.runs for case in cases) for pick in (min, max))
    if most == 1:
        return "1 run"
    return f"{most} runs" if fewest == most else f"{fewest} to {most} runs"
