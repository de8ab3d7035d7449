"""`make bench`: measure, print one table, and say on docs/performance.md what was found."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench import report
from bench.results import ON_ENGINE, QUESTIONS, Chart, Measured, dumped, load, measured, ran_with

_ROOT = Path(__file__).parents[1]
_RESULTS = _ROOT / "bench/results.json"
_PAGE = _ROOT / "docs/performance.md"
_IMAGES = _ROOT / "docs/images/performance"
#: Where the output goes to a file.
_WIDTH = 160


@click.command()
@click.option(
    "--only", multiple=True, type=click.Choice(QUESTIONS), help="One question; repeatable."
)
@click.option("--quick", is_flag=True, help="Fewer runs, to try it out: nothing is written.")
@click.option("--render", is_flag=True, help="Measure nothing: page and charts of what was found.")
def main(*, only: tuple[str, ...], quick: bool, render: bool) -> None:
    """
    Measure what users wait and pay for, beside what they would use instead.

    What is found goes to bench/results.json, docs/performance.md and docs/images/performance. The
    exit code is 0 also where a target is missed: the table says so.
    """
    chosen = [name for name in QUESTIONS if not only or name in only]
    if render and quick:
        raise click.UsageError("--render measures nothing, quick or not.")
    if render:
        _render([name for name in chosen if name in load(_RESULTS)])
        return
    engine = os.environ.get("ADBPG_ENGINE")
    if not engine and (needing := [name for name in chosen if name in ON_ENGINE]):
        raise click.ClickException(
            f"{', '.join(needing)}: the Pulumi CLI is needed, and ADBPG_ENGINE names none. "
            "`make bench` finds or builds it."
        )
    found = {}
    for name in chosen:
        click.echo(f"{name} …")
        found[name] = _measure(name, engine if name in ON_ENGINE else None, quick=quick)
        if not quick:  # at once: what comes next may fail
            _RESULTS.write_text(dumped({**load(_RESULTS), name: found[name]}), encoding="utf-8")
            _render([name])
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(report.table(found))


def _question(name: str) -> Any:
    # Only now: a question brings clouds, hosts and charts with it.
    return importlib.import_module(f"bench.questions.{name.replace('-', '_')}")


def _measure(name: str, engine: str | None, *, quick: bool) -> Measured:
    machine = ran_with(engine)  # first: what cannot run says so at once
    return measured(_question(name).measure(quick=quick), machine)


def _render(names: Sequence[str]) -> None:
    """Draw the charts of these questions, then write the page, from what is in the file."""
    results = load(_RESULTS)
    drawn = {name: replace(results[name], charts=_draw(name, results[name].data)) for name in names}
    results.update(drawn)
    try:
        page = report.rendered(results, _PAGE.read_text(encoding="utf-8"))
    except report.PageError as error:
        raise click.ClickException(f"{_PAGE.name}: {error}.") from None
    _RESULTS.write_text(dumped(results), encoding="utf-8")
    _PAGE.write_text(page, encoding="utf-8")


def _draw(name: str, data: Any) -> list[Chart]:
    draw = getattr(_question(name), "charts", None)
    if draw is None:
        return []
    from bench.charts import save  # noqa: PLC0415 - with matplotlib

    _IMAGES.mkdir(parents=True, exist_ok=True)
    charts = []
    for stem, figure in draw(data).items():
        charts.append(Chart(stem, _alt(figure)))
        save(figure, _IMAGES / f"{stem}.svg")
    return charts


def _alt(figure: Any) -> str:
    """What it is called, or what is drawn over what."""
    called = [
        axes.get_title() or f"{axes.get_ylabel()} over {axes.get_xlabel()}" for axes in figure.axes
    ]
    text = "; ".join(filter(None, (figure.get_suptitle(), *called)))
    return " ".join(text.split())


if __name__ == "__main__":
    main()
