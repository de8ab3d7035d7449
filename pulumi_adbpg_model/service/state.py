"""
Pulumi's property bags: the names of inputs and outputs, and the way between them and `domain`.

State keys are the Python names the user typed. Keys that start with `__` are the package's own: the
CLI does not display them and `diff` ignores them. State written by any release stays readable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pulumi_adbpg_model.domain import (
    UNKNOWN_STATUS,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Phase,
    phase_of,
    same_model_name,
    same_nodes,
    same_text,
    same_whitelist,
)

__all__ = [
    "ADOPT",
    "ALWAYS_SECRET",
    "DECLARED",
    "DEFAULTS",
    "FORMER",
    "INPUTS",
    "MOST_EXACT",
    "MUTE",
    "NUMBER",
    "ORGANIZATION",
    "OUTPUTS",
    "SECRETS",
    "TOKENS",
    "TYPE",
    "UNSEEN",
    "WRITTEN",
    "declared_inputs",
    "declared_names",
    "is_hidden",
    "is_managed",
    "is_mute",
    "is_taking_over",
    "keeps_api_key",
    "last_seen",
    "names_of",
    "outputs",
    "same_value",
    "secret_names",
    "spec_from",
    "waits",
    "wanted_of",
    "was_active",
    "whole_numbers",
]

Properties = Mapping[str, Any]

#: How the types of all dynamic resources begin: a subclass may have one of its own.
_DYNAMIC = "pulumi-python:dynamic"
#: The type of the resource, part of its URN.
TYPE = f"{_DYNAMIC}/adbpg:ModelService"
#: Every input a program can set, in the order of the documentation.
INPUTS = (
    "db_instance_id",
    "model_name",
    "ai_nodes",
    "description",
    "security_ip_list",
    "model_params",
    "resource_group_id",
    "client_token",
    "replicas",
    "inference_engine",
    "enable_public_connection",
    "region_id",
    "wait_for_active",
    "security_ip_group",
    "store_api_key",
)
#: What only the cloud knows.
OUTPUTS = (
    "model_service_id",
    "request_id",
    "status",
    "status_reason",
    "create_time",
    "private_connect_url",
    "public_connect_url",
    "api_key",
)

#: What no text shows, whether it is marked as secret or not.
ALWAYS_SECRET = ("description", "model_params", "client_token")
#: Whole numbers beyond it, either way, may be changed on Pulumi's wire, where all are doubles.
MOST_EXACT = 2**53

#: What inputs that are not set resolve to, where it is not the cloud that decides.
DEFAULTS = {"wait_for_active": True, "store_api_key": True}

#: The organization, which the provider process is not told; part of the client token.
ORGANIZATION = "__organization"
#: The id given as `ResourceOptions(import_=…)`.
ADOPT = "__adopt"
#: Of the run, never stored: how many services the program has made so far. Or a mapping of that
#: `number`, the `names` of these (see `names_of`, a JSON list), `wanted` (pairs of one of
#: `wanted_of` and the names of who wants it) and `one_by_one`: the engine does one thing at a time.
NUMBER = "__number"
#: Which inputs, beside those, the program marks as secret: their names. Only where there are any.
SECRETS = "__secrets"
_MARKABLE = (*INPUTS, ADOPT)
#: In the outputs: which inputs the program set. Refresh is handed outputs alone, and has to give
#: back inputs.
DECLARED = "__declared"
#: In the outputs: the client token that was answered with this service. Empty while a service that
#: is taken over did not show in full yet, so that it is not known to be the one that is declared.
TOKENS = "__tokens"
#: In the outputs: from the first look on, the cloud showed an empty description where one was
#: declared. So it shows none, and an empty one says nothing.
MUTE = "__mute"
#: What is kept of the hidden inputs.
_HIDDEN_INPUTS = (ORGANIZATION, ADOPT)
_FORMER_INPUTS = ("__urn", "timeouts")
#: What 0.1.0 stored besides, and nothing asks for now: the engine tells URN and timeouts with each
#: call. A refresh leaves it, so that its going is no drift.
WRITTEN = "__written"
FORMER = (*_FORMER_INPUTS, WRITTEN)
#: While a service is being deployed, or deleted, the cloud may show it in part.
_SETTLED = (Phase.ACTIVE, Phase.FAILED)
#: The status of a service that the cloud has not shown yet.
UNSEEN = UNKNOWN_STATUS


def is_hidden(name: str) -> bool:
    """Whether the key is the package's or the SDK's own."""
    return name.startswith("__")


def secret_names(*bags: Properties) -> frozenset[str]:
    """The inputs whose values no text may show, by what the program says of them in its inputs."""
    told: set[str] = set()
    for bag in bags:
        names = bag.get(SECRETS)
        told |= {name for name in (names if isinstance(names, list) else ()) if name in _MARKABLE}
    return frozenset({*told, *ALWAYS_SECRET})


def waits(properties: Properties) -> bool:
    """`wait_for_active`, with its default."""
    return properties.get("wait_for_active") is not False


def keeps_api_key(properties: Properties) -> bool:
    """`store_api_key`, with its default."""
    return properties.get("store_api_key") is not False


def whole_numbers(value: Any) -> Any:
    """Turn 2.0 back into 2, at any depth: every number comes over the wire as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole_numbers(item) for item in value]
    return value


