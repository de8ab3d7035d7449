"""Where the commands' output goes: pipes, terminals, encodings, streams that are closed, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import place

_NODE = "gp-bp1234567890abcdef-\N{CJK UNIFIED IDEOGRAPH-8282}\N{CJK UNIFIED IDEOGRAPH-70B9}-1"
_EMPTY = '{"version": 3, "deployment": {"manifest": {}}}'
_ORPHANS = ("orphans", "--instance", "gp-demo", "-")
_COMMANDS: dict[str, tuple[Sequence[str], int]] = {
    "list": (("list", "--instance", "gp-demo"), 0),
    "models": (("models",), 0),
    "nodes": (("nodes", "--instance", "gp-demo"), 0),
    "orphans": (_ORPHANS, 1),
    "import-file": (("import-file", "--instance", "gp-demo"), 0),
    "policy": (("policy",), 0),
}
#: What a shell sets to have colours where there is no terminal, or another width.
_FORCING = (
    {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"},
    {"COLUMNS": "20"},
    {"FORCE_COLOR": "3", "COLUMNS": "20", "TERM": "dumb"},
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Simulator]:
    """A cloud whose names need more than ASCII, with one service."""
    names = {"models": ["Modèle-\N{GRINNING FACE}", "Qwen3-Embedding-8B"]}
    with Simulator(provision_seconds=0, nodes=[_NODE], **names) as running:  # type: ignore[arg-type]
        place(running, ai_nodes=(_NODE,), description="né")
        yield running


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pulumi_adbpg_model", *arguments]


def _run(
    cloud: Simulator, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        _command(*arguments),
        input=_EMPTY.encode(),
        capture_output=True,
        check=False,
        env={**os.environ, **cloud.environment(), **environment},
    )


def _in_shell(
    cloud: Simulator, arguments: Sequence[str], rest: str, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """A command whose line goes on in a way that only a shell has."""
    return subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(_command(*arguments))} {rest}"],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **cloud.environment()},
    )


def _whole(cloud: Simulator, command: str) -> tuple[int, str]:
    """Exit code and output where everything can be written, from this process."""
    arguments, _ = _COMMANDS[command]
    done = CliRunner().invoke(main, arguments, input=_EMPTY, env=cloud.environment())
    return done.exit_code, done.stdout


@pytest.mark.parametrize(
    ("command", "encoding"),
    [*((command, "ascii") for command in _COMMANDS), ("nodes", "cp1252:strict")],
)
def test_every_encoding_takes_all_of_it(cloud: Simulator, command: str, encoding: str) -> None:
    """What it does not have is escaped: nothing ends half-way, and the exit code is true."""
    arguments, expected = _COMMANDS[command]
    done = _run(cloud, *arguments, PYTHONIOENCODING=encoding)
    code, wanted = _whole(cloud, command)

    assert (expected, expected) == (done.returncode, code)
    told = done.stdout.decode(encoding.partition(":")[0])
    assert wanted.count("\n") == told.count("\n")
    assert b"Error" not in done.stderr
    assert b"PYTHONIOENCODING" not in done.stderr
    for id_ in re.findall(r"gp-demo:ms-\w+", wanted):
        assert id_ in told


def test_ascii_is_ascii_and_aligned(cloud: Simulator) -> None:
    """Escapes are counted in the width of their column, and the lines of a table are dashes."""
    done = _run(cloud, *_COMMANDS["nodes"][0], PYTHONIOENCODING="ascii")
    _, head, dashes, row, *_ = done.stdout.decode("ascii").splitlines()
    assert set(" -") == set(dashes)
    assert head.index("State") == row.index("bound")
    assert r"abcdef-\u8282\u70b9-1 " in row


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_a_program_reads_is_utf_8_in_every_encoding(
    cloud: Simulator, encoding: str, tmp_path: Path
) -> None:
    """Whatever wrote it: the escapes of JSON are those of JSON, and Python's those of Python."""
    done = _run(cloud, *_COMMANDS["nodes"][0], "--json", PYTHONIOENCODING=encoding)
    (node,) = json.loads(done.stdout.decode("utf-8"))["nodes"]
    assert (0, _NODE) == (done.returncode, node["name"])

    arguments = (*_COMMANDS["import-file"][0], "--out", str(tmp_path / "import.json"))
    program = _run(cloud, *arguments, PYTHONIOENCODING=encoding).stdout.decode("utf-8")
    compile(program, "services.py", "exec")
    assert _NODE in program.encode().decode("unicode_escape")


