"""What time does to services: deployments end, and deletions.

Decision: nothing runs in the background. Whoever looks first settles what was due by then, in
the order in which it was due and as of its moment.
"""

from __future__ import annotations

import math

from .dialects import Dialects
from .history import History
from .state import ACTIVE, DELETED, DELETING, DEPLOYING, Service, State

_GONE = "gone"


class Progress:
    """Moves services on, and remembers what must be remembered of them."""

    def __init__(self, dialects: Dialects, history: History, delete_seconds: float) -> None:
        self._dialects = dialects
        self._history = history
        self._delete_seconds = delete_seconds
        self._settled_at = -math.inf
        self.held = False

    def settle(self, state: State, now: float) -> bool:
        """Do what is due by now; tell whether anything was."""
        due = [service for service in state.services.values() if self._is_due(service, now)]
        for service in sorted(due, key=lambda service: service.changes_at):
            # A deployment that was held ends when it is released.
            moment = max(service.changes_at, self._settled_at)
            if service.next_status == _GONE:
                self.remove(state, service, moment)
            else:
                service.status, service.next_status = service.next_status or ACTIVE, None
                if service.status == ACTIVE:
                    connect(service)
            self._history.record(state, moment)
        self._settled_at = now
        return bool(due)

    def _is_due(self, service: Service, now: float) -> bool:
        waiting = service.next_status is not None and now >= service.changes_at
        return waiting and not (self.held and service.status == DEPLOYING)

    def begin_delete(self, service: Service, now: float) -> None:
        """Let a service be deleted from now on."""
        service.status_before, service.deleting_since = service.status, now
        service.status, service.next_status = DELETING, _GONE
        service.changes_at = now + self._dialects.deletion.seconds(self._delete_seconds)

    def remove(self, state: State, service: Service, now: float) -> None:
        """Take a service out; its nodes become free. The caller is writing."""
        touch_nodes(state, service, now)
        del state.services[service.id]
        if self._dialects.remembers_deleted():
            service.status, service.next_status, service.gone_at = DELETED, None, now
            state.deleted[service.id] = service


def connect(service: Service) -> None:
    """Give an active service its addresses."""
    domain = f"{service.instance_id}.rds.aliyuncs.com"
    service.private_url = service.private_url or f"http://{service.id}.{domain}"
    if service.public:
        service.public_url = service.public_url or f"http://{service.id}-o.{domain}"


def touch_nodes(state: State, service: Service, now: float) -> None:
    """Mark the nodes of a service as changed."""
    instance = state.instances.get(service.instance_id)
    for name in service.ai_nodes:
        if instance is not None and name in instance.nodes:
            instance.nodes[name].updated_at = now
