"""Time, injected: what the package knows of it, and the real clock, which a cancel interrupts."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What the package knows of time. Tests bring their own."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    def time(self) -> float:
        """Seconds since 1970, as clocks show it."""
        ...

    def sleep(self, seconds: float) -> None:
        """Pause; returns early when cancelled."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether the user asked to stop."""
        ...


class SystemClock:
    """The real clock. Setting `cancel` ends every sleep at once."""

    def __init__(self) -> None:
        self.cancel = threading.Event()

    def monotonic(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def time(self) -> float:
        """See `Clock`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        self.cancel.wait(seconds)

    @property
    def cancelled(self) -> bool:
        """See `Clock`."""
        return self.cancel.is_set()


@dataclass(frozen=True)
class Deadline:
    """A limit in time, on the clock that never goes back. All times in seconds."""

    clock: Clock
    started: float
    limit_s: float

    @classmethod
    def after(cls, clock: Clock, limit_s: float) -> Deadline:
        """A deadline that far from now."""
        return cls(clock, clock.monotonic(), limit_s)

    def at_most(self, limit_s: float) -> Deadline:
        """That far from now, or when this one ends, if that is earlier."""
        return Deadline.after(self.clock, min(limit_s, self.remaining_s))

    @property
    def waited_s(self) -> float:
        """How long it has been running."""
        return self.clock.monotonic() - self.started

    @property
    def remaining_s(self) -> float:
        """How much is left; never negative."""
        return max(0.0, self.limit_s - self.waited_s)

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.waited_s >= self.limit_s
