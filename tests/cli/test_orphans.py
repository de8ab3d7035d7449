"""`orphans`: services without a stack, entries without a service, and nothing touched."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS, SHOWN_ID, blocks
from tests.lifecycle.fakes import FakeClock

_TYPE = "pulumi-python:dynamic/adbpg:ModelService"

Orphans = Callable[..., Result]


def _urn(name: str, type_: str = _TYPE, stack: str = "dev") -> str:
    return f"urn:pulumi:{stack}::search::{type_}::{name}"


def _resource(id_: str, name: str = "embedding", **more: Any) -> dict[str, Any]:
    instance, _, service = id_.partition(":")
    outputs = {
        "db_instance_id": instance,
        "model_service_id": service,
        "region_id": "cn-hangzhou",
        "status": "active",
        "api_key": {"4dabf18193072939515e22adb298388d": "…", "ciphertext": "v1:…"},
    } | more.pop("outputs", {})
    return {
        "urn": _urn(name),
        "custom": True,
        "id": id_,
        "type": _TYPE,
        "outputs": outputs,
    } | more


def _export(*resources: Mapping[str, Any], pending: list[Any] | None = None) -> str:
    stack = {"urn": "urn:pulumi:dev::search::pulumi:pulumi:Stack::s", "type": "pulumi:pulumi:Stack"}
    deployment = {"resources": [stack, *resources], "pending_operations": pending or []}
    return json.dumps({"version": 3, "deployment": deployment})


def _place(simulator: Simulator, node: str) -> str:
    settings = Settings.resolve(lambda _key: None, simulator.environment())
    spec = ModelServiceSpec("gp-demo", "Qwen3-8B", (node,))
    return str(Gateway(settings, SystemClock()).create_model_service(spec, f"t-{node}").id)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def orphans(simulator: Simulator, clock: FakeClock) -> Orphans:
    """Runs the command on the simulated cloud, without sleeping."""

    def run(*arguments: str, stdin: str | bytes | None = None, **environment: str) -> Result:
        return CliRunner().invoke(
            main,
            ["orphans", "--instance", "gp-demo", *arguments],
            input=stdin,
            env=simulator.environment() | environment,
            obj=clock,
        )

    return run


def _found(result: Result) -> dict[str, list[str]]:
    return {
        kind: [one["id"] for one in entries] for kind, entries in json.loads(result.stdout).items()
    }


def test_nothing_found_is_said_and_ends_with_0(orphans: Orphans, simulator: Simulator) -> None:
    """Every service has its stack: the counts are told."""
    done = orphans("-", stdin=_export(_resource(_place(simulator, "ai-1"))))

    assert 0 == done.exit_code
    assert (
        "Nothing found: services 1, owned by a stack 1; entries in 1 stack 1, gone 0, owned "
        "twice 0, not looked for 0.\n"
    ) == done.output


def test_service_without_a_stack_is_an_orphan(orphans: Orphans, simulator: Simulator) -> None:
    """It is named with what it runs, the line that takes it over, and the one that deletes it."""
    owned, orphan = _place(simulator, "ai-1"), _place(simulator, "ai-2")
    done = orphans("-", stdin=_export(_resource(owned)))

    assert 1 == done.exit_code
    assert owned not in done.output
    row = next(line for line in done.output.splitlines() if line.strip().startswith(orphan))
    assert ["Qwen3-8B", "ai-2", "active"] == row.split()[1:4]
    assert f'opts=pulumi.ResourceOptions(import_="{orphan}")' in done.output
    service_id = orphan.partition(":")[2]
    place = "--region cn-hangzhou --DBInstanceId gp-demo"
    assert f"aliyun gpdb DeleteModelService {place} --ModelServiceId {service_id}\n" in done.output


def test_json_tells_everything_but_the_key(orphans: Orphans, simulator: Simulator) -> None:
    """What a script needs, and no secret."""
    orphan = _place(simulator, "ai-2")
    done = orphans("--json", "-", stdin=_export())

    (service,) = simulator.services
    assert 1 == done.exit_code
    assert {
        "orphans": [
            {
                "id": orphan,
                "db_instance_id": "gp-demo",
                "model_service_id": service.id,
                "model_name": "Qwen3-8B",
                "ai_nodes": ["ai-2"],
                "status": "active",
                "create_time": json.loads(done.stdout)["orphans"][0]["create_time"],
                "maybe_from": [],
            }
        ],
        "gone": [],
        "owned_twice": [],
        "unchecked": [],
    } == json.loads(done.stdout)
    assert service.api_key
    assert service.api_key not in done.output


def test_nothing_is_changed(orphans: Orphans, simulator: Simulator) -> None:
    """Orphans and gone entries alike are only looked at."""
    _place(simulator, "ai-1")
    simulator.clear_requests()
    orphans("-", stdin=_export(_resource("gp-demo:ms-gone")))

    assert [] == simulator.mutations


def test_several_stacks_own_together(
    orphans: Orphans, simulator: Simulator, tmp_path: Path
) -> None:
    """Files and stdin in one go, an export and a state file of the file backend alike."""
    one, two = _place(simulator, "ai-1"), _place(simulator, "ai-2")
    file = tmp_path / "dev.json"
    latest = json.loads(_export(_resource(one)))["deployment"]
    file.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "dev", "latest": latest}}))

    assert 1 == orphans(str(file)).exit_code
    assert 0 == orphans(str(file), "-", stdin=_export(_resource(two))).exit_code


@pytest.mark.parametrize(
    ("more", "owns"),
    [
        pytest.param({}, True, id="managed"),
        pytest.param({"delete": True}, True, id="still to be deleted"),
        pytest.param({"protect": True, "retainOnDelete": True}, True, id="protected"),
        pytest.param({"type": "pulumi-python:dynamic/mine:Model"}, True, id="a type of its own"),
        pytest.param({"outputs": {"db_instance_id": {"a": "b"}}}, True, id="encrypted"),
        pytest.param({"outputs": {"region_id": "cn-beijing"}}, True, id="another region"),
        pytest.param({"external": True}, False, id="looked up with get"),
        pytest.param({"pendingReplacement": True}, False, id="deleted, to be created again"),
        pytest.param({"type": "aws:s3/bucket:Bucket"}, False, id="something else"),
    ],
)
def test_who_owns(
    orphans: Orphans, simulator: Simulator, more: dict[str, Any], *, owns: bool
) -> None:
    """An entry owns its service unless the engine would not delete it with the stack."""
    id_ = _place(simulator, "ai-1")
    done = orphans("--json", "-", stdin=_export(_resource(id_, **more)))

    assert ([] if owns else [id_]) == _found(done)["orphans"]
    assert [] == _found(done)["gone"]


def test_resource_that_refers_to_a_service_owns_nothing(
    orphans: Orphans, simulator: Simulator
) -> None:
    """Someone's own dynamic resource may hold a service's id beside its own: no reason to stop."""
    id_ = _place(simulator, "ai-1")
    outputs = {"model_service_id": id_.partition(":")[2]}
    other = _resource("its-own-id", type="pulumi-python:dynamic:Resource", outputs=outputs)
    done = orphans("--json", "-", stdin=_export(other))

    assert [id_] == _found(done)["orphans"]
    assert [] == _found(done)["gone"]


def test_status_is_the_services_own(clock: FakeClock) -> None:
    """Also where the list tells that of the call; what has failed cannot be taken over."""
    with Simulator(provision_seconds=0, dialects=["list-status-success"]) as simulator:
        active, failed = _place(simulator, "ai-1"), _place(simulator, "ai-2")
        simulator.fail_service(failed.partition(":")[2])
        run = CliRunner().invoke
        command = ["orphans", "--instance", "gp-demo", "-"]
        given: dict[str, Any] = {"input": _export(), "env": simulator.environment(), "obj": clock}
        listed = json.loads(run(main, [*command, "--json"], **given).stdout)["orphans"]
        text = run(main, command, **given).output

    assert {active: "active", failed: "deploy_failed"} == {
        one["id"]: one["status"] for one in listed
    }
    assert f'import_="{active}"' in text
    assert f'import_="{failed}"' not in text
    assert f"--ModelServiceId {failed.partition(':')[2]}\n" in text


def test_entry_without_its_service_is_gone(
    orphans: Orphans, simulator: Simulator, clock: FakeClock
) -> None:
    """It takes two looks, some seconds apart, and says what to do."""
    id_ = _place(simulator, "ai-1")
    simulator.remove_service(id_.partition(":")[2])
    done = orphans("-", stdin=_export(_resource(id_)))

    assert 1 == done.exit_code
    row = next(line for line in done.output.splitlines() if line.strip().startswith(id_))
    assert ["search/dev", "embedding", "cn-hangzhou"] == row.split()[1:]
    assert "`pulumi refresh` drops it" in done.output
    assert 2 == len(simulator.calls("ListModelServices"))
    assert 5.0 == clock.monotonic() - FakeClock().monotonic()


def test_entry_never_seen_is_given_longer(orphans: Orphans, clock: FakeClock) -> None:
    """A service that the cloud has not shown yet may still come."""
    unseen = _resource("gp-demo:ms-new", outputs={"status": "unknown"})
    done = orphans("--json", "-", stdin=_export(unseen))

    assert ["gp-demo:ms-new"] == _found(done)["gone"]
    assert 30.0 == clock.monotonic() - FakeClock().monotonic()


def test_tombstones_are_neither_orphans_nor_there(orphans: Orphans, simulator: Simulator) -> None:
    """A cloud may go on showing what is deleted."""
    one, two = _place(simulator, "ai-1"), _place(simulator, "ai-2")
    for id_ in (one, two):
        simulator.change_service(id_.partition(":")[2], status="Released")
    done = orphans("--json", "-", stdin=_export(_resource(one)))

    assert [] == _found(done)["orphans"]
    assert [one] == _found(done)["gone"]


def test_entry_of_another_region_is_not_called_gone(orphans: Orphans) -> None:
    """The list of one region says nothing about another: it is told apart, and no failure."""
    other = _resource("gp-demo:ms-far", outputs={"region_id": "cn-beijing"})
    done = orphans("--json", "-", stdin=_export(other))

    assert 0 == done.exit_code
    assert ["gp-demo:ms-far"] == _found(done)["unchecked"]
    assert [] == _found(done)["gone"]
    assert "Ask again with --region" in orphans("-", stdin=_export(other)).output


def test_entries_of_other_instances_are_left_alone(orphans: Orphans) -> None:
    """Only the instances that are named are compared."""
    done = orphans("--json", "-", stdin=_export(_resource("gp-other:ms-1")))

    assert (0, []) == (done.exit_code, _found(done)["gone"])


class _Owners:
    """Runs the command on stacks as files, each a list of resources that hold the same service."""

    def __init__(self, orphans: Orphans, simulator: Simulator, folder: Path) -> None:
        self.id = _place(simulator, "ai-1")
        self._orphans, self._folder = orphans, folder

    def resource(self, name: str = "embedding", stack: str = "dev", **more: Any) -> dict[str, Any]:
        return _resource(self.id, urn=_urn(name, stack=stack), **more)

    def run(self, *stacks: list[dict[str, Any]], arguments: tuple[str, ...] = ()) -> Result:
        files = [self._folder / f"{number}.json" for number in range(len(stacks))]
        for file, resources in zip(files, stacks, strict=True):
            file.write_text(_export(*resources))
        return self._orphans(*arguments, *map(str, files))

    def found(self, *stacks: list[dict[str, Any]]) -> list[list[str]]:
        """The URNs of the owners of each service that is owned twice; the exit code agrees."""
        done = self.run(*stacks, arguments=("--json",))
        found = json.loads(done.stdout)["owned_twice"]
        assert (1 if found else 0) == done.exit_code
        assert all(self.id == one["id"] for one in found)
        return [[owner["urn"] for owner in one["owners"]] for one in found]


@pytest.fixture
def owners(orphans: Orphans, simulator: Simulator, tmp_path: Path) -> _Owners:
    return _Owners(orphans, simulator, tmp_path)


def test_service_of_two_stacks_is_told_with_its_owners(owners: _Owners) -> None:
    """For scripts: each owner with its URN and region."""
    dev, prod = owners.resource(), owners.resource("mine", "prod")
    done = owners.run([dev], [prod], arguments=("--json",))

    assert 1 == done.exit_code
    owner = {"id": owners.id, "region_id": "cn-hangzhou", "pending_deletion": False}
    assert {
        "orphans": [],
        "gone": [],
        "owned_twice": [
            {
                "id": owners.id,
                "owners": [
                    {**owner, "urn": _urn("embedding")},
                    {**owner, "urn": _urn("mine", stack="prod")},
                ],
            }
        ],
        "unchecked": [],
    } == json.loads(done.stdout)


def test_way_out_of_two_owners_can_be_copied(owners: _Owners) -> None:
    """A line for each, quoted for a shell; the state comes first, the program after it."""
    done = owners.run([owners.resource("it's")], [owners.resource(stack="prod")])

    assert 1 == done.exit_code
    lines = done.output.splitlines()
    rows = [line.split()[1:] for line in lines if line.startswith(f" {owners.id}")]
    assert [["search/dev", "it's", "cn-hangzhou"], ["search/prod", "embedding", "cn-hangzhou"]] == (
        rows
    )
    typed = [shlex.split(line) for line in lines if line.startswith("    pulumi ")]
    assert [
        ["pulumi", "state", "delete", "--stack", "dev", _urn("it's")],
        ["pulumi", "state", "delete", "--stack", "prod", _urn("embedding", stack="prod")],
    ] == typed
    assert "Nothing found" not in done.output
    before = done.output.partition("    pulumi state delete")[0]
    assert "run neither `pulumi up` nor `pulumi destroy`" in before
    assert "only then take them out of their programs:\n" in before


def test_service_twice_in_one_stack_is_owned_twice(owners: _Owners) -> None:
    """As after a rename by `import_` that was interrupted."""
    renamed = [owners.resource("old"), owners.resource("new")]

    assert [[_urn("old"), _urn("new")]] == owners.found(renamed)
    assert [[_urn("old"), _urn("new")]] == owners.found(renamed, renamed)


def test_two_exports_of_one_stack_are_one_owner(owners: _Owners) -> None:
    """An older and a newer one, also where the resource was renamed between them."""
    assert [] == owners.found([owners.resource()], [owners.resource(status="x")])
    assert [] == owners.found([owners.resource("old")], [owners.resource("new")])
    assert [[_urn("embedding"), _urn("mine", stack="prod")]] == owners.found(
        [owners.resource()], [owners.resource()], [owners.resource("mine", "prod")]
    )


@pytest.mark.parametrize(
    ("more", "owns"),
    [
        pytest.param({"protect": True, "retainOnDelete": True}, True, id="protected"),
        pytest.param({"delete": True}, True, id="still to be deleted"),
        pytest.param({"outputs": {"region_id": None}}, True, id="region not known"),
        pytest.param({"outputs": {"region_id": {"a": "b"}}}, True, id="region encrypted"),
        pytest.param({"outputs": {"region_id": "cn-beijing"}}, False, id="another region"),
        pytest.param({"external": True}, False, id="looked up with get"),
        pytest.param({"pendingReplacement": True}, False, id="deleted, to be created again"),
    ],
)
def test_who_is_a_second_owner(owners: _Owners, more: dict[str, Any], *, owns: bool) -> None:
    """Whoever would delete the service from under the first."""
    second = owners.resource("mine", "prod", **more)
    expected = [[_urn("embedding"), _urn("mine", stack="prod")]] if owns else []

    assert expected == owners.found([owners.resource()], [second])


def test_region_that_is_not_known_may_be_any(owners: _Owners) -> None:
    """Beside owners in two regions, it is told with both."""
    far = owners.resource("far", outputs={"region_id": "cn-beijing"})
    near, somewhere = owners.resource("near"), owners.resource("any", outputs={"region_id": None})

    assert [[_urn("near"), _urn("any")], [_urn("any"), _urn("far")]] == (
        owners.found([near, somewhere, far])
    )


def test_entry_that_waits_for_its_deletion_cannot_keep_the_service(owners: _Owners) -> None:
    """Only that entry is to be dropped, and no program changed: the URN may be declared."""
    done = owners.run([owners.resource(), owners.resource(delete=True)])

    assert 1 == done.exit_code
    assert "embedding (pending deletion)" in done.output
    assert 1 == done.output.count("    pulumi state delete ")
    assert f"choose {owners.id} (Pending Deletion):\n" in done.output
    assert "program" not in done.output


def test_entry_that_waits_for_its_deletion_is_no_choice(owners: _Owners) -> None:
    """Beside two others that are: its line comes first, and is not among theirs."""
    stays, leaves = owners.resource(), owners.resource("old", delete=True)
    done = owners.run([stays, leaves], [owners.resource(stack="prod")])

    parts = done.output.partition("Choose which resource keeps")
    assert [1, 2] == [part.count("    pulumi state delete ") for part in parts[::2]]
    assert f"{_urn('old')}\n" in parts[0]


def test_entries_that_all_wait_for_their_deletion_lose_nothing(owners: _Owners) -> None:
    """Nobody keeps the service: the first deletes it, the others find it gone."""
    leaving = [owners.resource(stack=stack, delete=True) for stack in ("dev", "prod")]

    assert [] == owners.found(*([one] for one in leaving))


def test_owners_in_other_instances_are_left_alone(orphans: Orphans) -> None:
    """Only the instances that are named are looked at."""
    twice = [_resource("gp-other:ms-1", name) for name in ("old", "new")]

    assert 0 == orphans("-", stdin=_export(*twice)).exit_code


def test_page_shows_what_is_printed_of_two_owners(owners: _Owners) -> None:
    """The block is a command and its whole output, with lines broken to fit the page."""
    (block,) = blocks(DOCS / "commands.md", "printed: orphans")
    command, _, shown = block.text.replace(SHOWN_ID, owners.id).partition("\n")
    done = owners.run([owners.resource()], [owners.resource(stack="prod")])

    assert command == "$ pulumi-adbpg-model orphans --instance gp-demo dev.json prod.json"
    assert shown.split() == done.output.split()


@pytest.mark.parametrize(
    "fault", ["instance-not-found", "not-found-404", "forbidden", "expired-token"]
)
def test_failure_to_look_is_no_proof(orphans: Orphans, simulator: Simulator, fault: str) -> None:
    """An instance out of sight is an error that names it; nothing is called gone."""
    simulator.inject(fault, "ListModelServices", times=None)
    done = orphans("-", stdin=_export(_resource("gp-demo:ms-1")))

    assert 1 == done.exit_code
    assert done.output.startswith("Error: ListModelServices of instance gp-demo failed: ")
    assert "Gone" not in done.output


def test_instance_that_is_not_visible_is_named(orphans: Orphans) -> None:
    """Also when another one is."""
    done = orphans("--instance", "gp-none", "-", stdin=_export(_resource("gp-none:ms-1")))

    assert 1 == done.exit_code
    assert "of instance gp-none failed" in done.stderr
    assert "" == done.stdout


def test_interrupted_create_is_the_likely_owner(orphans: Orphans, simulator: Simulator) -> None:
    """The stack knows that a creation had begun, on these nodes."""
    orphan, other = _place(simulator, "ai-1"), _place(simulator, "ai-2")
    begun = {
        "type": "creating",
        "resource": {
            "urn": _urn("embedding"),
            "type": _TYPE,
            "inputs": {"db_instance_id": "gp-demo", "ai_nodes": ["ai-1"]},
        },
    }
    encrypted = {**begun, "resource": {**begun["resource"], "inputs": {"ai_nodes": {"x": "y"}}}}  # type: ignore[dict-item]
    export = _export(pending=[begun, encrypted])
    text = orphans("-", stdin=export).output
    listed = json.loads(orphans("--json", "-", stdin=export).stdout)["orphans"]

    assert f"{orphan} is maybe from an interrupted create of {_urn('embedding')}: " in text
    assert {orphan: [_urn("embedding")], other: []} == {
        one["id"]: one["maybe_from"] for one in listed
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "no json",
        '{"deployment": []}',
        '{"deployment": {"resources": 5}}',
        '{"deployment": {"resources": [{}]}}',
        '{"checkpoint": {}}',
        '{"version": 3, "checkpoint": {}}',
        '{"version": 3, "checkpoint": {"stack": "dev", "newest": {"resources": []}}}',
        '{"version": 3, "deployment": {}}',
        '{"version": 3, "deployment": {"resources": {}}}',
        '{"version": 3, "deployment": {"resources": 0}}',
        '{"version": 3, "deployment": {"resources": ""}}',
        '{"version": 3, "deployment": {"resources": [], "pending_operations": {}}}',
        '{"version": 3, "deployment": {"manifest": {}, "Resources": []}}',
        '{"version": true, "deployment": {"resources": []}}',
        '{"version": "3", "deployment": {"resources": []}}',
        '{"version": 4, "features": "hooks", "deployment": {"resources": []}}',
        '{"deployment": {"resources": []}}',
        '{"deployment": null}',
        _export(_resource("no-id-of-ours")),
        "[" * 100_000,
    ],
)
def test_what_is_no_state_is_refused_by_name(
    orphans: Orphans, simulator: Simulator, tmp_path: Path, text: str
) -> None:
    """A file that an export failed to write must not turn every service into an orphan."""
    file = tmp_path / "dev.json"
    file.write_text(text)
    simulator.clear_requests()
    done = orphans(str(file))

    assert 1 == done.exit_code
    assert done.output.startswith(f"Error: {file} is not the state of a stack.")
    assert "Write it with: pulumi stack export --file FILE\n" in done.output
    assert 1 == done.output.count("\n")
    assert [] == simulator.requests


def test_binary_file_is_refused_by_name(orphans: Orphans, tmp_path: Path) -> None:
    """As when the file backend compresses its state."""
    file = tmp_path / "dev.json.gz"
    file.write_bytes(b"\x1f\x8b\x08\x00\xff")

    assert f"Error: {file} is not the state of a stack." in orphans(str(file)).output


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "BOM utf-16-be", "utf-32"]
)
def test_what_shells_of_windows_write_is_read(
    orphans: Orphans, simulator: Simulator, tmp_path: Path, encoding: str
) -> None:
    """PowerShell 5 redirects in UTF-16 with a byte order mark, in a file or through a pipe."""
    file, (mark, _, codec) = tmp_path / "dev.json", encoding.rpartition(" ")
    text = _export(_resource(_place(simulator, "ai-1"), "mod\xe8le")).replace("}", "}\r\n")
    content = (f"\N{BYTE ORDER MARK}{text}" if mark else text).encode(codec)
    file.write_bytes(content)

    assert 0 == orphans(str(file)).exit_code
    assert 0 == orphans("-", stdin=content).exit_code
    assert 0 == orphans(stdin=content).exit_code


@pytest.mark.parametrize(
    ("envelope", "told"),
    [
        ({"version": 5}, "its version is 5, and known are 1 to 4."),
        ({"version": 0}, "its version is 0, and known are 1 to 4."),
        ({"version": 10**30}, f"its version is {10**30}, and known are 1 to 4."),
        ({"version": 4, "features": ["hooks", "shards"]}, "it needs shards, not known here."),
    ],
)
@pytest.mark.parametrize("of_backend", [False, True])
def test_newer_state_is_not_an_empty_one(
    orphans: Orphans, simulator: Simulator, envelope: dict[str, Any], told: str, *, of_backend: bool
) -> None:
    """What it holds may stand elsewhere: else all would be orphans, with lines that delete them."""
    simulator.clear_requests()
    content = {"manifest": {}, "stacks": [_resource("gp-demo:ms-1")]}
    place = {"checkpoint": {"latest": content}} if of_backend else {"deployment": content}
    done = orphans("-", stdin=json.dumps({**envelope, **place}))

    advice = "" if envelope["version"] == 0 else " Use a newer release of pulumi-adbpg-model."
    assert (1, f"Error: stdin cannot be read: {told}{advice}\n") == (done.exit_code, done.output)
    assert [] == simulator.requests


@pytest.mark.parametrize(
    "envelope",
    [*({"version": number} for number in (1, 2, 3, 4)), {"version": 4, "features": ["hooks"]}],
)
def test_every_known_version_is_read(
    orphans: Orphans, simulator: Simulator, envelope: dict[str, Any]
) -> None:
    """The CLI writes 3, and 4 where a stack uses what older CLIs would lose."""
    document = json.loads(_export(_resource(_place(simulator, "ai-1")))) | envelope
    assert 0 == orphans("-", stdin=json.dumps(document)).exit_code


def test_empty_stack_is_a_stack(orphans: Orphans) -> None:
    """A stack that never had a resource exports no list of them."""
    assert 0 == orphans("-", stdin='{"version": 3, "deployment": {"manifest": {}}}').exit_code
    assert 0 == orphans("-", stdin='{"version": 3, "deployment": null}').exit_code
    only_made = '{"version": 3, "checkpoint": {"stack": "organization/search/dev"}}'
    assert 0 == orphans("-", stdin=only_made).exit_code


def test_stack_may_come_from_a_pipe(orphans: Orphans, simulator: Simulator) -> None:
    """No file and something on stdin: that is the stack; nothing on it is none."""
    owned = _export(_resource(_place(simulator, "ai-1")))

    assert 0 == orphans(stdin=owned).exit_code
    empty = orphans(stdin="")
    assert (1, "Error: stdin is not the state of a stack.") == (empty.exit_code, empty.output[:41])


def test_stack_has_to_be_given_on_a_terminal(simulator: Simulator) -> None:
    """Without a stack everything would be an orphan, and nobody types one."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "pulumi_adbpg_model", "orphans", "--instance", "gp-demo"],
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **simulator.environment()},
    )
    os.close(ours)
    os.close(theirs)

    assert 2 == done.returncode
    assert "Error: Give a STACK, or pipe `pulumi stack export` into this command.\n" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-"], "Missing option '--instance'"),
        (["--instance", "gp-demo", "no-such-file"], "no-such-file"),
        (["--instance", "gp:demo", "-"], "Invalid value for '--instance'"),
    ],
)
def test_wrong_usage_is_named(arguments: list[str], expected: str) -> None:
    """What is missing or malformed stands in the error."""
    done = CliRunner().invoke(main, ["orphans", *arguments], input="")

    assert 2 == done.exit_code
    assert expected in done.output
