"""The state file: everything survives a restart, and nobody else can read it."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Refuse, Sdk, Start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.json"


def _files(path: Path) -> set[Path]:
    """What is beside the file, but for what keeps others away from it."""
    return set(path.parent.iterdir()) - {path.with_name(f"{path.name}.lock")}


def test_everything_survives_a_restart(
    start: Start, connect: type[Sdk], path: Path, clock: FakeClock
) -> None:
    """Instances, services with their keys, tokens and groups are there again."""
    before = start(state=path, whitelist_groups={})
    before.add_instance("gp-two", ["n-1"])
    sdk = connect(before)
    service_id = sdk.create(
        "ai-1", client_token="t", security_iplist="10.0.0.1", model_params={"a": [1]}
    )
    clock.advance(1.0)
    before.attach_whitelist_group(service_id, "mine")
    sdk.modify("10.0.0.2", "other")
    services = before.services
    before.stop()

    after = start(state=path)
    sdk = connect(after)
    assert after.services == services
    assert after.services[0].api_key
    assert after.whitelist_groups("gp-demo") == {"other": ("10.0.0.2",)}
    assert sdk.create(
        "ai-1", client_token="t", security_iplist="10.0.0.1", model_params={"a": [1]}
    ) == (service_id)
    assert connect(after, instance="gp-two").pools()["AINodePoolInfos"][0]["NodeNum"] == "1"
    sdk.modify("10.0.0.3", "mine")
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.3"


def test_a_file_of_an_older_version_is_read(
    start: Start, connect: type[Sdk], path: Path, clock: FakeClock
) -> None:
    """What it lacks has a default; a service in it goes on as it was."""
    before = start(state=path, provision_seconds=10.0)
    service_id = connect(before).create("ai-1", client_token="t")
    before.stop()
    content = json.loads(path.read_text())
    del content["deleted"], content["tokens"]["t"]["created_at"]
    service = content["services"][service_id]
    for key in ("ready_at", "status_before", "deleting_since", "gone_at", "former_whitelists"):
        del service[key]
    path.write_text(json.dumps(content))

    sdk = connect(start(state=path))
    assert sdk.describe(service_id)["Status"] == "deployming"
    assert sdk.create("ai-1", client_token="t") == service_id
    clock.advance(10.0)
    assert sdk.describe(service_id)["Status"] == "active"
    sdk.delete(service_id)
    assert sdk.list()["TotalRecordCount"] == 0


def test_a_slow_whitelist_is_shown_in_time_over_a_restart(
    start: Start, connect: type[Sdk], path: Path, clock: FakeClock
) -> None:
    """Both the old and the new list are in the file."""
    options = {"dialects": ["modify-slow"], "state": path}
    before = start(**options)
    sdk = connect(before)
    service_id = sdk.create("ai-1", security_iplist="1.1.1.1")
    sdk.modify("2.2.2.2", service_id)
    before.stop()

    sdk = connect(start(**options))
    assert sdk.describe(service_id)["SecurityIpList"] == "1.1.1.1"
    clock.advance(2.0)
    assert sdk.describe(service_id)["SecurityIpList"] == "2.2.2.2"


def test_what_no_dialect_asks_for_is_not_kept(start: Start, connect: type[Sdk], path: Path) -> None:
    """A deleted service leaves the file, its key too."""
    sdk = connect(start(state=path))
    service_id = sdk.create("ai-1")
    key = json.loads(path.read_text())["services"][service_id]["api_key"]
    sdk.delete(service_id)
    sdk.list()
    assert key not in path.read_text()


def test_provisioning_goes_on_over_a_restart(
    start: Start, connect: type[Sdk], path: Path, clock: FakeClock
) -> None:
    """Time passes while the simulator is down."""
    before = start(state=path, provision_seconds=10.0)
    service_id = connect(before).create("ai-1")
    before.stop()
    clock.advance(11.0)

    assert connect(start(state=path)).describe(service_id)["Status"] == "active"


def test_deleting_goes_on_over_a_restart(
    start: Start, connect: type[Sdk], path: Path, clock: FakeClock
) -> None:
    """An asynchronous delete ends while the simulator is down."""
    before = start(state=path, delete_seconds=10.0)
    sdk = connect(before)
    sdk.delete(sdk.create("ai-1"))
    before.stop()
    clock.advance(11.0)

    assert start(state=path).services == []


def test_levers_are_saved_too(start: Start, connect: type[Sdk], path: Path) -> None:
    """What a test changed behind the API's back is in the file."""
    before = start(state=path)
    service_id = connect(before).create("ai-1")
    before.change_service(service_id, description="drift")
    before.stop()

    assert start(state=path).service(service_id).description == "drift"


