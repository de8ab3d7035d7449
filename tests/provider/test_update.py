"""Update: the whitelist by its group, settings, and going on to wait."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import DynamicHost, HostError, Properties, untimed


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
    assert {
        **stored.outs,
        "security_ip_list": ["10.0.0.2", "10.1.0.0/16"],
        "__written": updated.outs["__written"],
    } == updated.outs


@pytest.mark.parametrize(
    ("timeouts", "advice"),
    [
        pytest.param(
            None,
            "The group is probably not this service's: correct security_ip_group, or leave it out "
            "to have a change replace the service.",
            id="after half a minute",
        ),
        pytest.param(
            {"update": "5s"},
            "The operation ran out of time before it showed: run `pulumi up` again.",
            id="out of time before",
        ),
    ],
)
def test_update_raises_when_the_group_does_not_reach_the_service(
    provider: ModelServiceProvider, inputs: Properties, timeouts: Properties | None, advice: str
) -> None:
    """A group of some other service must not pass for a changed whitelist."""
    declared = {
        **inputs,
        "security_ip_group": "others",
        "security_ip_list": ["10.0.0.1"],
        "timeouts": timeouts,
    }
    created = provider.create(declared)

    with pytest.raises(OperationError) as refused:
        provider.update(
            created.id, created.outs or {}, {**declared, "security_ip_list": ["10.0.0.2"]}
        )

    assert (
        "change of security_ip_list failed: whitelist group 'others' of instance "
        f"{inputs['db_instance_id']} was set to ['10.0.0.2'], but {created.id} still admits "
        f"['10.0.0.1']. {advice}"
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
    assert {
        **stored.outs,
        **changed,
        "__declared": declared,
        "__written": updated.outs["__written"],
    } == updated.outs


def test_update_renews_when_the_state_was_written_and_keeps_the_tokens(
    host: DynamicHost, inputs: Properties
) -> None:
    """The state tells which run wrote it last; the tokens of the service stay those of its
    creation.
    """
    stored = host.create(inputs)

    began = time.time()
    updated = host.update(stored, {**inputs, "wait_for_active": False})
    ended = time.time()

    assert stored.outs["__written"] < began
    assert began <= updated.outs["__written"] <= ended
    assert 2 == len(stored.outs["__tokens"])
    assert stored.outs["__tokens"] == updated.outs["__tokens"]


def test_update_of_a_state_without_tokens_adds_none(host: DynamicHost, inputs: Properties) -> None:
    """A service of an earlier release, or one that was taken over, has no tokens to keep."""
    stored = host.create(inputs)
    del stored.outs["__tokens"]

    assert "__tokens" not in host.update(stored, {**inputs, "wait_for_active": False}).outs


def test_update_removes_and_brings_back_the_key(host: DynamicHost, inputs: Properties) -> None:
    """store_api_key takes the key out of the state, and puts it in again."""
    stored = host.create(inputs)

    without = host.update(stored, {**inputs, "store_api_key": False})
    again = host.update(without, inputs)

    assert "api_key" in stored.outs
    assert "api_key" not in without.outs
    assert {**stored.outs, "__written": again.outs["__written"]} == again.outs


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
    assert {**stored.outs, "__written": updated.outs["__written"]} == updated.outs


def test_update_finishes_the_creation_before_it_changes_the_whitelist(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Both kinds of unfinished business are done in one update, the wait first."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    cloud.hold_deployments()
    stored = host.create({**declared, "wait_for_active": False})
    cloud.release_deployments()
    cloud.clear_requests()

    updated = host.update(stored, {**declared, "security_ip_list": ["10.0.0.2"]})

    assert ["DescribeModelService", "ModifySecurityIps", "DescribeModelService"] == [
        call.action for call in cloud.calls()
    ]
    assert (["10.0.0.2"], "active") == (updated.outs["security_ip_list"], updated.outs["status"])
    assert updated.outs["api_key"] == cloud.service(stored.outs["model_service_id"]).api_key


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"timeouts": {"update": "1m"}}, id="not active in time"),
        pytest.param({"status": "deploy_failed"}, id="failed"),
    ],
)
def test_update_keeps_the_old_whitelist_when_the_service_does_not_become_active(
    provider: ModelServiceProvider, cloud: Simulator, inputs: Properties, changed: Properties
) -> None:
    """A change that was not made is not in the state, so the next run makes it."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    cloud.hold_deployments()
    created = provider.create({**declared, "wait_for_active": False})
    status = changed.get("status", "deployming")
    cloud.change_service(created.id.split(":")[1], status=status)
    cloud.clear_requests()
    news = {**declared, "security_ip_list": ["10.0.0.2"], "timeouts": changed.get("timeouts")}

    outs = provider.update(created.id, created.outs or {}, news).outs or {}

    assert [] == cloud.mutations
    assert (["10.0.0.1"], status) == (outs["security_ip_list"], outs["status"])
    # The engine's own inputs are the new ones by now: it is not left to compare them.
    assert provider.diff(created.id, outs, news).changes is True


def test_update_of_a_pending_service_does_not_warn_of_the_whitelist_that_it_changes(
    provider: ModelServiceProvider,
    cloud: Simulator,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The list that is about to be changed is not reported as a difference from what was asked."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    cloud.hold_deployments()
    created = provider.create({**declared, "wait_for_active": False})
    cloud.release_deployments()
    capsys.readouterr()

    provider.update(created.id, created.outs or {}, {**declared, "security_ip_list": ["10.0.0.2"]})

    assert f"{created.id} is 'active' after … s\n" == untimed(capsys.readouterr().out)


def test_update_of_a_pending_service_warns_of_every_other_difference(
    provider: ModelServiceProvider,
    cloud: Simulator,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A whitelist that changes in the same update hides nothing else that is not as asked."""
    declared = {
        **inputs,
        "description": "mine",
        "security_ip_list": ["10.0.0.1"],
        "security_ip_group": "models",
    }
    cloud.hold_deployments()
    created = provider.create({**declared, "wait_for_active": False})
    cloud.change_service(created.id.split(":")[1], description="theirs")
    cloud.release_deployments()
    capsys.readouterr()

    provider.update(created.id, created.outs or {}, {**declared, "security_ip_list": ["10.0.0.2"]})

    assert (
        f"{created.id} is 'active' after … s\n"
        f"{created.id} is not as asked: description is declared 'mine', the service has 'theirs'\n"
    ) == untimed(capsys.readouterr().out)


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

    assert {"cn-hangzhou"} == {
        call.parameters["RegionId"] for call in cloud.calls("ListModelServices")
    }
