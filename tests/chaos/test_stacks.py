"""Stacks of several resources do what the engine does with them, and in its order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.chaos.hosting import TimedProvider
from tests.chaos.injection import Death
from tests.chaos.programs import service, with_inputs
from tests.chaos.stacks import Declared, Estate, Stack

_A, _B = service("a", "ai-1"), service("b", "ai-2")


def _urn(declared: Declared) -> str:
    return declared.urn("dev")


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate([], delete_seconds=20.0, preflight=False) as made:
        yield made


@pytest.fixture
def stack(estate: Estate) -> Stack:
    """Its services take 40 s to be made and up to 20 s to be deleted."""
    return estate.stacks["dev"]


def _called(estate: Estate) -> list[str]:
    """The calls that change the cloud, since the last look at them: D for a deletion."""
    called = [call.action[0] for call in estate.simulator.mutations]
    estate.simulator.clear_requests()
    return called


def _took(estate: Estate, command: Callable[[], object]) -> float:
    began = estate.clock.monotonic()
    command()
    return estate.clock.monotonic() - began


def test_what_begins_together_takes_as_long_as_one(estate: Estate, stack: Stack) -> None:
    """Creations, replacements and deletions of independent resources."""
    assert _took(estate, lambda: stack.up([_A, _B], 1)) == pytest.approx(40, abs=2)
    assert _called(estate) == ["C", "C"]
    moved = [with_inputs(_A, {"ai_nodes": ["ai-3"]}), with_inputs(_B, {"ai_nodes": ["ai-4"]})]
    assert _took(estate, lambda: stack.up(moved, 1)) == pytest.approx(64, abs=5)
    assert _called(estate) == ["D", "D", "C", "C"]
    assert _took(estate, lambda: stack.destroy(1)) == pytest.approx(16, abs=5)
    assert (stack.state, estate.in_cloud) == ({}, set())


def test_what_is_gone_from_the_program_is_deleted_last(estate: Estate, stack: Stack) -> None:
    """And not at all when something failed."""
    stack.up([_A], 1)
    _called(estate)
    assert stack.up([_B], 1).well
    assert _called(estate) == ["C", "D"]
    estate.simulator.inject("forbidden", "CreateModelService")
    assert not stack.up([_A], 1).well
    assert _called(estate) == ["C"]
    assert list(stack.state) == [_urn(_B)]


def test_a_replacement_that_is_not_created_is_created_by_the_next_up(
    estate: Estate, stack: Stack
) -> None:
    """What was deleted for it is not deleted once more."""
    stack.up([_A], 1)
    _called(estate)
    estate.simulator.inject("forbidden", "CreateModelService")
    moved = with_inputs(_A, {"ai_nodes": ["ai-3"]})
    assert not stack.up([moved], 1).well
    assert stack.state[_urn(_A)].replacing
    assert stack.up([moved], 1).well
    assert _called(estate) == ["D", "C", "C"]
    assert {entry.id for entry in stack.state.values()} == estate.in_cloud


def test_one_that_is_to_be_replaced_is_removed_without_a_call(estate: Estate, stack: Stack) -> None:
    """By a destroy, and by an `up` of a program without it."""
    stack.up([_A], 1)
    estate.simulator.inject("forbidden", "CreateModelService")
    stack.up([with_inputs(_A, {"ai_nodes": ["ai-3"]})], 1)
    _called(estate)
    assert stack.up([], 1).well
    assert (_called(estate), stack.state) == ([], {})


def test_an_alias_takes_the_entry_along(estate: Estate, stack: Stack) -> None:
    """Nothing is called; what is replaced at once is deleted under its former name."""
    stack.up([_A], 1)
    (id_,) = estate.in_cloud
    _called(estate)
    named = replace(_A, name="c", aliases=(_urn(_A),))
    assert stack.up([named], 1).well
    assert (_called(estate), {urn: entry.id for urn, entry in stack.state.items()}) == (
        [],
        {_urn(named): id_},
    )
    again = replace(named, name="d", aliases=(_urn(named),))
    assert stack.up([with_inputs(again, {"ai_nodes": ["ai-3"]})], 1).well
    assert (_urn(named), id_) in stack.deleting
    assert list(stack.state) == [_urn(again)]


@pytest.mark.parametrize("way", ["replace", "taint"])
def test_what_is_to_be_replaced_is_though_nothing_differs(
    estate: Estate, stack: Stack, way: str
) -> None:
    stack.up([_A], 1)
    _called(estate)
    if way == "taint":
        stack.taint(_urn(_A))
    assert stack.up([_A], 1, [_urn(_A)] if way == "replace" else []).well
    assert _called(estate)[0] == "D"
    assert not stack.state[_urn(_A)].tainted


def test_what_is_retained_is_left_alone(estate: Estate, stack: Stack) -> None:
    """As the state has it, not the program of the same command."""
    kept = replace(_A, retain=True)
    stack.up([_A], 1)
    stack.up([kept], 1)
    (id_,) = estate.in_cloud
    _called(estate)
    assert stack.up([_B], 1).well
    assert stack.destroy(1).well
    assert (_called(estate), estate.in_cloud, stack.retained) == (["C", "D"], {id_}, {id_})


def test_a_preview_asks_and_does_nothing(estate: Estate, stack: Stack) -> None:
    """It fails where the update would fail before its first step."""
    stack.up([_A], 1)
    _called(estate)
    before = dict(stack.state)
    assert stack.preview([with_inputs(_A, {"ai_nodes": ["ai-3"]}), _B]).well
    assert not stack.preview([with_inputs(_A, {"ai_nodes": []}), _B]).well
    assert stack.errors[0][0] == _urn(_A)
    assert (_called(estate), stack.state) == ([], before)


def test_whoever_is_told_nothing_of_a_death_keeps_what_was(estate: Estate, stack: Stack) -> None:
    """One resource's call is cut while another's is under way: neither gets into the state."""
    TimedProvider.fate = death = Death(4, "after", estate.cut)
    try:
        ran = stack.up([_A, _B], 1)
    finally:
        TimedProvider.fate = None
    assert death.struck
    assert (len(ran.errors), stack.state, len(estate.in_cloud)) == (2, {}, 2)
    assert stack.up([_A, _B], 1).well
    assert {entry.id for entry in stack.state.values()} == estate.in_cloud
    assert len(estate.in_cloud) == 2


def test_a_seed_decides_who_goes_first() -> None:
    """The same one tells the same story; others tell others."""

    def story(seed: int) -> tuple[str, ...]:
        with Estate([], delete_seconds=20.0, preflight=False) as estate:
            stack = estate.stacks["dev"]
            stack.up([_A, _B, service("c", "ai-3")], seed)
            return tuple(stack.state)  # in the order in which they came to their end

    assert story(1) == story(1)
    assert len({story(seed) for seed in range(8)}) > 2


def test_a_cancel_ends_what_is_under_way_and_begins_nothing(estate: Estate, stack: Stack) -> None:
    stack.up([_A], 1)
    estate.clock.after(10.0, estate.clock.cancel.set)
    moved = with_inputs(_A, {"ai_nodes": ["ai-3"]})
    _called(estate)
    took = _took(estate, lambda: stack.up([moved], 1))
    assert took == pytest.approx(10)
    assert _called(estate) == ["D"]
    assert not stack.state[_urn(_A)].replacing


def test_the_export_tells_of_the_state_of_that_moment(estate: Estate, stack: Stack) -> None:
    stack.up([_A], 1)
    (resource,) = json.loads(estate.export("acme", _urn(_A)) or "")["deployment"]["resources"]
    assert resource["urn"] == _urn(_A)
    assert {resource["id"]} == estate.in_cloud
    assert estate.export("other", _urn(_A)) is None
