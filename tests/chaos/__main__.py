"""
`make chaos`: kills, faults and strange clouds for a number of rounds or minutes, and one table.

Exits with 1 when anything was lost, doubled, dropped or unclear. Every random point comes from the
seed that is printed.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tests.chaos.runs import KINDS, Done, Task, be_quiet, execute, plan, sample
from tests.chaos.verdict import Verdict, summed

#: Where the output goes to a file.
_WIDTH = 120
#: Seconds between two lines that say how far it is.
_NEWS_S = 60.0
_COLUMNS = (
    "points",
    "converged",
    "duplicates",
    "orphans",
    "dropped",
    "lost",
    "owned twice",
    "unclear errors",
    "seconds each",
)


@click.command()
@click.option("--seed", type=int, help="Repeat a run; by default a new one is chosen and printed.")
@click.option("--rounds", type=click.IntRange(1), help="Stop after so many rounds.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Start nothing after.")
@click.option("--quick", is_flag=True, help="A small sample of one round, as in `make test`.")
@click.option("--only", metavar="TEXT", help="Only points whose name contains this.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
def main(
    *,
    seed: int | None,
    rounds: int | None,
    minutes: float | None,
    quick: bool,
    only: str | None,
    workers: int,
) -> None:
    """Run points until rounds or minutes are over; one round when neither is given."""
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _WIDTH)
    if seed is None:
        seed = random.SystemRandom().randrange(1_000_000)
    console.print(f"seed {seed}")
    _use_engine()

    def wanted(task: Task) -> bool:
        return only is None or only in task.name

    turns = rounds or (None if minutes else 1)
    tasks = sample(seed, wanted) if quick else plan(seed, turns, wanted)
    until = None if minutes is None else time.monotonic() + minutes * 60
    good = report(console, seed, run_tasks(tasks, until, workers))
    if not good:
        raise SystemExit(1)


def report(console: Console, seed: int, ended: Iterator[Done | None]) -> bool:
    """Tell of each run that went wrong, then the table; whether there were some, and all good."""
    began = said = time.monotonic()
    finished: list[Done] = []
    complete = True
    for done in ended:
        if done is None:
            console.print("A worker process died: the run is not complete.", style="bold red")
            complete = False
            break
        finished.append(done)
        if time.monotonic() - said > _NEWS_S:
            said = time.monotonic()
            console.print(f"after {round((said - began) / 60)} min: {len(finished)} runs")
        for verdict in done.verdicts:
            if not verdict.good:
                _tell(console, done.task, verdict)
    console.print(_table(finished))
    console.print(f"seed {seed}, {round(time.monotonic() - began)} s")
    everything = [verdict for done in finished for verdict in done.verdicts]
    return complete and bool(everything) and all(verdict.good for verdict in everything)


def _use_engine() -> None:
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # servers that die are what this is about
    engine = os.environ.get("ADBPG_ENGINE")
    if engine:  # where the Automation API looks for the CLI
        os.environ["PATH"] = f"{Path(engine).parent}{os.pathsep}{os.environ['PATH']}"


def run_tasks(tasks: Iterator[Task], until: float | None, workers: int) -> Iterator[Done | None]:
    """What ends, as it ends; None when a worker process dies."""
    # Fresh processes: neither gRPC nor the simulator's threads survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=be_quiet) as pool:
        running: set[Future[Done]] = set()
        try:
            for task in tasks:
                if until is not None and time.monotonic() > until:
                    break
                running.add(pool.submit(execute, task))
                if len(running) >= 2 * workers:
                    ended, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in ended)
            yield from (future.result() for future in running)
        except BrokenProcessPool:
            yield None


def _tell(console: Console, task: Task, verdict: Verdict) -> None:
    console.print(f"\nNOT GOOD: {task.name}", style="bold red", highlight=False)
    for line in (*verdict.story, *(f"unclear: {text}" for text in verdict.unclear)):
        console.print(f"    {line}", markup=False, highlight=False)
    console.print(f"    {verdict!r}", markup=False, highlight=False)


def _table(finished: list[Done]) -> Table:
    table = Table("kind", *_COLUMNS)
    for kind in KINDS:
        of_kind = [done for done in finished if done.task.kind == kind]
        if of_kind:
            _add(table, kind, of_kind)
    table.add_section()
    _add(table, "all", finished)
    return table


def _add(table: Table, name: str, done: list[Done]) -> None:
    verdicts = [verdict for one in done for verdict in one.verdicts]
    each = sum(one.seconds for one in done) / max(1, len(verdicts))
    table.add_row(name, *(str(figure) for figure in summed(verdicts)), f"{each:.2f}")


if __name__ == "__main__":
    main()
