"""Who holds an AI node: what a refused create tells, and how it is got past."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.errors import (
    ApiError,
    BusyError,
    ConfigurationError,
    OperationError,
    QuotaError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation
from pulumi_adbpg_model.lifecycle.presence import is_deleted

__all__ = [
    "explain_scarce",
    "explain_taken",
    "holder_of",
    "how_to_take_over",
    "living",
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


def how_to_take_over(service: ModelServiceId) -> str:
    """The line that lets a program manage a service that is there, as half a sentence."""
    return f'To take that service over, declare it with opts=ResourceOptions(import_="{service}")'


def explain_taken(
    error: ApiError | TransportError,
    holder: ModelServiceDetails,
    node: str,
    known: Collection[str] | None,
) -> None:
    """
    A node is held: say by what and how to take it over, whatever the code was.

    Args:
        error: The refusal; what is known is added to its hint when it is not certain.
        holder: What holds the node.
        node: Its name.
        known: The services of the instance before the call, by name; None when that is not known.

    Raises:
        OperationError: The refusal is certain, so that text is the whole error.
    """
    taken = f"AI node {node} is held by model service {holder.id}, which runs {holder.model_name}"
    then = f"{how_to_take_over(holder.id)}; else choose a free node, or delete that service."
    if error.in_doubt:
        before = known is not None and holder.id.model_service_id in known
        origin = "was there before" if before else "may come from this very call"
        error.hint = f"{error.hint} {taken}; it {origin}. {then}"
        return
    reason = f"{error.action} {error.subject} failed: {error.reason}{error.details}"
    raise OperationError(f"{reason}. {taken}. {then}") from error


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
    nodeless = [str(service.id) for service in shown if not service.ai_nodes]
    if not nodeless:
        return
    advice = (
        f"These services of the instance do not show their AI nodes, one may hold {wanted}: "
        f"{', '.join(nodeless)}. To take one over, declare it with "
        f'opts=ResourceOptions(import_="{nodeless[0]}").'
    )
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
