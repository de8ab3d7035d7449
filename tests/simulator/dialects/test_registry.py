"""The table of dialects: complete, tested, documented, and free of contradictions."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import DIALECTS, EXCLUSIVE, Simulator
from tests.simulator.conftest import Sdk, Start
from tests.simulator.dialects import (
    test_creation,
    test_deletion,
    test_describing,
    test_lists,
    test_nodes,
    test_reading,
)
from tests.simulator.dialects.registry import TESTED

# Imported, so that their marks are counted when this module runs alone.
PLACES = (test_creation, test_deletion, test_describing, test_lists, test_nodes, test_reading)


def _free_of_contradiction() -> set[str]:
    return DIALECTS.keys() - {name for group in EXCLUSIVE for name in sorted(group)[1:]}


def test_every_dialect_is_tested_and_documented() -> None:
    """No dialect without a test and one sentence."""
    assert len(PLACES) > 0
    assert DIALECTS.keys() == TESTED
    assert [] == [name for name, text in DIALECTS.items() if not text.endswith(".")]


def test_exclusive_names_exist_and_stand_in_one_set_each() -> None:
    """Whoever picks one of each set gets what can be in force together."""
    names = [name for group in EXCLUSIVE for name in group]

    assert set() == set(names) - DIALECTS.keys()
    assert len(names) == len(set(names))
    assert all(len(group) > 1 for group in EXCLUSIVE)


@pytest.mark.parametrize("group", EXCLUSIVE, ids=min)
def test_two_of_an_exclusive_set_are_an_error(group: frozenset[str]) -> None:
    """The error names what excludes each other, and nothing else."""
    two = sorted(group)[:2]
    with pytest.raises(ValueError, match=f"exclude each other: {', '.join(two)}$"):
        Simulator(dialects=[*two, "describe-flaps"])


def test_an_unknown_dialect_is_an_error() -> None:
    """Unknown names list the known ones."""
    with pytest.raises(ValueError, match=r"unknown dialect typo; known: .*slow-delete"):
        Simulator(dialects=["typo"])


def test_dialects_combine(start: Start, connect: type[Sdk]) -> None:
    """Several dialects may be in force at once."""
    sdk = connect(start(dialects=("status-capitalised", "nodes-reordered")))
    shown = sdk.describe(sdk.create("ai-1", "ai-2"))
    assert (shown["Status"], shown["AiNodes"]) == ("Deploying", ["ai-2", "ai-1"])


def test_as_many_dialects_as_can_be_answer(start: Start, connect: type[Sdk]) -> None:
    """One of each set and all that is free do not break the simulator."""
    sdk = connect(start(dialects=_free_of_contradiction()))
    assert sdk.create("ai-1").startswith("ms-")
    assert sdk.list()["ModelServices"] == []
    assert [name.strip() for name in sdk.bound_nodes()] == ["ai-1"]


def test_snapshots_are_free_of_dialect(start: Start, connect: type[Sdk]) -> None:
    """The simulator's own view is not bent."""
    simulator = start(dialects=_free_of_contradiction())
    connect(simulator).create("ai-1", "ai-2", security_iplist="1.1.1.1,2.2.2.2,1.1.1.1")
    service = simulator.services[0]
    assert service.status == "deployming"
    assert service.ai_nodes == ("ai-1", "ai-2")
    assert service.security_ip_list == ("1.1.1.1", "2.2.2.2", "1.1.1.1")
