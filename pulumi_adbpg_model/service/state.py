"""
Pulumi's property bags: the names of inputs and outputs, and the way between them and `domain`.

State keys are the Python names the user typed. Keys that start with `__` are the package's own: the
CLI does not display them and `diff` ignores them. State written by any release stays readable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pulumi_adbpg_model.domain import (
    UNKNOWN_STATUS,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Phase,
    phase_of,
)
from pulumi_adbpg_model.fields import ALWAYS_SECRET, FIELDS, INPUTS, SENT, same_value

Properties = Mapping[str, Any]

#: How the types of all dynamic resources begin: a subclass may have one of its own.
_DYNAMIC = "pulumi-python:dynamic"
#: The type of the resource, part of its URN.
TYPE = f"{_DYNAMIC}/adbpg:ModelService"
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
#: While a service is being deployed, or deleted, the cloud may show nodes and whitelist in part.
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


def spec_from(properties: Properties) -> ModelServiceSpec:
    """What to ask the cloud for. The properties have passed validation."""
    asked = {one.name: one.asked(properties.get(one.name)) for one in SENT}
    own = {one.name: asked.pop(one.name) for one in fields(ModelServiceSpec) if one.name in asked}
    others = {name: value for name, value in asked.items() if value is not None}
    return ModelServiceSpec(**own, others=others)


def declared_names(outs: Properties) -> frozenset[str]:
    """Which inputs the program had set when these outputs were written."""
    recorded = outs.get(DECLARED)
    if recorded is not None:
        return frozenset(recorded)
    return frozenset(name for name in INPUTS if outs.get(name) is not None) - {"region_id"}


def outputs(
    inputs: Properties,
    known: Properties,
    service: ModelServiceId,
    details: ModelServiceDetails | None,
    reason: str | None,
    *,
    live_wins: bool = False,
) -> dict[str, Any]:
    """
    The state of a service: every input, and what the cloud shows.

    Args:
        inputs: What the program set.
        known: Outputs that are known already: the old ones, or region, request id and `TOKENS`.
        service: Its id.
        details: What the cloud shows; None when it never showed anything.
        reason: Why it is not active; only kept when it is not.
        live_wins: Whether a declared value that the cloud contradicts is replaced by the live one,
            as a refresh does.
    """
    echoed = _echoed(inputs, known, refresh=live_wins)
    observed = _observed(echoed, known, details, live_wins=live_wins)
    outs = echoed | observed | _connecting(known, details, keep_key=keeps_api_key(inputs))
    outs |= {
        "db_instance_id": service.db_instance_id,
        "region_id": known.get("region_id"),
        "model_service_id": service.model_service_id,
        "request_id": known.get("request_id"),
        "status": (details.status if details else None) or UNSEEN,
    }
    if details is None or details.phase is not Phase.ACTIVE:
        outs["status_reason"] = reason
    outs = {name: value for name, value in outs.items() if value is not None}
    if is_taking_over(outs) and not is_taking_over(known):  # of 0.1.0, and only not active now
        del outs[WRITTEN]
    return outs


def _echoed(inputs: Properties, known: Properties, *, refresh: bool) -> dict[str, Any]:
    """What is kept as the program set it, and what earlier runs recorded of that."""
    names = {*INPUTS, *_HIDDEN_INPUTS, *(_FORMER_INPUTS if refresh else ())}
    outs = {name: value for name, value in inputs.items() if name in names and value is not None}
    outs[DECLARED] = sorted(name for name in outs if name in INPUTS)
    outs[TOKENS] = [] if is_taking_over(known) else known.get(TOKENS)
    if refresh:
        outs[WRITTEN] = known.get(WRITTEN)
    return outs


def _observed(
    echoed: Properties,
    known: Properties,
    details: ModelServiceDetails | None,
    *,
    live_wins: bool,
) -> dict[str, Any]:
    """The inputs as the cloud shows them, where that is to be told; and `MUTE`."""
    settled = details is not None and details.phase in _SETTLED
    found = {}
    for name, live in _shown(details).items():
        old = echoed.get(name)
        if old is None or (live_wins and settled and not same_value(name, old, live)):
            found[name] = live
    # An empty description says that it was emptied, unless the cloud never shows any.
    description = found.get("description", echoed.get("description"))
    if same_value("description", description, None):
        return found
    mute = is_mute(known) and not (details and details.description)
    if settled and _shows_it_emptied(details):
        mute = mute or not (phase_of(known.get("status")) in _SETTLED or was_active(known))
        if live_wins and not mute:
            found["description"] = ""
    if mute and not (live_wins and WRITTEN in known):
        found[MUTE] = True
    return found


def _connecting(
    known: Properties, details: ModelServiceDetails | None, *, keep_key: bool
) -> dict[str, Any]:
    """
    What others are made from. What the cloud leaves out is not said, and what was active once keeps
    them, whatever becomes of it.
    """
    active = details if details is not None and details.phase is Phase.ACTIVE else None
    private, key = (known.get(name) for name in ("private_connect_url", "api_key"))
    return {
        "create_time": (details and details.create_time) or known.get("create_time"),
        "private_connect_url": (active and active.private_connect_url) or private,
        "public_connect_url": (
            active.public_connect_url if active else known.get("public_connect_url")
        ),
        "api_key": ((active and active.api_key) or key) if keep_key else None,
    }


def tokens_of(token: str | None, details: ModelServiceDetails | None) -> list[str] | None:
    """`TOKENS` of what was just created or taken over; None once it is taken over."""
    if token is not None:
        return [token]
    return None if details is not None and details.phase is Phase.ACTIVE else []


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


def was_seen(outs: Properties) -> bool:
    """Whether the cloud has shown the service."""
    return outs.get("status") not in (None, UNSEEN)


def last_seen(outs: Properties, service: ModelServiceId) -> ModelServiceDetails | None:
    """What these outputs know of the service itself; None when the cloud never showed it."""
    if not was_seen(outs):
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


def _shown(details: ModelServiceDetails | None) -> dict[str, Any]:
    """
    The inputs that the cloud shows. What it leaves out or empty is not said.

    But for a description that was emptied: see `_shows_it_emptied`.
    """
    if details is None:
        return {}
    values = {one.name: getattr(details, one.name) for one in FIELDS if one.shown}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if not same_value(name, value, None)
    }


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
