"""
Whether a model service is there. Only proof says that it is not.

A describe that finds nothing may mean the service, the instance, the region or the key, or an
outage behind the API. The proof of absence is a complete ListModelServices of an instance that is
visible from here, without the service in it. Everything else raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import (
    UNKNOWN_STATUS,
    ModelServiceDetails,
    ModelServiceId,
    Phase,
)
from pulumi_adbpg_model.errors import (
    AdbpgModelError,
    ApiError,
    InstanceNotFoundError,
    NotFoundError,
    OperationError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation
from pulumi_adbpg_model.lifecycle.outage import DISAGREEMENT_S, has_unknown_code
from pulumi_adbpg_model.lifecycle.timing import format_duration

__all__ = [
    "GRACE_S",
    "SECOND_LOOK_S",
    "GoneError",
    "explaining_state",
    "find",
    "glance",
    "gone_error",
    "is_contradicted",
    "is_deleted",
    "is_proven_gone",
    "look",
    "may_mean_gone",
    "read",
    "require",
]

#: A new service may take this long to show up; before that, not-found means nothing.
GRACE_S = 30.0
#: So far apart are the two looks that prove the absence of a service that was seen.
SECOND_LOOK_S = 5.0
#: Words for a service that is no more; the API page names none.
_ENDED = frozenset(("deleted", "destroyed", "released", "removed", "terminated", "undeployed"))


class GoneError(OperationError):
    """A service of the state is proven gone."""


def find(
    operation: Operation, service: ModelServiceId, *, any_code: bool = False
) -> ModelServiceDetails | None:
    """
    Describe the service; None when the cloud says it is not there, which is no proof.

    A service that is still described, as deleted, counts as not there.

    Args:
        operation: Its deadline bounds the call.
        service: The service.
        any_code: Whether a refusal whose code is not known counts as not-found too, if the list
            agrees. For a service that may well be gone, since the code for that is not documented.

    Raises:
        AdbpgModelError: Any other failure.
    """
    try:
        details = operation.api.describe_model_service(service)
    except InstanceNotFoundError:
        raise
    except NotFoundError:
        return None
    except ApiError as error:
        if any_code and may_mean_gone(operation, service, error):
            return None
        raise
    return None if is_deleted(details) else details


def may_mean_gone(operation: Operation, service: ModelServiceId, error: ApiError) -> bool:
    """Whether a refusal whose code is not known comes from the absence that the list shows."""
    if not has_unknown_code(error):
        return False
    try:
        return is_proven_gone(operation, service)
    except AdbpgModelError:
        return False


def is_deleted(details: ModelServiceDetails) -> bool:
    """Whether the cloud still shows a service, but as one that is deleted, in whatever word."""
    return (details.status or "").strip().lower() in _ENDED


def is_proven_gone(operation: Operation, service: ModelServiceId) -> bool:
    """
    Whether a complete list of the instance lacks the service, or shows it as deleted.

    Only asked once describe does not know it: together they leave no doubt.

    Raises:
        AdbpgModelError: The list could not be had, so nothing is proved either way.
    """
    services = operation.api.list_model_services(service.db_instance_id)
    return all(other.id != service or is_deleted(other) for other in services)


def is_contradicted(operation: Operation, service: ModelServiceId) -> bool:
    """Whether describe says that a listed service is not there, or is going: the list may lag."""
    try:
        details = find(operation, service)
    except AdbpgModelError as error:
        return has_unknown_code(error)
    return details is None or details.phase is Phase.LEAVING


def look(
    operation: Operation,
    service: ModelServiceId,
    *,
    seen: bool = True,
    twice: bool = False,
    any_code: bool = False,
) -> ModelServiceDetails | None:
    """
    The service as it is now, or None with proof that it is not there.

    Args:
        operation: Its deadline bounds the look.
        service: The service.
        seen: Whether the cloud has shown it before; if not, it is given time to show up.
        twice: Whether the proof is to be had twice, because more than a text hangs on it: describe
            and list may lag behind together.
        any_code: See `find`.

    Raises:
        InstanceNotFoundError: The instance is not visible.
        OperationError: Describe does not know a service that the list shows, or the operation is
            over before one that was never seen was given its time, or before the second proof.
        AdbpgModelError: A call failed.
    """
    looking = Deadline.after(operation.clock, GRACE_S)
    absent: Deadline | None = None
    while True:
        details = find(operation, service, any_code=any_code)
        if details is not None:
            return details
        fresh = not seen and not looking.expired
        if fresh and operation.over:
            longer = "" if operation.clock.cancelled else ", with a longer limit in custom_timeouts"
            raise OperationError(
                f"{service} does not show yet, and the operation {operation.ending} before it was "
                f"given {format_duration(GRACE_S)} to. The state is kept; run the command again "
                f"later{longer}."
            )
        if not fresh and is_proven_gone(operation, service):
            absent = absent or Deadline.after(operation.clock, SECOND_LOOK_S if twice else 0.0)
            if absent.expired:
                return None
            if operation.over:
                raise OperationError(
                    f"{service} did not show, and the operation {operation.ending} before a second "
                    "look. The state is kept; run the command again later."
                )
            operation.pause(absent.waited_s)
            continue
        absent = None
        if fresh:
            operation.report.progress(f"{service} does not show yet")
        elif operation.over or looking.waited_s >= DISAGREEMENT_S + (0.0 if seen else GRACE_S):
            raise OperationError(
                f"DescribeModelService does not know {service}, but ListModelServices shows it. "
                "The state is kept; run the command again later."
            )
        operation.pause()


def read(
    operation: Operation, service: ModelServiceId, *, seen: bool = True
) -> ModelServiceDetails | None:
    """`look` at a service that the state holds: what keeps it there is explained."""
    try:
        with explaining_state():
            return look(operation, service, seen=seen, twice=seen)
    except ApiError as error:
        if may_mean_gone(operation, service, error):
            error.hint = (
                f"{error.hint} The state is kept. ListModelServices does not show {service}: if it "
                "was deleted, `pulumi destroy --target <urn>` or `pulumi state delete <urn>` drops "
                "it."
            ).lstrip()
        raise


def require(
    operation: Operation, service: ModelServiceId, purpose: str, *, seen: bool = True
) -> ModelServiceDetails:
    """
    `read` a service that has to be there.

    Raises:
        OperationError: It is proven gone; names the purpose.
    """
    details = read(operation, service, seen=seen)
    if details is None:
        raise gone_error(purpose, service, seen=seen)
    return details


def gone_error(purpose: str, service: ModelServiceId, *, seen: bool) -> GoneError:
    """The error for a service of the state that is proven not to be there."""
    if not seen:  # the next `up` finds that out before it begins
        return GoneError(
            f"{purpose} failed: model service {service} never showed, and is not there. Run "
            "`pulumi up` again to create another in its place."
        )
    return GoneError(
        f"{purpose} failed: model service {service} is gone. Run `pulumi refresh`, then `pulumi "
        "up` to create it again."
    )


def glance(operation: Operation, service: ModelServiceId) -> str | None:
    """
    One look that must not fail.

    Returns:
        The status of the service, or a word for none; empty with proof that it is not there; None
        where nothing is to be told.
    """
    try:
        details = find(operation, service, any_code=True)
        if details is not None:
            return details.status or UNKNOWN_STATUS
        return "" if is_proven_gone(operation, service) else None
    except AdbpgModelError:
        return None


@contextmanager
def explaining_state() -> Iterator[None]:
    """Let the error about an instance out of sight say that the state is kept, and what then."""
    try:
        yield
    except InstanceNotFoundError as error:
        error.hint = (
            f"{error.hint} The state is kept. If the instance was deleted with its services, drop "
            "the resource from the state by hand: pulumi state delete <urn>."
        )
        raise
