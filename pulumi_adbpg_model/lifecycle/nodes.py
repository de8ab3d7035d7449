"""Who holds an AI node: what a refused create tells, and how it is got past."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Phase,
)
from pulumi_adbpg_model.errors import (
    ApiError,
    BusyError,
    ConfigurationError,
    OperationError,
    QuotaError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation, Standing, no_successor
from pulumi_adbpg_model.lifecycle.outage import DISAGREEMENT_S
from pulumi_adbpg_model.lifecycle.presence import is_contradicted, is_deleted

__all__ = [
    "explain_scarce",
    "explain_taken",
    "holder_of",
    "is_patient",
    "living",
    "refuse_if_held",
    "services_of",
]

#: Seconds spent on a look around that an operation can do without.
_LOOK_S = 5.0


def services_of(
    operation: Operation, db_instance_id: str, *, even_cancelled: bool = False
) -> Sequence[ModelServiceDetails] | None:
    """
    What the instance holds from now on; None when it cannot be listed: it only helps.

    Args:
        operation: Its time bounds the look.
        db_instance_id: The instance.
        even_cancelled: Whether to look although the operation was cancelled.

    Raises:
        ConfigurationError: There are no credentials, for any call.
    """
    if operation.clock.cancelled and not even_cancelled:
        return None
    try:
        return operation.look_api(_LOOK_S).list_model_services(db_instance_id)
    except (ApiError, TransportError):
        return None


def living(operation: Operation, db_instance_id: str) -> Sequence[ModelServiceDetails]:
    """What may hold nodes, apart from the dead; nothing when it cannot be told."""
    try:
        shown = services_of(operation, db_instance_id, even_cancelled=True) or ()
    except ConfigurationError:
        return ()
    # A list that lags behind may show once more what this run, or anybody, deleted.
    return [
        service
        for service in shown
        if service.id not in operation.deleted_here and not is_deleted(service)
    ]


def holder_of(
    services: Iterable[ModelServiceDetails], ai_nodes: Iterable[str]
) -> tuple[ModelServiceDetails, str] | None:
    """The first service that sits on one of the nodes, with that node."""
    return next(_holders_of(services, ai_nodes), None)


def _holders_of(
    services: Iterable[ModelServiceDetails], ai_nodes: Iterable[str]
) -> Iterator[tuple[ModelServiceDetails, str]]:
    wanted = set(ai_nodes)
    for service in services:
        for node in service.ai_nodes or ():
            if node in wanted:
                yield service, node


def refuse_if_held(
    operation: Operation,
    service: ModelServiceId,
    db_instance_id: str,
    ai_nodes: Collection[str],
    own_nodes: Collection[str],
) -> None:
    """
    Refuse to delete a service for another on nodes that are not to be had.

    Args:
        operation: Its time bounds the look.
        service: The service that is to be deleted.
        db_instance_id: The instance of the other.
        ai_nodes: The nodes of the other.
        own_nodes: Those of the service.

    Raises:
        OperationError: A node is held, and not about to be free.
    """
    began_s = operation.clock.monotonic()
    while True:
        others = [one for one in living(operation, db_instance_id) if one.id != service]
        held, standing = _staying(operation, others, ai_nodes)
        waited_s = operation.clock.monotonic() - began_s
        if held is not None and standing is not None:
            why = f"{_taken(*held)}. {standing.told}"
            patient = is_patient(operation, held[0].id, standing.patience_s, waited_s)
        else:
            freed = own_nodes if db_instance_id == service.db_instance_id else ()
            taken = _bound(operation, others, db_instance_id, set(ai_nodes) - set(freed))
            if taken is None:
                return
            why = taken
            patient = waited_s < DISAGREEMENT_S and not operation.over  # it may be free already
        if not patient:
            raise no_successor(service, why)
        operation.pause()


def _staying(
    operation: Operation, services: Iterable[ModelServiceDetails], ai_nodes: Iterable[str]
) -> tuple[tuple[ModelServiceDetails, str], Standing] | tuple[None, None]:
    """The first holder that is not about to leave, with its node, and how it stands."""
    for holder, node in _holders_of(services, ai_nodes):
        if holder.phase is Phase.LEAVING:
            continue
        standing = operation.owners.standing(holder.id, node)
        if not standing.leaves:
            return (holder, node), standing
    return None, None


def is_patient(
    operation: Operation, holder: ModelServiceId, patience_s: float, waited_s: float
) -> bool:
    """Whether a holder is worth waiting for: by how it stands, or since it may be gone already."""
    if operation.over or waited_s < patience_s:
        return not operation.over
    return waited_s < DISAGREEMENT_S and is_contradicted(operation, holder)


def explain_taken(
    error: ApiError | TransportError,
    holder: ModelServiceDetails,
    node: str,
    standing: Standing,
    known: Collection[str] | None,
) -> None:
    """
    A node is held: say by what and what to do about it, whatever the code was.

    Args:
        error: The refusal; what is known is added to its hint when it is not certain.
        holder: What holds the node.
        node: Its name.
        standing: How the holder stands to the resource.
        known: The services of the instance before the call, by name; None when that is not known.

    Raises:
        OperationError: The refusal is certain, so that text is the whole error.
    """
    taken, then = _taken(holder, node), standing.told
    if error.in_doubt:
        before = known is not None and holder.id.model_service_id in known
        origin = "was there before" if before else "may come from this very call"
        error.hint = f"{error.hint} {taken}; it {origin}. {then}"
        return
    reason = f"{error.action} {error.subject} failed: {error.reason}{error.details}"
    raise OperationError(f"{reason}. {taken}. {then}") from error


def _taken(holder: ModelServiceDetails, node: str) -> str:
    return f"AI node {node} is held by model service {holder.id}, which runs {holder.model_name}"


def explain_scarce(
    operation: Operation,
    error: ApiError | TransportError,
    spec: ModelServiceSpec,
    shown: Sequence[ModelServiceDetails],
    *,
    first: bool,
) -> None:
    """
    No holder is known: say what is free, and which services may hold the nodes all the same.

    Args:
        operation: Its time bounds the look.
        error: The refusal; what is found is added to its hint.
        spec: What was asked for.
        shown: The services of the instance.
        first: Whether it is the first refusal: one that is waited out is told of at once.
    """
    wanted = ", ".join(spec.ai_nodes)
    if isinstance(error, QuotaError):
        error.hint = f"Asked for {wanted}. {_free_nodes(operation, spec)}{error.hint}"
    advice = _who_may_hold(spec.ai_nodes, _hidden(operation, shown, spec.ai_nodes))
    if advice is None:
        return
    error.hint = f"{error.hint} {advice}".lstrip()
    if first and isinstance(error, BusyError):
        operation.report.note(f"{error.reason}. {advice}")


def _hidden(
    operation: Operation, services: Iterable[ModelServiceDetails], ai_nodes: Sequence[str]
) -> dict[ModelServiceId, Standing]:
    """How services stand that do not show their nodes, and may be on those."""
    return {
        service.id: operation.owners.standing(service.id, ai_nodes[0])
        for service in services
        if not service.ai_nodes
    }


def _who_may_hold(ai_nodes: Sequence[str], hidden: Mapping[ModelServiceId, Standing]) -> str | None:
    wanted = ", ".join(ai_nodes)
    anybodys = [str(id_) for id_, one in hidden.items() if one.anybodys]
    others = [id_ for id_, one in hidden.items() if not one.anybodys]
    if anybodys:
        return (
            f"These services of the instance do not show their AI nodes, one may hold {wanted}: "
            f"{', '.join(anybodys)}. To take one over, declare it with "
            f'opts=ResourceOptions(import_="{anybodys[0]}"), if no other stack has it; else '
            "choose a free node."
        )
    if others:
        standing = hidden[others[0]]
        return (
            f"Model service {others[0]} does not show its AI nodes, it may hold {wanted}. "
            f"{'If it stays there, choose a free node.' if standing.leaves else standing.told}"
        )
    return None


def _bound(
    operation: Operation,
    services: Sequence[ModelServiceDetails],
    db_instance_id: str,
    ai_nodes: Collection[str],
) -> str | None:
    """What to say of nodes that are taken, though no service shows that it is on them."""
    there = [service for service in services if service.phase is not Phase.LEAVING]
    if not ai_nodes or all(service.ai_nodes for service in there):
        return None
    bound = sorted({node.name for node in _nodes(operation, db_instance_id) or () if node.bound})
    taken = [node for node in bound if node in ai_nodes]
    hidden = _hidden(operation, there, taken) if taken else {}
    if not hidden or any(standing.leaves for standing in hidden.values()):
        return None
    return f"AI node {taken[0]} is taken. {_who_may_hold(taken, hidden)}"


def _free_nodes(operation: Operation, spec: ModelServiceSpec) -> str:
    """What could be used instead, as a sentence; empty when it cannot be told."""
    nodes = _nodes(operation, spec.db_instance_id)
    if nodes is None:
        return ""
    free = sorted(node.name for node in nodes if not node.bound)
    return f"Free AI nodes of the instance: {', '.join(free) or 'none'}. "


def _nodes(operation: Operation, db_instance_id: str) -> Sequence[AiNode] | None:
    """The nodes of the instance; None when they cannot be listed: it only helps."""
    try:
        return operation.look_api(_LOOK_S).list_ai_nodes(db_instance_id)
    except (ApiError, ConfigurationError, TransportError):
        return None
