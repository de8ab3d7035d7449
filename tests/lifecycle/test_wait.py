"""`wait_until_active`: when it looks, what ends it, and what it says then."""

from __future__ import annotations

import itertools

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.lifecycle import wait_until_active
from tests.lifecycle.fakes import FakeClock, FakeCloud, Voice, operation


def _pending(cloud: FakeCloud, *statuses: str | None) -> ModelServiceId:
    service = cloud.add()
    cloud.services[service].statuses = list(statuses)
    return service


def test_wait_polls_before_it_sleeps(cloud: FakeCloud, voice: Voice) -> None:
    """A service that is active already costs one call and no pause."""
    service = _pending(cloud, "active")

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.details is not None
    assert (outcome.details.status, outcome.reason, outcome.gone) == ("active", None, False)
    assert cloud.times("describe") == [0.0]
    assert cloud.clock.sleeps == []


def test_wait_returns_the_details_of_the_active_service(cloud: FakeCloud, voice: Voice) -> None:
    """What is returned is what the last poll saw."""
    service = _pending(cloud, "deploying", "active")
    cloud.clock.at(1.0, lambda: cloud.set_whitelist(service, ["10.0.0.1"]))

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.details is not None
    assert outcome.details.security_ip_list == ("10.0.0.1",)


def test_wait_polls_adaptively_up_to_the_deadline_exactly(cloud: FakeCloud, voice: Voice) -> None:
    """2 s at first, then 5 % of the wait, at most 30 s, and a last look at the deadline."""
    service = _pending(cloud, "deploying")

    wait_until_active(operation(cloud, voice, 1500.0), service)

    times = cloud.times("describe")
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert times[:4] == [0.0, 2.0, 4.0, 6.0]
    assert pauses[:21] == [2.0] * 21
    assert pytest.approx(42.0 * 0.05) == pauses[21]
    assert pytest.approx([0.05 * t for t in times[21:60] if t < 600]) == [
        pause for t, pause in zip(times[21:60], pauses[21:60], strict=True) if t < 600
    ]
    assert pytest.approx(30.0) == max(pauses)
    assert times[-1] == 1500.0
    assert pytest.approx(30.0) == pauses[-2]
    assert pauses[-1] < 30.0


def test_wait_polls_no_slower_than_the_user_allows(cloud: FakeCloud, voice: Voice) -> None:
    """`max_poll_interval_s` caps every pause."""
    service = _pending(cloud, "deploying")

    wait_until_active(operation(cloud, voice, 1000.0, max_poll_interval_s=10.0), service)

    assert max(cloud.clock.sleeps) == 10.0
    assert cloud.clock.sleeps[:2] == [2.0, 2.0]
    assert cloud.times("describe")[-1] == 1000.0


