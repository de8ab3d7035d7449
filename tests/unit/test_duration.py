"""Durations of `custom_timeouts`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.validation import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1800.0),
        ("90s", 90.0),
        ("1h30m", 5400.0),
        ("1h0m1s", 3601.0),
        ("1.5h", 5400.0),
        (".5m", 30.0),
        ("1.s", 1.0),
        ("0h1s", 1.0),
        ("250ms", 0.25),
        ("1m1ms", 60.001),
        ("5us", 5e-06),
        ("5µs", 5e-06),
        ("8ns", 8e-09),
    ],
)
def test_parse_duration_reads_a_duration(text: str, seconds: float) -> None:
    """Numbers with Go's units add up to seconds."""
    assert seconds == pytest.approx(parse_duration(text))


@pytest.mark.parametrize(
    "text",
    ["", " ", "30", "m", "30 m", " 30m", "30m ", "1h30", "30M", "1d", "-5m", "5m,", "1e3s", "."],
)
def test_parse_duration_refuses_other_text(text: str) -> None:
    """Text that is no duration from end to end is refused, and shown."""
    with pytest.raises(ValueError, match="must be a duration such as '30m' or '1h30m'") as raised:
        parse_duration(text)
    assert str(raised.value).endswith(f", got {text!r}")


@pytest.mark.parametrize("text", ["0s", "0h0m", "0.0m"])
def test_parse_duration_refuses_no_time_at_all(text: str) -> None:
    """A timeout of nothing is refused."""
    with pytest.raises(ValueError, match="must be longer than nothing"):
        parse_duration(text)


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_parse_duration_round_trips(hours: int, minutes: int, seconds: int, millis: int) -> None:
    """The seconds of a duration are those it was written from."""
    total = hours * 3600 + minutes * 60 + seconds + millis / 1000
    text = f"{hours}h{minutes}m{seconds}s{millis}ms"
    if total == 0:
        with pytest.raises(ValueError, match="longer than nothing"):
            parse_duration(text)
    else:
        assert total == pytest.approx(parse_duration(text))


@given(st.text(alphabet="0123456789.hmsunµ -", max_size=12))
def test_parse_duration_gives_a_positive_number_or_refuses(text: str) -> None:
    """Whatever is given, the answer is a positive finite number or a ValueError."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 < seconds < float("inf")
