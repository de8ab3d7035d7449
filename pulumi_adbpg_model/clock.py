"""Time, injected: what the package knows of it, and the real clock, which a cancel interrupts."""

from __future__ import annotations

import threading
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


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
