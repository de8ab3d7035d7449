"""Running a simulator as a program: announce, serve until a signal, stop cleanly."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from .server import Simulator


def serve_forever(simulator: Simulator, announce: Callable[[str], None]) -> None:
    """Start the simulator, announce its address, and return after SIGTERM or SIGINT.

    Must be called on the main thread, since it sets signal handlers; the old ones come back.
    """
    asked = threading.Event()

    def ask(_number: int, _frame: Any) -> None:
        asked.set()

    # Before the start: a signal during it must not leave a half-started server behind.
    old = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with simulator:
            announce(f"listening on {simulator.endpoint}")
            asked.wait()
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
