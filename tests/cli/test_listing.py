"""`list`, `models`, `nodes` and `api-key` against a simulated cloud."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS, SHOWN_ID, blocks
from tests.engine.support.programs import INSTANCE, place
from tests.gateway.support import Answer, stub

_LIST = ["list", "--instance", INSTANCE]
_NODES = ["nodes", "--instance", INSTANCE]


@pytest.fixture(autouse=True)
def _environment(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in simulator.environment().items():
        monkeypatch.setenv(name, value)


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def _data(*arguments: str) -> Any:
    done = _run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def _cells(done: Result) -> list[list[str]]:
    """The rows of a table; no cell in these tests holds two spaces in a row."""
    assert done.exit_code == 0, done.output
    _blank, _heads, _line, *rows, _end = done.stdout.splitlines()
    return [[cell.strip() for cell in row.strip().split("   ") if cell.strip()] for row in rows]


def test_services_are_listed_without_their_keys(simulator: Simulator) -> None:
    """The table names each by the id that Pulumi gives it; JSON has every field but the key."""
    id_ = place(simulator, description="search", security_ip_list=("10.0.0.0/8",))
    (service,) = simulator.services

    done = _run(*_LIST)
    assert _cells(done) == [
        [id_, "active", "Qwen3-Embedding-8B", "ai-1", str(service.private_connect_url)]
    ]
    data = _data(*_LIST)
    assert data == {
        "services": [
            {
                "id": id_,
                "model_service_id": service.id,
                "status": "active",
                "model_name": "Qwen3-Embedding-8B",
                "description": "search",
                "ai_nodes": ["ai-1"],
                "security_ip_list": ["10.0.0.0/8"],
                "create_time": service.create_time,
                "private_connect_url": service.private_connect_url,
                "public_connect_url": None,
            }
        ]
    }
    assert str(service.api_key) not in done.output + json.dumps(data)


def test_an_instance_without_services_is_said_to_have_none() -> None:
    """A sentence instead of an empty table; JSON is an empty list."""
    assert _run(*_LIST).output == f"Instance {INSTANCE} has no model services.\n"
    assert _data(*_LIST) == {"services": []}


def test_models_are_listed() -> None:
    """In the order of the cloud."""
    names = _data("models")["model_names"]
    assert _data("models")["region_id"] == "cn-hangzhou"
    assert names[0] == "Qwen3-Embedding-8B"
    assert _cells(_run("models")) == [[name] for name in names]


def test_nodes_name_the_service_that_holds_them(simulator: Simulator) -> None:
    """A bound node goes with its service, a free one with nothing."""
    id_ = place(simulator, ai_nodes=("ai-2",))

    rows = _cells(_run(*_NODES))
    spec = "ADB.AIMedium.2"
    assert rows[:2] == [
        ["ai-1", "free", "-", "-", spec],
        ["ai-2", "bound", id_, "Qwen3-Embedding-8B", spec],
    ]
    first, second, *_ = _data(*_NODES)["nodes"]
    assert (first["bound"], first["held_by"], first["model_name"]) == (False, None, None)
    assert (second["bound"], second["held_by"]) == (True, id_)
    assert second["pool_id"].startswith("aipool-")
    assert second["bound_to"] == "model_serving"
    assert set(first) == {
        "name", "bound", "held_by", "bound_to", "model_name", "spec", "pool_id", "zone_id",
        "create_time",
    }  # fmt: skip


def test_nodes_are_listed_when_the_services_cannot_be(simulator: Simulator) -> None:
    """Who holds a bound node is then not known, and a note on stderr says why."""
    place(simulator)
    simulator.inject("forbidden", "ListModelServices")

    done = _run(*_NODES)

    assert _cells(done)[0] == [
        "ai-1", "bound", "? (model_serving)", "?", "ADB.AIMedium.2"
    ]  # fmt: skip
    assert done.stderr.startswith("Note: who holds a node is not known: ListModelServices of ")
    assert done.stderr.count("\n") == 1


def test_the_key_goes_to_stdout_alone(simulator: Simulator) -> None:
    """So that `$(pulumi-adbpg-model api-key …)` is the key."""
    id_ = place(simulator)
    key = simulator.services[0].api_key
    done = _run("api-key", id_)
    assert (done.stdout, done.stderr) == (f"{key}\n", "")
    assert _data("api-key", id_) == {"id": id_, "api_key": key}


def test_a_service_without_a_key_fails_with_its_status(simulator: Simulator) -> None:
    """The key comes with the active service."""
    simulator.hold_deployments()
    id_ = place(simulator)
    done = _run("api-key", id_)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: model service {id_} has no API key: it is not active yet, status 'deployming'. "
        f"See `pulumi-adbpg-model list --instance {INSTANCE}`.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["list", "--instance", "gp-else"], 1, "The instance does not exist, or belongs to"),
        (["nodes", "--instance", "gp-else"], 1, "The instance does not exist, or belongs to"),
        (["api-key", f"{INSTANCE}:ms-none"], 1, f"DescribeModelService {INSTANCE}:ms-none failed"),
        (["list"], 2, "Missing option '--instance'"),
        (["api-key"], 2, "Missing argument 'ID'"),
        (["api-key", "ms-1"], 2, "Invalid value for 'ID': must be '<db_instance_id>:"),
        (["list", "--instance", "a b"], 2, "Invalid value for '--instance': must be an instance"),
        (["nodes", "--instance", ""], 2, "Invalid value for '--instance': must be an instance"),
    ],
)
def test_failures_are_told_on_stderr(arguments: list[str], code: int, expected: str) -> None:
    """Wrong usage ends with 2, all else with 1; stdout stays empty."""
    done = _run(*arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert expected in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("arguments", [_LIST, ["models"], _NODES, ["api-key", f"{INSTANCE}:ms-1"]])
def test_missing_credentials_are_told(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line."""
    monkeypatch.delenv("ALICLOUD_ACCESS_KEY")
    monkeypatch.delenv("ALICLOUD_SECRET_KEY")
    done = _run(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "credentials" in done.stderr
    assert done.stderr.count("\n") == 1


_EVIL = "a\x1b[31m\x9b31m\nb\t\u202ec\ud800"


def test_control_characters_of_the_cloud_reach_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither do they break a row; in JSON they are escaped, and read back as they are."""
    item = {"ModelServiceId": "ms-1", "Status": _EVIL, "ModelName": _EVIL, "AiNodes": [_EVIL]}
    node = {"NodeName": _EVIL, "BindStatus": "bound", "BindObject": _EVIL, "NodeSpec": _EVIL}
    answer = {
        "ModelServices": [item],
        "TotalRecordCount": 1,
        "AINodePoolInfos": [{"AINodeInfos": [node, {**node, "NodeName": "b"}]}],
        "ModelNames": {"modelNames": [_EVIL]},
        "ModelServiceId": "ms-1",
        "ApiKey": _EVIL,
    }
    with stub(lambda _: Answer(answer)) as cloud:
        monkeypatch.setenv("ADBPG_ENDPOINT", f"http://127.0.0.1:{cloud.port}")
        for arguments, rows in ((_LIST, 1), (["models"], 1), (_NODES, 2)):
            done = _run(*arguments)
            assert len(_cells(done)) == rows
            assert all(c.isprintable() or c == "\n" for c in done.output)
            text = _run(*arguments, "--json").stdout
            assert all(c.isprintable() or c == "\n" for c in text)
            assert json.dumps(_EVIL) in json.dumps(json.loads(text))
        refused = _run("api-key", f"{INSTANCE}:ms-1")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "holds control characters" in refused.stderr
    with stub(lambda _: Answer({"Code": "X", "Message": _EVIL[:-1]}, 400)) as cloud:
        monkeypatch.setenv("ADBPG_ENDPOINT", f"http://127.0.0.1:{cloud.port}")
        for arguments in (_LIST, _NODES, ["models"]):
            assert _run(*arguments).stderr.rstrip("\n").isprintable()


def test_colours_are_off_where_stdout_is_no_terminal(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are on where rich is told to take it for one."""
    place(simulator)
    assert "\x1b" not in _run(*_LIST).output
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    coloured = _run(*_LIST).output
    assert "\x1b[32mactive" in coloured
    assert f"{INSTANCE}:{simulator.services[0].id}" in coloured


def test_key_that_stdout_cannot_write_is_not_printed() -> None:
    """An escape in it would be another key; JSON has escapes of its own."""
    answer = {"ModelServiceId": "ms-1", "Status": "active", "ApiKey": "sk-\N{SNOWMAN}"}
    with stub(lambda _: Answer(answer)) as cloud:
        environment = {"ADBPG_ENDPOINT": f"http://127.0.0.1:{cloud.port}"}
        environment["PYTHONIOENCODING"] = "ascii"
        command = [sys.executable, "-m", "pulumi_adbpg_model", "api-key", f"{INSTANCE}:ms-1"]
        done, as_json = (
            subprocess.run(
                [*command, *more],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, **environment},
            )
            for more in ([], ["--json"])
        )
    assert (1, "") == (done.returncode, done.stdout)
    assert "has characters that stdout cannot write: not printed" in done.stderr
    assert answer["ApiKey"] == json.loads(as_json.stdout)["api_key"]


def test_the_documentation_shows_what_is_printed(simulator: Simulator) -> None:
    """Each block of the page is a command and its output, on a cloud with one service."""
    id_ = place(simulator, security_ip_list=("10.0.0.0/8",))
    page = DOCS / "commands.md"
    named = ("list", "models", "nodes", "api-key")
    printed = [block for name in named for block in blocks(page, f"printed: {name}")]
    assert len(printed) == len(named)
    for block in printed:
        service = SHOWN_ID.partition(":")[2]
        text = block.text.replace(service, id_.partition(":")[2])
        command, _, shown = text.partition("\n")
        name, *arguments = command.removeprefix("$ pulumi-adbpg-model ").split()
        output = _run(name, *arguments).stdout.rstrip()
        if name == "api-key":
            assert re.fullmatch(r"sk-\w{32}", shown.strip())
            shown = str(simulator.services[0].api_key)
        assert [line.rstrip() for line in output.splitlines()] == shown.rstrip().splitlines()