def test_wait_sees_a_service_that_turns_active_at_the_deadline(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The last poll, at the deadline itself, still counts."""
    service = _pending(cloud, "deploying")

    def turn() -> None:
        cloud.services[service].statuses = ["active"]

    cloud.clock.at(601.0, turn)
    outcome = wait_until_active(operation(cloud, voice, 601.0), service)

    assert outcome.details is not None
    assert (outcome.details.status, outcome.reason) == ("active", None)


def test_wait_ends_at_the_deadline_with_the_last_status(cloud: FakeCloud, voice: Voice) -> None:
    """A service that never turns active ends the wait with its real status and the limit."""
    service = _pending(cloud, "queued", "deploying")

    outcome = wait_until_active(operation(cloud, voice, 90.0), service)

    assert outcome.details is not None
    assert outcome.details.status == "deploying"
    assert (
        outcome.reason
        == "not active within 1 m 30 s, the limit set by custom_timeouts (last status 'deploying')"
    )
    assert not outcome.gone


@pytest.mark.parametrize(
    "status", ["deployming", "deploying", "Creating", "restarting", "unknown word", "", None]
)
def test_wait_goes_on_at_any_word_that_is_neither_active_nor_failed(
    cloud: FakeCloud, voice: Voice, status: str | None
) -> None:
    """The API names no complete list of words, so an unknown one is pending."""
    service = _pending(cloud, status, status, "active")

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.reason is None
    assert cloud.times("describe") == [0.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("ACTIVE", None),
        ("Active", None),
        (" active ", None),
        *[
            (word, f"the deployment failed, status {word!r}")
            for word in ("failed", "deploy_failed", "CreateFailed", "Error", "FAIL")
        ],
        ("Deleting", "it is being deleted, status 'Deleting'"),
    ],
)
def test_wait_ends_at_any_word_for_active_failed_or_going_away(
    cloud: FakeCloud, voice: Voice, status: str, reason: str | None
) -> None:
    """At once, however it is written; it does not raise, and nobody waits an hour for it."""
    service = _pending(cloud, "deploying", status)

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.details is not None
    assert (outcome.details.status, outcome.reason, outcome.gone) == (status, reason, False)
    assert cloud.times("describe") == [0.0, 2.0]


def test_wait_ends_at_once_when_cancelled(cloud: FakeCloud, clock: FakeClock, voice: Voice) -> None:
    """A cancel in the middle of a pause ends the wait there, with the real status."""
    service = _pending(cloud, "deploying")
    clock.at(101.0, clock.cancel)

    outcome = wait_until_active(operation(cloud, voice), service)

    assert clock.now == 101.0
    assert outcome.details is not None
    assert outcome.details.status == "deploying"
    assert outcome.reason == "the operation was cancelled (last status 'deploying')"


def test_wait_does_not_sleep_when_cancelled_from_the_start(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """One look, to save the real status, and out."""
    service = _pending(cloud, "deploying")
    clock.cancel()

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.reason == "the operation was cancelled (last status 'deploying')"
    assert (len(cloud.calls), clock.sleeps) == (1, [])


def test_wait_only_until_seen_returns_the_pending_service(cloud: FakeCloud, voice: Voice) -> None:
    """With `only_seen` the first sight is enough; the reason says that it is not active yet."""
    service = _pending(cloud, "deploying", "active")

    outcome = wait_until_active(operation(cloud, voice), service, only_seen=True)

    assert outcome.details is not None
    assert outcome.reason == "it is not active yet, status 'deploying'"
    assert cloud.times("describe") == [0.0]


def test_wait_gives_each_call_what_is_left_of_the_deadline(cloud: FakeCloud, voice: Voice) -> None:
    """No call may retry beyond the deadline; the last one gets nothing for it."""
    service = _pending(cloud, "deploying")

    wait_until_active(operation(cloud, voice, 5.0), service)

    assert [(call.at_s, call.remaining_s) for call in cloud.calls] == [
        (0.0, 5.0),
        (2.0, 3.0),
        (4.0, 1.0),
        (5.0, 0.0),
    ]


def test_wait_notes_each_change_of_status_once(cloud: FakeCloud, voice: Voice) -> None:
    """Lasting lines tell the changes; what stays the same is progress."""
    service = _pending(cloud, "queued", "deploying", "deploying", "deploying", "active")

    wait_until_active(operation(cloud, voice), service)

    assert voice.notes == [
        "gp-demo:ms-old is 'queued' after 0 s",
        "gp-demo:ms-old is 'deploying' after 2 s",
        "gp-demo:ms-old is 'active' after 8 s",
    ]
    assert voice.progressed[0] == "gp-demo:ms-old is 'deploying': 4 s of at most 1 h 00 m"
    assert voice.warnings == []


def test_wait_speaks_less_often_the_longer_it_takes(cloud: FakeCloud, voice: Voice) -> None:
    """An hour makes less than a hundred lines, where the terminal keeps them all."""
    service = _pending(cloud, "deploying")

    wait_until_active(operation(cloud, voice, 3600.0, max_poll_interval_s=1.0), service)

    assert len(cloud.times("describe")) == 3601
    assert 60 <= len(voice.progressed) <= 90
