"""Deadlines, the poll schedule, durations for people, and a sleep that a cancel ends."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.clock import Deadline, SystemClock
from pulumi_adbpg_model.lifecycle.operation import format_duration, poll_delay


@dataclass
class _Clock:
    """A clock that stands where it is put."""

    now: float = 1000.0
    cancelled: bool = False
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(
    ("later", "waited", "remaining", "expired"),
    [
        (0.0, 0.0, 60.0, False),
        (59.5, 59.5, 0.5, False),
        (60.0, 60.0, 0.0, True),
        (61.0, 61.0, 0.0, True),
    ],
)
def test_deadline_counts_from_when_it_was_set(
    *, later: float, waited: float, remaining: float, expired: bool
) -> None:
    """Time waited grows, time left ends at zero, and the deadline expires on the dot."""
    clock = _Clock()
    deadline = Deadline.after(clock, 60.0)
    clock.now += later
    assert (waited, remaining, expired) == (
        deadline.waited_s, deadline.remaining_s, deadline.expired,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("waited", "longest", "delay"),
    [
        (0.0, None, 2.0),
        (40.0, None, 2.0),
        (60.0, None, 3.0),
        (200.0, None, 10.0),
        (600.0, None, 30.0),
        (3600.0, None, 30.0),
        (0.0, 1.0, 1.0),
        (0.0, 5.0, 2.0),
        (3600.0, 5.0, 5.0),
        (3600.0, 60.0, 30.0),
        (0.0, 0.01, 0.01),
    ],
)
def test_poll_delay_grows_with_the_wait(waited: float, longest: float | None, delay: float) -> None:
    """2 s at first, then 5 % of the time waited, at most 30 s or the user's own cap."""
    assert delay == pytest.approx(poll_delay(waited, longest))


_seconds = st.floats(0, 1e9)


@given(_seconds, st.none() | st.floats(0.001, 1e6))
def test_poll_delay_stays_in_its_bounds(waited: float, longest: float | None) -> None:
    """A pause is never nothing, never above 30 s or the cap, and 2 s at least without a cap."""
    delay = poll_delay(waited, longest)
    assert min(2.0, longest or 2.0) <= delay <= min(30.0, longest or 30.0)


@given(_seconds, _seconds)
def test_poll_delay_never_shrinks(one: float, other: float) -> None:
    """The longer the wait so far, the longer the pause."""
    assert poll_delay(min(one, other)) <= poll_delay(max(one, other))


def test_poll_delay_costs_few_calls_in_an_hour() -> None:
    """A service that takes an hour is asked about 160 times at most."""
    waited, calls = 0.0, 0
    while waited < 3600:
        waited += poll_delay(waited)
        calls += 1
    assert 100 <= calls <= 200


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (0.4, "0 s"),
        (42.0, "42 s"),
        (59.4, "59 s"),
        (59.6, "1 m 00 s"),
        (185.0, "3 m 05 s"),
        (3599.4, "59 m 59 s"),
        (3599.6, "1 h 00 m"),
        (3720.0, "1 h 02 m"),
        (90000.0, "25 h 00 m"),
    ],
)
def test_format_duration_speaks_to_people(seconds: float, text: str) -> None:
    """Seconds are shown in the two largest whole units, rounded before they are split."""
    assert text == format_duration(seconds)


def test_system_clock_ends_a_sleep_when_cancelled() -> None:
    """A cancel wakes a sleeper at once, and every later sleep is none."""
    clock = SystemClock()
    sleepers = [threading.Thread(target=clock.sleep, args=(600,), daemon=True) for _ in range(2)]
    sleepers[0].start()
    assert (clock.cancelled, sleepers[0].is_alive()) == (False, True)

    clock.cancel.set()
    sleepers[1].start()
    for sleeper in sleepers:
        sleeper.join(5)

    assert clock.cancelled
    assert [False, False] == [sleeper.is_alive() for sleeper in sleepers]


def test_system_clock_never_goes_back() -> None:
    """Its readings do not decrease."""
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]
    assert sorted(readings) == readings
