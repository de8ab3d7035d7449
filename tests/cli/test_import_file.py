"""`import-file` as its users run it: what is in the file, what is left out, and what is refused."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import place
from tests.engine.support.stack import TYPE

_WHITELIST = ("10.0.0.0/8",)


def _run(simulator: Simulator, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["import-file", *arguments], env=simulator.environment())


def _import(simulator: Simulator, *arguments: str) -> tuple[list[dict[str, Any]], str]:
    """The resources in the file and what is on stderr, for the instance of the simulator."""
    done = _run(simulator, "--instance", "gp-demo", *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["resources"], done.stderr


def _fails(simulator: Simulator, *arguments: str) -> str:
    done = _run(simulator, "--instance", "gp-demo", *arguments)
    assert (1, "", 1) == (done.exit_code, done.stdout, done.stderr.count("\n"))
    return done.stderr


def test_file_has_all_that_a_state_needs(simulator: Simulator) -> None:
    """Type, id, inputs as declared, outputs as created; the provider in both, the key marked."""
    id_ = place(simulator, description="first", security_ip_list=_WHITELIST)
    (service,) = simulator.services
    (resource,), told = _import(simulator)
    stored = resource["inputs"].pop("__provider")
    assert stored == resource["outputs"].pop("__provider")
    assert b"pulumi_adbpg_model.provider" in base64.b64decode(stored)
    declared = {
        "db_instance_id": "gp-demo",
        "model_name": "Qwen3-Embedding-8B",
        "ai_nodes": ["ai-1"],
        "description": "first",
        "security_ip_list": ["10.0.0.0/8"],
        "region_id": "cn-hangzhou",
        "wait_for_active": True,
        "store_api_key": True,
    }
    assert resource == {
        "type": TYPE,
        "name": "qwen3-embedding-8b",
        "id": id_,
        "inputs": declared,
        "outputs": declared
        | {
            "__declared": sorted(declared),
            "model_service_id": service.id,
            "status": "active",
            "create_time": resource["outputs"]["create_time"],
            "private_connect_url": service.private_connect_url,
            "api_key": {
                "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
                "plaintext": json.dumps(service.api_key),
            },
        },
    }
    assert told == (
        "# The file holds API keys in clear: delete it once it is imported. With "
        "--without-api-keys it holds none.\n"
        "from pulumi_adbpg_model import ModelService\n"
        "\n"
        "qwen3_embedding_8b = ModelService(\n"
        '    "qwen3-embedding-8b",\n'
        '    db_instance_id="gp-demo",\n'
        '    model_name="Qwen3-Embedding-8B",\n'
        '    ai_nodes=["ai-1"],\n'
        '    description="first",\n'
        '    security_ip_list=["10.0.0.0/8"],\n'
        '    region_id="cn-hangzhou",\n'
        ")\n"
    )
    assert simulator.mutations == []


def test_file_without_api_keys_holds_none(simulator: Simulator) -> None:
    """The flag is in state and program, and there is nothing to warn of."""
    place(simulator)
    (service,) = simulator.services
    (resource,), told = _import(simulator, "--without-api-keys")
    assert str(service.api_key) not in json.dumps(resource) + told
    assert resource["inputs"]["store_api_key"] is resource["outputs"]["store_api_key"] is False
    assert "    store_api_key=False,\n" in told
    assert "#" not in told


def test_file_is_for_its_owner_and_never_overwritten(simulator: Simulator, tmp_path: Path) -> None:
    """With --out the program alone is on stdout, and what to type next on stderr."""
    place(simulator)
    path = tmp_path / "of today" / "import.json"
    path.parent.mkdir()
    done = _run(simulator, "--instance", "gp-demo", "--out", str(path))
    assert done.exit_code == 0
    assert done.stdout.startswith("from pulumi_adbpg_model import ModelService\n")
    assert done.stderr.startswith("# The file holds API keys in clear")
    assert done.stderr.splitlines()[1:] == [
        f"# Next: pulumi import --file '{path}' --generate-code=false",
        "# Then add this program to yours; its `pulumi up` ends the import's protection.",
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (resource,) = json.loads(path.read_text())["resources"]
    assert resource["name"] == "qwen3-embedding-8b"

    before = path.read_text()
    place(simulator, ai_nodes=("ai-2",))
    assert f"Error: {path} exists already: " in _fails(simulator, "--out", str(path))
    assert path.read_text() == before
    missing = tmp_path / "missing" / "import.json"
    assert f"Error: {missing} cannot be written: " in _fails(simulator, "--out", str(missing))


def test_keys_do_not_go_to_a_terminal(simulator: Simulator) -> None:
    """A screen keeps what it showed: a file is asked for, or one without keys."""
    place(simulator)
    controller, terminal = os.openpty()
    command = [sys.executable, "-m", "pulumi_adbpg_model", "import-file", "--instance", "gp-demo"]
    environment = {**os.environ, **simulator.environment()}
    done = subprocess.run(
        command, stdout=terminal, stderr=subprocess.PIPE, text=True, env=environment, check=False
    )
    assert done.returncode == 2
    assert "--out FILE, or --without-api-keys" in " ".join(done.stderr.split())
    assert simulator.requests == []

    command += ["--without-api-keys"]
    assert subprocess.run(command, stdout=terminal, env=environment, check=False).returncode == 0
    assert os.read(controller, 2).decode() == "{\r"
    os.close(controller)
    os.close(terminal)


def test_dash_is_stdout(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its rule: no key in a file of that name, and none on a terminal."""
    pty = pytest.importorskip("pty")
    monkeypatch.chdir(tmp_path)
    place(simulator)
    given, left_out = (
        _run(simulator, "--instance", "gp-demo", *more) for more in (("--out", "-"), ())
    )
    assert (0, left_out.stdout, left_out.stderr) == (given.exit_code, given.stdout, given.stderr)
    simulator.clear_requests()
    ours, terminal = pty.openpty()
    command = [sys.executable, "-m", "pulumi_adbpg_model", "import-file", "--instance", "gp-demo"]
    done = subprocess.run(
        [*command, "--out", "-"],
        stdout=terminal,
        stderr=subprocess.PIPE,
        env={**os.environ, **simulator.environment()},
        check=False,
    )
    os.close(ours)
    os.close(terminal)
    assert (2, []) == (done.returncode, simulator.requests)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("out", "code", "told"),
    [
        ("", 2, "must not be blank"),
        (".", 2, "is a directory"),
        (os.devnull, 1, f"{os.devnull} is no regular file: name a new one, or leave out --out"),
    ],
)
def test_out_has_to_be_a_new_file(simulator: Simulator, out: str, code: int, told: str) -> None:
    """What is no file is not to be removed."""
    done = _run(simulator, "--instance", "gp-demo", "--out", out)
    assert code == done.exit_code
    assert told in done.stderr


