"""Help and usage errors of every command: exit code 2, and a line that names the option."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.testing import DIALECTS


def _commands() -> list[str]:
    with click.Context(main) as context:
        return main.list_commands(context)


def _command(name: str) -> click.Command:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", ["", *_commands()])
def test_help_is_there_for_every_command(command: str, flag: str) -> None:
    """Each command explains itself, every option with a text."""
    result = CliRunner().invoke(main, [*([command] if command else []), flag])

    assert 0 == result.exit_code
    assert result.output.startswith(f"Usage: main {command}".rstrip())


@pytest.mark.parametrize("command", _commands())
def test_every_option_has_a_text(command: str) -> None:
    """No option stands in the help by its bare name."""
    options = [
        parameter for parameter in _command(command).params if isinstance(parameter, click.Option)
    ]

    assert [] == [option.name for option in options if not option.help]


def test_command_loads_only_what_it_needs() -> None:
    """Loading the cloud SDK and Pulumi takes most of a second: too long for every `simulate`."""
    program = (
        "import sys; from click.testing import CliRunner; from pulumi_adbpg_model.cli import main;"
        "done = CliRunner().invoke(main, ['simulate', '--help']); assert done.exit_code == 0;"
        "print({'Tea', 'darabonba', 'pulumi'} & sys.modules.keys() or 'neither')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "neither\n" == done.stdout


def test_simulate_explains_every_dialect() -> None:
    """Each name stands in the help with its sentence."""
    text = " ".join(CliRunner().invoke(main, ["simulate", "--help"]).output.split())

    assert [] == [name for name, sentence in DIALECTS.items() if f" {name} {sentence}" not in text]


def test_commands_are_those_of_the_documentation() -> None:
    """The commands' names are public."""
    assert "simulate" in _commands()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["simulate", "--nonsense"], "No such option"),
        (["simulate", "extra"], "Got unexpected extra argument (extra)"),
        (["simulate", "--port", "-1"], "Invalid value for '--port'"),
        (["simulate", "--port", "65536"], "Invalid value for '--port'"),
        (["simulate", "--port", "http"], "Invalid value for '--port'"),
        (["simulate", "--provision-seconds", "-0.1"], "Invalid value for '--provision-seconds'"),
        (["simulate", "--provision-seconds", "nan"], "Invalid value for '--provision-seconds'"),
        (["simulate", "--delete-seconds", "inf"], "Invalid value for '--delete-seconds'"),
        (["simulate", "--delete-seconds", "-1"], "Invalid value for '--delete-seconds'"),
        (["simulate", "--nodes", ""], "Invalid value for '--nodes'"),
        (["simulate", "--nodes", "ai-1,,ai-2"], "Invalid value for '--nodes'"),
        (["simulate", "--nodes", "ai-1, ai-1"], "Invalid value for '--nodes'"),
        (["simulate", "--dialect", "klingon"], "Invalid value for '--dialect'"),
        (
            ["simulate", "--dialect", "status-missing", "--dialect", "status-deploying"],
            "Invalid value for '--dialect': these exclude each other: "
            "status-deploying, status-missing",
        ),
        (["simulate", "--state", "."], "Invalid value for '--state'"),
        (["simulate", "--state", ""], "Invalid value for '--state'"),
        (["simulate", "--state", "-"], "Invalid value for '--state': must be a file"),
        (["simulate", "--state", "no/such/folder"], "Invalid value for '--state'"),
        (["simulate", "--state", os.devnull], "Invalid value for '--state'"),
        (["simulate", "--like", ""], "Invalid value for '--like': must not be blank"),
        (["simulate", "--like", "."], "Invalid value for '--like': File '.' is a directory"),
        (["simulate", "--like", "no/such"], "Invalid value for '--like': File 'no/such' does not"),
        (["simulate", "--like", "-"], "Invalid value for '--like': File '-' does not exist"),
        (["simulate", "--instance", ""], "Invalid value for '--instance'"),
        (["simulate", "--instance", "gp:a"], "Invalid value for '--instance'"),
        (["simulate", "--region", ""], "Invalid value for '--region'"),
        (["simulate", "--region", "cn_hangzhou"], "Invalid value for '--region'"),
        (["simulate", "--access-key-id", ""], "Invalid value for '--access-key-id'"),
        (["simulate", "--access-key-secret", " x"], "Invalid value for '--access-key-secret'"),
        (
            ["simulate", "--whitelist-group", "g=ai-1", "--whitelist-group", "g=ai-2"],
            "Invalid value for '--whitelist-group': group g is given twice",
        ),
        (["simulate", "--whitelist-group", "models"], "Invalid value for '--whitelist-group'"),
        (["simulate", "--whitelist-group", "=ai-1"], "Invalid value for '--whitelist-group'"),
    ],
)
def test_wrong_usage_ends_with_code_2(arguments: list[str], expected: str) -> None:
    """A mistake in the command line is named, and nothing is started."""
    result = CliRunner().invoke(main, arguments)

    assert 2 == result.exit_code
    assert expected in result.output


