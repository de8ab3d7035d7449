"""Client tokens: the same declaration asks with the same one, so a repeat finds its own service."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec

__all__ = ["TokenChain", "first_token", "next_token"]


@dataclass(frozen=True)
class TokenChain:
    """The first token of a declaration, and the one that the cloud answered with a live service."""

    first: str
    last: str


def first_token(organization: str, urn: str, region: str | None, spec: ModelServiceSpec) -> str:
    """
    The token of a declared service: 64 hexadecimal digits, the API's limit.

    It depends on what is declared alone, so a killed `pulumi up`, run again anywhere, sends it
    again; another stack, resource, region or input gives another token.
    """
    asked = dataclasses.asdict(spec)
    text = json.dumps([organization, urn, region, asked], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def next_token(token: str, dead: ModelServiceId) -> str:
    """The token to use when the cloud answered `token` with a service that is gone."""
    return hashlib.sha256(f"{token}:{dead.model_service_id}".encode()).hexdigest()