def test_several_instances_make_one_file(simulator: Simulator) -> None:
    """Each service of each instance is in it once, under a name of its own."""
    simulator.add_instance("gp-two", ["n-1"])
    ids = [place(simulator), place(simulator, db_instance_id="gp-two", ai_nodes=("n-1",))]
    resources, told = _import(simulator, "--instance", "gp-two", "--instance", "gp-demo")
    assert ids == [resource["id"] for resource in resources]
    assert ["qwen3-embedding-8b", "qwen3-embedding-8b-2"] == [one["name"] for one in resources]
    assert "\nqwen3_embedding_8b_2 = ModelService(\n" in told


@pytest.mark.parametrize("whole", [True, False], ids=["composite id", "id"])
def test_services_can_be_chosen(whole: bool, simulator: Simulator) -> None:  # noqa: FBT001
    """By either id; one that is not there is an error, not an empty file."""
    place(simulator)
    id_ = place(simulator, ai_nodes=("ai-2",))
    chosen = id_ if whole else ModelServiceId.parse(id_).model_service_id
    (resource,), _ = _import(simulator, "--service", chosen)
    assert resource["id"] == id_
    assert _fails(simulator, "--service", chosen, "--service", "ms-gone") == (
        "Error: import of ms-gone failed: gp-demo has no such model service. Correct the id, or "
        "leave out --service to take all.\n"
    )