def spec_from(properties: Properties) -> ModelServiceSpec:
    """What to ask the cloud for. The properties have passed validation."""
    return ModelServiceSpec(
        db_instance_id=properties["db_instance_id"],
        model_name=properties["model_name"].strip(),
        ai_nodes=tuple(node.strip() for node in properties["ai_nodes"]),
        description=properties.get("description"),
        security_ip_list=tuple(properties.get("security_ip_list") or ()),
        model_params=_in_order(whole_numbers(properties.get("model_params"))),
        resource_group_id=properties.get("resource_group_id"),
        replicas=whole_numbers(properties.get("replicas")),
        inference_engine=properties.get("inference_engine"),
        enable_public_connection=properties.get("enable_public_connection"),
    )


def _in_order(value: Any) -> Any:
    """Mappings sorted by key, at any depth: the wire shuffles them, and one client token has to
    come with one request.
    """
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_in_order(item) for item in value]
    return value


def declared_names(outs: Properties) -> frozenset[str]:
    """Which inputs the program had set when these outputs were written."""
    recorded = outs.get(DECLARED)
    if recorded is not None:
        return frozenset(recorded)
    return frozenset(name for name in INPUTS if outs.get(name) is not None) - {"region_id"}


def outputs(
    inputs: Properties,
    service: ModelServiceId,
    details: ModelServiceDetails | None,
    *,
    region: str | None,
    reason: str | None,
    request_id: str | None,
    declared: frozenset[str] | None = None,
    live_wins: bool = False,
) -> dict[str, Any]:
    """
    The state of a service: every input, and what the cloud shows.

    Args:
        inputs: Inputs of the program, or old outputs, or both.
        service: Its id.
        details: What the cloud shows; None when it never showed anything.
        region: The region in use.
        reason: Why it is not active; only kept when it is not.
        request_id: Of the CreateModelService call.
        declared: The inputs that the program set; None: those that `inputs` has.
        live_wins: Whether a declared value that the cloud contradicts is replaced by the live one,
            as a refresh does.
    """
    if declared is None:
        declared = frozenset(name for name in INPUTS if inputs.get(name) is not None)
    outs: dict[str, Any] = {
        name: whole_numbers(value)
        for name, value in inputs.items()
        if name in declared or name in (*_HIDDEN_INPUTS, TOKENS) or (live_wins and name in FORMER)
    }
    outs[DECLARED] = sorted(declared)
    # While it is being deployed, or deleted, the cloud may show nodes and whitelist in part.
    settled = details is not None and details.phase in _SETTLED
    for name, live in _observed(details).items():
        old = outs.get(name)
        if old is None or (live_wins and settled and not same_value(name, old, live)):
            outs[name] = live
    # An empty description says that it was emptied, unless the cloud never shows any.
    if not same_value("description", outs.get("description"), None):
        mute = is_mute(inputs) and not (details and details.description)
        if settled and _shows_it_emptied(details):
            looked_before = phase_of(inputs.get("status")) in _SETTLED or was_active(inputs)
            mute = mute or not looked_before
            if live_wins and not mute:
                outs["description"] = ""
        if mute and not (live_wins and WRITTEN in inputs):
            outs[MUTE] = True
    outs |= {
        "db_instance_id": service.db_instance_id,
        "region_id": region,
        "model_service_id": service.model_service_id,
        "request_id": request_id,
        "status": (details.status if details else None) or UNSEEN,
    }
    # What the cloud leaves out is not said: a key that others depend on is not lost over it.
    outs["create_time"] = (details and details.create_time) or inputs.get("create_time")
    active = details is not None and details.phase is Phase.ACTIVE
    shown = details if active else None
    # What was active once keeps them, whatever becomes of it: others were made from them.
    outs["private_connect_url"] = (shown and shown.private_connect_url) or inputs.get(
        "private_connect_url"
    )
    outs["public_connect_url"] = (
        shown.public_connect_url if shown else inputs.get("public_connect_url")
    )
    key = (shown and shown.api_key) or inputs.get("api_key")
    outs["api_key"] = key if keeps_api_key(inputs) else None
    if not active:
        outs["status_reason"] = reason
    return {name: value for name, value in outs.items() if value is not None}