def test_error_is_written_in_every_encoding(cloud: Simulator) -> None:
    """Usage errors quote what was typed."""
    done = _run(cloud, "list", "--instance", "\N{SNOWMAN} x", PYTHONIOENCODING="cp1252")
    assert 2 == done.returncode
    assert r"\u2603" in done.stderr.decode("cp1252")


def test_no_variable_folds_what_a_pipe_reads(cloud: Simulator) -> None:
    """One row is one line, as without the variable; there may be colours."""
    arguments, _ = _COMMANDS["list"]
    _, plain = _whole(cloud, "list")
    for forcing in _FORCING:
        forced = _run(cloud, *arguments, **forcing).stdout.decode()
        assert plain == re.sub(r"\x1b\[[0-9;]*m", "", forced)


def test_terminal_folds_no_id(cloud: Simulator) -> None:
    """A part of an id would look like one; letters of China take two places."""
    pytest.importorskip("pty")
    (service,) = cloud.services
    terminals = (("list", "xterm-256color"), ("list", "dumb"), ("nodes", "unknown"))
    for command, term in terminals:
        ours, theirs = os.openpty()
        environment = {"TERM": term, "COLUMNS": "40", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
        with subprocess.Popen(
            _command(*_COMMANDS[command][0]),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            env={**os.environ, **cloud.environment(), **environment},
        ) as process:
            os.close(theirs)
            shown = _all_of(ours)
        assert 0 == process.returncode
        assert f"gp-demo:{service.id}" in shown
        assert len(shown.splitlines()) > 4 if command == "list" else _NODE in shown


def _all_of(terminal: int) -> str:
    content = b""
    try:
        while piece := os.read(terminal, 4096):
            content += piece
    except OSError:  # Linux says so when nobody has the other end any more
        pass
    finally:
        os.close(terminal)
    return content.decode()


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_closed_stdin_is_no_stack(cloud: Simulator, arguments: Sequence[str]) -> None:
    """Wrong usage in one line, as on a terminal, and nothing is asked."""
    cloud.clear_requests()
    done = _in_shell(cloud, ("orphans", "--instance", "gp-demo", *arguments), "<&-")
    assert (2, "") == (done.returncode, done.stdout)
    assert "Traceback" not in done.stderr
    assert re.search(r"^Error: (Give a STACK|stdin is closed)", done.stderr, re.MULTILINE)
    assert [] == cloud.requests


@pytest.mark.parametrize("command", ["list", "orphans", "policy"])
def test_closed_streams_are_no_bug(cloud: Simulator, command: str) -> None:
    """Nobody reads, and the exit code is the same."""
    arguments, expected = _COMMANDS[command]
    done = _in_shell(cloud, arguments, ">&-", _EMPTY)
    assert expected == done.returncode
    assert "Traceback" not in done.stderr


def _interrupted(cloud: Simulator, arguments: Sequence[str]) -> tuple[int, str, str]:
    """Interrupt a command in the middle of its first call."""
    cloud.clear_requests()
    cloud.inject("hang", times=None)
    with subprocess.Popen(
        _command(*arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **cloud.environment()},
    ) as process:
        assert process.stdin is not None
        process.stdin.write(_EMPTY)
        process.stdin.close()
        process.stdin = None
        while not cloud.requests and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    cloud.clear_faults()
    return process.returncode, out, err


@pytest.mark.parametrize(
    "arguments",
    [
        _COMMANDS["import-file"][0],
        _ORPHANS,
        ("api-key", "gp-demo:ms-1"),
        ("doctor", "--instance", "gp-demo"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_ctrl_c_in_a_call_ends_with_130(cloud: Simulator, arguments: Sequence[str]) -> None:
    """As a shell expects of what SIGINT ended: no traceback, and nothing printed as a result."""
    assert (130, "", "\nAborted!\n") == _interrupted(cloud, arguments)


def test_ctrl_c_while_stdin_is_read_ends_with_130(cloud: Simulator) -> None:
    """The command waits for a stack that does not come."""
    program = (
        "import os, sys, threading\n"
        "from pulumi_adbpg_model.cli import main, orphans\n"
        "sys.argv[1:] = ['orphans', '--instance', 'gp-demo', '-']\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), 2)).start()\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **cloud.environment()},
    ) as process:
        process.wait(30)
        assert process.stderr is not None
        assert (130, "\nAborted!\n") == (process.returncode, process.stderr.read())


def test_reader_that_leaves_ends_the_command_in_silence(cloud: Simulator) -> None:
    """As with `| head`."""
    assert "" == _in_shell(cloud, _ORPHANS, "| true", _EMPTY).stderr
