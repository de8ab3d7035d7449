"""
Stacks with several model services on one cloud, without the engine.

The host is called as the engine calls it for each kind of command (CLI 3.274: step_generator.go and
step.go in its resource/deploy), and what it stores is kept. Checks and diffs come one after the
other, in the order of the program, while the steps of the resources before go on, each resource's
in a thread; `turns` decides who is next. What begins together is what begins together there: the
deletions of replacements and the creations at once, those of resources that the program no longer
has when all else went well.

Not modelled: resources that depend on each other, protection, targets of an `up`, and two commands
at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pulumi_adbpg_model.service.state import names_of, wanted_of
from pulumi_adbpg_model.simulator.state import Service
from pulumi_adbpg_model.testing import Simulator
from tests.chaos.commands import Ran
from tests.chaos.hosting import TimedProvider
from tests.chaos.stage import ORGANIZATION, Kept, Stage, plain, seconds_of, unfinished, warned
from tests.chaos.turns import Turns, TurnsClock
from tests.provider.dynamic_host import HostError, PartialFailureError, Properties, Stored

if TYPE_CHECKING:
    from typing_extensions import Self

_TYPE = "pulumi-python:dynamic/adbpg:ModelService"
_PROJECT = "shop"
#: The parent of a service that is moved.
_COMPONENT = "shop:index:Models"
Steps = list[Callable[[], None]]


@dataclass(frozen=True)
class Declared:
    """A model service as a program declares it."""

    name: str
    inputs: Properties
    inside: bool = False  #: Whether a component is its parent.
    aliases: tuple[str, ...] = ()
    import_: str | None = None
    retain: bool = False
    timeouts: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """What it is called, and was."""
        own = names_of(self.name, _COMPONENT if self.inside else "")[0]
        return [own, *(f"*::{alias.rpartition('::')[2]}" for alias in self.aliases)]

    def urn(self, stack: str) -> str:
        """Its URN in a stack."""
        parents = f"{_COMPONENT}$" if self.inside else ""
        return f"urn:pulumi:{stack}::{_PROJECT}::{parents}{_TYPE}::{self.name}"


@dataclass(frozen=True)
class Entry(Kept):
    """What a state holds of a resource: `replacing` once it is deleted and not yet made anew."""

    retain: bool = False
    replacing: bool = False
    tainted: bool = False
    #: As it was declared when this was written; None after a refresh found it otherwise.
    declared: Declared | None = None

    @property
    def id(self) -> str:
        """The id of its service."""
        return self.stored.id


class Stack:
    """One stack: its state, and what each command makes of it."""

    def __init__(self, name: str, estate: Estate) -> None:
        self.name = name
        self._estate = estate
        self.state: dict[str, Entry] = {}
        #: What each error of the last command was about.
        self.errors: list[tuple[str, str]] = []
        #: The (URN, id) whose deletion a command of this stack has asked for.
        self.deleting: set[tuple[str, str]] = set()
        #: Ids that a command left alone, as `retain_on_delete` has it.
        self.retained: set[str] = set()
        self._turns: Turns | None = None

    @property
    def owned(self) -> dict[str, list[str]]:
        """The URNs that hold each id."""
        found: dict[str, list[str]] = {}
        for urn, entry in self.state.items():
            if not entry.replacing:
                found.setdefault(entry.id, []).append(urn)
        return found

    # Commands

    def up(self, program: list[Declared], seed: int, replaced: Collection[str] = ()) -> Ran:
        """`pulumi up --skip-preview`, with `--replace` for some URNs."""
        return self._command(seed, lambda: self._up(program, replaced))

    def preview(self, program: list[Declared], replaced: Collection[str] = ()) -> Ran:
        """`pulumi preview`: the same questions, and nothing is done."""

        def look() -> None:
            self._estate.program = program
            for declared in program:
                if not self._over:
                    self._registered(declared, replaced)

        return self._command(0, look)

    def refresh(self, seed: int) -> Ran:
        """`pulumi refresh`."""
        return self._command(seed, lambda: self._all(self._read, list(self.state)))

    def destroy(self, seed: int, target: str | None = None) -> Ran:
        """`pulumi destroy`, maybe with `--target`."""
        urns = list(self.state) if target is None else [target]
        return self._command(seed, lambda: self._all(self._remove, urns))

    def forget(self, urn: str) -> None:
        """`pulumi state delete`."""
        del self.state[urn]

    def taint(self, urn: str, *, tainted: bool = True) -> None:
        """`pulumi state taint`, or `untaint`."""
        self.state[urn] = replace(self.state[urn], tainted=tainted)

    # What the engine does

    def _command(self, seed: int, command: Callable[[], None]) -> Ran:
        self._estate.restart()
        self.errors = []
        since = self._estate._listen()
        with Turns(self._estate.clock, seed) as turns:
            self._turns = self._estate.turns = turns
            self._catching("", command)
            turns.finish()
        printed = self._estate._heard(since)
        errors = tuple(text for _, text in self.errors)
        did = "failed" if errors else "done"
        return Ran(did, errors, "\n".join([printed, *errors]), warned(printed, errors))

    @property
    def _over(self) -> bool:
        """Whether nothing more is begun: something failed, or the person has had enough."""
        return bool(self.errors) or self._estate.clock.cancelled

    def _catching(self, urn: str, work: Callable[[], None]) -> None:
        try:
            work()
        except HostError as error:
            self.errors.append((urn, plain(error)))

    def _begin(self, urn: str, steps: Steps) -> None:
        def run() -> None:
            for step in steps:
                if self._over:
                    return
                step()

        assert self._turns is not None
        self._turns.begin(lambda: self._catching(urn, run))

    def _call(self, call: Callable[..., object], *args: object, **more: object) -> Stored:
        assert self._turns is not None
        result: object = self._turns.call(lambda: call(*args, **more))
        assert isinstance(result, Stored)
        return result

    def _up(self, program: list[Declared], replaced: Collection[str]) -> None:
        seen: set[str] = set()
        self._estate.program = program
        for declared in program:
            if self._over:
                break
            urn = declared.urn(self.name)
            old, steps = self._registered(declared, replaced, seen)
            seen |= {urn, old}
            self._begin(urn, steps)
        assert self._turns is not None
        self._turns.finish()
        if not self._over:
            self._all(self._remove, [urn for urn in self.state if urn not in seen])

    def _all(self, do: Callable[[str], None], urns: list[str]) -> None:
        for urn in urns:
            self._begin(urn, [lambda urn=urn: do(urn)])  # type: ignore[misc]

    def _registered(
        self, declared: Declared, replaced: Collection[str], seen: Collection[str] = ()
    ) -> tuple[str, Steps]:
        """Check and diff: the URN in the state, and the steps that follow."""
        try:
            return self._plan(declared, replaced, seen)
        except HostError as error:
            self.errors.append((declared.urn(self.name), plain(error)))
            return "", []

    def _plan(
        self, declared: Declared, replaced: Collection[str], seen: Collection[str]
    ) -> tuple[str, Steps]:
        urn = declared.urn(self.name)
        names = [urn, *(alias for alias in declared.aliases if alias not in seen)]
        old = next((name for name in names if name in self.state), "")
        entry = self.state.get(old)
        news = self._estate.news(declared)

        def anew() -> Steps:
            inputs = self._checked(urn, news, {})
            create: Steps = [lambda: self._create(declared, inputs, old)]
            return (
                create
                if entry is None or entry.replacing
                else [lambda: self._replace(old), *create]
            )

        if entry is None or entry.tainted or urn in replaced:
            return old, anew()
        inputs = self._checked(urn, news, entry.inputs)
        assert self._turns is not None
        diffed = self._turns.call(lambda: self._estate.host.diff(entry.stored, inputs, urn=urn))
        if diffed.replaces or entry.replacing:
            return old, anew()
        changed = diffed.changes == "DIFF_SOME" or (
            diffed.changes == "DIFF_UNKNOWN" and inputs != entry.inputs
        )
        if changed or entry.init_errors:
            return old, [lambda: self._update(declared, inputs, old)]
        return old, [lambda: self._keep(declared, entry.stored, inputs, old)]

    def _checked(self, urn: str, news: Properties, olds: Properties) -> Properties:
        assert self._turns is not None
        checked = self._turns.call(lambda: self._estate.host.check(news, olds, urn=urn))
        if checked.failures:
            raise HostError("; ".join(reason for _, reason in checked.failures))
        return checked.inputs

    def _keep(
        self,
        declared: Declared,
        stored: Stored,
        inputs: Properties,
        old: str,
        init_errors: tuple[str, ...] = (),
    ) -> None:
        urn = declared.urn(self.name)
        if old and old != urn:
            self.deleting |= {(urn, id_) for name, id_ in self.deleting if name == old}
            del self.state[old]
        self.state[urn] = Entry(
            stored, inputs, declared.timeouts, init_errors, declared.retain, declared=declared
        )

    def _create(self, declared: Declared, inputs: Properties, old: str) -> None:
        limit_s = seconds_of(declared.timeouts.get("create"))
        urn = declared.urn(self.name)
        self._apply(
            declared,
            inputs,
            old,
            lambda: self._estate.host.create(inputs, urn=urn, timeout_s=limit_s),
        )

    def _update(self, declared: Declared, inputs: Properties, old: str) -> None:
        limit_s = seconds_of(declared.timeouts.get("update"))
        urn, stored = declared.urn(self.name), self.state[old].stored
        self._apply(
            declared,
            inputs,
            old,
            lambda: self._estate.host.update(stored, inputs, urn=urn, timeout_s=limit_s),
        )

    def _apply(
        self, declared: Declared, inputs: Properties, old: str, call: Callable[[], Stored]
    ) -> None:
        try:
            stored = self._call(call)
        except PartialFailureError as error:
            self._keep(declared, unfinished(error.stored), inputs, old, (plain(error),))
            raise
        self._keep(declared, stored, inputs, old)

    def _replace(self, urn: str) -> None:
        """The deletion that comes before a creation."""
        self._delete(urn)
        self.state[urn] = replace(self.state[urn], replacing=True)

    def _remove(self, urn: str) -> None:
        if not self.state[urn].replacing:
            self._delete(urn)
        del self.state[urn]

    def _delete(self, urn: str) -> None:
        entry = self.state[urn]
        if entry.retain:
            self.retained.add(entry.id)
            return
        limit_s = seconds_of(entry.timeouts.get("delete"))
        self.deleting.add((urn, entry.id))
        assert self._turns is not None
        self._turns.call(lambda: self._estate.host.delete(entry.stored, urn=urn, timeout_s=limit_s))

    def _read(self, urn: str) -> None:
        entry = self.state[urn]
        if entry.replacing:
            return
        limit_s = seconds_of(entry.timeouts.get("read"))
        host = self._estate.host
        read = self._call(lambda: host.refresh(entry.stored, urn=urn, timeout_s=limit_s))
        if not read.id:
            del self.state[urn]
            return
        inputs = read.inputs or {}
        same = (read.outs, inputs) == (entry.stored.outs, entry.inputs)
        self.state[urn] = replace(
            entry,
            stored=read,
            inputs=inputs,
            init_errors=(),
            declared=entry.declared if same else None,
        )


def _unevenly(simulator: Simulator) -> None:
    """Let deletions on some nodes take longer than on others: a third, two, or all of the time."""
    progress = simulator._cloud._progress
    begin, longest = progress.begin_delete, progress._delete_seconds

    def begin_delete(service: Service, now: float) -> None:
        number = int(service.ai_nodes[0].rpartition("-")[2])
        progress._delete_seconds = longest * (number % 3 + 1) / 3
        begin(service, now)

    progress.begin_delete = begin_delete  # type: ignore[method-assign]


class Estate(Stage):
    """One cloud, and the stacks that live on it. A context manager."""

    def __init__(
        self, dialects: Collection[str], *, delete_seconds: float, preflight: bool
    ) -> None:
        self.clock = TurnsClock()
        super().__init__(self.clock, dialects, delete_seconds=delete_seconds, preflight=preflight)
        if delete_seconds:
            _unevenly(self.simulator)
        self.stacks = {name: Stack(name, self) for name in ("dev", "prod")}
        self.turns: Turns | None = None
        #: The program of the moment.
        self.program: Sequence[Declared] = ()

    def __enter__(self) -> Self:
        TimedProvider.export = self.export
        return super().__enter__()

    def __exit__(self, *args: object) -> None:
        super().__exit__(*args)
        TimedProvider.export = staticmethod(lambda *_: None)

    def news(self, declared: Declared) -> Properties:
        """What the program hands over for a resource."""
        adopted = {} if declared.import_ is None else {"__adopt": declared.import_}
        hidden = {"__organization": ORGANIZATION, "__number": self._of_program()}
        return {**declared.inputs, **adopted, **hidden}

    def _of_program(self) -> Properties:
        """What a program says of itself."""
        names = [name for declared in self.program for name in declared.names]
        wanted = [
            [key, declared.names]
            for declared in self.program
            for key in wanted_of(declared.import_, declared.inputs.get("client_token"))
        ]
        return {
            "number": len(self.program),
            "names": json.dumps(names),
            "wanted": wanted,
            "one_by_one": False,
        }

    def cut(self) -> None:
        """SIGKILL for the host: the engine's calls end, and so does all that goes on in it."""
        self.host.cut()
        if self.turns is not None:
            self.turns.cut()

    def export(self, organization: str, urn: str) -> str | None:
        """What `pulumi stack export` prints of the stack of a resource, at this moment."""
        stack, project = urn.removeprefix("urn:pulumi:").split("::")[:2]
        if (organization, project) != (ORGANIZATION, _PROJECT):
            return None
        resources = [
            {
                "urn": urn,
                "custom": True,
                "type": _TYPE,
                "id": entry.id,
                "outputs": entry.stored.outs,
                "retainOnDelete": entry.retain,
                "pendingReplacement": entry.replacing,
            }
            for urn, entry in dict(self.stacks[stack].state).items()
        ]
        return json.dumps({"version": 3, "deployment": {"resources": resources}})