@pytest.mark.parametrize(
    "content", ["not json", '{"format": 99}', "[]"], ids=["no JSON", "other format", "other shape"]
)
def test_simulate_fails_in_one_line_when_its_state_is_no_state(
    tmp_path: Path, content: str
) -> None:
    """A file that is something else is refused, and left as it is."""
    state = tmp_path / "cloud.json"
    state.write_text(content)

    result = CliRunner().invoke(main, ["simulate", "--state", str(state)])

    assert 1 == result.exit_code
    assert result.output.startswith(
        f"Error: the simulator cannot start: {state} is not a simulator state file"
    )
    assert 1 == result.output.count("\n")
    assert content == state.read_text()


def test_simulate_fails_in_one_line_when_its_survey_is_none(tmp_path: Path) -> None:
    """As for the state: the file is named with what is wrong, and nothing is started."""
    path = tmp_path / "survey.json"
    for content, told in (
        ("{}", '{path} is not a survey that `pulumi-adbpg-model survey` wrote: it has no "format"'),
        (
            '{"format": 1, "dialects": ["status-missing"], "provision_seconds": null, '
            '"delete_seconds": null, "models": null}',
            "dialects that exclude each other: status-deploying, and status-missing of survey "
            "{path}. Leave status-deploying out",
        ),
    ):
        path.write_text(content)
        result = CliRunner().invoke(
            main, ["simulate", "--like", str(path), "--dialect", "status-deploying"]
        )
        expected = told.replace("{path}", str(path))
        assert f"Error: the simulator cannot start: {expected}\n" == result.output
        assert 1 == result.exit_code


def test_module_is_the_console_script() -> None:
    """`python -m pulumi_adbpg_model` is the same command, under its own name."""
    done = subprocess.run(
        [sys.executable, "-m", "pulumi_adbpg_model", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("Usage: python -m pulumi_adbpg_model [OPTIONS] COMMAND")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_told_in_one_line() -> None:
    """As any other failure."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pulumi_adbpg_model", "policy"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (1, "Error: No space left on device\n") == (done.returncode, done.stderr)


def _given(command: str) -> list[tuple[str, ...]]:
    """Everything that takes a value, in the way it is given."""
    return [
        (parameter.opts[0],) if isinstance(parameter, click.Option) else ()
        for parameter in _command(command).params
        if not (isinstance(parameter, click.Option) and parameter.is_flag)
    ]


@pytest.mark.parametrize("blank", ["", " ", "\n"])
@pytest.mark.parametrize(
    ("command", "option"),
    [(command, option) for command in _commands() for option in _given(command)],
)
def test_nothing_is_given_blank(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    option: tuple[str, ...],
    blank: str,
) -> None:
    """Such as the empty variable of a script: it is not taken for an option that is left out."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [command, *option, blank])

    assert 2 == result.exit_code, result.output
    assert "Invalid value for" in result.output
    assert [] == list(tmp_path.iterdir())
