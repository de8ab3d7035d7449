"""The files of the example for Pulumi Cloud: known keys, safe limits, and no secret."""

from __future__ import annotations

import inspect
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from alibabacloud_credentials.utils import auth_util

from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.settings.identity import OidcRole, StaticKey

EXAMPLE = Path(__file__).parents[2] / "examples/pulumi-cloud"
_WORKFLOWS = sorted((EXAMPLE / ".github/workflows").glob("*.yml"))
_FILES = sorted(
    path for path in EXAMPLE.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file()
)


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _jobs() -> dict[str, Any]:
    return {name: job for path in _WORKFLOWS for name, job in _read(path)["jobs"].items()}


def test_virtual_environment_can_be_cached() -> None:
    """Deployments cache an environment of one name only."""
    assert _read(EXAMPLE / "Pulumi.yaml")["runtime"]["options"]["virtualenv"] == "venv"


def test_workflows_never_cancel_a_run_or_wait_without_end() -> None:
    """A cancelled `up` may lose the race against the kill; previews must not displace one."""
    jobs = _jobs()
    assert jobs.keys() == {"preview", "up", "drift"}
    groups = [job["concurrency"]["group"] for job in jobs.values()]
    assert len(set(groups)) == len(groups)
    for job in jobs.values():
        assert job["concurrency"]["cancel-in-progress"] is False
        assert 0 < job["timeout-minutes"] <= 360
    (up,) = (step["run"] for step in jobs["up"]["steps"] if "pulumi up" in step.get("run", ""))
    assert up.startswith("exec ")


def test_workflows_have_the_least_permissions_and_named_actions() -> None:
    """Nothing is allowed but reading, and a comment; each action has a major version."""
    for path in _WORKFLOWS:
        assert _read(path)["permissions"] == {}
    permissions = {name: job["permissions"] for name, job in _jobs().items()}
    assert permissions == {
        "preview": {"contents": "read", "pull-requests": "write"},
        "up": {"contents": "read"},
        "drift": {"contents": "read"},
    }
    steps = [step for job in _jobs().values() for step in job["steps"]]
    assert {step["uses"] for step in steps if "uses" in step} == {
        "actions/checkout@v7",
        "actions/setup-python@v6",
        "pulumi/actions@v7",
    }
    assert "head.repo.full_name == github.repository" in _jobs()["preview"]["if"]


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_no_file_holds_a_secret(path: Path) -> None:
    """Keys are named, or are placeholders; nothing is encrypted into the settings either."""
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"fn::secret: *(.*)", text)) <= {"replace-me"}
    assert not re.search(r"LTAI\w+|pul-\w{10}|secure:|ciphertext|encryptedkey", text)
    for value in re.findall(r"^ *\w*(?:TOKEN|KEY_SECRET|KEY_ID): *(.+)$", text, re.MULTILINE):
        assert re.fullmatch(r"\$\{\{ secrets\.\w+ }}|\$\{alibabaCloud\.\w+}", value)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("environment.yaml", StaticKey), ("environment-oidc.yaml", OidcRole)],
)
def test_variables_of_the_environments_are_the_ones_that_are_read(name: str, kind: type) -> None:
    """With each, the package finds the credentials where the file means it to."""
    values = _read(EXAMPLE / name)["values"]
    environ = {**values["environmentVariables"], **values.get("files", {})}
    settings = Settings.resolve(lambda _key: None, environ, "cn-hangzhou")
    assert isinstance(settings.credentials, kind)
    read_by_the_chain = inspect.getsource(auth_util)
    assert [variable for variable in environ if variable not in read_by_the_chain] == []
    defined = set(values["alibabaCloud"])
    for text in environ.values():
        assert set(re.findall(r"\$\{alibabaCloud\.(\w+)}", text)) <= defined


def test_stack_imports_its_environment_by_name() -> None:
    """No credential is part of the stack's configuration, whose every key is declared or ours."""
    stack = _read(EXAMPLE / "Pulumi.dev.yaml")
    project = _read(EXAMPLE / "Pulumi.yaml")
    assert stack["environment"] == ["model-service/dev"]
    declared = {f"{project['name']}:{key}" for key in project["config"]}
    assert stack["config"].keys() == declared | {"adbpg:region"}


def test_requirements_name_the_wheel_of_this_version() -> None:
    """The next release changes the file's name."""
    lines = (EXAMPLE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert f"./wheels/pulumi_adbpg_model-{version('pulumi-adbpg-model')}-py3-none-any.whl" in lines
    assert any(f"pulumi-adbpg-model=={version('pulumi-adbpg-model')}," in line for line in lines)
