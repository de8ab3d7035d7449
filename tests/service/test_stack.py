"""What the stack's state holds: the CLI that tells it, and what is read of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.service.stack import StackEntry, StackState, export
from tests.lifecycle.fakes import PATIENCE_S, FakeClock
from tests.service.values import json_values

_TYPE = "pulumi-python:dynamic/adbpg:ModelService"
_URN = f"urn:pulumi:dev::shop::{_TYPE}::a"
_SERVICE = ModelServiceId("gp-1", "ms-1")


def _resource(**changed: Any) -> dict[str, Any]:
    """One of the state, as `pulumi stack export` prints it."""
    made = {
        "urn": _URN,
        "custom": True,
        "id": "gp-1:ms-1",
        "type": _TYPE,
        "inputs": {},
        "outputs": {"model_service_id": "ms-1"},
    }
    return {name: value for name, value in {**made, **changed}.items() if value is not None}


def _export(*resources: dict[str, Any]) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": list(resources)}})


def _told(text: str | None) -> dict[str, StackEntry] | None:
    stack = StackState(FakeClock(), lambda _organization, _urn: text)
    stack.is_of("acme", _URN)
    found = stack.services()
    return None if found is None else dict(found)


def test_a_service_is_told_by_the_urn_of_its_resource() -> None:
    """Others of the stack, of other types and without an id, are passed over."""
    stack = {
        "urn": "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop",
        "type": "pulumi:pulumi:Stack",
    }
    bucket = _resource(urn=f"{_URN}2", type="aws:s3/bucket:Bucket")
    assert _told(_export(stack, _resource(), bucket)) == {_URN: StackEntry(_SERVICE)}


@pytest.mark.parametrize(
    "text", [_export(), '{"deployment": {"resources": null}}', '{"deployment": {}}']
)
def test_a_stack_without_resources_holds_nothing(text: str) -> None:
    """Which is another thing than not to be had."""
    assert _told(text) == {}


@pytest.mark.parametrize("envelope", ['"version": 5', '"version": 4, "features": ["shards"]'])
def test_a_stack_of_an_unknown_form_holds_nobody_knows_what(envelope: str) -> None:
    """Its resources may stand elsewhere."""
    assert _told(f'{{{envelope}, "deployment": {{"resources": []}}}}') is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, StackEntry(_SERVICE)),
        ({"external": True}, None),
        ({"delete": True}, None),
        ({"pendingReplacement": True}, StackEntry(_SERVICE, replaced=True)),
        ({"protect": False, "taint": True, "initErrors": ["no"]}, StackEntry(_SERVICE)),
        ({"protect": True}, StackEntry(_SERVICE, kept_by="protect")),
        ({"retainOnDelete": True}, StackEntry(_SERVICE, kept_by="retain_on_delete")),
        ({"retainOnDelete": False}, StackEntry(_SERVICE)),
        ({"outputs": None}, StackEntry(_SERVICE)),
        ({"id": None}, None),
        ({"id": ""}, None),
        ({"id": "i-123"}, None),
        ({"type": "pulumi-python:dynamic/mine:Model"}, StackEntry(_SERVICE)),
        ({"type": "pulumi-python:dynamic/mine:Model", "outputs": None}, None),
        ({"type": "pulumi-python:dynamic:Resource", "outputs": {}}, None),
        ({"type": "pulumi-nodejs:dynamic:Resource"}, None),
        ({"outputs": {"client_token": "t"}}, StackEntry(_SERVICE, "t")),
        ({"outputs": {"model_name": "M"}}, StackEntry(_SERVICE, model="M")),
        ({"outputs": {"model_name": {"ciphertext": "…"}}}, StackEntry(_SERVICE)),
        (
            {"outputs": {"client_token": {"4dabf18193072939515e22adb298388d": "s"}}},
            StackEntry(_SERVICE, ""),
        ),
    ],
)
def test_what_counts_of_a_resource(changed: dict[str, Any], expected: StackEntry | None) -> None:
    """One that is only read, or deleted already, has no service; a secret token stays one."""
    assert _told(_export(_resource(**changed))) == ({} if expected is None else {_URN: expected})


def test_what_is_replaced_counts_beside_what_is_still_to_be_deleted() -> None:
    """The engine lists both under one URN, in any order."""
    old, new = _resource(delete=True), _resource(id="gp-1:ms-2")
    expected = {_URN: StackEntry(ModelServiceId("gp-1", "ms-2"))}
    assert _told(_export(old, new)) == _told(_export(new, old)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "{}",
        '{"deployment": null}',
        '{"deployment": {"resources": [1]}}',
    ],
)
def test_garbage_is_no_answer(text: str) -> None:
    """Then nothing of the stack is known, which is said, instead of that it holds nothing."""
    assert _told(text) is None
    assert _told(None) is None


@given(json_values)
def test_whatever_is_printed_does_no_harm(value: Any) -> None:
    """Any JSON, at any of the places that are read."""
    for text in (
        json.dumps(value),
        json.dumps({"deployment": value}),
        json.dumps({"deployment": {"resources": value}}),
        json.dumps({"deployment": {"resources": [value]}}),
        _export(_resource(outputs=value)),
        _export(_resource(id=value)),
        _export(_resource(type=value)),
        _export(_resource(urn=value)),
    ):
        _told(text)


class _Asked:
    """Answers with the next of what it is given, and remembers what it was asked for."""

    def __init__(self, *answers: str | None) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, organization: str, urn: str) -> str | None:
        self.asked.append((organization, urn))
        return self._answers.pop(0)


def test_nothing_is_asked_before_the_stack_is_known() -> None:
    """The first resource tells which one it is; all are of one."""
    read = _Asked(_export())
    stack = StackState(FakeClock(), read)
    assert stack.services() is None
    assert read.asked == []
    stack.is_of("acme", _URN)
    stack.is_of("other", f"{_URN}2")
    assert stack.services() == {}
    assert read.asked == [("acme", _URN)]


def test_an_answer_is_used_for_three_seconds() -> None:
    """The state of the moment matters: a run changes it."""
    clock, read = FakeClock(), _Asked(_export(), _export(_resource()))
    stack = StackState(clock, read)
    stack.is_of("acme", _URN)
    assert stack.services() == {}
    clock.now = 2.9
    assert stack.services() == {}
    clock.now = 3.0
    assert stack.services() == {_URN: StackEntry(_SERVICE)}
    assert len(read.asked) == 2


@pytest.mark.parametrize("failed", [None, "garbage"])
def test_it_is_not_asked_again_once_it_could_not_be_had(failed: str | None) -> None:
    """Others wait meanwhile, and each would."""
    clock, read = FakeClock(), _Asked(_export(), failed)
    stack = StackState(clock, read)
    stack.is_of("acme", _URN)
    assert stack.services() == {}
    clock.now = 10.0
    assert stack.services() is None
    clock.now = 20.0
    assert stack.services() is None
    assert len(read.asked) == 2


def test_many_who_ask_at_once_share_an_answer() -> None:
    """One run of the CLI, whatever the number of creates that were refused."""
    begun, go_on = threading.Event(), threading.Event()
    asked: list[str] = []

    def read(_organization: str, urn: str) -> str:
        asked.append(urn)
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return _export(_resource())

    stack = StackState(FakeClock(), read)
    stack.is_of("acme", _URN)
    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(stack.services) for _ in range(16)]
        assert begun.wait(PATIENCE_S)
        go_on.set()
        assert all(one.result(PATIENCE_S) == {_URN: StackEntry(_SERVICE)} for one in answers)
    assert len(asked) == 1


_Cli = Callable[[str], Path]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Cli:
    """Puts a `pulumi` on the path, which writes down how it was called."""

    def put(script: str) -> Path:
        program = tmp_path / "pulumi"
        calls = tmp_path / "calls"
        program.write_text(f'#!/bin/sh\necho "$@" >> "{calls}"\n{script}\n', encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
        return calls

    return put


def test_the_cli_is_asked_for_the_stack_of_the_resource(cli: _Cli) -> None:
    """By its whole name, without questions, and without secrets."""
    calls = cli('echo "the export"')
    assert export("acme", _URN) == "the export\n"
    assert calls.read_text() == "stack export --stack acme/shop/dev --non-interactive\n"


def test_an_old_backend_is_asked_by_the_name_of_the_stack_alone(cli: _Cli) -> None:
    """States in files and buckets knew no projects once; all of theirs are of `organization`."""
    calls = cli('[ "$4" = dev ] && echo "the export"')
    assert export("organization", _URN) == "the export\n"
    assert calls.read_text().splitlines() == [
        "stack export --stack organization/shop/dev --non-interactive",
        "stack export --stack dev --non-interactive",
    ]


def test_a_stack_of_an_organization_is_not_taken_for_one_of_that_name(cli: _Cli) -> None:
    """The name alone would be that of whoever is logged in."""
    calls = cli('[ "$4" = dev ] && echo "the export"')
    assert export("acme", _URN) is None
    assert len(calls.read_text().splitlines()) == 1


def test_a_cli_that_fails_is_no_answer(cli: _Cli) -> None:
    """Whatever it prints before."""
    cli('echo "the export"; echo "no" >&2; exit 255')
    assert export("organization", _URN) is None


def test_what_is_not_utf_8_is_read_all_the_same(cli: _Cli) -> None:
    """An odd character in another resource hides nothing."""
    cli(r"""printf '{"a": "\377", "b": "\303\244"}'""")
    assert export("acme", _URN) == '{"a": "\ufffd", "b": "ä"}'


def test_a_cli_that_hangs_is_not_waited_for(cli: _Cli) -> None:
    """Nor is it asked by another name, nor left running."""
    calls = cli("exec sleep 600")
    assert export("organization", _URN, timeout_s=0.5) is None
    assert len(calls.read_text().splitlines()) == 1


def test_a_cli_that_asks_gets_no_answer(cli: _Cli) -> None:
    """What is typed is not for it, and it must not wait for somebody at the terminal."""
    cli('read answer && exit 1; echo "nobody"')
    ours = os.dup(0)
    typed, keyboard = os.pipe()
    try:
        os.dup2(typed, 0)
        os.write(keyboard, b"yes\n")
        assert export("acme", _URN) == "nobody\n"
    finally:
        os.dup2(ours, 0)
        for end in (ours, typed, keyboard):
            os.close(end)


@pytest.mark.parametrize("runs", [True, False])
def test_without_a_cli_there_is_no_answer(
    cli: _Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, runs: bool
) -> None:
    """None on the path, or one that cannot be run."""
    if runs:
        cli("")
        (tmp_path / "pulumi").write_bytes(b"\x7fELF no program")
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    assert export("acme", _URN) is None


def test_without_an_organization_nothing_is_asked(cli: _Cli) -> None:
    """It might be a stack of the same name of another one."""
    calls = cli('echo "the export"')
    assert export("", _URN) is None
    assert not calls.exists()


@pytest.mark.parametrize(
    ("before", "new", "trusted"),
    [
        ("gp-1:ms-1", None, True),
        ("gp-1:ms-9", None, False),  # the export is of another stack, where the CLI found one
        ("gp-1:ms-9", "gp-1:ms-1", True),  # replaced since
        (None, "gp-1:ms-9", True),  # may not be in it yet
        (None, None, True),
    ],
)
def test_an_export_without_what_the_stack_is_known_to_have_is_not_believed(
    before: str | None, new: str | None, *, trusted: bool
) -> None:
    """A project may name its backend where the provider's folder does not."""
    stack = StackState(FakeClock(), lambda _organization, _urn: _export(_resource()))
    stack.is_of("acme", _URN)
    if before is not None:
        stack.knows(ModelServiceId.parse(before))
    if new is not None:
        stack.knows(ModelServiceId.parse(new), before=False)
    assert stack.services() == ({_URN: StackEntry(_SERVICE)} if trusted else None)


@pytest.mark.skipif(not Path("/proc/self/exe").is_symlink(), reason="needs /proc")
@pytest.mark.parametrize("on_path", [True, False])
def test_the_cli_is_run_where_the_one_runs_that_runs_this(
    cli: _Cli, tmp_path: Path, *, on_path: bool
) -> None:
    """A relative URL of the backend means the same there; a launcher may be in between."""
    cli("pwd")
    folder = tmp_path / "here"
    folder.mkdir()
    engine = tmp_path / "engine" / "pulumi"  # a shell with that name, which runs what it is given
    engine.parent.mkdir()
    shutil.copy2(Path(shutil.which("bash") or "bash").resolve(), engine)
    (folder / "stack").write_text("pwd\n")
    code = f"from pulumi_adbpg_model.service.stack import export; print(export('acme', {_URN!r}))"
    launch = shlex.join(["sh", "-c", f"cd / && {shlex.join([sys.executable, '-c', code])}; true"])
    path = os.environ["PATH"] if on_path else "/usr/bin:/bin"
    ran = subprocess.run(
        [engine, "-c", f"{launch}; true"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.strip() == str(folder)
