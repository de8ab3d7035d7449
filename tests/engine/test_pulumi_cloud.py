"""The example for Pulumi Cloud, as its executor runs it: nothing lasts between two operations."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.executor import Executor, git, wheelhouse
from tests.engine.support.pages import DOCS, PAGES, ROOT, blocks, commands
from tests.engine.support.programs import mutations, pulumi_ids
from tests.engine.support.stack import TYPE, engine_environment
from tests.engine.support.vault import PROVIDER, vault

EXAMPLE = ROOT / "examples/pulumi-cloud"
PAGE = DOCS / "pulumi-cloud.md"
_WORKFLOWS = sorted((EXAMPLE / ".github/workflows").glob("*.yml"))
_COMMAND = re.compile(r"pulumi(?: [a-z]+(?= |$))+")
_USAGE = re.compile(
    r"^Usage:\n  (?P<command>pulumi(?: [a-z]+)+)(?P<arguments>.*)\n(?:.+\n)*"
    r"(?:\nAliases:\n  (?P<aliases>.*)\n)?",
    re.MULTILINE,
)
_FLAG = re.compile(r"(?<= )--[a-z-]+")


def _jobs() -> dict[str, Any]:
    workflows = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in _WORKFLOWS]
    return {name: job for one in workflows for name, job in one["jobs"].items()}


def _workflow_steps() -> list[str]:
    steps = [step for job in _jobs().values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


def _configure(repository: Path, message: str, **config: Any) -> None:
    """Commit values of the stack's configuration, as a pull request would."""
    path = repository / "Pulumi.dev.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings.pop("environment", None)  # Pulumi Cloud opens it; here the variables are given as such
    settings["config"] |= {f"model-service:{key}": value for key, value in config.items()}
    settings["config"]["adbpg:maxPollInterval"] = "0.05"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", message)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository made of the example as the page says, with its stack in a shared backend."""
    folder = tmp_path / "repository"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("venv", "__pycache__"))
    wheels = tmp_path / "wheelhouse"
    wheelhouse(wheels, "pulumi-adbpg-model")
    (folder / "wheels").mkdir()
    for wheel in wheels.glob("pulumi_adbpg_model-*.whl"):
        wheel.rename(folder / "wheels" / wheel.name)
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(folder))
    _configure(folder, "Start", dbInstanceId="gp-demo", aiNodes=["ai-1"])
    environment = {**engine_environment(tmp_path), **vault(), "PATH": os.environ["PATH"]}
    command = ["pulumi", "stack", "init", "dev", "--non-interactive"]
    command += ["--secrets-provider", PROVIDER]  # as the cloud keeps the key: no passphrase
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    git(folder, "commit", "--all", "--quiet", "--message", "Add the stack")
    return folder


def _state(home: Path) -> list[dict[str, Any]]:
    path = home / "state/.pulumi/stacks/model-service/dev.json"
    latest = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}
    assert not latest.get("pending_operations")
    return [one for one in latest.get("resources") or () if one["type"] == TYPE]


