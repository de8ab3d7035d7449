"""Every example is a Pulumi project that runs as it is."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.stack import Stack

ROOT = Path(__file__).parents[2]


def stack_of(project: Path, home: Path, simulator: Simulator, config: dict[str, Any]) -> Stack:
    """A stack of a project in the repository."""
    return Stack(home, simulator, project=project, config=config)


def test_demo_goes_through_the_life_of_the_root_project(
    tmp_path: Path, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    What `make demo` shows, in less time; it checks each of its steps itself, and fails with one.

    test_acceptance.py goes through all of the same steps. This ends where the cloud refuses one.
    """
    demo = runpy.run_path(str(ROOT / "examples/demo.py"))
    simulator.inject("forbidden", action="DeleteModelService", times=None)
    with pytest.raises(AdbpgModelError, match="DeleteModelService"):
        demo["demonstrate"](tmp_path, simulator)
    steps = re.findall(
        r"^(\d\. pulumi \w+|Somebody deletes)", capsys.readouterr().out, re.MULTILINE
    )
    assert steps == ["1. pulumi preview", "2. pulumi up", "3. pulumi up", "Somebody deletes"]
    (service,) = simulator.services
    assert service.security_ip_list == (demo["WHITELIST"],)
    assert service.description == "pulumi-adbpg-model demo"
    assert len(simulator.calls("CreateModelService")) == 1


def test_rag_example_hands_on_two_secret_connections(tmp_path: Path, simulator: Simulator) -> None:
    """Two services on one instance come up, and each connection is one secret document."""
    config = {
        "dbInstanceId": "gp-demo",
        "embeddingNode": "ai-1",
        "rerankerNode": "ai-3",
        "applicationIps": ["192.168.1.0/24"],
    }
    stack = stack_of(ROOT / "examples/rag", tmp_path, simulator, config)

    result = stack.up()
    by_model = {service.model_name: service for service in simulator.services}
    assert sorted(by_model) == ["Qwen3-Embedding-8B", "Qwen3-Reranker-8B"]
    for output, model in (
        ("embeddingConnection", "Qwen3-Embedding-8B"),
        ("rerankerConnection", "Qwen3-Reranker-8B"),
    ):
        assert json.loads(result.outputs[output]) == {
            "url": by_model[model].private_connect_url,
            "model": model,
            "apiKey": by_model[model].api_key,
        }
        key = by_model[model].api_key
        assert key is not None
        assert key not in result.output
        assert key not in stack.state_text()

    assert stack.up().changes == {"same": 3}
    stack.destroy()
    assert simulator.services == []


def test_root_project_declares_what_its_configuration_says(
    tmp_path: Path, simulator: Simulator
) -> None:
    """The root project turns configuration into one service."""
    config = {
        "dbInstanceId": "gp-demo",
        "modelName": "Qwen3-8B",
        "aiNodes": ["ai-1", "ai-2"],
        "securityIpList": ["10.1.2.3"],
    }
    stack = stack_of(ROOT, tmp_path, simulator, config)

    stack.up()
    (service,) = simulator.services
    assert stack.export()["resources"][0]["outputs"]["id"] == f"gp-demo:{service.id}"
    assert service.model_name == "Qwen3-8B"
    assert set(service.ai_nodes) == {"ai-1", "ai-2"}
    assert service.security_ip_list == ("10.1.2.3",)
    assert service.description == "adbpg-model-services/dev"


@pytest.mark.parametrize(
    "project",
    ["examples/embedding", "examples/key-store", "examples/pulumi-cloud", "examples/rag", "."],
)
def test_project_is_self_contained(project: str) -> None:
    """Each project has program and requirements beside its Pulumi.yaml."""
    folder = ROOT / project
    settings = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert "main" not in settings
    assert settings["runtime"]["options"]["toolchain"] == "pip"
    assert not Path(settings["runtime"]["options"]["virtualenv"]).is_absolute()
    assert (folder / "__main__.py").is_file()
    assert (folder / "requirements.txt").is_file()
