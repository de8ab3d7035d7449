"""`update`: first the creation is finished, then the whitelist is changed, and never before."""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.lifecycle import Updated, WhitelistChange, resume, update
from tests.lifecycle.fakes import SPEC, FakeClock, FakeCloud, Voice, operation, outage

_NEW = ("10.0.0.1",)
_CHANGE = WhitelistChange("mine", _NEW)
_SPEC = dataclasses.replace(SPEC, security_ip_list=_NEW)


def _update(
    cloud: FakeCloud,
    voice: Voice,
    service: ModelServiceId,
    *,
    waits: bool = True,
    whitelist: WhitelistChange | None = _CHANGE,
    spec: ModelServiceSpec = _SPEC,
    limit_s: float = 600.0,
    seen: bool = True,
    wait_for_active: bool = True,
) -> Updated:
    last = ModelServiceDetails(service, status="deploying") if seen else None
    return update(
        operation(cloud, voice, limit_s),
        service,
        spec,
        unfinished=waits,
        wait_for_active=wait_for_active,
        last=last,
        whitelist=whitelist,
    )


def test_update_changes_the_whitelist_after_the_service_is_active(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The group is set only once the creation is through; the result shows the new list."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying", "deploying", "active"]
    cloud.reach["mine"] = service

    updated = _update(cloud, voice, service)

    assert [call.action for call in cloud.calls] == [
        "describe",
        "describe",
        "describe",
        "modify",
        "describe",
    ]
    assert updated.details is not None
    assert (updated.details.status, updated.details.security_ip_list) == ("active", _NEW)
    assert (updated.reason, updated.whitelist_changed) == (None, True)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("deploy_failed", "the deployment failed, status 'deploy_failed'"),
        (
            "deploying",
            ("not active within 10 s, the limit set by custom_timeouts (last status 'deploying')"),
        ),
    ],
)
def test_update_leaves_the_whitelist_when_the_service_is_not_active(
    cloud: FakeCloud, voice: Voice, status: str, reason: str
) -> None:
    """A change that was not made is told as not made, with why the service is not active."""
    service = cloud.add(status=status)
    cloud.reach["mine"] = service

    updated = _update(cloud, voice, service, limit_s=10.0)

    assert updated.details is not None
    assert (updated.details.status, updated.details.security_ip_list) == (status, ("127.0.0.1",))
    assert (updated.reason, updated.whitelist_changed) == (reason, False)
    assert cloud.times("modify") == []


