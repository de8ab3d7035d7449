"""The parameters of CreateModelService, as a program writes them and as the cloud gets them."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.service.state import spec_from
from pulumi_adbpg_model.service.validation import validate
from pulumi_adbpg_model.testing import Simulator
from tests.contract.official import ours


@dataclass(frozen=True)
class Parameter:
    """One row of the API page: its name there, the program's name and value, what is sent."""

    wire: str
    name: str
    declared: object
    sent: str
    place: str = "query"


#: In the page's order. Whole numbers come from the engine as floats.
_PARAMETERS = [
    Parameter("DBInstanceId", "db_instance_id", "gp-demo", "gp-demo"),
    Parameter("ModelName", "model_name", "Qwen3-Embedding-8B", "Qwen3-Embedding-8B"),
    Parameter("Description", "description", "test", "test"),
    Parameter(
        "SecurityIPList",
        "security_ip_list",
        ["127.0.0.1", "10.23.12.24/24"],
        "127.0.0.1,10.23.12.24/24",
    ),
    Parameter("AiNodes", "ai_nodes", ["ai-1", "ai-2"], '["ai-1","ai-2"]'),
    Parameter(
        "ModelParams",
        "model_params",
        {"max_len": 8192.0, "rope": {"factor": 1.5}},
        '{"max_len":8192,"rope":{"factor":1.5}}',
    ),
    Parameter("ResourceGroupId", "resource_group_id", "rg-bp67", "rg-bp67", "body"),
    Parameter("ClientToken", "client_token", "0c593ea1-3bea", "0c593ea1-3bea", "body"),
    Parameter("Replicas", "replicas", 1.0, "1"),
    Parameter("InferenceEngine", "inference_engine", "vllm", "vllm"),
    Parameter("EnablePublicConnection", "enable_public_connection", False, "False"),
]


def _send(gateway: Gateway, declared: dict[str, object]) -> None:
    """Declare, validate and create, as the provider does."""
    assert validate(declared) == []
    gateway.create_model_service(spec_from(declared), str(declared["client_token"]))


def _sent(parameters: list[Parameter], place: str) -> dict[str, str]:
    return {each.wire: each.sent for each in parameters if each.place == place}


def test_every_parameter_of_the_page_is_sent_as_declared(simulator: Simulator) -> None:
    """All eleven parameters, and nothing else, arrive under the page's names."""
    _send(ours(simulator), {each.name: each.declared for each in _PARAMETERS})

    [request] = simulator.calls("CreateModelService")
    assert len(_PARAMETERS) == 11
    assert dict(request.query) == _sent(_PARAMETERS, "query")
    assert dict(request.body) == _sent(_PARAMETERS, "body")
    assert request.response_status == 200


def test_what_is_not_declared_is_not_sent(simulator: Simulator) -> None:
    """The required parameters and the token alone make the smallest request."""
    needed = ["db_instance_id", "model_name", "ai_nodes", "client_token"]
    parameters = [each for each in _PARAMETERS if each.name in needed]
    _send(ours(simulator), {each.name: each.declared for each in parameters})

    [request] = simulator.calls("CreateModelService")
    assert dict(request.query) == _sent(parameters, "query")
    assert dict(request.body) == _sent(parameters, "body")
