"""What one operation works with: the API, the clock, a deadline and a voice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pulumi_adbpg_model.clock import Clock, Deadline
from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import BusyError, OperationError
from pulumi_adbpg_model.lifecycle.timing import format_duration, poll_delay

__all__ = [
    "BEING_DELETED",
    "ModelServiceApi",
    "NoOthers",
    "Operation",
    "OwnedError",
    "Ownership",
    "Reporter",
    "Standing",
    "how_to_take_over",
    "no_successor",
]

_T = TypeVar("_T")


class ModelServiceApi(Protocol):
    """The calls that operations make; `gateway.Gateway` is the real one."""

    def within(self, deadline: Deadline) -> ModelServiceApi:
        """The same, with calls that end by that deadline."""
        ...

    def create_model_service(self, spec: ModelServiceSpec, client_token: str) -> Submission:
        """CreateModelService."""
        ...

    def describe_model_service(self, service: ModelServiceId) -> ModelServiceDetails:
        """DescribeModelService."""
        ...

    def delete_model_service(self, service: ModelServiceId) -> None:
        """DeleteModelService."""
        ...

    def list_model_services(self, db_instance_id: str) -> Sequence[ModelServiceDetails]:
        """ListModelServices, complete or raising."""
        ...

    def list_ai_nodes(self, db_instance_id: str) -> Sequence[AiNode]:
        """ListAINodePools, as nodes."""
        ...

    def modify_security_ips(self, db_instance_id: str, group: str, entries: Sequence[str]) -> None:
        """ModifySecurityIps of one named group."""
        ...


class Reporter(Protocol):
    """Where an operation speaks to the user."""

    def progress(self, message: str) -> None:
        """A line that the next one replaces."""
        ...

    def note(self, message: str) -> None:
        """A line that stays."""
        ...

    def warn(self, message: str) -> None:
        """A line that stays, as a warning."""
        ...


#: What to do about a service that is in the way, but not for long: a sentence.
BEING_DELETED = "It is being deleted: run `pulumi up` again once it is gone."


def how_to_take_over(service: ModelServiceId) -> str:
    """What to do about a service that is in the way and nobody's: a sentence."""
    return (
        f'To take that service over, declare it with opts=ResourceOptions(import_="{service}"), if '
        "no other stack has it; else choose a free node, or delete that service."
    )


def no_successor(service: ModelServiceId, why: str) -> OperationError:
    """The error for a service that is kept, since what is to replace it cannot be created."""
    return OperationError(
        f"delete of model service {service} was not sent, since what replaces it cannot be "
        f"created: {why}"
    )


class OwnedError(OperationError):
    """A service is another resource's."""


@dataclass(frozen=True)
class Standing:
    """
    How a service that is in the way stands to the resource that it is in the way of.

    Attributes:
        told: Whose it is and what to do about it: sentences.
        leaves: Whether it is on its way off the node, so that it is worth waiting for.
        patience_s: For how long to wait.
        since_s: When that begins, if later than the wait; on the clock that never goes back.
        anybodys: Whether it may be what an interrupted run of this very declaration made.
    """

    told: str
    leaves: bool = False
    patience_s: float = 0.0
    since_s: float = 0.0
    anybodys: bool = False


class Ownership(Protocol):
    """Which service is whose, as the resource sees it that the operation is about."""

    def claim(self, service: ModelServiceId, *, existed: bool) -> str | None:
        """
        Make a service the resource's own.

        Args:
            service: The service.
            existed: Whether it may have been there before the operation.

        Returns:
            Whose it was, as a sentence; None where it was nobody's.

        Raises:
            OwnedError: It is another resource's.
        """
        ...

    def release(self, service: ModelServiceId) -> None:
        """Take back a claim that came to nothing."""
        ...

    def is_former(self, service: ModelServiceId, *, existed: bool) -> bool:
        """Whether the resource had it until now, and is to get another."""
        ...

    @property
    def created_before(self) -> bool:
        """Whether the resource had a service before, whatever became of that."""
        ...

    def is_left_in(self, adopted: ModelServiceId) -> bool:
        """Whether an `import_` means nothing any more: the resource has taken that over before."""
        ...

    def standing(self, service: ModelServiceId, node: str) -> Standing:
        """What to do about a service that holds a node which the resource wants."""
        ...

    def rival(self, nodes: Collection[tuple[str, str]]) -> str | None:
        """What to do about another resource of the program that wants one of the nodes."""
        ...


