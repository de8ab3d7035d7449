"""How long each operation may take, on a clock that runs ahead instead of sleeping."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import Properties


@pytest.mark.parametrize(
    ("timeouts", "expected"),
    [
        pytest.param(None, "1 h 00 m", id="default"),
        pytest.param({"create": "12m"}, "12 m 00 s", id="own"),
        pytest.param({"update": "12m", "delete": "3m"}, "1 h 00 m", id="of others"),
    ],
)
def test_create_waits_as_long_as_its_timeout_says(
    provider: ModelServiceProvider,
    cloud: Simulator,
    inputs: Properties,
    timeouts: Properties | None,
    expected: str,
) -> None:
    """A create ends after an hour, or after its own timeout."""
    cloud.hold_deployments()

    outs = provider.create({**inputs, "timeouts": timeouts}).outs or {}

    assert (
        f"not active within {expected}, the limit set by custom_timeouts (last status 'deployming')"
    ) == outs["status_reason"]


@pytest.mark.parametrize(
    ("timeouts", "expected"),
    [
        pytest.param(None, "1 h 00 m", id="default"),
        pytest.param({"update": "3m", "create": "40m"}, "3 m 00 s", id="own"),
        pytest.param({"create": "40m"}, "40 m 00 s", id="longer create"),
        pytest.param({"create": "1m"}, "10 m 00 s", id="shorter create"),
    ],
)
def test_update_waits_as_long_as_the_creation_may_take(
    provider: ModelServiceProvider,
    cloud: Simulator,
    inputs: Properties,
    timeouts: Properties | None,
    expected: str,
) -> None:
    """An update that goes on waiting has the create's time, unless it has one of its own."""
    cloud.hold_deployments()
    created = provider.create({**inputs, "wait_for_active": False})

    outs = (
        provider.update(created.id, created.outs or {}, {**inputs, "timeouts": timeouts}).outs or {}
    )

    assert (
        f"not active within {expected}, the limit set by custom_timeouts (last status 'deployming')"
    ) == outs["status_reason"]


def test_update_raises_when_a_pending_service_is_gone(
    provider: ModelServiceProvider, cloud: Simulator, inputs: Properties
) -> None:
    """Waiting for a service that was deleted outside ends with proof, not with the timeout."""
    cloud.hold_deployments()
    created = provider.create({**inputs, "wait_for_active": False})
    cloud.remove_service(cloud.services[-1].id)

    with pytest.raises(OperationError) as refused:
        provider.update(created.id, created.outs or {}, inputs)

    assert (
        f"update failed: model service {created.id} is gone. Run `pulumi refresh`, "
        "then `pulumi up` to create it again."
    ) == str(refused.value)


def test_delete_waits_twenty_minutes_unless_told_otherwise(
    provider: ModelServiceProvider, monkeypatch: pytest.MonkeyPatch, inputs: Properties
) -> None:
    """A deletion that does not end is given up after its timeout."""
    with Simulator(provision_seconds=0, delete_seconds=86400, instance="gp-slow") as slow:
        monkeypatch.setenv("ADBPG_ENDPOINT", slow.endpoint)
        created = provider.create({**inputs, "db_instance_id": "gp-slow"})
        with pytest.raises(OperationError, match="still there after 20 m 00 s"):
            provider.delete(created.id, created.outs or {})
