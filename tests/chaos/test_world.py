"""A stack without the engine keeps and asks for what the engine keeps and asks for."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tests.chaos.world import MOST_TRIES, AgainBy, Kept, OnError, World

_ways = pytest.mark.parametrize("again_by", get_args(AgainBy))
_SHORT = {"create": "15s"}


def _kept(world: World) -> Kept:
    assert world.kept is not None
    return world.kept


def _called(world: World) -> list[str]:
    """The calls that change the cloud, since the last look at them."""
    called = [call.action for call in world.simulator.mutations]
    world.simulator.clear_requests()
    return called


def test_what_fails_in_part_is_kept_and_the_next_up_goes_on() -> None:
    """The command fails with the reason, which is kept; the state says what the cloud shows."""
    with World() as world:
        ran = world.up(timeouts=_SHORT)
        kept = _kept(world)
        assert (ran.did, kept.init_errors) == ("failed", ran.errors)
        assert (kept.stored.outs["status"], kept.timeouts) == ("deployming", _SHORT)
        assert world.ids() == world.in_cloud
        again = world.up(timeouts=_SHORT)
        assert (again.did, again.well) == ("update", True)
        assert (_kept(world).init_errors, _kept(world).stored.outs["status"]) == ((), "active")
        assert _called(world) == ["CreateModelService"]


def test_init_errors_alone_are_an_update_that_a_refresh_calls_off() -> None:
    """The provider sees no difference in a service that is not waited for."""
    declared: dict[str, Any] = {"wait_for_active": False, "timeouts": _SHORT}
    with World(["invisible-20s"]) as world:
        assert not world.up(**declared).well
        assert _kept(world).init_errors
        diffed = world.host.diff(_kept(world).stored, _kept(world).inputs)
        assert diffed.changes == "DIFF_NONE"
        world.later(20)
        assert world.up(**declared).did == "update"
        assert world.up(**declared).did == "same"
    with World(["invisible-20s"]) as world:
        assert not world.up(**declared).well
        world.later(20)
        assert world.refresh().did == "update"
        assert not _kept(world).init_errors
        assert world.up(**declared).did == "same"


def test_what_does_not_show_yet_is_not_replaced() -> None:
    """A look may come too early to say that it is not there."""
    with World(["invisible-20s"]) as world:
        assert not world.up(timeouts={"create": "5s"}).well
        before = world.ids()
        assert world.up().did == "update"
        assert world.ids() == world.in_cloud == before
        assert _called(world) == ["CreateModelService"]


def test_an_update_that_fails_in_part_keeps_the_new_program() -> None:
    """One that fails altogether changes nothing."""
    with World() as world:
        world.up(timeouts=_SHORT)
        before = _kept(world)
        world.simulator.inject("forbidden", "DescribeModelService", None)
        failed = world.up(store_api_key=False, wait_for_active=False)
        assert (failed.did, world.kept) == ("failed", before)
        world.simulator.clear_faults()
        short = {"update": "5s"}
        assert not world.up(store_api_key=False, timeouts=short).well
        assert (_kept(world).inputs["store_api_key"], _kept(world).timeouts) == (False, short)
        assert _kept(world).init_errors


def test_limits_are_those_of_the_program_and_those_of_the_last_one() -> None:
    """A create and an update are told the program's, a refresh and a delete what the state has."""
    with World(delete_seconds=3600) as world:
        world.simulator.hold_deployments()
        for limits, limit in (({"create": "20s"}, "20 s"), ({"update": "1m30s"}, "1 m 30 s")):
            (error,) = world.up(timeouts=limits).errors
            assert f"not active within {limit}, the limit set by custom_timeouts" in error
        world.simulator.release_deployments()
        assert world.up(timeouts={"update": "5m"}).did == "update"
        assert world.up(timeouts={"delete": "45s", "read": "10s"}).did == "same"
        world.simulator.inject("not-found-404", "DescribeModelService", None)
        began = world.clock.monotonic()
        assert not world.refresh().well
        assert world.clock.monotonic() - began == pytest.approx(10)
        world.simulator.clear_faults()
        for ran in (world.up(description="other"), world.destroy()):
            (error,) = ran.errors
            assert "it is still there after 45 s, the limit set by custom_timeouts" in error


