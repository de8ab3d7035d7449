"""Whether a model can be deployed on the nodes that a request names."""

from __future__ import annotations

from collections.abc import Sequence

from . import errors
from .dialects import Dialects
from .parameters import CreateRequest
from .state import Instance, State


class Placement:
    """Knows the supported models, and which nodes are taken."""

    def __init__(self, models: Sequence[str], dialects: Dialects) -> None:
        self._models = models
        self._deletion = dialects.deletion

    def check_busy(self, state: State, instance: Instance, now: float) -> None:
        """Refuse while a deletion still occupies the instance."""
        gone = (s for s in state.deleted.values() if s.instance_id == instance.id)
        if any(self._deletion.keeps_busy(now - service.gone_at) for service in gone):
            raise errors.instance_busy()

    def check(self, state: State, instance: Instance, request: CreateRequest, now: float) -> None:
        """Refuse an unknown model, and nodes that are unknown or taken."""
        if request.model_name not in self._models:
            raise errors.invalid_parameter("ModelName", "the model is not supported")
        bound = self.bound(state, instance.id, now)
        for node in request.ai_nodes:
            if node not in instance.nodes:
                why = f"the instance has no AI node {node}"
                raise errors.invalid_parameter("AiNodes", why)
            if node in bound:
                raise errors.node_bound(node)

    def bound(self, state: State, instance_id: str, now: float) -> set[str]:
        """Return the nodes that hold a service, or still seem to."""
        lingering = [
            service
            for service in state.deleted.values()
            if self._deletion.keeps_bound(now - service.gone_at)
        ]
        return {
            node
            for service in (*state.services.values(), *lingering)
            if service.instance_id == instance_id
            for node in service.ai_nodes
        }
