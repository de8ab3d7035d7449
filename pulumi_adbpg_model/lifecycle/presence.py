"""
Whether a model service is there. Only proof says that it is not.

A describe that finds nothing may mean the service, the instance, the region or the key, or an
outage behind the API. The proof of absence is a complete ListModelServices of an instance that is
visible from here, without the service in it. Everything else raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    BusyError,
    InstanceNotFoundError,
    InvalidRequestError,
    NotFoundError,
    OperationError,
    ServerError,
    ThrottledError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import ModelServiceApi, Operation, format_duration

#: A new service may take this long to show up; before that, not-found means nothing.
GRACE_S = 30.0
#: So far apart are the two looks that prove the absence of a service that was seen.
SECOND_LOOK_S = 5.0
#: How long describe and list may contradict each other: one of them lags behind.
DISAGREEMENT_S = 15.0
#: How long a wait tolerates failures in a row, beyond each call's own retries.
_OUTAGE_S = 120.0
_PASSING = (BusyError, ServerError, ThrottledError, TransportError)
#: By its page, the Status in a list is that of the call.
_OF_THE_CALL = ("success", "fail")


class GoneError(OperationError):
    """A service of the state is proven gone."""


def describe_or_none(
    operation: Operation, service: ModelServiceId, *, any_code: bool = False
) -> ModelServiceDetails | None:
    """
    Describe the service; None when the cloud says it is not there, which is no proof.

    A service that is still described, as deleted, counts as not there.

    Args:
        operation: What to ask with.
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
    return None if details.is_deleted else details


def is_proven_gone(operation: Operation, service: ModelServiceId) -> bool:
    """
    Whether a complete list of the instance lacks the service, or shows it as deleted.

    Only asked once describe does not know it: together they leave no doubt.

    Raises:
        AdbpgModelError: The list could not be had, so nothing is proved either way.
    """
    services = operation.api.list_model_services(service.db_instance_id)
    return all(other.id != service or other.is_deleted for other in services)


def may_mean_gone(operation: Operation, service: ModelServiceId, error: ApiError) -> bool:
    """Whether a refusal whose code is not known comes from the absence that the list shows."""
    if not _has_unknown_code(error):
        return False
    try:
        return is_proven_gone(operation, service)
    except AdbpgModelError:
        return False


def _has_unknown_code(error: Exception) -> bool:
    """Whether it is a refusal whose code no page lists, or one that blames a parameter."""
    if type(error) not in (ApiError, InvalidRequestError):
        return False
    status = error.status if isinstance(error, ApiError) else None
    return status is not None and 400 <= status < 500


def is_contradicted(operation: Operation, service: ModelServiceId) -> bool:
    """Whether describe says that a listed service is not there, or is going: the list may lag."""
    try:
        details = describe_or_none(operation, service)
    except AdbpgModelError as error:
        return _has_unknown_code(error)
    return details is None or details.phase is Phase.LEAVING


def find_or_prove_gone(
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
        operation: What to ask with.
        service: The service.
        seen: Whether the cloud has shown it before; if not, it is given time to show up.
        twice: Whether the proof is to be had twice, because more than a text hangs on it: describe
            and list may lag behind together.
        any_code: See `describe_or_none`.

    Raises:
        InstanceNotFoundError: The instance is not visible.
        OperationError: Describe does not know a service that the list shows, or the operation is
            over before one that was never seen was given its time, or before the second proof.
        AdbpgModelError: A call failed.
    """
    looking = Deadline.after(operation.clock, GRACE_S)
    absent: Deadline | None = None
    while True:
        details = describe_or_none(operation, service, any_code=any_code)
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


def refresh(
    operation: Operation, service: ModelServiceId, *, seen: bool = True
) -> ModelServiceDetails | None:
    """`find_or_prove_gone` for a service of the state: errors say why that keeps it, and how on."""
    try:
        return find_or_prove_gone(operation, service, seen=seen, twice=seen)
    except InstanceNotFoundError as error:
        raise kept_in_state(error) from error
    except ApiError as error:
        if not may_mean_gone(operation, service, error):
            raise
        hint = (
            f"{error.hint} The state is kept. ListModelServices does not show {service}: if it was "
            "deleted, `pulumi destroy --target <urn>` or `pulumi state delete <urn>` drops it."
        )
        raise error.replace(hint=hint.lstrip()) from error


def kept_in_state(error: InstanceNotFoundError) -> InstanceNotFoundError:
    """An error about an instance out of sight that says that the state is kept, and what then."""
    return error.replace(
        hint=f"{error.hint} The state is kept. If the instance was deleted with its services, drop "
        "the resource from the state by hand: pulumi state delete <urn>."
    )


def glance(operation: Operation, service: ModelServiceId) -> str | None:
    """
    One look that must not fail.

    Returns:
        The status of the service, or a word for none; empty with proof that it is not there; None
        where nothing is to be told.
    """
    try:
        details = describe_or_none(operation, service, any_code=True)
        if details is not None:
            return details.status or UNKNOWN_STATUS
        return "" if is_proven_gone(operation, service) else None
    except AdbpgModelError:
        return None


def inventory(api: ModelServiceApi, db_instance_id: str) -> Sequence[ModelServiceDetails]:
    """
    Every service of an instance. One whose listed status is none of a service is described too;
    where that fails, it keeps the word of the list.

    Raises:
        ApiError, TransportError: The list is not to be had.
    """
    found: list[ModelServiceDetails] = []
    answers = True
    for service in api.list_model_services(db_instance_id):
        status = service.status
        if answers and (not status or status.strip().lower() in _OF_THE_CALL):
            try:
                status = api.describe_model_service(service.id).status or status
            except (ApiError, TransportError) as error:
                answers = not error.retryable  # tried for long, as each of the others would be
        found.append(replace(service, status=status))
    return found


class Outage:
    """The failures in a row of one wait, and for how long it tolerates them."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._since: dict[float, float] = {}  # by the limit that applies

    def end(self) -> None:
        """There was an answer."""
        self._since.clear()

    def tolerates(self, error: Exception) -> bool:
        """
        Whether the wait goes on in spite of a failed call.

        A refusal with an unknown code is tolerated too, for a short while: it may come from a
        service that is gone.
        """
        if isinstance(error, _PASSING):
            limit_s = _OUTAGE_S
        elif _has_unknown_code(error):
            limit_s = DISAGREEMENT_S
        else:
            return False
        if self._operation.over:
            return True  # what ends the wait is the deadline or the cancel, not this
        now = self._operation.clock.monotonic()
        return now - self._since.setdefault(limit_s, now) < limit_s
