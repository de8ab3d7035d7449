"""Every line about a service stands in the row of the resource, as it is called by then."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi import Alias, ComponentResource, ResourceOptions
from pulumi.runtime import get_root_resource

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, mutations
from tests.engine.support.stack import TYPE, EventLog, Stack, is_secret


def _assert_in_rows(log: EventLog, *urns: str) -> None:
    """Lines that name a service stand in these rows alone, and each of the rows has one."""
    assert {line.urn for line in log.lines if ":ms-" in line.text} == set(urns)


def _named(name: str, opts: ResourceOptions | None = None, node: str = "ai-1") -> None:
    declare(name, opts, ai_nodes=[node])


def test_create_update_refresh_and_delete_speak_in_the_rows_of_parents_and_aliases(
    stack: Stack, simulator: Simulator
) -> None:
    """Under a component, under the root stack, after a rename with an alias and after a move."""

    def first() -> None:
        component = ComponentResource("test:index:Search", "search")
        _named("nested", ResourceOptions(parent=component))
        _named("rooted", ResourceOptions(parent=get_root_resource()), "ai-2")
        _named("plain", node="ai-3")

    prefix = "urn:pulumi:dev::adbpg-test::"
    nested = f"{prefix}test:index:Search${TYPE}::nested"
    rooted, plain = f"{prefix}{TYPE}::rooted", f"{prefix}{TYPE}::plain"
    created = stack.up(first)
    _assert_in_rows(created.log, nested, rooted, plain)
    assert {one["urn"] for one in stack.resources()} == {nested, rooted, plain}
    for resource in stack.resources():
        hidden = {name for name in resource["outputs"] if name.startswith("__")}
        assert hidden == {"__provider", "__organization", "__declared", "__tokens"}
        assert resource["inputs"].keys() >= {"__provider", "__organization"}
        assert not any(name in resource["inputs"] for name in ("__urn", "timeouts", "__declared"))
        assert is_secret(resource["outputs"]["__tokens"])

    def renamed() -> None:
        component = ComponentResource("test:index:Search", "search")
        former = [Alias(name="nested", parent=component)]
        _named("taken-out", ResourceOptions(aliases=former))
        _named("rooted", ResourceOptions(parent=get_root_resource()), "ai-2")
        moved = ResourceOptions(
            parent=component, aliases=[Alias(name="plain", parent=pulumi.ROOT_STACK_RESOURCE)]
        )
        _named("moved", moved, "ai-3")

    before = stack.ids()
    simulator.clear_requests()
    assert stack.up(renamed).changes == {"same": 5}
    assert simulator.requests == []
    taken_out = f"{prefix}{TYPE}::taken-out"
    moved = f"{prefix}test:index:Search${TYPE}::moved"
    for resource in stack.resources():  # from the next command on, these are pending
        simulator.change_service(resource["id"].split(":")[1], status="deployming")
    refreshed = stack.refresh(renamed)
    assert stack.ids() == before
    for service in simulator.services:
        simulator.change_service(service.id, status="active")
    updated = stack.up(renamed)
    assert updated.changes == {"same": 2, "update": 3}
    _assert_in_rows(updated.log, taken_out, rooted, moved)
    assert {line.urn for line in refreshed.log.lines if ":ms-" in line.text} <= {
        taken_out,
        rooted,
        moved,
    }
    _assert_in_rows(stack.destroy().log, taken_out, rooted, moved)
    assert mutations(simulator) == ["DeleteModelService"] * 3
    assert simulator.services == []


def test_lines_follow_the_renames_and_moves_of_the_state(
    tmp_path: Path, simulator: Simulator
) -> None:
    """`state rename`, `stack rename`, `state move`: the next command knows the new names."""

    def urn(stack: str, name: str) -> str:
        return f"urn:pulumi:{stack}::adbpg-test::{TYPE}::{name}"

    def assert_named(stack: Stack, *urns: str) -> None:
        """A service that waits is spoken of in its new row, and the state has it under its URN."""
        for service in simulator.services:
            simulator.change_service(service.id, status="deployming")
        stack.refresh(program)
        for service in simulator.services:
            simulator.change_service(service.id, status="active")
        done = stack.up(program)
        assert done.changes == {"same": 1, "update": len(urns)}
        _assert_in_rows(done.log, *urns)
        assert {one["urn"] for one in stack.resources()} == set(urns)

    def typed(*words: str) -> None:
        done = stack.type("pulumi", *words, "--yes")
        assert done.returncode == 0, done.stderr

    def program() -> None:
        for number, name in enumerate(names, 1):
            _named(name, node=f"ai-{number}")

    names = ["first", "second"]
    stack = Stack(tmp_path, simulator)
    stack.up(program)
    ids = stack.ids()
    simulator.clear_requests()
    names = ["renamed", "second"]
    typed("state", "rename", urn("dev", "first"), "renamed", "--stack", "dev")
    assert stack.type("pulumi", "stack", "rename", "prod", "--stack", "dev").returncode == 0
    stack = Stack(tmp_path, simulator, stack="prod")
    assert_named(stack, urn("prod", "renamed"), urn("prod", "second"))
    other = Stack(tmp_path, simulator, stack="other")
    typed("state", "move", "--source", "prod", "--dest", "other", urn("prod", "renamed"))
    assert stack.ids() | other.ids() == ids
    names = ["renamed"]
    assert_named(other, urn("other", "renamed"))
    _assert_in_rows(other.destroy().log, urn("other", "renamed"))
    _assert_in_rows(stack.destroy().log, urn("prod", "second"))
    assert mutations(simulator) == ["DeleteModelService"] * 2
    assert simulator.services == []
