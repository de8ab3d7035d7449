"""For the same inputs, our requests are those of the official generated client."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.testing import Simulator
from tests.contract.official import comparable, official, ours, send_official, send_ours

_REQUIRED: dict[str, Any] = {
    "dbinstance_id": "gp-demo",
    "model_name": "Qwen3-8B",
    "ai_nodes": ["ai-1"],
}
_SPEC = ModelServiceSpec("gp-demo", "Qwen3-8B", ("ai-1",))
_SERVICE = ModelServiceId("gp-demo", "ms-1")


def _spec(**inputs: Any) -> ModelServiceSpec:
    own = {name: value for name, value in inputs.items() if hasattr(_SPEC, name)}
    others = {name: value for name, value in inputs.items() if name not in own}
    return dataclasses.replace(_SPEC, **own, others=others)


@pytest.mark.parametrize(
    ("ours_fields", "official_fields"),
    [
        ({}, {}),
        ({"ai_nodes": ("ai-2", "ai-1")}, {"ai_nodes": ["ai-2", "ai-1"]}),
        ({"enable_public_connection": False}, {"enable_public_connection": False}),
        ({"enable_public_connection": True}, {"enable_public_connection": True}),
        ({"description": ""}, {"description": ""}),
        ({"description": "模型 für „alle“ &=?+%/"}, {"description": "模型 für „alle“ &=?+%/"}),
        ({"replicas": 3}, {"replicas": 3}),
        ({"model_params": {}}, {"model_params": {}}),
        (
            {"model_params": {"b": {"ü": [1, 2.5, None, True, "\n"]}, "a": ""}},
            {"model_params": {"b": {"ü": [1, 2.5, None, True, "\n"]}, "a": ""}},
        ),
        (
            {"security_ip_list": ("10.0.0.1", "10.1.2.3/16", "0.0.0.0/0")},
            {"security_iplist": "10.0.0.1,10.1.2.3/16,0.0.0.0/0"},
        ),
        ({"resource_group_id": "rg-1"}, {"resource_group_id": "rg-1"}),
        (
            {
                "description": "all",
                "security_ip_list": ("10.0.0.1", "10.0.0.2"),
                "model_params": {"a": {"b": 1}},
                "resource_group_id": "rg-1",
                "replicas": 2,
                "inference_engine": "vllm",
                "enable_public_connection": False,
            },
            {
                "description": "all",
                "security_iplist": "10.0.0.1,10.0.0.2",
                "model_params": {"a": {"b": 1}},
                "resource_group_id": "rg-1",
                "replicas": 2,
                "inference_engine": "vllm",
                "enable_public_connection": False,
            },
        ),
    ],
)
def test_create_equals_the_official_client(
    simulator: Simulator, ours_fields: dict[str, Any], official_fields: dict[str, Any]
) -> None:
    """CreateModelService is the same with all parameters, with few, and with awkward values."""
    fields = {**_REQUIRED, **official_fields, "client_token": "token-1"}
    send_official(official(simulator), "create_model_service", **fields)
    spec = _spec(**ours_fields)
    send_ours(ours(simulator), "create_model_service", spec, "token-1")

    theirs, own = simulator.calls("CreateModelService")
    assert comparable(own) == comparable(theirs)
    assert own.response_status == 200


@pytest.mark.parametrize(
    ("method", "fields", "our_method", "arguments"),
    [
        (
            "describe_model_service",
            {"dbinstance_id": "gp-demo", "model_service_id": "ms-1"},
            "describe_model_service",
            (_SERVICE,),
        ),
        (
            "delete_model_service",
            {"dbinstance_id": "gp-demo", "model_service_id": "ms-1"},
            "delete_model_service",
            (_SERVICE,),
        ),
        (
            "list_model_services",
            {
                "dbinstance_id": "gp-demo",
                "region_id": "cn-hangzhou",
                "page_number": 1,
                "page_size": 100,
            },
            "list_model_services",
            ("gp-demo",),
        ),
        (
            "list_ainode_pools",
            {"dbinstance_id": "gp-demo", "region_id": "cn-hangzhou"},
            "list_ai_nodes",
            ("gp-demo",),
        ),
        ("list_support_models", {"region_id": "cn-hangzhou"}, "list_supported_models", ()),
        (
            "modify_security_ips",
            {
                "dbinstance_id": "gp-demo",
                "dbinstance_iparray_name": "mine",
                "security_iplist": "10.0.0.1,10.1.2.3/16",
            },
            "modify_security_ips",
            ("gp-demo", "mine", ["10.0.0.1", "10.1.2.3/16"]),
        ),
    ],
)
@pytest.mark.parametrize("token", [None, "made-up-token"])
def test_every_other_action_equals_the_official_client(
    method: str,
    fields: dict[str, Any],
    our_method: str,
    arguments: tuple[object, ...],
    token: str | None,
) -> None:
    """The same query, body, headers and signed headers, with and without a session token."""
    with Simulator(security_token=token) as simulator:
        send_official(official(simulator, token), method, **fields)
        send_ours(ours(simulator, token), our_method, *arguments)
        theirs, own = simulator.requests
    assert comparable(own) == comparable(theirs)
    assert theirs.query
    assert own.response_code in (None, "ModelService.NotFound")


def test_the_user_agent_names_this_package(simulator: Simulator) -> None:
    """The cloud's operators can tell who calls; the SDK's own part stays in front."""
    send_official(official(simulator), "list_ainode_pools", dbinstance_id="gp-demo")
    ours(simulator).list_ai_nodes("gp-demo")

    theirs, own = (request.headers["user-agent"] for request in simulator.requests)
    assert own.startswith(theirs.strip())
    assert "pulumi-adbpg-model/" in own


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


def test_create_equals_the_official_client_for_any_values(simulator: Simulator) -> None:
    """Whatever is asked for, both clients put the same on the wire, and the signature holds."""
    client, gateway = official(simulator), ours(simulator)

    @given(
        description=st.none() | _TEXT,
        model_params=st.none() | st.dictionaries(_TEXT, _VALUES, max_size=3),
        resource_group_id=st.none() | _TEXT,
        replicas=st.none() | st.integers(1, 99),
        enable_public_connection=st.none() | st.booleans(),
    )
    def check(**fields: Any) -> None:
        simulator.clear_requests()
        send_official(client, "create_model_service", **_REQUIRED, **fields, client_token="token-1")
        spec = _spec(**fields)
        send_ours(gateway, "create_model_service", spec, "token-1")
        theirs, own = simulator.requests
        assert comparable(own) == comparable(theirs)

    check()
