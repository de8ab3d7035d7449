"""Update: the whitelist by its group, settings, and going on to wait."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import TimedHost
from tests.provider.dynamic_host import (
    DynamicHost,
    HostError,
    Properties,
    Stored,
    kept_by,
)


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


@pytest.mark.parametrize(
    ("timeout_s", "advice"),
    [
        pytest.param(
            0,
            "The group is probably not this service's: correct security_ip_group, or leave it out "
            "to have a change replace the service.",
            id="after half a minute",
        ),
        pytest.param(
            5,
            "The operation ran out of time before it showed: run `pulumi up` again.",
            id="out of time before",
        ),
    ],
)
def test_update_raises_when_the_group_does_not_reach_the_service(
    host: DynamicHost, quick: TimedHost, inputs: Properties, timeout_s: float, advice: str
) -> None:
    """A group of some other service must not pass for a changed whitelist."""
    declared = {**inputs, "security_ip_group": "others", "security_ip_list": ["10.0.0.1"]}
    created = host.create(declared)

    with pytest.raises(HostError) as refused:
        quick.update(created, {**declared, "security_ip_list": ["10.0.0.2"]}, timeout_s=timeout_s)

    assert type(refused.value) is HostError
    assert (
        "change of security_ip_list failed: whitelist group 'others' of instance "
        f"{inputs['db_instance_id']} was set to ['10.0.0.2'], but {created.id} still admits "
        f"['10.0.0.1']. {advice}"
    ) == str(refused.value)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"wait_for_active": False}, id="wait_for_active"),
        pytest.param({"security_ip_group": "models"}, id="security_ip_group"),
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
    declared = sorted({*stored.outs["__declared"], *changed})
    assert {**stored.outs, **changed, "__declared": declared} == updated.outs


def test_update_drops_what_an_earlier_release_kept(host: DynamicHost, inputs: Properties) -> None:
    """What 0.1.0 stored of URN, timeouts and time is gone once the state is written anew."""
    stored = host.create(inputs)
    former = {"__urn": "urn:1", "__written": 1000.5, "timeouts": {"create": "90m"}}

    updated = host.update(Stored(stored.id, {**stored.outs, **former}), inputs)

    assert stored == updated


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
    assert stored == again


def test_update_goes_on_waiting_for_a_pending_service(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A service that was not active in time is waited for again, and becomes complete."""
    cloud.hold_deployments()
    stored = kept_by(lambda: host.create(inputs, timeout_s=0.1))
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


@pytest.mark.parametrize("status", ["deployming", "deploy_failed"])
def test_update_keeps_the_old_whitelist_when_the_service_does_not_become_active(
    quick: TimedHost, cloud: Simulator, inputs: Properties, status: str
) -> None:
    """A change that was not made is not in the state, so the next run makes it."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    cloud.hold_deployments()
    created = quick.create({**declared, "wait_for_active": False})
    cloud.change_service(created.outs["model_service_id"], status=status)
    cloud.clear_requests()
    news = {**declared, "security_ip_list": ["10.0.0.2"]}

    kept = kept_by(lambda: quick.update(created, news, timeout_s=60))

    assert [] == cloud.mutations
    assert (["10.0.0.1"], status) == (kept.outs["security_ip_list"], kept.outs["status"])
    # The engine's own inputs are the new ones by now: it is not left to compare them.
    assert "DIFF_SOME" == quick.diff(kept, news).changes


def test_update_of_a_pending_service_does_not_warn_of_the_whitelist_that_it_changes(
    quick: TimedHost, cloud: Simulator, inputs: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list that is about to be changed is not reported as a difference from what was asked."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    cloud.hold_deployments()
    created = quick.create({**declared, "wait_for_active": False})
    cloud.release_deployments()
    capsys.readouterr()

    quick.update(created, {**declared, "security_ip_list": ["10.0.0.2"]})

    assert f"{created.id} is 'active' after 0 s\n" == capsys.readouterr().out


def test_update_of_a_pending_service_warns_of_every_other_difference(
    quick: TimedHost, cloud: Simulator, inputs: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whitelist that changes in the same update hides nothing else that is not as asked."""
    declared = {
        **inputs,
        "description": "mine",
        "security_ip_list": ["10.0.0.1"],
        "security_ip_group": "models",
    }
    cloud.hold_deployments()
    created = quick.create({**declared, "wait_for_active": False})
    cloud.change_service(created.outs["model_service_id"], description="theirs")
    cloud.release_deployments()
    capsys.readouterr()

    quick.update(created, {**declared, "security_ip_list": ["10.0.0.2"]})

    assert (
        f"{created.id} is 'active' after 0 s\n"
        f"{created.id} is not as asked: description is not as the service has it\n"
    ) == capsys.readouterr().out


@pytest.mark.parametrize("status", ["active", "deployming"])
def test_update_raises_when_the_service_is_gone(
    host: DynamicHost, quick: TimedHost, cloud: Simulator, inputs: Properties, status: str
) -> None:
    """A service that was deleted outside is not updated into the state, nor waited for."""
    stored = host.create(inputs)
    cloud.remove_service(stored.outs["model_service_id"])
    before = Stored(stored.id, {**stored.outs, "status": status})

    with pytest.raises(HostError) as refused:
        quick.update(before, {**inputs, "store_api_key": False})

    assert type(refused.value) is HostError
    assert (
        f"update failed: model service {stored.id} is gone. Run `pulumi refresh`, "
        "then `pulumi up` to create it again."
    ) == str(refused.value)


def test_update_uses_the_region_in_the_state_when_the_configuration_changed(
    host: DynamicHost,
    quick: TimedHost,
    cloud: Simulator,
    inputs: Properties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A service is looked for where it was created, whatever the region is set to now."""
    stored = host.create(inputs)
    cloud.remove_service(stored.outs["model_service_id"])
    cloud.clear_requests()
    monkeypatch.setenv("ALICLOUD_REGION", "cn-shanghai")

    with pytest.raises(HostError, match="is gone"):
        quick.update(stored, {**inputs, "store_api_key": False})

    assert {"cn-hangzhou"} == {
        call.parameters["RegionId"] for call in cloud.calls("ListModelServices")
    }
