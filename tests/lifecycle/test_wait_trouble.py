"""`wait_until_active` when the cloud or the service is not there: it never raises."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.errors import (
    AccessError,
    ConfigurationError,
    InstanceNotFoundError,
    InvalidRequestError,
    RenewalError,
    ThrottledError,
)
from pulumi_adbpg_model.lifecycle import wait_until_active
from tests.lifecycle.fakes import (
    FakeClock,
    FakeCloud,
    Voice,
    busy,
    fault,
    not_found,
    operation,
    outage,
)


def _throttled() -> ThrottledError:
    return ThrottledError("DescribeModelService", "of it", "slowly", code="Throttling.User")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            AccessError("DescribeModelService", "of it", "no", code="Forbidden.RAM", status=403),
            (
                "its status could not be read: DescribeModelService of it failed: no "
                "(code=Forbidden.RAM, status=403). Check the access key and its secret, the RAM "
                "policy, and the security token's expiry (last status 'deploying')"
            ),
        ),
        (
            ConfigurationError("no credentials"),
            "its status could not be read: no credentials (last status 'deploying')",
        ),
        (
            InvalidRequestError("DescribeModelService", "of it", "bad"),
            (
                "its status could not be read: DescribeModelService of it failed: bad. "
                "Correct the declaration, then run the command again (last status 'deploying')"
            ),
        ),
        (
            KeyError("ApiKey"),
            "its status could not be read: an unexpected error, KeyError (last status 'deploying')",
        ),
        (
            RecursionError("too deep"),
            (
                "its status could not be read: an unexpected error, RecursionError "
                "(last status 'deploying')"
            ),
        ),
    ],
)
def test_wait_ends_without_raising_when_it_cannot_go_on(
    cloud: FakeCloud, voice: Voice, error: Exception, text: str
) -> None:
    """Lost credentials, a refusal or a plain bug end the wait with the id and the last status."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying"]
    cloud.clock.at(3.0, lambda: cloud.fail_always("describe", error))

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.details is not None
    assert ("deploying", text) == (outcome.details.status, outcome.reason)
    assert not outcome.gone
    assert cloud.clock.now == 4.0


def test_wait_ends_without_raising_when_the_instance_is_not_visible(
    cloud: FakeCloud, voice: Voice
) -> None:
    """An instance that cannot be seen proves nothing about the service."""
    service = cloud.add()
    cloud.fail_always("describe", InstanceNotFoundError("Describe", "of it", "no instance"))

    outcome = wait_until_active(operation(cloud, voice), service)

    assert (outcome.details, outcome.gone) == (None, False)
    assert outcome.reason is not None
    assert "its status could not be read: Describe of it failed: no instance." in outcome.reason
    assert "(never seen so far)" in outcome.reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (outage(), "the cloud cannot be reached"),
        (fault(), "a fault"),
        (_throttled(), "slowly"),
        (busy(), "not now"),
        (RenewalError("DescribeModelService", "of it", "not renewed"), "not renewed"),
    ],
)
def test_wait_outlasts_trouble_that_passes(
    cloud: FakeCloud, voice: Voice, error: Exception, reason: str
) -> None:
    """The cloud may be out of reach, faulty, throttling or busy for almost two minutes."""
    service = cloud.add()
    cloud.fail_always("describe", error)
    cloud.clock.at(119.9, cloud.heal)

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.reason is None
    assert f"gp-demo:ms-old: {reason}" == voice.progressed[0]


def test_wait_ends_after_120_s_of_outage(cloud: FakeCloud, voice: Voice) -> None:
    """Two minutes in a row end the wait; nothing raises, and the id stays."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying"]
    cloud.clock.at(10.0, lambda: cloud.fail_always("describe", outage()))

    outcome = wait_until_active(operation(cloud, voice, max_poll_interval_s=2.0), service)

    assert cloud.clock.now == 130.0
    assert (
        outcome.reason
        == "its status could not be read: DescribeModelService of it failed: the cloud cannot be "
        "reached. Check the region, the endpoint, the network and the proxy settings (last status "
        "'deploying')"
    )


def test_wait_counts_each_outage_by_itself(cloud: FakeCloud, voice: Voice) -> None:
    """One answer in between, even a not-found, starts the two minutes anew."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying", "deploying", "active"]
    cloud.fail("describe", *[outage()] * 50)
    cloud.fail("describe", not_found())
    cloud.fail("describe", *[outage()] * 50)

    outcome = wait_until_active(operation(cloud, voice, max_poll_interval_s=2.0), service)

    assert outcome.reason is None
    assert cloud.clock.now > 200.0


