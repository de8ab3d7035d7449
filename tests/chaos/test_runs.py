"""What `python -m tests.chaos` runs, when it stops, and what it tells; without the engine."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator

from click.testing import CliRunner
from rich.console import Console

from tests.chaos.__main__ import main, report, run_tasks
from tests.chaos.runs import Done, Lives, Task, plan, sample
from tests.chaos.verdict import Verdict

_NOTHING = "nothing-matches"


class _Deadly:
    """A point that takes its worker process with it."""

    @property
    def name(self) -> str:
        """Asked for in the worker only."""
        os._exit(3)


def test_a_filter_that_matches_nothing_ends_whatever_the_minutes() -> None:
    """It used to look for a match for ever; that nothing was run is no success."""
    began = time.monotonic()
    ran = CliRunner().invoke(main, ["--seed", "7", "--minutes", "30", "--only", _NOTHING])
    assert ran.exit_code == 1
    assert "seed 7" in ran.output
    assert "points" in ran.output
    assert time.monotonic() - began < 30


def test_nothing_is_started_once_the_time_is_over() -> None:
    """An endless plan with many matches ends too."""
    asked: list[Task] = []

    def endless() -> Iterator[Task]:
        for task in plan(7, None):
            asked.append(task)
            yield task

    assert list(run_tasks(endless(), time.monotonic() - 1, 1)) == []
    assert len(asked) == 1


def test_an_endless_plan_goes_on_while_rounds_match() -> None:
    """The first round has the whole matrix, later ones what chance draws; no match ends it."""
    timed = plan(7, None, lambda task: "ms in" in task.name)
    assert len({next(timed).name for _ in range(50)}) > 40
    whole = list(plan(7, None, lambda task: task.kind == "faults" and "quota" in task.name))
    assert whole
    assert len(set(whole)) == len(whole)


def test_a_quick_sample_is_filtered_and_the_same_for_a_seed() -> None:
    """`--quick --only` shows a part of what `--quick` shows."""
    everything = list(sample(7))
    assert everything == list(sample(7))
    faults = list(sample(7, lambda task: task.kind == "faults"))
    assert faults == [task for task in everything if task.kind == "faults"]


def test_a_worker_that_dies_leaves_the_table_and_the_seed() -> None:
    """What was found before it is told, and the run is not a success."""
    good = Done(Task("moves", Lives(1)), [Verdict("one", converged=True)], 1.0)

    def ended() -> Iterator[Done | None]:
        yield good
        yield from run_tasks(iter([Task("faults", _Deadly())]), None, 1)

    told = io.StringIO()
    assert not report(Console(file=told, width=120), 4711, ended())
    assert "A worker process died" in told.getvalue()
    assert "converged" in told.getvalue()
    assert "seed 4711" in told.getvalue()


def test_a_run_in_which_all_is_good_is_a_success() -> None:
    """And one bad verdict, told with its story, is none."""
    good = Done(Task("moves", Lives(1)), [Verdict("one", converged=True)], 1.0)
    bad = Done(
        Task("moves", Lives(2)), [Verdict("two", converged=True, orphans=1, story=("so",))], 1.0
    )
    told = io.StringIO()
    console = Console(file=told, width=120)
    assert report(console, 1, iter([good]))
    assert not report(console, 1, iter([good, bad]))
    assert "NOT GOOD: moves: 2" in told.getvalue()
    assert "    so" in told.getvalue()
