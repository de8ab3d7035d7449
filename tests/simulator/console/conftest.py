"""The console as a browser asks for it, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from pulumi_adbpg_model.testing import Simulator

PATIENCE_S = 10.0


@dataclass
class Console:
    """Requests with the headers of a browser that is on the console's page."""

    simulator: Simulator

    def ask(self, method: str, path: str, content: Any = None, **options: Any) -> requests.Response:
        """Send content as JSON, or `data` as it is; `headers` replace or, if None, drop ours."""
        headers = {
            "Content-Type": "application/json",
            "Origin": self.simulator.endpoint,
            **options.pop("headers", {}),
        }
        data = options.pop("data", None if content is None else json.dumps(content))
        return requests.request(
            method,
            f"{self.simulator.endpoint}{path}",
            data=data,
            headers=headers,
            timeout=PATIENCE_S,
            **options,
        )

    @contextmanager
    def events(self) -> Iterator[Iterator[tuple[str, Any]]]:
        """The events as they come: name and content."""
        url = f"{self.simulator.endpoint}/console/events"
        with requests.get(url, stream=True, timeout=PATIENCE_S) as response:
            assert "text/event-stream" == response.headers["Content-Type"]
            yield _events(response)

    def event(self, wanted: str) -> Any:
        """What the first event of this name tells to a page that was just opened."""
        with self.events() as events:
            return next(content for name, content in events if name == wanted)


def _events(response: requests.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in response.iter_lines(chunk_size=1):
        field, _, value = line.decode().partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


@pytest.fixture
def console(simulator: Simulator) -> Console:
    return Console(simulator)
