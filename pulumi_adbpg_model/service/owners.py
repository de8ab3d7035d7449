"""
Which resource owns which service, as far as one process can know.

The process is told of each resource by its URN: by check, what the program declares; by diff, which
service it has until now. Of what the program has no more, only the stack's state knows. A service
has one owner: whoever would make it two is refused, and who is no longer the owner deletes nothing.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.fields import UNKNOWN
from pulumi_adbpg_model.lifecycle import (
    BEING_DELETED,
    OwnedError,
    Ownership,
    Standing,
    how_to_take_over,
    no_successor,
)
from pulumi_adbpg_model.service import state
from pulumi_adbpg_model.service.stack import StackEntry
from pulumi_adbpg_model.service.unfinished import on_target

Properties = Mapping[str, Any]
#: Instance and name.
Node = tuple[str, str]

#: How long a resource that the state knows may take to be declared, after the others are.
_DECLARED_S = 2.0
_SLICE_S = 0.1
#: How long a resource that leaves a node may take to begin with that, once no other is in its way.
_LEAVES_S = 120.0


@dataclass(frozen=True)
class _Resource:
    """What is known of a resource that the program declares."""

    nodes: frozenset[Node] = frozenset()
    #: Those of the service that it has until now.
    old_nodes: frozenset[Node] = frozenset()
    #: Whether check was told of a service that it has, the last time; and whether it ever was.
    creating: bool = False
    existed: bool = False
    adopts: str | None = None
    #: What `import_` named before.
    adopted: str | None = None
    token: tuple[object, str] | None = field(default=None, repr=False)
    #: None where it is not known yet; and the region that it is to be deployed in, None for that
    #: of the configuration.
    model: str | None = None
    region: Any = None
    #: That of the service that it has until now, and the region that is declared for that.
    old_model: str | None = None
    old_region: object = None
    #: What diff is told.
    had: ModelServiceId | None = None


@dataclass(frozen=True)
class Following:
    """What takes the place of a service that is deleted."""

    #: None where it is not known yet.
    model: str | None
    #: None for that of the configuration.
    region: Any
    #: Whether the program has said so; if not, it is by what was declared before.
    declared: bool = True


class Owners(Ownership):
    """The record of one process. Threads share it."""

    def __init__(self, clock: Clock, stack: Callable[[], Mapping[str, StackEntry] | None]) -> None:
        self._clock = clock
        #: The services that the stack's state holds, by URN; None when it is not to be had.
        self._stack = stack
        self._lock = threading.RLock()
        self._declared: dict[str, _Resource] = {}
        #: By resources that go and come again with what they depend on.
        self._foreseen: dict[str, Following] = {}
        self._claimed: dict[ModelServiceId, str] = {}
        self._deleting: set[ModelServiceId] = set()
        #: How many resources the program has made so far, as it says; None where it does not. And
        #: their names.
        self._number: int | None = None
        self._told = ""
        self._names: frozenset[str] = frozenset()
        #: What they are to take over, with the names of each; and whether the engine does one thing
        #: at a time.
        self._wanted: set[tuple[str, frozenset[str]]] = set()
        self._one_by_one = False
        #: Resources that left a service to another which the state gives it to.
        self._left: set[tuple[str, ModelServiceId]] = set()
        #: Services that nobody has until they are taken over.
        self._awaited: set[ModelServiceId] = set()
        #: Resources that the engine is at work on; those that wait for a node; and when one of the
        #: others was last. It works on so many at once, and begins with the next when one is done.
        self._operating: set[str] = set()
        self._waiting: set[str] = set()
        self._worked_s = 0.0

    @contextmanager
    def operating(self, urn: str) -> Iterator[None]:
        """Take note of an operation while it goes on."""
        with self._lock:
            self._operating.add(urn)
        try:
            yield
        finally:
            with self._lock:
                self._operating.discard(urn)
                self._waiting.discard(urn)
                self._worked_s = self._clock.monotonic()

    def _of(self, urn: str) -> _Resource:
        return self._declared.get(urn, _Resource())

    # What the state knows

    def _held(self, urn: str) -> StackEntry | None:
        return (self._stack() or {}).get(urn)

    def _in_stack(self, service: ModelServiceId) -> str | None:
        """The resource that has a service, by the state."""
        stack = (self._stack() or {}).items()
        return next((urn for urn, held in stack if held.service == service), None)

    def _kept_by(self, service: ModelServiceId) -> str | None:
        """The option that keeps a service of the state where it is."""
        stack = (self._stack() or {}).values()
        return next((held.kept_by for held in stack if held.service == service), None)

    # What check tells

    def declare(
        self, urn: str, olds: Properties, inputs: Properties, run: int | Properties | None
    ) -> list[str]:
        """
        Take note of a resource of the program. What is replaced comes once more, without old
        inputs; `run` is what `state.NUMBER` holds.

        Returns:
            What cannot be, as it is about to be created: a sentence each.
        """
        creating = all(state.is_hidden(name) for name in olds)
        token, adopts = inputs.get("client_token"), inputs.get(state.ADOPT)
        number = run.get("number") if isinstance(run, Mapping) else run
        with self._lock:
            if number is not None:  # calls may overtake each other
                self._number = max(number, self._number or 0)
            if isinstance(run, Mapping):
                self._wanted |= {(key, frozenset(names)) for key, names in run["wanted"]}
                self._one_by_one = run["one_by_one"]
                if len(run["names"]) > len(self._told):
                    self._told = run["names"]
                    self._names = frozenset(json.loads(self._told))
            before = self._of(urn)
            now = replace(
                before,
                nodes=_nodes_of(inputs),
                old_nodes=before.old_nodes if creating else _nodes_of(olds),
                adopted=before.adopted if creating else olds.get(state.ADOPT),
                creating=creating,
                existed=before.existed or not creating,
                adopts=adopts if isinstance(adopts, str) else None,
                token=(inputs.get("region_id"), token) if isinstance(token, str) else None,
                model=_model_of(inputs),
                region=inputs.get("region_id"),
                old_model=before.old_model if creating else _model_of(olds),
                old_region=before.old_region if creating else olds.get("region_id"),
            )
            self._declared[urn] = now
            return [] if now.existed else list(self._impossible(urn, now))

    def _impossible(self, urn: str, wanted: _Resource) -> Iterator[str]:
        for other, there in self._declared.items():
            if other == urn:
                continue
            if wanted.adopts is not None and wanted.adopts in (
                str(there.had),
                None if there.existed else there.adopts,
            ):
                yield (
                    f"import_ names model service {wanted.adopts}, which resource {_named(other)} "
                    f"of this program {'has' if there.had else 'imports'} too. A service has one "
                    f"owner: remove import_ here, or take {_name(other)!r} out of the program, "
                    "which leaves the service to this one."
                )
            # Regions that are not known yet may differ.
            known = wanted.token is not None and wanted.token[0] is not UNKNOWN
            if known and wanted.token == there.token:
                yield (
                    f"client_token is the one of resource {_named(other)} too, and would lead to "
                    "the same service. Set another client_token, or leave it out to have one "
                    "derived."
                )

    @property
    def all_declared(self) -> bool:
        """
        Whether the program has told of all that it made so far. What one has is told after the
        resource itself, and may be another's by its former name.
        """
        with self._lock:
            told = [there for there in self._declared.values() if there.creating or there.had]
            return self._number is not None and len(told) >= self._number

    def _is_gone(self, urn: str) -> bool:
        """Whether the program has a resource no more, under any name, as far as it has told."""
        with self._lock:
            made_none = bool(self._names) and not _names(urn) & self._names
            return urn not in self._declared and (self.all_declared or made_none)

    def is_declared(self, urn: str) -> bool:
        """Whether the program has told of the resource."""
        return urn in self._declared

    def declares(self, urn: str, service: ModelServiceId) -> bool:
        """Whether the program has the resource, or one that is to take the service over."""
        with self._lock:
            adopts = (there.adopts for there in self._declared.values())
            return urn in self._declared or str(service) in adopts

    def old_nodes(self, urn: str) -> frozenset[Node] | None:
        """The nodes of the service that it has until now; None when there is none."""
        resource = self._of(urn)
        return resource.old_nodes if resource.existed else None

    def next_nodes(self, urn: str, service: ModelServiceId) -> frozenset[Node]:
        """
        The nodes of what is made once a service is deleted; none where that is there already.

        Raises:
            OperationError: Another resource of the program wants one of them too.
        """
        known = self._stack() or {}
        with self._lock:
            owner = self._successor(urn, service, known)
            made = self._has_another(owner, service)
            nodes = frozenset() if made else self._of(owner).nodes
            rival = self.rival(owner, nodes)
        if rival is not None:
            raise no_successor(service, rival)
        return nodes

    def following(self, urn: str, service: ModelServiceId) -> Following | None:
        """
        What is made once a service is deleted; None where nothing is, where it is there already,
        and where its region is not known.
        """
        known = self._stack() or {}
        with self._lock:
            owner = self._successor(urn, service, known)
            if self._has_another(owner, service):
                return None
            there = self._declared.get(owner)
            if there is None:
                following = self._foreseen.get(owner)
            else:
                following = Following(there.model, there.region)
            if following is None or following.region is UNKNOWN:
                return None
            return following

    def replaces(self, urn: str) -> tuple[ModelServiceId, str | None] | None:
        """
        The service that is deleted so that one can be created in its place, and its model where
        that is known and the region stays; None where there is none.
        """
        there, held = self._of(urn), self._held(urn)
        if held is not None and (held.replaced or held.kept_by == "retain_on_delete"):
            return None
        service = there.had if held is None else held.service
        model = there.old_model or (held.model if held else None)
        moves = there.existed and there.region != there.old_region
        return None if service is None else (service, None if moves else model)

    def neighbours(self, urn: str) -> Mapping[Node, str]:
        """By the nodes that it declares: another resource that declares it too."""
        with self._lock:
            return {
                node: other
                for other, there in self._declared.items()
                for node in there.nodes & self._declared[urn].nodes
                if other != urn
            }

    def meets(self, urn: str, service: ModelServiceId, node: str) -> bool:
        """
        Whether a service that holds a node is no hindrance by the time that the resource is
        created: its own, which is deleted before, or one that its client token leads to.
        """
        known, resource = self._stack(), self._of(urn)
        stack = known or {}
        if self.is_former(urn, service, existed=True):
            return not (urn in stack and stack[urn].kept_by == "retain_on_delete")
        if known is None and (service.db_instance_id, node) in resource.old_nodes:
            return True  # as far as can be told: what is tainted comes without a diff
        owner = self._in_stack(service)
        if owner is None or owner in self._declared or resource.token is None:
            return False
        return stack[owner].client_token in ("", resource.token[1])  # maybe, where it is a secret

    def to_be_created(self, urn: str) -> bool:
        """Whether check was told last of no service that it has."""
        return self._of(urn).creating

    # What diff tells, and what create and delete do

    def foresee(self, urn: str, inputs: Properties) -> None:
        """
        Take note of what a resource is to be that the engine may delete before the program declares
        it: together with something that it depends on, and that is replaced.
        """
        with self._lock:
            self._foreseen[urn] = Following(
                _model_of(inputs), inputs.get("region_id"), declared=False
            )

    def is_replaced(self, urn: str) -> bool:
        """Whether what the state has of a resource is deleted, and its successor not made yet."""
        held = self._held(urn)
        return held is not None and held.replaced

    def new_import(self, urn: str, service: ModelServiceId) -> str | None:
        """What `import_` names where a resource exists, if it is new and another service."""
        there, held = self._of(urn), self._held(urn)  # check is not told of what is tainted
        existed = there.existed or (held is not None and not held.replaced)
        known = {None, there.adopted, str(service), held.imported if held else None}
        hidden = held is not None and held.imported == ""  # one that is a secret
        return there.adopts if existed and there.adopts not in known and not hidden else None

    def own(self, urn: str, service: ModelServiceId) -> None:
        """
        Take note of the service that a resource of the program has.

        Raises:
            OwnedError: Another one of the program has it too, or is to take it over.
        """
        with self._lock:
            if urn not in self._declared:  # as in a refresh: the program may have it no more
                return
            owner = self._claimed.get(service, urn)
            other = owner if owner != urn else self._heir(urn, service)
            if other is not None:
                raise OwnedError(
                    f"update of model service {service} failed: resources {_named(urn)} and "
                    f"{_named(other)} of this program both have it, and a service has one owner. "
                    f"Take {_name(urn)!r} or {_name(other)!r} out of the program: its deletion "
                    "leaves the service to the other."
                )
            self._claimed[service] = urn
            self._declared[urn] = replace(self._declared[urn], had=service)

    def _heir(self, urn: str, service: ModelServiceId) -> str | None:
        """Another resource of the program, which is to take a service over, and has not."""
        for other, there in self._declared.items():
            if other != urn and there.adopts == str(service) and not there.existed:
                return other
        return None

    def begin_deletion(
        self, urn: str, service: ModelServiceId, client_token: object = None
    ) -> str | None:
        """
        Take note of a deletion that is about to be asked for.

        Returns:
            Why there is nothing to delete: it is another's by now; None otherwise.

        Raises:
            OperationError: Another one is to take it over, and has not; or the state gives it to
                another one too, and it is not known what becomes of that.
        """
        known = self._stack() or {}
        with self._lock:
            whose = self._whose_by_now(urn, service, client_token, known)
            if whose is not None:
                self._left.add((urn, service))
                return f"{service} {whose}: it is left alone"
            heir = self._heir(urn, service)
            if heir is not None:
                raise OperationError(
                    f"delete of model service {service} was not sent: resource {_named(heir)} is "
                    "to take it over, and has not. Correct that one, then run `pulumi up` again."
                )
            self._deleting.add(service)
            return None

    def is_awaited(self, service: ModelServiceId) -> bool:
        """Whether a service was left to a resource that has not taken it over."""
        return service in self._awaited

    def _whose_by_now(
        self,
        urn: str,
        service: ModelServiceId,
        client_token: object,
        known: Mapping[str, StackEntry],
    ) -> str | None:
        """Whose a service is that a resource is to delete; None where it is that one's alone."""
        owner = self._claimed.get(service, urn)
        if owner != urn and not self._is_replacing(owner, service):
            return f"is resource {_named(owner)} by now"
        if self._successor(urn, service, known) != urn:
            return None
        declared = urn in self._declared
        keys = {str(service), *state.wanted_of(None, client_token)}
        if not declared and self._is_wanted(urn, keys, known):
            self._awaited.add(service)
            return "is in no state until another resource of the program takes it over"
        others = [
            other
            for other, held in known.items()
            if other != urn
            and held.service == service
            and not held.replaced
            # Of two that go at once, one has to delete it.
            and (other, service) not in self._left
        ]
        if declared:
            for other in others:
                if other not in self._declared:
                    raise OperationError(
                        f"delete of model service {service} was not sent: {_also_of(other)}"
                    )
        elif self._declared:  # what the program has no more goes too
            others = [other for other in others if not self._is_gone(other)]
        return f"is resource {_named(others[0])} of this stack too" if others else None

    def _is_wanted(self, urn: str, keys: set[str], known: Mapping[str, StackEntry]) -> bool:
        """Whether a resource that the program made, and has not declared yet, wants a service."""
        for there in self._declared.values():  # what they want is known by other means
            keys = keys.difference(state.wanted_of(there.adopts, there.token and there.token[1]))
        wanting = [names for key, names in self._wanted if key in keys]
        # What the state has already takes nothing over any more.
        have = [urn, *(other for other, held in known.items() if not held.replaced)]
        return any(all(names.isdisjoint(_names(one)) for one in have) for names in wanting)

    def _is_replacing(self, urn: str, service: ModelServiceId) -> bool:
        """Whether a resource of the program is to get another service in place of this one."""
        there = self._of(urn)
        return there.creating and there.had == service

    def _successor(self, urn: str, service: ModelServiceId, known: Mapping[str, StackEntry]) -> str:
        """
        The resource in whose place or for whose sake a service is deleted: that with the URN,
        unless the program has it under another name. What is replaced is deleted under its old one.
        """
        owner = self._claimed.get(service, urn)
        # Where the state has both names, the service has two owners.
        return owner if owner not in known and self._is_replacing(owner, service) else urn

    def _has_another(self, urn: str, service: ModelServiceId) -> bool:
        return any(one != service and whose == urn for one, whose in self._claimed.items())

    def end_deletion(self, service: ModelServiceId, *, gone: bool) -> None:
        """Take note of what came of it."""
        with self._lock:
            self._deleting.discard(service)
            if gone:
                self._claimed.pop(service, None)

    # What an operation asks, for a resource

    def claim(self, urn: str, service: ModelServiceId, *, existed: bool) -> str | None:
        """See `Ownership`."""
        former = self._in_stack(service) if existed else None
        if former == urn:
            former = None
        elif former is not None:
            self._await_declaration(former)
        with self._lock:
            if service in self._deleting:
                raise OwnedError(f"model service {service} is in the way. {BEING_DELETED}")
            other = self._claimed.get(service, urn)
            if other == urn and former in self._declared:
                other = former
            if other != urn:
                raise OwnedError(
                    f"model service {service} is resource {_named(other)} of this program, and a "
                    f"service has one owner. Take {_name(other)!r} out of the program, which "
                    "leaves the service to this one. Or remove import_ or a client_token of its "
                    "own, and choose another node, which makes this one a service of its own."
                )
            self._claimed[service] = urn
            self._waiting.discard(urn)
        if former is None:
            return None
        was = f"{service} was resource {_named(former)}"
        return f"{was}, whose deletion leaves it alone from now on"

    def rival(self, urn: str, nodes: Collection[Node]) -> str | None:
        """See `Ownership`."""
        with self._lock:
            for other, there in self._declared.items():
                shared = there.nodes & frozenset(nodes)
                if other != urn and shared:
                    (_, node), *_ = sorted(shared)
                    return f"AI node {node} is wanted by {_one_node(other)}"
        return None

    def release(self, urn: str, service: ModelServiceId) -> None:
        """See `Ownership`."""
        with self._lock:
            had = self._of(urn).had
            if self._claimed.get(service) == urn and service != had:
                del self._claimed[service]

    def is_former(self, urn: str, service: ModelServiceId, *, existed: bool) -> bool:
        """See `Ownership`."""
        if self._of(urn).had == service:
            return True
        held = self._held(urn) if existed else None
        return held is not None and held.service == service

    def created_before(self, urn: str) -> bool:
        """See `Ownership`."""
        resource = self._of(urn)
        return resource.existed or resource.had is not None or self._held(urn) is not None

    def is_left_in(self, urn: str, adopted: ModelServiceId) -> bool:
        """See `Ownership`."""
        resource, held = self._of(urn), self._held(urn)
        before = {resource.adopted, str(resource.had)}
        if held is not None:
            before |= {held.imported, str(held.service)}
        return str(adopted) in before

    def standing(self, urn: str, service: ModelServiceId, node: str) -> Standing:
        """See `Ownership`."""
        if service in self._deleting:
            return Standing(BEING_DELETED, leaves=True, wait_s=math.inf)
        if self.is_former(urn, service, existed=True):
            retained = self._kept_by(service) == "retain_on_delete"
            return Standing(
                "It is what this resource had until now, and "
                f"{'retain_on_delete kept it' if retained else 'it was not deleted'}. Choose "
                "another node, delete that service, or keep it with "
                f'opts=ResourceOptions(import_="{service}").'
            )
        owner = self._claimed.get(service) or self._in_stack(service)
        if owner is None:
            first = _WHERE_TO_LOOK if self._stack() is None else ""
            return Standing(first + how_to_take_over(service), unowned=True)
        there = self._declared.get(owner)
        if there is None:
            if self._is_gone(owner):
                return Standing(self._undeclared(urn, owner, service))
            return Standing(_not_yet_declared(owner), wait_s=_DECLARED_S)
        if (service.db_instance_id, node) in there.nodes:
            return Standing(f"It is {_one_node(owner)}")
        return self._leaving(urn, owner, service)

    def _leaving(self, urn: str, owner: str, service: ModelServiceId) -> Standing:
        """How a resource of the program stands that declares other nodes by now."""
        leaves = f"It is resource {_named(owner)} of this program, which leaves that node, but"
        with self._lock:
            another = self._has_another(owner, service)
        # The state knows nothing more of this one once there is another.
        kept_by = "retain_on_delete" if another else self._kept_by(service)
        if kept_by is not None:
            return Standing(f"{leaves} {kept_by} keeps its service there. Choose another node.")
        if self._one_by_one:
            return Standing(f"{leaves} not before this one. Run `pulumi up` without --parallel 1.")
        with self._lock:
            self._waiting.add(urn)
            if self._operating - self._waiting:
                self._worked_s = self._clock.monotonic()
        return Standing(
            f"{leaves} has not begun to. Run `pulumi up` again; if it does not help, change that "
            "one alone first.",
            leaves=True,
            wait_s=_LEAVES_S,
            wait_from_s=self._worked_s,
        )

    def _undeclared(self, urn: str, owner: str, service: ModelServiceId) -> str:
        """What to do about a resource of the stack that the program has no more."""
        name = _name(owner)
        told = [f"It is resource {name!r} of this stack."]
        if not self.created_before(urn):
            told.append(
                "If this is that one under another name or parent, say so with "
                f"opts=ResourceOptions(aliases=[{json.dumps(owner)}])."
            )
        kept_by, destroy = self._kept_by(service), on_target("destroy", owner)
        if kept_by is not None:
            told.append(f"{kept_by} keeps its service there, also when {name!r} is gone.")
        elif destroy is not None:
            told.append(
                f"If the program has no {name!r} any more, {destroy} deletes it; then run "
                "`pulumi up` again."
            )
        return " ".join([*told, "Else choose a free node."])

    def _await_declaration(self, urn: str) -> None:
        """Wait until the program has told of a resource, or of all, or long enough."""
        until = self._clock.monotonic() + _DECLARED_S
        with tracing.span("wait for the program"):
            while urn not in self._declared and not self._is_gone(urn):
                if self._clock.cancelled or self._clock.monotonic() >= until:
                    return
                self._clock.sleep(_SLICE_S)


