"""What counts as a duplicate, an orphan and a dropped resource."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.chaos.on_engine import warned
from tests.chaos.operations import OPERATIONS
from tests.chaos.verdict import Verdict, judge, summed
from tests.chaos.world import World

_A, _B, _C = "gp-demo:ms-1", "gp-demo:ms-2", "gp-demo:ms-10"


@dataclass(frozen=True)
class _Case:
    """What is there, and what should be counted: (converged, duplicates, orphans, dropped)."""

    title: str
    resources: int
    cloud: set[str]
    state: set[str]
    counted: tuple[bool, int, int, int]
    held: set[str] = field(default_factory=set)
    told: str = ""


_CASES = [
    _Case("one as declared", 1, {_A}, {_A}, (True, 0, 0, 0), {_A}),
    _Case("nothing as declared", 0, set(), set(), (True, 0, 0, 0), {_A}),
    _Case("nothing though declared", 1, set(), set(), (False, 0, 0, 0)),
    _Case("the state names one that is gone", 1, set(), {_A}, (False, 0, 0, 0), {_A}),
    _Case("two, one unknown", 1, {_A, _B}, {_A}, (False, 1, 1, 0), {_A}),
    _Case("two, the other named", 1, {_A, _B}, {_A}, (False, 1, 0, 0), {_A}, f"delete {_B}."),
    _Case("two, both in the state", 1, {_A, _B}, {_A, _B}, (False, 1, 0, 0), {_A, _B}),
    _Case("two for two resources", 2, {_A, _B}, {_A, _B}, (True, 0, 0, 0)),
    _Case("the state lost it", 1, {_A}, set(), (False, 0, 1, 1), {_A}),
    _Case("the state lost it, and says so", 1, {_A}, set(), (False, 0, 0, 1), {_A}, _A),
    _Case("another took its place", 1, {_A, _B}, {_B}, (False, 1, 1, 1), {_A}),
    _Case("never stored, not named", 1, {_A}, set(), (False, 0, 1, 0)),
    _Case("left after destroy", 0, {_A}, set(), (False, 0, 1, 0)),
    _Case("left after destroy, named", 0, {_A}, set(), (False, 0, 0, 0), set(), f"{_A}: look"),
    _Case("left after destroy, dropped", 0, {_A}, set(), (False, 0, 1, 1), {_A}),
    _Case("destroy that kept the state", 0, {_A}, {_A}, (False, 0, 0, 0), {_A}),
    _Case("two left after destroy", 0, {_A, _B}, set(), (False, 1, 2, 0)),
    _Case("a longer id is another", 1, {_A}, set(), (False, 0, 1, 0), set(), f"{_C} is there"),
]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.title)
def test_each_loss_is_counted_once_under_its_own_name(case: _Case) -> None:
    """The table of the report rests on these words."""
    verdict = judge(
        case.title,
        in_cloud=case.cloud,
        in_state=case.state,
        resources=case.resources,
        held=case.held,
        told=case.told,
    )
    counted = verdict.converged, verdict.duplicates, verdict.orphans, verdict.dropped
    assert counted == case.counted
    assert verdict.good is (case.counted == (True, 0, 0, 0))


def test_the_row_of_many_points_is_their_sum() -> None:
    """Each figure in its own column."""
    one = Verdict("one", converged=True, duplicates=1, dropped=2)
    other = Verdict("other", converged=False, orphans=3, lost=4, owned_twice=5, unclear=("a", "b"))
    assert list(summed([one, other])) == [2, 1, 1, 3, 2, 4, 5, 2]


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.did != "failed"])
def test_an_operation_that_goes_well_warns_of_nothing(name: str) -> None:
    """What is merely noted names no service, so a success cannot excuse what it leaves behind."""
    operation = OPERATIONS[name]
    with World(delete_seconds=operation.delete_s) as world:
        operation.prepare(world)
        assert operation.act(world).warned.strip() == ""


def test_what_the_engine_prints_besides_errors_and_warnings_names_nothing() -> None:
    """Its rows and its list of outputs show ids too."""
    output = f"""
     ~  adbpg:ModelService model refreshing [id={_A}]
    info: {_A} is deleted
    warning: {_B} did not show: it may exist and be billed
    error: {_C} failed.
    """
    told = warned(output)
    assert (_A in told.split(), _B in told, _C in told) == (False, True, True)
