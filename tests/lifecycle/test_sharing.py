"""Looks that threads share: as good as each thread's own, and fewer."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import pytest

from pulumi_adbpg_model.lifecycle import SharedLooks
from tests.lifecycle.fakes import PATIENCE_S, Waiting


class _Gate:
    """A look that waits until it is let through, and is numbered by when it began."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self._open = threading.Event()
        self._has_begun = threading.Event()
        self._numbers = count(1)

    def look(self) -> int:
        number = next(self._numbers)
        self.begun.append(number)
        self._has_begun.set()
        assert self._open.wait(PATIENCE_S)
        return number

    def wait_for_a_look(self) -> None:
        assert self._has_begun.wait(PATIENCE_S)

    def open(self) -> None:
        self._open.set()


@contextmanager
def _threads(number: int) -> Iterator[Callable[[Callable[[], int]], list[Future[int]]]]:
    with ThreadPoolExecutor(number) as pool:
        yield lambda call: [pool.submit(call) for _ in range(number)]


def test_a_thread_alone_looks_each_time() -> None:
    """Nothing is kept: what was found before may be old."""
    looks, numbers = SharedLooks(), count(1)
    assert [1, 2, 3] == [looks.get("here", lambda: next(numbers)) for _ in range(3)]


def test_those_who_ask_during_a_look_share_the_next_one() -> None:
    """The one under way began before they asked, so it is not theirs."""
    waiting, gate = Waiting(7), _Gate()
    looks = SharedLooks(waiting)
    with ThreadPoolExecutor(1) as first, _threads(7) as others:
        early = first.submit(looks.get, "here", gate.look)
        gate.wait_for_a_look()
        late = others(lambda: looks.get("here", gate.look))
        assert waiting.all_wait.wait(PATIENCE_S)
        gate.open()
        assert early.result(PATIENCE_S) == 1
        assert {one.result(PATIENCE_S) for one in late} == {2}
    assert gate.begun == [1, 2]


def test_a_look_at_something_else_is_not_waited_for() -> None:
    """A slow instance holds up nobody else."""
    looks, gate = SharedLooks(), _Gate()
    with ThreadPoolExecutor(1) as first:
        slow = first.submit(looks.get, "here", gate.look)
        gate.wait_for_a_look()
        assert looks.get("there", lambda: 9) == 9
        gate.open()
        assert slow.result(PATIENCE_S) == 1


def test_a_failure_is_the_failing_threads_own() -> None:
    """The others look themselves: an error is no answer, and is not raised twice."""
    waiting, gate = Waiting(2), _Gate()
    looks = SharedLooks(waiting)

    def fails() -> int:
        gate.look()
        raise ValueError("only here")

    with ThreadPoolExecutor(1) as first, _threads(2) as others:
        failing = first.submit(looks.get, "here", fails)
        gate.wait_for_a_look()
        late = others(lambda: looks.get("here", gate.look))
        assert waiting.all_wait.wait(PATIENCE_S)
        gate.open()
        with pytest.raises(ValueError, match="only here"):
            failing.result(PATIENCE_S)
        assert {one.result(PATIENCE_S) for one in late} == {2}


def test_after_a_failure_the_next_look_is_made() -> None:
    """Nothing is left locked."""
    looks = SharedLooks()

    def fails() -> int:
        raise ValueError("once")

    with pytest.raises(ValueError, match="once"):
        looks.get("here", fails)
    assert looks.get("here", lambda: 3) == 3


class _List(list[int]):
    """A list that can be watched."""


def test_what_was_found_is_forgotten_when_all_have_it() -> None:
    """There may be keys in it, and it may be long."""
    waiting, gate = Waiting(3), _Gate()
    looks = SharedLooks(waiting)
    found: list[weakref.ref[_List]] = []

    def look() -> _List:
        numbers = _List([gate.look()])
        found.append(weakref.ref(numbers))
        return numbers

    with ThreadPoolExecutor(4) as pool:
        early = pool.submit(lambda: sum(looks.get("here", look)))
        gate.wait_for_a_look()
        late = [pool.submit(lambda: sum(looks.get("here", look))) for _ in range(3)]
        assert waiting.all_wait.wait(PATIENCE_S)
        gate.open()
        assert [one.result(PATIENCE_S) for one in (early, *late)] == [1, 2, 2, 2]
    gc.collect()
    assert [one() for one in found] == [None, None]
