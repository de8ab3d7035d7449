"""The life of a service on the real engine: previewed, created, left alone, replaced, destroyed."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
from pulumi import ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import URN, declare, mutations, program, pulumi_ids
from tests.engine.support.stack import Stack


def test_preview_only_looks_when_the_service_is_new(stack: Stack, simulator: Simulator) -> None:
    """A preview of a new service plans its creation; nothing but the preflight asks the cloud."""
    previewed = stack.preview(program())
    assert previewed.changes == {"create": 2}
    assert "warning: " not in previewed.output
    assert sorted(call.action for call in simulator.requests) == [
        "ListAINodePools",
        "ListModelServices",
        "ListSupportModels",
    ]
    assert simulator.services == []


def test_up_sends_every_parameter_when_every_input_is_set(
    stack: Stack, simulator: Simulator
) -> None:
    """One CreateModelService holds all eleven parameters of its page, as query and form body."""
    stack.up(
        program(
            db_instance_id="gp-demo",
            model_name="Qwen3-Reranker-8B",
            ai_nodes=["ai-2", "ai-1"],
            description="ranks & sorts: 100 % für alle",
            security_ip_list=["10.23.12.24/24", "192.168.1.7"],
            model_params={"max_tokens": 4096, "ratio": 0.5, "stop": ["a", "b"]},
            resource_group_id="rg-bp67acfmxazb4p",
            client_token="0c593ea1-3bea-11e9-b96b-887766554433",
            replicas=2,
            inference_engine="vllm",
            enable_public_connection=True,
        )
    )
    (created,) = simulator.mutations
    assert created.action == "CreateModelService"
    assert created.query == {
        "AiNodes": '["ai-2","ai-1"]',
        "DBInstanceId": "gp-demo",
        "Description": "ranks & sorts: 100 % für alle",
        "EnablePublicConnection": "True",
        "InferenceEngine": "vllm",
        "ModelName": "Qwen3-Reranker-8B",
        "ModelParams": '{"max_tokens":4096,"ratio":0.5,"stop":["a","b"]}',
        "Replicas": "2",
        "SecurityIPList": "10.23.12.24/24,192.168.1.7",
    }
    assert created.body == {
        "ClientToken": "0c593ea1-3bea-11e9-b96b-887766554433",
        "ResourceGroupId": "rg-bp67acfmxazb4p",
    }


def test_up_returns_every_input_and_what_the_cloud_adds(stack: Stack, simulator: Simulator) -> None:
    """The outputs are the inputs as typed, and what the live service shows."""

    def run() -> None:
        service = declare(
            ai_nodes=["ai-2", "ai-1"],
            description="embeds",
            security_ip_list=["10.23.12.24/24"],
            model_params={"max_tokens": 4096},
            replicas=2,
            enable_public_connection=True,
        )
        for name in (
            "ai_nodes",
            "security_ip_list",
            "model_params",
            "replicas",
            "region_id",
            "resource_group_id",  # not set: the engine drops None
            "status",
            "status_reason",
            "create_time",
            "private_connect_url",
            "public_connect_url",
            "api_key",
        ):
            pulumi.export(name, getattr(service, name))

    result = stack.up(run)
    (live,) = simulator.services
    assert result.outputs == {
        "ai_nodes": ["ai-2", "ai-1"],
        "security_ip_list": ["10.23.12.24/24"],
        "model_params": {"max_tokens": 4096},
        "replicas": 2,
        "region_id": "cn-hangzhou",
        "status": "active",
        "create_time": live.create_time,
        "private_connect_url": f"http://{live.id}.gp-demo.rds.aliyuncs.com",
        "public_connect_url": f"http://{live.id}-o.gp-demo.rds.aliyuncs.com",
        "api_key": live.api_key,
    }
    state = stack.resource()
    assert (state["id"], state["outputs"]["description"]) == (f"gp-demo:{live.id}", "embeds")


def test_unchanged_program_changes_nothing(stack: Stack, simulator: Simulator) -> None:
    """Neither preview nor up nor refresh touches a service that is as declared."""
    stack.up(program(security_ip_list=["10.0.0.0/8"], description="embeds", replicas=1))
    services, resource = simulator.services, stack.resource(show_secrets=True)
    simulator.clear_requests()
    assert stack.preview().changes == {"same": 2}
    assert stack.refresh().changes == {"same": 2}
    assert stack.up().changes == {"same": 2}
    assert mutations(simulator) == []
    assert simulator.services == services
    after = stack.resource(show_secrets=True)
    assert (after["inputs"], after["outputs"]) == (resource["inputs"], resource["outputs"])


def test_destroy_empties_cloud_and_state(stack: Stack, simulator: Simulator) -> None:
    """After `destroy` neither the cloud nor the state holds anything."""
    stack.up(program())
    assert stack.ids() == pulumi_ids(simulator) != set()
    simulator.clear_requests()
    assert stack.destroy().changes == {"delete": 2}
    assert mutations(simulator) == ["DeleteModelService"]
    assert simulator.services == []
    assert stack.resources() == []


def test_service_deleted_outside_is_dropped_and_created_again(tmp_path: Path) -> None:
    """Refresh drops a service that is gone, up creates another, destroy copes with a gone one."""
    with Simulator(provision_seconds=0, dialects=["tokens-ignored"]) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(program())
        (first,) = simulator.services
        simulator.remove_service(first.id)
        assert stack.refresh().changes == {"delete": 1, "same": 1}
        assert stack.up().changes == {"create": 1, "same": 1}
        (second,) = simulator.services
        assert second.id != first.id
        assert stack.ids() == {f"gp-demo:{second.id}"}
        simulator.remove_service(second.id)
        assert stack.destroy().changes == {"delete": 2}
        assert stack.resources() == []
        assert mutations(simulator) == ["CreateModelService"] * 2 + ["DeleteModelService"]


@pytest.mark.parametrize("delete_before_replace", [None, False])
def test_replacement_deletes_before_it_creates(
    stack: Stack,
    simulator: Simulator,
    delete_before_replace: bool | None,  # noqa: FBT001 - a table's column
) -> None:
    """An AI node hosts one model: the old service goes first, whatever the program asks for."""
    opts = ResourceOptions(delete_before_replace=delete_before_replace)
    stack.up(program(opts))
    (first,) = simulator.services
    simulator.clear_requests()

    changed = program(opts, model_name="Qwen3-8B")
    assert stack.preview(changed).changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == []
    assert stack.up(changed).changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    (second,) = simulator.services
    assert (second.model_name, second.ai_nodes) == ("Qwen3-8B", ("ai-1",))
    assert second.id != first.id
    assert stack.ids() == {f"gp-demo:{second.id}"}


def test_replace_option_deletes_before_it_creates(stack: Stack, simulator: Simulator) -> None:
    """`pulumi up --replace` deletes the service, then creates another from the same declaration."""
    stack.up(program(ResourceOptions(delete_before_replace=False)))
    (first,) = simulator.services
    simulator.clear_requests()
    assert stack.up(replace=[URN]).changes == {"replace": 1, "same": 1}
    # The token that led to the deleted service is used up: the next one is asked with at once.
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    (second,) = simulator.services
    assert second.id != first.id
    assert stack.ids() == {f"gp-demo:{second.id}"}
