"""Services that move between nodes, share one by mistake, or are retained on theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.owning import (
    declaring,
    do_what_is_said,
    hosted,
    in_order,
    name_each_other,
    owned,
    previewed,
    refused,
    svc,
    urn,
)
from tests.engine.support.programs import mutations, pulumi_ids
from tests.engine.support.stack import STACK, Failed, Program, Stack

_RETAINED = ResourceOptions(retain_on_delete=True)


def _before() -> Program:
    return declaring(svc("alpha", 1), svc("beta", 2))


def test_a_node_of_a_resource_that_left_the_program_is_freed_as_the_error_says(
    stack: Stack, simulator: Simulator
) -> None:
    """Preview and up name the command; it removes that one service, and then the up goes well."""
    stack.up(_before())
    simulator.clear_requests()
    moved = svc("beta", 1)
    warned = " ".join(previewed(stack, moved).told("beta", "warning", "error"))
    assert mutations(simulator) == []
    reason = refused(stack, moved, "beta")
    line = f"pulumi destroy --target {urn('alpha')}"
    assert line in warned.replace("'", "")
    assert "import_" not in warned + reason
    assert mutations(simulator) == []
    assert hosted(stack, simulator) == {"alpha": ("ai-1",), "beta": ("ai-2",)}

    assert do_what_is_said(stack, reason).replace("'", "") == line
    assert hosted(stack, simulator) == {"beta": ("ai-2",)}
    stack.up(moved)
    assert hosted(stack, simulator) == {"beta": ("ai-1",)}


@pytest.mark.parametrize("turned", [False, True], ids=["as listed", "in reverse"])
@pytest.mark.parametrize(
    "after",
    [
        pytest.param({"alpha": 2, "beta": 3}, id="shifted"),
        pytest.param({"gamma": 1, "alpha": 2, "beta": 3}, id="shifted for a new one"),
        pytest.param({"alpha": 2, "beta": 1}, id="swapped"),
    ],
)
def test_services_change_their_nodes_in_one_up(
    tmp_path: Path, after: dict[str, int], *, turned: bool
) -> None:
    """Who moves onto a node waits for the deletion there, however long it takes."""
    with Simulator(provision_seconds=0, delete_seconds=2) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(_before())
        simulator.inject("unavailable", "DeleteModelService", after=1)  # so one begins later
        parts = [svc(name, node) for name, node in after.items()]
        done = stack.up(declaring(*(reversed(parts) if turned else parts)))
        assert hosted(stack, simulator) == {name: (f"ai-{node}",) for name, node in after.items()}
        assert done.changes["replace"] == 2
        assert "import_" not in done.output


def test_a_swap_that_cannot_go_on_ends_in_time_and_loses_nothing(
    stack: Stack, simulator: Simulator
) -> None:
    """One by one, neither makes room for the other: none is deleted, and side by side it works."""
    stack.up(_before())
    brief = ResourceOptions(custom_timeouts=CustomTimeouts(create="3s"))
    with pytest.raises(Failed) as failed:
        stack.up(declaring(svc("alpha", 2, brief), svc("beta", 1, brief)), parallel=1)
    assert "import_" not in failed.value.output
    assert "Run `pulumi up` without --parallel 1." in failed.value.output
    assert len(owned(stack, simulator)) == 2
    stack.up(declaring(svc("alpha", 2), svc("beta", 1)))
    assert hosted(stack, simulator) == {"alpha": ("ai-2",), "beta": ("ai-1",)}


def test_a_shift_in_which_the_last_waits_for_the_first_is_helped_by_what_is_said(
    stack: Stack, simulator: Simulator
) -> None:
    """The engine asks for the first, before the program declares who is still on its node."""
    stack.up(_before())
    shifted = in_order(svc("alpha", 2), svc("beta", 3))
    reason = refused(stack, shifted, "alpha")
    assert "import_" not in reason
    assert hosted(stack, simulator) == {"alpha": ("ai-1",), "beta": ("ai-2",)}
    assert f"`pulumi up --target {urn('beta')}`, then run `pulumi up` again;" in reason
    stack.up(shifted, target=[urn("beta")])
    assert hosted(stack, simulator) == {"alpha": ("ai-1",), "beta": ("ai-3",)}
    stack.up(shifted)
    assert hosted(stack, simulator) == {"alpha": ("ai-2",), "beta": ("ai-3",)}


def test_nothing_is_deleted_for_the_node_of_a_neighbour_that_is_retained(
    stack: Stack, simulator: Simulator
) -> None:
    """The neighbour moves, but its service stays where it is."""
    stack.up(declaring(svc("alpha", 1, _RETAINED), svc("gamma", 3)))
    with pytest.raises(Failed) as failed:
        stack.up(declaring(svc("alpha", 2, _RETAINED), svc("gamma", 1)))
    (reason,) = failed.value.log.reasons("gamma")
    assert "retain_on_delete keeps its service there" in reason
    assert "DeleteModelService" not in mutations(simulator)


def test_two_that_move_to_one_node_are_both_kept(stack: Stack, simulator: Simulator) -> None:
    """Only one of them could be made: a mistyped program deletes neither."""
    stack.up(_before())
    before = hosted(stack, simulator)
    with pytest.raises(Failed) as failed:
        stack.up(declaring(svc("alpha", 3), svc("beta", 3)))
    told = {*failed.value.log.reasons("alpha"), *failed.value.log.reasons("beta")}
    assert all("was not sent, since what replaces it cannot be created" in one for one in told)
    assert hosted(stack, simulator) == before


def test_two_resources_on_one_node_are_told_in_every_preview(
    stack: Stack, simulator: Simulator
) -> None:
    """Whichever exists or is declared first; nobody is advised to import the neighbour."""
    alpha, beta = svc("alpha", 1), svc("beta", 1)

    def is_told(program: Program) -> None:
        log = previewed(stack, program)
        assert name_each_other(log, "alpha", "beta"), log.lines
        told = " ".join(line.text for line in log.lines)
        assert "a node hosts one model" in told
        assert "import_" not in told

    is_told(in_order(alpha, beta))
    stack.up(alpha)
    is_told(in_order(alpha, beta))
    is_told(in_order(beta, alpha))
    reason = refused(stack, in_order(alpha, beta), "beta")
    assert "alpha" in reason
    assert "a node hosts one model" in reason
    assert [word for word in ("import_", "aliases=", "destroy") if word in reason] == []
    assert list(owned(stack, simulator)) == ["alpha"]
    stack.up(_before())
    is_told(in_order(alpha, beta))
    is_told(in_order(beta, alpha))
    assert hosted(stack, simulator) == {"alpha": ("ai-1",), "beta": ("ai-2",)}


def _replace(stack: Stack) -> dict[str, Any]:
    return {"replace": [stack.resource("alpha")["urn"]]}


def _taint(stack: Stack) -> dict[str, Any]:
    words = ("state", "taint", stack.resource("alpha")["urn"], "--yes", "--stack", STACK)
    done = stack.type("pulumi", *words)
    assert done.returncode == 0, done.stderr
    return {}


def _nothing(_: Stack) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("prepare", "failed", "inputs"),
    [
        pytest.param(_replace, False, {}, id="--replace"),
        pytest.param(_taint, False, {}, id="taint"),
        pytest.param(_nothing, True, {}, id="failed"),
        pytest.param(_nothing, False, {"description": "new"}, id="another input"),
    ],
)
def test_a_retained_service_is_not_its_own_replacement(
    stack: Stack,
    simulator: Simulator,
    prepare: Callable[[Stack], dict[str, Any]],
    *,
    failed: bool,
    inputs: dict[str, Any],
) -> None:
    """The error says what is kept and holds the node; the next up of what it is has it back."""
    before = svc("alpha", 1, _RETAINED)
    if failed:
        simulator.fail_next_deployment()
        refused(stack, before, "alpha")
    else:
        stack.up(before)
    (id_,) = stack.ids()
    options = prepare(stack)
    reason = refused(stack, svc("alpha", 1, _RETAINED, **inputs), "alpha", **options)
    assert id_ in reason
    assert "retain_on_delete" in reason
    assert pulumi_ids(simulator) == {id_}
    assert stack.ids() <= {id_}
    assert "DeleteModelService" not in mutations(simulator)

    simulator.change_service(id_.partition(":")[2], status="active")
    advised = re.search(r'import_="([^"]+)"', reason)
    back = ResourceOptions.merge(
        _RETAINED, ResourceOptions(import_=advised[1] if advised else None)
    )
    stack.up(svc("alpha", 1, back))
    assert owned(stack, simulator) == {"alpha": id_}


def test_a_retained_service_stays_on_its_node_when_its_resource_moves(
    stack: Stack, simulator: Simulator
) -> None:
    """A new one is made on the other node, and the state owns that one alone."""
    stack.up(svc("alpha", 1, _RETAINED))
    (kept,) = stack.ids()
    stack.up(svc("alpha", 2, _RETAINED))
    (made,) = stack.ids()
    assert pulumi_ids(simulator) == {kept, made}
    assert mutations(simulator) == ["CreateModelService"] * 2
    assert stack.up().changes == {"same": 2}
    with pytest.raises(Failed, match=kept):  # it is nobody's, and holds its node
        stack.up(declaring(svc("alpha", 2, _RETAINED), svc("beta", 1)))
    assert pulumi_ids(simulator) == {kept, made}
