"""Inputs that are known only once another resource exists."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import Echo, declare, mutations
from tests.engine.support.stack import Failed, Stack


def test_unknown_inputs_pass_preview_and_are_used_in_up(stack: Stack, simulator: Simulator) -> None:
    """Values of a resource that does not exist yet are planned with, then asked for."""
    seen: list[Any] = []

    def unknown() -> None:
        instance = Echo("instance", "gp-demo").made
        node = Echo("node", "ai-2").made
        nodes = Echo("nodes", ["ai-3", "ai-4"]).made
        address = Echo("address", "10.0.0.2").made
        node.apply(seen.append)
        declare(
            "entries",
            db_instance_id=instance,
            ai_nodes=["ai-1", node],
            security_ip_list=["10.0.0.1", address],
        )
        declare("lists", ai_nodes=nodes, security_ip_list=address.apply(lambda one: [one]))

    assert stack.preview(unknown).changes == {"create": 7}
    assert seen == []  # proves that the values were unknown
    assert mutations(simulator) == []
    stack.up(unknown)
    assert sorted((one.ai_nodes, one.security_ip_list) for one in simulator.services) == [
        (("ai-1", "ai-2"), ("10.0.0.1", "10.0.0.2")),
        (("ai-3", "ai-4"), ("10.0.0.2",)),
    ]
    assert stack.up().changes == {"same": 7}


def test_a_bad_value_fails_in_up_when_it_becomes_known_only_there(
    stack: Stack, simulator: Simulator
) -> None:
    """A broken rule that preview could not see stops `up` with one line each, nothing created."""

    def bad() -> None:
        declare(ai_nodes=[Echo("node", "  ").made], replicas=Echo("count", 0).made)

    assert stack.preview(bad).changes == {"create": 4}
    with pytest.raises(Failed) as failed:
        stack.up(bad)
    assert failed.value.reasons >= {
        "ai_nodes[0] must be a non-empty string, got '  '",
        "replicas must be a whole number of at least 1, got 0",
    }
    assert "Traceback" not in failed.value.output
    assert mutations(simulator) == []
    assert stack.ids() == set()
