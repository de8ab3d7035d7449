"""What is found, as one line each: the property, the rule and the value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Phase,
    same_model_name,
)
from pulumi_adbpg_model.lifecycle import Ownership
from pulumi_adbpg_model.lifecycle.compare import differences, where_it_shows
from pulumi_adbpg_model.lifecycle.presence import is_deleted
from pulumi_adbpg_model.service import state
from pulumi_adbpg_model.service.owners import Owners
from pulumi_adbpg_model.service.preflight._inquiry import Seen
from pulumi_adbpg_model.settings import Settings

__all__ = ["Declared", "Findings", "shared_nodes"]

#: So many names are listed.
_MOST = 10
#: Right also where the service is replaced, moved away or found again by its client token.
_UNLESS = (
    "The create is refused unless the holder is gone by then, or was left by an interrupted "
    "`pulumi up` of this resource."
)


@dataclass(frozen=True)
class Declared:
    """What a resource that is to be created asks for. None: not known yet, or not asked for."""

    urn: str
    instance: str | None
    model: str | None
    #: Label and name of each node that is known.
    nodes: Sequence[tuple[str, str]]
    #: The service to take over.
    adopted: ModelServiceId | None
    #: All that is asked for, once everything is known.
    spec: ModelServiceSpec | None
    #: The nodes of the service that this resource replaces; None when it replaces none.
    replaced: frozenset[str] | None
    #: The other resource of the program that names a node too, by the node.
    others: Mapping[str, str]
    #: Names of the inputs whose values are not to be told.
    secret: Collection[str]
    #: What is known of the services that are in its way.
    owners: Ownership
    #: Whether one that holds a node is no hindrance by then.
    meets: Callable[[ModelServiceId, str], bool]

    @classmethod
    def of(cls, urn: str, inputs: Mapping[str, Any], owners: Owners) -> Declared:
        """
        Read the inputs.

        Args:
            urn: The resource's.
            inputs: Its inputs.
            owners: Who has what, and what the program declares.
        """
        instance, model = _text(inputs.get("db_instance_id")), _text(inputs.get("model_name"))
        named = inputs.get("ai_nodes")
        nodes = [
            (f"ai_nodes[{index}]", node.strip())
            for index, node in enumerate(named if isinstance(named, list) else ())
            if isinstance(node, str)
        ]
        had = owners.old_nodes(urn)
        adopted = inputs.get(state.ADOPT) if had is None else None
        neighbours = owners.neighbours(urn)
        return cls(
            urn,
            instance,
            None if adopted else model,
            nodes,
            ModelServiceId.parse(adopted) if isinstance(adopted, str) else None,
            state.spec_from(inputs) if _is_known(inputs) else None,
            None if had is None else frozenset(node for place, node in had if place == instance),
            {node: other for (_, node), other in neighbours.items()},
            state.secret_names(inputs),
            owners,
            partial(owners.meets, urn),
        )


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) else None


def _is_known(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_known, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_known, value))
    return value is None or isinstance(value, (str, int, float))


def shared_nodes(declared: Declared) -> Iterator[str]:
    """Two resources of one program on one node."""
    for label, node in declared.nodes:
        if node in declared.others:
            name = declared.others[node].rpartition("::")[2]
            yield (
                f"{label} should be a node of its own, got {node!r}: resource {name!r} of this "
                "program names it too, and a node hosts one model."
            )


class Findings:
    """All that the cloud's answers say against the declaration, found as it is iterated over."""

    def __init__(
        self,
        declared: Declared,
        seen: Seen,
        settings: Settings,
        deleted_here: Collection[ModelServiceId],
    ) -> None:
        self._declared = declared
        self._seen = seen
        self._settings = settings
        self._living = [
            service
            for service in seen.services or ()
            if service.id not in deleted_here and not is_deleted(service)
        ]
        self._dead = [service for service in seen.services or () if service.id in deleted_here]
        #: Whether more can be said once the program has declared all that it has.
        self.unsure = False

    def __iter__(self) -> Iterator[str]:
        declared, seen = self._declared, self._seen
        region = self._settings.region
        where = f"region {region}" if region else "the endpoint"
        if declared.model and seen.models and declared.model not in seen.models:
            hint = "model_name" not in declared.secret
            yield _unlisted_model(declared.model, seen.models, where, hint=hint)
        if seen.invisible:
            yield (
                f"db_instance_id should be an instance that {where} shows to the credentials from "
                f"{self._settings.credentials.source}, got {declared.instance!r}. Check the id, "
                "the region and the account."
            )
        if declared.adopted is not None and not declared.owners.is_left_in(
            declared.urn, declared.adopted
        ):
            yield from self._unfit(declared.adopted)
        yield from self._unusable_nodes()

    def _unfit(self, wanted: ModelServiceId) -> Iterator[str]:
        """Why a service cannot be taken over."""
        declared = self._declared
        mine = wanted.db_instance_id == declared.instance
        if self._seen.services is None or declared.instance is None:
            return
        there = [service for service in self._living if service.id == wanted]
        if mine and not there:
            yield (
                f"import_ should name a model service of instance {declared.instance}, got "
                f"'{wanted}': there is none. Correct the id, or remove import_ to create a new "
                "service."
            )
        shown = there[0] if there else ModelServiceDetails(wanted)
        if shown.phase in (Phase.FAILED, Phase.LEAVING):
            yield (
                "import_ should name a model service that is active or on its way, got "
                f"'{wanted}': {shown.why_not_active}."
            )
        elif declared.spec is not None:
            found = differences(wanted, declared.spec, shown, declared.secret)
            if found:
                yield (
                    f"import_ should name a model service that is as declared, got '{wanted}': "
                    f"{'; '.join(found)}. Declare what is there."
                    f"{where_it_shows(wanted, found)}"
                )

    def _unusable_nodes(self) -> Iterator[str]:
        declared, seen = self._declared, self._seen
        holders, freed = _by_node(self._living), _by_node(self._dead)
        bound = {node.name: node.bound_to for node in seen.nodes or () if node.bound}
        free = [
            node.name
            for node in seen.nodes or ()
            if not node.bound and node.name not in {*holders, *declared.others}
        ]
        choice = "" if seen.nodes is None else f"Free AI nodes: {_some(free) or 'none'}."
        names = [node.name for node in seen.nodes or ()]
        for label, node in declared.nodes:
            holder = holders.get(node)
            if seen.nodes is not None and node not in names and holder is None:
                yield (
                    f"{label} should be an AI node of instance {declared.instance}, got {node!r}. "
                    f"{_all_or_nearest(node, names, hint='ai_nodes' not in declared.secret)}"
                )
                continue
            if node in declared.others:
                continue
            taken = f"{label} should be a free AI node, got {node!r}: it is"
            if holder is not None and holder.id != declared.adopted:
                yield from self._held(taken, holder, node, choice)
            elif (
                holder is None
                and not declared.adopted
                and node in bound
                and node not in {*freed, *(declared.replaced or ())}
            ):
                yield _joined(
                    f"{taken} bound{f' to {bound[node]}' if bound[node] else ''}.", _UNLESS, choice
                )

    def _held(
        self, taken: str, holder: ModelServiceDetails, node: str, choice: str
    ) -> Iterator[str]:
        if holder.phase is Phase.LEAVING or self._declared.meets(holder.id, node):
            return
        standing = self._declared.owners.standing(self._declared.urn, holder.id, node)
        if standing.leaves:
            return
        if standing.wait_s:
            self.unsure = True
            return
        runs = f", which runs {holder.model_name}" if holder.model_name else ""
        unless = _UNLESS if standing.unowned else ""
        yield _joined(
            f"{taken} held by model service {holder.id}{runs}.", unless, choice, standing.advice
        )


