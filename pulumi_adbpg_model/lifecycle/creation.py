"""
Creating exactly one service per declaration.

Before there is an id, a failure raises and nothing is left. Once there is one, nothing raises any
more: the caller gets the id with whatever is known, so that it lands in the state.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import (
    ApiError,
    BusyError,
    ConfigurationError,
    OperationError,
    QuotaError,
    ServerError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation, holder_of
from pulumi_adbpg_model.lifecycle.presence import gone_error, is_deleted
from pulumi_adbpg_model.lifecycle.tokens import TokenChain, next_token
from pulumi_adbpg_model.lifecycle.verification import verify
from pulumi_adbpg_model.lifecycle.waiting import Outcome, wait_until_active

__all__ = ["Created", "create", "resume"]

#: A declaration that was deleted and created again more often than this, within the cloud's
#: memory of client tokens, is refused rather than followed on.
_MAX_DEAD = 100
#: Seconds spent on a look around that an operation can do without.
_LOOK_S = 5.0
#: After these nobody knows whether a service was created.
_AMBIGUOUS = (ServerError, TransportError)
_AGAIN = (
    "Whether it was applied is not known: run `pulumi up` again, the same client token finds a "
    "service that was created."
)


@dataclass(frozen=True)
class Created:
    """A service that exists, active or not."""

    id: ModelServiceId
    request_id: str | None
    outcome: Outcome
    #: None for a service that was taken over.
    tokens: TokenChain | None


def create(
    operation: Operation, spec: ModelServiceSpec, token: str, *, wait_for_active: bool
) -> Created:
    """
    Submit the service and wait until it is active.

    Args:
        operation: Its deadline bounds submitting and waiting together.
        spec: What to create.
        token: The first client token; the same one finds what an interrupted run created.
        wait_for_active: Whether to wait, or to return once the cloud shows the service.

    Raises:
        AdbpgModelError: Nothing was created, or, for a `TransportError` and a `ServerError`, the
            text says what may have been and how to find it.
    """
    _stop_if_cancelled(operation)
    known = _existing(operation, spec)
    answered: dict[ModelServiceId, str] = {}  # with the token that led there
    first, token = token, operation.next_tokens.get(token, token)
    for _ in range(_MAX_DEAD):
        _stop_if_cancelled(operation)
        submission = _submit(operation, spec, token, known, answered)
        service = submission.id
        answered.setdefault(service, token)
        if service not in operation.deleted_here:
            _announce(operation, service, known)
            outcome = wait_until_active(operation, service, only_seen=not wait_for_active)
            if not outcome.gone:
                verify(operation, spec, outcome.details)
                tokens = TokenChain(first, answered[service])
                return Created(service, submission.request_id, outcome, tokens)
            if outcome.details is not None:
                raise OperationError(
                    f"model service {service} was deleted by someone else while it was being "
                    "deployed. Nothing is left; run `pulumi up` again to create it anew."
                )
        token = next_token(token, service)
    raise OperationError(
        f"CreateModelService in instance {spec.db_instance_id} answered {_MAX_DEAD} times with "
        "services that are gone. Set another client_token."
    )


def resume(
    operation: Operation,
    service: ModelServiceId,
    spec: ModelServiceSpec | None,
    last: ModelServiceDetails | None,
) -> Outcome:
    """
    Go on waiting for a service that an earlier run left unfinished.

    Args:
        operation: Its deadline bounds the wait.
        service: The service.
        spec: What was asked for; None leaves the comparison to the caller.
        last: What that run saw last; None when it never saw anything.

    Raises:
        OperationError: It is proven gone.
    """
    outcome = wait_until_active(operation, service, last=last)
    if outcome.gone:
        raise gone_error("update", service)
    if spec is not None:
        verify(operation, spec, outcome.details)
    return outcome


def _stop_if_cancelled(operation: Operation) -> None:
    if operation.clock.cancelled:
        raise OperationError("CreateModelService was not sent: the operation was cancelled.")


def _existing(operation: Operation, spec: ModelServiceSpec) -> Sequence[ModelServiceDetails] | None:
    """What the instance holds; None when it cannot be listed: it only helps."""
    try:
        return operation.api.list_model_services(
            spec.db_instance_id, budget_s=min(_LOOK_S, operation.deadline.remaining_s)
        )
    except (ApiError, TransportError):
        return None


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


def _submit(
    operation: Operation,
    spec: ModelServiceSpec,
    token: str,
    known: Sequence[ModelServiceDetails] | None,
    answered: Collection[ModelServiceId],
) -> Submission:
    while True:
        try:
            return operation.api.create_model_service(
                spec, token, budget_s=operation.deadline.remaining_s
            )
        except (ApiError, TransportError) as error:
            if isinstance(error, TransportError):
                error.hint = f"{error.hint} {_AGAIN}".lstrip()  # what to check, where it says that
            elif isinstance(error, ServerError):
                error.hint = _AGAIN
            held = holder_of(_held(operation, spec), spec.ai_nodes)
            if held is not None and held[0].id in answered:
                return _shown_late(operation, held[0].id, answered)
            if held is not None:
                _explain_taken(error, *held, known)
            if not isinstance(error, BusyError):
                if isinstance(error, QuotaError) and held is None:
                    wanted = ", ".join(spec.ai_nodes)
                    error.hint = f"Asked for {wanted}. {_free_nodes(operation, spec)}{error.hint}"
                if answered:
                    error.hint += f" Answered before, not shown: {', '.join(map(str, answered))}."
                raise
            operation.outwait(error)


def _shown_late(
    operation: Operation, service: ModelServiceId, answered: Collection[ModelServiceId]
) -> Submission:
    """A service that this create was answered with before, and that only shows now."""
    for other in answered:
        if other != service:
            operation.report.warn(f"{other} did not show: it may exist and be billed")
    return Submission(service, None)


def _held(operation: Operation, spec: ModelServiceSpec) -> Sequence[ModelServiceDetails]:
    """What may hold the nodes, apart from the dead; nothing when it cannot be told."""
    try:
        shown = _existing(operation, spec) or ()
    except ConfigurationError:
        return ()
    # A list that lags behind may show once more what this run, or anybody, deleted.
    return [
        service
        for service in shown
        if service.id not in operation.deleted_here and not is_deleted(service)
    ]


def _explain_taken(
    error: ApiError | TransportError,
    holder: ModelServiceDetails,
    node: str,
    known: Sequence[ModelServiceDetails] | None,
) -> None:
    """A node is held: say by what and how to take it over, whatever the code was."""
    taken = f"AI node {node} is held by model service {holder.id}, which runs {holder.model_name}"
    then = (
        f'To take that service over, declare it with opts=ResourceOptions(import_="{holder.id}"); '
        "else choose a free node, or delete that service."
    )
    if isinstance(error, _AMBIGUOUS):
        before = known is not None and any(other.id == holder.id for other in known)
        origin = "was there before" if before else "may come from this very call"
        error.hint = f"{error.hint} {taken}; it {origin}. {then}"
        return
    reason = f"{error.action} {error.subject} failed: {error.reason}{error.details}"
    raise OperationError(f"{reason}. {taken}. {then}") from error


def _announce(
    operation: Operation, service: ModelServiceId, known: Sequence[ModelServiceDetails] | None
) -> None:
    resumed = known is not None and any(other.id == service for other in known)
    if resumed:
        operation.report.note(
            f"{service} exists already from an earlier run of this declaration: resuming it, "
            "nothing new was created"
        )
    else:
        operation.report.note(f"CreateModelService answers with {service}")
