"""One owner for each service: what a run is told, in any order, and what it refuses."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.fields import UNKNOWN
from pulumi_adbpg_model.lifecycle import OwnedError, Standing
from pulumi_adbpg_model.service.owners import Following, Owners
from pulumi_adbpg_model.service.stack import StackEntry
from pulumi_adbpg_model.service.state import wanted_of
from tests.lifecycle.fakes import FakeClock

_TYPE = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::"
_A, _B, _C = (f"{_TYPE}{name}" for name in "abc")
_ONE, _TWO = ModelServiceId("gp-1", "ms-1"), ModelServiceId("gp-1", "ms-2")
_TAKE_OVER = (
    'To take that service over, declare it with opts=ResourceOptions(import_="gp-1:ms-1"), if no '
    "other stack has it; else choose a free node, or delete that service."
)


class _Run:
    """A record, the state that it is told of, and what a program does to it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.stack: dict[str, StackEntry] | None = {}
        self.asked = 0
        self.owners = Owners(self.clock, self._read)

    def _read(self) -> Mapping[str, StackEntry] | None:
        self.asked += 1
        return self.stack

    def holds(self, urn: str, service: ModelServiceId, **more: Any) -> None:
        """The state has it."""
        assert self.stack is not None
        self.stack[urn] = StackEntry(service, **more)

    def declares(
        self, urn: str, *nodes: str, had: str | None = None, number: int | None = None, **more: Any
    ) -> list[str]:
        """Check is told of a resource, which has a service on that node already, or none."""
        inputs = _on(*nodes) | more
        olds = {} if had is None else _on(had)
        return self.owners.declare(urn, {"__provider": "…"} | olds, inputs, number)

    def comes(self, urn: str) -> None:
        """`declares`, as something that the clock can do."""
        self.declares(urn, "ai-1", had="ai-1")

    def replaces(self, urn: str, *nodes: str) -> list[str]:
        """Check is told of it once more, as if it were new."""
        return self.owners.declare(urn, {}, _on(*nodes), None)


def _on(*nodes: str) -> dict[str, Any]:
    return {"db_instance_id": "gp-1", "ai_nodes": list(nodes)}


def _told(number: float, *wanted: tuple[str, list[str]], names: str = "[]") -> dict[str, Any]:
    return {"number": number, "names": names, "wanted": wanted, "one_by_one": False}


@pytest.fixture
def run() -> _Run:
    return _Run()


# What a program may say; what it may not is in tests/provider/test_owners.py


def test_a_resource_is_no_rival_of_itself(run: _Run) -> None:
    """A replacement is checked once more, and `import_` may be left in."""
    run.declares(_A, "ai-1", __adopt="gp-1:ms-1", client_token="t")
    assert run.declares(_A, "ai-1", __adopt="gp-1:ms-1", client_token="t") == []


def test_an_import_that_was_left_in_is_no_claim(run: _Run) -> None:
    """What the resource took over long ago may be gone, and be another's by now."""
    run.declares(_A, "ai-1", had="ai-1", __adopt="gp-1:ms-1")
    run.owners.own(_A, _TWO)
    assert run.owners.begin_deletion(_C, _ONE) is None
    run.owners.end_deletion(_ONE, gone=False)
    assert run.declares(_B, "ai-2", __adopt="gp-1:ms-1") == []


def test_values_that_are_not_known_yet_are_nobodys(run: _Run) -> None:
    """Neither tokens nor ids nor nodes: two unknown ones are not the same."""
    unknown = object()
    for urn in (_A, _B):
        assert run.declares(urn, client_token=unknown, __adopt=unknown) == []
        assert (
            run.owners.declare(urn, {}, {"db_instance_id": unknown, "ai_nodes": ["x"]}, None) == []
        )
        assert (
            run.owners.declare(urn, {}, {"db_instance_id": "gp", "ai_nodes": unknown}, None) == []
        )
        assert run.owners.next_nodes(urn, _ONE) == frozenset()


# What the program declares


