"""Deleting a service, until there is proof that it is gone."""

from __future__ import annotations

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import (
    ApiError,
    InstanceNotFoundError,
    NotFoundError,
    OperationError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation, format_duration
from pulumi_adbpg_model.lifecycle.presence import (
    Outage,
    describe_or_none,
    find_or_prove_gone,
    is_proven_gone,
    kept_in_state,
    may_mean_gone,
)

_NOT_KNOWN = "not known"


def delete(operation: Operation, service: ModelServiceId, *, seen: bool = True) -> None:
    """
    Delete the service and wait until it is gone. One that is gone already is a success.

    Args:
        operation: Its deadline bounds the wait.
        service: The service.
        seen: Whether the cloud has shown it before; if not, it is given time to show up.

    Raises:
        OperationError: Still there at the deadline, or cancelled; it stays in the state.
        InstanceNotFoundError: The instance is not visible; says how to drop the state by hand.
        AdbpgModelError: A call failed; the service stays in the state.
    """
    try:
        seen = seen or describe_or_none(operation, service, any_code=True) is not None
        asked = _request(operation, service)
        # Whatever the answer was: it may be about a service that the cloud does not see yet.
        if not seen and find_or_prove_gone(operation, service, seen=False, any_code=True):
            asked = _request(operation, service)
        with tracing.span("wait until gone"):
            _wait_until_gone(operation, service, asked=asked)
    except InstanceNotFoundError as error:
        raise kept_in_state(error) from error
    operation.memory.deleted.add(service)
    operation.report.note(f"{service} is deleted")


def _request(operation: Operation, service: ModelServiceId) -> bool:
    """Ask for the deletion; False when the cloud does not know the service, which is no proof."""
    operation.stop_if_cancelled("DeleteModelService", str(service))
    try:
        operation.retry_while_busy(lambda: operation.api.delete_model_service(service))
    except InstanceNotFoundError:
        raise
    except NotFoundError:
        return False
    except ApiError as error:
        if may_mean_gone(operation, service, error):
            return False
        raise
    return True


def _wait_until_gone(operation: Operation, service: ModelServiceId, *, asked: bool) -> None:
    outage = Outage(operation)
    status: str | None = _NOT_KNOWN
    unread: Exception | None = None
    absent = False
    while True:
        try:
            details = describe_or_none(operation, service, any_code=True)
            if details is not None or not is_proven_gone(operation, service):
                absent = False
            elif absent or not asked or operation.over:
                return
            else:  # once more: describe and list may lag behind together
                absent = True
            outage.end()
            unread = None
            unseen = "not shown any more" if absent else "listed, but not described"
            status = details.status if details else unseen
        except (ApiError, TransportError) as error:
            if not outage.tolerates(error):
                raise
            unread = error
        else:
            if details is not None and not asked:  # it shows after all, and was not deleted before
                asked = _request(operation, service)
        if operation.over:
            raise _unfinished(operation, service, status, unread)
        waited = format_duration(operation.deadline.waited_s)
        operation.report.progress(f"{service} is {status!r}: {waited} since its deletion began")
        operation.pause()


def _unfinished(
    operation: Operation, service: ModelServiceId, status: str | None, unread: Exception | None
) -> OperationError:
    after = (
        f"after {format_duration(operation.deadline.waited_s)}, the limit set by custom_timeouts"
    )
    if operation.clock.cancelled:
        why = "the operation was cancelled"
    else:
        why = f"it is {'not known to be gone' if status is _NOT_KNOWN else 'still there'} {after}"
        if unread is not None:
            why = f"{why}; the last look at it failed: {unread}".rstrip(".")
    return OperationError(
        f"delete of model service {service} is not finished: {why} (last status {status!r}). It "
        "stays in the state; run the command again."
    )
