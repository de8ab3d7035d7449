"""
The configuration of the selected stack, in the folder of a project.

The CLI here is a script that answers, fails or hangs as it is told; tests/engine/test_commands.py
asks the real one.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.cli._stack import UnreadableError, read_configuration
from pulumi_adbpg_model.testing import Simulator

_MARK = "marked-and-never-shown"
_LIST = ("list", "--instance", "gp-demo")
#: Answers as the CLI does: secrets are shown when that is asked for. What is run is written down.
_ANSWER = """\
echo "$*" >> "$CALLS"
case "$*" in
stack*) echo dev;;
*--show-secrets*) cat "$CALLS.clear";;
*) cat "$CALLS.blinded";;
esac
"""


class _Cli:
    """A script that is the only `pulumi` on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._calls = folder / "calls"
        self.does(_ANSWER)
        self.configured({})

    def does(self, script: str) -> None:
        program = self.folder / "pulumi"
        program.write_text(f"#!/bin/sh\nCALLS={self._calls}\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def configured(
        self, values: Mapping[str, str], secret: Mapping[str, str] | None = None
    ) -> None:
        clear = {key: {"value": value, "secret": False} for key, value in values.items()}
        hidden: dict[str, Any] = {key: {"secret": True} for key in secret or {}}
        shown = {key: {"value": value, "secret": True} for key, value in (secret or {}).items()}
        self._calls.with_name("calls.blinded").write_text(json.dumps(clear | hidden))
        self._calls.with_name("calls.clear").write_text(json.dumps(clear | shown))

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a project and a stack that somebody has configured."""
    folder = tmp_path / "search"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: search\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Cli:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    return _Cli(folder)


@pytest.fixture
def run(simulator: Simulator, cli: _Cli) -> Callable[..., Result]:
    """Runs a command on the simulated cloud."""

    def run(*arguments: str, **environment: str | None) -> Result:
        given: dict[str, str | None] = {**simulator.environment(), **environment}
        return CliRunner().invoke(main, arguments, env=given)

    return run


def _region(simulator: Simulator) -> str | None:
    (call,) = simulator.calls("ListModelServices")
    return call.query["RegionId"]


@pytest.mark.parametrize(
    ("options", "config", "expected"),
    [
        (("--region", "cn-beijing"), {"adbpg:region": "cn-shanghai"}, "cn-beijing"),
        ((), {"adbpg:region": "cn-shanghai", "alicloud:region": "cn-beijing"}, "cn-shanghai"),
        ((), {"alicloud:region": "cn-beijing"}, "cn-beijing"),
        ((), {"search:region": "cn-beijing"}, "cn-hangzhou"),
        (("--no-stack",), {"adbpg:region": "cn-shanghai"}, "cn-hangzhou"),
    ],
    ids=["option", "adbpg", "alicloud", "environment", "no stack"],
)
def test_options_go_before_the_stack_and_that_before_the_environment(
    project: Path,
    run: Callable[..., Result],
    cli: _Cli,
    simulator: Simulator,
    options: tuple[str, ...],
    config: dict[str, str],
    expected: str,
) -> None:
    """As the provider reads it, which has the resource's own region in place of the option."""
    cli.configured(config)
    done = run(*_LIST, "--json", *options)

    assert done.exit_code == 0, done.output
    assert expected == _region(simulator)
    assert {"services": []} == json.loads(done.stdout)
    line = f"Using the configuration of stack dev of {project / 'Pulumi.yaml'}.\n"
    assert ("" if options == ("--no-stack",) else line) == done.stderr


