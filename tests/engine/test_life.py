"""The life of a service on the real engine: previewed, created, left alone, replaced, destroyed."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import Output, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import URN, declare, mutations, pulumi_ids
from tests.engine.support.stack import Program, Stack

_TOKEN = "0c593ea1-3bea-11e9-b96b-887766554433"
_INPUTS: dict[str, Any] = {
    "db_instance_id": "gp-demo",
    "model_name": "Qwen3-Reranker-8B",
    "ai_nodes": ["ai-2", "ai-1"],
    "description": "ranks & sorts: 100 % für alle",
    "security_ip_list": ["10.23.12.24/24", "192.168.1.7"],
    "model_params": {"max_tokens": 4096, "ratio": 0.5, "stop": ["a", "b"]},
    "resource_group_id": "rg-bp67acfmxazb4p",
    "replicas": 2,
    "inference_engine": "vllm",
    "enable_public_connection": True,
}
_ADDED = (
    "region_id",
    "status",
    "status_reason",
    "create_time",
    "private_connect_url",
    "public_connect_url",
    "api_key",
)


def _program(**changed: str) -> Program:
    """Every input is set, and everything that the service says is exported."""

    def run() -> None:
        # An AI node hosts one model: the old service goes first, whatever the program asks for.
        opts = ResourceOptions(delete_before_replace=False)
        inputs = _INPUTS | changed
        service = declare(opts=opts, client_token=Output.secret(_TOKEN), **inputs)
        for name in (*_INPUTS, *_ADDED):
            pulumi.export(name, getattr(service, name))

    return run


def test_life_of_a_service(stack: Stack, simulator: Simulator) -> None:
    """From preview to destroy, with every input set and a secret `client_token` of one's own."""
    # Preview of a new service: its creation is planned; nothing but the preflight asks the cloud.
    previewed = stack.preview(_program())
    assert previewed.changes == {"create": 2}
    assert "warning: " not in previewed.output
    assert sorted(call.action for call in simulator.requests) == [
        "ListAINodePools",
        "ListModelServices",
        "ListSupportModels",
    ]

    # Up: one call holds all eleven parameters of its page, as query and form body.
    created = stack.up(_program())
    (call,) = simulator.mutations
    assert call.action == "CreateModelService"
    assert call.query == {
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
    assert call.body == {"ClientToken": _TOKEN, "ResourceGroupId": "rg-bp67acfmxazb4p"}

    # The outputs are the inputs as typed, and what the live service shows.
    (live,) = simulator.services
    assert created.outputs == {
        **_INPUTS,
        "region_id": "cn-hangzhou",
        "status": "active",  # and no reason: the engine drops None
        "create_time": live.create_time,
        "private_connect_url": f"http://{live.id}.gp-demo.rds.aliyuncs.com",
        "public_connect_url": f"http://{live.id}-o.gp-demo.rds.aliyuncs.com",
        "api_key": live.api_key,
    }
    assert stack.ids() == {f"gp-demo:{live.id}"}

    # As declared: neither preview nor up nor refresh touches it.
    before = stack.resource(show_secrets=True)
    simulator.clear_requests()
    assert stack.preview().changes == {"same": 2}
    assert stack.refresh().changes == {"same": 2}
    assert stack.up().changes == {"same": 2}
    assert mutations(simulator) == []
    assert simulator.services == [live]
    after = stack.resource(show_secrets=True)
    assert (after["inputs"], after["outputs"]) == (before["inputs"], before["outputs"])

    # A changed input: the preview plans the replacement, which deletes before it creates. For the
    # second service another token is derived from the one that was given.
    changed = _program(model_name="Qwen3-8B")
    assert stack.preview(changed).changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == []
    replaced = stack.up(changed)
    assert replaced.changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    (second,) = simulator.services
    assert (second.model_name, set(second.ai_nodes)) == ("Qwen3-8B", {"ai-1", "ai-2"})
    assert second.id != live.id
    assert stack.ids() == {f"gp-demo:{second.id}"}

    # `--replace` obeys too, and no token leads to either of the dead services.
    simulator.clear_requests()
    again = stack.up(replace=[URN])
    assert again.changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    assert stack.ids() == pulumi_ids(simulator)
    assert stack.ids().isdisjoint({f"gp-demo:{one.id}" for one in (live, second)})

    # Destroy: neither the cloud nor the state holds anything.
    simulator.clear_requests()
    destroyed = stack.destroy()
    assert destroyed.changes == {"delete": 2}
    assert mutations(simulator) == ["DeleteModelService"]
    assert simulator.services == []
    assert stack.resources() == []

    # Neither the token nor the key was in clear at any time; the state's folder keeps history.
    shown = "".join(one.output for one in (previewed, created, replaced, again, destroyed))
    for secret in (_TOKEN, str(live.api_key)):
        assert secret not in shown + stack.state_text()
