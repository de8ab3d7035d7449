"""Stacks that earlier releases wrote, or another Python, go on with the code at hand."""

from __future__ import annotations

import functools
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
from tests.engine.support.programs import declare, mutations, pulumi_ids
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


@contextmanager
def _stored(release: str, title: str, home: Path) -> Iterator[tuple[Any, Stack, Simulator]]:
    """A copy of a release's stack and its cloud, with the program that it belongs to."""
    shutil.copytree(HERE / release / title, home, dirs_exist_ok=True)
    program = load(release)
    with simulator_of(program, home / CLOUD) as simulator:
        yield program, Stack(home, simulator), simulator


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


@pytest.mark.skipif(not _OTHER_PYTHONS, reason=_NO_PYTHON)
def test_other_pythons_are_others() -> None:
    """A stored stack goes on under them, too; without this, nobody would see that it did not."""
    versions = {*map(_version, _OTHER_PYTHONS), sys.version_info[:2]}
    assert len(versions) == len(_OTHER_PYTHONS) + 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize("release", RELEASES)
def test_a_stored_stack_is_left_alone_changed_and_destroyed(release: str, tmp_path: Path) -> None:
    """
    After an upgrade the same program changes nothing, another what it says, each once.

    The newest release's stack then goes on under every other Python, the oldest first: program and
    provider alike. Each leaves alone what another one wrote, and changes it; the newest destroys.
    """
    with _stored(release, "settled", tmp_path) as (program, stack, simulator):
        # The same program: all the same, the key still readable and still secret.
        before = {one["urn"]: _lasting(one) for one in stack.resources()}
        count = len(stack.export()["resources"]) - 1  # the default provider is not counted
        up = stack.up(program.settled, refresh=True)
        assert up.log.rows["refresh"] >= before.keys()
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

        others = _OTHER_PYTHONS if release == RELEASES[-1] else []
        pythons = sorted([*others, sys.executable], key=_version)
        deployed_is_changed = True
        for python in pythons:
            if python in others:
                _lives_on(python, release, stack, simulator, is_changed=deployed_is_changed)
                deployed_is_changed = not deployed_is_changed
            else:
                stack.program = functools.partial(program.settled, changed=deployed_is_changed)
                assert stack.up().changes.keys() == {"same"}
        environment = {"PULUMI_PYTHON_CMD": pythons[-1], "PYTHONPATH": str(_ROOT)}
        Stack(tmp_path, simulator, environment=environment).destroy()
        _assert_empty(stack, simulator)


def _lives_on(
    python: str, release: str, stack: Stack, simulator: Simulator, *, is_changed: bool
) -> None:
    """The program that was deployed changes nothing under that Python, the other one the same."""
    before = stack.resources()
    changes = load(release).CHANGES
    simulator.clear_requests()
    named = [str(stack.home), json.dumps(simulator.environment()), release, str(int(is_changed))]
    same, changed = json.loads(_said_by(python, "-m", "tests.engine.upgrades.living", *named))
    assert same["changes"].keys() == {"same"}
    assert set(same["refreshed"]) >= {one["urn"] for one in before}
    after = {one["urn"]: _lasting(one) for one in same["services"]}
    assert after == {one["urn"]: _lasting(one) for one in before}
    assert changed["changes"] == changes
    for action in ("DeleteModelService", "CreateModelService"):
        assert mutations(simulator).count(action) == changes["replace"]
    assert stack.ids() == pulumi_ids(simulator)


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
        assert stack.up(program.troubled, refresh=first == "refresh").changes == changes
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
    release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The state names no id: the client token has to be the one that the release would send.

    The stack then lives on where Python pickles otherwise, and back. Python 3.14 does, so that
    program and state refer to the provider by two texts.
    """
    with _stored(release, "killed", tmp_path) as (released, stack, simulator):
        before = pulumi_ids(simulator)
        monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", 4)
        assert stack.up(released.killed).changes == {"same": 1, "create": 1}
        assert stack.ids() == pulumi_ids(simulator) == before
        (urn,) = (one["urn"] for one in stack.resources())

        def stored() -> set[str]:
            bags = [stack.resource("killed")[side] for side in ("inputs", "outputs")]
            return {bag["__provider"] for bag in bags}

        assert stored() == {PROVIDER}
        simulator.clear_requests()
        monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", 5)
        assert stack.up(refresh=True).changes == {"same": 2}
        assert stack.up(replace=[urn]).changes == {"replace": 1, "same": 1}
        assert stored() == {NEWER_PROVIDER}
        assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]

        monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", 4)
        simulator.clear_requests()

        def impossible() -> None:
            declare("killed", model_name="none such")

        with pytest.raises(Failed, match="what replaces it cannot be created"):
            stack.up(impossible)  # one process knows what both texts lead to
        assert mutations(simulator) == []
        stack.destroy()
        _assert_empty(stack, simulator)