def test_nodes_are_told_apart_by_instance_and_name(run: _Run) -> None:
    """White space around a name means nothing; the old ones stay known in a replacement."""
    run.declares(_A, " ai-1\n", "ai-2", had="ai-3")
    assert run.owners.next_nodes(_A, _ONE) == {("gp-1", "ai-1"), ("gp-1", "ai-2")}
    assert run.owners.old_nodes(_A) == frozenset([("gp-1", "ai-3")])
    assert not run.owners.to_be_created(_A)
    run.replaces(_A, "ai-2")
    assert run.owners.next_nodes(_A, _ONE) == {("gp-1", "ai-2")}
    assert run.owners.old_nodes(_A) == frozenset([("gp-1", "ai-3")])
    assert run.owners.to_be_created(_A)
    run.declares(_B, "ai-2")
    assert run.owners.old_nodes(_B) is None
    assert run.owners.neighbours(_B) == {("gp-1", "ai-2"): _A}
    assert run.owners.neighbours(_A) == {("gp-1", "ai-2"): _B}


def test_what_follows_a_service_is_what_takes_its_place(run: _Run) -> None:
    """Nothing does where it is not declared, there already, or in a region that is not known."""
    assert run.owners.following(_A, _ONE) is None
    run.declares(_A, "ai-1", had="ai-1", model_name="M", region_id="cn-beijing")
    assert run.owners.following(_A, _ONE) == Following("M", "cn-beijing")
    run.owners.own(_A, _TWO)
    assert run.owners.following(_A, _ONE) is None
    run.declares(_B, "ai-2", had="ai-2", model_name="M", region_id=UNKNOWN)
    assert run.owners.following(_B, _ONE) is None
    run.declares(_B, "ai-2", had="ai-2", model_name=UNKNOWN)
    assert run.owners.following(_B, _ONE) == Following(None, None)
    run.declares(_B, "ai-2", model_name="M")
    assert run.owners.following(_B, _ONE) == Following("M", None)
    assert run.owners.replaces(_A) == (_TWO, None)
    run.holds(_B, _ONE, model="Old")
    assert run.owners.replaces(_B) == (_ONE, "Old")
    # What goes together with something that it depends on is declared later.
    run.owners.foresee(_C, {"model_name": "N", "region_id": UNKNOWN})
    assert run.owners.following(_C, _ONE) is None
    run.owners.foresee(_C, {"model_name": "N", "description": UNKNOWN})
    assert run.owners.following(_C, _ONE) == Following("N", None, declared=False)
    run.owners.foresee(_C, {"model_name": UNKNOWN})
    assert run.owners.following(_C, _ONE) == Following(None, None, declared=False)
    run.declares(_C, "ai-3", model_name="M")
    assert run.owners.following(_C, _ONE) == Following("M", None)


def test_all_is_declared_once_as_many_are_as_the_program_made(run: _Run) -> None:
    """The number grows, and checks may overtake each other."""
    told = [run.owners.all_declared]
    # An older program does not say how many there are.
    for urn, number in [(_A, None), (_B, 3), (_B, 2), (_C, 3), (_A, None)]:
        run.declares(urn, "ai-1", number=number)
        told.append(run.owners.all_declared)
    assert told == [False, False, False, False, True, True]


def test_a_resource_or_who_takes_its_service_over_declares_it(run: _Run) -> None:
    """Else the program has it no more."""
    assert not run.owners.is_declared(_A)
    assert not run.owners.declares(_A, _ONE)
    run.declares(_B, "ai-2", __adopt="gp-1:ms-1")
    assert run.owners.declares(_A, _ONE)
    assert not run.owners.declares(_A, _TWO)
    run.declares(_A, "ai-1")
    assert run.owners.is_declared(_A)
    assert run.owners.declares(_A, _TWO)


# Claims


def test_a_resource_that_the_program_has_no_more_owns_nothing(run: _Run) -> None:
    """A refresh compares it too, before anybody takes its service over."""
    run.owners.own(_A, _ONE)
    run.declares(_B, "ai-1", __adopt="gp-1:ms-1")
    assert run.owners.claim(_B, _ONE, existed=True) is None


_Step = Callable[[_Run], object]
_owns: _Step = lambda run: run.owners.own(_A, _ONE)  # noqa: E731
_claims: _Step = lambda run: run.owners.claim(_B, _ONE, existed=True)  # noqa: E731
_deletes: _Step = lambda run: run.owners.begin_deletion(_A, _ONE)  # noqa: E731


