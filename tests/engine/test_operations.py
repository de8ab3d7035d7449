"""The runbook: each situation is brought about, and its procedure carried out as it is written."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.sigkill import Sessions
from tests.engine.support.programs import mutations, place, pulumi_ids
from tests.engine.support.runbook import PAGE, Person, sections
from tests.engine.support.running import background, eventually, stop_cli
from tests.engine.support.stack import Failed, Stack

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="finds the CLI's processes in /proc"
)

_TESTED: list[str] = []
#: Sections to look things up in, without anything to type in a block.
_TABLES = {"Errors", "A node that is held", "Debug the provider process"}
_Test = TypeVar("_Test", bound=Callable[..., None])


def _procedure(title: str) -> Callable[[_Test], _Test]:
    """Mark the test of a section."""
    _TESTED.append(title)
    return lambda test: test


def _killable(home: Path, simulator: Simulator) -> tuple[Person, Sessions]:
    sessions = Sessions(home)
    make = partial(_stack, home, simulator, sessions)
    return Person(home, simulator, make), sessions


def _stack(home: Path, simulator: Simulator, sessions: Sessions, project: Path) -> Stack:
    return Stack(home, simulator, project=project, command=sessions.command())


def _hosts(home: Path, sessions: Sessions) -> set[int]:
    """The processes of the running command that are not the CLI: launcher and provider host."""
    cli = int((home / "session").read_text())
    return sessions.alive(cli) - {cli}


def _assert_settled(person: Person, *services: str, left: str = "up") -> None:
    """
    State and cloud hold the same one service, active, and nothing is left to do.

    Args:
        person: Who followed a section.
        services: The ids that it may have, if that matters.
        left: With which command the section leaves off; what an `up` did needs no other to tell.
    """
    if left != "up":
        done = person.stack.up()
        assert done.changes == {"same": 2}
        assert "warning" not in done.output
    assert not person.stack.export().get("pending_operations")
    (resource,) = person.stack.resources()
    assert not resource.get("initErrors")
    assert {resource["id"]} == pulumi_ids(person.simulator)
    assert not services or resource["id"] in services
    assert resource["outputs"]["status"] == "active"


def _assert_empty(person: Person) -> None:
    assert person.simulator.services == []
    assert person.stack.resources() == []


def _id(simulator: Simulator) -> str:
    (id_,) = pulumi_ids(simulator)
    return id_


def test_every_section_has_a_test() -> None:
    """No procedure of the runbook is untried, and no test is about one that is not there."""
    assert sorted(sections()) == sorted({*_TESTED, *_TABLES})


def test_every_block_of_the_runbook_is_followed() -> None:
    """Each procedure has something to do, and there is no code that is of no known kind."""
    kinds = {title: [block.kind for block in blocks] for title, blocks in sections().items()}
    assert all("console" in kinds[title] for title in _TESTED)
    assert [kinds[title] for title in _TABLES] == [[], [], []]
    fences = PAGE.read_text(encoding="utf-8").count("```")
    assert fences == 2 * (1 + sum(map(len, kinds.values())))  # one is the program


@_procedure("The command was killed, or its machine was lost")
def test_killed_command(tmp_path: Path, simulator: Simulator) -> None:
    """The service that was submitted is found, and the warning about it ends."""
    person, kills = _killable(tmp_path, simulator)
    simulator.hold_deployments()
    with background(person.stack.up) as up:
        eventually(lambda: simulator.calls("DescribeModelService"), up)
        kills.kill(up, "everything")
    service = _id(simulator)
    simulator.release_deployments()
    person.follow(
        "The command was killed, or its machine was lost", seen=person.fails(person.stack.up)
    )
    _assert_settled(person, service, left="refresh")


@_procedure("A destroy was killed")
def test_killed_destroy(tmp_path: Path) -> None:
    """Deleting again finishes it."""
    ahead_s = 0.0
    with Simulator(
        provision_seconds=0, delete_seconds=600, clock=lambda: time.time() + ahead_s
    ) as simulator:
        person, kills = _killable(tmp_path, simulator)
        person.stack.up()
        simulator.clear_requests()
        with background(person.stack.destroy) as destroy:
            eventually(lambda: simulator.calls("DescribeModelService"), destroy)
            kills.kill(destroy, "everything")
        ahead_s = 600.0
        person.follow("A destroy was killed", seen=person.fails(person.stack.destroy))
        _assert_empty(person)


@_procedure("Ctrl-C was pressed")
def test_cancelled_command(tmp_path: Path, simulator: Simulator) -> None:
    """The wait goes on with the same service."""
    person = Person(tmp_path, simulator)
    simulator.hold_deployments()
    with background(person.stack.up) as up:
        eventually(lambda: simulator.calls("DescribeModelService"), up)
        failed, _ = stop_cli(up, signal.SIGINT)
    service = _id(simulator)
    simulator.release_deployments()
    person.follow("Ctrl-C was pressed", seen=failed.output)
    _assert_settled(person, service)


@_procedure("The provider's process died")
def test_dead_provider(tmp_path: Path, simulator: Simulator) -> None:
    """The service that only the output named is found."""
    person, kills = _killable(tmp_path, simulator)
    simulator.hold_deployments()
    with background(person.stack.up) as up:
        eventually(lambda: simulator.calls("DescribeModelService"), up)
        for host in _hosts(tmp_path, kills):
            with suppress(ProcessLookupError):  # one may end with the other
                os.kill(host, signal.SIGKILL)
        failed = up.exception(timeout=30)
    assert isinstance(failed, Failed)
    assert person.stack.ids() == set()
    service = _id(simulator)
    simulator.release_deployments()
    person.follow("The provider's process died", seen=failed.output)
    _assert_settled(person, service)


@_procedure("The state is lost")
def test_lost_state(tmp_path: Path, simulator: Simulator) -> None:
    """The same program in a stack of the same name finds its service."""
    first = Person(tmp_path / "lost", simulator)
    first.stack.up()
    service = _id(simulator)
    person = Person(tmp_path / "new", simulator)
    person.follow("The state is lost")
    _assert_settled(person, service)


@_procedure("The state is lost, and services are not found again")
def test_lost_state_and_forgotten_token(tmp_path: Path, simulator: Simulator) -> None:
    """What no token finds is taken over, and stays when the option goes."""
    person = Person(tmp_path, simulator)
    service = place(simulator)
    person.follow(
        "The state is lost, and services are not found again", seen=person.fails(person.stack.up)
    )
    assert set(mutations(simulator)) == {"CreateModelService"}  # those that were refused
    _assert_settled(person, service)


@_procedure("Find services that no stack owns")
def test_services_without_a_stack(tmp_path: Path, simulator: Simulator) -> None:
    """The one that another hand made is found; the stack's own is not, and neither is touched."""
    person = Person(tmp_path, simulator)
    person.stack.up()
    owned = _id(simulator)
    orphan = place(simulator, ai_nodes=("ai-2",))
    person.follow("Find services that no stack owns")
    (row,) = (line.split() for line in person.printed.splitlines() if line.startswith(" gp-demo:"))
    assert row == [orphan, "Qwen3-Embedding-8B", "ai-2", "active"]
    assert pulumi_ids(simulator) == {owned, orphan}


