"""
A clock for several threads that take turns, so that what they do together can be repeated.

The engine runs the steps of each resource in a thread of its own. Here one of these goes on at a
time, until it pauses or ends; then a seed decides who is next among those whose time has come, and
only when all pause does time go on, to the first of them that wakes. So deletions begin before and
after other resources' creates, as chance has it, and the same seed tells the same story.

Calls of the cloud are not divided: the pauses within one, before it is repeated, move time alone.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pulumi_adbpg_model.clock import SystemClock
from tests.chaos.hosting import HOST_THREAD, MovedClock
from tests.chaos.injection import Killed

if TYPE_CHECKING:
    from typing_extensions import Self

_T = TypeVar("_T")
#: After so many real seconds, whoever has the turn waits for another thread, not for the clock.
_STUCK_S = 15.0
#: Sums of floats are not exact.
_ABOUT_S = 1e-9
#: Later than anybody pauses, but for who waits for the others.
_FOREVER = 1e12


class _Actor:
    """One who takes turns: the program, or the steps of a resource."""

    def __init__(self, wakes: float) -> None:
        self.wakes = wakes


class _WithinCall(SystemClock):
    """The same time for the way to the cloud: whoever pauses there keeps the turn."""

    def __init__(self, clock: TurnsClock) -> None:
        super().__init__()
        self.cancel = clock.cancel
        self._clock = clock

    def monotonic(self) -> float:
        """See `Clock`."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        if not self.cancelled:
            self._clock.advance(max(seconds, 1e-6))


class TurnsClock(MovedClock):
    """See the module. Without `Turns` it is a clock that only sleeping moves."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: Turns | None = None

    def for_calls(self) -> SystemClock:
        """See the base class."""
        return _WithinCall(self)

    def sleep(self, seconds: float) -> None:
        """See `Clock`. Threads that are not the host's own are not waited for."""
        turns = self.turns
        if turns is None or not threading.current_thread().name.startswith(HOST_THREAD):
            super().sleep(seconds)
        elif not self.cancelled:
            turns.pause(max(seconds, 1e-6))


class Turns:
    """What one command does at once. A context manager; whoever enters it is the first."""

    def __init__(self, clock: TurnsClock, seed: int) -> None:
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._condition = threading.Condition()
        self._first = self._now = _Actor(clock.monotonic())
        self._actors = [self._first]
        self._mine = threading.local()
        self._mine.actor = self._first
        self._handed = 0
        self._host_died = self._stuck = False
        self._threads: list[threading.Thread] = []
        self._failed: list[BaseException] = []

    def __enter__(self) -> Self:
        self._clock.turns = self
        return self

    def __exit__(self, *_: object) -> None:
        self._wait_for_others()
        self._clock.turns = None

    def begin(self, work: Callable[[], None]) -> None:
        """Let something go on beside what is under way: now, or when it comes to its turn."""
        actor = _Actor(self._clock.monotonic())

        def run() -> None:
            self._mine.actor = actor
            try:
                self._await(actor)
                work()
            except BaseException as error:  # noqa: BLE001 - raised where all are waited for
                self._failed.append(error)
            finally:
                self._end(actor)

        with self._condition:
            self._actors.append(actor)
        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()
        self._give_way(self._clock.monotonic())

    def call(self, call: Callable[[], _T]) -> _T:
        """Call the host, and go on when it is one's turn: also if the host dies meanwhile."""
        try:
            return call()
        finally:
            self._await(self._mine.actor)

    def finish(self) -> None:
        """The first waits for all others, and is told what went wrong there."""
        self._wait_for_others()
        if self._failed:
            raise self._failed[0]

    def pause(self, seconds: float) -> None:
        """Of whoever has the turn, in the host."""
        self._give_way(self._clock.monotonic() + seconds, in_host=True)

    def cut(self) -> None:
        """The host has died: nothing in it goes on, and whoever called it is told."""
        with self._condition:
            self._host_died = True
            for actor in self._actors:
                if actor.wakes < math.inf:
                    actor.wakes = self._clock.monotonic()
            self._condition.notify_all()

    def _wait_for_others(self) -> None:
        if len(self._actors) > 1:
            self._give_way(math.inf)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _give_way(self, until: float, *, in_host: bool = False) -> None:
        with self._condition:
            actor = self._now
            actor.wakes = until
            self._hand_on()
        self._await(actor, in_host=in_host)

    def _await(self, actor: _Actor, *, in_host: bool = False) -> None:
        with self._condition:
            while True:
                if in_host and self._host_died:
                    raise Killed
                if self._now is actor:
                    return
                handed = self._handed
                heard = self._condition.wait(_STUCK_S)
                self._stuck = self._stuck or (not heard and handed == self._handed)
                assert not self._stuck, "whoever has the turn waits for who has not"

    def _end(self, actor: _Actor) -> None:
        with self._condition:
            self._actors.remove(actor)
            if self._actors == [self._first]:
                self._first.wakes = self._clock.monotonic()
            if self._now is actor:
                self._hand_on()

    def _hand_on(self) -> None:
        """Give the turn to one whose time has come, moving time until there is one."""
        while True:
            now = self._clock.monotonic()
            limit = _FOREVER if self._clock.cancelled else now + _ABOUT_S
            ready = [actor for actor in self._actors if actor.wakes <= limit]
            if ready:
                break
            self._clock.advance(min(actor.wakes for actor in self._actors) - now)
        self._now = self._chance.choice(ready)
        self._handed += 1
        self._condition.notify_all()