def test_update_leaves_the_whitelist_after_a_cancel_of_the_wait(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cancel before the service is active sends no change."""
    service = cloud.add(status="deploying")
    clock.at(3.0, clock.cancel)

    updated = _update(cloud, voice, service)

    assert updated.reason == "the operation was cancelled (last status 'deploying')"
    assert not updated.whitelist_changed
    assert cloud.times("modify") == []


def test_update_raises_when_the_unfinished_service_is_gone(cloud: FakeCloud, voice: Voice) -> None:
    """There is nothing to finish or to change then."""
    service = cloud.add()
    cloud.remove(service)

    with pytest.raises(OperationError, match=r"^update failed: model service gp-demo:ms-old is go"):
        _update(cloud, voice, service)

    assert cloud.times("modify") == []


def test_update_changes_the_whitelist_at_once_when_nothing_is_to_be_waited_for(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A service that need not be active gets its list, and its real status comes back."""
    service = cloud.add(status="deploying")
    cloud.reach["mine"] = service

    updated = _update(cloud, voice, service, waits=False, wait_for_active=False)

    assert [call.action for call in cloud.calls] == ["modify", "describe"]
    assert updated.reason == "it is not active yet, status 'deploying'"
    assert updated.whitelist_changed


def test_update_without_a_change_of_the_whitelist_only_waits(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Resuming alone makes no other call than describes."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying", "active"]

    updated = _update(cloud, voice, service, whitelist=None, spec=SPEC)

    assert [call.action for call in cloud.calls] == ["describe", "describe"]
    assert (updated.reason, updated.whitelist_changed) == (None, False)


def test_update_of_recorded_settings_reads_the_service_once(cloud: FakeCloud, voice: Voice) -> None:
    """With nothing to wait for or to change, one describe gives the live details."""
    service = cloud.add(description="live")

    updated = _update(cloud, voice, service, waits=False, whitelist=None)

    assert [call.action for call in cloud.calls] == ["describe"]
    assert updated.details is not None
    assert (updated.details.description, updated.whitelist_changed) == ("live", False)


def test_update_compares_the_service_after_its_whitelist_was_changed(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The list that is being replaced is no warning; another difference is one, once."""
    service = cloud.add(security_ip_list=("0.0.0.0/0",), description="theirs")
    cloud.services[service].statuses = ["deploying", "active"]
    cloud.reach["mine"] = service

    _update(cloud, voice, service, spec=dataclasses.replace(_SPEC, description="mine"))

    assert voice.warnings == [
        ("gp-demo:ms-old is not as asked: description is not as the service has it")
    ]


def test_update_that_only_waits_warns_of_an_open_whitelist(cloud: FakeCloud, voice: Voice) -> None:
    """A resumed creation is compared as an uninterrupted one is."""
    service = cloud.add(security_ip_list=("0.0.0.0/0",))

    _update(cloud, voice, service, whitelist=None, spec=SPEC)

    assert voice.warnings == [
        (
            "gp-demo:ms-old admits 0.0.0.0/0, though security_ip_list is not set: declare it to be "
            "sure of who may call the service"
        )
    ]


def test_update_waits_again_when_the_change_makes_the_service_pending(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A service that is `modifying` after the change is waited for, so its address is not lost."""
    service = cloud.add()
    cloud.services[service].statuses = ["modifying", "modifying", "active"]
    cloud.reach["mine"] = service

    updated = _update(cloud, voice, service, waits=False)

    assert updated.details is not None
    assert (updated.details.status, updated.details.security_ip_list) == ("active", _NEW)
    assert (updated.reason, updated.whitelist_changed) == (None, True)


def test_update_does_not_wait_again_when_it_is_told_not_to(cloud: FakeCloud, voice: Voice) -> None:
    """With wait_for_active=False the status is told as it is."""
    service = cloud.add(status="modifying")
    cloud.reach["mine"] = service

    updated = _update(cloud, voice, service, waits=False, wait_for_active=False)

    assert updated.reason == "it is not active yet, status 'modifying'"
    assert cloud.clock.now == 0.0


def test_update_gives_a_service_that_was_never_seen_time_to_show(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A recorded setting does not turn a slow start into a service that is gone."""
    service = cloud.add()
    cloud.services[service].shows_at_s = 10.0

    updated = _update(cloud, voice, service, waits=False, whitelist=None, seen=False)

    assert updated.details is not None
    assert updated.details.status == "active"


def test_update_says_that_a_pending_service_may_not_show_its_list(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The group is not blamed for what a service under deployment does not show yet."""
    service = cloud.add(status="deploying")

    with pytest.raises(OperationError, match="It is not active yet, and may not show its list"):
        _update(cloud, voice, service, waits=False, wait_for_active=False)


@pytest.mark.parametrize("cancelled_at_s", [0.0, 0.5])
def test_a_whitelist_change_is_not_sent_after_the_cancel(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, cancelled_at_s: float
) -> None:
    """Also not when the poll that was under way finds the service active."""
    service = cloud.add()
    cloud.reach["mine"] = service
    cloud.call_s = 1.0
    clock.at(cancelled_at_s, clock.cancel)
    clock.advance(0.0)

    with pytest.raises(OperationError) as caught:
        update(
            operation(cloud, voice),
            service,
            _SPEC,
            unfinished=cancelled_at_s > 0,
            wait_for_active=True,
            last=ModelServiceDetails(service, status="deploying"),
            whitelist=_CHANGE,
        )

    assert str(caught.value) == (
        "ModifySecurityIps for gp-demo:ms-old was not sent: the operation was cancelled. Run "
        "the command again."
    )
    assert cloud.times("modify") == []


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


def test_update_keeps_what_was_known_when_the_cloud_is_out_of_reach(
    cloud: FakeCloud, voice: Voice
) -> None:
    """An outage while a creation is finished loses nothing of what an earlier run saw."""
    service = cloud.add()
    cloud.fail_always("describe", outage())

    updated = _update(cloud, voice, service, whitelist=None, limit_s=3600.0)

    assert updated.details == ModelServiceDetails(service, status="deploying")
    assert updated.reason is not None
    assert updated.reason.endswith("(last status 'deploying')")
    assert 120.0 <= cloud.clock.now < 180.0


def test_resume_leaves_the_comparison_to_the_caller_without_a_spec(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Nothing is judged that is about to be changed."""
    service = cloud.add("ms-1", security_ip_list=("0.0.0.0/0",))

    resume(operation(cloud, voice), service, None, None)

    assert voice.warnings == []