def is_mute(outs: Properties) -> bool:
    """Whether the cloud may never have shown the description; 0.1.0 did not look."""
    return bool(outs.get(MUTE)) or WRITTEN in outs


def is_taking_over(outs: Properties) -> bool:
    """Whether the service is still to be compared with what is declared, before it is ours."""
    if TOKENS in outs:
        return bool(outs[TOKENS] == [])
    # 0.1.0, which left this unsaid.
    pending = phase_of(outs.get("status")) is Phase.PENDING
    return pending and ADOPT in outs and WRITTEN in outs


def was_active(outs: Properties) -> bool:
    """Whether the service was active at some time, so that it had an address or a key."""
    return any(outs.get(name) for name in ("private_connect_url", "public_connect_url", "api_key"))


def is_managed(resource: Properties) -> bool:
    """Whether a resource of an export is a service that the stack manages."""
    type_, outputs = str(resource["type"]), resource.get("outputs") or {}
    # Another's own resource may hold a service's id too, but not as the end of its own.
    own_id = str(resource.get("id")).endswith(f":{outputs.get('model_service_id')}")
    service = type_ == TYPE or (type_.startswith(_DYNAMIC) and own_id)
    return service and not resource.get("external")


def names_of(name: str, parent_type: str | None) -> list[str]:
    """
    What a resource may be called in what a run wants.

    Args:
        name: Its own.
        parent_type: The type of its parent, empty without one; None where it is not known.

    Returns:
        Its name under that parent, where that is known, and under any.
    """
    under_any = f"*::{name}"
    return [under_any] if parent_type is None else [f"{parent_type}::{name}", under_any]


def wanted_of(adopted: object, client_token: object) -> list[str]:
    """What leads a resource to a service that is there: an id, and a token that may be a secret."""
    wanted = [adopted] if isinstance(adopted, str) else []
    if isinstance(client_token, str):
        wanted.append(hashlib.sha256(client_token.encode()).hexdigest())
    return wanted


def last_seen(outs: Properties, service: ModelServiceId) -> ModelServiceDetails | None:
    """What these outputs know of the service itself; None when the cloud never showed it."""
    if outs.get("status") in (None, UNSEEN):
        return None
    return ModelServiceDetails(
        service,
        status=outs["status"],
        description=outs.get("description"),
        security_ip_list=tuple(outs.get("security_ip_list") or ()),
        create_time=outs.get("create_time"),
    )


def declared_inputs(outs: Properties) -> dict[str, Any]:
    """The inputs behind these outputs, with live values where a refresh put them."""
    declared = declared_names(outs)
    return {
        name: value
        for name, value in outs.items()
        if name in declared or name in (*_HIDDEN_INPUTS, *_FORMER_INPUTS)
    }


def _observed(details: ModelServiceDetails | None) -> dict[str, Any]:
    """
    The observable inputs that the cloud shows. What it leaves out or empty is not said.

    But for a description that was emptied: see `_shows_it_emptied`.
    """
    if details is None:
        return {}
    shown = {
        "model_name": details.model_name,
        "description": details.description,
        "ai_nodes": list(details.ai_nodes or ()),
        "security_ip_list": list(details.security_ip_list or ()),
    }
    return {name: value for name, value in shown.items() if not same_value(name, value, None)}


def _shows_it_emptied(details: ModelServiceDetails | None) -> bool:
    """
    Whether the cloud says that the description is empty.

    One that leaves a field empty in place of leaving it out does so with the others, too.
    """
    return (
        details is not None
        and details.description == ""
        and bool(details.model_name and details.ai_nodes)
    )


def same_value(name: str, one: Any, other: Any) -> bool:
    """Whether two values of an input mean the same to the cloud."""
    # Old states may hold anything.
    are_texts = all(value is None or isinstance(value, str) for value in (one, other))
    if name == "model_name" and are_texts:
        return same_model_name(one, other)
    if name == "description" and are_texts:
        return same_text(one, other)
    if name == "ai_nodes":
        return same_nodes(one, other)
    if name == "security_ip_list":
        return same_whitelist(one, other)
    if name == "model_params":
        return _as_json(one or None) == _as_json(other or None)
    return bool(whole_numbers(one) == whole_numbers(other))


def _as_json(value: Any) -> str:
    """JSON text, which tells true from 1 as Python does not."""
    return json.dumps(whole_numbers(value), sort_keys=True, default=repr)
