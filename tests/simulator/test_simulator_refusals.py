"""Every refusal: its status, its code, what it names, and that nothing happened."""

from __future__ import annotations

import json

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import Raw, Refuse, Sdk

CREATE = {"DBInstanceId": "gp-demo", "ModelName": "Qwen3-Embedding-8B", "AiNodes": '["ai-1"]'}
SERVICE = {"DBInstanceId": "gp-demo", "ModelServiceId": "ms-1"}


@pytest.mark.parametrize(
    ("action", "parameters", "missing"),
    [
        *(("CreateModelService", CREATE, name) for name in CREATE),
        *(("DescribeModelService", SERVICE, name) for name in SERVICE),
        *(("DeleteModelService", SERVICE, name) for name in SERVICE),
        ("ListModelServices", {"DBInstanceId": "gp-demo"}, "DBInstanceId"),
        ("ListAINodePools", {"DBInstanceId": "gp-demo"}, "DBInstanceId"),
        (
            "ModifySecurityIps",
            {"DBInstanceId": "gp-demo", "SecurityIPList": "1.1.1.1"},
            "DBInstanceId",
        ),
        (
            "ModifySecurityIps",
            {"DBInstanceId": "gp-demo", "SecurityIPList": "1.1.1.1"},
            "SecurityIPList",
        ),
    ],
)
@pytest.mark.parametrize("empty", [False, True])
def test_missing_parameter(
    simulator: Simulator,
    raw: Raw,
    action: str,
    parameters: dict[str, str],
    missing: str,
    *,
    empty: bool,
) -> None:
    """A required parameter that is absent or empty is named, and nothing is done."""
    query = {key: value for key, value in parameters.items() if key != missing}
    if empty:
        query[missing] = ""

    response = raw.call(action, query)
    assert (response.status_code, response.json()["Code"]) == (400, "MissingParameter")
    assert missing in response.json()["Message"]
    assert simulator.services == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Replicas", "0"),
        ("Replicas", "-1"),
        ("Replicas", "1.0"),
        ("Replicas", "two"),
        ("Replicas", "True"),
        ("InferenceEngine", "sglang"),
        ("InferenceEngine", "VLLM"),
        ("AiNodes", "ai-1"),
        ("AiNodes", "[]"),
        ("AiNodes", '["ai-1","ai-1"]'),
        ("AiNodes", '["ai-1",2]'),
        ("AiNodes", '[""]'),
        ("AiNodes", '{"a":1}'),
        ("AiNodes", '["ai-9"]'),
        ("ModelParams", "[]"),
        ("ModelParams", "null"),
        ("ModelParams", "{"),
        ("EnablePublicConnection", "1"),
        ("EnablePublicConnection", "yes"),
        ("SecurityIPList", "::1"),
        ("SecurityIPList", "10.0.0"),
        ("SecurityIPList", "10.0.0.1/0"),
        ("SecurityIPList", "10.0.0.1/33"),
        ("SecurityIPList", "10.0.0.1/255.0.0.0"),
        ("SecurityIPList", "10.0.0.1/"),
        ("SecurityIPList", "10.0.0.1, 10.0.0.2"),
        ("SecurityIPList", "10.0.0.1,"),
        ("SecurityIPList", "example"),
        ("SecurityIPList", ",".join(["10.0.0.1"] * 1001)),
        ("ClientToken", "x" * 65),
        ("ClientToken", "schlüssel"),
        ("ModelName", "No-Such-Model"),
    ],
)
def test_invalid_parameter(simulator: Simulator, raw: Raw, name: str, value: str) -> None:
    """A bad value is refused by the name of its parameter, and nothing is made."""
    response = raw.call("CreateModelService", {**CREATE, name: value})

    assert (response.status_code, response.json()["Code"]) == (400, "InvalidParameter")
    assert name in response.json()["Message"]
    assert simulator.services == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Replicas", "8"),
        ("EnablePublicConnection", "False"),
        ("EnablePublicConnection", "TRUE"),
        ("EnablePublicConnection", ""),
        ("SecurityIPList", "0.0.0.0/0"),
        ("SecurityIPList", "10.23.12.24/24"),
        ("SecurityIPList", "10.0.0.1/32"),
        ("SecurityIPList", ",".join(f"10.0.{n // 250}.{n % 250}/32" for n in range(1000))),
        ("ClientToken", "x" * 64),
        ("ModelParams", json.dumps({"a": {"b": [1]}})),
    ],
)
def test_valid_parameter(simulator: Simulator, raw: Raw, name: str, value: str) -> None:
    """The documented extremes are taken, a whitelist of 1000 in the query string among them."""
    assert raw.call("CreateModelService", {**CREATE, name: value}).status_code == 200
    assert len(simulator.services) == 1


