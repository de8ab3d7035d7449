"""Ctrl-C in a destroy: it returns at once, and nothing that is billed is forgotten."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import program
from tests.engine.support.running import background, eventually, stop_cli
from tests.engine.support.stack import Stack

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="finds the CLI's process in /proc"
)

#: Long before the ten minutes of the deletion, on a busy machine too.
_AT_ONCE_S = 30.0


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
