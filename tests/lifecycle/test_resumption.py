"""`resume`: going on with a service that an earlier run left unfinished."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails
from pulumi_adbpg_model.errors import OperationError, TransportError
from pulumi_adbpg_model.lifecycle import resume
from tests.lifecycle.fakes import SPEC, FakeCloud, Voice, operation


def test_resume_waits_until_the_service_is_active(cloud: FakeCloud, voice: Voice) -> None:
    """The wait goes on where it was left, and creates nothing."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying", "deploying", "active"]

    outcome = resume(operation(cloud, voice), service, SPEC, None)

    assert outcome.details is not None
    assert (outcome.details.status, outcome.reason) == ("active", None)
    assert cloud.times("create") == []


def test_resume_warns_of_a_whitelist_wider_than_asked_for(cloud: FakeCloud, voice: Voice) -> None:
    """What an uninterrupted create would have warned of is told here too."""
    service = cloud.add("ms-1", security_ip_list=("0.0.0.0/0",))

    resume(operation(cloud, voice), service, SPEC, None)

    assert [warning.split(",")[0] for warning in voice.warnings] == [
        "gp-demo:ms-1 admits 0.0.0.0/0"
    ]


def test_resume_raises_soon_when_a_service_that_was_seen_is_gone(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A service that an earlier run saw is looked for twice, not waited for as a new one is."""
    service = cloud.add()
    del cloud.services[service]

    with pytest.raises(OperationError) as caught:
        resume(
            operation(cloud, voice), service, SPEC, ModelServiceDetails(service, status="deploying")
        )

    assert (
        str(caught.value) == f"update failed: model service {service} is gone. Run `pulumi "
        "refresh`, then `pulumi up` to create it again."
    )
    assert cloud.clock.now == 6.0


def test_resume_gives_a_service_that_was_never_seen_time_to_show(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Without an earlier sight, not-found counts after the grace period only."""
    service = cloud.add()
    del cloud.services[service]

    with pytest.raises(OperationError) as caught:
        resume(operation(cloud, voice), service, SPEC, None)

    assert str(caught.value) == (
        f"update failed: model service {service} never showed, and is not there. Run `pulumi up` "
        "again to create another in its place."
    )
    assert cloud.clock.now >= 30.0


def test_resume_keeps_what_was_known_when_the_cloud_is_out_of_reach(
    cloud: FakeCloud, voice: Voice
) -> None:
    """An outage loses nothing of what an earlier run saw."""
    service = cloud.add()
    last = ModelServiceDetails(service, status="deploying", create_time="2026-01-01T00:00:00Z")
    cloud.fail_always("describe", TransportError("DescribeModelService", "it", "no answer"))

    outcome = resume(operation(cloud, voice), service, SPEC, last)

    assert outcome.details == last
    assert outcome.reason is not None
    assert outcome.reason.endswith("(last status 'deploying')")


def test_resume_leaves_the_comparison_to_the_caller_without_a_spec(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Nothing is judged that is about to be changed."""
    service = cloud.add("ms-1", security_ip_list=("0.0.0.0/0",))

    resume(operation(cloud, voice), service, None, None)

    assert voice.warnings == []
