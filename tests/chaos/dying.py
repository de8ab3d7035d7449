"""SIGKILL for the host of a `World`, at one call of the cloud: before it, or once it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

__all__ = ["Death", "Killed", "Moment"]

#: Before a call is sent, or after it was answered and nothing came of it.
Moment = Literal["before", "after"]


class Killed(BaseException):
    """Ends the thread of a host that is dead; nothing in the package catches it."""


class Death:
    """
    Waits for one call of the host's, counted from 0, and ends the host there.

    The engine's call is cut first, so what it kept before stays; the host's thread ends with it.
    """

    def __init__(self, at: int, moment: Moment, cut: Callable[[], None]) -> None:
        self._left = at
        self._moment = moment
        self._cut = cut
        self.struck = False

    def __call__(self, api: Any) -> Any:
        """An API whose calls may be the last."""
        return _Mortal(api, self)

    def attend(self, call: Callable[[], Any]) -> Any:
        """Make the call, unless the host dies before it; see it die after it."""
        dies, self._left = self._left == 0, self._left - 1
        if self.struck or (dies and self._moment == "before"):
            self._strike()
        try:
            return call()
        finally:
            if dies:
                self._strike()

    def _strike(self) -> None:
        self.struck = True
        self._cut()
        raise Killed


class _Mortal:
    """Every call of the API under it, attended by death."""

    def __init__(self, api: Any, death: Death) -> None:
        self._api = api
        self._death = death

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._api, name)
        if name == "within":
            return lambda deadline: _Mortal(method(deadline), self._death)
        return lambda *args, **kwargs: self._death.attend(lambda: method(*args, **kwargs))
