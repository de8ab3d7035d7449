"""Which points are run, in which order, and how each kind is carried out."""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import clouds, faults, kills, machine, moves
from tests.chaos.verdict import Verdict

#: How long one run of a state machine lasts, in seconds.
_LIVES_S = 15.0
#: So many kills at random moments, and random clouds, are part of the first round.
_TIMED = 20
_COMBINATIONS = 60


@dataclass(frozen=True)
class Task:
    """One point with its kind; can be sent to another process."""

    kind: str
    point: Any

    @property
    def name(self) -> str:
        """For `--only`, and for the report."""
        return f"{self.kind}: {self.point.name}"


@dataclass(frozen=True)
class Lives:
    """What a state machine makes up of a seed, until a time is over; some, however short it is."""

    number: int
    seconds: float = _LIVES_S

    @property
    def name(self) -> str:
        """See `Task.name`."""
        return str(self.number)


@dataclass(frozen=True)
class Done:
    """What came of a task."""

    task: Task
    verdicts: list[Verdict]
    seconds: float


def _in_process(run: Callable[[Any], Verdict]) -> Callable[[Any, Path], list[Verdict]]:
    return lambda point, _home: [run(point)]


def _on_engine(run: Callable[[Any, Path], Verdict]) -> Callable[[Any, Path], list[Verdict]]:
    return lambda point, home: [run(point, home)]


#: Kind, how one point is run, and how many of a kind come in each turn: kills take seconds each.
KINDS: dict[str, tuple[Callable[[Any, Path], list[Verdict]], int]] = {
    "kills on the engine": (_on_engine(kills.run), 4),
    "clouds on the engine": (_on_engine(clouds.run_on_engine), 1),
    "faults": (_in_process(faults.run), 40),
    "clouds": (_in_process(clouds.run), 6),
    "state machine": (lambda lives, _home: machine.run(lives.number, lives.seconds), 1),
    "moves": (lambda lives, _home: moves.run(lives.number, lives.seconds), 1),
}


def be_quiet() -> None:
    """For a process of its own: where a program fails, or a CLI is killed, the SDK is loud."""
    sys.unraisablehook = lambda _unraisable: None
    warnings.filterwarnings("ignore", "Error in event stream")


def execute(task: Task) -> Done:
    """Run one point; an exception is a point that did not converge."""
    began = time.monotonic()
    run, _ = KINDS[task.kind]
    with tempfile.TemporaryDirectory(prefix="adbpg-chaos-") as home:
        try:
            verdicts = run(task.point, Path(home))
        except Exception as error:  # noqa: BLE001 - the others go on
            story = (f"{type(error).__name__}: {error}",)
            verdicts = [Verdict(task.name, converged=False, story=story)]
    return Done(task, verdicts, time.monotonic() - began)


def plan(
    seed: int, rounds: int | None, wanted: Callable[[Task], bool] = lambda _task: True
) -> Iterator[Task]:
    """
    Every point of each kind once, and random ones; then random ones of further seeds.

    A round in which nothing is wanted is the last: the next would hardly hold anything else.

    Args:
        seed: Makes the random points, and the order.
        rounds: How many rounds in all; None goes on for ever.
        wanted: Which tasks to run.
    """
    counted = itertools.count() if rounds is None else range(rounds)
    for number in counted:
        some = False
        for task in _in_turns(_round(seed + number, everything=number == 0)):
            if wanted(task):
                some = True
                yield task
        if not some:
            return


def sample(seed: int, wanted: Callable[[Task], bool] = lambda _task: True) -> Iterator[Task]:
    """
    Some of each kind in seconds, the same for the same seed; of it, what is wanted.

    It shows that `make chaos` works; what is to be covered in `make test` is in the tests of the
    kinds, here and in tests/engine.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    everything = _round(seed, everything=True)
    few = {
        "kills on the engine": 4,
        "clouds on the engine": 0,
        "faults": 10,
        "clouds": 4,
        "state machine": 1,
        "moves": 1,
    }
    chosen = {kind: chance.sample(of_kind, few[kind]) for kind, of_kind in everything.items()}
    for kind in ("state machine", "moves"):
        chosen[kind] = [Task(kind, Lives(task.point.number, 0.0)) for task in chosen[kind]]
    yield from filter(wanted, _in_turns(chosen))


def _round(seed: int, *, everything: bool) -> dict[str, list[Task]]:
    chance = random.Random(seed)  # noqa: S311 - as above
    killed = kills.points(seed, _TIMED)
    if not everything:
        killed = [point for point in killed if point.moment == "timed"]
    spoken: Iterable[clouds.CloudPoint] = clouds.points(seed, _COMBINATIONS)
    if not everything:
        spoken = [point for point in spoken if len(point.dialects) > 1]
    of_kind: dict[str, Iterable[Any]] = {
        "kills on the engine": killed,
        "clouds on the engine": clouds.covering(seed),
        "faults": faults.points() if everything else [],
        "clouds": spoken,
        "state machine": [Lives(seed * 1000 + number) for number in range(6)],
        "moves": [Lives(seed * 1000 + number) for number in range(12)],
    }
    found = {}
    for kind, several in of_kind.items():
        tasks = [Task(kind, point) for point in several]
        chance.shuffle(tasks)
        found[kind] = tasks
    return found


def _in_turns(tasks: dict[str, list[Task]]) -> Iterator[Task]:
    """So many of each kind in turn, so that a run that is cut short has seen them all."""
    left = {kind: iter(of_kind) for kind, of_kind in tasks.items()}
    while left:
        for kind in list(left):
            taken = list(itertools.islice(left[kind], KINDS[kind][1]))
            yield from taken
            if not taken:
                del left[kind]
