"""`pulumi new` with the root project and each example, by the real CLI, outside of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import ROOT
from tests.engine.support.stack import engine_environment
from tests.engine.support.terminal import language_host
from tests.engine.support.vault import PROVIDER, vault

#: What a person answers where the template has no default.
_ANSWERS = {
    "dbInstanceId": "gp-demo",
    "aiNode": "ai-1",
    "aiNodes": '["ai-1"]',
    "embeddingNode": "ai-1",
    "rerankerNode": "ai-2",
}
#: Not part of a clone.
_NOT_CLONED = shutil.ignore_patterns(
    ".*_cache", ".git", ".hypothesis", ".nox", ".venv", "__pycache__"
)


@pytest.mark.parametrize(
    ("template", "creates"),
    [
        ("examples/embedding", 2),
        ("examples/key-store", 3),
        ("examples/pulumi-cloud", 2),
        ("examples/rag", 3),
        (".", 2),
    ],
)
def test_new_project_previews_what_its_template_asks_for(
    template: str, creates: int, tmp_path: Path
) -> None:
    """The answers, and the defaults of what is not answered, are the program's configuration."""
    origin, project = tmp_path / "origin", tmp_path / "search"
    shutil.copytree(ROOT / template, origin, ignore=_NOT_CLONED)
    original = yaml.safe_load((origin / "Pulumi.yaml").read_text(encoding="utf-8"))
    asked = original["template"]["config"]
    open_ = {key for key, one in asked.items() if "default" not in one and not one.get("secret")}
    assert open_ <= _ANSWERS.keys()
    assert all(one["description"] for one in [original["template"], *asked.values()])

    language_host(tmp_path / "commands")
    with Simulator(nodes=["ai-1", "ai-2"]) as simulator:
        environment = {
            **os.environ,
            **engine_environment(tmp_path),
            **vault(),
            **simulator.environment(),
            "PYTHONPATH": str(project),  # the program's folder, where Pulumi's own host runs it
            "PATH": os.pathsep.join([str(tmp_path / "commands"), os.environ["PATH"]]),
        }
        answers = [f"--config={key}={_ANSWERS[key]}" for key in sorted(open_)]
        made = _pulumi(
            tmp_path,
            environment,
            *("new", str(origin), "--offline", "--yes", "--name=search", "--stack=prod"),
            *(f"--dir={project}", f"--secrets-provider={PROVIDER}", *answers),
        )
        assert original["template"]["quickstart"] in made
        # In place of what `pulumi install` makes there.
        (project / original["runtime"]["options"]["virtualenv"]).symlink_to(sys.prefix)
        previewed = _pulumi(project, environment, "preview")
    assert f"+ {creates} to create" in previewed

    commands = re.findall(r"`(\S*venv/bin/)pulumi-adbpg-model ", original["template"]["quickstart"])
    assert commands in ([], [f"{original['runtime']['options']['virtualenv']}/bin/"])
    settings = yaml.safe_load((project / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert settings["name"] == "search"
    assert "template" not in settings
    config = yaml.safe_load((project / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"]
    assert config == {
        key if ":" in key else f"search:{key}": _ANSWERS.get(key) or one["default"]
        for key, one in asked.items()
        if not one.get("secret")
    }
    lines = (project / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (needed,) = (line for line in lines if not line.startswith("#"))
    wheel = f"./wheels/pulumi_adbpg_model-{version('pulumi-adbpg-model')}-py3-none-any.whl"
    assert needed == ("-e ." if template == "." else wheel)


def _pulumi(folder: Path, environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        ["pulumi", *words, "--non-interactive", "--color=never"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