@pytest.mark.timeout(240)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the CLI in /proc")
def test_nothing_is_lost_between_runs_that_share_only_the_backend(
    tmp_path: Path, repository: Path
) -> None:
    """Up, refresh, a cancelled replacement, up again and destroy, each from a fresh clone."""
    with Simulator(provision_seconds=0) as simulator:
        cloud = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **simulator.environment()}
        cloud |= vault()
        executor = Executor(tmp_path, repository, tmp_path / "wheelhouse", cloud)

        executor.run("up")
        (first,) = simulator.services
        assert first.status == "active"

        (created,) = _state(tmp_path)
        waits_s = created["customTimeouts"]["create"] + created["customTimeouts"]["delete"]
        else_s = 600  # clone, install, and what is asked again
        assert waits_s + else_s <= 60 * _jobs()["up"]["timeout-minutes"]

        second_run = executor.checkout()
        _drift_check_tells_a_change(executor, second_run, simulator)
        assert "2 unchanged" in executor.run("refresh", second_run)
        assert {one["id"] for one in _state(tmp_path)} == pulumi_ids(simulator)
        assert mutations(simulator) == ["CreateModelService"]

        _configure(repository, "Another model", modelName="Qwen3-8B")
        simulator.hold_deployments()
        with executor.start("up") as running:
            running.until(lambda: _polled(simulator) - {first.id})
            running.terminate()
            code, output = running.end()
        (second,) = simulator.services
        assert code != 0
        (shown,) = blocks(PAGE, "printed: cancelled")
        (kept,) = _state(tmp_path)
        assert kept["id"] == f"gp-demo:{second.id}"
        expected = " ".join(shown.text.split())
        expected = expected.replace("gp-demo:…", kept["id"]).replace("urn:…", kept["urn"])
        assert expected in " ".join(output.split())

        simulator.release_deployments()
        executor.run("up")
        assert [one.id for one in simulator.services] == [second.id]
        assert mutations(simulator) == [
            "CreateModelService",
            "DeleteModelService",
            "CreateModelService",
        ]
        creates = simulator.calls("CreateModelService")
        assert len({request.parameters["ClientToken"] for request in creates}) == 2
        (kept,) = _state(tmp_path)
        assert (kept["id"], kept["outputs"]["status"]) == (f"gp-demo:{second.id}", "active")

        executor.run("destroy")
        assert simulator.services == []
        assert _state(tmp_path) == []
        kept_files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
        text = "\n".join(path.read_text(errors="replace") for path in kept_files)
        assert second.id in text  # the history too
        for secret in (cloud["ALICLOUD_SECRET_KEY"], first.api_key, second.api_key):
            assert str(secret) not in text


def _polled(simulator: Simulator) -> set[str]:
    """The services whose status was asked for."""
    requests = simulator.calls("DescribeModelService")
    return {request.parameters["ModelServiceId"] for request in requests}


def _drift_check_tells_a_change(executor: Executor, run: Path, simulator: Simulator) -> None:
    """The command of the workflow ends well without drift, and fails with it."""
    (check,) = (step for step in _workflow_steps() if "--expect-no-changes" in step)
    (service,) = simulator.services

    def check_now() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", check],
            cwd=run / "clone",
            env=executor.environment(run),
            capture_output=True,
            text=True,
            check=False,
        )

    assert check_now().returncode == 0, check_now()
    simulator.change_service(service.id, security_ip_list=("0.0.0.0/0",))
    drifted = check_now()
    assert drifted.returncode != 0
    assert "0.0.0.0/0" in drifted.stdout
    simulator.change_service(service.id, security_ip_list=service.security_ip_list)


def test_commands_of_all_pages_and_workflows_have_the_options_they_use(tmp_path: Path) -> None:
    """Each is a command of the CLI or an alias of one, and knows every option."""
    lines = [line for page in PAGES for line in commands(page)]
    used: dict[str, set[str]] = {}
    for line in [*lines, *_workflow_steps()]:
        found = _COMMAND.search(line)
        if found:
            used.setdefault(found[0], set()).update(_FLAG.findall(line[found.end() :]))
    assert {"pulumi up", "pulumi refresh", "pulumi env set", "pulumi stack init"} <= used.keys()
    environment = {**os.environ, **engine_environment(tmp_path)}
    if _version(environment) < (3, 274):  # the page is for newer ones
        edited = used["pulumi deployment settings edit"]
        edited -= {"--vcs-provider", "--repo", "--cache"}
        edited.add("--github-repo")
    for command, flags in used.items():
        help_ = subprocess.run(
            [*command.split(), "--help"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        usage = _USAGE.search(help_)
        assert usage, command
        parent, _, last = usage["command"].rpartition(" ")
        names = [last, *(usage["aliases"] or "").split(", ")]
        known = [f"{parent} {name}" for name in names]
        takes_one = re.search(r"[<\[](?!flags)", usage["arguments"])
        assert command in known or (takes_one and command.rpartition(" ")[0] in known), help_
        for flag in flags:
            assert re.search(rf"{flag}\b", help_), (command, flag)


def _version(environment: dict[str, str]) -> tuple[int, ...]:
    told = subprocess.run(
        ["pulumi", "version"], env=environment, capture_output=True, text=True, check=True
    ).stdout
    return tuple(map(int, told.strip().removeprefix("v").split(".")[:2]))