@_procedure("A service stopped working")
def test_service_that_stopped_working(tmp_path: Path, simulator: Simulator) -> None:
    """A job tells of it, and only then; what replaces it is active."""
    person = Person(tmp_path, simulator)
    person.stack.up()
    watch, listing = (
        line[2:] for line in sections()["A service stopped working"][0].lines if line[0] == "$"
    )
    person.shell(watch)
    assert "status" not in person.shell(listing, fails=True)
    (service,) = simulator.services
    simulator.fail_service(service.id)
    person.follow("A service stopped working")
    assert simulator.services[0].id != service.id
    _assert_settled(person)


@_procedure("A service was deleted outside")
def test_service_deleted_outside(tmp_path: Path) -> None:
    """The refresh drops it, and it is created anew."""
    # Of two plausible clouds the one where no half minute is waited for the deleted one to show.
    with Simulator(provision_seconds=0, dialects=["tokens-ignored"]) as simulator:
        person = Person(tmp_path, simulator)
        person.stack.up()
        (service,) = simulator.services
        simulator.remove_service(service.id)
        person.declare("store_api_key=False")  # a change in place
        person.follow("A service was deleted outside", seen=person.fails(person.stack.up))
        _assert_settled(person)
        # A destroy needs no refresh to cope with the same.
        (second,) = simulator.services
        assert second.id != service.id
        simulator.remove_service(second.id)
        assert person.stack.destroy().changes == {"delete": 2}
        _assert_empty(person)


@_procedure("The instance was deleted outside")
def test_instance_deleted_outside(tmp_path: Path, simulator: Simulator) -> None:
    """The state is dropped by hand, and the service moves to another instance."""
    person = Person(tmp_path, simulator)
    person.stack.up()
    simulator.remove_instance("gp-demo")
    simulator.add_instance("gp-new", ["ai-1"])
    seen = person.fails(person.stack.refresh)
    assert len(person.stack.ids()) == 1
    person.follow("The instance was deleted outside", seen=seen)
    _assert_settled(person)


@_procedure("The account or region is wrong")
def test_wrong_account(tmp_path: Path, simulator: Simulator) -> None:
    """With the right credentials everything is as it was."""
    person = Person(tmp_path, simulator)
    person.stack.up()
    service = _id(simulator)
    environment = person.stack.environment
    person.secrets = dict(environment)
    with Simulator(
        instance="gp-other", access_key_id="other", access_key_secret="another"
    ) as other:
        environment |= {
            "ADBPG_ENDPOINT": other.endpoint,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "other",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "another",
        }
        seen = person.fails(person.stack.refresh)
    # An account has the real cloud's endpoint; a simulated one has its own.
    environment["ADBPG_ENDPOINT"] = simulator.endpoint
    person.follow("The account or region is wrong", seen=seen)
    _assert_settled(person, service, left="refresh")