_WHERE_TO_LOOK = (
    "If a resource of this stack has it (`pulumi stack --show-urns --show-ids` tells), name its "
    "URN in aliases where this is that one under another name, or remove it first. "
)


def _nodes_of(inputs: Properties) -> frozenset[Node]:
    """The nodes that are known."""
    instance, nodes = inputs.get("db_instance_id"), inputs.get("ai_nodes")
    if not isinstance(instance, str) or not isinstance(nodes, list):
        return frozenset()
    return frozenset((instance, node.strip()) for node in nodes if isinstance(node, str))


def _model_of(inputs: Properties) -> str | None:
    """The model that is known."""
    model = inputs.get("model_name")
    return model if isinstance(model, str) else None


def _one_node(other: str) -> str:
    """What to do about two resources of the program on one node."""
    return (
        f"resource {_named(other)} of this program, which declares that node too, and a node hosts "
        "one model. Choose another node for one of the two."
    )


def _also_of(owner: str) -> str:
    """What to do about a resource that has the service too, and may be declared or not."""
    told = (
        f"resource {_named(owner)} of this stack has it too, and the program has not declared that "
        "so far."
    )
    destroy = on_target("destroy", owner)
    if destroy is None:
        return told
    return (
        f"{told} If it has no {_name(owner)!r} any more, {destroy} leaves the service to this one; "
        "then run `pulumi up` again."
    )


def _not_yet_declared(owner: str) -> str:
    """What to do about a resource that the program declares once others are done."""
    told = (
        f"It is resource {_name(owner)!r} of this stack, which the program has not declared so "
        "far. If it is to leave that node, let it go first"
    )
    let_go = on_target("up", owner)
    if let_go is None:
        return f"{told}, then run `pulumi up` again. Else choose a free node."
    return (
        f"{told}: {let_go}, then run `pulumi up` again; where the two change places, give one of "
        "them a free node first. Else choose a free node."
    )


def _names(urn: str) -> frozenset[str]:
    """See `state.names_of`."""
    *_, types, name = urn.split("::", 3)
    return frozenset(state.names_of(name, ("$" + types).split("$")[-2]))


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _named(urn: str) -> str:
    return f"{_name(urn)!r} ({urn})"
