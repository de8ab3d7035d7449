"""What a page has seen already, so that it is sent only what is new, as Server-Sent Events.

Decision: nobody tells the console of changes. It looks a few times a second while a page is
open, since services change by the passing of time too, and tests change them from other threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pulumi_adbpg_model.simulator.cloud import Cloud
from pulumi_adbpg_model.simulator.faults import FaultQueue
from pulumi_adbpg_model.simulator.records import RecordedRequest

from . import picture

SHOWN_REQUESTS = 200


class Stream:
    """The events for one page."""

    def __init__(
        self,
        cloud: Cloud,
        faults: FaultQueue,
        requests: Sequence[RecordedRequest],
        clock: Callable[[], float],
    ) -> None:
        self._cloud = cloud
        self._faults = faults
        self._requests = requests
        self._clock = clock
        self._second: int | None = None
        self._state: dict[str, Any] | None = None
        self._seen: int | None = None
        self._last: RecordedRequest | None = None

    def news(self) -> str:
        """Return the events since the last call, or an empty string."""
        return f"{self._time()}{self._new_state()}{self._new_requests()}"

    def _time(self) -> str:
        # The page has no clock of its own: ages are the simulator's.
        now = self._clock()
        if self._second == int(now):
            return ""
        self._second = int(now)
        return event("time", now)

    def _new_state(self) -> str:
        state = picture.state(self._cloud, self._faults)
        if state == self._state:
            return ""
        self._state = state
        return event("state", state)

    def _new_requests(self) -> str:
        requests = list(self._requests)
        seen = self._seen
        # For a new page, and once the recorded requests were forgotten.
        anew = seen is None or seen > len(requests)
        anew = anew or bool(seen and requests[seen - 1] is not self._last)
        if not anew and seen == len(requests):
            return ""
        first = max(0 if anew else seen or 0, len(requests) - SHOWN_REQUESTS)
        new = [picture.request(first + i + 1, one) for i, one in enumerate(requests[first:])]
        self._seen, self._last = len(requests), requests[-1] if requests else None
        return event("requests", {"anew": anew, "new": new})


def event(name: str, content: Any) -> str:
    """Write one event; JSON has no line break of its own. A test may have set any value."""
    return f"event: {name}\ndata: {json.dumps(content, default=str)}\n\n"
