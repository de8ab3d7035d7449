"""With Pulumi's own language host, which comes with its releases: what a terminal shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import mutations, pulumi_ids
from tests.engine.support.stack import PROJECT, Stack, language_host, not_active

pytestmark = pytest.mark.skipif(
    language_host() is None or sys.platform == "win32",
    reason="no pulumi-language-python beside the CLI or on the PATH",
)

_PROGRAM = """
import pulumi
from pulumi_adbpg_model import ModelService

for number in range(1, 5):
    service = ModelService(
        f"model-{number}",
        db_instance_id="gp-demo",
        model_name="Qwen3-Embedding-8B",
        ai_nodes=[f"ai-{number}"],
    )
    pulumi.export(f"url-{number}", service.private_connect_url)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_program_does_not_keep_the_services_from_being_told_of(
    stack: Stack, simulator: Simulator, number: signal.Signals
) -> None:
    """The host ends the program at once; each service has its line, and the next up goes on."""
    project = stack.home / "project"
    (project / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
    (project / "__main__.py").write_text(_PROGRAM)
    path = [str(Path(str(language_host())).parent), str(Path(sys.executable).parent)]
    stack.environment["PATH"] = os.pathsep.join([*path, os.environ["PATH"]])
    up = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "dev", "--color", "never"]
    simulator.hold_deployments()
    with subprocess.Popen(
        up,
        cwd=project,
        env={**os.environ, **stack.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as command:
        give_up = time.monotonic() + 60.0
        while len(simulator.calls("DescribeModelService")) < 12:
            assert command.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.1)
        command.send_signal(number)
        printed, _ = command.communicate(timeout=60)
    assert command.returncode != 0
    assert stack.ids() == pulumi_ids(simulator)
    assert len(stack.ids()) == 4
    for resource in stack.resources():
        line = not_active(resource, "the operation was cancelled (last status 'deployming')")
        assert f"* {line}\n" in printed
    simulator.release_deployments()
    done = stack.type(*up)
    assert done.returncode == 0, done.stdout
    assert "~ 4 updated" in done.stdout
    assert mutations(simulator) == ["CreateModelService"] * 4
