"""Services among other resources: order, transforms, outputs as inputs, what is not known yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import Echo, declare, mutations
from tests.engine.support.stack import Failed, Stack, is_secret

_NODES = [f"ai-{number}" for number in range(1, 9)]


def _transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
    return pulumi.ResourceTransformResult(
        {**args.props, "description": "by a transform"}, args.opts
    )


def _transformation(
    args: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult:
    return pulumi.ResourceTransformationResult(
        {**args.props, "security_ip_list": ["10.0.0.9"]}, args.opts
    )


def test_services_among_other_resources(tmp_path: Path) -> None:
    """One program, previewed, made, left alone and destroyed; each part says what it shows."""
    seen: list[Any] = []

    def run() -> None:
        transformed = ResourceOptions(
            transforms=[_transform],
            transformations=[_transformation],
            additional_secret_outputs=["private_connect_url"],
        )
        first = declare("first", transformed, description="mine", security_ip_list=["10.0.0.1"])
        # Its outputs lead to other resources, the secret ones as secrets.
        made = ResourceOptions(additional_secret_outputs=["made"])
        key = Echo("key", first.api_key, opts=made)
        Echo("address", first.private_connect_url, opts=made)
        Echo("open", first.model_service_id)
        pulumi.export("key", key.value)
        # To another service, too.
        declare(
            "second",
            db_instance_id=first.db_instance_id,
            ai_nodes=first.ai_nodes.apply(lambda nodes: [f"{nodes[0][:3]}2", "ai-3"]),
            description=first.model_service_id,
        )
        declare("third", ResourceOptions(depends_on=[first]), ai_nodes=["ai-4"])
        # Values of resources that do not exist yet are planned with, then asked for.
        node = Echo("node", "ai-6").made
        entry = Echo("entry", "10.0.0.2").made
        node.apply(seen.append)
        declare(
            "entries",
            db_instance_id=Echo("instance", "gp-demo").made,
            ai_nodes=["ai-5", node],
            security_ip_list=["10.0.0.1", entry],
        )
        declare(
            "lists",
            ai_nodes=Echo("nodes", ["ai-7", "ai-8"]).made,
            security_ip_list=entry.apply(lambda one: [one]),
        )

    with Simulator(nodes=_NODES, provision_seconds=0.5) as simulator:
        stack = Stack(tmp_path, simulator)
        assert stack.preview(run).changes == {"create": 13}
        assert seen == []  # proves that the values were unknown
        assert mutations(simulator) == []

        done = stack.up(run)
        found = stack.export()["resources"]
        states = {resource["urn"].rsplit("::", 1)[1]: resource for resource in found}
        services = {
            name: simulator.service(state["outputs"]["model_service_id"])
            for name, state in states.items()
            if name in ("first", "second", "third", "entries", "lists")
        }
        first, second = services["first"], services["second"]
        # What a transform and a transformation set is what is asked for.
        assert (first.description, first.security_ip_list) == ("by a transform", ("10.0.0.9",))
        outputs = states["first"]["outputs"]
        assert outputs["description"] == "by a transform"
        assert outputs["security_ip_list"] == ["10.0.0.9"]
        # The key is encrypted wherever it goes, and so is an output that is declared secret.
        assert done.outputs == {"key": first.api_key}
        for name in ("key", "address"):
            assert is_secret(states[name]["inputs"]["value"])
            assert is_secret(states[name]["outputs"]["value"])
        assert states["open"]["inputs"]["value"] == first.id
        assert {name for name, value in outputs.items() if is_secret(value)} == {
            "private_connect_url",
            "api_key",
            "__tokens",
        }
        for secret in (first.api_key, first.private_connect_url):
            assert str(secret) not in stack.state_text() + done.output
        # Outputs of one service are another's inputs.
        assert (second.ai_nodes, second.description) == (("ai-2", "ai-3"), first.id)
        # Whoever depends on a service is created once that is active, by output or by option.
        creations = {
            call.query["AiNodes"]: call.time for call in simulator.calls("CreateModelService")
        }
        for later in ('["ai-2","ai-3"]', '["ai-4"]'):
            assert creations[later] - creations['["ai-1"]'] >= 0.5
        # Unknown entries and unknown lists.
        assert (services["entries"].ai_nodes, services["entries"].security_ip_list) == (
            ("ai-5", "ai-6"),
            ("10.0.0.1", "10.0.0.2"),
        )
        assert (services["lists"].ai_nodes, services["lists"].security_ip_list) == (
            ("ai-7", "ai-8"),
            ("10.0.0.2",),
        )

        assert stack.up().changes == {"same": 13}
        stack.destroy()
        deletions = [
            call.parameters["ModelServiceId"] for call in simulator.calls("DeleteModelService")
        ]
        # And deleted before it is.
        for name in ("second", "third"):
            assert deletions.index(services[name].id) < deletions.index(first.id)
        assert simulator.services == []


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
