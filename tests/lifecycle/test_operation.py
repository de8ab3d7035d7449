"""What operations have in common: busy is waited for, and a cancel and the deadline end all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import BusyError, OperationError
from pulumi_adbpg_model.lifecycle import Operation, create, delete, refresh
from pulumi_adbpg_model.lifecycle.update import WhitelistChange, change_whitelist
from tests.lifecycle.fakes import (
    DERIVED,
    INSTANCE,
    SPEC,
    FakeClock,
    FakeCloud,
    Voice,
    busy,
    operation,
)

_OLD = ModelServiceId(INSTANCE, "ms-old")
_MINE = WhitelistChange("mine", ("10.0.0.1",))
_CHANGES: dict[str, tuple[Callable[[Operation], object], str]] = {
    "create": (
        lambda one: create(one, SPEC, DERIVED, wait_for_active=True),
        "CreateModelService in instance gp-demo",
    ),
    "delete": (lambda one: delete(one, _OLD), "DeleteModelService gp-demo:ms-old"),
    "modify": (lambda one: change_whitelist(one, _OLD, _MINE), "ModifySecurityIps for gp-demo:ms"),
}


@pytest.fixture
def cloud(clock: FakeClock) -> FakeCloud:
    """One with a service to delete and to change, and a free node for another."""
    cloud = FakeCloud(clock)
    cloud.reach["mine"] = cloud.add("ms-old", "ai-2")
    return cloud


@pytest.mark.parametrize("action", _CHANGES)
def test_a_change_is_repeated_while_the_instance_is_busy(
    cloud: FakeCloud, voice: Voice, action: str
) -> None:
    """Busy is waited for, and shown."""
    cloud.fail(action, busy(), busy("IncorrectDBInstanceState"))

    _CHANGES[action][0](operation(cloud, voice))

    assert cloud.times(action) == [0.0, 2.0, 4.0]
    assert voice.progressed[:2] == [
        "waiting for the instance: not now (0 s so far)",
        "waiting for the instance: not now (2 s so far)",
    ]


@pytest.mark.parametrize("action", _CHANGES)
def test_a_change_of_a_busy_instance_is_tried_until_the_deadline_exactly(
    cloud: FakeCloud, voice: Voice, action: str
) -> None:
    """The last attempt is at the deadline; then the cloud's own error is raised."""
    error = busy()
    cloud.fail_always(action, error)
    one = operation(cloud, voice, 63.0)

    with pytest.raises(BusyError) as caught:
        _CHANGES[action][0](one)

    assert str(caught.value) == str(error)
    assert error in (caught.value, caught.value.__cause__)
    assert cloud.times(action)[-1] == 63.0
    assert (list(cloud.services), one.memory.deleted) == ([_OLD], set())


@pytest.mark.parametrize("action", _CHANGES)
def test_a_change_of_a_busy_instance_ends_at_a_cancel(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, action: str
) -> None:
    """A cancel while waiting for the instance sends nothing more."""
    cloud.fail(action, busy(), busy())
    clock.at(3.0, clock.cancel)

    with pytest.raises(BusyError):
        _CHANGES[action][0](operation(cloud, voice))

    assert clock.now == 3.0
    assert cloud.times(action) == [0.0, 2.0]
    assert list(cloud.services) == [_OLD]


@pytest.mark.parametrize("action", _CHANGES)
def test_a_change_that_starts_after_the_cancel_is_not_sent(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, action: str
) -> None:
    """It may have waited for a free worker of the host while its engine died."""
    command, named = _CHANGES[action]
    clock.cancel()

    with pytest.raises(OperationError) as caught:
        command(operation(cloud, voice))

    assert str(caught.value).startswith(named)
    assert str(caught.value).endswith(
        " was not sent: the operation was cancelled. Run the command again."
    )
    assert cloud.calls == []


@pytest.mark.parametrize(
    ("command", "calls"),
    [
        (
            _CHANGES["create"][0],
            [("list", 5.0), ("create", 19.0), ("list", 5.0), ("create", 15.0), ("describe", 14.0)],
        ),
        (
            _CHANGES["delete"][0],
            [("delete", 20.0), ("delete", 17.0), *[("describe", 16.0), ("list", 15.0)]],
        ),
        (_CHANGES["modify"][0], [("modify", 20.0), ("modify", 17.0), ("describe", 16.0)]),
        (
            lambda one: refresh(one, ModelServiceId(INSTANCE, "ms-gone")),
            [("describe", 20.0), ("list", 19.0), ("describe", 16.0), ("list", 15.0)],
        ),
    ],
)
def test_no_call_may_retry_beyond_the_deadline(
    cloud: FakeCloud,
    voice: Voice,
    command: Callable[[Operation], object],
    calls: list[tuple[str, float]],
) -> None:
    """Each gets what is left, and the look around before a create 5 s of it at most."""
    cloud.call_s = 1.0
    for action in _CHANGES:
        cloud.fail(action, busy())

    command(operation(cloud, voice, 20.0))

    assert [(call.action, call.remaining_s) for call in cloud.calls][: len(calls)] == calls
