"""Region, endpoint and credentials from the stack's configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, mutations, program
from tests.engine.support.stack import Stack

_SECRET_KEY = "kept-in-config-only"


def _regions(simulator: Simulator) -> set[str | None]:
    """The regions that lists were asked for."""
    return {call.query.get("RegionId") for call in simulator.calls("ListModelServices")}


@pytest.mark.parametrize("namespace", ["adbpg", "alicloud"])
def test_settings_come_from_config_when_the_environment_has_none(
    tmp_path: Path, namespace: str
) -> None:
    """Keys, region and endpoint of either namespace are used, and stay out of the state."""
    with Simulator(
        provision_seconds=0, access_key_id="config-key", access_key_secret=_SECRET_KEY
    ) as simulator:
        config = {
            "adbpg:endpoint": simulator.endpoint,
            f"{namespace}:region": "cn-beijing",
            f"{namespace}:accessKey": "config-key",
        }
        if namespace == "adbpg":  # goes before the fallback, which is wrong here
            config |= {"alicloud:region": "cn-shanghai", "alicloud:accessKey": "not-this-key"}
        stack = Stack(tmp_path, None, config=config)
        stack.set_config(f"{namespace}:secretKey", _SECRET_KEY, secret=True)
        done = stack.up(program())
        assert mutations(simulator) == ["CreateModelService"]
        assert stack.resource()["outputs"]["region_id"] == "cn-beijing"
        assert "region_id" not in stack.resource()["inputs"]
        assert _regions(simulator) == {"cn-beijing"}
        assert _SECRET_KEY not in stack.state_text() + done.output
        assert "config-key" not in json.dumps(stack.resources())  # the engine's own record has it


def test_region_of_the_resource_wins_and_lasts_in_the_state(
    tmp_path: Path, simulator: Simulator
) -> None:
    """`region_id` goes before config; `destroy` uses what was in use, whatever config says."""
    stack = Stack(tmp_path, simulator, config={"adbpg:region": "cn-beijing"})

    def two() -> None:
        declare("configured")
        declare("declared", ai_nodes=["ai-2"], region_id="cn-shanghai")

    stack.up(two)
    assert stack.resource("configured")["outputs"]["region_id"] == "cn-beijing"
    assert stack.resource("declared")["outputs"]["region_id"] == "cn-shanghai"
    assert _regions(simulator) == {"cn-beijing", "cn-shanghai"}
    simulator.clear_requests()
    stack.remove_config("adbpg:region")
    stack.destroy()
    assert _regions(simulator) == {"cn-beijing", "cn-shanghai"}
    assert simulator.services == []
