"""Delete: until the service is gone, where the state says it is."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import TimedHost
from tests.provider.dynamic_host import (
    DynamicHost,
    HostError,
    Properties,
    Stored,
    kept_by,
    untimed,
    urn_of,
)


def test_delete_removes_the_service(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """After a delete the cloud does not know the service any more."""
    stored = host.create(inputs)

    host.delete(stored)

    assert stored.outs["model_service_id"] not in [service.id for service in cloud.services]


def test_delete_succeeds_when_the_service_is_gone_already(
    host: DynamicHost, inputs: Properties
) -> None:
    """Deleting twice is no error."""
    stored = host.create(inputs)

    host.delete(stored)
    host.delete(stored)


def test_delete_needs_nothing_but_the_id(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Outputs that are missing, as after an edit of the state by hand, do not hinder a delete."""
    stored = host.create(inputs)

    host.delete(Stored(stored.id, {}), urn=urn_of(inputs))

    assert stored.outs["model_service_id"] not in [service.id for service in cloud.services]


@pytest.mark.parametrize("region", ["cn-shanghai", None])
def test_delete_uses_the_region_in_the_state_when_the_configuration_changed(
    host: DynamicHost, cloud: Simulator, inputs: Properties, region: str | None
) -> None:
    """A service is deleted where it was created, whatever the region is set to now."""
    stored = host.create(inputs)
    cloud.clear_requests()
    environment = cloud.environment()
    environment.pop("ALICLOUD_REGION")
    if region is not None:
        environment["ALICLOUD_REGION"] = region

    with DynamicHost(environment) as changed:
        changed.delete(stored)

    assert {"cn-hangzhou"} == {
        call.parameters["RegionId"] for call in cloud.calls("ListModelServices")
    }
    assert stored.outs["model_service_id"] not in [service.id for service in cloud.services]


def test_delete_raises_when_the_key_is_wrong(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A key that the cloud refuses proves nothing about the service, which stays in the state."""
    stored = host.create(inputs)
    environment = {**cloud.environment(), "ALICLOUD_SECRET_KEY": "made-up-and-wrong"}

    with DynamicHost(environment) as wrong, pytest.raises(HostError) as refused:
        wrong.delete(stored)

    text = str(refused.value)
    assert text.startswith(f"DeleteModelService {stored.id} failed: ")
    assert "code=SignatureDoesNotMatch" in text
    assert text.endswith(
        "Check the access key and its secret, the RAM policy, and the security token's expiry. "
        "The credentials come from environment ALICLOUD_ACCESS_KEY."
    )
    assert "made-up-and-wrong" not in text
    assert stored.outs["model_service_id"] in [service.id for service in cloud.services]


def test_delete_raises_when_the_service_is_still_there_at_the_deadline(inputs: Properties) -> None:
    """A deletion that takes longer than its timeout stays in the state."""
    declared = {**inputs, "db_instance_id": "gp-slow"}
    with (
        Simulator(provision_seconds=0, delete_seconds=3600, instance="gp-slow") as slow,
        DynamicHost(slow.environment()) as own,
    ):
        stored = own.create(declared)
        with pytest.raises(HostError) as refused:
            own.delete(stored, timeout_s=0.1)

    assert (
        f"delete of model service {stored.id} is not finished: it is still there after … s, the "
        "limit set by custom_timeouts (last status 'deleting'). It stays in the state; run the "
        "command again."
    ) == untimed(str(refused.value))


def test_delete_does_not_claim_what_it_could_not_see(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """In an outage, the service may be gone: the error says why that is not known."""
    stored = quick.create(inputs)
    cloud.inject("unavailable", "DescribeModelService", times=None)
    with pytest.raises(HostError) as refused:
        quick.delete(stored, timeout_s=60)
    cloud.clear_faults()
    assert str(refused.value).startswith(
        f"delete of model service {stored.id} is not finished: it is not known to be gone after 1 "
        "m 00 s, the limit set by custom_timeouts; the last look at it failed: "
        f"DescribeModelService {stored.id} failed: The service is temporarily unavailable (code="
    )
    quick.delete(stored)


def test_delete_asks_again_when_a_service_shows_late(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """A service that the state never saw is asked to go once more when it shows up."""
    cloud.inject("forbidden", "DescribeModelService", times=None)
    unseen = kept_by(lambda: quick.create(inputs))
    cloud.clear_faults()
    cloud.inject("not-found-404", "DeleteModelService")
    cloud.inject("not-found-404", "DescribeModelService", times=2)

    quick.delete(unseen)

    assert "unknown" == unseen.outs["status"]
    assert 2 == len(cloud.calls("DeleteModelService"))
    assert unseen.outs["model_service_id"] not in [service.id for service in cloud.services]


def test_delete_raises_when_the_instance_is_not_visible(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A vanished instance is no proof of a deleted service."""
    stored = host.create(inputs)
    cloud.remove_instance(inputs["db_instance_id"])

    with pytest.raises(HostError) as refused:
        host.delete(stored)

    assert str(refused.value).endswith("pulumi state delete <urn>.")
