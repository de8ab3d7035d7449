"""A dynamic provider of somebody else, served by the same host."""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import CreateResult, ResourceProvider


class Neighbour(ResourceProvider):
    """Its errors are its own, and want their traceback."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        raise ValueError(f"the neighbour broke on {props['name']}")
