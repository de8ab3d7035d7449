"""Clouds: every dialect by itself, and random combinations of those that go together."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pulumi_adbpg_model.testing import DIALECTS, EXCLUSIVE, Simulator
from tests.chaos.commands import GROUP
from tests.chaos.on_engine import EngineCommands
from tests.chaos.scenario import live
from tests.chaos.verdict import Verdict
from tests.chaos.world import World

__all__ = ["CloudPoint", "combination", "covering", "pairs", "points", "run", "run_on_engine"]

_MOST = 12
#: Besides those that exclude each other: a service that is there, refused with a code of no page
#: again and again, is an error on purpose.
_EXCLUSIVE = (*EXCLUSIVE, frozenset({"describe-flaps", "describe-gone-unknown-code"}))
#: Those that cost no minutes in real time, for the engine.
_FAST = sorted(DIALECTS.keys() - {"invisible-20s", "failure-abnormal"})


@dataclass(frozen=True)
class CloudPoint:
    """One cloud, as the dialects that it speaks."""

    dialects: tuple[str, ...]

    @property
    def name(self) -> str:
        """Enough to run it again."""
        return "cloud: " + ("+".join(self.dialects) or "as documented")


def _goes_with(name: str, chosen: Iterable[str]) -> bool:
    return not any(name in group and not group.isdisjoint(chosen) for group in _EXCLUSIVE)


def combination(source: random.Random) -> CloudPoint:
    """Two dialects to a dozen that do not exclude each other."""
    wanted = source.randint(2, _MOST)
    chosen: set[str] = set()
    for name in source.sample(sorted(DIALECTS), len(DIALECTS)):
        if _goes_with(name, chosen):
            chosen.add(name)
        if len(chosen) == wanted:
            break
    return CloudPoint(tuple(sorted(chosen)))


def points(seed: int, combinations: int) -> Iterator[CloudPoint]:
    """The documented cloud, every dialect by itself, then so many combinations."""
    yield CloudPoint(())
    for name in sorted(DIALECTS):
        yield CloudPoint((name,))
    source = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    for _ in range(combinations):
        yield combination(source)


def pairs(seed: int) -> Iterator[CloudPoint]:
    """Every dialect once, each beside one that it goes with."""
    left = random.Random(seed).sample(sorted(DIALECTS), len(DIALECTS))  # noqa: S311 - as above
    while left:
        one = left.pop()
        other = next((name for name in left if _goes_with(name, (one,))), None)
        left = [name for name in left if name != other]
        yield CloudPoint(tuple(sorted({one, other or one})))


def covering(seed: int) -> list[CloudPoint]:
    """As few clouds as can speak all dialects, but for the slowest ones."""
    source = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    left = source.sample(_FAST, len(_FAST))
    found = []
    while left:
        chosen: list[str] = []
        for name in left:
            if _goes_with(name, chosen):
                chosen.append(name)
        left = [name for name in left if name not in chosen]
        found.append(CloudPoint(tuple(sorted(chosen))))
    return found


def run(point: CloudPoint) -> Verdict:
    """Live a whole life there, without the engine."""
    with World(point.dialects, preflight=True) as world:  # it must raise no false alarm
        return live(world, point.dialects, point.name)


def run_on_engine(point: CloudPoint, home: Path) -> Verdict:
    """The same life on the real engine, in real time."""
    with Simulator(
        dialects=point.dialects, provision_seconds=0.1, whitelist_groups={GROUP: "ai-1"}
    ) as simulator:
        stack = EngineCommands(home, simulator)
        return live(stack, point.dialects, f"engine, {point.name}", repeat=False)
