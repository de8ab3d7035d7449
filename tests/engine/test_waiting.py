"""Services that fail, take long or are not waited for: no id is lost, nothing is made twice."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, mutations, program
from tests.engine.support.running import background, eventually
from tests.engine.support.stack import Failed, Stack, is_secret, not_active

_IN_A_HURRY = ResourceOptions(custom_timeouts=CustomTimeouts(create="1s"))


def _exporting() -> None:
    service = declare(wait_for_active=False)
    pulumi.export("status", service.status)
    pulumi.export("url", service.private_connect_url)
    pulumi.export("key", service.api_key)


def test_up_fails_in_one_line_when_the_deployment_fails(stack: Stack, simulator: Simulator) -> None:
    """A failed service fails the program, is kept in the state, and replaced by the next up."""
    simulator.fail_next_deployment("deploy_failed")
    with pytest.raises(Failed) as failed:
        stack.up(program())
    (first,) = simulator.services
    state = stack.resource()
    assert state["id"] == f"gp-demo:{first.id}"
    assert state["outputs"]["status"] == "deploy_failed"
    why = "the deployment failed, status 'deploy_failed'"
    assert state["outputs"]["status_reason"] == why
    assert failed.value.reasons == {not_active(state, why, replaced=True)}
    assert "Traceback" not in failed.value.output
    assert "api_key" not in state["outputs"]

    simulator.clear_requests()
    assert stack.up().changes == {"same": 1, "replace": 1}
    assert mutations(simulator)[0] == "DeleteModelService"
    (second,) = simulator.services
    assert (second.status, second.id != first.id) == ("active", True)
    state = stack.resource()
    assert (state["id"], state["outputs"]["status"]) == (f"gp-demo:{second.id}", "active")


def test_up_resumes_the_same_service_when_it_was_not_active_in_time(
    stack: Stack, simulator: Simulator
) -> None:
    """A late service fails the program and is kept; the next up goes on waiting for that one."""
    simulator.hold_deployments()
    with pytest.raises(Failed) as failed:
        stack.up(program(_IN_A_HURRY))
    (service,) = simulator.services
    state = stack.resource()
    assert state["id"] == f"gp-demo:{service.id}"
    assert state["outputs"]["status"] == "deployming"
    why = "not active within 1 s, the limit set by custom_timeouts (last status 'deployming')"
    assert state["outputs"]["status_reason"] == why
    assert failed.value.reasons == {not_active(state, why)}
    assert "Traceback" not in failed.value.output

    simulator.release_deployments()
    assert stack.up().changes == {"same": 1, "update": 1}
    assert mutations(simulator) == ["CreateModelService"]
    assert [one.id for one in simulator.services] == [service.id]
    state = stack.resource()
    assert state["id"] == f"gp-demo:{service.id}"
    assert state["outputs"]["status"] == "active"
    assert "status_reason" not in state["outputs"]
    assert is_secret(state["outputs"]["api_key"])


def test_up_finds_the_service_failed_when_it_resumes(stack: Stack, simulator: Simulator) -> None:
    """A late service that fails meanwhile fails the next up too, and makes no other."""
    simulator.hold_deployments()
    with pytest.raises(Failed, match="not active within 1 s"):
        stack.up(program(_IN_A_HURRY))
    (first,) = simulator.services
    simulator.fail_service(first.id, "create_error")
    with pytest.raises(Failed) as failed:
        stack.up()
    state = stack.resource()
    assert failed.value.reasons == {
        not_active(state, "the deployment failed, status 'create_error'", replaced=True)
    }
    assert mutations(simulator) == ["CreateModelService"]
    assert (state["id"], state["outputs"]["status"]) == (f"gp-demo:{first.id}", "create_error")


def test_destroy_deletes_a_service_that_is_still_deploying(
    stack: Stack, simulator: Simulator
) -> None:
    """What was not active in time can be destroyed without becoming active first."""
    simulator.hold_deployments()
    with pytest.raises(Failed, match="not active within 1 s"):
        stack.up(program(_IN_A_HURRY))
    assert [one.status for one in simulator.services] == ["deployming"]
    assert stack.destroy().changes == {"delete": 2}
    assert mutations(simulator) == ["CreateModelService", "DeleteModelService"]
    assert simulator.services == []
    assert stack.resources() == []


def test_up_ends_at_once_when_it_is_told_not_to_wait(stack: Stack, simulator: Simulator) -> None:
    """With wait_for_active=False up is done while the service deploys; refresh shows the rest."""
    simulator.hold_deployments()
    assert stack.up(_exporting).outputs == {"status": "deployming"}  # the engine drops None
    (service,) = simulator.services
    assert stack.up().changes == {"same": 2}

    simulator.release_deployments()
    stack.refresh()
    assert mutations(simulator) == ["CreateModelService"]
    outputs = stack.resource()["outputs"]
    assert outputs["status"] == "active"
    assert outputs["private_connect_url"] == f"http://{service.id}.gp-demo.rds.aliyuncs.com"
    assert is_secret(outputs["api_key"])
    assert stack.up().outputs == {
        "status": "active",
        "url": f"http://{service.id}.gp-demo.rds.aliyuncs.com",
        "key": simulator.service(service.id).api_key,
    }


def test_up_creates_all_services_at_once(tmp_path: Path) -> None:
    """Twelve services are submitted before the first is active, and none gets another's outputs."""
    nodes = [f"node-{number}" for number in range(12)]

    def run() -> None:
        for node in nodes:
            service = declare(node, ai_nodes=[node])
            pulumi.export(node, [service.id, service.private_connect_url, service.api_key])

    with Simulator(nodes=nodes, provision_seconds=0) as simulator:
        stack = Stack(tmp_path, simulator)
        simulator.hold_deployments()
        with background(lambda: stack.up(run, parallel=32)) as up:
            try:
                eventually(lambda: len(simulator.services) == 12, up)
                assert {one.status for one in simulator.services} == {"deployming"}
            finally:
                simulator.release_deployments()
            outputs = up.result().outputs
        assert mutations(simulator) == ["CreateModelService"] * 12
        assert outputs == {
            one.ai_nodes[0]: [f"gp-demo:{one.id}", one.private_connect_url, one.api_key]
            for one in simulator.services
        }
        assert len(outputs) == 12
