"""Whitelists: changed in place or by replacement, left to the cloud, opened outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, mutations, pulumi_ids
from tests.engine.support.stack import Failed, Program, Stack, not_active


def test_a_changed_whitelist(tmp_path: Path) -> None:
    """With a group one call changes it, the service stays; without one nothing may be modified."""

    def two(*entries: str) -> None:
        listed = list(entries)
        declare("grouped", security_ip_list=listed, security_ip_group="embedding")
        declare("alone", ai_nodes=["ai-2"], security_ip_list=listed)

    with Simulator(provision_seconds=0, whitelist_groups={"embedding": "ai-1"}) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(lambda: two("10.0.0.1"))
        grouped, alone = (stack.resource(name)["id"] for name in ("grouped", "alone"))
        simulator.clear_requests()
        changed = stack.up(lambda: two("10.0.0.2", "10.23.12.24/24"))
        assert changed.changes == {"same": 1, "update": 1, "replace": 1}
        assert sorted(mutations(simulator)) == [
            "CreateModelService",
            "DeleteModelService",
            "ModifySecurityIps",
        ]
        # The named group, never the default one.
        (modified,) = simulator.calls("ModifySecurityIps")
        assert modified.parameters == {
            "DBInstanceId": "gp-demo",
            "DBInstanceIPArrayName": "embedding",
            "SecurityIPList": "10.0.0.2,10.23.12.24/24",
        }
        assert simulator.whitelist_groups("gp-demo") == {
            "embedding": ("10.0.0.2", "10.23.12.24/24")
        }
        assert stack.resource("grouped")["id"] == grouped
        assert alone not in stack.ids() == pulumi_ids(simulator)
        for resource in stack.resources():
            assert resource["outputs"]["security_ip_list"] == ["10.0.0.2", "10.23.12.24/24"]
        for service in simulator.services:
            assert service.security_ip_list == ("10.0.0.2", "10.23.12.24/24")


def test_a_whitelist_that_is_empty_or_not_set_is_left_to_the_cloud(
    stack: Stack, simulator: Simulator
) -> None:
    """The cloud's own list is no drift; one that was opened outside is told of, not mended."""

    def two() -> None:
        declare("empty", security_ip_list=[])
        declare("unset", ai_nodes=["ai-2"], security_ip_list=None)

    stack.up(two)
    services = simulator.services
    assert [service.security_ip_list for service in services] == [("127.0.0.1",)] * 2
    assert stack.up(refresh=True).changes == {"same": 3}
    assert simulator.services == services

    opened = stack.resource("unset")["id"]
    simulator.change_service(opened.split(":")[1], security_ip_list=("0.0.0.0/0",))
    refreshed = stack.refresh()
    assert f"{opened} admits 0.0.0.0/0, though security_ip_list is not set" in refreshed.output


def test_whitelist_changed_while_the_service_is_deployed_is_not_forgotten(tmp_path: Path) -> None:
    """A change that could not be made yet is made by a later up, with or after the service."""
    groups = {"for-late": "ai-1", "for-failed": "ai-2"}
    with Simulator(provision_seconds=0, whitelist_groups=groups) as simulator:
        simulator.hold_deployments()
        stack = Stack(tmp_path, simulator)

        def declared(entry: str) -> Program:
            def run() -> None:
                limits = CustomTimeouts(create="1s", update="1s")
                for number, name in enumerate(("late", "failed"), 1):
                    declare(
                        name,
                        ResourceOptions(custom_timeouts=limits),
                        ai_nodes=[f"ai-{number}"],
                        security_ip_list=[entry],
                        security_ip_group=f"for-{name}",
                    )

            return run

        for entry in ("10.0.0.1", "10.0.0.2"):
            with pytest.raises(Failed, match="not active within 1 s") as late:
                stack.up(declared(entry), continue_on_error=True)
            assert late.value.log.failed == {"late", "failed"}
        ids = {name: stack.resource(name)["id"] for name in ("late", "failed")}
        assert mutations(simulator) == ["CreateModelService"] * 2
        simulator.release_deployments()
        simulator.change_service(ids["late"].split(":")[1], status="active")
        simulator.fail_service(ids["failed"].split(":")[1], "create_error")

        # A late service that failed meanwhile fails the next up too, which makes no other.
        with pytest.raises(Failed) as failed:
            stack.up(continue_on_error=True)
        why = "the deployment failed, status 'create_error'"
        assert failed.value.reasons == {not_active(stack.resource("failed"), why, replaced=True)}
        assert {stack.resource(name)["id"] for name in ids} == set(ids.values())
        assert "DeleteModelService" not in mutations(simulator)
        assert stack.resource("late")["outputs"]["security_ip_list"] == ["10.0.0.2"]

        assert stack.up().changes == {"same": 2, "replace": 1}
        assert {one.security_ip_list for one in simulator.services} == {("10.0.0.2",)}
        assert stack.resource("failed")["outputs"]["security_ip_list"] == ["10.0.0.2"]
        assert stack.resource("late")["id"] == ids["late"]
        assert stack.ids() == pulumi_ids(simulator)
        assert stack.up().changes == {"same": 3}