@pytest.mark.parametrize("steps", list(itertools.permutations([_owns, _claims, _deletes])))
@pytest.mark.parametrize("known", [True, False])
def test_a_live_service_has_one_owner_in_whatever_order_it_is_told(
    run: _Run, steps: tuple[_Step, ...], *, known: bool
) -> None:
    """One of the program is replaced while another wants its service: one of the two is refused."""
    run.declares(_A, "ai-2", had="ai-1")
    run.declares(_B, "ai-3")
    run.stack = {_A: StackEntry(_ONE)} if known else None
    claimed = deleted = False
    for step in steps:
        try:
            told = step(run)
        except OperationError:
            continue
        claimed |= step is _claims
        deleted |= step is _deletes and told is None
    assert not (claimed and deleted)
    if known:
        assert deleted


def test_a_claim_of_what_the_program_has_no_more_leaves_the_deletion_nothing_to_do(
    run: _Run,
) -> None:
    """Renamed, and taken over: a call would delete it from under the new name."""
    run.holds(_A, _ONE)
    run.declares(_B, "ai-1", number=1, __adopt="gp-1:ms-1")
    assert run.owners.claim(_B, _ONE, existed=True) == (
        f"gp-1:ms-1 was resource 'a' ({_A}), whose deletion leaves it alone from now on"
    )
    assert run.clock.sleeps == []
    assert run.owners.begin_deletion(_A, _ONE) == (
        f"gp-1:ms-1 is resource 'b' ({_B}) by now: it is left alone"
    )


def test_a_claim_of_what_a_resource_of_the_program_has_is_refused(run: _Run) -> None:
    """The state tells, though diff has not yet."""
    run.holds(_A, _ONE)
    run.declares(_A, "ai-1", had="ai-1")
    run.declares(_B, "ai-2")
    with pytest.raises(OwnedError) as caught:
        run.owners.claim(_B, _ONE, existed=True)
    assert str(caught.value) == (
        f"model service gp-1:ms-1 is resource 'a' ({_A}) of this program, and a service has one "
        "owner. Take 'a' out of the program, which leaves the service to this one. Or remove "
        "import_ or a client_token of its own, and choose another node, which makes this one a "
        "service of its own."
    )


def test_a_claim_waits_for_the_program_to_declare_the_owner(run: _Run) -> None:
    """In a program that waits for outputs, it may come a moment later."""
    run.holds(_A, _ONE)
    run.declares(_B, "ai-2", number=2)
    run.clock.at(1.0, lambda: run.comes(_A))
    with pytest.raises(OwnedError, match="is resource 'a'"):
        run.owners.claim(_B, _ONE, existed=True)
    assert 1.0 <= run.clock.now < 1.2


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_claim_does_not_wait_for_long(run: _Run, *, cancelled: bool) -> None:
    """A program may make another resource only after this one."""
    run.holds(_A, _ONE)
    run.declares(_B, "ai-2", number=2)
    if cancelled:
        run.clock.cancel()
    assert run.owners.claim(_B, _ONE, existed=True) is not None
    assert run.clock.now == pytest.approx(0.0 if cancelled else 2.0, abs=0.2)


def test_a_claim_of_what_is_new_asks_nobody(run: _Run) -> None:
    """The state cannot have it."""
    run.holds(_A, _ONE)
    assert run.owners.claim(_B, _ONE, existed=False) is None
    assert run.asked == 0


def test_a_claim_of_its_own_is_no_news(run: _Run) -> None:
    """A take-over that is compared once more."""
    run.holds(_A, _ONE)
    run.declares(_A, "ai-1", had="ai-1")
    run.owners.own(_A, _ONE)
    assert run.owners.claim(_A, _ONE, existed=True) is None


def test_a_claim_that_came_to_nothing_leaves_the_service_to_others(run: _Run) -> None:
    """But not what the resource has had all the time, nor what is another's."""
    run.owners.claim(_A, _ONE, existed=False)
    run.owners.release(_B, _ONE)
    with pytest.raises(OwnedError):
        run.owners.claim(_B, _ONE, existed=False)
    run.owners.release(_A, _ONE)
    run.owners.release(_A, _ONE)
    assert run.owners.claim(_B, _ONE, existed=False) is None

    run.declares(_A, "ai-1", had="ai-1")
    run.owners.own(_A, _TWO)
    run.owners.claim(_A, _TWO, existed=True)
    run.owners.release(_A, _TWO)
    with pytest.raises(OwnedError):
        run.owners.claim(_B, _TWO, existed=False)


