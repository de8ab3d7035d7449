"""`make acceptance`: the life of the demo in an account, which the environment alone names."""

from __future__ import annotations

import importlib
import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import ROOT
from tests.lifecycle.fakes import FakeClock

_SCRIPT = ROOT / "examples/acceptance.py"
_PATIENCE_S = 60.0
_MARK = "pulumi-adbpg-model acceptance 0123abcd"
_PLACE = {
    "ADBPG_ACCEPTANCE_INSTANCE": "gp-real",
    "ADBPG_ACCEPTANCE_NODE": "ai-real",
    "ADBPG_ACCEPTANCE_MODEL": "Qwen3-8B",
}

pytestmark = pytest.mark.timeout(180)
_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")


@pytest.fixture
def account() -> Iterator[Simulator]:
    """An account with an instance of one node."""
    with Simulator(instance="gp-real", nodes=["ai-real"], provision_seconds=0) as simulator:
        yield simulator


def _environment(folder: Path, simulator: Simulator | None, **more: str) -> dict[str, str]:
    cloud = simulator.environment() if simulator else {}
    return {**os.environ, "TMPDIR": str(folder), **cloud, **_PLACE, **more}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the script defines."""
    monkeypatch.syspath_prepend(_SCRIPT.parent)
    monkeypatch.setattr(demo := importlib.import_module("demo"), "console", demo.console)
    return runpy.run_path(str(_SCRIPT))


@pytest.fixture
def told(
    script: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """
    Run the script in this process, which is quicker, where no signal is to come.

    Returns what it says; it ends with a code, 2 where nothing was begun.
    """
    handlers = {number: signal.getsignal(number) for number in script["_SIGNALS"]}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run(environment: dict[str, str], *options: str, code: int = 2) -> str:
        with monkeypatch.context() as patch:
            for name in os.environ.keys() - environment.keys():
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", [str(_SCRIPT), *options])
            try:
                ended = script["main"]()
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        said = capsys.readouterr().out
        assert ended == code, said
        return said

    return run


@pytest.fixture
def left_behind(
    script: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """
    Clean up after a walk that ended when a create had been answered and the state knew no id.

    There is nothing for Pulumi to destroy then; something is left, and this is what is said of it.
    """

    def run(account: Simulator, answered: str) -> str:
        _, cloud, cli = _ready(script, account)
        cli.answered.append(answered)
        assert not script["clean_up"](tmp_path, cli, None, cloud, walked=False)
        return capsys.readouterr().out

    return run


def _ready(script: dict[str, Any], account: Simulator) -> tuple[Any, Any, Any]:
    """The module of the steps, the cloud as they see it, and the CLI."""
    demo = importlib.import_module("demo")
    settings = Settings.resolve(lambda _: None, account.environment())
    place = demo.Place("gp-real", "ai-real", "Qwen3-8B", _MARK)
    cloud = demo.Cloud(place, settings, FakeClock())
    return demo, cloud, script["Cli"](Path(os.environ["ADBPG_ENGINE"]), script["Stop"]())


def _create(account: Simulator, node: str, description: str | None = None) -> str:
    """Have the cloud make a service without Pulumi; returns its id."""
    settings = Settings.resolve(lambda _: None, account.environment())
    spec = ModelServiceSpec("gp-real", "Qwen3-8B", (node,), description=description)
    return str(Gateway(settings, SystemClock()).create_model_service(spec, node).id)


def _started(environment: dict[str, str], *before: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, str(_SCRIPT), "--yes"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _eventually(condition: Callable[[], object], run: subprocess.Popen[str]) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not condition():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < give_up, "what the test waits for does not happen"
        time.sleep(0.02)


def test_good_run_leaves_nothing(
    tmp_path: Path, account: Simulator, told: Callable[..., str]
) -> None:
    """Every step is walked, seen by the cloud too; neither a service nor a folder is left."""
    said = told(_environment(tmp_path, account), "--yes", code=0)
    assert "Nothing is left in the cloud" in said
    assert re.findall(r"^(\d)\. pulumi", said, re.MULTILINE) == list("1234567")
    creates = account.calls("CreateModelService")
    assert len(creates) == 3
    assert len(account.calls("DeleteModelService")) == 3
    for create in creates:
        assert "127.0.0.1" in create.parameters["SecurityIPList"]
    assert account.services == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_begun_where_something_is_missing(
    tmp_path: Path, account: Simulator, told: Callable[..., str]
) -> None:
    """Variables, agreement, node, model, instance: each is asked for before, with code 2."""
    bare = _environment(tmp_path, account, ADBPG_ACCEPTANCE_MODEL=" ")
    del bare["ADBPG_ACCEPTANCE_INSTANCE"], bare["ADBPG_ACCEPTANCE_NODE"]
    said = told(bare, "--yes")
    assert len(said.splitlines()) == 3
    assert all(name in said for name in _PLACE)

    cases = {
        "ADBPG_ACCEPTANCE_INSTANCE: db_instance_id must be": {"ADBPG_ACCEPTANCE_INSTANCE": "gp:1"},
        "ListModelServices of instance gp-none failed": {"ADBPG_ACCEPTANCE_INSTANCE": "gp-none"},
        "has no AI node ai-none; it has ai-real.\nThe region does not list the model None:": {
            "ADBPG_ACCEPTANCE_NODE": "ai-none",
            "ADBPG_ACCEPTANCE_MODEL": "None",
        },
    }
    for expected, variables in cases.items():
        assert expected in told(_environment(tmp_path, account, **variables), "--yes")
    assert 'make acceptance ACCEPTANCE="--yes"' in told(_environment(tmp_path, account))
    assert account.mutations == []
    assert list(tmp_path.iterdir()) == []


def test_node_in_use_is_left_alone(
    tmp_path: Path, account: Simulator, told: Callable[..., str]
) -> None:
    """A service of somebody else is named, never deleted; one that an earlier run left may be."""
    environment = _environment(tmp_path, account)
    service = _create(account, "ai-real", description="Search")

    said = told(environment, "--yes")
    assert f"AI node ai-real is held by model service {service}" in said
    assert "--remove" not in said
    assert "no acceptance run made it" in told(environment, "--remove", service)
    assert account.calls("DeleteModelService") == []

    wrong = {"gp-none:ms-0123456789ab": (1, "does not exist"), "gp-real:ms-…": (2, "stands for")}
    for text, (code, reason) in wrong.items():
        assert reason in told(environment, "--remove", text, code=code)  # no proof that it is gone

    account.change_service(service, description=_MARK)
    said = told(environment, "--yes")
    (removal,) = (line for line in said.splitlines() if "--remove" in line)
    removed = subprocess.check_output(["bash", "-c", removal], env=environment, text=True)
    assert f"{service} is deleted" in removed
    assert f"{service} is not there" in told(environment, "--remove", service, code=0)
    assert account.services == []
    assert list(tmp_path.iterdir()) == []


def test_description_that_only_begins_like_a_runs_is_somebody_elses(
    tmp_path: Path, told: Callable[..., str]
) -> None:
    """No line that deletes such a service is printed, and none that is typed does it."""
    with Simulator(instance="gp-real", nodes=["ai-real", "ai-2", "ai-3"]) as account:
        environment = _environment(tmp_path, account)
        other = _create(account, "ai-2", "pulumi-adbpg-model acceptance of the search team")
        holder = _create(account, "ai-real", f"{_MARK}, keep")
        said = told(environment, "--yes")
        assert f"AI node ai-real is held by model service {holder}" in said
        assert other not in said
        assert "--remove" not in said
        for service in (other, holder):
            assert "is not deleted" in told(environment, "--remove", service)
        assert account.calls("DeleteModelService") == []

        left = _create(account, "ai-3", f"{_MARK}, changed")
        environment["ADBPG_ACCEPTANCE_NODE"] = "ai-3"
        assert f"--remove {left}\n" in told(environment, "--yes")


@_UNIX
def test_signal_that_comes_while_a_command_starts_ends_it(script: dict[str, Any]) -> None:
    """Between the start of the process and the moment at which the handler knows of it."""
    stop = script["Stop"]()
    with subprocess.Popen(["sleep", "60"]) as process:
        stop(signal.SIGINT, None)
        stop.watch(process)
        process.wait(timeout=20)


@_UNIX
def test_ways_to_end_it_from_a_terminal(script: dict[str, Any]) -> None:
    r"""Ctrl-C, Ctrl-\, `kill`, and closing the terminal."""
    assert {one.name for one in script["_SIGNALS"]} == {"SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"}


def test_makefile_hands_on_the_account(tmp_path: Path, account: Simulator) -> None:
    """The variables of the account reach the script, other than in `make demo`; Pulumi's do not."""
    recipe = subprocess.run(
        ["make", "--dry-run", "--assume-old=python", "acceptance", "ACCEPTANCE=--yes"],
        cwd=ROOT,
        env=_environment(tmp_path, account, PULUMI_STACK="mine", HTTPS_PROXY="http://proxy.test"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (line,) = re.findall(r"^env .*\n?.*acceptance\.py --yes$", recipe, re.MULTILINE)
    assert "-u PULUMI_STACK" in line
    for kept in ("ALICLOUD", "ADBPG", "PROXY"):
        assert kept not in line


def test_interrupted_run_deletes_what_it_made(tmp_path: Path, account: Simulator) -> None:
    """One Ctrl-C, in the middle of a deployment; under `nohup` a closed terminal ends nothing."""
    account.hold_deployments()
    with _started(_environment(tmp_path, account), "nohup") as run:
        _eventually(lambda: account.calls("DescribeModelService"), run)
        run.send_signal(signal.SIGHUP)
        looks = len(account.calls("DescribeModelService"))
        _eventually(lambda: len(account.calls("DescribeModelService")) > looks, run)
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate(timeout=_PATIENCE_S)
    assert run.returncode == 128 + signal.SIGINT, output
    assert "Nothing is left in the cloud" in output
    assert "Traceback" not in output
    assert account.services == []
    assert list(tmp_path.iterdir()) == []


def test_engine_that_does_not_run_is_named(
    tmp_path: Path, account: Simulator, told: Callable[..., str]
) -> None:
    """Before anything is begun; and no other `pulumi` is run in its place."""
    for engine in ("/bin/false", "/bin/echo"):
        said = told(_environment(tmp_path, account, ADBPG_ENGINE=engine), "--yes")
        assert f"{engine} is no Pulumi CLI" in said
    assert account.mutations == []
    assert list(tmp_path.iterdir()) == []


def test_service_in_no_state_is_found_however_it_shows(
    tmp_path: Path, script: dict[str, Any], told: Callable[..., str]
) -> None:
    """The CLI dies during the create: what proves to be of the run is deleted, and nothing else."""
    dialects = ("describe-flaps", "description-padded", "list-keeps-deleted")
    with Simulator(instance="gp-real", nodes=["ai-real", "ai-2"], dialects=dialects) as account:
        account.hold_deployments()
        environment = _environment(tmp_path, account)
        with _started(environment) as run:
            _eventually(lambda: account.calls("DescribeModelService"), run)
            other = _create(account, "ai-2")
            subprocess.run(["pkill", "-KILL", "-P", str(run.pid)], check=True)
            output, _ = run.communicate(timeout=_PATIENCE_S)
        assert run.returncode == 1, output
        assert "Traceback" not in output
        assert "Nothing is left in the cloud" in output
        (delete,) = {
            call.parameters["ModelServiceId"] for call in account.calls("DeleteModelService")
        }
        assert f"gp-real:{delete}" != other
        assert script["created_in"](output.splitlines()) == [f"gp-real:{delete}"]
        assert told(environment).startswith("The life of a model service")


def test_service_that_does_not_show_whose_it_is_is_named(left_behind: Callable[..., str]) -> None:
    """After a create that the CLI died in: it may be of somebody else, and is not deleted."""
    dialects = ["fields-missing"]
    with Simulator(instance="gp-real", nodes=["ai-real", "ai-2"], dialects=dialects) as account:
        ids = [_create(account, "ai-real", description=_MARK), _create(account, "ai-2")]
        said = left_behind(account, ids[0])
        for one in ids:
            assert f"that tells whose it is: {one}." in said
        assert account.calls("DeleteModelService") == []


def test_last_service_is_named_where_nothing_can_be_seen(
    tmp_path: Path,
    account: Simulator,
    told: Callable[..., str],
    left_behind: Callable[..., str],
) -> None:
    """After a create that the CLI died in, the cloud answers no more."""
    id_ = _create(account, "ai-real", description=_MARK)
    account.inject("forbidden", times=None)
    said = left_behind(account, id_)
    assert "Whether anything else is left could not be seen" in said
    (line,) = (line for line in said.splitlines() if "--remove" in line)
    account.clear_faults()
    python, script, *options = shlex.split(line)
    assert (python, script) == (sys.executable, str(_SCRIPT))
    told(_environment(tmp_path, account), *options, code=0)
    assert account.services == []


def test_state_that_is_broken_is_told_apart_from_what_is_left(
    tmp_path: Path,
    account: Simulator,
    script: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is in the cloud, but no command can end what Pulumi has."""
    demo, cloud, cli = _ready(script, account)
    stack = demo.create_stack(tmp_path, cloud.place, {}, command=cli)
    for file in (tmp_path / "state").rglob("life.json*"):
        file.write_text("{")
    assert not script["clean_up"](tmp_path, cli, stack, cloud, walked=False)
    said = capsys.readouterr().out
    assert "Nothing is left in the cloud, but Pulumi can neither" in said
    (line,) = re.findall(r"^    (rm -r .*)$", said, re.MULTILINE)
    subprocess.run(["bash", "-c", line], check=True)
    assert not tmp_path.exists()
    assert account.mutations == []


def test_what_is_left_is_named_with_lines_that_delete_it(
    tmp_path: Path, account: Simulator, told: Callable[..., str]
) -> None:
    """A deployment fails, and no deletion is allowed; the lines that are printed then work."""
    environment = _environment(tmp_path, account)
    account.fail_next_deployment()
    account.inject("forbidden", action="DeleteModelService", times=None)
    said = told(environment, "--yes", code=1)
    (service,) = account.services
    _, _, end = said.partition("Pulumi could not remove everything.")
    assert f"\n  gp-real:{service.id}\n" in end
    (folder,) = tmp_path.iterdir()
    assert f"The state is kept in {folder}." in end
    (line,) = (line.strip() for line in end.splitlines() if " destroy --yes " in line)

    account.clear_faults()
    subprocess.run(["bash", "-c", line], env=environment, check=True, capture_output=True)
    assert account.services == []
    assert not folder.exists()
