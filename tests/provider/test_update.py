"""Update: the whitelist by its group, settings, and going on to wait."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import DynamicHost, HostError, Properties


def test_update_sets_the_whitelist_of_the_named_group(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A changed list is set in the named group, and nothing else is asked to change."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    stored = host.create(declared)
    cloud.clear_requests()

    updated = host.update(stored, {**declared, "security_ip_list": ["10.0.0.2", "10.1.0.0/16"]})

    (change,) = cloud.mutations
    assert "ModifySecurityIps" == change.action
    assert "models" == change.parameters["DBInstanceIPArrayName"]
    assert {"models": ("10.0.0.2", "10.1.0.0/16")} == cloud.whitelist_groups(
        inputs["db_instance_id"]
    )
    assert {**stored.outs, "security_ip_list": ["10.0.0.2", "10.1.0.0/16"]} == updated.outs


def test_update_raises_when_the_group_does_not_reach_the_service(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A group of some other service must not pass for a changed whitelist."""
    declared = {
        **inputs,
        "security_ip_group": "others",
        "security_ip_list": ["10.0.0.1"],
        "timeouts": {"update": "200ms"},
    }
    stored = host.create(declared)

    with pytest.raises(HostError) as refused:
        host.update(stored, {**declared, "security_ip_list": ["10.0.0.2"]})

    assert (
        "change of security_ip_list failed: whitelist group 'others' of instance "
        f"{inputs['db_instance_id']} was set to ['10.0.0.2'], but {stored.id} still admits "
        "['10.0.0.1']. The group is probably not this service's: correct security_ip_group, or "
        "leave it out to have a change replace the service."
    ) == str(refused.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"wait_for_active": False},
        {"security_ip_group": "models"},
        {"timeouts": {"create": "2h"}},
    ],
)
def test_update_records_a_setting_without_changing_the_cloud(
    host: DynamicHost, cloud: Simulator, inputs: Properties, changed: dict[str, Any]
) -> None:
    """The package's own settings are stored, and every output stays."""
    stored = host.create(inputs)
    cloud.clear_requests()

    updated = host.update(stored, {**inputs, **changed})

    assert [] == cloud.mutations
    declared = sorted({*stored.outs["__declared"], *changed} - {"timeouts"})
    assert {**stored.outs, **changed, "__declared": declared} == updated.outs


def test_update_removes_and_brings_back_the_key(host: DynamicHost, inputs: Properties) -> None:
    """store_api_key takes the key out of the state, and puts it in again."""
    stored = host.create(inputs)

    without = host.update(stored, {**inputs, "store_api_key": False})
    again = host.update(without, inputs)

    assert "api_key" in stored.outs
    assert "api_key" not in without.outs
    assert stored.outs == again.outs


def test_update_goes_on_waiting_for_a_pending_service(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A service that was not active in time is waited for again, and becomes complete."""
    cloud.hold_deployments()
    stored = host.create({**inputs, "timeouts": {"create": "100ms"}})
    cloud.release_deployments()
    cloud.clear_requests()

    updated = host.update(stored, inputs)

    service = cloud.service(stored.outs["model_service_id"])
    assert "active" == updated.outs["status"]
    assert (service.api_key, service.private_connect_url) == (
        updated.outs["api_key"],
        updated.outs["private_connect_url"],
    )
    assert stored.outs["request_id"] == updated.outs["request_id"]
    assert "status_reason" not in updated.outs
    assert [] == cloud.mutations


def test_update_keeps_every_output_when_the_cloud_cannot_be_read(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A wait that never sees the service leaves what the state knew of it."""
    cloud.hold_deployments()
    stored = host.create({**inputs, "timeouts": {"create": "100ms"}})
    cloud.inject("forbidden", "DescribeModelService", times=None)

    updated = host.update(stored, {**inputs, "timeouts": {"create": "100ms"}})

    reason = updated.outs.pop("status_reason")
    stored.outs.pop("status_reason")
    assert reason.startswith("its status could not be read: DescribeModelService")
    assert stored.outs == updated.outs


def test_update_changes_the_whitelist_of_a_pending_service_and_goes_on_waiting(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Both kinds of unfinished business are done in one update."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    stored = host.create({**declared, "wait_for_active": False})
    stored.outs["status"] = "deployming"

    updated = host.update(stored, {**declared, "security_ip_list": ["10.0.0.2"]})

    assert (["10.0.0.2"], "active") == (updated.outs["security_ip_list"], updated.outs["status"])


def test_update_raises_when_the_service_is_gone(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A service that was deleted outside is not updated into the state."""
    stored = host.create(inputs)
    cloud.remove_service(stored.outs["model_service_id"])

    with pytest.raises(HostError) as refused:
        host.update(stored, {**inputs, "store_api_key": False})

    assert (
        f"update failed: model service {stored.id} is gone. Run `pulumi refresh`, "
        "then `pulumi up` to create it again."
    ) == str(refused.value)


def test_update_uses_the_region_in_the_state_when_the_configuration_changed(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A service is looked for where it was created, whatever the region is set to now."""
    stored = host.create(inputs)
    cloud.remove_service(stored.outs["model_service_id"])
    cloud.clear_requests()

    changed = {**cloud.environment(), "ALICLOUD_REGION": "cn-shanghai"}
    with DynamicHost(changed) as other, pytest.raises(HostError, match="is gone"):
        other.update(stored, {**inputs, "store_api_key": False})

    assert ["cn-hangzhou"] == [
        call.parameters["RegionId"] for call in cloud.calls("ListModelServices")
    ]