def test_what_is_being_deleted_is_nobodys_any_more(run: _Run) -> None:
    """Nobody gets it back; another one of the id, should there be one, is free."""
    assert run.owners.begin_deletion(_A, _ONE) is None
    with pytest.raises(OwnedError, match="It is being deleted: run `pulumi up` again once it is"):
        run.owners.claim(_B, _ONE, existed=True)
    run.owners.end_deletion(_ONE, gone=True)
    assert run.owners.claim(_B, _ONE, existed=False) is None


def test_a_deletion_that_failed_changes_no_owner(run: _Run) -> None:
    """It is still there, and still its owner's."""
    run.declares(_A, "ai-1", had="ai-1")
    run.owners.own(_A, _ONE)
    run.owners.begin_deletion(_A, _ONE)
    run.owners.end_deletion(_ONE, gone=False)
    with pytest.raises(OwnedError, match="is resource 'a'"):
        run.owners.claim(_B, _ONE, existed=False)
    assert run.owners.begin_deletion(_A, _ONE) is None


def test_nothing_is_deleted_that_another_one_is_to_take_over(run: _Run) -> None:
    """The take-over failed, and the engine goes on to the deletion of the former name."""
    run.declares(_B, "ai-1", __adopt="gp-1:ms-1")
    with pytest.raises(OperationError) as caught:
        run.owners.begin_deletion(_A, _ONE)
    assert str(caught.value) == (
        f"delete of model service gp-1:ms-1 was not sent: resource 'b' ({_B}) is to take it over, "
        "and has not. Correct that one, then run `pulumi up` again."
    )
    assert run.owners.claim(_B, _ONE, existed=True) is None


def test_of_two_hundred_that_claim_one_service_one_gets_it(run: _Run) -> None:
    """At once, in threads."""
    together = threading.Barrier(200)

    def claim(number: int) -> bool:
        together.wait()
        try:
            run.owners.claim(f"{_TYPE}{number}", _ONE, existed=False)
        except OwnedError:
            return False
        return True

    with ThreadPoolExecutor(200) as pool:
        assert sum(pool.map(claim, range(200))) == 1


def test_a_deletion_and_a_claim_at_once_are_never_both_let_through(run: _Run) -> None:
    """Two hundred times, with both in threads."""
    together = threading.Barrier(2)

    def claims(service: ModelServiceId) -> bool:
        together.wait()
        try:
            run.owners.claim(_B, service, existed=False)
        except OwnedError:
            return False
        return True

    def deletes(service: ModelServiceId) -> bool:
        together.wait()
        return run.owners.begin_deletion(_A, service) is None

    with ThreadPoolExecutor(2) as pool:
        for number in range(200):
            service = ModelServiceId("gp-1", f"ms-{number}")
            both = pool.submit(claims, service), pool.submit(deletes, service)
            assert [one.result() for one in both].count(True) == 1


# One's own past


def test_what_a_resource_had_until_now_is_its_former(run: _Run) -> None:
    """As diff told, or the state; the state has nothing of what is new."""
    run.declares(_A, "ai-1", had="ai-1")
    run.owners.own(_A, _ONE)
    assert run.owners.is_former(_A, _ONE, existed=False)
    assert not run.owners.is_former(_A, _TWO, existed=False)
    run.holds(_B, _TWO)
    assert run.owners.is_former(_B, _TWO, existed=True)
    assert not run.owners.is_former(_B, _TWO, existed=False)
    assert not run.owners.is_former(_B, _ONE, existed=True)
    run.stack = None
    assert not run.owners.is_former(_B, _TWO, existed=True)


def test_whether_a_resource_was_created_before(run: _Run) -> None:
    """In this run, before it, or never."""
    run.declares(_A, "ai-1", had="ai-1")
    run.replaces(_A, "ai-1")
    assert run.owners.created_before(_A)
    run.declares(_B, "ai-2")
    assert not run.owners.created_before(_B)
    run.holds(_B, _TWO)
    assert run.owners.created_before(_B)
    run.stack = None
    assert not run.owners.created_before(_B)


# What is in the way


def _standing(run: _Run, urn: str = _B, node: str = "ai-1") -> Standing:
    return run.owners.standing(urn, _ONE, node)


def test_what_nobody_has_may_be_taken_over(run: _Run) -> None:
    """Or be what an interrupted run made."""
    assert _standing(run) == Standing(_TAKE_OVER, unowned=True)


