"""What is found, as one line each: the property, the rule and the value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pulumi_adbpg_model import state
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.lifecycle.placement import how_to_take_over
from pulumi_adbpg_model.lifecycle.presence import is_deleted
from pulumi_adbpg_model.preflight._inquiry import Seen
from pulumi_adbpg_model.settings import Settings

__all__ = ["Declared", "findings", "nodes_of", "shared_nodes"]

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

    instance: str | None
    model: str | None
    #: Label and name of each node that is known.
    nodes: Sequence[tuple[str, str]]
    #: The service to take over.
    adopted: ModelServiceId | None
    #: The nodes of the service that this resource replaces; None when it replaces none.
    replaced: frozenset[str] | None
    #: The other resource of the program that names a node too, by the node.
    others: Mapping[str, str]

    @classmethod
    def of(
        cls,
        urn: str,
        inputs: Mapping[str, Any],
        existing: tuple[object, frozenset[str]] | None,
        named: Mapping[tuple[str, str], str],
    ) -> Declared:
        """
        Read the inputs.

        Args:
            urn: The resource's.
            inputs: Its inputs.
            existing: Instance and nodes of the service that it has until now.
            named: Which resource names a node of an instance first.
        """
        instance, model = _text(inputs.get("db_instance_id")), _text(inputs.get("model_name"))
        nodes = nodes_of(inputs)
        replaced = None
        if existing is not None:
            replaced = existing[1] if existing[0] == instance else frozenset()
        adopted = inputs.get(state.ADOPT) if existing is None else None
        first = {node: named.get((instance or "", node), urn) for _, node in nodes}
        return cls(
            instance,
            None if adopted else model,
            nodes,
            ModelServiceId.parse(adopted) if isinstance(adopted, str) else None,
            replaced,
            {node: other for node, other in first.items() if other != urn},
        )


def nodes_of(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and name of each node that is known."""
    nodes = inputs.get("ai_nodes")
    return [
        (f"ai_nodes[{index}]", node.strip())
        for index, node in enumerate(nodes if isinstance(nodes, list) else ())
        if isinstance(node, str)
    ]


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) else None


def shared_nodes(declared: Declared) -> Iterator[str]:
    """Two resources of one program on one node."""
    for label, node in declared.nodes:
        if node in declared.others:
            name = declared.others[node].rpartition("::")[2]
            yield (
                f"{label} should be a node of its own, got {node!r}: resource {name!r} of this "
                "program names it too, and a node hosts one model."
            )


def findings(
    declared: Declared, seen: Seen, settings: Settings, deleted_here: Collection[ModelServiceId]
) -> Iterator[str]:
    """All that the cloud's answers say against the declaration."""
    where = f"region {settings.region}" if settings.region else "the endpoint"
    if declared.model and seen.models and declared.model not in seen.models:
        yield (
            f"model_name should be a model that {where} lists, got {declared.model!r}. "
            f"{_nearest(declared.model, seen.models) or f'It lists {_some(seen.models)}.'}"
        )
    if seen.invisible:
        yield (
            f"db_instance_id should be an instance that {where} shows to the credentials from "
            f"{settings.credentials.source}, got {declared.instance!r}. Check the id, the region "
            "and the account."
        )
    living = [
        service
        for service in seen.services or ()
        if service.id not in deleted_here and not is_deleted(service)
    ]
    yield from _missing_service(declared, seen, living)
    dead = [service for service in seen.services or () if service.id in deleted_here]
    yield from _unusable_nodes(declared, seen, living, dead)


def _missing_service(
    declared: Declared, seen: Seen, living: Iterable[ModelServiceDetails]
) -> Iterator[str]:
    wanted = declared.adopted
    if wanted is None or wanted.db_instance_id != declared.instance or seen.services is None:
        return
    if all(service.id != wanted for service in living):
        yield (
            f"import_ should name a model service of instance {declared.instance}, got "
            f"'{wanted}': there is none. Correct the id, or remove import_ to create a new service."
        )


def _unusable_nodes(
    declared: Declared,
    seen: Seen,
    living: Sequence[ModelServiceDetails],
    dead: Iterable[ModelServiceDetails],
) -> Iterator[str]:
    holders = _by_node(living)
    freed = _by_node(dead)
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
                f"{_all_or_nearest(node, names)}"
            )
            continue
        if node in declared.others or node in (declared.replaced or ()):
            continue
        taken = f"{label} should be a free AI node, got {node!r}: it is"
        if holder is not None and holder.id != declared.adopted:
            runs = f", which runs {holder.model_name}" if holder.model_name else ""
            held = f"{taken} held by model service {holder.id}{runs}."
            yield _joined(held, _UNLESS, choice, f"{how_to_take_over(holder.id)}.")
        elif holder is None and not declared.adopted and node in bound and node not in freed:
            yield _joined(
                f"{taken} bound{f' to {bound[node]}' if bound[node] else ''}.", _UNLESS, choice
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


def _all_or_nearest(name: str, names: Sequence[str]) -> str:
    if not names:
        return "The instance shows no AI nodes."
    near = _nearest(name, names) if len(names) > _MOST else ""
    return near or f"Its AI nodes: {_some(names)}."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
