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
from tests.engine.support.owning import owned, refused, svc
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
    assert stack.preview().changes == {"replace": 1, "same": 1}
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
    assert stack.up().changes == {"same": 2}

    simulator.fail_service(service.id)
    stack.refresh()
    assert stack.up().changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    assert owned(stack, simulator) != owners


@pytest.mark.parametrize("waits", [True, False], ids=["waited for", "not waited for"])
def test_another_word_takes_neither_key_nor_address_from_what_was_active(
    stack: Stack, simulator: Simulator, *, waits: bool
) -> None:
    """Refresh records the word and keeps the rest, so what was made from it stays."""

    def consumed() -> None:
        service = declare("alpha", wait_for_active=waits)
        Echo("consumer", [service.private_connect_url, service.api_key])
        pulumi.export("key", service.api_key)

    before = stack.up(consumed).outputs
    kept = stack.resource("alpha", show_secrets=True)["outputs"]
    (service,) = simulator.services
    simulator.change_service(service.id, status="maintaining")
    stack.refresh()
    outputs = stack.resource("alpha", show_secrets=True)["outputs"]
    assert outputs["status"] == "maintaining"
    for name in ("api_key", "private_connect_url"):
        assert outputs.get(name) == kept[name]

    if waits:
        simulator.change_service(service.id, status="active")
    done = stack.up()
    assert (done.changes["same"], done.changes.get("replace")) == (3 - waits, None)
    assert done.outputs == before
    assert mutations(simulator) == ["CreateModelService"]


@_in_linux
def test_what_was_active_is_waited_for_as_long_as_an_update_may_take(
    stack: Stack, simulator: Simulator
) -> None:
    """Ten minutes, whatever a creation may take, or what `custom_timeouts` say of an update."""
    lasting = CustomTimeouts(create="1h")
    stack.up(svc("alpha", 1, ResourceOptions(custom_timeouts=lasting)))
    (service,) = simulator.services
    simulator.change_service(service.id, status="maintaining")
    stack.refresh()
    simulator.clear_requests()
    with background(stack.up) as up:
        eventually(lambda: len(simulator.calls("DescribeModelService")) > 40, up)  # for 2 s
        stopped, _ = stop_cli(up, signal.SIGINT)
    assert "of at most 10 m 00 s" in stopped.output
    assert "1 h 00 m" not in stopped.output

    brief = ResourceOptions(custom_timeouts=CustomTimeouts(create="1h", update="1s"))
    reason = refused(stack, svc("alpha", 1, brief), "alpha")
    assert "not active within 1 s" in reason
    simulator.change_service(service.id, status="active")
    assert stack.up().changes == {"same": 1, "update": 1}
    assert mutations(simulator) == []
    assert list(owned(stack, simulator)) == ["alpha"]


@pytest.mark.parametrize("refreshed", [True, False], ids=["while it goes", "once it is gone"])
def test_a_service_that_is_going_away_is_not_waited_for(tmp_path: Path, *, refreshed: bool) -> None:
    """It cannot become active any more: up makes another, once the node is free."""
    ahead_s = 0.0
    with Simulator(
        provision_seconds=0, delete_seconds=600, clock=lambda: time.time() + ahead_s
    ) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(svc("alpha", 1))
        (id_,) = stack.ids()
        delete(simulator, id_)
        stack.refresh()
        assert stack.resource("alpha")["outputs"]["status"] == "deleting"
        if refreshed:
            assert stack.preview().changes == {"replace": 1, "same": 1}
        else:
            ahead_s = 600.0
        simulator.clear_requests()
        with background(stack.up) as up:
            eventually(lambda: simulator.calls("DescribeModelService"), up)
            ahead_s = 600.0
            done = up.result(timeout=60)
        assert done.changes == {"replace": 1, "same": 1}
        assert list(owned(stack, simulator)) == ["alpha"]
        assert stack.ids() != {id_}


def test_longer_timeouts_replace_nothing(stack: Stack, simulator: Simulator) -> None:
    """Not even where every changed input is to replace."""

    def limited(minutes: int) -> ResourceOptions:
        limits = CustomTimeouts(create=f"{minutes}m", update=f"{minutes}m", delete=f"{minutes}m")
        return ResourceOptions(custom_timeouts=limits, replace_on_changes=["*"])

    stack.up(svc("alpha", 1, limited(5)))
    assert stack.preview(svc("alpha", 1, limited(9))).changes == {"same": 2}
    assert stack.up(svc("alpha", 1, limited(9))).changes == {"same": 2}
    assert mutations(simulator) == ["CreateModelService"]


@_in_linux
@pytest.mark.parametrize("lives", [True, False], ids=["it lives", "it is gone"])
@pytest.mark.timeout(180)
def test_an_up_after_one_that_was_stopped_before_anything_showed(
    tmp_path: Path, *, lives: bool
) -> None:
    """What never showed is found or made anew by the next up alone, without a refresh."""
    cloud = tmp_path / "cloud.json"
    with Simulator(provision_seconds=0, state=cloud, dialects=["invisible-20s"]) as hiding:
        stack = Stack(tmp_path, hiding)
        with background(lambda: stack.up(svc("alpha", 1))) as up:
            eventually(lambda: hiding.calls("DescribeModelService"), up)
            stopped, _ = stop_cli(up, signal.SIGINT)
        assert "never seen so far" in stopped.output
        (id_,) = stack.ids()
        if not lives:
            hiding.remove_service(id_.partition(":")[2])
    with Simulator(provision_seconds=0, state=cloud, port=hiding.port) as simulator:
        assert "pulumi refresh" not in stack.up().output
        assert list(owned(stack, simulator)) == ["alpha"]
        assert (stack.ids() == {id_}) == lives
        assert stack.up().changes == {"same": 2}
