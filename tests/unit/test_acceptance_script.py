"""What examples/acceptance.py does before Pulumi does anything: whose services, which signals."""

from __future__ import annotations

import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator

_SCRIPT = Path(__file__).resolve().parents[2] / "examples/acceptance.py"
_PLACE = {
    "ADBPG_ACCEPTANCE_INSTANCE": "gp-real",
    "ADBPG_ACCEPTANCE_NODE": "ai-real",
    "ADBPG_ACCEPTANCE_MODEL": "Qwen3-8B",
}
_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Simulator]:
    """An account that the environment leads to."""
    nodes = ["ai-real", "ai-2", "ai-3"]
    with Simulator(instance="gp-real", nodes=nodes, provision_seconds=0) as simulator:
        for name, value in {**simulator.environment(), **_PLACE, "TMPDIR": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        yield simulator


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the script defines, with a console of its own."""
    monkeypatch.syspath_prepend(_SCRIPT.parent)
    monkeypatch.delitem(sys.modules, "demo", raising=False)
    return runpy.run_path(str(_SCRIPT))


@pytest.fixture
def run(
    script: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run the script here: its exit code, and what it says."""
    monkeypatch.setattr(tempfile, "tempdir", None)

    def run(*options: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [str(_SCRIPT), *options])
        code = script["main"]()
        return code, capsys.readouterr().out

    return run


def _create(simulator: Simulator, node: str, description: str) -> str:
    gateway = Gateway(Settings.resolve(lambda _: None, simulator.environment()), SystemClock())
    spec = ModelServiceSpec("gp-real", "Qwen3-8B", (node,), description=description)
    return str(gateway.create_model_service(spec, node).id)


def test_description_that_only_begins_like_a_runs_is_somebody_elses(
    account: Simulator, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line that deletes such a service is printed, and none that is typed does it."""
    other = _create(account, "ai-2", "pulumi-adbpg-model acceptance of the search team")
    holder = _create(account, "ai-real", "pulumi-adbpg-model acceptance 0123abcd, keep")
    code, said = run("--yes")
    assert code == 2
    assert f"AI node ai-real is held by model service {holder}" in said
    assert other not in said
    assert "--remove" not in said
    for service in (other, holder):
        code, said = run("--remove", service)
        assert (code, "is not deleted" in said) == (2, True)
    assert account.calls("DeleteModelService") == []

    left = _create(account, "ai-3", "pulumi-adbpg-model acceptance 0123abcd, changed")
    monkeypatch.setenv("ADBPG_ACCEPTANCE_NODE", "ai-3")
    assert f"--remove {left}\n" in run("--yes")[1]


@_UNIX
def test_signal_that_comes_while_a_command_starts_ends_it(script: dict[str, Any]) -> None:
    """Between the start of the process and the moment at which the handler knows of it."""
    stop = script["Stop"]()
    with subprocess.Popen(["sleep", "60"]) as process:
        stop(signal.SIGINT, None)
        stop.watch(process)
        process.wait(timeout=20)


@_UNIX
def test_ways_to_end_it_from_a_terminal(script: dict[str, Any]) -> None:
    r"""Ctrl-C, Ctrl-\, `kill`, and closing the terminal."""
    assert {one.name for one in script["_SIGNALS"]} == {"SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"}
