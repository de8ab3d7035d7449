"""What services were at earlier moments, for lists that lag behind.

Decision: whole copies at each change, kept as long as they may be asked for and not saved: after
a restart lists are as old as the restart.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable

from .state import Service, State


class History:
    """The services, living and deleted, as they were up to some seconds ago."""

    def __init__(self, seconds: float, state: State) -> None:
        self._seconds = seconds
        self._moments = [(-math.inf, _copies(state))] if seconds else []

    def record(self, state: State, now: float) -> None:
        """Remember what holds from now on."""
        if not self._seconds:
            return
        while len(self._moments) > 1 and self._moments[1][0] <= now - self._seconds:
            del self._moments[0]
        self._moments.append((now, _copies(state)))

    def services(self, state: State, now: float) -> Iterable[Service]:
        """Return what held so many seconds before now, oldest first."""
        for since, services in reversed(self._moments):
            if since <= now - self._seconds:
                return services
        return _both(state)


def _both(state: State) -> list[Service]:
    services = [*state.deleted.values(), *state.services.values()]
    return sorted(services, key=lambda service: service.created_at)


def _copies(state: State) -> list[Service]:
    return copy.deepcopy(_both(state))