def test_where_the_state_is_not_to_be_had_it_is_named_first(run: _Run) -> None:
    """It may be a resource of this very stack: taking that over would give it two owners."""
    run.stack = None
    assert _standing(run) == Standing(
        "If a resource of this stack has it (`pulumi stack --show-urns --show-ids` tells), name "
        "its URN in aliases where this is that one under another name, or remove it first. "
        f"{_TAKE_OVER}",
        unowned=True,
    )


def test_what_is_being_deleted_is_waited_for_as_long_as_it_takes(run: _Run) -> None:
    """Whosoever it was."""
    run.holds(_A, _ONE)
    run.owners.begin_deletion(_A, _ONE)
    standing = _standing(run)
    assert (standing.leaves, standing.wait_s, standing.unowned) == (True, float("inf"), False)
    assert standing.advice == "It is being deleted: run `pulumi up` again once it is gone."


def test_what_the_resource_had_is_said_to_be_kept(run: _Run) -> None:
    """`retain_on_delete` kept it: it is neither waited for nor resumed."""
    run.declares(_B, "ai-1", had="ai-1")
    run.owners.own(_B, _ONE)
    assert "had until now, and it was not deleted. Choose" in _standing(run).advice
    run.holds(_B, _ONE, kept_by="retain_on_delete")
    assert _standing(run) == Standing(
        "It is what this resource had until now, and retain_on_delete kept it. Choose another "
        'node, delete that service, or keep it with opts=ResourceOptions(import_="gp-1:ms-1").'
    )


def test_what_the_program_has_no_more_is_told_with_alias_and_target(run: _Run) -> None:
    """Both ways out, quoted so that a shell takes them as they are."""
    urn = "urn:pulumi:dev::shop::my:Shop$pulumi-python:dynamic/adbpg:ModelService::it's"
    run.holds(urn, _ONE)
    run.declares(_B, "ai-1", number=1)
    assert _standing(run).advice == (
        'It is resource "it\'s" of this stack. If this is that one under another name or parent, '
        f'say so with opts=ResourceOptions(aliases=[{urn!r}]). If the program has no "it\'s" any '
        "more, `pulumi destroy --target 'urn:pulumi:dev::shop::my:Shop$pulumi-python:dynamic/"
        "adbpg:ModelService::it'\"'\"'s'` deletes it; then run `pulumi up` again. Else choose a "
        "free node."
    )
    assert _standing(run).wait_s == 0.0
    assert not _standing(run).unowned


def test_an_alias_is_no_way_out_for_what_exists_itself(run: _Run) -> None:
    """A resource that moves there has a service of its own."""
    run.holds(_A, _ONE)
    run.declares(_B, "ai-1", had="ai-2", number=1)
    assert "aliases" not in _standing(run).advice
    assert "destroy" not in _standing(run).advice  # before its diff it may be that one
    run.owners.own(_B, _TWO)
    assert "aliases" not in _standing(run).advice
    assert f"`pulumi destroy --target {_A}` deletes it" in _standing(run).advice


@pytest.mark.parametrize("number", [1, 2])
def test_no_target_is_named_that_would_match_others(run: _Run, number: int) -> None:
    """A star stands for anything in a target."""
    run.holds(f"{_TYPE}a*", _ONE)
    run.declares(_B, "ai-1", number=number)
    told = _standing(run).advice
    assert "--target" not in told
    assert told.endswith("Else choose a free node.")


def test_what_the_program_may_still_declare_is_waited_for(run: _Run) -> None:
    """For a moment; then it is told how to let it go first."""
    run.holds(_A, _ONE)
    run.declares(_B, "ai-1", number=2)
    standing = _standing(run)
    assert standing.advice == (
        "It is resource 'a' of this stack, which the program has not declared so far. If it is to "
        f"leave that node, let it go first: `pulumi up --target {_A}`, then run `pulumi up` "
        "again; where the two change places, give one of them a free node first. Else choose a "
        "free node."
    )
    assert (standing.leaves, standing.wait_s) == (False, 2.0)


@pytest.mark.parametrize(
    ("names", "gone"),
    [
        ('["::b", "::c"]', True),
        ('["::b", "::c", "shop:ai:Pod::a"]', True),
        ('["::b", "::a"]', False),
        ('["::b", "::c", "*::a"]', False),
    ],
)
def test_what_the_program_has_not_made_is_gone_though_not_all_is_declared(
    run: _Run, names: str, *, gone: bool
) -> None:
    """What depends on this one is declared later; an alias of what is to come is no other."""
    run.holds(_A, _ONE)
    for told in (_told(2, names=names), _told(1, names='["::b"]')):  # calls may overtake each other
        run.owners.declare(_B, {}, _on("ai-1"), told)
    assert not run.owners.all_declared
    standing = _standing(run)
    assert ("aliases=" in standing.advice) == gone
    assert ("destroy --target" in standing.advice) == gone
    assert standing.wait_s == (0.0 if gone else 2.0)


