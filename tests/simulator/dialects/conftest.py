"""A simulator in the dialect that the test's mark names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import Raw, Start

Read: TypeAlias = Callable[..., dict[str, Any]]
"""The fixture `read`: an action and its parameters; the JSON as it came."""


@pytest.fixture
def simulator(request: pytest.FixtureRequest, start: Start) -> Simulator:
    """The options are those of the mark `dialect`."""
    return start(**request.param)


@pytest.fixture
def read(raw: Raw) -> Read:
    """The answer without the SDK, which drops null and unknown fields."""

    def call(action: str, **parameters: str) -> dict[str, Any]:
        answer: dict[str, Any] = raw.call(action, {"DBInstanceId": "gp-demo", **parameters}).json()
        return answer

    return call