@_procedure("The security token expired during the wait")
def test_expired_token(tmp_path: Path) -> None:
    """With a new token the wait goes on."""
    memory = tmp_path / "cloud.json"
    with Simulator(provision_seconds=0, security_token="old", state=memory) as simulator:
        person = Person(tmp_path, simulator)
        simulator.hold_deployments()
        with background(person.stack.up) as up:
            eventually(lambda: simulator.calls("DescribeModelService"), up)
            simulator.expire_token()
            failed = up.exception(timeout=30)
        assert isinstance(failed, Failed)
        service, port = _id(simulator), simulator.port
    with Simulator(
        provision_seconds=0, security_token="new", state=memory, port=port
    ) as person.simulator:
        person.secrets = {**person.stack.environment, "ALIBABA_CLOUD_SECURITY_TOKEN": "new"}
        person.follow("The security token expired during the wait", seen=failed.output)
        _assert_settled(person, service)


@_procedure("The deployment does not end")
def test_endless_deployment(tmp_path: Path, simulator: Simulator) -> None:
    """More time lets it become active, and it can be given up."""
    person = Person(tmp_path, simulator)
    simulator.hold_deployments()
    person.declare(
        'opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1s"))'
    )
    seen = person.fails(person.stack.up)
    simulator.release_deployments()
    person.follow("The deployment does not end", seen=seen)
    assert mutations(simulator) == ["CreateModelService", "DeleteModelService"]
    _assert_empty(person)


@_procedure("The cloud refuses to delete while it deploys")
def test_refused_deletion(tmp_path: Path) -> None:
    """Once it does not deploy any more, it is deleted."""
    with Simulator(provision_seconds=0, dialects=["delete-refused-while-deploying"]) as simulator:
        person = Person(tmp_path, simulator)
        simulator.hold_deployments()
        timeouts = 'pulumi.CustomTimeouts(create="1s", delete="1s")'
        person.declare(f"opts=pulumi.ResourceOptions(custom_timeouts={timeouts})")
        person.fails(person.stack.up)
        seen = person.fails(person.stack.destroy)
        assert person.stack.ids() == pulumi_ids(simulator)
        simulator.release_deployments()
        person.follow("The cloud refuses to delete while it deploys", seen=seen)
        _assert_empty(person)


@_procedure("The deployment failed")
def test_failed_deployment(tmp_path: Path, simulator: Simulator) -> None:
    """It is replaced, and what takes its place can be removed."""
    person = Person(tmp_path, simulator)
    simulator.fail_next_deployment()
    person.follow("The deployment failed", seen=person.fails(person.stack.up))
    changes = ["CreateModelService", "DeleteModelService"]
    assert mutations(simulator) == changes * 2
    _assert_empty(person)


@_procedure("A whitelist group does not reach the service")
def test_wrong_whitelist_group(tmp_path: Path) -> None:
    """With the right group, the service gets its list without being replaced."""
    with Simulator(provision_seconds=0, whitelist_groups={"embedding": "ai-1"}) as simulator:
        person = Person(tmp_path, simulator)
        # Half a minute would be given to the group to show.
        timeouts = 'custom_timeouts=pulumi.CustomTimeouts(update="1s")'
        person.declare(
            'security_ip_list=["10.0.0.1"]',
            'security_ip_group="database"',
            f"opts=pulumi.ResourceOptions({timeouts})",
        )
        person.stack.up()
        service = _id(simulator)
        person.declare('security_ip_list=["10.0.0.2"]')
        seen = person.fails(person.stack.up)
        # What was not seen to change is not taken for changed.
        assert person.stack.resource("embedding")["outputs"]["security_ip_list"] == ["10.0.0.1"]
        person.follow("A whitelist group does not reach the service", seen=seen)
        _assert_settled(person, service)
        assert simulator.services[0].security_ip_list == ("10.0.0.2",)
        assert simulator.whitelist_groups("gp-demo")["database"] == ("10.0.0.2",)  # as it warns


@_procedure("A node is held by another service")
def test_held_node(tmp_path: Path, simulator: Simulator) -> None:
    """Another node is chosen; the other's service is not touched."""
    holder = place(simulator)
    person = Person(tmp_path, simulator)
    person.follow("A node is held by another service", seen=person.fails(person.stack.up))
    assert holder in pulumi_ids(simulator)
    assert person.stack.ids() == pulumi_ids(simulator) - {holder} != set()


@_procedure("The client token was used with other inputs")
def test_used_client_token(tmp_path: Path, simulator: Simulator) -> None:
    """Without a token of one's own, the service is created."""
    first = Person(tmp_path / "first", simulator)
    first.declare('client_token="search-1"', 'ai_nodes=["ai-2"]')
    first.stack.up()
    other = _id(simulator)
    person = Person(tmp_path / "second", simulator)
    person.declare('client_token="search-1"')
    person.follow("The client token was used with other inputs", seen=person.fails(person.stack.up))
    assert person.stack.ids() == pulumi_ids(simulator) - {other} != set()