def test_two_that_declare_one_node_are_named(run: _Run) -> None:
    """Neither leaves it: nothing is waited for."""
    run.declares(_A, "ai-1", had="ai-1")
    run.owners.own(_A, _ONE)
    assert _standing(run) == Standing(
        f"It is resource 'a' ({_A}) of this program, which declares that node too, and a node "
        "hosts one model. Choose another node for one of the two."
    )


def test_a_resource_of_the_program_that_leaves_the_node_is_waited_for(run: _Run) -> None:
    """It is shifted in the same run, and may not have begun to."""
    run.declares(_A, "ai-2", had="ai-1")
    run.holds(_A, _ONE)
    standing = _standing(run)
    assert standing.advice == (
        f"It is resource 'a' ({_A}) of this program, which leaves that node, but has not begun to. "
        "Run `pulumi up` again; if it does not help, change that one alone first."
    )
    assert (standing.leaves, standing.wait_s) == (True, 120.0)


def test_the_patience_begins_when_no_other_is_in_the_way_of_what_leaves(run: _Run) -> None:
    """The engine works on so many at once: one that deploys makes room when it is done."""
    run.declares(_A, "ai-2", had="ai-1")
    run.owners.own(_A, _ONE)
    run.clock.sleep(10)
    with run.owners.operating(_B):
        assert _standing(run).wait_from_s == 0.0  # it waits itself
        with run.owners.operating(_C):
            assert _standing(run).wait_from_s == 10.0
            run.clock.sleep(1000)
            assert _standing(run).wait_from_s == 1010.0
            run.owners.standing(_C, _ONE, "ai-1")
            run.clock.sleep(50)
            assert _standing(run).wait_from_s == 1010.0  # that one waits, too
            run.owners.claim(_C, _TWO, existed=False)
            assert _standing(run).wait_from_s == 1060.0
            run.clock.sleep(5)
        run.clock.sleep(100)
        assert _standing(run).wait_from_s == 1065.0


def test_what_this_run_made_is_its_resources_whatever_the_state_says(run: _Run) -> None:
    """The state may lag behind."""
    run.declares(_A, "ai-1")
    run.owners.claim(_A, _ONE, existed=False)
    run.holds(_C, _ONE)
    assert _standing(run).advice.startswith(
        f"It is resource 'a' ({_A}) of this program, which decl"
    )


# What a preview may leave out


def test_a_preview_need_not_tell_of_what_is_gone_by_then(run: _Run) -> None:
    """Its own, unless that is retained; and one that its own token leads to."""
    run.declares(_B, "ai-1", had="ai-1")
    run.owners.own(_B, _ONE)
    assert run.owners.meets(_B, _ONE, "ai-1")
    run.holds(_B, _ONE, kept_by="retain_on_delete")
    assert not run.owners.meets(_B, _ONE, "ai-1")


@pytest.mark.parametrize(
    ("token", "declared", "meets"),
    [("t", False, True), ("t", True, False), ("u", False, False), (None, False, False)],
)
def test_a_preview_need_not_tell_of_what_a_token_of_ones_own_leads_to(
    run: _Run, token: str | None, *, declared: bool, meets: bool
) -> None:
    """Renamed, with the token: it is taken over, where the program has the former no more."""
    run.holds(_A, _ONE, client_token=token)
    if declared:
        run.declares(_A, "ai-1", had="ai-1")
    run.declares(_B, "ai-1", client_token="t")
    assert run.owners.meets(_B, _ONE, "ai-1") is meets
    assert not run.owners.meets(_B, _TWO, "ai-1")


# What the state and the program say when a service is to be deleted


def test_of_two_that_the_state_gives_a_service_to_one_deletes_it(run: _Run) -> None:
    """The first leaves it to the second; a replaced one, whose service is gone, counts not."""
    run.holds(_A, _ONE)
    run.holds(_B, _ONE)
    told = run.owners.begin_deletion(_A, _ONE)
    assert told == f"gp-1:ms-1 is resource 'b' ({_B}) of this stack too: it is left alone"
    assert run.owners.begin_deletion(_B, _ONE) is None
    run.holds(_C, _TWO)
    run.holds(_A, _TWO, replaced=True)
    assert run.owners.begin_deletion(_C, _TWO) is None


