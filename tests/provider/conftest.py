"""One simulated cloud and one dynamic host for the whole area; an instance for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import DynamicHost, Properties

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Simulator]:
    """A cloud in which a new service is active at once, and one whitelist group reaches ai-1."""
    with Simulator(provision_seconds=0, whitelist_groups={"models": "ai-1"}) as running:
        yield running


@pytest.fixture(scope="session")
def host(cloud: Simulator) -> Iterator[DynamicHost]:
    """A host on that cloud that no test cancels or stops."""
    with DynamicHost(cloud.environment()) as running:
        yield running


@pytest.fixture
def instance(cloud: Simulator) -> Iterator[str]:
    """An instance that only this test uses, with four AI nodes; afterwards nothing stays broken."""
    name = f"gp-{next(_NUMBERS)}"
    cloud.add_instance(name, ["ai-1", "ai-2", "ai-3", "ai-4"])
    cloud.clear_requests()
    yield name
    cloud.clear_faults()
    cloud.release_deployments()


@pytest.fixture
def inputs(instance: str) -> Properties:
    """The inputs of a minimal declaration, with those that the resource hides."""
    return {
        "db_instance_id": instance,
        "model_name": "Qwen3-Embedding-8B",
        "ai_nodes": ["ai-1"],
        "__urn": "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::model",
        "__organization": "acme",
    }


class _FastClock(SystemClock):
    """Sleeping moves the time on and takes none."""

    def __init__(self) -> None:
        super().__init__()
        self._slept_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._slept_s

    def sleep(self, seconds: float) -> None:
        self._slept_s += seconds


class _FastProvider(ModelServiceProvider):
    def new_clock(self) -> SystemClock:
        return _FastClock()


@pytest.fixture
def provider(cloud: Simulator, monkeypatch: pytest.MonkeyPatch) -> ModelServiceProvider:
    """The provider outside the host, on a fast clock."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    fast = _FastProvider()
    fast.configure(ConfigureRequest(Config({}, "shop")))
    return fast
