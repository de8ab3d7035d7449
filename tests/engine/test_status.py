"""What the state keeps, replaces or waits for when the cloud's word for a service changes."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pulumi
import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.owning import declaring, owned, refused, svc
from tests.engine.support.programs import Echo, declare, delete, mutations
from tests.engine.support.running import background, eventually, stop_cli
from tests.engine.support.stack import Stack, is_secret

_in_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="finds the CLI's process in /proc"
)


def test_a_service_that_failed_and_is_active_by_now_is_kept(
    stack: Stack, simulator: Simulator
) -> None:
    """Up looks before it replaces: same id, with key and address. What failed still is replaced."""
    simulator.fail_next_deployment()
    refused(stack, svc("alpha", 1), "alpha")
    (service,) = simulator.services
    owners = owned(stack, simulator)
    simulator.change_service(service.id, status="active")
    simulator.clear_requests()

    assert stack.preview().changes == {"same": 1, "update": 1}
    assert stack.up().changes == {"same": 1, "update": 1}
    assert owned(stack, simulator) == owners
    assert mutations(simulator) == []
    outputs = stack.resource("alpha")["outputs"]
    assert outputs["status"] == "active"
    assert outputs["private_connect_url"] == f"http://{service.id}.gp-demo.rds.aliyuncs.com"
    assert is_secret(outputs["api_key"])

    simulator.fail_service(service.id)
    assert stack.up(refresh=True).changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    assert owned(stack, simulator) != owners


@_in_linux
def test_another_word_for_what_was_active(stack: Stack, simulator: Simulator) -> None:
    """It takes neither key nor address, and is waited for as long as an update may take."""

    def consumed(update: str | None = None) -> None:
        limits = CustomTimeouts(create="1h", update=update)
        for node, waits in (("ai-1", True), ("ai-2", False)):
            name = "waited" if waits else "unwaited"
            opts = ResourceOptions(custom_timeouts=limits)
            service = declare(name, opts, ai_nodes=[node], wait_for_active=waits)
            Echo(f"{name} consumer", [service.private_connect_url, service.api_key])
            pulumi.export(name, service.api_key)

    before = stack.up(consumed).outputs
    names = ("waited", "unwaited")
    kept = {name: stack.resource(name, show_secrets=True)["outputs"] for name in names}
    for service in simulator.services:
        simulator.change_service(service.id, status="maintaining")
    stack.refresh()
    # Refresh records the word and keeps the rest, so what was made from it stays.
    for name in names:
        outputs = stack.resource(name, show_secrets=True)["outputs"]
        assert outputs["status"] == "maintaining"
        for key in ("api_key", "private_connect_url"):
            assert outputs.get(key) == kept[name][key]

    # Ten minutes, whatever a creation may take, or what `custom_timeouts` say of an update.
    simulator.clear_requests()
    with background(stack.up) as up:
        eventually(lambda: len(simulator.calls("DescribeModelService")) > 40, up)  # for 2 s
        stopped, _ = stop_cli(up, signal.SIGINT)
    assert "of at most 10 m 00 s" in stopped.output
    assert "1 h 00 m" not in stopped.output
    reason = refused(stack, lambda: consumed("1s"), "waited")
    assert "not active within 1 s" in reason

    waited = stack.resource("waited")["id"]
    simulator.change_service(waited.partition(":")[2], status="active")
    done = stack.up()
    assert done.changes == {"same": 4, "update": 1}
    assert done.outputs == before
    assert mutations(simulator) == []
    assert set(owned(stack, simulator)) == set(names)


def test_a_service_that_is_going_away_is_not_waited_for(tmp_path: Path) -> None:
    """It cannot become active any more: up makes another, once the node is free."""
    ahead_s = 0.0
    with Simulator(
        provision_seconds=0, delete_seconds=600, clock=lambda: time.time() + ahead_s
    ) as simulator:
        stack = Stack(tmp_path, simulator)
        both = declaring(svc("going", 1), svc("gone", 2))
        stack.up(both)
        before = owned(stack, simulator)
        for id_ in before.values():
            delete(simulator, id_)
        stack.refresh()
        for name in before:
            assert stack.resource(name)["outputs"]["status"] == "deleting"
        assert stack.preview().changes == {"replace": 2, "same": 1}
        simulator.remove_service(before["gone"].partition(":")[2])
        simulator.clear_requests()
        with background(stack.up) as up:
            eventually(lambda: simulator.calls("DescribeModelService"), up)
            ahead_s = 600.0
            done = up.result(timeout=60)
        assert done.changes == {"replace": 2, "same": 1}
        after = owned(stack, simulator)
        assert set(after) == set(before)
        assert set(after.values()).isdisjoint(before.values())


@_in_linux
@pytest.mark.timeout(180)
def test_an_up_after_one_that_was_stopped_before_anything_showed(tmp_path: Path) -> None:
    """What never showed is found or made anew by the next up alone, without a refresh."""
    cloud = tmp_path / "cloud.json"
    with Simulator(provision_seconds=0, state=cloud, dialects=["invisible-20s"]) as hiding:
        # It is looked for during half a minute.
        stack = Stack(tmp_path, hiding, config={"adbpg:maxPollInterval": "0.5"})
        with background(lambda: stack.up(declaring(svc("lives", 1), svc("dies", 2)))) as up:
            eventually(lambda: len(_described(hiding)) == 2, up)
            stopped, _ = stop_cli(up, signal.SIGINT)
        assert stopped.output.count("never seen so far") >= 2
        before = {name: stack.resource(name)["id"] for name in ("lives", "dies")}
        hiding.remove_service(before["dies"].partition(":")[2])
    with Simulator(provision_seconds=0, state=cloud, port=hiding.port) as simulator:
        assert "pulumi refresh" not in stack.up().output
        after = owned(stack, simulator)
        assert set(after) == {"lives", "dies"}
        assert {name for name, id_ in after.items() if id_ != before[name]} == {"dies"}
        assert stack.up().changes == {"same": 3}


def _described(simulator: Simulator) -> set[str]:
    """The services that were looked at."""
    calls = simulator.calls("DescribeModelService")
    return {call.parameters["ModelServiceId"] for call in calls}
