"""
The lives of two stacks on one cloud, and what must hold in them after every command.

Each live service has exactly one owner, and each owner's service lives. No owner but the person may
be without: what `retain_on_delete`, `pulumi state delete` or a killed command left behind, the
last until the next `up`. And what a program declares as before stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.service.state import ADOPT, waits
from pulumi_adbpg_model.testing import SimulatedService
from tests.chaos.advice import advice_in
from tests.chaos.clarity import why_unclear
from tests.chaos.commands import INSTANCE, Ran
from tests.chaos.hosting import TimedProvider
from tests.chaos.injection import Death, Moment
from tests.chaos.life import AGAIN, FOREIGN, BrokenPromiseError, id_of
from tests.chaos.programs import NODES, Program
from tests.chaos.stacks import Declared, Entry, Estate
from tests.chaos.verdict import is_named

DELETING = "deleting"
#: With these the cloud leaves out what a take-over compares.
_MUTE = {"fields-missing", "fields-null", "fields-empty"}


@dataclass(frozen=True)
class How:
    """How a command is run: who takes turns, whether a preview comes first, and its death."""

    seed: int = 0
    preview: bool = False
    dies_at: int | None = None
    moment: Moment = "before"


@dataclass(frozen=True)
class Look:
    """Cloud and states at one moment."""

    services: dict[str, SimulatedService]
    states: dict[str, dict[str, Entry]]

    @property
    def alive(self) -> set[str]:
        """What is there, and not on its way out."""
        return {id_ for id_, one in self.services.items() if one.status != DELETING}

    @property
    def owners(self) -> dict[str, set[str]]:
        """The URNs that hold each id; a URN names its stack."""
        found: dict[str, set[str]] = {}
        for state in self.states.values():
            for urn, entry in state.items():
                if not entry.replacing:
                    found.setdefault(entry.id, set()).add(urn)
        return found


@dataclass(frozen=True)
class Done:
    """A command that ended, or was killed."""

    stack: str
    ran: Ran
    well: bool
    killed: bool
    is_up: bool
    replaced: Collection[str]
    faults: bool
    before: Look
    after: Look


class Owning:
    """What is declared, done and told; everything that is done is checked."""

    def __init__(self, dialects: list[str], delete_seconds: float, *, preflight: bool) -> None:
        self.programs: dict[str, Program] = {"dev": (), "prod": ()}
        #: What the last command of each stack failed with, by URN; None when it was killed.
        self.errors: dict[str, list[tuple[str, str]] | None] = {"dev": [], "prod": []}
        #: What the person let go of, with the URN that held it.
        self.given_up: dict[str, str] = {}
        self.removed: set[str] = set()
        #: What a killed command of a stack left behind, or one that was not sure.
        self.unfound: dict[str, set[str]] = {"dev": set(), "prod": set()}
        self.story: list[str] = []
        self.broken = False
        self.cancelling = [False]
        self.muted = bool(_MUTE & set(dialects))
        self._keys: set[str] = set()
        self._once_owned: set[str] = set()
        self.estate = Estate(dialects, delete_seconds=delete_seconds, preflight=preflight)
        self.estate.__enter__()
        self.estate.simulator.add_instance(INSTANCE, NODES)
        self.say(f"dialects {dialects}, deleting takes {delete_seconds} s, preflight {preflight}")

    def close(self) -> None:
        """Leave no server behind."""
        TimedProvider.fate = None
        self.estate.__exit__()

    def say(self, text: str) -> None:
        """Note what happens."""
        self.story.append(f"{self.estate.clock.monotonic():7.1f} {text}")

    def fail(self, kind: str, text: str) -> None:
        """Tell of a broken promise."""
        self.broken = True
        raise BrokenPromiseError(kind, text, self.story)

    # Who is there

    def look(self) -> Look:
        """Cloud and states now."""
        services = {id_of(service): service for service in self.estate.simulator.services}
        states = {name: dict(stack.state) for name, stack in self.estate.stacks.items()}
        return Look(services, states)

    def foreign(self, look: Look) -> set[str]:
        """What somebody else made and no stack ever held."""
        return {
            id_
            for id_, one in look.services.items()
            if (one.client_token or "").startswith(FOREIGN) and id_ not in self._once_owned
        }

    def unowned(self, look: Look) -> set[str]:
        """What lives and belongs to nobody, though nobody let go of it."""
        return look.alive - look.owners.keys() - self.given_up.keys() - self.foreign(look)

    def is_free(self, id_: str, stack: str) -> bool:
        """Whether nothing in another stack holds a service, or will ask for it again."""
        for name, program in self.programs.items():
            wanted = {*self.unfound[name], *(one.import_ for one in program)}
            if name != stack and id_ in wanted:
                return False
        holders = self.look().owners.get(id_, {self.given_up.get(id_, "")})
        others = {urn for name in self.programs if name != stack for urn in self.urns(name)}
        held_elsewhere = holders & {
            urn for name, one in self.estate.stacks.items() if name != stack for urn in one.state
        }
        return not (holders & others or held_elsewhere)

    def urns(self, stack: str) -> set[str]:
        """What its program declares."""
        return {declared.urn(stack) for declared in self.programs[stack]}

    # Commands

    def up(self, stack: str, how: How, replaced: Collection[str] = ()) -> bool:
        """`pulumi up`, maybe without a preview; whether it went well."""
        program = self.programs[stack]
        one = self.estate.stacks[stack]
        options = f" --replace {sorted(replaced)}" if replaced else ""
        self.say(f"{stack}: up{options}, {how} of {_shown(program)}")
        if how.preview:
            calls = len(self.estate.simulator.mutations)
            looked = one.preview(list(program), replaced)
            if len(self.estate.simulator.mutations) != calls:
                self.fail("unclear", "a preview changed the cloud")
            if not looked.well:
                self.say(f"the preview fails: {list(looked.errors)}")
                self.errors[stack] = list(one.errors)
                self._check_texts(stack, looked)
                self._check_advice(stack)
                return False
        return self._run(
            stack,
            lambda: one.up(list(program), how.seed, replaced),
            how,
            replaced=replaced,
            is_up=True,
        )

    def refresh(self, stack: str, how: How) -> bool:
        """`pulumi refresh`."""
        self.say(f"{stack}: refresh, {how}")
        return self._run(stack, lambda: self.estate.stacks[stack].refresh(how.seed), how)

    def destroy(self, stack: str, how: How, target: str | None = None) -> bool:
        """`pulumi destroy`, maybe with `--target`."""
        self.say(f"{stack}: destroy {target or ''}, {how}")
        return self._run(stack, lambda: self.estate.stacks[stack].destroy(how.seed, target), how)

    def forget(self, stack: str, urn: str) -> None:
        """`pulumi state delete`."""
        self.say(f"{stack}: state delete {urn}")
        entry = self.estate.stacks[stack].state[urn]
        self.estate.stacks[stack].forget(urn)
        if not entry.replacing:
            self.given_up[entry.id] = urn
        self._forget_the_past()

    def taint(self, stack: str, urn: str, *, tainted: bool = True) -> None:
        """`pulumi state taint` or `untaint`."""
        self.say(f"{stack}: tainted is {tainted} for {urn}")
        self.estate.stacks[stack].taint(urn, tainted=tainted)

    def remove(self, ids: Iterable[str]) -> None:
        """Somebody deletes services."""
        for id_ in sorted(ids):
            self.say(f"{id_} is deleted outside")
            self.removed.add(id_)
            self.estate.simulator.remove_service(id_.partition(":")[2])

    def end_cancel(self) -> None:
        """What was cancelled is over; what was to be, is not."""
        self.cancelling[0] = False
        self.estate.clock.cancel.clear()

    def _run(
        self,
        stack: str,
        command: Callable[[], Ran],
        how: How,
        *,
        replaced: Collection[str] = (),
        is_up: bool = False,
    ) -> bool:
        before, faults = self.look(), bool(self.estate.simulator._faults.waiting())
        death = None if how.dies_at is None else Death(how.dies_at, how.moment, self.estate.cut)
        TimedProvider.fate = death
        try:
            ran = command()
        finally:
            TimedProvider.fate = None
        killed = death is not None and death.struck
        well = ran.well and not killed and not self.estate.clock.cancelled
        self.end_cancel()
        errors = self.estate.stacks[stack].errors
        self.errors[stack] = None if killed else list(errors)
        ending = "killed" if killed else ("well" if well else "failed")
        self.say(f"{ending}: {list(ran.errors)}")
        after = self.look()
        self._keys |= {one.api_key for one in after.services.values() if one.api_key}
        for id_ in self.estate.stacks[stack].retained:
            urns = before.owners.get(id_)
            self.given_up.setdefault(id_, min(urns) if urns else "")
        self.estate.stacks[stack].retained.clear()
        done = Done(stack, ran, well, killed, is_up, replaced, faults, before, after)
        self.check(done)
        self._forget_the_past()
        return well

    def _forget_the_past(self) -> None:
        look = self.look()
        self._once_owned |= look.owners.keys()
        for id_ in list(self.given_up):
            if id_ in look.owners or id_ not in look.services:
                del self.given_up[id_]
        for stack in self.unfound:
            self.unfound[stack] &= self.unowned(look)

    # What has to hold

    def check(self, done: Done) -> None:
        """Tell of the first promise that is broken."""
        self.say(f"states {_owned(done.after)}, cloud {sorted(done.after.alive)}")
        self._check_living(done)
        self._check_owners(done)
        self._check_unowned(done)
        self._check_unchanged(done)
        if not done.killed:
            self._check_texts(done.stack, done.ran)
            self._check_advice(done.stack)
        if done.well and done.is_up:
            self._check_program(done)

    def _check_living(self, done: Done) -> None:
        """Each owner's service lives, unless its own deletion was asked for or somebody came."""
        alive, before = done.after.alive, done.before
        for name, state in done.after.states.items():
            asked = self.estate.stacks[name].deleting
            for urn, entry in state.items():
                held = urn in before.states[name] and before.states[name][urn].id == entry.id
                was_dead = held and entry.id not in before.alive
                excused = entry.id in self.removed or (urn, entry.id) in asked or was_dead
                if not (entry.replacing or entry.id in alive or excused):
                    self.fail("lost", f"{urn} holds {entry.id}, which is gone")
        for urn, text in self.errors[done.stack] or ():
            old, now = before.states[done.stack].get(urn), done.after.states[done.stack].get(urn)
            if "import of" in text and old and now and now.replacing and not old.replacing:
                self.fail("lost", f"{old.id} was deleted for {urn}, which could not be made")
        strangers = {*self.given_up, *self.foreign(before)} & before.alive
        if gone := strangers - alive - self.removed - done.after.owners.keys():
            self.fail("lost", f"{gone} belonged to no stack, and is gone")

    def _check_owners(self, done: Done) -> None:
        """
        Each live service has one owner.

        One that was taken over has its former one as well, until an `up` of that stack comes to its
        end, or tells of both.
        """
        for id_, urns in done.after.owners.items():
            if len(urns) == 1 or id_ not in done.after.alive:
                continue
            there_before = done.before.owners.get(id_, set()) >= urns
            handing_over = urns <= done.after.states[done.stack].keys() and not done.well
            finished = done.is_up and done.well and urns <= done.after.states[done.stack].keys()
            if finished or not (there_before or handing_over):
                self.fail("owned twice", f"{id_} is held by {sorted(urns)}")

    def _check_unowned(self, done: Done) -> None:
        new = self.unowned(done.after) - self.unowned(done.before)
        if dropped := new & done.before.owners.keys():
            self.fail("dropped", f"{dropped} left the state, and is there")
        if new and done.well:
            self.fail("orphans", f"a success left {new} behind")
        if not done.killed:
            unsaid = {id_ for id_ in new if not is_named(id_, done.ran.warned)}
            if unsaid and AGAIN not in done.ran.warned:
                self.fail("orphans", f"nothing names {unsaid}")
        self.unfound[done.stack] |= new
        left = self.unfound[done.stack] & self.unowned(done.after)
        if left and done.well and done.is_up:
            self.fail("orphans", f"a success left {left} behind")

    def _check_unchanged(self, done: Done) -> None:
        """What was there, is whole and is declared as before, stays what it is."""
        state = done.after.states[done.stack]
        for declared in self.programs[done.stack] if done.is_up else ():
            urn = declared.urn(done.stack)
            held = [
                name for name in (urn, *declared.aliases) if name in done.before.states[done.stack]
            ]
            entry = done.before.states[done.stack][held[0]] if held else None
            if entry is None or urn in done.replaced or not self._is_settled(entry, declared, done):
                continue
            now = state.get(urn) or state.get(held[0])
            if now is None or now.id != entry.id or entry.id not in done.after.alive:
                self.fail("lost", f"{urn} was declared as before, and is not the same: {now}")

    def _is_settled(self, entry: Entry, declared: Declared, done: Done) -> bool:
        service = done.before.services.get(entry.id)
        if service is None or service.status != "active":
            return False
        owned_once = len(done.before.owners.get(entry.id, ())) == 1
        whole = not (entry.replacing or entry.tainted)
        was = entry.declared
        wanted = (declared.inputs, declared.import_)
        as_before = was is not None and (was.inputs, was.import_) == wanted
        # What the state takes for failed is looked at first, if that can be done.
        sound = phase_of(entry.stored.outs["status"]) is not Phase.FAILED or not done.faults
        return owned_once and whole and as_before and sound

    def _check_program(self, done: Done) -> None:
        """After an `up` that went well, the cloud is what the program says."""
        state = done.after.states[done.stack]
        if state.keys() != self.urns(done.stack):
            self.fail("unconverged", f"a success with {sorted(state)} in the state")
        for declared in self.programs[done.stack]:
            urn = declared.urn(done.stack)
            entry = state[urn]
            olds = [done.before.states[done.stack].get(name) for name in (urn, *declared.aliases)]
            old = next((one for one in olds if one is not None), None)
            if entry.replacing or entry.init_errors:
                self.fail("unclear", f"a success, though {urn} is not made")
            if entry.id in done.after.alive:
                self._check_service(urn, declared, entry, done.after.services[entry.id])
            self._check_import(urn, declared, entry, old)
            wanted_new = urn in done.replaced or (old is not None and old.tainted)
            if declared.retain and declared.import_ == entry.id:
                continue  # kept, and taken over again, as the program says
            if wanted_new and old is not None and not old.replacing and old.id == entry.id:
                self.fail("unclear", f"{urn} was to be replaced, and is {entry.id} as before")

    def _check_service(
        self, urn: str, declared: Declared, entry: Entry, service: SimulatedService
    ) -> None:
        wanted = (declared.inputs["model_name"], sorted(declared.inputs["ai_nodes"]))
        found = (service.model_name, sorted(service.ai_nodes))
        if wanted != found and not (self.muted and declared.import_):
            self.fail("unclear", f"{urn} is declared {wanted}, and {entry.id} is {found}")
        status = entry.stored.outs["status"]
        if phase_of(status) is not Phase.ACTIVE and waits(entry.stored.outs):
            self.fail("unclear", f"a success, though {urn} is {status!r}")

    def _check_import(self, urn: str, declared: Declared, entry: Entry, old: Entry | None) -> None:
        if declared.import_ in (None, entry.id):
            return
        if old is not None and old.inputs.get(ADOPT) == declared.import_:
            return  # left in, and replaced since
        if old is not None and old.id == declared.import_:
            return  # what it had, and replaced with this very command
        if old is not None or declared.import_ in self.look().alive:
            self.fail("unclear", f"{urn} has import_ {declared.import_}, and holds {entry.id}")

    def _check_texts(self, stack: str, ran: Ran) -> None:
        if any(key in ran.told for key in self._keys):
            self.fail("unclear", "an API key is shown")
        names = (INSTANCE, *self.urns(stack), *self.estate.stacks[stack].state)
        for error in ran.errors:
            if broken := why_unclear(error, secrets=self._keys, names=names):
                self.fail("unclear", f"{broken}: {error}")

    def _check_advice(self, stack: str) -> None:
        """A person sees what is declared and whose stack is whose: some advice is wrong."""
        look = self.look()
        errors = self.errors[stack] or ()
        for advice in (one for urn, text in errors for one in advice_in(urn, text)):
            others = self.urns(stack) - {advice.urn}
            holders = look.owners.get(advice.value, set())
            of_others = holders - look.states[stack].keys()
            dead = advice.value not in look.alive | self.removed
            wrong = {
                "alias": advice.value in others and "an alias of what the program declares",
                "destroy target": advice.value in others and "to destroy what is declared",
                "import": (
                    (holders & others and f"to import what {sorted(holders & others)} holds")
                    or (of_others and "stack" not in advice.text and "to import another stack's")
                    or (dead and "to import what is gone")
                ),
            }.get(advice.kind)
            if wrong:
                self.fail("unclear", f"{wrong}: {advice.text}")

    def edit(self, stack: str, program: Program, what: str) -> None:
        """The person changes a program."""
        self.say(f"{stack}: {what}")
        self.programs[stack] = program

    def change(self, stack: str, urn: str, **fields: object) -> None:
        """Change how one resource is declared, by its URN."""
        self.programs[stack] = tuple(
            replace(one, **fields) if one.urn(stack) == urn else one  # type: ignore[arg-type]
            for one in self.programs[stack]
        )

    def give_time(self, stack: str) -> None:
        """The person has patience from now on."""
        self.programs[stack] = tuple(
            replace(one, timeouts={"create": "30m"}) for one in self.programs[stack]
        )


def _shown(program: Program) -> str:
    return ", ".join(
        f"{'in/' if one.inside else ''}{one.name}({ {**one.inputs, 'db_instance_id': 0} }"
        f"{' import_=' + one.import_ if one.import_ else ''}"
        f"{' aliases=' + str(one.aliases) if one.aliases else ''}"
        f"{' retain' if one.retain else ''}, {dict(one.timeouts)})"
        for one in program
    )


def _owned(look: Look) -> dict[str, str]:
    return {
        _short(urn): "being replaced" if entry.replacing else entry.id
        for name, state in look.states.items()
        for urn, entry in state.items()
    }


def _short(urn: str) -> str:
    _, _, stack, rest = urn.split(":", 3)
    return f"{stack} {'in/' if '$' in rest else ''}{rest.rpartition('::')[2]}"
