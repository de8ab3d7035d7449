"""Dialects of ListAINodePools: what stands beside the name of a node, and the pool's id."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Nodes:
    """Values that the API page shows as an example and does not explain."""

    names: frozenset[str]

    def bind_object(self) -> str:
        """Return what a bound node is bound to: the kind of it, not which one."""
        if "nodes-bind-object-service" in self.names:
            return "ModelService"
        return "model_serving"

    def namespace(self, instance_id: str) -> str:
        """Return the namespace of the nodes of an instance."""
        return instance_id if "nodes-namespace-instance" in self.names else "adbpg-ainode"

    def pool_id(self, instance_id: str) -> str:
        """Return the id of the pool of an instance, which is always the same."""
        if "nodes-pool-of-instance" in self.names:
            return f"ainp-{instance_id}"
        return f"aipool-{hashlib.sha256(instance_id.encode()).hexdigest()[:9]}"
