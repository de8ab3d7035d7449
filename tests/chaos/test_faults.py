"""A part of the fault matrix, and what keeps the matrix complete. The whole is `make chaos`."""

from __future__ import annotations

from collections import Counter
from itertools import cycle, product

import pytest

from pulumi_adbpg_model import testing as simulated
from tests.chaos.clarity import why_unclear
from tests.chaos.faults import FAULTS, Point, kind_of, points, run, sample
from tests.chaos.operations import OPERATIONS, Operation

_ACTIONS = (
    "CreateModelService",
    "DescribeModelService",
    "DeleteModelService",
    "ListModelServices",
    "ListAINodePools",
    "ModifySecurityIps",
)
_operations = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.name)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_loses_nothing_and_the_next_command_mends_it(operation: str) -> None:
    """Every kind of fault strikes the operation; what goes wrong is told point by point."""
    assert _trouble([point for point in sample() if point.operation == operation]) == ""


def test_every_fault_strikes_every_action_somewhere() -> None:
    """No pair is missing in the matrix; in the part of it that runs here, no pair with a kind."""
    whole, part = points(), sample()
    assert {(point.action, point.fault) for point in whole} >= {*product(_ACTIONS, FAULTS)}
    kinds = {kind_of(fault) for fault in FAULTS}
    assert {(point.action, kind_of(point.fault)) for point in part} >= {*product(_ACTIONS, kinds)}
    assert {(one.operation, kind_of(one.fault)) for one in part} >= {*product(OPERATIONS, kinds)}
    assert {point.fault for point in part} >= {*FAULTS}
    assert {*simulated.FAULTS} - {"huge"} <= {*FAULTS}, "the simulator has another fault"
    assert {point.times for point in part} >= {1, 3, None}
    assert any(point.after for point in part)
    assert len(set(whole)) == len(whole)


@_operations
def test_the_calls_of_an_operation_are_known(operation: Operation) -> None:
    """The matrix strikes exactly the actions that are called when nothing goes wrong."""
    with operation.world() as world:
        operation.prepare(world)
        world.simulator.clear_requests()
        if operation.always:
            world.simulator.inject(*operation.always, None)
        ran = operation.act(world)
        assert ran.did == operation.did
        assert ran.well is (operation.always is None)
        called = Counter(call.action for call in world.simulator.requests)
        assert called.keys() == operation.calls.keys()
        assert all(called[action] >= count for action, count in operation.calls.items())
        assert not operation.removes or not world.in_cloud


@pytest.mark.parametrize(
    ("operation", "fault"),
    [*zip(OPERATIONS, cycle(["reset-before", "unavailable", "throttled"]))],
)
def test_an_outage_of_everything_ends_within_minutes(operation: str, fault: str) -> None:
    """Whatever is called, it is given up after 7 attempts each, and 2 minutes of waiting."""
    known = OPERATIONS[operation]
    with known.world() as world:
        known.prepare(world)
        before = world.ids()
        world.simulator.clear_requests()
        began = world.clock.monotonic()
        world.simulator.inject(fault, None, None)
        ran = known.act(world)
        calls = Counter(call.action for call in world.simulator.requests)
        assert [why_unclear(error) for error in ran.errors] == [None]
        assert world.clock.monotonic() - began <= 240
        assert sum(calls.values()) <= 80
        world.simulator.clear_faults()
        assert world.ids() == before


@pytest.mark.parametrize(
    "operation",
    [
        "create",
        "resume",
        "take over",
        "replace",
        "delete",
    ],
)
def test_a_wait_bears_a_minute_without_an_answer(operation: str) -> None:
    """The cloud is away from the middle of the wait on, for longer than one call is retried."""
    known = OPERATIONS[operation]
    with known.world() as world:

        def back() -> None:
            world.simulator.start()

        known.prepare(world)
        world.clock.after(5, world.simulator.stop)
        world.clock.after(65, back)
        assert known.act(world).errors == ()


@_operations
@pytest.mark.parametrize("fault", ["instance-not-found", "forbidden"])
def test_what_cannot_be_seen_is_not_gone(operation: Operation, fault: str) -> None:
    """With a wrong account no call shows the instance: what the state holds, it keeps."""
    assert _trouble([Point(operation.name, None, fault, None)]) == ""


def test_a_fault_that_never_strikes_is_no_success() -> None:
    """A point that was never tried counts as one that went wrong."""
    verdict = run(Point("refresh", "DescribeModelService", "unavailable", 1, after=5))
    assert not verdict.good
    assert "PROBLEM: the fault never struck" in verdict.story


def test_a_point_can_be_run_again_by_its_name() -> None:
    """Names differ, and say all that a point says."""
    names = [str(point) for point in points()]
    assert len(set(names)) == len(names)
    assert "replace: DeleteModelService: reset-after, 3 times, at call 1" in names
    assert "delete: token-expires after 5 s" in names


def _trouble(some: list[Point]) -> str:
    """The points that went wrong, with their stories; nothing when all is well."""
    assert some
    verdicts = [run(point) for point in some]
    return "\n\n".join(
        "\n".join([repr(verdict), *verdict.story]) for verdict in verdicts if not verdict.good
    )