def test_the_file_is_private_and_replaced_whole(
    start: Start, connect: type[Sdk], path: Path
) -> None:
    """Mode 600, valid JSON after each mutation, and no temporary file left behind."""
    sdk = connect(start(state=path))
    inode = path.stat().st_ino
    service_id = sdk.create("ai-1")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_ino != inode
    assert service_id in json.loads(path.read_text())["services"]
    assert _files(path) == {path}


def test_reading_does_not_write(start: Start, connect: type[Sdk], path: Path) -> None:
    """A call that changes nothing leaves the file alone."""
    sdk = connect(start(state=path))
    service_id = sdk.create("ai-1")
    inode = path.stat().st_ino
    sdk.describe(service_id)
    sdk.list()

    assert path.stat().st_ino == inode


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"format": 99}', b"not json", b"\xff\xfe{", b"[" * 100_000]
)
def test_a_foreign_file_is_refused_and_kept(path: Path, content: bytes) -> None:
    """A file that is not a state file is an error that names it, never overwritten."""
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cloud\.json is not a simulator state file: name"):
        Simulator(state=path)
    assert path.read_bytes() == content
    assert _files(path) == set(path.parent.iterdir()) == {path}


@pytest.mark.parametrize("link", [False, True], ids=["same name", "link"])
def test_one_simulator_has_the_file(
    start: Start, connect: type[Sdk], path: Path, *, link: bool
) -> None:
    """A second one would write over the services of the first: it is not made, nor started."""
    other = path.with_name("link.json")
    if link:
        other.symlink_to(path)
    made = Simulator(state=path)
    first = start(state=path)
    in_use = r"(cloud|link)\.json is in use by another simulator: stop it, or name another file"
    with pytest.raises(BlockingIOError, match=in_use):
        Simulator(state=other if link else path)
    with pytest.raises(BlockingIOError, match=in_use):
        made.start()
    service_id = connect(first).create("ai-1")

    assert [service_id] == [one.id for one in made.services]
    with pytest.raises(BlockingIOError, match=in_use):
        made.remove_service(service_id)
    with pytest.raises(RuntimeError, match="running already"):
        first.start()
    assert [service_id] == [one.id for one in first.services]
    first.stop()
    assert link is other.is_symlink()
    assert _files(path) == set(path.parent.iterdir())


def test_nothing_is_lost_where_two_take_turns(start: Start, connect: type[Sdk], path: Path) -> None:
    """Who starts again finds what the other made, and each may change things while it is free."""
    first = start(state=path, nodes=["ai-1"])
    one = connect(first).create("ai-1")
    first.stop()
    second = start(state=path, nodes=["ai-2"], instance="gp-two")
    two = connect(second, instance="gp-two").create("ai-2")
    second.stop()
    first.change_service(two, description="drift")
    first.start()

    assert [one, two] == [service.id for service in first.services]
    assert [one, two] == [service.id for service in second.services]
    assert "drift" == second.service(f"gp-two:{two}").description


def test_simulator_that_did_not_start_lets_go_of_the_file(start: Start, path: Path) -> None:
    """As when its port is taken."""
    taken = start()
    with pytest.raises(OSError, match=r"."):
        Simulator(state=path, port=taken.port).start()
    start(state=path)


def test_killed_process_locks_nobody_out(tmp_path: Path, path: Path) -> None:
    """The file that kept others away may still be there."""
    program = (
        "import sys; from pulumi_adbpg_model.testing import Simulator;"
        "Simulator(state=sys.argv[1]).start(); print('up', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert b"up\n" == process.stdout.readline()
        with pytest.raises(BlockingIOError, match="in use by another simulator"):
            Simulator(state=path)
        process.kill()
    with Simulator(state=path):
        pass
    assert [path] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_an_internal_error(
    start: Start, connect: type[Sdk], refusal: Refuse, tmp_path: Path
) -> None:
    """If saving fails the call does not pretend to have succeeded."""
    folder = tmp_path / "sub"
    folder.mkdir()
    sdk = connect(start(state=folder / "cloud.json"))
    shutil.rmtree(folder)

    assert refusal(sdk.create, "ai-1").pair == (500, "InternalError")


def test_a_failed_write_leaves_the_old_file(
    start: Start, connect: type[Sdk], path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refuse
) -> None:
    """A rename that fails leaves the old state and no temporary file."""
    sdk = connect(start(state=path))
    text = path.read_text()

    def fail(*_: object) -> NoReturn:
        raise OSError("disk")

    monkeypatch.setattr(type(path), "replace", fail)
    assert refusal(sdk.create, "ai-1").pair == (500, "InternalError")
    assert path.read_text() == text
    assert _files(path) == {path}
