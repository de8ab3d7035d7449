"""One look for many: operations that run at once need not each ask what an instance holds."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

__all__ = ["SharedLooks"]

_T = TypeVar("_T")


@dataclass
class _Looks:
    """The looks at one thing; they are numbered from 1."""

    begun: int = 0
    ended: int = 0
    running: bool = False
    waiting: int = 0
    #: What the last one found, until all who wait for it have it: there may be keys in it.
    found: Any = None


class SharedLooks:
    """
    Looks that threads share. What a thread gets was begun after it asked, never before.

    So it is as good as a look of its own. Hundreds of creates that begin together, each of which
    would read all pages, need two or three looks.
    """

    def __init__(self, condition: threading.Condition | None = None) -> None:
        """Make one; tests bring a condition that tells who waits."""
        self._condition = condition or threading.Condition()
        self._by_subject: defaultdict[Hashable, _Looks] = defaultdict(_Looks)

    def get(self, subject: Hashable, look: Callable[[], _T]) -> _T:
        """
        Look, or wait for the look of another thread that begins from now on.

        Args:
            subject: What is looked at; looks at other things are not waited for.
            look: Makes the look. Where it raises, it raises here alone: others look themselves.
        """
        with self._condition:
            looks = self._by_subject[subject]
            before = looks.begun
            looks.waiting += 1
            self._condition.wait_for(lambda: looks.ended > before or not looks.running)
            looks.waiting -= 1
            if looks.ended > before:
                found = cast("_T", looks.found)
                self._forget(looks)
                return found
            looks.running = True
            looks.begun += 1
            number = looks.begun
        try:
            found = look()
        except BaseException:
            self._end(looks)
            raise
        self._end(looks, number, found)
        return found

    def _end(self, looks: _Looks, number: int = 0, found: object = None) -> None:
        with self._condition:
            looks.running = False
            if number:
                looks.ended, looks.found = number, found
            self._forget(looks)
            self._condition.notify_all()

    @staticmethod
    def _forget(looks: _Looks) -> None:
        if not looks.waiting:
            looks.found = None
