"""The commands in the folder of a project: they take what the selected stack says."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_adbpg_model.cli._stack import read_configuration
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import INSTANCE, place
from tests.engine.support.stack import Stack

_SECRET = "kept-in-config-only"
_COMMAND = (sys.executable, "-m", "pulumi_adbpg_model")
_LIST = (*_COMMAND, "list", "--instance", INSTANCE, "--json")


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    keys = {"access_key_id": "config-key", "access_key_secret": _SECRET}
    with Simulator(provision_seconds=0, **keys) as running:  # type: ignore[arg-type]
        yield running


@pytest.fixture
def configured(tmp_path: Path, cloud: Simulator, request: pytest.FixtureRequest) -> Stack:
    """A stack whose configuration alone leads to the cloud; another one, `prod`, is beside it."""
    passphrase = getattr(request, "param", "") == "passphrase"
    config = {
        "adbpg:region": "cn-beijing",
        "adbpg:endpoint": cloud.endpoint,
        "adbpg:accessKey": "config-key",
    }
    stack = Stack(tmp_path, None, config=config, passphrase=passphrase)
    stack.set_config("adbpg:secretKey", _SECRET, secret=True)
    for line in (
        "stack select dev",
        "stack init prod --no-select",
        f"config set --stack prod adbpg:endpoint {cloud.endpoint}",
        "config set --stack prod alicloud:region cn-shanghai",
    ):
        assert 0 == stack.type("pulumi", *line.split()).returncode
    return stack


def _failed(stack: Stack, *command: str, **environment: str) -> str:
    """What a command that fails prints; the secret is in none of it."""
    assignments = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    done = stack.type("bash", "-c", " ".join([*assignments, shlex.join(command)]))
    assert (1, "") == (done.returncode, done.stdout)
    assert _SECRET not in done.stderr
    assert 1 == len(done.stderr.splitlines())
    return done.stderr


def test_configuration_of_the_selected_stack_is_used(configured: Stack, cloud: Simulator) -> None:
    """Secrets included; from a folder below, and while an operation has locked the stack."""
    id_ = place(cloud)
    project = configured.home / "project"
    (project / "below").mkdir()
    line = f"Using the configuration of stack dev of {project / 'Pulumi.yaml'}.\n"
    for listed in (
        configured.type(*_LIST),
        configured.type("bash", "-c", f"cd below && {shlex.join(_LIST)}"),
    ):
        assert (0, line) == (listed.returncode, listed.stderr)
        (service,) = json.loads(listed.stdout)["services"]
        assert id_ == service["id"]
    during: list[subprocess.CompletedProcess[str]] = []
    configured.up(lambda: during.append(configured.type(*_LIST)))
    assert [0] == [done.returncode for done in during]
    assert {"cn-beijing"} == {call.query["RegionId"] for call in cloud.calls("ListModelServices")}

    doctor = configured.type(*_COMMAND, "doctor", "--json")
    found = {one["what"]: one["text"] for one in json.loads(doctor.stdout)["findings"]}
    assert line == found["configuration"] + ".\n"
    assert (cloud.endpoint, "cn-beijing") == (found["endpoint"], found["region"])
    assert "config adbpg:accessKey" in found["credentials"]
    assert "permitted: " in found["ListSupportModels"]
    assert _SECRET not in doctor.stdout + doctor.stderr

    export = "pulumi stack export | " + shlex.join([*_COMMAND, "orphans", "--instance", INSTANCE])
    piped = configured.type("bash", "-c", export)
    assert (1, line) == (piped.returncode, piped.stderr)
    assert f'import_="{id_}"' in piped.stdout

    # What is selected stays so; what another stack does not say comes from the environment.
    cloud.clear_requests()
    keys = {"ALICLOUD_ACCESS_KEY": "config-key", "ALICLOUD_SECRET_KEY": _SECRET}
    configured.environment.update(keys)
    other = configured.type(*_LIST, "--stack", "prod")
    assert 0 == other.returncode, other.stderr
    assert "Using the configuration of stack prod of " in other.stderr
    assert ["cn-shanghai"] == [call.query["RegionId"] for call in cloud.calls("ListModelServices")]
    assert "dev\n" == configured.type("pulumi", "stack", "--show-name").stdout

    # There is no such stack, or none is to be used.
    assert "there is no such stack" in _failed(configured, *_LIST, "--stack", "none")
    assert "there is no such stack" in _failed(configured, *_LIST, PULUMI_STACK="none")
    assert "no region is set" in _failed(configured, *_LIST, "--no-stack")
    outside = shlex.join(_LIST)
    assert "no region is set" in _failed(configured, "bash", "-c", f"cd .. && {outside}")
    assert "no Pulumi project" in _failed(
        configured, "bash", "-c", f"cd .. && {outside} --stack dev"
    )


@pytest.mark.parametrize("configured", ["passphrase"], indirect=True)
def test_stack_that_cannot_be_read(configured: Stack, cloud: Simulator) -> None:
    """The environment, which leads elsewhere, is not taken in its place."""
    configured.environment.update(ALICLOUD_REGION="cn-hangzhou", ADBPG_ENDPOINT=cloud.endpoint)
    listed = configured.type(*_LIST)
    assert 0 == listed.returncode, listed.stderr
    cloud.clear_requests()
    wrong = _failed(configured, *_LIST, PULUMI_CONFIG_PASSPHRASE="wrong")
    assert "of stack dev cannot be read: the passphrase is wrong. " in wrong
    assert "--no-stack" in wrong
    unset = _failed(configured, "env", "-u", "PULUMI_CONFIG_PASSPHRASE", *_LIST)
    assert "of stack dev cannot be read: the passphrase is not set. " in unset
    doctor = configured.type("env", "PULUMI_CONFIG_PASSPHRASE=wrong", *_COMMAND, "doctor", "--json")
    (found,) = [one for one in json.loads(doctor.stdout)["findings"] if one["status"] == "problem"]
    assert ("configuration", 1) == (found["what"], doctor.returncode)
    assert [] == cloud.requests

    # Without a secret of ours no passphrase is needed.
    configured.remove_config("adbpg:secretKey")
    configured.set_config("password", _SECRET, secret=True)
    keys = ("ALICLOUD_ACCESS_KEY=config-key", f"ALICLOUD_SECRET_KEY={_SECRET}")
    configured.remove_config("adbpg:accessKey")
    listed = configured.type("env", "PULUMI_CONFIG_PASSPHRASE=wrong", *keys, *_LIST)
    assert 0 == listed.returncode, listed.stderr

    no_login = ("env", "PULUMI_BACKEND_URL=https://127.0.0.1:9", *keys, *_LIST)
    listed = configured.type(*no_login)
    assert 0 == listed.returncode, listed.stderr
    assert "Using the configuration of no stack of " in listed.stderr
    assert "pulumi is not logged in" in _failed(configured, *no_login, "--stack", "dev")


def test_kinds_of_values(configured: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text as the provider's host has it, also of an object, and what the project sets."""
    project = configured.home / "project"
    with (project / "Pulumi.yaml").open("a") as file:
        file.write("config:\n  alicloud:region:\n    value: cn-shenzhen\n  size:\n    default: 3\n")
    configured.type("pulumi", "config", "set", "--path", "alicloud:assumeRole.roleArn", "acs:1")
    secret = ("--secret", "alicloud:assumeRole.externalId", _SECRET)
    configured.type("pulumi", "config", "set", "--path", *secret)
    configured.set_config("adbpg:preflight", "false")
    monkeypatch.chdir(project)
    for name, value in configured.environment.items():
        monkeypatch.setenv(name, value)
    values = dict(read_configuration(None).values)

    role = json.loads(values.pop("alicloud:assumeRole"))
    assert {"roleArn": "acs:1", "externalId": _SECRET} == role
    del values["adbpg:endpoint"]
    assert values == {
        "adbpg:accessKey": "config-key",
        "adbpg:maxPollInterval": "0.05",
        "adbpg:preflight": "false",
        "adbpg:region": "cn-beijing",
        "adbpg:secretKey": _SECRET,
        "alicloud:region": "cn-shenzhen",
    }
