"""Who holds an AI node: what a refused create tells, and how it is got past."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, ModelServiceSpec, Phase
from pulumi_adbpg_model.errors import (
    ApiError,
    BusyError,
    ConfigurationError,
    OperationError,
    QuotaError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation, Standing
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


class _CutShortError(Exception):
    """A look that had not the time that others would give it: no answer for them."""


def services_of(
    operation: Operation, db_instance_id: str, *, even_cancelled: bool = False
) -> Sequence[ModelServiceDetails] | None:
    """
    What the instance holds from now on; None when it cannot be listed: it only helps.

    Operations that ask at the same moment share the answer.

    Args:
        operation: Its time bounds the look.
        db_instance_id: The instance.
        even_cancelled: Whether to look although the operation was cancelled.

    Raises:
        ConfigurationError: There are no credentials, for any call.
    """

    def look() -> Sequence[ModelServiceDetails] | ConfigurationError | None:
        if operation.clock.cancelled and not even_cancelled:
            raise _CutShortError
        budget_s = min(_LOOK_S, operation.deadline.remaining_s)
        try:
            return operation.api.list_model_services(db_instance_id, budget_s=budget_s)
        except (ApiError, TransportError) as error:
            if budget_s < _LOOK_S:
                raise _CutShortError from error
            return None
        except ConfigurationError as error:
            return error  # an answer too: else all would look for credentials, one by one

    try:
        found = operation.looks.get((id(operation.api), db_instance_id), look)
    except _CutShortError:
        return None
    if isinstance(found, ConfigurationError):
        raise copy(found) from None  # each thread has its own
    return found


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
    wanted = set(ai_nodes)
    for service in services:
        for node in service.ai_nodes or ():
            if node in wanted:
                return service, node
    return None


def refuse_if_held(
    operation: Operation,
    service: ModelServiceId,
    db_instance_id: str,
    ai_nodes: Collection[str],
) -> None:
    """
    Refuse to delete a service for another on nodes that are not to be had.

    Args:
        operation: Its time bounds the look.
        service: The service that is to be deleted.
        db_instance_id: The instance of the other.
        ai_nodes: The nodes of the other.

    Raises:
        OperationError: A node is held, and not about to be free.
    """
    began_s = operation.clock.monotonic()
    while True:
        others = (one for one in living(operation, db_instance_id) if one.id != service)
        held = holder_of(others, ai_nodes)
        if held is None or held[0].phase is Phase.LEAVING:
            return
        standing = operation.owners.standing(held[0].id, held[1])
        if standing.leaves:
            return
        waited_s = operation.clock.monotonic() - began_s
        if not is_patient(operation, held[0].id, standing.patience_s, waited_s):
            raise OperationError(
                f"delete of model service {service} was not sent, since what replaces it cannot be "
                f"created: {_taken(*held)}. {standing.told}"
            )
        operation.pause()


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
    standings = {
        service.id: operation.owners.standing(service.id, spec.ai_nodes[0])
        for service in shown
        if not service.ai_nodes
    }
    anybodys = [str(id_) for id_, one in standings.items() if one.anybodys]
    others = [id_ for id_, one in standings.items() if not one.anybodys]
    if anybodys:
        advice = (
            f"These services of the instance do not show their AI nodes, one may hold {wanted}: "
            f"{', '.join(anybodys)}. To take one over, declare it with "
            f'opts=ResourceOptions(import_="{anybodys[0]}"), if no other stack has it; else '
            "choose a free node."
        )
    elif others:
        standing = standings[others[0]]
        advice = (
            f"Model service {others[0]} does not show its AI nodes, it may hold {wanted}. "
            f"{'If it stays there, choose a free node.' if standing.leaves else standing.told}"
        )
    else:
        return
    error.hint = f"{error.hint} {advice}".lstrip()
    if first and isinstance(error, BusyError):
        operation.report.note(f"{error.reason}. {advice}")


def _free_nodes(operation: Operation, spec: ModelServiceSpec) -> str:
    """What could be used instead, as a sentence; empty when it cannot be told."""
    try:
        nodes = operation.api.list_ai_nodes(
            spec.db_instance_id, budget_s=min(_LOOK_S, operation.deadline.remaining_s)
        )
    except (ApiError, ConfigurationError, TransportError):
        return ""
    free = sorted(node.name for node in nodes if not node.bound)
    return f"Free AI nodes of the instance: {', '.join(free) or 'none'}. "
