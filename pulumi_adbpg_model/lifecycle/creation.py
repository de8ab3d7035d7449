"""
Creating exactly one service per declaration.

Before there is an id, a failure raises and nothing is left. Once there is one, nothing raises any
more: the caller gets the id with whatever is known, so that it lands in the state.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import (
    AccessError,
    ApiError,
    BusyError,
    OperationError,
    ServerError,
    ThrottledError,
    TokenMismatchError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation
from pulumi_adbpg_model.lifecycle.placement import (
    explain_scarce,
    explain_taken,
    holder_of,
    living,
    services_of,
)
from pulumi_adbpg_model.lifecycle.presence import gone_error
from pulumi_adbpg_model.lifecycle.tokens import TokenChain, next_token
from pulumi_adbpg_model.lifecycle.verification import verify
from pulumi_adbpg_model.lifecycle.waiting import Outcome, wait_until_active

__all__ = ["Created", "create", "deleted_outside", "resume"]

#: A declaration that was deleted and created again more often than this, within the cloud's
#: memory of client tokens, is refused rather than followed on.
_MAX_DEAD = 100
_NOT_ABOUT_NODES = (AccessError, ServerError, ThrottledError, TokenMismatchError, TransportError)
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
    subject = f"in instance {spec.db_instance_id}"
    operation.stop_if_cancelled("CreateModelService", subject)
    shown = services_of(operation, spec.db_instance_id)
    # Their names alone: this is kept while waiting, by each of maybe hundreds of creates.
    known = None if shown is None else frozenset(other.id.model_service_id for other in shown)
    del shown
    answered: dict[ModelServiceId, str] = {}  # with the token that led there
    first, token = token, operation.next_tokens.get(token, token)
    for _ in range(_MAX_DEAD):
        operation.stop_if_cancelled("CreateModelService", subject)
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
                raise deleted_outside(service)
        token = next_token(token, service)
    raise OperationError(
        f"CreateModelService in instance {spec.db_instance_id} answered {_MAX_DEAD} times with "
        "services that are gone. Set another client_token."
    )


def deleted_outside(service: ModelServiceId) -> OperationError:
    """The error for a service that this run created, and that is proven gone already."""
    return OperationError(
        f"model service {service} was deleted by someone else while it was being deployed. "
        "Nothing is left; run `pulumi up` again to create it anew."
    )


def resume(
    operation: Operation,
    service: ModelServiceId,
    spec: ModelServiceSpec | None,
    last: ModelServiceDetails | None,
    *,
    wait_for_active: bool = True,
) -> Outcome:
    """
    Go on waiting for a service that an earlier run, or try, left unfinished.

    Args:
        operation: Its deadline bounds the wait.
        service: The service.
        spec: What was asked for; None leaves the comparison to the caller.
        last: What was seen of it then; None when it never showed.
        wait_for_active: Whether to wait, or to return once the cloud shows the service.

    Raises:
        GoneError: It is proven gone.
    """
    outcome = wait_until_active(operation, service, only_seen=not wait_for_active, last=last)
    if outcome.gone:
        raise gone_error("update", service)
    if spec is not None:
        verify(operation, spec, outcome.details)
    return outcome


def _submit(
    operation: Operation,
    spec: ModelServiceSpec,
    token: str,
    known: Collection[str] | None,
    answered: Collection[ModelServiceId],
) -> Submission:
    told = in_doubt = False
    while True:
        try:
            return operation.api.create_model_service(
                spec, token, budget_s=operation.deadline.remaining_s
            )
        except (ApiError, TransportError) as error:
            in_doubt = error.in_doubt = in_doubt or error.in_doubt
            if in_doubt and isinstance(error, (BusyError, ServerError)):
                error.hint = _AGAIN
            elif in_doubt:
                error.hint = f"{error.hint} {_AGAIN}".lstrip()  # what to check, where it says that
            shown = living(operation, spec.db_instance_id)
            held = holder_of(shown, spec.ai_nodes)
            if held is not None and held[0].id in answered:
                return _shown_late(operation, held[0].id, answered)
            if held is not None:
                explain_taken(error, *held, known)
            elif not isinstance(error, _NOT_ABOUT_NODES):
                explain_scarce(operation, error, spec, shown, first=not told)
                told = True
            if held is not None or not isinstance(error, BusyError):
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


def _announce(operation: Operation, service: ModelServiceId, known: Collection[str] | None) -> None:
    if known is not None and service.model_service_id in known:
        operation.report.note(
            f"{service} exists already from an earlier run of this declaration: resuming it, "
            "nothing new was created"
        )
    else:
        operation.report.note(f"CreateModelService answers with {service}")
