"""Reading request parameters: everything arrives as text, and leaves typed or refused.

Boundary: shape only. Whether a model, node or instance exists is for `cloud` to say.
An empty value counts as absent, as RPC gateways do, but for Description, which is kept as sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .errors import invalid_parameter, missing_parameter
from .whitelists import addresses

Parameters = Mapping[str, str]

PAGE_SIZES = (20, 30, 50, 100)
_MAX_TOKEN = 64
_MODIFY_MODES = {
    "0": "cover",
    "cover": "cover",
    "1": "append",
    "append": "append",
    "2": "delete",
    "delete": "delete",
}


@dataclass(frozen=True)
class CreateRequest:
    """The parameters of CreateModelService, typed."""

    instance_id: str
    model_name: str
    ai_nodes: tuple[str, ...]
    description: str | None
    whitelist: tuple[str, ...]
    model_params: dict[str, Any]
    replicas: int
    inference_engine: str
    public: bool
    resource_group_id: str | None
    client_token: str | None

    def fingerprint(self) -> str:
        """Everything that was asked: what two requests of one token must share."""
        return json.dumps(asdict(self), sort_keys=True)


def required(parameters: Parameters, name: str) -> str:
    """Return a parameter that must be there."""
    value = parameters.get(name)
    if not value:
        raise missing_parameter(name)
    return value


def create_request(parameters: Parameters, default_whitelist: tuple[str, ...]) -> CreateRequest:
    """Read CreateModelService; the required ones are looked for first."""
    instance_id = required(parameters, "DBInstanceId")
    model_name = required(parameters, "ModelName")
    nodes = required(parameters, "AiNodes")
    engine = parameters.get("InferenceEngine") or "vllm"
    if engine != "vllm":
        raise invalid_parameter("InferenceEngine", "only vllm is supported")
    sent = parameters.get("SecurityIPList")
    return CreateRequest(
        instance_id=instance_id,
        model_name=model_name,
        ai_nodes=_nodes(nodes),
        description=parameters.get("Description"),
        whitelist=addresses(sent) if sent else default_whitelist,
        model_params=_model_params(parameters.get("ModelParams")),
        replicas=_positive("Replicas", parameters.get("Replicas"), 1),
        inference_engine=engine,
        public=_boolean("EnablePublicConnection", parameters.get("EnablePublicConnection")),
        resource_group_id=parameters.get("ResourceGroupId") or None,
        client_token=_client_token(parameters.get("ClientToken")),
    )


def page(parameters: Parameters) -> tuple[int, int]:
    """Return PageNumber and PageSize (20 by default)."""
    number = _positive("PageNumber", parameters.get("PageNumber"), 1)
    size = _positive("PageSize", parameters.get("PageSize"), PAGE_SIZES[0])
    if size not in PAGE_SIZES:
        raise invalid_parameter("PageSize", f"must be one of {PAGE_SIZES}")
    return number, size


def modify_mode(parameters: Parameters) -> str:
    """Return cover, append or delete; both spellings that the pages show are taken."""
    mode = _MODIFY_MODES.get((parameters.get("ModifyMode") or "cover").lower())
    if mode is None:
        raise invalid_parameter("ModifyMode", "must be 0 or Cover, 1 or Append, 2 or Delete")
    return mode


def _nodes(text: str) -> tuple[str, ...]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, list) or not all(isinstance(n, str) and n for n in value):
        raise invalid_parameter("AiNodes", "must be a JSON array of strings")
    if not value:
        raise invalid_parameter("AiNodes", "must name at least one node")
    if len(set(value)) != len(value):
        raise invalid_parameter("AiNodes", "names a node twice")
    return tuple(value)


def _model_params(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise invalid_parameter("ModelParams", "must be a JSON object")
    return value


def _positive(name: str, text: str | None, default: int) -> int:
    if not text:
        return default
    if re.fullmatch(r"[0-9]{1,9}", text) is None or int(text) < 1:
        raise invalid_parameter(name, "must be an integer of at least 1")
    return int(text)


def _boolean(name: str, text: str | None) -> bool:
    if not text:
        return False
    if text.lower() not in ("true", "false"):
        raise invalid_parameter(name, "must be true or false")
    return text.lower() == "true"


def _client_token(text: str | None) -> str | None:
    if not text:
        return None
    if len(text) > _MAX_TOKEN or not text.isascii():
        raise invalid_parameter("ClientToken", f"must be at most {_MAX_TOKEN} ASCII characters")
    return text
