"""`change_whitelist`: sets the named group, then sees that it reached the service."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.errors import AdbpgModelError, OperationError
from pulumi_adbpg_model.lifecycle.update import WhitelistChange, change_whitelist
from tests.lifecycle.fakes import (
    FakeClock,
    FakeCloud,
    Voice,
    fault,
    operation,
    outage,
    quota,
)

_NEW = ("10.0.0.1", "10.1.2.3/16")
_MINE = WhitelistChange("mine", _NEW)
_THEIRS = WhitelistChange("theirs", _NEW)


def test_change_sets_the_group_and_compares(cloud: FakeCloud, voice: Voice) -> None:
    """The named group is set once, and the service is read to see it."""
    service = cloud.add()
    cloud.reach["mine"] = service

    details = change_whitelist(operation(cloud, voice), service, _MINE)

    assert details.security_ip_list == _NEW
    assert cloud.abouts("modify") == ["gp-demo mine 10.0.0.1,10.1.2.3/16"]
    assert [call.action for call in cloud.calls] == ["modify", "describe"]


def test_change_accepts_a_canonical_spelling(cloud: FakeCloud, voice: Voice) -> None:
    """A cloud that reorders and clears host bits shows the list that was asked for."""
    service = cloud.add()
    cloud.set_whitelist(service, ["10.1.0.0/16", "10.0.0.1/32"])

    change_whitelist(operation(cloud, voice), service, _MINE)

    assert cloud.clock.now == 0.0


@pytest.mark.parametrize("after_s", [1.0, 29.0])
def test_change_waits_until_the_list_shows(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, after_s: float
) -> None:
    """A list may take up to 30 s to show; the group is not set again meanwhile."""
    service = cloud.add()
    clock.at(after_s, lambda: cloud.set_whitelist(service, _NEW))

    change_whitelist(operation(cloud, voice), service, _MINE)

    assert after_s <= clock.now <= after_s + 2.0
    assert len(cloud.times("modify")) == 1


@pytest.mark.parametrize("live", [("127.0.0.1",), (*_NEW, "8.8.8.8"), ("10.0.0.1",), ()])
def test_change_raises_when_the_list_never_shows(
    cloud: FakeCloud, voice: Voice, live: tuple[str, ...]
) -> None:
    """A group that governs something else is an error naming both lists."""
    service = cloud.add()
    cloud.set_whitelist(service, live)

    with pytest.raises(OperationError) as caught:
        change_whitelist(operation(cloud, voice), service, _THEIRS)

    assert (
        "change of security_ip_list failed: whitelist group 'theirs' of instance gp-demo was set "
        f"to ['10.0.0.1', '10.1.2.3/16'], but gp-demo:ms-old still admits {list(live)}. The group "
        "is probably not this service's: correct security_ip_group, or leave it out to have a "
        "change replace the service." == str(caught.value)
    )
    assert 30.0 <= cloud.clock.now <= 32.0


@pytest.mark.parametrize(
    ("limit_s", "cancel_s", "ends_s", "ending"),
    [
        (0.0, None, 0.0, "ran out of time"),
        (7.0, None, 7.0, "ran out of time"),
        (600.0, 1.0, 1.0, "was cancelled"),
    ],
)
def test_change_ends_at_the_deadline_and_at_a_cancel(
    cloud: FakeCloud,
    clock: FakeClock,
    voice: Voice,
    limit_s: float,
    cancel_s: float | None,
    ends_s: float,
    ending: str,
) -> None:
    """Either ends the comparing too, and the group is not blamed for it."""
    service = cloud.add()
    if cancel_s is not None:
        clock.at(cancel_s, clock.cancel)

    with pytest.raises(OperationError) as caught:
        change_whitelist(operation(cloud, voice, limit_s), service, _THEIRS)

    assert str(caught.value) == (
        "change of security_ip_list failed: whitelist group 'theirs' of instance gp-demo was set "
        "to ['10.0.0.1', '10.1.2.3/16'], but gp-demo:ms-old still admits ['127.0.0.1']. The "
        f"operation {ending} before it showed: run `pulumi up` again."
    )
    assert ends_s == clock.now


@pytest.mark.parametrize("error", [outage(), fault(), quota()])
@pytest.mark.parametrize("action", ["modify", "describe"])
def test_change_raises_what_it_cannot_get_past(
    cloud: FakeCloud, voice: Voice, action: str, error: AdbpgModelError
) -> None:
    """Any other failure of either call is raised as it is."""
    service = cloud.add()
    cloud.fail_always(action, error)

    with pytest.raises(type(error)) as caught:
        change_whitelist(operation(cloud, voice), service, _MINE)

    assert error is caught.value


def test_change_raises_when_the_service_is_gone(cloud: FakeCloud, voice: Voice) -> None:
    """A service proved gone has no whitelist to change."""
    service = cloud.add()
    cloud.remove(service)

    with pytest.raises(OperationError) as caught:
        change_whitelist(operation(cloud, voice), service, _MINE)

    assert (
        str(caught.value)
        == "change of security_ip_list failed: model service gp-demo:ms-old is gone. Run `pulumi "
        "refresh`, then `pulumi up` to create it again."
    )
