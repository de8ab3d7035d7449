"""No program, mocks or configuration of another test; a simulator where it is asked for."""

from __future__ import annotations

import pytest
from pulumi.runtime.config import CONFIG
from pulumi.runtime.settings import SETTINGS

from pulumi_adbpg_model.testing import Simulator


@pytest.fixture(autouse=True)
def _no_program() -> None:
    SETTINGS.monitor = None
    CONFIG.set({})


@pytest.fixture
def cloud(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A simulated cloud that the environment leads to."""
    for name, value in simulator.environment().items():
        monkeypatch.setenv(name, value)
    return simulator
