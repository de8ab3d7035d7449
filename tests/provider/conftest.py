"""One simulated cloud and one dynamic host for the whole area; an instance for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost, TimedProvider
from tests.provider.dynamic_host import DynamicHost, Properties
from tests.provider.exported import Exported

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
        "__organization": "acme",
    }


@pytest.fixture
def clock() -> MovedClock:
    """The clock of `quick`."""
    return MovedClock()


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Exported:
    """The state of the stack of `quick` and `following`: nothing, unless a test has it hold it."""
    state = Exported()

    def export_stack(_: TimedProvider, organization: str, urn: str) -> str | None:
        return state.text(organization, urn)

    monkeypatch.setattr(TimedProvider, "export_stack", export_stack)
    return state


@pytest.fixture
def quick(
    cloud: Simulator, clock: MovedClock, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TimedHost]:
    """A host in this process, on a clock that only sleeping moves; it prints to our stdout."""
    assert exported.there
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    running = TimedHost(clock, {})
    yield running
    running.stop()


@pytest.fixture
def following(quick: TimedHost, clock: MovedClock) -> Iterator[TimedHost]:
    """The host of the next command, which knows nothing of `quick`."""
    assert not quick.gone
    running = TimedHost(clock, {})
    yield running
    running.stop()
