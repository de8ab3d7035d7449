"""Services that are taken over before they show in full: compared before anything else happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import (
    Diffed,
    DynamicHost,
    HostError,
    PartialFailureError,
    Properties,
    Stored,
    kept_by,
)

_UPDATE = Diffed("DIFF_SOME", [], delete_before_replace=True)
_SAME = Diffed("DIFF_NONE", [], delete_before_replace=True)


@pytest.fixture
def existing(host: DynamicHost, cloud: Simulator, inputs: Properties) -> Stored:
    """A service of somebody else's, which is being deployed."""
    cloud.hold_deployments()
    stored = host.create({**inputs, "security_ip_list": ["10.1.1.1"], "wait_for_active": False})
    cloud.clear_requests()
    return stored


@pytest.fixture
def other(existing: Stored, inputs: Properties) -> Properties:
    """A declaration to take it over with, which differs in what does not show yet."""
    return {**inputs, "security_ip_list": ["10.9.9.9"], "__adopt": existing.id}


def _differs(stored: Stored) -> str:
    return (
        f"import of {stored.id} failed: the declaration differs from the service: security_ip_list "
        "is declared ['10.9.9.9'], the service admits ['10.1.1.1']. Declare what is there, then "
        "run the command again."
    )


def _begun(quick: TimedHost, declared: Properties) -> Stored:
    return kept_by(lambda: quick.create(declared, timeout_s=60))


def test_what_does_not_show_yet_is_compared_by_the_next_run(
    quick: TimedHost, cloud: Simulator, existing: Stored, other: Properties
) -> None:
    """Whatever is edited, it is an update that compares; then it is a service like any other."""
    stored = _begun(quick, other)
    assert (stored.id, stored.outs["__adopt"]) == (existing.id, existing.id)
    assert "request_id" not in stored.outs
    service = existing.outs["model_service_id"]
    cloud.change_service(service, status="active")
    refreshed = quick.refresh(stored)
    assert refreshed.outs["status"] == "active"
    for state in (stored, refreshed):
        for declared in (other, {**other, "description": "new"}, {**other, "ai_nodes": ["ai-2"]}):
            assert quick.diff(state, declared) == _UPDATE
        with pytest.raises(HostError) as refused:
            quick.update(state, other)
        assert not isinstance(refused.value, PartialFailureError)
        assert str(refused.value) == _differs(existing)

        right = {**other, "security_ip_list": ["10.1.1.1"]}
        assert quick.diff(state, right) == _UPDATE
        taken = quick.update(state, right)
        assert taken.id == existing.id
        assert "__tokens" not in taken.outs
        assert taken.outs["api_key"] == cloud.service(service).api_key
        assert quick.diff(taken, right) == _SAME
        changed = {**right, "description": "new"}
        assert quick.diff(taken, changed).replaces == ["description"]
    assert cloud.mutations == []


def test_a_service_that_nobody_waits_for_is_compared_once_it_is_active(
    quick: TimedHost, cloud: Simulator, existing: Stored, other: Properties
) -> None:
    """While it is being deployed, nothing is to be done; afterwards, it is not replaced."""
    declared = {**other, "wait_for_active": False}
    stored = quick.create(declared)
    assert quick.diff(stored, declared) == _SAME
    cloud.change_service(existing.outs["model_service_id"], status="active")
    refreshed = quick.refresh(stored)
    assert quick.diff(refreshed, declared) == _UPDATE
    with pytest.raises(HostError) as refused:
        quick.update(refreshed, declared)
    assert str(refused.value) == _differs(existing)
    assert cloud.mutations == []


def test_the_next_try_of_a_hook_compares_too(
    quick: TimedHost, cloud: Simulator, existing: Stored, other: Properties
) -> None:
    """Newer engines try again with an update, older ones with a create."""
    stored = _begun(quick, other)
    cloud.change_service(existing.outs["model_service_id"], status="active")
    again: list[Callable[[], object]] = [
        lambda: quick.update(stored, other),
        lambda: quick.create(other),
    ]
    for attempt in again:
        with pytest.raises(HostError) as refused:
            attempt()
        assert not isinstance(refused.value, PartialFailureError)
        assert str(refused.value) == _differs(existing)
    assert cloud.mutations == []


def test_a_service_that_fails_meanwhile_is_not_replaced(
    quick: TimedHost,
    clock: MovedClock,
    cloud: Simulator,
    existing: Stored,
    other: Properties,
) -> None:
    """A failed service is not taken over, before and after the state has it."""
    service = existing.outs["model_service_id"]
    stored = _begun(quick, other)
    why = (
        f"import of {existing.id} failed: its deployment failed, status 'deploy_failed'. Delete it "
        "and remove import_ to create a new service."
    )
    right = {**other, "security_ip_list": ["10.1.1.1"]}

    def fail() -> None:
        cloud.fail_service(service)

    clock.after(5, fail)
    with pytest.raises(HostError) as refused:
        quick.create(right, urn="urn:pulumi:dev::shop::t::second")
    assert not isinstance(refused.value, PartialFailureError)
    assert str(refused.value) == why
    refreshed = quick.refresh(stored)
    assert quick.diff(refreshed, right) == _UPDATE
    with pytest.raises(HostError) as refused:
        quick.update(refreshed, right)
    assert str(refused.value) == why

    cloud.remove_service(service)
    with pytest.raises(HostError) as refused:
        quick.update(refreshed, right)
    assert str(refused.value) == (
        f"import failed: model service {existing.id} is gone. Run `pulumi refresh`, then `pulumi "
        "up` to create it again."
    )
    assert quick.refresh(refreshed).id == ""
    assert cloud.mutations == []
    quick.delete(refreshed)
