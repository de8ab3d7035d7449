"""A program against the public interface, type-checked and never run; see test_typing.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from typing_extensions import assert_type

from pulumi_adbpg_model import (
    GetAiNodePoolsNodeResult,
    GetAiNodePoolsResult,
    GetApiKeyResult,
    GetModelServicesResult,
    GetModelServicesServiceResult,
    GetSupportedModelsResult,
    ModelService,
    ModelServiceArgs,
    ModelServiceArgsDict,
    get_ai_node_pools,
    get_ai_node_pools_output,
    get_api_key,
    get_api_key_output,
    get_model_services,
    get_model_services_output,
    get_supported_models,
    get_supported_models_output,
)
from pulumi_adbpg_model.testing import RecordedRequest, SimulatedService, Simulator

minimal = ModelService(
    "minimal", db_instance_id="gp-1", model_name="Qwen3-Embedding-8B", ai_nodes=["ai-1"]
)

everything = ModelService(
    "everything",
    db_instance_id="gp-1",
    model_name="Qwen3-Embedding-8B",
    ai_nodes=("ai-1", "ai-2"),
    description="embeddings",
    security_ip_list=["10.0.0.0/8"],
    model_params={"max_len": 8192, "deep": {"list": [1, "two"]}},
    resource_group_id="rg-1",
    client_token="token",
    replicas=1,
    inference_engine="vllm",
    enable_public_connection=False,
    region_id="cn-hangzhou",
    wait_for_active=True,
    security_ip_group="models",
    store_api_key=True,
    opts=ResourceOptions(protect=True),
)

unset = ModelService(
    "unset",
    db_instance_id="gp-1",
    model_name="Qwen3-Embedding-8B",
    ai_nodes=["ai-1"],
    description=None,
    security_ip_list=None,
    model_params=None,
    resource_group_id=None,
    client_token=None,
    replicas=None,
    inference_engine=None,
    enable_public_connection=None,
    region_id=None,
    wait_for_active=None,
    security_ip_group=None,
    store_api_key=None,
    opts=None,
)

# Outputs as inputs, whole and inside.
text: Output[str] = minimal.model_service_id
chained = ModelService(
    "chained",
    db_instance_id=minimal.db_instance_id,
    model_name=text,
    ai_nodes=minimal.ai_nodes,
    description=Output.concat("beside ", minimal.model_service_id),
    security_ip_list=[text, "10.0.0.1"],
    model_params={"beside": text},
    replicas=Output.from_input(2),
    enable_public_connection=Output.from_input(True),
)
listed = ModelService("listed", db_instance_id=text, model_name=text, ai_nodes=[text, "ai-1"])

# The same as one object, or as a dictionary.
args = ModelServiceArgs(db_instance_id="gp-1", model_name=text, ai_nodes=[text], replicas=2)
args.description = "set later"
by_args = ModelService("by-args", args)
by_args_with_options = ModelService("by-args-too", args, ResourceOptions(protect=True))
by_args_keyword = ModelService("by-args-keyword", args=args, opts=ResourceOptions(protect=True))
args_dict: ModelServiceArgsDict = {
    "db_instance_id": "gp-1",
    "model_name": text,
    "ai_nodes": ["ai-1", text],
    "model_params": {"max_len": 1},
}
by_dict = ModelService("by-dict", args_dict)
by_literal = ModelService(
    "by-literal", {"db_instance_id": "gp-1", "model_name": "m", "ai_nodes": ["ai-1"]}
)

# Looking up.
found = ModelService.get("found", "gp-1:ms-1")
found_by_output = ModelService.get(
    "found-too", minimal.id, region_id="cn-beijing", opts=ResourceOptions()
)
assert_type(found, ModelService)

# Every output has its type.
assert_type(minimal.db_instance_id, Output[str])
assert_type(minimal.model_name, Output[str])
assert_type(minimal.ai_nodes, Output[Sequence[str]])
assert_type(minimal.description, Output[str | None])
assert_type(minimal.security_ip_list, Output[Sequence[str] | None])
assert_type(minimal.model_params, Output[Mapping[str, Any] | None])
assert_type(minimal.resource_group_id, Output[str | None])
assert_type(minimal.client_token, Output[str | None])
assert_type(minimal.replicas, Output[int | None])
assert_type(minimal.inference_engine, Output[str | None])
assert_type(minimal.enable_public_connection, Output[bool | None])
assert_type(minimal.region_id, Output[str])
assert_type(minimal.wait_for_active, Output[bool | None])
assert_type(minimal.security_ip_group, Output[str | None])
assert_type(minimal.store_api_key, Output[bool | None])
assert_type(minimal.model_service_id, Output[str])
assert_type(minimal.request_id, Output[str])
assert_type(minimal.status, Output[str])
assert_type(minimal.status_reason, Output[str | None])
assert_type(minimal.create_time, Output[str])
assert_type(minimal.private_connect_url, Output[str])
assert_type(minimal.public_connect_url, Output[str | None])
assert_type(minimal.api_key, Output[str])

pulumi.export("url", minimal.private_connect_url)

# Outputs that every active service has go wherever a text does.
assert_type(Output.concat(minimal.private_connect_url, "/v1"), Output[str])
assert_type(Output.concat("Bearer ", minimal.api_key), Output[str])
assert_type(
    Output.format("{0}?since={1}", minimal.private_connect_url, minimal.create_time), Output[str]
)
assert_type(Output.json_dumps({"url": minimal.private_connect_url}), Output[str])
assert_type(minimal.private_connect_url.apply(lambda url: url + "/v1"), Output[str])
assert_type(minimal.api_key.apply(lambda key: key.encode()), Output[bytes])
assert_type(minimal.public_connect_url.apply(lambda url: url or "none"), Output[str])
where: pulumi.Input[str] = minimal.region_id
environment: dict[str, pulumi.Input[str]] = {
    "URL": minimal.private_connect_url,
    "KEY": minimal.api_key,
    "REGION": where,
    "REQUEST": minimal.request_id,
    "OTHER_KEY": get_api_key("gp-1:ms-1").api_key,
    "FOUND": Output.concat(ModelService.get("by-id", "gp-1:ms-1").private_connect_url, "/v1"),
}

# Functions, and their twins with plain values, Outputs and what a resource shows.
services = get_model_services("gp-1", region_id="cn-hangzhou")
assert_type(services, GetModelServicesResult)
assert_type(services.services, tuple[GetModelServicesServiceResult, ...])
assert_type(services.services[0].ai_nodes, tuple[str, ...])
assert_type(services.ids, tuple[str, ...])
assert_type(get_supported_models().model_names, tuple[str, ...])
assert_type(get_ai_node_pools("gp-1").nodes, tuple[GetAiNodePoolsNodeResult, ...])
assert_type(get_ai_node_pools("gp-1").pools[0].nodes[0].bound, bool)
assert_type(get_api_key("gp-1:ms-1").api_key, Output[str])
assert_type(get_model_services_output(minimal.db_instance_id), Output[GetModelServicesResult])
assert_type(get_supported_models_output(minimal.region_id), Output[GetSupportedModelsResult])
assert_type(get_ai_node_pools_output("gp-1", "cn-beijing"), Output[GetAiNodePoolsResult])
assert_type(get_api_key_output(minimal.id, region_id=text), Output[GetApiKeyResult])
picked = ModelService(
    "picked",
    db_instance_id="gp-1",
    model_name=get_supported_models().model_names[0],
    ai_nodes=get_ai_node_pools("gp-1").free_node_names[:1],
)
picked_by_output = ModelService(
    "picked-too",
    db_instance_id="gp-1",
    model_name=get_supported_models_output().model_names[0],
    ai_nodes=get_ai_node_pools_output("gp-1").free_node_names[:1],
)


class Derived(ModelService):
    """A user's own resource class."""


derived = Derived("derived", db_instance_id="gp-1", model_name="m", ai_nodes=["ai-1"])


def check_simulator() -> None:
    """What users' own tests are written with."""
    with Simulator(provision_seconds=0, nodes=["ai-1"]) as simulator:
        assert_type(simulator.endpoint, str)
        assert_type(simulator.services, list[SimulatedService])
        assert_type(simulator.requests, list[RecordedRequest])
        simulator.inject("throttled", "CreateModelService")
