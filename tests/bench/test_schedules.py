"""What the page on performance claims about when we look, and what it is measured by."""

from __future__ import annotations

import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.peers.schedules import (
    ALICLOUD,
    DATABRICKS,
    OURS,
    PEERS,
    SAGEMAKER,
    Schedule,
    adaptive,
    allowed_s,
    fewest_looks,
    fewest_within,
    flat,
    geometric,
    mean_s,
    worst_s,
    worst_share,
)
from bench.questions.waiting import charts, measure, real_looks

_TWO_HOURS = 7200.0
_CREATES = st.floats(1.0, _TWO_HOURS)


@given(active_s=_CREATES, at_worst=st.booleans())
def test_a_wait_ends_soon_after_the_service_is_active(active_s: float, *, at_worst: bool) -> None:
    """Never later than 2 s or 5 % of the time it took, and never later than 30 s."""
    if at_worst:  # right after the last look that found it pending
        active_s = math.nextafter(real_looks(active_s)[-2], math.inf)
    late = real_looks(active_s)[-1] - active_s
    assert 0.0 <= late <= max(2.0, 0.05 * active_s) + 1e-9
    assert late <= 30.0 + 1e-9


@given(_CREATES)
def test_a_wait_looks_when_the_schedule_says(active_s: float) -> None:
    """What is drawn and counted is what the real wait does, look by look."""
    assert real_looks(active_s) == OURS.until(active_s)


@pytest.mark.parametrize(("active_s", "calls"), [(600.0, 80), (1800.0, 125), (7200.0, 300)])
def test_a_wait_costs_few_calls(active_s: float, calls: int) -> None:
    """Not even a long create costs many."""
    assert len(real_looks(active_s)) <= calls


@given(st.lists(st.floats(0.3, 1.0), min_size=1, max_size=20), st.floats(10.0, _TWO_HOURS))
def test_no_schedule_that_is_as_timely_makes_fewer_calls(
    shares: list[float], active_s: float
) -> None:
    """Any shares of the allowed pauses come to as many looks as ours, but for the one at once."""
    moment, looks = 0.0, 0
    for share in itertools.cycle(shares):
        if moment >= active_s:
            break
        moment += share * allowed_s(moment)
        looks += 1
    assert looks >= len(real_looks(active_s)) - 1


@given(_CREATES)
def test_ours_is_the_schedule_of_the_fewest_calls(active_s: float) -> None:
    """As many as the bound, and the look at once for a service that is active already."""
    assert len(real_looks(active_s)) == fewest_within(active_s) + 1


@pytest.mark.parametrize("schedule", [OURS, *PEERS], ids=lambda schedule: schedule.name)
@given(st.floats(10.0, 600.0), st.floats(2.0, 12.0))
def test_nothing_beats_geometric_polling(schedule: Schedule, from_s: float, times: float) -> None:
    """Whatever the range, no schedule is as seldom and as timely as the bound."""
    until_s = from_s * times
    looks = [look for look in schedule.until(until_s) if look >= from_s]
    share = worst_share(schedule, from_s, until_s)
    assert len(looks) >= fewest_looks(share, from_s, until_s) - 1e-6


@given(st.floats(0.01, 0.5), st.floats(10.0, 600.0), st.floats(2.0, 100.0))
def test_geometric_polling_attains_the_bound(share: float, from_s: float, times: float) -> None:
    """Where it begins with the range, it needs no more than the next whole number of looks."""
    schedule = geometric(share, from_s * (1 + share))
    assert worst_share(schedule, from_s, from_s * times) == pytest.approx(share)
    fewest = fewest_looks(share, from_s, from_s * times)
    assert fewest - 1e-6 <= len(schedule.until(from_s * times)) <= fewest + 1 + 1e-6


@pytest.mark.parametrize(
    ("schedule", "looks"),
    [
        (OURS, [0.0, 2.0, 4.0, 6.0, 8.0]),
        (ALICLOUD, [5.0, 8.0, 14.0, 24.0, 34.0]),
        (SAGEMAKER, [0.0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 22.6, 32.6]),
        (DATABRICKS, [0.0, 1.4, 3.8, 7.2, 11.6]),
        (flat(5.0), [0.0, 5.0, 10.0]),
        (geometric(0.5, 2.0), [2.0, 3.0, 4.5, 6.75]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_schedule_looks_as_its_source_says(schedule: Schedule, looks: list[float]) -> None:
    """The first looks, counted by hand."""
    assert list(itertools.islice(schedule.looks(), len(looks))) == pytest.approx(looks)


def test_our_rule_is_the_adaptive_one() -> None:
    """5 % of the wait, 2 s at least, 30 s at most."""
    assert OURS.until(_TWO_HOURS) == adaptive(0.05, 2.0, 30.0).until(_TWO_HOURS)


def test_lateness_is_what_it_is_said_to_be() -> None:
    """Worst and mean of polling at an even distance are known."""
    every = flat(10.0)
    assert [10.0, 5.0] == pytest.approx([worst_s(every, 600.0), mean_s(every, 600.0)])
    assert pytest.approx(10.0 / 60.0) == worst_share(every, 60.0, 600.0)
    assert pytest.approx(5.0 / 65.0) == worst_share(every, 65.0, 70.0)


def test_the_question_is_answered_as_its_targets_say() -> None:
    """All targets are met, and the charts come from what a file can hold."""
    answer = measure(quick=True)
    assert [] == [case.what for case in answer.cases if case.met is False]
    assert {"waiting-lag", "waiting-trade-off", "waiting-calls"} == set(
        charts(json.loads(json.dumps(answer.data)))
    )
