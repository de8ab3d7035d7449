"""Dialects of DeleteModelService and of what it leaves behind."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Refuse, Sdk
from tests.simulator.dialects.registry import dialect

BUSY = (400, "OperationDenied.DBInstanceStatus")
NOT_FOUND = (404, "ModelService.NotFound")


@dialect("slow-delete")
def test_slow_delete(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """Deleting takes two seconds."""
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)
    clock.advance(1.9)
    assert sdk.describe(service_id)["Status"] == "deleting"
    clock.advance(0.2)
    assert refusal(sdk.describe, service_id).status == 404


@dialect("delete-refused-while-deploying")
def test_delete_refused_while_deploying(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """A pending service cannot be deleted; an active one can."""
    service_id = sdk.create("ai-1")
    assert refusal(sdk.delete, service_id).pair == BUSY
    clock.advance(1.0)
    sdk.delete(service_id)


@dialect("delete-of-gone-succeeds")
def test_delete_of_gone_succeeds(
    simulator: Simulator, sdk: Sdk, connect: type[Sdk], refusal: Refuse
) -> None:
    """Deleting what is not there succeeds, unless it is the instance that is not there."""
    service_id = sdk.create("ai-1")
    sdk.delete("ms-1")
    assert [service.id for service in simulator.services] == [service_id]
    sdk.delete(service_id)
    sdk.delete(service_id)
    assert refusal(connect(simulator, "gp-other").delete, "ms-1").status == 404


@dialect("delete-again-refused", delete_seconds=5.0)
def test_delete_again_refused(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """The second delete is refused, and the first one goes on."""
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)
    clock.advance(4.0)
    assert refusal(sdk.delete, service_id).pair == BUSY
    clock.advance(1.0)
    assert refusal(sdk.delete, service_id).pair == NOT_FOUND


@pytest.mark.parametrize(("age", "status"), [(0.5, "deployming"), (1.0, "active")])
@dialect("delete-seen-late", delete_seconds=5.0, provision_seconds=1.0)
def test_delete_seen_late(
    sdk: Sdk, clock: FakeClock, refusal: Refuse, age: float, status: str
) -> None:
    """For a second nothing shows that a delete was accepted; then it takes its time."""
    service_id = sdk.create("ai-1")
    clock.advance(age)
    sdk.delete(service_id)
    clock.advance(0.9)
    assert sdk.describe(service_id)["Status"] == status
    assert sdk.list()["ModelServices"][0]["Status"] == status
    sdk.delete(service_id)  # accepted again, and changes nothing
    clock.advance(0.1)
    assert sdk.describe(service_id)["Status"] == "deleting"
    assert sdk.list()["ModelServices"][0]["Status"] == "deleting"
    clock.advance(4.9)
    assert sdk.describe(service_id)["Status"] == "deleting"
    clock.advance(0.1)
    assert refusal(sdk.describe, service_id).pair == NOT_FOUND


@dialect("delete-seen-late", "status-unknown-words", "delete-again-refused")
def test_a_delete_seen_late_is_known_to_the_cloud(
    sdk: Sdk, clock: FakeClock, refusal: Refuse
) -> None:
    """Only reads lag: a second delete finds the first, and the word before is kept."""
    service_id = sdk.create("ai-1")
    clock.advance(0.6)
    sdk.delete(service_id)
    assert sdk.describe(service_id)["Status"] == "PREPARING"
    assert refusal(sdk.delete, service_id).pair == BUSY


@dialect("delete-seen-late", delete_seconds=5.0)
def test_a_status_set_by_a_test_is_seen_at_once(simulator: Simulator, sdk: Sdk) -> None:
    """Only a delete through the API is seen late."""
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)
    simulator.change_service(service_id, status="deleting")
    assert sdk.describe(service_id)["Status"] == "deleting"


@dialect("busy-after-delete", delete_seconds=5.0)
def test_busy_after_delete(
    simulator: Simulator, sdk: Sdk, connect: type[Sdk], clock: FakeClock, refusal: Refuse
) -> None:
    """From when a service is gone, two seconds long no create in its instance succeeds."""
    simulator.add_instance("gp-other", ["ai-1"])
    sdk.delete(sdk.create("ai-1", client_token="t"))
    clock.advance(4.9)
    sdk.create("ai-2")
    clock.advance(0.1)
    assert refusal(sdk.create, "ai-3").pair == BUSY
    assert refusal(sdk.create, "ai-1", client_token="t").pair == BUSY
    assert sdk.bound_nodes() == ["ai-2"]
    connect(simulator, "gp-other").create("ai-1")
    clock.advance(1.9)
    assert refusal(sdk.create, "ai-1").pair == BUSY
    clock.advance(0.1)
    sdk.create("ai-1")


@dialect("busy-after-delete", delete_seconds=5.0)
def test_an_instance_is_busy_from_the_deletion_not_from_the_look(
    sdk: Sdk, clock: FakeClock
) -> None:
    """A deletion that ended unseen counts from its own moment."""
    sdk.delete(sdk.create("ai-1"))
    clock.advance(7.0)
    sdk.create("ai-1")


@dialect("nodes-bound-after-delete")
def test_nodes_bound_after_delete(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """The node of a service that is gone is bound for two seconds to nothing that is listed."""
    service_id = sdk.create("ai-1", "ai-2")
    sdk.delete(service_id)
    clock.advance(1.9)
    assert refusal(sdk.describe, service_id).pair == NOT_FOUND
    assert sdk.list()["TotalRecordCount"] == 0
    assert sdk.bound_nodes() == ["ai-1", "ai-2"]
    assert refusal(sdk.create, "ai-2").pair == (400, "OperationDenied.AINodeBound")
    sdk.create("ai-3")
    clock.advance(0.1)
    assert sdk.bound_nodes() == ["ai-3"]
    sdk.create("ai-2")