def test_wait_starts_the_two_minutes_anew_after_an_answer(cloud: FakeCloud, voice: Voice) -> None:
    """A status seen between two outages separates them, however short it was seen."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying", "deploying", "active"]
    cloud.clock.at(1.0, lambda: cloud.fail_always("describe", outage()))
    cloud.clock.at(101.0, cloud.heal)
    cloud.clock.at(103.0, lambda: cloud.fail_always("describe", outage()))
    cloud.clock.at(203.0, cloud.heal)

    outcome = wait_until_active(operation(cloud, voice, max_poll_interval_s=2.0), service)

    assert (outcome.reason, cloud.clock.now) == (None, 204.0)


@pytest.mark.parametrize("limit_s", [0.0, 1.0, 60.0, 119.0])
def test_wait_names_the_deadline_when_an_outage_lasts_beyond_it(
    cloud: FakeCloud, voice: Voice, limit_s: float
) -> None:
    """The deadline ends the wait during an outage too."""
    service = cloud.add()
    cloud.fail_always("describe", outage())

    outcome = wait_until_active(operation(cloud, voice, limit_s), service)

    assert limit_s == cloud.clock.now
    assert outcome.reason is not None
    assert outcome.reason.startswith("not active within ")
    assert outcome.reason.endswith("(never seen so far)")


def test_wait_ends_at_once_when_cancelled_in_an_outage(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cancel is obeyed while the cloud is out of reach."""
    service = cloud.add()
    cloud.fail_always("describe", outage())
    clock.at(31.0, clock.cancel)

    outcome = wait_until_active(operation(cloud, voice), service)

    assert clock.now == 31.0
    assert outcome.reason == "the operation was cancelled (never seen so far)"


def test_wait_does_not_call_a_new_service_gone_within_its_grace(
    cloud: FakeCloud, voice: Voice
) -> None:
    """For 30 s a new service may be invisible to every read."""
    service = cloud.add()
    cloud.services[service].shows_at_s = 29.9

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.reason is None
    assert cloud.times("list") == []
    assert voice.progressed[0] == "gp-demo:ms-old does not show yet"


def test_wait_calls_a_service_gone_after_its_grace_with_proof(
    cloud: FakeCloud, voice: Voice
) -> None:
    """After 30 s a complete list without it is the proof."""
    service = cloud.add()
    cloud.remove(service)

    outcome = wait_until_active(operation(cloud, voice), service)

    assert (outcome.details, outcome.gone) == (None, True)
    assert cloud.times("list") == [30.0]


def test_wait_goes_on_when_the_list_still_shows_the_service(cloud: FakeCloud, voice: Voice) -> None:
    """A not-found that the list contradicts is no proof, however often it comes."""
    service = cloud.add()
    cloud.fail("describe", *[not_found()] * 40)

    outcome = wait_until_active(operation(cloud, voice), service)

    assert (outcome.reason, outcome.gone) == (None, False)


def test_wait_looks_twice_for_a_service_that_was_seen(cloud: FakeCloud, voice: Voice) -> None:
    """Once seen, a not-found is checked against the list, and again 5 s later."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying"]
    cloud.clock.at(3.0, lambda: cloud.remove(service))

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.gone
    assert outcome.details is not None
    assert outcome.reason == "the service does not exist any more"
    assert cloud.times("list") == [4.0, 6.0, 8.0, 10.0]


def test_wait_outlasts_one_list_that_lags_behind(cloud: FakeCloud, voice: Voice) -> None:
    """A service that is missing once, after it was seen, is not given up."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying", "active"]
    cloud.clock.at(1.0, lambda: setattr(cloud.services[service], "listed", False))
    cloud.clock.at(3.0, lambda: setattr(cloud.services[service], "listed", True))
    cloud.clock.at(1.0, lambda: cloud.fail("describe", not_found()))

    outcome = wait_until_active(operation(cloud, voice), service)

    assert (outcome.gone, outcome.reason) == (False, None)
    assert cloud.times("list") == [2.0]


@pytest.mark.parametrize("error", [outage(), fault()])
def test_wait_does_not_call_a_service_gone_when_the_list_fails(
    cloud: FakeCloud, voice: Voice, error: Exception
) -> None:
    """Without the list nothing is proved: the wait goes on, and ends as an outage does."""
    service = cloud.add()
    cloud.remove(service)
    cloud.fail_always("list", error)

    outcome = wait_until_active(operation(cloud, voice), service)

    assert not outcome.gone
    assert outcome.reason is not None
    assert outcome.reason.startswith("its status could not be read: ")


def test_wait_calls_a_service_gone_that_is_described_as_deleted(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The status `deleted` is not waited on for ever: the list is asked, and it is gone."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying", "deleted"]
    cloud.services[service].listed = False

    outcome = wait_until_active(operation(cloud, voice), service)

    assert outcome.gone
    assert outcome.details is not None
    assert (outcome.details.status, outcome.reason) == (
        "deploying",
        "the service does not exist any more",
    )
    assert cloud.times("list") == [2.0, 4.0, 6.0, 8.0]
