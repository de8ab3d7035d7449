"""Stacks that earlier releases wrote, or another Python, go on with the code at hand."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pulumi_adbpg_model.service.state import FORMER
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import URN, mutations, program, pulumi_ids
from tests.engine.support.stack import TYPE, Failed, Stack, is_secret
from tests.engine.upgrades.record import CLOUD, HERE, RELEASES, load, record, simulator_of
from tests.provider.dynamic_host import NEWER_PROVIDER, PROVIDER

_ROOT = Path(__file__).parents[2]
#: Interpreters with the package's dependencies, one a line. Read here: tests see no such variable.
_OTHER_PYTHONS = os.environ.get("ADBPG_OTHER_PYTHONS", "").splitlines()
_NO_PYTHON = (
    "no other Python: put another one that is supported on the PATH, and set ADBPG_OTHER_PYTHONS "
    'to "$(python tools/pythons.py --all)"'
)
_each_other_python = pytest.mark.parametrize(
    "python",
    [pytest.param(path, id=Path(path).parents[2].name) for path in _OTHER_PYTHONS]
    or [pytest.param("", marks=pytest.mark.skip(reason=_NO_PYTHON))],
)


@contextmanager
def _stored(
    release: str, title: str, home: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[Any, Stack, Simulator]]:
    """A copy of a release's stack and its cloud, with the program that it belongs to."""
    shutil.copytree(HERE / release / title, home, dirs_exist_ok=True)
    program = load(release)
    with simulator_of(program, home / CLOUD) as simulator:
        yield program, Stack(home, simulator, environment=environment), simulator


def _version(python: str) -> tuple[int, int]:
    major, minor = _said_by(python, "-c", "import sys; print(*sys.version_info[:2])").split()
    return int(major), int(minor)


