"""
Whatever people do to their programs from week to week, no service is lost or owned twice.

A Hypothesis state machine that makes up the edits and commands of two stacks on one cloud: names,
parents, nodes, imports, tokens, options, kills, and what the messages say to do. What must hold is
in `owning`, and what comes of the messages in `obeying`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.gateway import Gateway, RetryPolicy
from pulumi_adbpg_model.testing import DIALECTS, EXCLUSIVE, FAULTS
from tests.chaos.commands import INSTANCE
from tests.chaos.hosting import READ_TIMEOUT_S
from tests.chaos.life import FOREIGN, PATIENT
from tests.chaos.machine import sessions
from tests.chaos.obeying import converge, obey
from tests.chaos.owning import How, Owning
from tests.chaos.programs import (
    MODELS,
    NODES,
    Program,
    changed,
    onto_node_of,
    renamed,
    service,
    shifted,
    swapped,
    with_inputs,
    without,
)
from tests.chaos.stacks import Declared
from tests.chaos.verdict import Verdict
from tests.gateway.support import settings_for

_NAMES = {"dev": "abcd", "prod": "xy"}
_PROVISION_S = 40.0
#: How much longer than a deployment the `up` of a morning may take.
_SLOWER_S = 25.0

_stacks = st.sampled_from(["dev", "dev", "dev", "prod"])
_any = st.integers(0, 7)
_deaths = st.none() | st.none() | st.none() | st.integers(0, 25)
_hows = st.builds(
    How,
    seed=_any,
    preview=st.booleans(),
    dies_at=_deaths,
    moment=st.sampled_from(["before", "after"]),
)
#: None: something else is changed before the next `up`.
_then = st.none() | _hows | _hows | _hows
_changes = st.sampled_from(
    [
        {"description": "one"},
        {"description": "other"},
        {"description": None},
        {"model_name": MODELS[0]},
        {"model_name": MODELS[1]},
        {"wait_for_active": False},
        {"wait_for_active": None},
        {"store_api_key": False},
    ]
)
_timeouts = st.sampled_from(
    [PATIENT, PATIENT, {"create": "20s", "update": "20s"}, {"create": "5m", "delete": "45s"}]
)
_fast_faults = st.sampled_from(
    [name for name, fault in sorted(FAULTS.items()) if fault.delivery not in ("hang", "huge")]
)


class Moves(RuleBasedStateMachine):
    """The lives of two stacks; see the module."""

    lives: ClassVar[int] = 0
    moves: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._life: Owning | None = None
        self._well = True
        self._removed: dict[str, list[Declared]] = {"dev": [], "prod": []}
        self._all_ids: list[str] = []
        self._neighbours = 0
        self._failing = 0
        #: Names whose services another stack has taken over.
        self._gone_over: set[tuple[str, str]] = set()

    @initialize(
        dialects=st.lists(st.sampled_from(sorted(DIALECTS)), max_size=2, unique=True),
        delete_seconds=st.sampled_from([0.0, 20.0]),
        preflight=st.booleans(),
        services=st.integers(1, 3),
        how=_hows,
    )
    def begin(
        self,
        dialects: list[str],
        delete_seconds: float,
        preflight: bool,  # noqa: FBT001 - drawn by name
        services: int,
        how: How,
    ) -> None:
        """A cloud of these dialects, as far as they go together, and a first `up`."""
        spoken: list[str] = []
        for name in dialects:
            if not any(name in group and group & set(spoken) for group in EXCLUSIVE):
                spoken.append(name)
        self._life = Owning(spoken, delete_seconds, preflight=preflight)
        program = tuple(
            replace(service(name, node), timeouts=PATIENT)
            for name, node in zip(_NAMES["dev"][:services], NODES, strict=False)
        )
        self._edit("dev", program, "the first program", how)

    # What happens to a program

    @rule(stack=_stacks, which=_any, node=st.sampled_from(NODES), limits=_timeouts, how=_then)
    def declare(
        self, stack: str, which: int, node: str, limits: dict[str, str], how: How | None
    ) -> None:
        if free := self._free_names(stack):
            new = replace(service(free[which % len(free)], node), timeouts=limits)
            self._edit(stack, (*self._program(stack), new), f"{new.name} is new", how)

    @rule(stack=_stacks, which=_any, how=_then)
    def declare_again(self, stack: str, which: int, how: How | None) -> None:
        """What was taken out comes back as it was."""
        free = self._free_names(stack)
        former = [one for one in self._removed[stack] if one.name in free]
        if former:
            one = former[which % len(former)]
            self._edit(stack, (*self._program(stack), one), f"{one.name} is back", how)

    @rule(stack=_stacks, which=_any, change=_changes, how=_then)
    def change(self, stack: str, which: int, change: dict[str, Any], how: How | None) -> None:
        if one := self._pick(stack, which):
            self._replace(stack, one, with_inputs(one, change), f"{one.name} has {change}", how)

    @rule(stack=_stacks, which=_any, node=st.sampled_from(NODES), how=_then)
    def relocate(self, stack: str, which: int, node: str, how: How | None) -> None:
        if one := self._pick(stack, which):
            moved = with_inputs(one, {"ai_nodes": [node]})
            self._replace(stack, one, moved, f"{one.name} goes to {node}", how)

    @rule(stack=_stacks, which=_any, how=_then)
    def remove(self, stack: str, which: int, how: How | None) -> None:
        if one := self._pick(stack, which):
            self._edit(stack, without(self._program(stack), one.name), f"{one.name} goes", how)

    @rule(stack=_stacks, which=_any, name=_any, alias=st.booleans(), own=st.booleans(), how=_then)
    def rename(
        self, stack: str, which: int, name: int, *, alias: bool, own: bool, how: How | None
    ) -> None:
        """With an alias, with the import of what it has, or with neither."""
        free = self._new_names(stack)
        if (one := self._pick(stack, which)) and free:
            new = renamed(one, free[name % len(free)], stack, alias=alias)
            new = replace(new, import_=self._id_of(stack, one)) if own and not alias else new
            self._replace(stack, one, new, f"{one.name} becomes {new.name}", how)

    @rule(stack=_stacks, which=_any, alias=st.booleans(), own=st.booleans(), how=_then)
    def move(self, stack: str, which: int, *, alias: bool, own: bool, how: How | None) -> None:
        """Into a component or out of it: another URN under the same name."""
        if one := self._pick(stack, which):
            aliases = (one.urn(stack),) if alias else ()
            new = replace(one, inside=not one.inside, aliases=aliases)
            new = replace(new, import_=self._id_of(stack, one)) if own and not alias else new
            self._replace(stack, one, new, f"{one.name} changes its parent", how)

    @rule(
        stack=_stacks,
        which=_any,
        kind=st.sampled_from(["given up", "given up", "foreign", "sibling", "dead", "own", "none"]),
        fitting=st.sampled_from([True, True, False]),
        number=_any,
        how=_then,
    )
    def import_(
        self, stack: str, which: int, kind: str, number: int, *, fitting: bool, how: How | None
    ) -> None:
        one = self._pick(stack, which)
        ids = one and self._ids(stack, kind, one)
        if one is None or not ids:
            return
        id_ = ids[number % len(ids)]
        new = replace(one, import_=id_)
        there = self._now.look().services.get(id_ or "")
        if there is not None and fitting:
            shown = {"model_name": there.model_name, "ai_nodes": list(there.ai_nodes)}
            new = with_inputs(new, {**shown, "description": there.description})
        self._replace(stack, one, new, f"{one.name} imports {kind} {id_}", how)

    @rule(stack=_stacks, which=_any, token=st.sampled_from([None, "one", "two"]), how=_then)
    def token(self, stack: str, which: int, token: str | None, how: How | None) -> None:
        """A token of one's own. Each stack has its own: in two, nobody could tell them apart."""
        if one := self._pick(stack, which):
            new = with_inputs(one, {"client_token": token and f"{stack}-{token}"})
            self._replace(stack, one, new, f"{one.name} has token {token}", how)

    @rule(stack=_stacks, which=_any, name=_any, how=_then)
    def twin(self, stack: str, which: int, name: int, how: How | None) -> None:
        """The same again under another name: token, import and all."""
        free = self._free_names(stack)
        if (one := self._pick(stack, which)) and free:
            new = replace(one, name=free[name % len(free)], aliases=())
            self._edit(stack, (*self._program(stack), new), f"{new.name} is as {one.name}", how)

    @rule(
        stack=_stacks,
        which=_any,
        other=_any,
        what=st.sampled_from(["shift", "swap", "onto the node of"]),
        how=_then,
    )
    def places(self, stack: str, which: int, other: int, what: str, how: How | None) -> None:
        program = self._program(stack)
        one, another = self._pick(stack, which), self._pick(stack, other)
        if one is None or another is None:
            return
        if what == "shift":
            self._edit(stack, shifted(program), "all move on by one node", how)
        elif one.name != another.name and what == "swap":
            new = swapped(program, one.name, another.name)
            self._edit(stack, new, f"{one.name} and {another.name} change places", how)
        elif one.name != another.name:
            new = onto_node_of(program, one.name, another.name)
            self._edit(stack, new, f"{another.name} goes where {one.name} was, which goes", how)

    @rule(stack=_stacks, which=_any, retain=st.booleans(), how=_then)
    def retain(self, stack: str, which: int, *, retain: bool, how: How | None) -> None:
        if one := self._pick(stack, which):
            new = replace(one, retain=retain)
            self._replace(stack, one, new, f"{one.name} is retained: {retain}", how)

    # Commands

    @rule(stack=_stacks, which=_any, way=st.sampled_from(["--replace", "taint"]), how=_hows)
    def replace(self, stack: str, which: int, way: str, how: How) -> None:
        if one := self._pick(stack, which):
            urn = one.urn(stack)
            if way == "taint" and urn in self._now.estate.stacks[stack].state:
                self._now.taint(stack, urn)
                self._now.up(stack, how)
            elif way == "--replace":
                self._now.up(stack, how, (urn,))

    @rule(stack=_stacks, command=st.sampled_from(["up", "up", "refresh", "destroy"]), how=_hows)
    def command(self, stack: str, command: str, how: How) -> None:
        getattr(self._now, command)(stack, how)

    @rule(stack=_stacks, seconds=st.sampled_from([1.0, 100.0, 40000.0]), nights=st.integers(1, 3))
    def mornings(self, stack: str, seconds: float, nights: int) -> None:
        """
        Destroyed at night and made in the morning, each time as fast as the first.

        Not so where a program gives a token, which the cloud answers with the dead: once 30 s.
        """
        for _ in range(nights):
            own = any("client_token" in one.inputs for one in self._program(stack))
            calm = not (self._troubled or self._now.unfound[stack] or own)
            if not self._now.destroy(stack, How()):
                return
            self._now.estate.later(seconds)
            began = self._now.estate.clock.monotonic()
            if not self._now.up(stack, How()):
                return
            took = self._now.estate.clock.monotonic() - began
            if calm and took > _PROVISION_S + _SLOWER_S:
                self._fail("unconverged", f"that took {took} s")

    @rule(stack=_stacks, which=_any, over=st.booleans(), how=_hows)
    def let_go(self, stack: str, which: int, *, over: bool, how: How) -> None:
        """`pulumi state delete`; maybe the other stack takes the service over."""
        one = self._pick(stack, which)
        if one is None or one.urn(stack) not in self._now.estate.stacks[stack].state:
            return
        id_ = self._id_of(stack, one)
        self._now.forget(stack, one.urn(stack))
        other = "prod" if stack == "dev" else "dev"
        free = self._free_names(other)
        rest = without(self._program(stack), one.name)
        # Whose program goes on to import it has two stacks own it, and nobody can tell.
        wanted = any(declared.import_ == id_ for declared in rest) or self._now.unfound[stack]
        if over and id_ in self._now.given_up and free and not wanted:
            self._now.edit(stack, rest, f"{one.name} goes over")
            self._gone_over.add((stack, one.name))
            new = replace(one, name=free[0], aliases=(), import_=id_)
            new = with_inputs(new, {"client_token": None})
            self._edit(other, (*self._program(other), new), f"{new.name} takes over {id_}", how)
        else:
            self._now.up(stack, how)

    @rule(stack=_stacks, which=_any, how=_hows)
    def obey(self, stack: str, which: int, how: How) -> None:
        """Do what the message says."""
        if self._now.errors[stack] and obey(self._now, stack, Counter(), which):
            self._now.up(stack, how)

    @rule(seconds=st.sampled_from([0.5, 3.0, 15.0, 50.0]))
    def cancel(self, seconds: float) -> None:
        """Ctrl-C, once the next command has been waiting that long."""
        self._now.end_cancel()
        self._now.say(f"cancel after {seconds} s")
        wanted, clock = [True], self._now.estate.clock
        self._now.cancelling = wanted
        clock.after(seconds, lambda: clock.cancel.set() if wanted[0] else None)

    # What the cloud and others do

    @rule(seconds=st.sampled_from([1.0, 45.0, 100.0]), heal=st.booleans())
    def later(self, seconds: float, *, heal: bool) -> None:
        self._now.say(f"{seconds} s pass{', no faults any more' if heal else ''}")
        self._now.estate.later(seconds)
        if heal:
            self._now.estate.simulator.clear_faults()

    @rule(which=_any)
    def remove_outside(self, which: int) -> None:
        owners = self._now.look().owners
        if ids := [id_ for id_ in self._now.look().services if id_ in owners]:
            self._now.remove([ids[which % len(ids)]])

    @rule()
    def fail_next(self) -> None:
        self._now.say("the next deployment fails")
        self._failing += 1
        self._now.estate.simulator.fail_next_deployment()

    @rule()
    def mend_outside(self) -> None:
        """What failed is active after all, by the cloud's own doing or somebody's."""
        simulator = self._now.estate.simulator
        for one in simulator.services:
            if one.status == "deploy_failed":
                self._now.say(f"{one.id} is active after all")
                simulator.change_service(one.id, status="active")

    @rule(node=st.sampled_from(NODES), model=st.sampled_from(MODELS))
    def neighbour(self, node: str, model: str) -> None:
        """Somebody else takes a node, if it is free."""
        self._neighbours += 1
        estate = self._now.estate
        gateway = Gateway(
            settings_for(estate.simulator.port, region="cn-hangzhou"),
            estate.clock,
            RetryPolicy(attempts=1),
            read_timeout_s=READ_TIMEOUT_S,
        )
        spec = ModelServiceSpec(INSTANCE, model, (node,))
        try:
            gateway.create_model_service(spec, f"{FOREIGN}{self._neighbours}")
        except AdbpgModelError:
            self._now.say(f"somebody else does not get {node}")
        else:
            self._now.say(f"somebody else takes {node}")

    @rule(
        name=_fast_faults,
        action=st.sampled_from(
            ["CreateModelService", "DescribeModelService", "DeleteModelService"]
        ),
        times=st.sampled_from([1, 2]),
        after=st.sampled_from([0, 1]),
    )
    def fault(self, name: str, action: str, times: int, after: int) -> None:
        self._now.say(f"{name}, {times} times at {action} after {after}")
        self._now.estate.simulator.inject(name, action, times, after)

    def teardown(self) -> None:
        if self._life is None:
            return
        try:
            if not self._life.broken:
                converge(self._life)
        finally:
            type(self).lives += 1
            type(self).moves += len(self._life.story)
            self._life.close()

    # What there is to choose from

    @property
    def _now(self) -> Owning:
        assert self._life is not None
        return self._life

    @property
    def _troubled(self) -> bool:
        simulator = self._now.estate.simulator
        return bool(simulator._faults.waiting() or self._failing or self._now.cancelling[0])

    def _program(self, stack: str) -> Program:
        return self._now.programs[stack]

    def _pick(self, stack: str, which: int) -> Declared | None:
        program = self._program(stack)
        return program[which % len(program)] if program else None

    def _free_names(self, stack: str) -> list[str]:
        program = self._program(stack)
        used = {one.name for one in program}
        used |= {name for of, name in self._gone_over if of == stack}
        # A name that is given anew while it is an alias means two things.
        used |= {alias.rpartition("::")[2] for one in program for alias in one.aliases}
        return [name for name in _NAMES[stack] if name not in used]

    def _new_names(self, stack: str) -> list[str]:
        """Free names that the state does not know, so that what they stand for is new."""
        known = {urn.rpartition("::")[2] for urn in self._now.estate.stacks[stack].state}
        return [name for name in self._free_names(stack) if name not in known]

    def _id_of(self, stack: str, one: Declared) -> str | None:
        entry = self._now.estate.stacks[stack].state.get(one.urn(stack))
        return None if entry is None or entry.replacing else entry.id

    def _ids(self, stack: str, kind: str, one: Declared) -> list[str | None]:
        """Ids to import, oldest first: they are random, and a choice has to be repeatable."""
        life, look = self._now, self._now.look()
        self._all_ids += [id_ for id_ in look.services if id_ not in self._all_ids]
        own = self._id_of(stack, one)
        in_stack = life.estate.stacks[stack].owned.keys() - {own}
        if kind == "none":
            return [None]
        if kind == "own":
            return [own]
        if kind == "dead":
            return [id_ for id_ in self._all_ids if id_ not in look.services]
        of_kind = {
            "given up": {id_ for id_ in life.given_up if life.is_free(id_, stack)},
            "foreign": life.foreign(look),
            "sibling": in_stack,
        }[kind]
        return [id_ for id_ in look.services if id_ in of_kind]

    def _edit(self, stack: str, program: Program, what: str, how: How | None) -> None:
        """Change the program, unless nobody knows what became of the last one; then `up`."""
        if not self._now.unfound[stack]:
            before = {one.name: one for one in self._program(stack)}
            gone = before.keys() - {one.name for one in program}
            self._removed[stack] += [before[name] for name in sorted(gone)]
            self._now.edit(stack, program, what)
        if how is not None:
            self._now.up(stack, how)

    def _replace(
        self, stack: str, one: Declared, new: Declared, what: str, how: How | None
    ) -> None:
        self._edit(stack, changed(self._program(stack), one.name, lambda _: new), what, how)

    def _fail(self, kind: str, text: str) -> None:
        self._now.fail(kind, text)


def run(number: int, seconds: float) -> list[Verdict]:
    """Live lives for a while; see `machine.sessions`."""
    return sessions(Moves, "moves", number, seconds)
