"""Ctrl-C and SIGTERM: the command returns at once, and nothing that is billed is forgotten."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import mutations, program
from tests.engine.support.running import background, eventually, stop_cli
from tests.engine.support.stack import Stack, not_active

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="finds the CLI's process in /proc"
)

_AT_ONCE_S = 5.0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_keeps_the_id_when_it_is_stopped_while_waiting(
    stack: Stack, simulator: Simulator, number: signal.Signals
) -> None:
    """A stopped up returns with the service in the state, and the next one resumes it."""
    simulator.hold_deployments()
    with background(lambda: stack.up(program())) as up:
        eventually(lambda: simulator.calls("DescribeModelService"), up)
        failed, took_s = stop_cli(up, number)
    assert took_s < _AT_ONCE_S
    (service,) = simulator.services
    state = stack.resource()
    assert state["id"] == f"gp-demo:{service.id}"
    why = "the operation was cancelled (last status 'deployming')"
    assert failed.reasons == {not_active(state, why)}
    assert "Traceback" not in failed.output
    assert state["outputs"]["status_reason"] == why
    assert not stack.export().get("pending_operations")

    simulator.release_deployments()
    assert stack.up().changes == {"same": 1, "update": 1}
    assert mutations(simulator) == ["CreateModelService"]
    assert stack.ids() == {f"gp-demo:{service.id}"}
    assert stack.resource()["outputs"]["status"] == "active"


def test_destroy_keeps_the_state_when_it_is_stopped_while_waiting(tmp_path: Path) -> None:
    """A stopped destroy returns with the service in the state, and the next one finishes."""
    ahead_s = 0.0
    with Simulator(
        provision_seconds=0, delete_seconds=600, clock=lambda: time.time() + ahead_s
    ) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(program())
        (service,) = simulator.services
        simulator.clear_requests()
        with background(stack.destroy) as destroy:
            eventually(lambda: simulator.calls("DescribeModelService"), destroy)
            failed, took_s = stop_cli(destroy, signal.SIGINT)
        assert took_s < _AT_ONCE_S
        assert failed.reasons == {
            f"delete of model service gp-demo:{service.id} is not finished: the operation was "
            "cancelled (last status 'deleting'). It stays in the state; run the command again."
        }
        assert "Traceback" not in failed.output
        assert stack.ids() == {f"gp-demo:{service.id}"}

        ahead_s = 600.0
        assert stack.destroy().changes == {"delete": 2}
        assert simulator.services == []
        assert stack.resources() == []
