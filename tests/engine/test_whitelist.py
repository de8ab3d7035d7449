"""A changed whitelist: in place through the group that the program names, else by replacement."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import mutations, program
from tests.engine.support.stack import Failed, Stack


def test_whitelist_changes_in_place_when_its_group_is_named(tmp_path: Path) -> None:
    """One ModifySecurityIps covers the named group, never the default one; the service stays."""
    with Simulator(provision_seconds=0, whitelist_groups={"embedding": "ai-1"}) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(program(security_ip_list=["10.0.0.1"], security_ip_group="embedding"))
        (before,) = simulator.services
        simulator.clear_requests()
        changed = stack.up(
            program(security_ip_list=["10.0.0.2", "10.23.12.24/24"], security_ip_group="embedding")
        )
        assert changed.changes == {"same": 1, "update": 1}
        (modified,) = simulator.mutations
        assert (modified.action, modified.parameters) == (
            "ModifySecurityIps",
            {
                "DBInstanceId": "gp-demo",
                "DBInstanceIPArrayName": "embedding",
                "SecurityIPList": "10.0.0.2,10.23.12.24/24",
            },
        )
        assert simulator.whitelist_groups("gp-demo") == {
            "embedding": ("10.0.0.2", "10.23.12.24/24")
        }
        (after,) = simulator.services
        assert (after.id, after.security_ip_list) == (before.id, ("10.0.0.2", "10.23.12.24/24"))
        state = stack.resource()
        assert state["id"] == f"gp-demo:{before.id}"
        assert state["outputs"]["security_ip_list"] == ["10.0.0.2", "10.23.12.24/24"]


def test_whitelist_change_replaces_when_no_group_is_named(
    stack: Stack, simulator: Simulator
) -> None:
    """Without a group nothing may be modified: the service is replaced."""
    stack.up(program(security_ip_list=["10.0.0.1"]))
    (before,) = simulator.services
    simulator.clear_requests()
    changed = stack.up(program(security_ip_list=["10.0.0.2"]))
    assert changed.changes == {"same": 1, "replace": 1}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    assert simulator.whitelist_groups("gp-demo") == {}
    (after,) = simulator.services
    assert (after.security_ip_list, after.id != before.id) == (("10.0.0.2",), True)
    assert stack.resource()["outputs"]["security_ip_list"] == ["10.0.0.2"]


def test_whitelist_change_fails_when_the_group_does_not_reach_the_service(tmp_path: Path) -> None:
    """A group of something else is an error, the old list stays in the state, and can be mended."""
    opts = ResourceOptions(custom_timeouts=CustomTimeouts(update="2s"))
    with Simulator(provision_seconds=0, whitelist_groups={"embedding": "ai-1"}) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(program(opts, security_ip_list=["10.0.0.1"], security_ip_group="embedding"))
        (service,) = simulator.services
        simulator.clear_requests()
        with pytest.raises(Failed) as failed:
            stack.up(program(opts, security_ip_list=["10.0.0.2"], security_ip_group="database"))
        assert failed.value.reasons == {
            "change of security_ip_list failed: whitelist group 'database' of instance gp-demo was "
            f"set to ['10.0.0.2'], but gp-demo:{service.id} still admits ['10.0.0.1']. The "
            "operation ran out of time before it showed: run `pulumi up` again."
        }
        assert simulator.services == [service]
        assert mutations(simulator) == ["ModifySecurityIps"]
        state = stack.resource()
        assert state["id"] == f"gp-demo:{service.id}"
        assert state["outputs"]["security_ip_list"] == ["10.0.0.1"]

        mended = stack.up(
            program(opts, security_ip_list=["10.0.0.2"], security_ip_group="embedding")
        )
        assert mended.changes == {"same": 1, "update": 1}
        assert simulator.service(service.id).security_ip_list == ("10.0.0.2",)
        assert stack.resource()["outputs"]["security_ip_list"] == ["10.0.0.2"]
