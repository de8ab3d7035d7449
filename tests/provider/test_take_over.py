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
    urn_of,
)

_UPDATE = Diffed("DIFF_SOME", [], delete_before_replace=True)
_WHITELIST = "security_ip_list is declared ['10.9.9.9'], the service admits ['10.1.1.1']"
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


def _differs(stored: Stored, phrase: str = _WHITELIST, urn: str | None = None) -> str:
    refused = (
        f"import of {stored.id} failed: the declaration differs from the service: {phrase}. "
        "Declare what is there, then run the command again."
    )
    return f"{refused} {_kept(urn)}" if urn else refused


def _kept(urn: str) -> str:
    return (
        f"It is in the state by now: `pulumi state delete {urn}` gives it up; `pulumi destroy "
        f"--target {urn}` removes it."
    )


def _begun(quick: TimedHost, declared: Properties) -> Stored:
    return kept_by(lambda: quick.create(declared, timeout_s=60))


def test_what_does_not_show_yet_is_compared_by_the_next_run(
    quick: TimedHost, cloud: Simulator, existing: Stored, other: Properties
) -> None:
    """Whatever is edited, it is an update that compares; then it is a service like any other."""
    urn = urn_of(other)
    with pytest.raises(PartialFailureError) as late:
        quick.create(other, timeout_s=60)
    assert str(late.value).endswith(
        f"Run `pulumi up` again to go on waiting; `pulumi state delete {urn}` gives it up."
    )
    stored = late.value.stored
    assert (stored.id, stored.outs["__adopt"]) == (existing.id, existing.id)
    assert "request_id" not in stored.outs
    service = existing.outs["model_service_id"]
    cloud.change_service(service, status="active")
    refreshed = quick.refresh(stored)
    assert refreshed.outs["status"] == "active"
    for state in (stored, refreshed):
        right = {**other, "security_ip_list": ["10.1.1.1"]}
        moved = "region_id is declared 'cn-beijing', the service is in 'cn-hangzhou'"
        for declared, phrase in (
            (other, _WHITELIST),
            (
                {**right, "ai_nodes": ["ai-2"]},
                "ai_nodes are declared ['ai-2'], the service is on ['ai-1']",
            ),
            ({**right, "region_id": "cn-beijing"}, moved),
        ):
            assert quick.diff(state, declared) == _UPDATE
            with pytest.raises(HostError) as refused:
                quick.update(state, declared)
            assert not isinstance(refused.value, PartialFailureError)
            assert str(refused.value) == _differs(existing, phrase, urn)

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
    quick: TimedHost,
    cloud: Simulator,
    existing: Stored,
    other: Properties,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each `up` looks at it until then, and says that this is still to come."""
    declared = {**other, "wait_for_active": False}
    stored = quick.create(declared)
    assert quick.diff(stored, declared) == _UPDATE
    assert quick.update(stored, declared) == stored
    cloud.change_service(existing.outs["model_service_id"], status="active")
    refreshed = quick.refresh(stored)
    assert quick.diff(refreshed, declared) == _UPDATE
    with pytest.raises(HostError) as refused:
        quick.update(refreshed, declared)
    assert str(refused.value) == _differs(existing, urn=urn_of(other))
    assert cloud.mutations == []
    note = f"{existing.id} is compared in full once it is active; nothing created"
    assert capsys.readouterr().out.splitlines().count(note) == 2


def test_the_next_try_of_a_hook_compares_too(
    quick: TimedHost, cloud: Simulator, existing: Stored, other: Properties
) -> None:
    """Newer engines try again with an update, older ones with a create."""
    stored = _begun(quick, other)
    cloud.change_service(existing.outs["model_service_id"], status="active")
    again: list[tuple[Callable[[], object], str | None]] = [
        (lambda: quick.update(stored, other), urn_of(other)),
        (lambda: quick.create(other), None),
    ]
    for attempt, urn in again:
        with pytest.raises(HostError) as refused:
            attempt()
        assert not isinstance(refused.value, PartialFailureError)
        assert str(refused.value) == _differs(existing, urn=urn)
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
    second = TimedHost(clock, {})
    with pytest.raises(HostError) as refused:
        second.create(other, urn="urn:pulumi:dev::shop::t::second")
    second.stop()
    assert not isinstance(refused.value, PartialFailureError)
    assert str(refused.value) == why
    refreshed = quick.refresh(stored)
    assert quick.diff(refreshed, right) == _UPDATE
    with pytest.raises(HostError) as refused:
        quick.update(refreshed, other)
    assert str(refused.value) == f"{why} {_kept(urn_of(other))}"

    cloud.remove_service(service)
    with pytest.raises(HostError) as refused:
        quick.update(refreshed, right)
    assert str(refused.value) == (
        f"import of {existing.id} failed: it is gone. Remove import_ and run `pulumi refresh`, "
        "then `pulumi up` to create a new one."
    )
    assert quick.refresh(refreshed).id == ""
    assert cloud.mutations == []
    quick.delete(refreshed)


def test_a_replacement_does_not_delete_what_was_not_compared(
    quick: TimedHost, clock: MovedClock, cloud: Simulator, existing: Stored, other: Properties
) -> None:
    """The engine may replace it without asking diff; a destroy, which checks nothing, goes on."""
    stored = _begun(quick, other)
    following = TimedHost(clock, {})
    for olds in (stored.outs, {}):
        assert following.check(other, olds).failures == []
    with pytest.raises(HostError) as refused:
        following.delete(stored)
    urn = urn_of(other)
    assert str(refused.value) == (
        f"delete of model service {existing.id} was not sent: the program declares it, but it was "
        "not compared with that yet. Run `pulumi up` without what replaces it, such as "
        "replace_on_changes, --replace or a taint (`pulumi state untaint`); `pulumi state delete "
        f"{urn}` gives it up."
    )
    with pytest.raises(HostError, match="was not sent: the program declares it"):
        following.delete(stored, urn="urn:pulumi:dev::shop::t::before-an-alias")
    following.stop()
    assert cloud.mutations == []


def test_what_the_program_does_not_declare_any_more_is_deleted(
    host: DynamicHost, quick: TimedHost, cloud: Simulator, existing: Stored, other: Properties
) -> None:
    """A destroy checks nothing, and another resource's check means nothing."""
    stored = _begun(quick, other)
    assert host.check({**other, "__adopt": "gp-other:ms-1"}, urn="another").failures == []
    host.delete(stored)
    assert existing.id.split(":")[1] not in {service.id for service in cloud.services}


