"""Services among other resources: order, parents, aliases, transforms, outputs as inputs."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi import Alias, ComponentResource, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import Echo, declare, mutations, program
from tests.engine.support.stack import TYPE, Stack, is_secret


def test_depends_on_orders_creation_and_deletion(tmp_path: Path) -> None:
    """A service is created when the one it depends on is active, and deleted before it is."""
    with Simulator(provision_seconds=0.5) as simulator:
        stack = Stack(tmp_path, simulator)

        def ordered() -> None:
            first = declare("first")
            declare("second", ResourceOptions(depends_on=[first]), ai_nodes=["ai-2"])

        stack.up(ordered)
        creations = simulator.calls("CreateModelService")
        assert [call.query["AiNodes"] for call in creations] == ['["ai-1"]', '["ai-2"]']
        assert creations[1].time - creations[0].time >= 0.5
        ids = [stack.resource(name)["id"].split(":")[1] for name in ("second", "first")]
        stack.destroy()
        deletions = simulator.calls("DeleteModelService")
        assert [call.parameters["ModelServiceId"] for call in deletions] == ids
        assert simulator.services == []


def test_parent_puts_the_service_under_its_component(stack: Stack, simulator: Simulator) -> None:
    """The URN names the chain of parents, and progress is shown in the row of that name."""

    def nested() -> None:
        outer = ComponentResource("test:index:Outer", "outer")
        inner = ComponentResource("test:index:Inner", "inner", opts=ResourceOptions(parent=outer))
        declare(opts=ResourceOptions(parent=inner))

    done = stack.up(nested)
    chain = f"test:index:Outer$test:index:Inner${TYPE}"
    resource = stack.resource()
    assert resource["urn"] == f"urn:pulumi:dev::adbpg-test::{chain}::model"
    assert resource["parent"] == (
        "urn:pulumi:dev::adbpg-test::test:index:Outer$test:index:Inner::inner"
    )
    row = f"{TYPE} model created"
    assert any(row in line and "is 'active'" in line for line in done.output.splitlines())
    assert len(simulator.services) == 1


def test_aliases_rename_without_a_change(stack: Stack, simulator: Simulator) -> None:
    """A resource renamed with an alias is the same service, and can be deleted as ever."""
    stack.up(program())
    (id_,) = stack.ids()
    simulator.clear_requests()

    def renamed() -> None:
        declare("renamed", ResourceOptions(aliases=[Alias(name="model")]))

    assert stack.up(renamed).changes == {"same": 2}
    assert simulator.requests == []
    assert stack.resource("renamed")["id"] == id_
    stack.destroy()
    assert mutations(simulator) == ["DeleteModelService"]
    assert simulator.services == []


def test_transforms_and_transformations_reach_the_cloud(stack: Stack, simulator: Simulator) -> None:
    """Inputs that a transform or a transformation sets are those that are asked for."""

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        return pulumi.ResourceTransformResult(
            {**args.props, "description": "by a transform"}, args.opts
        )

    def transformation(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult:
        return pulumi.ResourceTransformationResult(
            {**args.props, "security_ip_list": ["10.0.0.9"]}, args.opts
        )

    opts = ResourceOptions(transforms=[transform], transformations=[transformation])
    stack.up(program(opts, description="by the program", security_ip_list=["10.0.0.1"]))
    (service,) = simulator.services
    assert service.description == "by a transform"
    assert service.security_ip_list == ("10.0.0.9",)
    assert stack.resource()["outputs"]["description"] == "by a transform"
    assert stack.resource()["outputs"]["security_ip_list"] == ["10.0.0.9"]
    assert stack.up().changes == {"same": 2}


def test_api_key_stays_secret_when_handed_to_another_resource(
    stack: Stack, simulator: Simulator
) -> None:
    """Connection outputs feed other resources; the key is encrypted wherever it goes."""

    def handing_on() -> None:
        service = declare()
        made = ResourceOptions(additional_secret_outputs=["made"])
        key = Echo("key", service.api_key, opts=made)
        Echo("url", service.private_connect_url)
        pulumi.export("key", key.value)

    done = stack.up(handing_on)
    (service,) = simulator.services
    found = stack.export()["resources"]
    states = {resource["urn"].rsplit("::", 1)[1]: resource for resource in found}
    assert done.outputs == {"key": service.api_key}
    assert is_secret(states["key"]["inputs"]["value"])
    assert is_secret(states["key"]["outputs"]["value"])
    assert states["url"]["inputs"]["value"] == service.private_connect_url
    assert str(service.api_key) not in stack.state_text() + done.output


def test_one_service_depends_on_another_through_its_outputs(
    stack: Stack, simulator: Simulator
) -> None:
    """Two services of one instance, the second's nodes and description taken from the first."""

    def chained() -> None:
        first = declare("first")
        declare(
            "second",
            db_instance_id=first.db_instance_id,
            ai_nodes=first.ai_nodes.apply(lambda nodes: [f"{nodes[0][:3]}2", "ai-3"]),
            description=first.model_service_id,
        )

    previewed = stack.preview(chained)
    assert previewed.changes == {"create": 3}
    assert simulator.services == []
    stack.up(chained)
    first, second = simulator.services
    assert second.ai_nodes == ("ai-2", "ai-3")
    assert second.description == first.id
    assert stack.up().changes == {"same": 3}
    stack.destroy()
    assert simulator.services == []
