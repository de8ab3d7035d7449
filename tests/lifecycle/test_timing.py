"""Delays, deadlines, durations, and the real clock's one promise."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.clock import Deadline, SystemClock
from pulumi_adbpg_model.lifecycle.operation import format_duration, poll_delay
from tests.lifecycle.fakes import FakeClock


@pytest.mark.parametrize(
    ("waited_s", "delay_s"),
    [
        (0.0, 2.0),
        (39.0, 2.0),
        (40.0, 2.0),
        (60.0, 3.0),
        (100.0, 5.0),
        (599.0, 29.95),
        (600.0, 30.0),
        (601.0, 30.0),
        (86_400.0, 30.0),
    ],
)
def test_poll_delay_is_5_percent_of_the_wait_between_2_and_30_s(
    waited_s: float, delay_s: float
) -> None:
    """The pause is a twentieth of the time waited, never below 2 s or above 30 s."""
    assert delay_s == pytest.approx(poll_delay(waited_s))


@pytest.mark.parametrize(
    ("longest_s", "delay_s"), [(None, 30.0), (45.0, 30.0), (30.0, 30.0), (10.0, 10.0), (0.5, 0.5)]
)
def test_poll_delay_is_capped_by_the_user(longest_s: float | None, delay_s: float) -> None:
    """The user's cap shortens the pause, and never lengthens it."""
    assert delay_s == poll_delay(3600.0, longest_s)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_poll_delay_never_shrinks_as_the_wait_grows(one_s: float, other_s: float) -> None:
    """Polls get rarer, never more frequent."""
    earlier, later = sorted((one_s, other_s))
    assert poll_delay(earlier) <= poll_delay(later)


def test_deadline_expires_exactly_at_its_limit() -> None:
    """At the limit itself nothing is left, and what is left is never negative."""
    clock = FakeClock()
    clock.advance(100)
    deadline = Deadline.after(clock, 10)

    clock.advance(9.5)
    assert (deadline.waited_s, deadline.remaining_s, deadline.expired) == (9.5, 0.5, False)
    clock.advance(0.5)
    assert (deadline.waited_s, deadline.remaining_s, deadline.expired) == (10.0, 0.0, True)
    clock.advance(5)
    assert (deadline.waited_s, deadline.remaining_s, deadline.expired) == (15.0, 0.0, True)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 m 00 s"),
        (60.0, "1 m 00 s"),
        (185.0, "3 m 05 s"),
        (3599.4, "59 m 59 s"),
        (3599.6, "1 h 00 m"),
        (3720.0, "1 h 02 m"),
        (90_000.0, "25 h 00 m"),
    ],
)
def test_format_duration_uses_whole_units(seconds: float, text: str) -> None:
    """People read whole units, and rounding carries into the next unit."""
    assert text == format_duration(seconds)


def test_system_clock_sleep_ends_at_once_when_cancelled() -> None:
    """A cancel wakes a sleep that would have lasted an hour, and every later one."""
    clock = SystemClock()
    sleeper = threading.Thread(target=clock.sleep, args=(3600.0,), daemon=True)
    sleeper.start()
    sleeper.join(timeout=0.05)
    before = (clock.cancelled, sleeper.is_alive())

    clock.cancel.set()
    sleeper.join(timeout=5)
    clock.sleep(3600.0)

    assert before == (False, True)
    assert (clock.cancelled, sleeper.is_alive()) == (True, False)


def test_system_clock_is_monotonic() -> None:
    """Readings never go back."""
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]
    assert sorted(readings) == readings