def _said_by(python: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    command = [python, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _assert_empty(stack: Stack, simulator: Simulator) -> None:
    assert simulator.services == []
    assert not stack.export().get("resources")


def _lasting(resource: Mapping[str, Any]) -> dict[str, Any]:
    """
    A resource of the state, without ciphertexts, what is not stored any more, and the text by which
    this Python, or an older one, refers to the provider.
    """
    changing = {*FORMER, "__provider"}
    kept = {key: resource.get(key) for key in ("urn", "id", "inputs", "outputs", "parent")}
    return {
        key: (
            {name: is_secret(one) or one for name, one in value.items() if name not in changing}
            if isinstance(value, dict)
            else value
        )
        for key, value in kept.items()
    }


def test_there_is_a_release_to_upgrade_from() -> None:
    """Without a folder, all that follows would be skipped; each has at least one stored stack."""
    assert RELEASES
    for release in RELEASES:
        assert list((HERE / release).glob("*/state/.pulumi/stacks/*/*.json")), release


def test_a_recorded_release_is_not_recorded_again() -> None:
    """Its files are what was published: written anew, they would show the code of today."""
    release = RELEASES[-1]
    folder = HERE / release
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit, match=release):
        record(release[1:].replace("_", "."))
    kept = {path: path.stat().st_mtime_ns for path in before if path.exists()}
    assert kept == before


@pytest.mark.parametrize("release", RELEASES)
def test_stored_states_refer_to_the_provider_and_type_of_today(release: str) -> None:
    """The frozen names, as every stack in the field holds them; no secret is stored in clear."""
    for path in sorted((HERE / release).glob("*/state/.pulumi/stacks/*/*.json")):
        text = path.read_text(encoding="utf-8")
        latest = json.loads(text)["checkpoint"]["latest"]
        pending = [one["resource"] for one in latest.get("pending_operations", ())]
        services = [one for one in (*latest["resources"], *pending) if one["type"] == TYPE]
        assert services
        cloud = json.loads((path.parents[4] / CLOUD).read_text(encoding="utf-8"))["services"]
        for one in services:
            assert one["inputs"]["__provider"] in (PROVIDER, NEWER_PROVIDER)
            assert one["urn"] == one["inputs"].get("__urn", one["urn"])
            assert one["urn"].rsplit("::", 2)[1].endswith(TYPE)
            assert one in pending or one["id"].removeprefix("gp-demo:") in cloud
        assert not any(service["api_key"] in text for service in cloud.values())


@pytest.mark.parametrize("release", RELEASES)
def test_a_stored_stack_is_left_alone_changed_and_destroyed(release: str, tmp_path: Path) -> None:
    """After an upgrade the same program changes nothing, another what it says, each once."""
    with _stored(release, "settled", tmp_path) as (program, stack, simulator):
        # The same program: all the same, the key still readable and still secret.
        before = {one["urn"]: _lasting(one) for one in stack.resources()}
        count = len(stack.export()["resources"]) - 1  # the default provider is not counted
        assert stack.refresh(program.settled).changes == {"same": count}
        up = stack.up()
        assert up.changes == {"same": count - 1}  # nor is the look-up
        after = {one["urn"]: _lasting(one) for one in stack.resources()}
        assert after == before
        assert mutations(simulator) == []
        nested = simulator.service(stack.resource("nested")["outputs"]["model_service_id"])
        assert up.outputs["key"] == nested.api_key
        assert is_secret(stack.resource("nested")["outputs"]["api_key"])
        assert str(nested.api_key) not in stack.state_text()

        # A change: in place where the release did it in place, replaced where it replaced.
        changed = stack.up(lambda: program.settled(changed=True))
        assert changed.changes == program.CHANGES
        ids = {one["urn"]: one["id"] for one in stack.resources()}
        assert before.keys() == ids.keys()
        replaced = [urn for urn, id_ in ids.items() if before[urn]["id"] != id_]
        assert len(replaced) == program.CHANGES["replace"]
        # One create for each: none asks for the dead with a token of long ago.
        assert mutations(simulator).count("CreateModelService") == program.CHANGES["replace"]
        assert stack.ids() == pulumi_ids(simulator)
        everything = simulator.service(stack.resource("everything")["outputs"]["model_service_id"])
        assert everything.security_ip_list == ("10.0.0.2", "10.23.12.24/24")
        assert is_secret(stack.resource("keyless")["outputs"]["api_key"])
        assert stack.up().changes.keys() == {"same"}
        stack.destroy()
        _assert_empty(stack, simulator)


@pytest.mark.parametrize(
    ("first", "changes"),
    [
        ("up", {"replace": 1, "same": 2, "update": 2}),
        ("refresh", {"replace": 1, "same": 4}),  # it finds that the pending ones are active now
    ],
)
@pytest.mark.parametrize("release", RELEASES)
def test_up_finishes_what_a_release_left_unfinished(
    release: str, first: str, changes: dict[str, int], tmp_path: Path
) -> None:
    """Pending services become active, the failed one is replaced, and none is made twice."""
    with _stored(release, "troubled", tmp_path) as (program, stack, simulator):
        before = {one["urn"]: one["id"] for one in stack.resources()}
        if first == "refresh":
            stack.refresh(program.troubled)
        assert stack.up(program.troubled).changes == changes
        after = {one["urn"]: one["id"] for one in stack.resources()}
        (replaced,) = (urn for urn in after if after[urn] != before[urn])
        assert replaced.endswith("::failed")
        assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
        assert stack.ids() == pulumi_ids(simulator)
        assert stack.up().changes == {"same": 5}


@pytest.mark.parametrize("release", RELEASES)
def test_destroy_removes_what_a_release_left_unfinished(release: str, tmp_path: Path) -> None:
    """Services that never became active, one of them never seen, are deleted without a program."""
    with _stored(release, "troubled", tmp_path) as (_, stack, simulator):
        assert stack.destroy().changes == {"delete": 5}
        assert mutations(simulator) == ["DeleteModelService"] * 4
        _assert_empty(stack, simulator)


@pytest.mark.parametrize("release", RELEASES)
def test_up_finds_the_service_of_a_creation_that_a_release_was_killed_in(
    release: str, tmp_path: Path
) -> None:
    """The state names no id: the client token has to be the one that the release would send."""
    with _stored(release, "killed", tmp_path) as (program, stack, simulator):
        before = pulumi_ids(simulator)
        assert stack.up(program.killed).changes == {"same": 1, "create": 1}
        assert stack.ids() == pulumi_ids(simulator) == before
        stack.destroy()
        _assert_empty(stack, simulator)


@_each_other_python
def test_a_stack_lives_on_under_another_python(python: str, tmp_path: Path) -> None:
    """The provider's process runs another Python than the one that wrote the state."""
    assert _version(python) != _version(sys.executable)
    environment = {"PULUMI_PYTHON_CMD": python, "PYTHONPATH": str(_ROOT)}
    with _stored(RELEASES[-1], "settled", tmp_path, environment) as (program, stack, simulator):
        assert stack.refresh(program.settled).changes.keys() == {"same"}
        changed = stack.up(lambda: program.settled(changed=True))
        assert changed.changes == program.CHANGES
        assert stack.ids() == pulumi_ids(simulator)
        stack.destroy()
        _assert_empty(stack, simulator)


@_each_other_python
def test_what_an_older_python_wrote_a_newer_one_destroys(
    python: str, tmp_path: Path, simulator: Simulator
) -> None:
    """Program and provider alike; to the newer one, an unchanged program is unchanged."""
    older, newer = sorted((python, sys.executable), key=_version)
    named = [str(tmp_path), json.dumps(simulator.environment())]
    living = ["-m", "tests.engine.upgrades.living", *named]
    assert json.loads(_said_by(older, *living, "up")) == [{"create": 2}]
    simulator.clear_requests()
    lived = json.loads(_said_by(newer, *living, "up", "destroy"))
    assert lived == [{"same": 2}, {"delete": 2}]
    assert mutations(simulator) == ["DeleteModelService"]
    _assert_empty(Stack(tmp_path, simulator), simulator)


def test_a_stack_lives_on_where_python_pickles_otherwise(
    stack: Stack, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.14 does, so that program and state refer to the provider by two texts; and back."""

    def stored() -> set[str]:
        bags = [stack.resource()[side] for side in ("inputs", "outputs")]
        return {bag["__provider"] for bag in bags}

    monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", 4)
    stack.up(program())
    assert stored() == {PROVIDER}
    simulator.clear_requests()
    monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", 5)
    assert stack.up(refresh=True).changes == {"same": 2}
    assert stack.up(replace=[URN]).changes == {"replace": 1, "same": 1}
    assert stored() == {NEWER_PROVIDER}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]

    monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", 4)
    simulator.clear_requests()
    with pytest.raises(Failed, match="what replaces it cannot be created"):
        stack.up(program(model_name="none such"))  # one process knows what both texts lead to
    assert mutations(simulator) == []
    stack.destroy()
    _assert_empty(stack, simulator)
