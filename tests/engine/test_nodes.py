"""Services that move between nodes, share one by mistake, or are retained on theirs."""

from __future__ import annotations

import re
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
from tests.engine.support.running import background, eventually
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


#: Services by name and node, before and after, each group on nodes of its own.
_MOVES = {
    "shifted": ({"alpha": 1, "beta": 2}, {"alpha": 2, "beta": 3}),
    "shifted for a new one": ({"gamma": 4, "delta": 5}, {"new": 4, "gamma": 5, "delta": 6}),
    "swapped": ({"epsilon": 7, "zeta": 8}, {"epsilon": 8, "zeta": 7}),
}


@pytest.mark.parametrize("turned", [False, True], ids=["as listed", "in reverse"])
def test_services_change_their_nodes_in_one_up(tmp_path: Path, *, turned: bool) -> None:
    """Who moves onto a node waits for the deletion there, however long it takes."""
    before = {name: node for group, _ in _MOVES.values() for name, node in group.items()}
    after = {name: node for _, group in _MOVES.values() for name, node in group.items()}
    nodes = [f"ai-{number}" for number in range(1, 9)]
    with Simulator(nodes=nodes, provision_seconds=0, delete_seconds=2) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(declaring(*(svc(name, node) for name, node in before.items())))
        simulator.inject("unavailable", "DeleteModelService", after=1)  # so one begins later
        parts = [svc(name, node) for name, node in after.items()]
        done = stack.up(declaring(*(reversed(parts) if turned else parts)))
        assert hosted(stack, simulator) == {name: (f"ai-{node}",) for name, node in after.items()}
        assert done.changes["replace"] == len(before)
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
    is_told(in_order(beta, alpha))
    reason = refused(stack, in_order(alpha, beta), "beta")
    assert "alpha" in reason
    assert "a node hosts one model" in reason
    assert [word for word in ("import_", "aliases=", "destroy") if word in reason] == []
    assert list(owned(stack, simulator)) == ["alpha"]
    stack.up(_before())
    is_told(in_order(alpha, beta))
    assert hosted(stack, simulator) == {"alpha": ("ai-1",), "beta": ("ai-2",)}


def test_a_retained_service_is_not_its_own_replacement(stack: Stack, simulator: Simulator) -> None:
    """The error says what is kept and holds the node; the next up of what it is has it back."""
    whys = ("replaced", "tainted", "failed", "changed")
    nodes = {why: node for node, why in enumerate(whys, 1)}

    def declared(opts: dict[str, ResourceOptions], **inputs: Any) -> Program:
        return declaring(
            *(
                svc(why, node, opts.get(why, _RETAINED), **(inputs if why == "changed" else {}))
                for why, node in nodes.items()
            )
        )

    simulator.hold_deployments()
    with background(lambda: stack.up(declared({}))) as up:
        eventually(lambda: len(simulator.services) == len(whys), up)
        for service in simulator.services:
            failing = service.ai_nodes == (f"ai-{nodes['failed']}",)
            simulator.change_service(service.id, status="deploy_failed" if failing else "active")
        assert isinstance(up.exception(timeout=30), Failed)
    simulator.release_deployments()
    ids = owned(stack, simulator)
    taint = ("state", "taint", urn("tainted"), "--yes", "--stack", STACK)
    assert stack.type("pulumi", *taint).returncode == 0

    with pytest.raises(Failed) as failed:
        stack.up(declared({}, description="new"), replace=[urn("replaced")], continue_on_error=True)
    back: dict[str, ResourceOptions] = {}
    for why, id_ in ids.items():
        (reason,) = set(failed.value.log.reasons(why))
        assert id_ in reason
        assert "retain_on_delete" in reason
        if advised := re.search(r'import_="([^"]+)"', reason):
            back[why] = ResourceOptions.merge(_RETAINED, ResourceOptions(import_=advised[1]))
    assert "Traceback" not in failed.value.output
    assert pulumi_ids(simulator) == set(ids.values())
    assert stack.ids() <= set(ids.values())
    assert "DeleteModelService" not in mutations(simulator)

    simulator.change_service(ids["failed"].partition(":")[2], status="active")
    stack.up(declared(back))
    assert owned(stack, simulator) == ids


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
    with pytest.raises(Failed, match=kept):  # it is nobody's, and holds its node
        stack.up(declaring(svc("alpha", 2, _RETAINED), svc("beta", 1)))
    assert pulumi_ids(simulator) == {kept, made}
