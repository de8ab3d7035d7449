"""Interleaved runs, and what comes of them: medians of ratios with their spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Spread:
    """The median of several runs, with the lowest and the highest."""

    low: float
    median: float
    high: float
    runs: int


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    what: str
    peer: str
    workload: str
    #: What nobody could do better than, in words.
    bound: str
    result: Spread
    #: `ratio` or a unit, such as `calls`.
    unit: str = "ratio"
    #: What the median is to keep: `most` or `least` is set, or neither where there is no target.
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or self.result.median <= self.most) and (
            self.least is None or self.result.median >= self.least
        )


@dataclass(frozen=True)
class Answer:
    """What a question's measurement found."""

    cases: Sequence[Case]
    #: What its charts are drawn from; goes through JSON.
    data: Mapping[str, Any] = field(default_factory=dict)


def spread(figures: Iterable[float]) -> Spread:
    """The spread of the figures of several runs."""
    found = sorted(figures)
    return Spread(found[0], statistics.median(found), found[-1], len(found))


def ratios(ours: Sequence[float], peers: Sequence[float]) -> Spread:
    """The spread of the ratios of runs that were made side by side."""
    return spread(our / peer for our, peer in zip(ours, peers, strict=True))


def interleaved(contestants: Mapping[str, Callable[[], _T]], rounds: int) -> dict[str, list[_T]]:
    """
    Run every contestant once a round, forwards and backwards in turn.

    What the machine does meanwhile then falls on all of them alike.
    """
    found: dict[str, list[_T]] = {name: [] for name in contestants}
    for number in range(rounds):
        names = list(contestants)
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(contestants[name]())
    return found
