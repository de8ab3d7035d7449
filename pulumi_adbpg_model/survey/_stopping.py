"""A clock whose pauses end when the user wants to stop, and that can go on afterwards."""

from __future__ import annotations

import threading

from pulumi_adbpg_model.clock import Clock, SystemClock


class StoppableClock:
    """Another clock, with `stop` and `resume`. A signal handler may call them."""

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self._stopped = inner.cancel if isinstance(inner, SystemClock) else threading.Event()

    def stop(self) -> None:
        """End every pause, and let no call be repeated."""
        self._stopped.set()

    def resume(self) -> None:
        """Go on as if nobody had wanted to stop."""
        self._stopped.clear()

    def monotonic(self) -> float:
        """See `Clock`."""
        return self._inner.monotonic()

    def time(self) -> float:
        """See `Clock`."""
        return self._inner.time()

    def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        if not self.cancelled:
            self._inner.sleep(seconds)

    @property
    def cancelled(self) -> bool:
        """See `Clock`."""
        return self._stopped.is_set()