def test_limits_that_are_none_are_refused_by_the_program() -> None:
    """Nothing is asked for, not even the check."""
    with World() as world:
        ran = world.up(timeouts={"create": "soon"})
        assert "got create='soon'" in ran.told
        assert (ran.did, world.simulator.requests) == ("failed", [])


@_ways
def test_a_create_that_is_tried_again_goes_on_with_what_it_left(again_by: AgainBy) -> None:
    """There is one service, asked for once. CLI 3.259 keeps the errors of the earlier try."""
    with World() as world:
        world.on_error = OnError(1, 30.0, again_by)
        retried: list[set[str]] = []
        world.on_retry = lambda _error: retried.append(world.in_cloud)
        assert world.up(timeouts=_SHORT).did == "create"
        assert retried == [world.in_cloud] == [world.ids()]
        assert _kept(world).stored.outs["status"] == "active"
        assert bool(_kept(world).init_errors) is (again_by == "create")
        assert world.up(timeouts=_SHORT).did == ("update" if again_by == "create" else "same")
        assert world.up(timeouts=_SHORT).did == "same"
        assert _called(world) == ["CreateModelService"]


@_ways
def test_a_create_whose_later_tries_all_fail_is_kept(again_by: AgainBy) -> None:
    """An engine that is told of a plain failure then, stores nothing."""
    with World() as world:
        world.on_error = OnError(2, 0.0, again_by)
        world.on_retry = lambda _error: world.simulator.inject("forbidden", None, None)
        ran = world.up(timeouts=_SHORT)
        assert not ran.well
        assert world.ids() == world.in_cloud
        assert len(world.ids()) == 1
        world.simulator.clear_faults()
        world.on_retry = lambda _error: None
        assert world.up().did == "update"
        assert _called(world) == ["CreateModelService"]


@_ways
def test_a_create_that_fails_to_the_last_try_is_kept(again_by: AgainBy) -> None:
    """After the last one the engine would store nothing, so it is told of a success instead."""
    with World() as world:
        world.simulator.hold_deployments()
        world.on_error = OnError(2 * MOST_TRIES, 0.0, again_by)
        tries = []
        world.on_retry = lambda _error: tries.append(1)
        ran = world.up(timeouts={"create": "1s"})
        assert (ran.did, len(tries)) == ("create", MOST_TRIES - 1)
        (id_,) = world.ids()
        assert f"model service {id_} is not active" in ran.warned
        assert world.ids() == world.in_cloud
        world.simulator.release_deployments()
        world.on_error = None
        assert world.up().did == "update"
        assert _called(world) == ["CreateModelService"]


@_ways
def test_what_goes_between_two_tries_is_created_anew(again_by: AgainBy) -> None:
    """By the engine that creates again; the other one fails, and its next `up` does."""
    with World() as world:
        world.simulator.hold_deployments()

        def take_away(error: str) -> None:
            world.on_retry = lambda _error: None
            left.extend(id_ for id_ in world.in_cloud if id_ in error)
            world.simulator.remove_service(world.simulator.services[0].id)
            world.simulator.release_deployments()

        left: list[str] = []
        world.on_error, world.on_retry = OnError(2, 0.0, again_by), take_away
        ran = world.up(timeouts={"create": "100s"})
        if again_by == "update":
            (error,) = ran.errors
            assert left[0] in error
            assert (world.kept, world.in_cloud) == (None, set())
            ran = world.up()
        assert (ran.did, ran.well) == ("create", True)
        assert world.ids() == world.in_cloud
        assert _called(world) == ["CreateModelService"] * 2  # no token of the dead is sent again
