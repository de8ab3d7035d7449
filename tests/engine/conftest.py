"""Stacks on the real engine. Without it these tests are skipped, unless it is required."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.stack import Stack

if "ADBPG_ENGINE" not in os.environ and shutil.which("pulumi"):
    os.environ["ADBPG_ENGINE"] = str(shutil.which("pulumi"))
if "ADBPG_ENGINE" in os.environ:  # where the Automation API looks for the CLI
    _engine = Path(os.environ["ADBPG_ENGINE"])
    os.environ["PATH"] = f"{_engine.parent}{os.pathsep}{os.environ['PATH']}"

_MISSING = "no Pulumi CLI: install it, or run `make engine`, to run the engine tests"

#: Where a program fails, the SDK leaves its event loop and sockets to the garbage collector.
_LEFTOVERS = "ignore::pytest.PytestUnraisableExceptionWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests in this folder, and skip them where there is no engine."""
    here = Path(__file__).parent
    present = bool(shutil.which(os.environ.get("ADBPG_ENGINE", "")))
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.filterwarnings(_LEFTOVERS))
            if not present and not os.environ.get("ADBPG_REQUIRE_ENGINE"):
                item.add_marker(pytest.mark.skip(reason=_MISSING))


@pytest.fixture
def stack(tmp_path: Path, simulator: Simulator) -> Stack:
    """An empty stack that talks to the simulator."""
    return Stack(tmp_path, simulator)


@pytest.fixture(autouse=True)
def _quick_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hundred commands leave out what each would do for nothing."""
    monkeypatch.setenv("GOGC", "off")  # the CLI has ended before collecting garbage would pay
    # The machine's certificates, which a library of the cloud's SDK reads; nothing here has TLS.
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)


@pytest.fixture(autouse=True, scope="session")
def _frozen() -> None:
    """What is there before the first test is no leftover, and not looked at after each."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    """What the SDK leaves behind is collected here, before it can strike another test."""
    yield
    gc.collect()
    gc.freeze()  # what is left is looked at no more
