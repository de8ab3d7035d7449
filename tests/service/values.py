"""What several unit tests share: a declaration, what the cloud shows, strategies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId

SERVICE = ModelServiceId("gp-demo", "ms-1")

#: Every input, set to a value that passes validation.
FULL: dict[str, Any] = {
    "db_instance_id": "gp-demo",
    "model_name": "Qwen3-Embedding-8B",
    "ai_nodes": ["ai-1", "ai-2"],
    "description": "embeddings",
    "security_ip_list": ["10.0.0.1", "10.1.0.0/16"],
    "model_params": {"max_len": 8, "nested": {"stops": [1, 2]}},
    "resource_group_id": "rg-1",
    "client_token": "token-1",
    "replicas": 2,
    "inference_engine": "vllm",
    "enable_public_connection": True,
    "region_id": "cn-hangzhou",
    "wait_for_active": True,
    "security_ip_group": "ms_1",
    "store_api_key": True,
}

#: The required inputs alone.
MINIMAL: dict[str, Any] = {
    "db_instance_id": "gp-demo",
    "model_name": "Qwen3-Embedding-8B",
    "ai_nodes": ["ai-1"],
}

#: What state of 0.1.0 holds besides, and nothing reads any more.
OLD_KEYS: dict[str, Any] = {
    "__urn": "urn:1",
    "timeouts": {"create": "90m"},
    "__written": 1000.5,
}


def live(**shown: Any) -> ModelServiceDetails:
    """The service of `FULL` as the cloud shows it, active."""
    values: dict[str, Any] = {
        "status": "active",
        "model_name": "Qwen3-Embedding-8B",
        "description": "embeddings",
        "ai_nodes": ("ai-1", "ai-2"),
        "security_ip_list": ("10.0.0.1", "10.1.0.0/16"),
        "create_time": "2026-03-21T08:00:00Z",
        "private_connect_url": "http://ms-1.example",
        "public_connect_url": "http://ms-1-o.example",
        "api_key": "made-up-api-key",
    }
    return ModelServiceDetails(id=SERVICE, **(values | shown))


def known(tokens: list[str] | None = None) -> dict[str, Any]:
    """What is known of a service beside what the cloud shows."""
    return {"region_id": "cn-hangzhou", "request_id": "r-1", "__tokens": tokens}


def as_floats(value: Any) -> Any:
    """The value as it comes over the wire: every number a float, every sequence a list."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, Mapping):
        return {key: as_floats(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_floats(item) for item in value]
    return value


#: Numbers that the wire leaves as they are: on it, all are floats.
wire_integers = st.integers(-(2**53), 2**53)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | wire_integers
    | st.floats(-(2.0**53), 2.0**53)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)

names = st.text("abz09-", max_size=5).map(lambda tail: f"a{tail}")

networks = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.tuples(st.ip_addresses(v=4), st.integers(1, 32)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    st.just("0.0.0.0/0"),
)

#: Declarations that pass validation; an optional input is absent, or set.
declarations = st.fixed_dictionaries(
    {
        "db_instance_id": names,
        "model_name": names,
        "ai_nodes": st.lists(names, min_size=1, max_size=4, unique=True),
    },
    optional={
        "description": st.text(max_size=20),
        "security_ip_list": st.lists(networks, max_size=5),
        "model_params": st.dictionaries(names, json_values, max_size=3),
        "resource_group_id": names,
        "client_token": names,
        "replicas": st.integers(1, 2**31),
        "inference_engine": st.just("vllm"),
        "enable_public_connection": st.booleans(),
        "region_id": st.sampled_from(["cn-hangzhou", "ap-southeast-1"]),
        "wait_for_active": st.booleans(),
        "security_ip_group": names,
        "store_api_key": st.booleans(),
    },
)
