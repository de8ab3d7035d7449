"""`make acceptance`: the life of the demo in an account, which the environment alone names."""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import ROOT

_SCRIPT = ROOT / "examples/acceptance.py"
_PATIENCE_S = 60.0
_PLACE = {
    "ADBPG_ACCEPTANCE_INSTANCE": "gp-real",
    "ADBPG_ACCEPTANCE_NODE": "ai-real",
    "ADBPG_ACCEPTANCE_MODEL": "Qwen3-8B",
}

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def account() -> Iterator[Simulator]:
    """An account with an instance of one node."""
    with Simulator(instance="gp-real", nodes=["ai-real"], provision_seconds=0) as simulator:
        yield simulator


def _environment(folder: Path, simulator: Simulator | None, **more: str) -> dict[str, str]:
    cloud = simulator.environment() if simulator else {}
    return {**os.environ, "TMPDIR": str(folder), **cloud, **_PLACE, **more}


def _run(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(_SCRIPT), *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run the script in this process, which is quicker; it begins nothing, and says why."""
    monkeypatch.syspath_prepend(_SCRIPT.parent)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    main = runpy.run_path(str(_SCRIPT))["main"]

    def run(environment: dict[str, str], *options: str) -> str:
        with monkeypatch.context() as patch:
            for name in os.environ.keys() - environment.keys():
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", [str(_SCRIPT), *options])
            code = main()
        said = capsys.readouterr().out
        assert code == 2, said
        return said

    return run


def _started(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(_SCRIPT), "--yes"],
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


def test_good_run_leaves_nothing(tmp_path: Path, account: Simulator) -> None:
    """Every step is walked, seen by the cloud too; neither a service nor a folder is left."""
    done = _run(_environment(tmp_path, account), "--yes")
    assert done.returncode == 0, done.stdout
    assert "Nothing is left in the cloud" in done.stdout
    assert re.findall(r"^(\d)\. pulumi", done.stdout, re.MULTILINE) == list("1234567")
    creates = account.calls("CreateModelService")
    assert len(creates) == 3
    assert len(account.calls("DeleteModelService")) == 3
    for create in creates:
        assert "127.0.0.1" in create.parameters["SecurityIPList"]
    assert account.services == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_begun_where_something_is_missing(
    tmp_path: Path, account: Simulator, refused: Callable[..., str]
) -> None:
    """Variables, agreement, node, model, instance: each is asked for before, with code 2."""
    bare = _environment(tmp_path, account, ADBPG_ACCEPTANCE_MODEL=" ")
    del bare["ADBPG_ACCEPTANCE_INSTANCE"], bare["ADBPG_ACCEPTANCE_NODE"]
    done = _run(bare, "--yes")
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 3
    assert all(name in done.stdout for name in _PLACE)

    cases = {
        "ADBPG_ACCEPTANCE_INSTANCE: db_instance_id must be": {"ADBPG_ACCEPTANCE_INSTANCE": "gp:1"},
        "ListModelServices of instance gp-none failed": {"ADBPG_ACCEPTANCE_INSTANCE": "gp-none"},
        "has no AI node ai-none; it has ai-real.\nThe region does not list the model None:": {
            "ADBPG_ACCEPTANCE_NODE": "ai-none",
            "ADBPG_ACCEPTANCE_MODEL": "None",
        },
    }
    for expected, variables in cases.items():
        assert expected in refused(_environment(tmp_path, account, **variables), "--yes")
    assert 'make acceptance ACCEPTANCE="--yes"' in refused(_environment(tmp_path, account))
    assert account.mutations == []
    assert list(tmp_path.iterdir()) == []


def test_node_in_use_is_left_alone(
    tmp_path: Path, account: Simulator, refused: Callable[..., str]
) -> None:
    """A service of somebody else is named, never deleted; one that an earlier run left may be."""
    environment = _environment(tmp_path, account)
    settings = Settings.resolve(lambda _: None, account.environment())
    spec = ModelServiceSpec("gp-real", "Qwen3-8B", ("ai-real",), description="Search")
    service = str(Gateway(settings, SystemClock()).create_model_service(spec, "token").id)

    said = refused(environment, "--yes")
    assert f"AI node ai-real is held by model service {service}" in said
    assert "--remove" not in said
    assert "no acceptance run made it" in refused(environment, "--remove", service)
    assert account.calls("DeleteModelService") == []

    wrong = {"gp-none:ms-0123456789ab": (1, "does not exist"), "gp-real:ms-…": (2, "stands for")}
    for text, (code, reason) in wrong.items():
        done = _run(environment, "--remove", text)  # neither proves that nothing is left
        assert (done.returncode, reason in done.stdout) == (code, True), done.stdout

    account.change_service(service, description="pulumi-adbpg-model acceptance 0123abcd")
    said = refused(environment, "--yes")
    (removal,) = (line for line in said.splitlines() if "--remove" in line)
    for told in (f"{service} is deleted", f"{service} is not there"):
        assert told in subprocess.check_output(["bash", "-c", removal], env=environment, text=True)
    assert account.services == []
    assert list(tmp_path.iterdir()) == []


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
    """One Ctrl-C, in the middle of a deployment."""
    account.hold_deployments()
    with _started(_environment(tmp_path, account)) as run:
        _eventually(lambda: account.calls("DescribeModelService"), run)
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate(timeout=_PATIENCE_S)
    assert run.returncode == 128 + signal.SIGINT, output
    assert "Nothing is left in the cloud" in output
    assert "Traceback" not in output
    assert account.services == []
    assert list(tmp_path.iterdir()) == []


def test_engine_that_does_not_run_is_named(tmp_path: Path, account: Simulator) -> None:
    """Before anything is begun; and no other `pulumi` is run in its place."""
    for engine in ("/bin/false", "/bin/echo"):
        done = _run(_environment(tmp_path, account, ADBPG_ENGINE=engine), "--yes")
        assert done.returncode == 2, done.stdout
        assert f"{engine} is no Pulumi CLI" in done.stdout
    assert account.mutations == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "dialects",
    [("describe-flaps", "description-padded", "list-keeps-deleted"), ("fields-missing",)],
)
def test_service_in_no_state_is_found_however_it_shows(
    tmp_path: Path, dialects: tuple[str, ...]
) -> None:
    """The CLI dies during the create: what proves to be of the run is deleted, the rest named."""
    with Simulator(instance="gp-real", nodes=["ai-real", "ai-2"], dialects=dialects) as account:
        account.hold_deployments()
        environment = _environment(tmp_path, account)
        gateway = Gateway(Settings.resolve(lambda _: None, account.environment()), SystemClock())
        with _started(environment) as run:
            _eventually(lambda: account.calls("DescribeModelService"), run)
            spec = ModelServiceSpec("gp-real", "Qwen3-8B", ("ai-2",))
            other = gateway.create_model_service(spec, "of somebody else").id
            subprocess.run(["pkill", "-KILL", "-P", str(run.pid)], check=True)
            output, _ = run.communicate(timeout=_PATIENCE_S)
        assert run.returncode == 1, output
        assert "Traceback" not in output
        deleted = {
            call.parameters["ModelServiceId"] for call in account.calls("DeleteModelService")
        }
        assert other.model_service_id not in deleted
        if "fields-missing" in dialects:
            for one in account.services:
                assert f"that tells whose it is: gp-real:{one.id}." in output
            assert len(account.services) == 2
        else:
            assert "Nothing is left in the cloud" in output
            assert len(deleted) == 1
            again = _run(environment)
            assert again.stdout.startswith("The life of a model service"), again.stdout


def test_what_is_left_is_named_with_lines_that_delete_it(
    tmp_path: Path, account: Simulator
) -> None:
    """A deployment fails, and no deletion is allowed; the lines that are printed then work."""
    environment = _environment(tmp_path, account)
    account.fail_next_deployment()
    account.inject("forbidden", action="DeleteModelService", times=None)
    done = _run(environment, "--yes")
    assert done.returncode == 1, done.stdout
    (service,) = account.services
    _, _, end = done.stdout.partition("Pulumi could not remove everything.")
    assert f"\n  gp-real:{service.id}\n" in end
    (folder,) = tmp_path.iterdir()
    assert f"The state is kept in {folder}." in end
    (line,) = (line.strip() for line in end.splitlines() if " destroy --yes " in line)

    account.clear_faults()
    subprocess.run(["bash", "-c", line], env=environment, check=True, capture_output=True)
    assert account.services == []
    assert not folder.exists()


def test_last_service_is_named_where_nothing_can_be_seen(
    tmp_path: Path, account: Simulator
) -> None:
    """The CLI dies during the create, and the cloud answers no more."""
    account.hold_deployments()
    environment = _environment(tmp_path, account)
    with _started(environment) as run:
        _eventually(lambda: account.calls("DescribeModelService"), run)
        account.inject("forbidden", times=None)
        subprocess.run(["pkill", "-KILL", "-P", str(run.pid)], check=True)
        output, _ = run.communicate(timeout=_PATIENCE_S)
    assert run.returncode == 1, output
    assert "Whether anything else is left could not be seen" in output
    (line,) = (line for line in output.splitlines() if "--remove" in line)
    account.clear_faults()
    subprocess.run(["bash", "-c", line], env=environment, check=True, capture_output=True)
    assert account.services == []
