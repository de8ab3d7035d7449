"""
Creating exactly one service per declaration, and taking over an existing one.

Before there is an id, a failure raises and nothing is left. Once there is one, nothing raises any
more: the caller gets the id with whatever is known, so that it lands in the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Phase,
    Submission,
    same_nodes,
    same_whitelist,
    whitelist_size,
)
from pulumi_adbpg_model.errors import (
    ApiError,
    BusyError,
    OperationError,
    QuotaError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation, holder_of
from pulumi_adbpg_model.lifecycle.presence import find
from pulumi_adbpg_model.lifecycle.timing import format_duration
from pulumi_adbpg_model.lifecycle.tokens import next_token
from pulumi_adbpg_model.lifecycle.waiting import Outcome, wait_until_active

__all__ = ["Created", "adopt", "create", "differences"]

#: A declaration that was deleted and created again more often than this, within the cloud's
#: memory of client tokens, is refused rather than followed on.
_MAX_DEAD = 100
#: Seconds spent on a look around that an operation can do without.
_LOOK_S = 5.0


@dataclass(frozen=True)
class Created:
    """A service that exists, active or not."""

    id: ModelServiceId
    request_id: str | None
    outcome: Outcome


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
        AdbpgModelError: Nothing was created, or, for a `TransportError`, the text says what may
            have been and how to find it.
    """
    if operation.clock.cancelled:
        raise OperationError("CreateModelService was not sent: the operation was cancelled.")
    known = _existing(operation, spec)
    for _ in range(_MAX_DEAD):
        submission = _submit(operation, spec, token, known)
        service = submission.id
        if service not in operation.deleted_here:
            _announce(operation, service, known)
            outcome = wait_until_active(operation, service, only_seen=not wait_for_active)
            if not outcome.gone:
                _verify(operation, spec, outcome.details)
                return Created(service, submission.request_id, outcome)
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


def adopt(
    operation: Operation, service: ModelServiceId, spec: ModelServiceSpec, *, wait_for_active: bool
) -> Created:
    """
    Take over an existing service, having created nothing.

    Raises:
        OperationError: It does not exist, has failed, or differs from what is declared; the text
            lists every difference.
        AdbpgModelError: A call failed.
    """
    details = find(operation, service)
    if details is None:
        raise OperationError(
            f"import of {service} failed: there is no such model service. Correct the id in "
            "import_, or remove import_ to create a new service."
        )
    found = differences(service, spec, details)
    if found:
        raise OperationError(
            f"import of {service} failed: the declaration differs from the service: "
            f"{'; '.join(found)}. Declare what is there, then run the command again."
        )
    if details.phase is Phase.FAILED:
        raise OperationError(
            f"import of {service} failed: its deployment failed, status {details.status!r}. "
            "Delete it and remove import_ to create a new service."
        )
    operation.report.note(f"{service} is taken over; nothing was created")
    outcome = wait_until_active(operation, service, only_seen=not wait_for_active)
    return Created(service, None, outcome)


def differences(
    service: ModelServiceId, spec: ModelServiceSpec, details: ModelServiceDetails
) -> list[str]:
    """What is declared and can be seen, but is not so: one phrase each. Undeclared is free."""
    found = []
    if spec.db_instance_id != service.db_instance_id:
        found.append(
            f"db_instance_id is declared {spec.db_instance_id!r}, the id says "
            f"{service.db_instance_id!r}"
        )
    if details.model_name is not None and spec.model_name != details.model_name:
        found.append(
            f"model_name is declared {spec.model_name!r}, the service runs {details.model_name!r}"
        )
    if details.ai_nodes is not None and not same_nodes(spec.ai_nodes, details.ai_nodes):
        found.append(
            f"ai_nodes are declared {sorted(spec.ai_nodes)}, the service is on "
            f"{sorted(details.ai_nodes)}"
        )
    if spec.description and spec.description != (details.description or ""):
        found.append(
            f"description is declared {spec.description!r}, the service has {details.description!r}"
        )
    if spec.security_ip_list and not same_whitelist(
        spec.security_ip_list, details.security_ip_list
    ):
        found.append(
            f"security_ip_list is declared {list(spec.security_ip_list)}, the service admits "
            f"{list(details.security_ip_list or ())}"
        )
    return found


def _existing(operation: Operation, spec: ModelServiceSpec) -> Sequence[ModelServiceDetails] | None:
    """What the instance holds; None when it cannot be listed. Only helps, so it is not insisted on."""
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
    except (ApiError, TransportError):
        return ""
    free = sorted(node.name for node in nodes if not node.bound)
    return f"Free AI nodes of the instance: {', '.join(free) or 'none'}. "


def _submit(
    operation: Operation,
    spec: ModelServiceSpec,
    token: str,
    known: Sequence[ModelServiceDetails] | None,
) -> Submission:
    while True:
        try:
            return operation.api.create_model_service(
                spec, token, budget_s=operation.deadline.remaining_s
            )
        except BusyError as error:
            _explain_taken(operation, spec, error)
            if operation.over:
                raise
            waited = format_duration(operation.deadline.waited_s)
            operation.report.progress(f"waiting for the instance, {waited}: {error}")
            operation.pause()
        except (ApiError, TransportError) as error:
            _explain_taken(operation, spec, error, known)
            raise


def _explain_taken(
    operation: Operation,
    spec: ModelServiceSpec,
    error: ApiError | TransportError,
    known: Sequence[ModelServiceDetails] | None = None,
) -> None:
    """
    If one of the nodes is held, say by what and how to take it over, whatever the code was.

    Best effort: when the list cannot be had, the error stands as it is.
    """
    services = _existing(operation, spec)
    if services is None:
        return
    held = holder_of(services, spec.ai_nodes)
    if held is None:
        if isinstance(error, QuotaError):
            wanted = ", ".join(spec.ai_nodes)
            error.hint = f"Asked for {wanted}. {_free_nodes(operation, spec)}{error.hint}"
        elif isinstance(error, TransportError):
            error.hint = "Whether it was applied is not known: run `pulumi up` again, the same "
            error.hint += "client token finds a service that was created."
        return
    holder, node = held
    taken = f"AI node {node} is held by model service {holder.id}, which runs {holder.model_name}"
    then = (
        "To take that service over, declare it with "
        f'opts=ResourceOptions(import_="{holder.id}"); else choose a free node, or delete it first.'
    )
    if isinstance(error, TransportError):
        before = known is not None and any(other.id == holder.id for other in known)
        origin = "was there before" if before else "may come from this very call"
        error.hint = f"{taken}; it {origin}. {then}"
        return
    raise OperationError(
        f"{error.action} {error.subject} failed: {taken}{error.details}. {then}"
    ) from error


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
        operation.report.note(f"{service} is submitted")


def _verify(
    operation: Operation, spec: ModelServiceSpec, details: ModelServiceDetails | None
) -> None:
    """Compare what was asked with what the cloud shows; a difference must not pass in silence."""
    if details is None or details.phase is not Phase.ACTIVE:
        return
    for difference in differences(details.id, spec, details):
        operation.report.warn(f"{details.id} is not as asked: {difference}")
    if not spec.security_ip_list and whitelist_size(details.security_ip_list) > 1:
        operation.report.warn(
            f"{details.id} admits {', '.join(details.security_ip_list or ())}, though "
            "security_ip_list is not set: declare it to be sure of who may call the service"
        )