class NoOthers(Ownership):
    """An `Ownership` that knows of no other owner."""

    def claim(self, service: ModelServiceId, *, existed: bool) -> str | None:
        """See `Ownership`."""

    def release(self, service: ModelServiceId) -> None:
        """See `Ownership`."""

    def is_former(self, service: ModelServiceId, *, existed: bool) -> bool:  # noqa: ARG002
        """See `Ownership`."""
        return False

    @property
    def created_before(self) -> bool:
        """See `Ownership`."""
        return False

    def is_left_in(self, adopted: ModelServiceId) -> bool:  # noqa: ARG002
        """See `Ownership`."""
        return False

    def standing(self, service: ModelServiceId, node: str) -> Standing:  # noqa: ARG002
        """See `Ownership`."""
        return Standing(how_to_take_over(service), anybodys=True)

    def rival(self, nodes: Collection[tuple[str, str]]) -> str | None:
        """See `Ownership`."""


@dataclass(frozen=True)
class Operation:
    """
    One create, read, update or delete.

    All operations of the process share `deleted_here` and `spent_tokens`: ids whose
    deletion it saw through, so a create in the same run knows them for dead at once, and the client
    tokens that led to them. `secret_inputs` names the inputs whose
    values are not to be told.
    """

    api: ModelServiceApi
    clock: Clock
    deadline: Deadline
    report: Reporter
    max_poll_interval_s: float | None = None
    owners: Ownership = field(default_factory=NoOthers)
    deleted_here: set[ModelServiceId] = field(default_factory=set)
    spent_tokens: set[str] = field(default_factory=set)
    secret_inputs: Collection[str] = ()

    def look_api(self, limit_s: float) -> ModelServiceApi:
        """The API for a look that an operation can do without, so that it is short."""
        return self.api.within(self.deadline.at_most(limit_s))

    def pause(self, since_s: float | None = None) -> None:
        """Sleep until the next poll is due, never beyond the deadline."""
        waited = self.deadline.waited_s if since_s is None else since_s
        delay = poll_delay(waited, self.max_poll_interval_s)
        self.clock.sleep(min(delay, self.deadline.remaining_s))

    def stop_if_cancelled(self, action: str, subject: str) -> None:
        """
        Begin nothing after a cancel: whoever waits for this operation may be gone.

        Raises:
            OperationError: Names the action that is not sent, and what it is about.
        """
        if self.clock.cancelled:
            raise OperationError(
                f"{action} {subject} was not sent: the operation was cancelled. Run the command "
                "again."
            )

    def when_not_busy(self, call: Callable[[], _T]) -> _T:
        """
        Make a call, and again for as long as it is refused as busy.

        Raises:
            BusyError: The operation is over first.
        """
        while True:
            try:
                return call()
            except BusyError as error:
                self.outwait(error)

    def outwait(self, error: BusyError) -> None:
        """
        Pause before a call that was refused as busy is made again.

        Raises:
            BusyError: The one given, when the operation is over or the pause is cancelled.
        """
        if not self.waited_for(f"the instance: {error.reason}"):
            raise error

    def waited_for(self, what: str) -> bool:
        """Pause for something to pass; False when the operation is over first."""
        if self.over:
            return False
        waited = format_duration(self.deadline.waited_s)
        self.report.progress(f"waiting for {what} ({waited} so far)")
        self.pause()
        return not self.clock.cancelled

    @property
    def over(self) -> bool:
        """Whether waiting must end, for lack of time or by the user's wish."""
        return self.clock.cancelled or self.deadline.expired

    @property
    def ending(self) -> str:
        """What ended it, once it is over, to follow "the operation"."""
        return "was cancelled" if self.clock.cancelled else "ran out of time"
