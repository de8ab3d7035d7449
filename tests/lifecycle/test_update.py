"""`update`: first the creation is finished, then the whitelist is changed, and never before."""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.lifecycle import Updated, WhitelistChange, update
from tests.lifecycle.fakes import SPEC, FakeClock, FakeCloud, Voice, operation

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
