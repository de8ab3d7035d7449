"""What counts as lost, owned twice, dropped or left behind by the commands of two stacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from pulumi_adbpg_model.testing import SimulatedService
from tests.chaos.commands import Ran
from tests.chaos.life import BrokenPromiseError
from tests.chaos.owning import DELETING, Done, How, Look, Owning
from tests.chaos.programs import service
from tests.chaos.stacks import Declared, Entry

_A, _B = service("a", "ai-1"), service("b", "ai-2")


def _urn(declared: Declared) -> str:
    return declared.urn("dev")


@dataclass(frozen=True)
class _Case:
    """
    One service of `a` before a command; what it leaves: the ids in the state, by name, and those
    that are alive; and what is broken then.
    """

    title: str
    states: dict[str, str]
    alive: set[str]
    broken: str | None
    program: tuple[Declared, ...] = (_A,)
    well: bool = True
    killed: bool = False
    is_up: bool = False
    warned: str = ""
    given_up: set[str] = field(default_factory=set)
    own_deletion: bool = False


_CASES = [
    _Case("nothing happens", {"a": "x"}, {"x"}, None),
    _Case("it is deleted by another", {"a": "x"}, set(), "lost"),
    _Case("it is being deleted by another", {"a": "x"}, {"-x"}, "lost"),
    _Case("its own deletion is not finished", {"a": "x"}, set(), None, own_deletion=True),
    _Case("taken over, and deleted", {"b": "x"}, set(), "lost", own_deletion=True),
    _Case("owned twice", {"a": "x", "b": "x"}, {"x"}, "owned twice", is_up=True),
    _Case(
        "handed over, in a run that failed before it came to the other",
        {"a": "x", "b": "x"},
        {"x"},
        None,
        (_A, _B),
        well=False,
        is_up=True,
    ),
    _Case(
        "taken over, and it failed before the end",
        {"a": "x", "b": "x"},
        {"x"},
        None,
        (_B,),
        well=False,
        is_up=True,
    ),
    _Case("it leaves the state", {}, {"x"}, "dropped"),
    _Case("it leaves the state, killed", {}, {"x"}, "dropped", killed=True),
    _Case("the person lets it go", {}, {"x"}, None, given_up={"x"}),
    _Case("one more by a success", {"a": "x"}, {"x", "y"}, "orphans"),
    _Case("one more by a failure", {"a": "x"}, {"x", "y"}, "orphans", well=False),
    _Case("one more, named", {"a": "x"}, {"x", "y"}, None, well=False, warned="look at y."),
    _Case("one more by who was killed", {"a": "x"}, {"x", "y"}, None, killed=True),
    _Case("what was let go of is gone", {"a": "x"}, {"x"}, "lost", given_up={"other"}),
    _Case("declared as before, made anew", {"a": "y"}, {"y"}, "lost", is_up=True),
]


@pytest.fixture(scope="module")
def cloud() -> Iterator[tuple[SimulatedService, Entry, Owning]]:
    """A service as the cloud has it, its entry in a state, and the stacks that it came from."""
    life = Owning([], 0.0, preflight=False)
    life.edit("dev", (_A,), "the first program")
    assert life.up("dev", How())
    look = life.look()
    (made,) = look.services.values()
    yield made, look.states["dev"][_urn(_A)], life
    life.close()


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.title)
def test_each_loss_has_its_name(case: _Case, cloud: tuple[SimulatedService, Entry, Owning]) -> None:
    """What the machine tells rests on these."""
    made, entry, life = cloud

    def look(states: dict[str, str], alive: set[str]) -> Look:
        services = {
            id_.lstrip("-"): replace(made, status=DELETING) if id_.startswith("-") else made
            for id_ in alive
        }
        held = {
            service(name, "ai-1").urn("dev"): replace(entry, stored=replace(entry.stored, id=id_))
            for name, id_ in states.items()
        }
        return Look(services, {"dev": held, "prod": {}})

    life.programs["dev"] = case.program
    life.given_up = dict.fromkeys(case.given_up, "")
    life.unfound = {"dev": set(), "prod": set()}
    life.errors["dev"] = []
    life.estate.stacks["dev"].deleting = {(_urn(_A), "x")} if case.own_deletion else set()
    before = look({"a": "x"}, {"x", *case.given_up})
    ran = Ran("done", (), case.warned, case.warned)
    well = case.well and not case.killed
    after = look(case.states, case.alive)
    done = Done("dev", ran, well, case.killed, case.is_up, (), False, before, after)
    if case.broken is None:
        life.check(done)
        return
    with pytest.raises(BrokenPromiseError) as broken:
        life.check(done)
    assert broken.value.kind == case.broken