def test_of_two_that_the_program_has_no_more_the_first_deletes_the_service(run: _Run) -> None:
    """The other one goes too, and is nobody to leave it to."""
    run.holds(_A, _ONE)
    run.holds(_B, _ONE)
    run.declares(_C, "ai-2", number=1)
    assert run.owners.begin_deletion(_A, _ONE) is None


@pytest.mark.parametrize(
    ("wanted", "names", "client_token", "left"),
    [
        (["gp-1:ms-1"], ["::b"], None, True),
        (wanted_of(None, "t"), ["::b"], "t", True),
        (wanted_of(None, "t"), ["::b"], "u", False),
        (["gp-1:ms-2"], ["::b"], None, False),
        # Its own wish, or that of what was it; what moves into a component is another one.
        (["gp-1:ms-1"], ["::a"], None, False),
        (wanted_of(None, "t"), ["::b", "*::a"], "t", False),
        (["gp-1:ms-1"], ["shop:ai:Pod::a"], None, True),
    ],
)
def test_what_the_program_is_about_to_take_over_is_left_alone(
    run: _Run, wanted: list[str], names: list[str], client_token: str | None, *, left: bool
) -> None:
    """Though the new name is not declared yet; not where the resource itself is declared."""
    told = _told(2.0, *((key, names) for key in wanted))
    run.owners.declare(_B, {}, _on("ai-2"), told)
    alone = run.owners.begin_deletion(_A, _ONE, client_token)
    assert (alone is not None) == left == run.owners.is_awaited(_ONE)
    run.declares(_A, "ai-1", had="ai-1")
    assert run.owners.begin_deletion(_A, _ONE, client_token) is None


@pytest.mark.parametrize("replaced", [False, True])
def test_what_has_a_service_already_is_not_about_to_take_one_over(
    run: _Run, *, replaced: bool
) -> None:
    """Neither by a token that it is given now, nor by an import that was left in."""
    run.owners.declare(_C, {}, _on("ai-2"), _told(2, ("gp-1:ms-1", ["::b"])))
    run.holds(_B, _TWO, replaced=replaced)
    assert (run.owners.begin_deletion(_A, _ONE) is not None) == replaced


def test_nothing_is_deleted_for_a_node_that_another_one_declares_too(run: _Run) -> None:
    """Only one of the two could be made."""
    for urn, service in ((_A, _ONE), (_B, _TWO)):
        run.declares(urn, "ai-3", had="ai-1")
        run.owners.own(urn, service)
    with pytest.raises(OperationError) as refused:
        run.owners.next_nodes(_A, _ONE)
    assert str(refused.value) == (
        "delete of model service gp-1:ms-1 was not sent, since what replaces it cannot be created: "
        f"AI node ai-3 is wanted by resource 'b' ({_B}) of this program, which declares that node "
        "too, and a node hosts one model. Choose another node for one of the two."
    )


def test_an_alias_deletes_what_it_replaces_also_with_its_import_left_in(run: _Run) -> None:
    """The engine deletes it under its former name."""
    run.holds(_A, _ONE)
    told = _told(1, ("gp-1:ms-1", ["::b"]))
    run.owners.declare(_B, _on("ai-1"), _on("ai-2"), told)
    run.owners.own(_B, _ONE)
    run.replaces(_B, "ai-2")
    assert run.owners.begin_deletion(_A, _ONE) is None


@pytest.mark.parametrize("option", ["retain_on_delete", "protect"])
def test_a_neighbour_whose_service_stays_is_not_waited_for(run: _Run, option: str) -> None:
    """It moves, but its service does not."""
    run.holds(_A, _ONE, kept_by=option)
    run.declares(_A, "ai-2", had="ai-1")
    run.owners.own(_A, _ONE)
    run.declares(_B, "ai-1")
    standing = _standing(run)
    assert f"but {option} keeps its service there" in standing.advice
    assert (standing.leaves, standing.wait_s) == (False, 0.0)


