"""Services that are not waited for, or all at once."""

from __future__ import annotations

from pathlib import Path

import pulumi

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, mutations
from tests.engine.support.running import background, eventually
from tests.engine.support.stack import Stack, is_secret


def _exporting() -> None:
    service = declare(wait_for_active=False)
    pulumi.export("status", service.status)
    pulumi.export("url", service.private_connect_url)
    pulumi.export("key", service.api_key)


def test_up_ends_at_once_when_it_is_told_not_to_wait(stack: Stack, simulator: Simulator) -> None:
    """With wait_for_active=False up is done while it deploys; `--refresh` shows the rest."""
    simulator.hold_deployments()
    assert stack.up(_exporting).outputs == {"status": "deployming"}  # the engine drops None
    (service,) = simulator.services
    assert stack.up().changes == {"same": 2}

    simulator.release_deployments()
    done = stack.up(refresh=True)
    assert mutations(simulator) == ["CreateModelService"]
    outputs = stack.resource()["outputs"]
    assert outputs["status"] == "active"
    assert outputs["private_connect_url"] == f"http://{service.id}.gp-demo.rds.aliyuncs.com"
    assert is_secret(outputs["api_key"])
    assert done.outputs == {
        "status": "active",
        "url": f"http://{service.id}.gp-demo.rds.aliyuncs.com",
        "key": simulator.service(service.id).api_key,
    }


def test_up_creates_all_services_at_once(tmp_path: Path) -> None:
    """
    Twelve are submitted before the first is active, and none gets another's outputs.

    The SDK's host by itself would serve four.
    """
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