def test_profile_goes_before_every_credential_of_the_stack(
    project: Path, cli: _Cli, tmp_path: Path, simulator: Simulator
) -> None:
    """Whoever names a profile is nobody else, and stays where the stack is."""
    cli.configured(
        {"adbpg:region": "cn-shanghai", "adbpg:accessKey": "another", "alicloud:profile": "none"},
        {"adbpg:secretKey": _MARK, "alicloud:assumeRole": json.dumps({"roleArn": _MARK})},
    )
    keys = {"access_key_id": "simulator-key-id", "access_key_secret": "simulator-key-secret"}
    profile = {"name": "mine", "mode": "AK", **keys}
    (tmp_path / ".aliyun").mkdir()
    (tmp_path / ".aliyun/config.json").write_text(json.dumps({"profiles": [profile]}))
    done = subprocess.run(  # the library looks for the home once in a process
        [sys.executable, "-m", "pulumi_adbpg_model", *_LIST, "--profile", "mine"],
        env={**os.environ, "ADBPG_ENDPOINT": simulator.endpoint},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "cn-shanghai" == _region(simulator)


def test_secrets_are_decrypted_only_for_what_is_used(
    project: Path, run: Callable[..., Result], cli: _Cli
) -> None:
    """A passphrase is needed for a secret of ours alone."""
    cli.configured({"adbpg:region": "cn-beijing"}, {"search:password": _MARK})
    assert 0 == run(*_LIST).exit_code
    assert [] == [call for call in cli.calls if "--show-secrets" in call]

    cli.configured({"adbpg:accessKey": "simulator-key-id"}, {"adbpg:secretKey": _MARK})
    refused = run(*_LIST, ALICLOUD_ACCESS_KEY=None, ALICLOUD_SECRET_KEY=None)
    assert "code=SignatureDoesNotMatch" in refused.output
    assert _MARK not in refused.output
    assert 1 == len([call for call in cli.calls if "--show-secrets" in call])


def test_value_that_is_an_object_is_read_as_its_json(project: Path, cli: _Cli) -> None:
    """As the provider's host reads it; nothing else of the configuration is kept."""
    role = json.dumps({"roleArn": "acs:ram::1:role/r", "externalId": _MARK})
    cli.configured(
        {"adbpg:region": "cn-beijing", "other:size": "3", "search:adbpg:region": "no"},
        {"alicloud:assumeRole": role, "search:password": "p"},
    )
    found = read_configuration(None)

    assert {"adbpg:region": "cn-beijing", "alicloud:assumeRole": role} == found.values
    assert _MARK not in repr(found)


def test_project_is_looked_for_as_the_cli_does(
    project: Path, cli: _Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Upwards, and along the link by which somebody came here; also where a name is odd."""
    nested = project / "deep/er"
    nested.mkdir(parents=True)
    monkeypatch.chdir(nested)
    assert str(project / "Pulumi.yaml") in read_configuration(None).note

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (project / "link").symlink_to(elsewhere)
    monkeypatch.chdir(project / "link")
    assert "" == read_configuration(None).note
    monkeypatch.setenv("PWD", str(project / "link"))
    assert str(project / "Pulumi.yaml") in read_configuration(None).note
    monkeypatch.setenv("PWD", str(tmp_path / "none"))
    assert "" == read_configuration(None).note

    for name in ("Pulumi.yml", "Pulumi.json"):
        (elsewhere / name).touch()
        assert str(elsewhere / name) in read_configuration(None).note
        (elsewhere / name).unlink()
    (elsewhere / "Pulumi.yaml").mkdir()
    assert "" == read_configuration(None).note


@pytest.mark.parametrize("arguments", [(), ("--no-stack",)], ids=["outside", "with --no-stack"])
def test_outside_a_project_nothing_is_said_or_run(
    run: Callable[..., Result], cli: _Cli, arguments: tuple[str, ...]
) -> None:
    """As before."""
    done = run(*_LIST, *arguments)

    assert (0, "") == (done.exit_code, done.stderr)
    assert [] == cli.calls


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (None, "there is no pulumi on the PATH"),
        ("echo no stack selected, $MARK >&2; exit 1", "no stack is selected"),
        ("echo $MARK >&2; exit 3", "pulumi is not logged in"),
    ],
    ids=["no CLI", "no stack", "no login"],
)
def test_where_no_stack_is_known_the_environment_is_used(
    project: Path,
    run: Callable[..., Result],
    cli: _Cli,
    simulator: Simulator,
    script: str | None,
    why: str,
) -> None:
    """A line says so where a stack may be missed. A stack that is named has to be read."""
    if script is None:
        (cli.folder / "pulumi").unlink()
    else:
        cli.does(script.replace("$MARK", _MARK))
    done = run(*_LIST)

    assert done.exit_code == 0, done.output
    line = f"Using the configuration of no stack of {project / 'Pulumi.yaml'}: {why}.\n"
    assert line == done.stderr
    assert "cn-hangzhou" == _region(simulator)
    for arguments, environment in ((("--stack", "dev"), {}), ((), {"PULUMI_STACK": "dev"})):
        named = run(*_LIST, *arguments, **environment)
        assert 1 == named.exit_code
        assert "Error: the configuration of stack dev cannot be read: " in named.output
        assert "--no-stack" in named.output
        assert _MARK not in named.output
    (project / "Pulumi.dev.yaml").unlink()
    assert "" == run(*_LIST).stderr


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (f"echo no stack named {_MARK} found >&2; exit 255", "there is no such stack"),
        (f"echo {_MARK} >&2; exit 6", "there is no such stack"),
        (f"echo {_MARK}: incorrect passphrase >&2; exit 1", "the passphrase is wrong"),
        (f"echo {_MARK}: set PULUMI_CONFIG_PASSPHRASE >&2; exit 1", "the passphrase is not set"),
        (f"echo {_MARK} >&2; exit 3", "pulumi is not logged in"),
        (f"echo {_MARK}; echo {_MARK} >&2; exit 7", "pulumi ended with exit code 7"),
        (f"echo {_MARK}", "pulumi answers in a form that is not known"),
        (f"echo '[\"{_MARK}\"]'", "pulumi answers in a form that is not known"),
        (f'echo \'{{"adbpg:region": "{_MARK}"}}\'', "pulumi answers in a form that is not known"),
        (
            f'echo \'{{"adbpg:region": {{"value": ["{_MARK}"]}}}}\'',
            "pulumi answers in a form that is not known",
        ),
        (
            'echo \'{"adbpg:region": {"secret": true}}\'',
            "pulumi answers in a form that is not known",
        ),
    ],
)
@pytest.mark.parametrize("command", ["list", "doctor"])
def test_stack_that_cannot_be_read_is_an_error(
    project: Path,
    run: Callable[..., Result],
    cli: _Cli,
    simulator: Simulator,
    script: str,
    why: str,
    command: str,
) -> None:
    """In our own words, with the way out; nobody is called as somebody else."""
    cli.does(f'if [ "$1" = stack ]; then echo dev; else {script}; fi')
    done = run(command, "--instance", "gp-demo")

    assert 1 == done.exit_code
    assert f"the configuration of stack dev cannot be read: {why}" in done.output
    assert "With --no-stack, options and environment alone say where to call" in done.output
    assert _MARK not in done.output
    assert [] == simulator.requests


@pytest.mark.parametrize("answer", [f"two words {_MARK}", "", f"{_MARK}!"])
def test_name_that_is_none_is_not_shown(project: Path, cli: _Cli, answer: str) -> None:
    """What the CLI prints in place of a stack's name may be anything."""
    cli.does(f"echo '{answer}'")
    with pytest.raises(UnreadableError) as raised:
        read_configuration(None)

    assert "of the selected stack cannot be read: pulumi answers in a form" in str(raised.value)
    assert _MARK not in str(raised.value)


def test_cli_that_hangs_is_ended_with_what_it_started(project: Path, cli: _Cli) -> None:
    """A script on the PATH may start the real one, which holds the pipe open."""
    cli.does('sleep 61 & echo $! > "$CALLS"; wait')
    started = time.monotonic()
    with pytest.raises(UnreadableError, match=r"dev cannot be read: pulumi did not answer within"):
        read_configuration("dev", timeout_s=0.5)

    assert time.monotonic() - started < 10
    assert _is_gone(int(cli.calls[0]))


def test_cli_that_does_not_run(project: Path, cli: _Cli) -> None:
    """Such as one for another machine."""
    (cli.folder / "pulumi").write_bytes(b"\x7fELF")
    with pytest.raises(UnreadableError, match=r"cannot be read: pulumi does not run\."):
        read_configuration("dev")


def test_ctrl_c_ends_the_cli_too(project: Path, cli: _Cli) -> None:
    """It is in a session of its own, where it can ask nobody."""
    more_than_a_pipe_takes = "head -c 1000000 /dev/zero >&2"  # so that somebody reads by now
    told = 'echo $$ > "$CALLS.new"; mv "$CALLS.new" "$CALLS"'
    cli.does(f"{more_than_a_pipe_takes}; {told}; exec sleep 61")
    with subprocess.Popen(
        [sys.executable, "-m", "pulumi_adbpg_model", *_LIST],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while not cli.calls:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)

    assert 0 != process.returncode
    assert _is_gone(int(cli.calls[0]))


def _is_gone(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    for _ in range(100):
        try:
            os.kill(process, 0)
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # for its parent to notice
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_stack_outside_a_project(run: Callable[..., Result], cli: _Cli) -> None:
    """The CLI would not read it either."""
    done = run(*_LIST, "--stack", "organization/search/dev")

    assert 1 == done.exit_code
    assert "there is no Pulumi project in this folder or above it" in done.output
    assert [] == cli.calls


def test_stack_of_another_name(project: Path, run: Callable[..., Result], cli: _Cli) -> None:
    """It is handed over as it is; what is selected is not asked for."""
    done = run(*_LIST, "--stack", "-x")

    assert "Using the configuration of stack -x of " in done.stderr
    assert ["config --json --stack=-x --open --non-interactive --color=never"] == cli.calls


def test_variables_of_an_esc_environment_are_said_to_be_missing(project: Path, cli: _Cli) -> None:
    """They may be the credentials, and `pulumi config` does not tell them."""
    (project / "Pulumi.dev.yaml").write_text("environment:\n  - search/dev\nconfig: {}\n")

    expected = "; variables that its ESC environments set count under `pulumi env run` only."
    for stack in (None, "mine/search/dev"):
        assert read_configuration(stack).note.endswith(f"Pulumi.yaml{expected}")
    assert "ESC" not in read_configuration("prod").note


def test_stack_and_no_stack_exclude_each_other(project: Path, run: Callable[..., Result]) -> None:
    for command in (_LIST, ("doctor",)):
        done = run(*command, "--stack", "dev", "--no-stack")
        assert 2 == done.exit_code
        assert "--stack and --no-stack exclude each other" in done.output


def test_program_on_stderr_is_still_one(
    project: Path, run: Callable[..., Result], cli: _Cli
) -> None:
    """`import-file 2> services.py`: the line about the stack is a remark."""
    done = run("import-file", "--instance", "gp-demo")

    assert done.exit_code == 0, done.output
    assert done.stderr.startswith("# Using the configuration of stack dev of ")
    compile(done.stderr, "services.py", "exec")


def test_doctor_has_a_row_for_it(project: Path, run: Callable[..., Result], cli: _Cli) -> None:
    """Which stack; or why none, and what to do."""

    def row(*arguments: str) -> tuple[str, str, str]:
        done = run("doctor", "--json", *arguments, ALICLOUD_REGION=None)
        (found,) = [
            one for one in json.loads(done.stdout)["findings"] if one["what"] == "configuration"
        ]
        regions.append("region" in done.stdout and '"cn-beijing"' in done.stdout)
        return found["status"], found["text"], found["fix"]

    regions: list[bool] = []
    cli.configured({"adbpg:region": "cn-beijing"})
    place = project / "Pulumi.yaml"
    assert ("ok", f"Using the configuration of stack dev of {place}", "") == row()
    assert ("ok", "of no stack: options and environment", "") == row("--no-stack")
    cli.does("echo no stack selected >&2; exit 1")
    status, text, fix = row()
    assert ("warning", True) == (status, text.endswith("no stack is selected"))
    assert "run `pulumi stack select`, or give --no-stack" == fix
    assert [True, False, False] == regions