@pytest.mark.parametrize(
    "query", [{"PageNumber": "0"}, {"PageNumber": "x"}, {"PageSize": "10"}, {"PageSize": "0"}]
)
def test_invalid_page(raw: Raw, query: dict[str, str]) -> None:
    """Pages start at 1 and come in the documented sizes."""
    response = raw.call("ListModelServices", {"DBInstanceId": "gp-demo", **query})

    assert (response.status_code, response.json()["Code"]) == (400, "InvalidParameter")
    assert next(iter(query)) in response.json()["Message"]


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("CreateModelService", {"ModelName": "Qwen3-Embedding-8B", "AiNodes": '["ai-1"]'}),
        ("DescribeModelService", {"ModelServiceId": "ms-1"}),
        ("DeleteModelService", {"ModelServiceId": "ms-1"}),
        ("ListModelServices", {}),
        ("ListAINodePools", {}),
        ("ModifySecurityIps", {"SecurityIPList": "1.1.1.1"}),
    ],
)
def test_unknown_instance(raw: Raw, action: str, more: dict[str, str]) -> None:
    """Every action on an instance that is not there says that the instance is not there."""
    refused = raw.refused(action, {"DBInstanceId": "gp-none", **more})
    assert refused == (404, "InvalidDBInstanceId.NotFound")


@pytest.mark.parametrize("action", ["DescribeModelService", "DeleteModelService"])
def test_unknown_service(simulator: Simulator, sdk: Sdk, raw: Raw, action: str) -> None:
    """A service that is not there, or is another instance's, is not found and stays."""
    simulator.add_instance("gp-other", [])
    service_id = sdk.create("ai-1")

    assert raw.refused(action, SERVICE) == (404, "ModelService.NotFound")
    elsewhere = {"DBInstanceId": "gp-other", "ModelServiceId": service_id}
    assert raw.refused(action, elsewhere) == (404, "ModelService.NotFound")
    assert len(simulator.services) == 1


def test_node_bound(simulator: Simulator, sdk: Sdk, refusal: Refuse) -> None:
    """A taken node is named, its holder is not, and no part of the create happens."""
    holder = sdk.create("ai-1")

    refused = refusal(sdk.create, "ai-2", "ai-1")
    assert refused.pair == (400, "OperationDenied.AINodeBound")
    assert "ai-1" in refused.message
    assert holder not in refused.message
    assert len(simulator.services) == 1
    assert sdk.bound_nodes() == ["ai-1"]


def test_unknown_action(raw: Raw) -> None:
    """An action that this API does not have is not found."""
    assert raw.refused("UpdateModelService") == (404, "InvalidAction.NotFound")


def test_wrong_version(raw: Raw) -> None:
    """Only the one version of the API is served."""
    raw.headers["x-acs-version"] = "2020-01-01"
    assert raw.refused("ListSupportModels") == (400, "InvalidVersion")


def test_an_error_has_the_gateways_elements(raw: Raw) -> None:
    """Errors are JSON with the five elements that the gateway sends."""
    response = raw.call("UpdateModelService")

    assert response.headers["content-type"].startswith("application/json")
    assert response.json().keys() == {"RequestId", "HostId", "Code", "Message", "Recommend"}