def test_a_neighbour_that_has_another_service_by_now_has_left_its_former_one(run: _Run) -> None:
    """It was kept, as the state said before: by now the state knows nothing of it."""
    run.declares(_A, "ai-1", had="ai-1")
    run.owners.own(_A, _ONE)
    run.replaces(_A, "ai-2")
    assert _standing(run).leaves
    run.owners.claim(_A, _TWO, existed=False)
    assert _standing(run) == Standing(
        f"It is resource 'a' ({_A}) of this program, which leaves that node, but retain_on_delete "
        "keeps its service there. Choose another node."
    )


def test_one_after_the_other_nobody_waits_for_a_neighbour(run: _Run) -> None:
    """With --parallel 1 it would not begin before this one ends."""
    told = _told(2) | {"one_by_one": True}
    run.owners.declare(_A, _on("ai-1"), _on("ai-2"), told)
    run.owners.own(_A, _ONE)
    run.declares(_B, "ai-1")
    assert not _standing(run).leaves
    assert "without --parallel 1" in _standing(run).advice
    run.owners.begin_deletion(_A, _ONE)
    assert _standing(run).leaves


def test_what_two_have_is_not_deleted_for_one_while_the_other_may_keep_it(run: _Run) -> None:
    """The program may have broken off before that; if it has it no more, its deletion leaves it."""
    run.holds(_A, _ONE)
    run.holds(_B, _ONE)
    run.declares(_B, "ai-2", had="ai-1", number=1)
    run.owners.own(_B, _ONE)
    run.replaces(_B, "ai-2")
    with pytest.raises(OperationError) as refused:
        run.owners.begin_deletion(_B, _ONE)
    assert str(refused.value) == (
        f"delete of model service gp-1:ms-1 was not sent: resource 'a' ({_A}) of this stack has it "
        "too, and the program has not declared that so far. If it has no 'a' any more, `pulumi "
        f"destroy --target {_A}` leaves the service to this one; then run `pulumi up` again."
    )
    assert run.owners.begin_deletion(_A, _ONE) is not None
    run.stack = {_B: StackEntry(_ONE)}
    assert run.owners.begin_deletion(_B, _ONE) is None


def test_what_two_have_whose_urn_is_a_pattern_is_not_targeted(run: _Run) -> None:
    """In a target `*` stands for anything."""
    run.holds(f"{_TYPE}a*", _ONE)
    run.declares(_B, "ai-2", had="ai-1", number=1)
    run.owners.own(_B, _ONE)
    with pytest.raises(OperationError) as refused:
        run.owners.begin_deletion(_B, _ONE)
    assert "--target" not in str(refused.value)


def test_a_deletion_is_for_no_node_where_its_successor_is_there(run: _Run) -> None:
    """As one that the state says is still to be made."""
    run.declares(_A, "ai-2", had="ai-2")
    run.owners.own(_A, _TWO)
    assert run.owners.next_nodes(_A, _ONE) == frozenset()
    assert run.owners.next_nodes(_A, _TWO) == {("gp-1", "ai-2")}


def test_an_import_is_left_in_where_it_names_what_was_taken_over_before(run: _Run) -> None:
    """In this run or before it; a new one is not, though the resource was created before."""
    run.owners.declare(_A, _on("ai-1") | {"__adopt": "gp-1:ms-1"}, _on("ai-2"), None)
    run.replaces(_A, "ai-2")
    run.holds(_B, _TWO, replaced=True, imported="gp-1:ms-1")
    run.declares(_C, "ai-3", had="ai-3")
    run.owners.own(_C, _ONE)
    for urn in (_A, _B, _C):
        assert run.owners.is_left_in(urn, _ONE)
    other = ModelServiceId("gp-1", "ms-3")
    assert run.owners.is_left_in(_B, _TWO)
    assert not any(run.owners.is_left_in(urn, other) for urn in (_A, _B, _C))


def test_what_two_had_and_one_is_about_to_replace_is_deleted_with_the_other(run: _Run) -> None:
    """As in the run after one that failed: the replaced one has been deleted in the state."""
    run.holds(_A, _ONE)
    run.holds(_B, _ONE, replaced=True)
    imported = _on("ai-2") | {"__adopt": "gp-1:ms-1"}
    told = _told(1, ("gp-1:ms-1", ["::b"]))
    run.owners.declare(_B, _on("ai-1"), imported, told)
    run.owners.own(_B, _ONE)
    run.owners.declare(_B, {}, imported, told)
    assert run.owners.begin_deletion(_A, _ONE) is None
