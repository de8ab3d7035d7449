"""How long each operation may take, as the engine's request says, on a clock that never sleeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_adbpg_model.service.implementation import DEFAULT_TIMEOUTS_S
from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import HostError, Properties, Stored, kept_by

_WHITELIST = {"security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}


def test_defaults_are_as_documented() -> None:
    """An hour for a create, and less for all else; where `custom_timeouts` do not say otherwise."""
    assert {"create": 3600, "update": 600, "delete": 1200, "read": 300} == DEFAULT_TIMEOUTS_S


def _late(stored: Stored, limit: str) -> None:
    assert stored.outs["status_reason"] == (
        f"not active within {limit}, the limit set by custom_timeouts (last status 'deployming')"
    )


@pytest.mark.parametrize(
    ("timeout_s", "limit"),
    [
        pytest.param(0, "1 h 00 m", id="default"),
        pytest.param(720, "12 m 00 s", id="shorter"),
        pytest.param(7500.5, "2 h 05 m", id="longer"),
        pytest.param(0.25, "0 s", id="less than a second"),
    ],
)
def test_create_waits_as_long_as_the_request_says(
    quick: TimedHost,
    clock: MovedClock,
    cloud: Simulator,
    inputs: Properties,
    timeout_s: float,
    limit: str,
) -> None:
    """A create ends after an hour, or after its own timeout."""
    cloud.hold_deployments()
    _late(kept_by(lambda: quick.create(inputs, timeout_s=timeout_s)), limit)
    assert clock.monotonic() == pytest.approx(timeout_s or 3600)


@pytest.mark.parametrize(
    ("timeout_s", "limit"),
    [
        pytest.param(0, "1 h 00 m", id="default"),
        pytest.param(180, "3 m 00 s", id="own"),
        pytest.param(5400, "1 h 30 m", id="own, longer"),
    ],
)
def test_update_that_finishes_a_creation_may_take_as_long_as_one(
    quick: TimedHost, cloud: Simulator, inputs: Properties, timeout_s: float, limit: str
) -> None:
    """Going on to wait has an hour, unless the update's own timeout says otherwise."""
    cloud.hold_deployments()
    created = quick.create({**inputs, "wait_for_active": False})
    _late(kept_by(lambda: quick.update(created, inputs, timeout_s=timeout_s)), limit)


@pytest.mark.parametrize(
    ("timeout_s", "limit"),
    [pytest.param(0, "10 m 00 s", id="default"), pytest.param(90, "1 m 30 s", id="own")],
)
def test_update_of_a_finished_service_has_ten_minutes(
    quick: TimedHost, cloud: Simulator, inputs: Properties, timeout_s: float, limit: str
) -> None:
    """A change that leaves the service deploying again is waited for as an update, not longer."""
    declared = {**inputs, **_WHITELIST}
    created = quick.create(declared)
    cloud.change_service(created.outs["model_service_id"], status="deployming")
    news = {**declared, "security_ip_list": ["10.0.0.2"]}

    stored = kept_by(lambda: quick.update(created, news, timeout_s=timeout_s))

    _late(stored, limit)
    assert stored.outs["security_ip_list"] == ["10.0.0.2"]


Operate = Callable[[TimedHost, Properties, Stored, float], object]


@pytest.mark.parametrize("timeout_s", [0, 45])
@pytest.mark.parametrize(
    ("action", "default_s", "operate"),
    [
        pytest.param(
            "CreateModelService",
            3600,
            lambda host, declared, _, timeout_s: host.create(
                {**declared, "ai_nodes": ["ai-2"]}, timeout_s=timeout_s
            ),
            id="create",
        ),
        pytest.param(
            "ModifySecurityIps",
            600,
            lambda host, declared, stored, timeout_s: host.update(
                stored, {**declared, "security_ip_list": ["10.0.0.2"]}, timeout_s=timeout_s
            ),
            id="update",
        ),
        pytest.param(
            "DeleteModelService",
            1200,
            lambda host, _, stored, timeout_s: host.delete(stored, timeout_s=timeout_s),
            id="delete",
        ),
    ],
)
def test_a_busy_instance_is_waited_for_as_long_as_the_operation_may_take(
    quick: TimedHost,
    clock: MovedClock,
    cloud: Simulator,
    inputs: Properties,
    action: str,
    default_s: float,
    operate: Operate,
    timeout_s: float,
) -> None:
    """Each operation has its own default, and its own timeout in the request."""
    declared = {**inputs, **_WHITELIST}
    stored = quick.create(declared)
    cloud.inject("busy", action, times=None)
    began = clock.monotonic()

    with pytest.raises(HostError, match=r"code=OperationDenied\.DBInstanceStatus"):
        operate(quick, declared, stored, timeout_s)

    assert clock.monotonic() - began == pytest.approx(timeout_s or default_s)


@pytest.mark.parametrize(
    ("timeout_s", "limit"),
    [pytest.param(0, "20 m 00 s", id="default"), pytest.param(330, "5 m 30 s", id="own")],
)
def test_delete_waits_as_long_as_the_request_says(
    quick: TimedHost,
    monkeypatch: pytest.MonkeyPatch,
    inputs: Properties,
    timeout_s: float,
    limit: str,
) -> None:
    """A deletion that does not end is given up after its timeout."""
    with Simulator(provision_seconds=0, delete_seconds=86400, instance="gp-slow") as slow:
        monkeypatch.setenv("ADBPG_ENDPOINT", slow.endpoint)
        created = quick.create({**inputs, "db_instance_id": "gp-slow"})
        with pytest.raises(HostError, match=f"still there after {limit}, the limit set by"):
            quick.delete(created, timeout_s=timeout_s)


def test_read_takes_no_longer_than_the_request_says(
    quick: TimedHost, clock: MovedClock, cloud: Simulator, inputs: Properties
) -> None:
    """A service that never showed is not waited for beyond the time of the read."""
    cloud.inject("forbidden", "DescribeModelService", times=None)
    unseen = kept_by(lambda: quick.create(inputs))
    cloud.clear_faults()
    cloud.inject("not-found-404", "DescribeModelService", times=None)
    began = clock.monotonic()

    with pytest.raises(HostError) as refused:
        quick.refresh(unseen, timeout_s=9)

    assert str(refused.value) == (
        f"{unseen.id} does not show yet, and the operation ran out of time before it was given "
        "30 s to. The state is kept; run the command again later, with a longer limit in "
        "custom_timeouts."
    )
    assert clock.monotonic() - began == pytest.approx(9)
