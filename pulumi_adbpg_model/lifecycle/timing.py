"""The poll schedule, and durations for people."""

from __future__ import annotations

__all__ = ["format_duration", "poll_delay"]

_FIRST_DELAY_S = 2.0
_SHARE_OF_WAIT = 0.05
_LONGEST_DELAY_S = 30.0


def poll_delay(waited_s: float, longest_s: float | None = None) -> float:
    """
    The pause before the next poll: 2 s at first, then 5 % of the time waited, at most 30 s.

    A service that takes a minute is seen within 3 s, one that takes an hour costs few calls.

    Args:
        waited_s: Seconds waited so far.
        longest_s: The user's own cap, in seconds.
    """
    delay = min(max(_FIRST_DELAY_S, waited_s * _SHARE_OF_WAIT), _LONGEST_DELAY_S)
    return delay if longest_s is None else min(delay, longest_s)


def format_duration(seconds: float) -> str:
    """Whole units for people: `42 s`, `3 m 05 s`, `1 h 02 m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