def test_services_that_are_not_active_are_left_out(simulator: Simulator) -> None:
    """Each with the reason; chosen by id, the same reason is an error."""
    active = place(simulator)
    failed = place(simulator, ai_nodes=("ai-2",))
    simulator.fail_service(ModelServiceId.parse(failed).model_service_id)
    simulator.hold_deployments()
    deploying = place(simulator, ai_nodes=("ai-3",))
    (resource,), told = _import(simulator)
    assert resource["id"] == active
    assert (
        f"# {failed} is left out: the deployment failed, status 'deploy_failed'; delete it, and "
        "let Pulumi create a new one.\n"
    ) in told
    reason = "it is not active, status 'deployming'; run the command again once it is.\n"
    assert f"# {deploying} is left out: {reason}" in told
    assert f"Error: import of {deploying} failed: {reason}" == _fails(
        simulator, "--service", deploying
    )


def test_instance_without_services_makes_a_file_without_resources(simulator: Simulator) -> None:
    """It is valid, and a line says that it is empty."""
    resources, told = _import(simulator)
    assert resources == []
    assert told == "# There is no service to take over in gp-demo.\n"


@pytest.mark.parametrize("dialect", ["fields-missing", "fields-null", "fields-empty"])
def test_service_whose_nodes_do_not_show_is_left_out(dialect: str) -> None:
    """A program for it cannot be written."""
    with Simulator(provision_seconds=0, dialects=[dialect]) as simulator:
        id_ = place(simulator)
        resources, told = _import(simulator)
    assert resources == []
    assert f"# {id_} is left out: the cloud does not show its model and AI nodes (" in told


@pytest.mark.parametrize(
    "dialect", ["list-status-success", "describe-flaps", "list-reordered", "whitelist-spaced"]
)
def test_file_says_what_describe_says(dialect: str) -> None:
    """However a list speaks of a service."""
    with Simulator(provision_seconds=0, dialects=[dialect]) as simulator:
        nodes = ["ai-1", "ai-2", "ai-3"]
        for node in nodes:
            place(simulator, ai_nodes=(node,), security_ip_list=("10.0.0.1", "10.0.0.2"))
        resources, _ = _import(simulator)
    inputs = [resource["inputs"] for resource in resources]
    assert nodes == sorted(one["ai_nodes"][0] for one in inputs)
    assert [["10.0.0.1", "10.0.0.2"]] * 3 == [one["security_ip_list"] for one in inputs]


def test_service_deleted_meanwhile_is_left_out() -> None:
    """A list may still show it, as deleted."""
    with Simulator(provision_seconds=0, dialects=["list-keeps-deleted"]) as simulator:
        id_ = place(simulator)
        simulator.remove_service(ModelServiceId.parse(id_).model_service_id)
        resources, told = _import(simulator)
    assert resources == []
    assert f"# {id_} is left out: it is gone.\n" in told


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{name}", "{name} is no placeholder; there are {model}, {service_id}, {node}, {instance}"),
        ("{}", "{} is no placeholder"),
        ("{model", "may hold letters, digits"),
        ("a::b", "may hold letters, digits"),
        ("", "may hold letters, digits"),
    ],
)
def test_wrong_name_template_is_wrong_usage(
    template: str, reason: str, simulator: Simulator
) -> None:
    """Nothing is called for it."""
    done = _run(simulator, "--instance", "gp-demo", "--name-template", template)
    assert (2, "") == (done.exit_code, done.stdout)
    assert reason in " ".join(done.stderr.split())
    assert simulator.requests == []


def test_instance_is_required(simulator: Simulator) -> None:
    """There is none to fall back to."""
    assert _run(simulator).exit_code == 2


def test_unknown_instance_is_an_error_in_one_line(simulator: Simulator) -> None:
    """Even next to one that is there."""
    place(simulator)
    assert "ListModelServices of instance gp-x failed" in _fails(simulator, "--instance", "gp-x")