def _unlisted_model(name: str, models: Sequence[str], where: str, *, hint: bool) -> str:
    for listed in models:
        if hint and same_model_name(name, listed):  # a create may be strict where reads are not
            return (
                f"model_name should be written {listed!r}, as {where} lists it, got {name!r}: the "
                "cloud may know it in no other case."
            )
    return (
        f"model_name should be a model that {where} lists, got {name!r}. "
        f"{(hint and _nearest(name, models)) or f'It lists {_some(models)}.'}"
    )


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _by_node(services: Iterable[ModelServiceDetails]) -> dict[str, ModelServiceDetails]:
    return {node: service for service in services for node in service.ai_nodes or ()}


def _nearest(name: str, names: Iterable[str]) -> str:
    """The names most like this one, whatever their case, as a sentence; empty without any."""
    by_lower = {each.lower(): each for each in names}
    near = [by_lower[match] for match in get_close_matches(name.lower(), by_lower, 3)]
    return f"Nearest: {', '.join(near)}." if near else ""


def _all_or_nearest(name: str, names: Sequence[str], *, hint: bool) -> str:
    """What there is instead. A hint at what was meant would tell a secret."""
    if not names:
        return "The instance shows no AI nodes."
    near = _nearest(name, names) if hint and len(names) > _MOST else ""
    return near or f"Its AI nodes: {_some(names)}."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
