"""Ctrl-C, SIGTERM and SIGHUP for a command that must not end before it has tidied up."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on

_STDERR = 2
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Signals:
    """
    A context manager in which each signal is a KeyboardInterrupt, or once protected a call.

    Protected, nothing is interrupted: whoever tidies up is told, and goes on.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._told = ""
        self._protected = False
        self._former: dict[int, Any] = {}

    def protect(self, told: str) -> None:
        """From now on only call `stop`, and say this on stderr."""
        self._told = told
        self._protected = True

    def __enter__(self) -> Self:
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) is signal.SIG_IGN:
                continue  # such as SIGHUP below nohup
            with contextlib.suppress(ValueError):  # in a thread there are no handlers
                self._former[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if not self._protected:
            raise KeyboardInterrupt
        self._stop()
        if sys.__stderr__ is None:
            return  # closed from the start: its number is some connection's by now
        with contextlib.suppress(OSError):  # the stream may be in the middle of a write
            os.write(_STDERR, f"\n{self._told}\n".encode())