def test_a_service_of_0_1_0_that_is_pending_for_a_while_stays_taken_over(
    host: DynamicHost, quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """It was compared by 0.1.0; a refresh in a moment of maintenance changes nothing of that."""
    stored = quick.create({**inputs, "__adopt": host.create(inputs).id})
    former = Stored(stored.id, {**stored.outs, "__written": 1.0})
    cloud.change_service(stored.outs["model_service_id"], status="updating")
    pending = quick.refresh(former)
    cloud.change_service(stored.outs["model_service_id"], status="active")
    settled = quick.refresh(pending)
    changed = {**inputs, "description": "new"}
    for state in (pending, settled):
        assert quick.diff(state, changed).replaces == ["description"]


def test_a_take_over_that_0_1_0_left_unfinished_is_compared_too(
    quick: TimedHost, cloud: Simulator, existing: Stored, other: Properties
) -> None:
    """It is told from a finished one by its status, and a refresh does not forget it."""
    stored = _begun(quick, other)
    outs = {name: value for name, value in stored.outs.items() if name != "__tokens"}
    former = Stored(stored.id, {**outs, "__written": 1.0, "__urn": urn_of(other)})
    assert quick.diff(former, other) == _UPDATE
    cloud.change_service(existing.outs["model_service_id"], status="active")
    refreshed = quick.refresh(former)
    for state in (former, refreshed):
        assert quick.diff(state, other) == _UPDATE
        with pytest.raises(HostError, match="the declaration differs"):
            quick.update(state, other)
    assert cloud.mutations == []
