"""Provisioning over (fake) time, and the levers on it."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Refuse, Sdk, Start


def test_a_service_becomes_active_in_time(
    start: Start, connect: type[Sdk], clock: FakeClock
) -> None:
    """It is 'deployming' until exactly provision_seconds have passed."""
    sdk = connect(start(provision_seconds=10.0))
    service_id = sdk.create("ai-1")

    clock.advance(9.9)
    assert sdk.describe(service_id)["Status"] == "deployming"
    clock.advance(0.2)
    assert sdk.describe(service_id)["Status"] == "active"


def test_no_provisioning_time_is_active_at_once(start: Start, connect: type[Sdk]) -> None:
    """With provision_seconds=0 the first read shows an active service."""
    sdk = connect(start(provision_seconds=0.0))
    assert sdk.describe(sdk.create("ai-1"))["Status"] == "active"


def test_held_deployments_wait_for_their_release(
    simulator: Simulator, sdk: Sdk, clock: FakeClock
) -> None:
    """While held nothing becomes active; once released, what is due does at once."""
    simulator.hold_deployments()
    service_id = sdk.create("ai-1")
    clock.advance(3600 / 6)
    assert sdk.describe(service_id)["Status"] == "deployming"

    simulator.release_deployments()
    assert sdk.describe(service_id)["Status"] == "active"


def test_an_announced_failure_strikes_one_deployment(
    simulator: Simulator, sdk: Sdk, clock: FakeClock
) -> None:
    """fail_next_deployment ends the next service, and only it, in the failed status."""
    simulator.fail_next_deployment()
    simulator.fail_next_deployment("DeployError")
    ids = [sdk.create(f"ai-{n}") for n in (1, 2, 3)]
    assert sdk.describe(ids[0])["Status"] == "deployming"
    clock.advance(60)

    words = [sdk.describe(service_id)["Status"] for service_id in ids]
    assert words == ["deploy_failed", "DeployError", "active"]
    assert "ApiKey" not in sdk.describe(ids[0])


def test_a_failed_service_stays_failed_and_keeps_its_node(
    simulator: Simulator, sdk: Sdk, clock: FakeClock
) -> None:
    """fail_service is terminal; the node is bound until the service is deleted."""
    service_id = sdk.create("ai-1")
    simulator.fail_service(service_id, "broken")
    clock.advance(60)

    assert sdk.describe(service_id)["Status"] == "broken"
    assert sdk.bound_nodes() == ["ai-1"]
    sdk.delete(service_id)
    assert sdk.bound_nodes() == []


def test_services_can_be_changed_behind_the_back(
    simulator: Simulator, sdk: Sdk, clock: FakeClock
) -> None:
    """A drift shows in the next describe."""
    service_id = sdk.create("ai-1")
    clock.advance(1.0)
    changed = simulator.change_service(
        service_id,
        model_name="Qwen3-Reranker-8B",
        ai_nodes=["ai-2"],
        description="other",
        security_ip_list="0.0.0.0/0",
        model_params={"b": 2},
        replicas=3,
        private_connect_url="http://elsewhere",
        api_key="sk-other",
    )

    shown = sdk.describe(service_id)
    assert shown["ModelName"] == "Qwen3-Reranker-8B"
    assert shown["AiNodes"] == ["ai-2"]
    assert shown["Description"] == "other"
    assert shown["SecurityIpList"] == "0.0.0.0/0"
    assert shown["ModelParams"] == {"b": 2}
    assert shown["PrivateConnectUrl"] == "http://elsewhere"
    assert shown["ApiKey"] == "sk-other"
    assert changed.replicas == 3
    assert sdk.bound_nodes() == ["ai-2"]


def test_a_status_set_by_hand_stays(simulator: Simulator, sdk: Sdk, clock: FakeClock) -> None:
    """A status change cancels what was due; 'active' comes with its addresses."""
    service_id = sdk.create("ai-1")
    simulator.change_service(service_id, status="odd")
    clock.advance(60)
    assert sdk.describe(service_id)["Status"] == "odd"

    simulator.change_service(service_id, status="active")
    assert "ApiKey" in sdk.describe(service_id)


def test_an_unknown_field_or_service_is_an_error(simulator: Simulator, sdk: Sdk) -> None:
    """Levers refuse what they do not know."""
    service_id = sdk.create("ai-1")
    with pytest.raises(TypeError, match="colour"):
        simulator.change_service(service_id, colour="red")
    for lever in (simulator.service, simulator.remove_service, simulator.fail_service):
        with pytest.raises(KeyError, match="ms-none"):
            lever("ms-none")


def test_a_service_removed_outside_is_gone(simulator: Simulator, sdk: Sdk, refusal: Refuse) -> None:
    """remove_service leaves no trace in the API and frees the node."""
    service_id = sdk.create("ai-1")
    simulator.remove_service(service_id)

    assert refusal(sdk.describe, service_id).pair == (404, "ModelService.NotFound")
    assert sdk.list()["ModelServices"] == []
    assert sdk.bound_nodes() == []
    assert len(simulator.mutations) == 1


def test_an_instance_can_come_and_go(
    simulator: Simulator, sdk: Sdk, connect: type[Sdk], refusal: Refuse
) -> None:
    """A removed instance takes its services along; an added one has its own nodes."""
    simulator.add_instance("gp-two", ["n-1"])
    other = connect(simulator, instance="gp-two")
    service_id = other.create("n-1")
    sdk.create("ai-1")
    simulator.remove_instance("gp-two")

    refused = refusal(other.describe, service_id)
    assert refused.pair == (404, "InvalidDBInstanceId.NotFound")
    assert [s.instance_id for s in simulator.services] == ["gp-demo"]
