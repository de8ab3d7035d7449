"""The state of a stack, as `pulumi stack export` prints it."""

from __future__ import annotations

import json
from typing import Any

from pulumi_adbpg_model.service.state import TYPE
from tests.provider.dynamic_host import Stored


class Exported:
    """What the provider is given when it asks for the state of its stack."""

    def __init__(self) -> None:
        #: Whether it can be had.
        self.there = True
        #: Organization and URN of each time that it was asked for.
        self.asked: list[tuple[str, str]] = []
        self._resources: dict[str, dict[str, Any]] = {}

    def hold(
        self, urn: str, stored: Stored, *, retained: bool = False, replaced: bool = False
    ) -> None:
        """Have a resource in the state; what is replaced is deleted, and its successor not made."""
        self._resources[urn] = {
            "urn": urn,
            "type": TYPE,
            "custom": True,
            "id": stored.id,
            "outputs": stored.outs,
            "retainOnDelete": retained,
            "pendingReplacement": replaced,
        }

    def text(self, organization: str, urn: str) -> str | None:
        """See `ModelServiceProvider.export_stack`."""
        self.asked.append((organization, urn))
        if not self.there:
            return None
        deployment = {"resources": list(self._resources.values())}
        return json.dumps({"version": 3, "deployment": deployment})
