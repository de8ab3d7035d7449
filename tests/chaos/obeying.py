"""
Doing what a message says, to the letter, until there is nothing left to do.

What must not be advised is in `owning`; what comes of the rest, the invariants tell.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter

from tests.chaos.advice import Advice, advice_in
from tests.chaos.life import DIFFERENCE
from tests.chaos.owning import How, Owning
from tests.chaos.programs import NODES
from tests.chaos.verdict import is_named

#: An unfinished deletion, a stale list, a remembered token: by then all of them are over.
LATER_S = 130.0
#: How often a command is run in the end at most.
_MOST_TURNS = 30
#: What differs in an error that says the same again.
_CHANGING = re.compile(r"ms-[0-9a-f]+|request_id=[^)]*|\d+")
_AS_IT_COMES = How()
_tokens = itertools.count()


def obey(owning: Owning, stack: str, said: Counter[str], first: int = 0) -> bool:
    """
    Do one of the things that the last errors of a stack say; whether there was one to do.

    Args:
        owning: The stacks.
        stack: Whose errors.
        said: How often they said the same before; another thing is done each time.
        first: What to begin with.
    """
    advice = [one for urn, text in owning.errors[stack] or () for one in advice_in(urn, text)]
    shape = _CHANGING.sub("", str(owning.errors[stack]))
    first += said[shape]
    said[shape] += 1
    for number in range(len(advice)):
        one = advice[(first + number) % len(advice)]
        owning.say(f"{stack}: the message says {one.kind} {one.value} for {one.urn}")
        if _Obedience(owning, stack, one).done():
            if one.kind == "refresh" and owning.errors[stack] and sum(said.values()) < _MOST_TURNS:
                obey(owning, stack, said)  # what that one says
            return True
    return False


def converge(owning: Owning) -> None:
    """Mend the cloud; then states, cloud and programs become one, if what is said is done."""
    owning.say("all is well again")
    owning.end_cancel()
    simulator = owning.estate.simulator
    simulator.clear_faults()
    simulator.release_deployments()
    owning.estate.later(LATER_S)
    owning.remove(owning.foreign(owning.look()))
    for stack in owning.programs:
        owning.give_time(stack)
        _bring_up(owning, stack)
    look = owning.look()
    for stack in owning.programs:
        if look.states[stack].keys() != owning.urns(stack):
            owning.fail("unconverged", f"{stack} has {sorted(look.states[stack])}")
    unlike = look.alive ^ look.owners.keys() ^ owning.given_up.keys()
    if unlike or owning.unowned(look):
        owning.fail("unconverged", f"cloud and states differ in {unlike}")
    for stack in owning.programs:
        for _ in range(3):
            if owning.destroy(stack, _AS_IT_COMES):
                break
            owning.estate.later(LATER_S)
    owning.estate.later(LATER_S)
    left = owning.look().services.keys() - owning.given_up.keys()
    if left or any(owning.look().states.values()):
        owning.fail("unconverged", f"destroy leaves {left}")


def _bring_up(owning: Owning, stack: str) -> None:
    said: Counter[str] = Counter()
    for _ in range(_MOST_TURNS):
        if owning.up(stack, _AS_IT_COMES):
            held = {entry.id for entry in owning.look().states[stack].values()}
            if held <= owning.look().services.keys():
                return
            if not owning.refresh(stack, _AS_IT_COMES):
                obey(owning, stack, said)
        else:
            obey(owning, stack, said)
        owning.estate.later(LATER_S)
    owning.fail("unconverged", f"{stack} does not converge")


class _Obedience:
    """One piece of advice, in one stack."""

    def __init__(self, owning: Owning, stack: str, advice: Advice) -> None:
        self._owning = owning
        self._stack = stack
        self._advice = advice
        self._state = owning.estate.stacks[stack].state

    def done(self) -> bool:
        """Do it, unless it cannot be done here."""
        return bool(getattr(self, f"_{self._advice.kind.replace(' ', '_')}")())

    def _change(self, **fields: object) -> bool:
        if self._advice.urn not in self._owning.urns(self._stack):
            return False
        self._owning.change(self._stack, self._advice.urn, **fields)
        return True

    def _change_inputs(self, inputs: dict[str, object]) -> bool:
        for one in self._owning.programs[self._stack]:
            if one.urn(self._stack) == self._advice.urn:
                return self._change(inputs={**one.inputs, **inputs})
        return False

    def _alias(self) -> bool:
        return self._change(aliases=(self._advice.value,))

    def _delete(self) -> bool:
        look = self._owning.look()
        there = {self._advice.value} & look.services.keys() - look.owners.keys()
        self._owning.remove(there)
        return bool(there) and self._change(import_=None)

    def _destroy_target(self) -> bool:
        urn = self._advice.value
        if urn not in self._state:
            return False
        entry = self._state[urn]
        self._owning.destroy(self._stack, _AS_IT_COMES, urn)
        if entry.retain and entry.id in self._owning.given_up:  # which no provider is told
            self._owning.remove({entry.id} & self._owning.look().services.keys())
        return True

    def _import(self) -> bool:
        id_ = self._advice.value
        return self._owning.is_free(id_, self._stack) and self._change(import_=id_)

    def _no_import(self) -> bool:
        return self._change(import_=None)

    def _correct(self) -> bool:
        """There is one thing here that a person writes by hand."""
        alive = self._owning.look().services
        for one in self._owning.programs[self._stack]:
            if one.urn(self._stack) == self._advice.urn and one.import_ not in (None, *alive):
                return self._change(import_=None)
        return False

    def _declare(self) -> bool:
        differs = DIFFERENCE.findall(self._advice.text)
        there = {name: ast.literal_eval(shown) for name, shown in differs}
        return bool(there) and self._change_inputs(there)

    def _node(self) -> bool:
        look = self._owning.look()
        taken = {node for one in look.services.values() for node in one.ai_nodes}
        taken |= {
            node
            for program in self._owning.programs.values()
            for one in program
            for node in one.inputs["ai_nodes"]
        }
        free = [node for node in NODES if node not in taken]
        for id_ in self._owning.unfound[self._stack]:
            if is_named(id_, self._advice.text):  # the person leaves it, though it is named
                self._owning.given_up[id_] = self._advice.urn
        return bool(free) and self._change_inputs({"ai_nodes": free[:1]})

    def _refresh(self) -> bool:
        return self._owning.refresh(self._stack, _AS_IT_COMES) or True

    def _state_delete(self) -> bool:
        urn = self._advice.value
        if urn not in self._state:
            return False
        self._owning.forget(self._stack, urn)
        return True

    def _take_out(self) -> bool:
        program = self._owning.programs[self._stack]
        rest = tuple(one for one in program if one.name != self._advice.value)
        self._owning.programs[self._stack] = rest
        return len(rest) < len(program)

    def _token(self) -> bool:
        return self._change_inputs({"client_token": f"{self._stack}-other-{next(_tokens)}"})

    def _untaint(self) -> bool:
        if self._advice.urn not in self._state:
            return False
        self._owning.taint(self._stack, self._advice.urn, tainted=False)
        return True

    def _up(self) -> bool:
        return True
