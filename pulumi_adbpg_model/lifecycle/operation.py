"""What one operation works with: the API, the clock, a deadline, a voice, and whose is what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import Clock, Deadline
from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import BusyError, OperationError

_T = TypeVar("_T")

_FIRST_DELAY_S = 2.0
_SHARE_OF_WAIT = 0.05
_LONGEST_DELAY_S = 30.0


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

    def list_supported_models(self) -> Sequence[str]:
        """ListSupportModels."""
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


class OwnedError(OperationError):
    """A service is another resource's."""


@dataclass(frozen=True)
class Standing:
    """
    How a service that is in the way stands to the resource that it is in the way of.

    Attributes:
        advice: Whose it is and what to do about it: sentences.
        leaves: Whether it is on its way off the node, so that it is worth waiting for.
        wait_s: For how long to wait.
        wait_from_s: When that begins, if later than the wait; on the clock that never goes back.
        unowned: Whether it may be what an interrupted run of this very declaration made.
    """

    advice: str
    leaves: bool = False
    wait_s: float = 0.0
    wait_from_s: float = 0.0
    unowned: bool = False


class Ownership:
    """
    Which service is whose, as the resource with a URN sees it. This one knows of no other owner;
    `service.owners.Owners` knows the program and its stack.
    """

    def claim(self, urn: str, service: ModelServiceId, *, existed: bool) -> str | None:
        """
        Make a service the resource's own.

        Args:
            urn: The resource's.
            service: The service.
            existed: Whether it may have been there before the operation.

        Returns:
            Whose it was, as a sentence; None where it was nobody's.

        Raises:
            OwnedError: It is another resource's.
        """

    def release(self, urn: str, service: ModelServiceId) -> None:
        """Take back a claim that came to nothing."""

    def is_former(self, urn: str, service: ModelServiceId, *, existed: bool) -> bool:  # noqa: ARG002
        """Whether the resource had it until now, and is to get another."""
        return False

    def created_before(self, urn: str) -> bool:  # noqa: ARG002
        """Whether the resource had a service before, whatever became of that."""
        return False

    def is_left_in(self, urn: str, adopted: ModelServiceId) -> bool:  # noqa: ARG002
        """Whether an `import_` means nothing any more: the resource has taken that over before."""
        return False

    def standing(self, urn: str, service: ModelServiceId, node: str) -> Standing:  # noqa: ARG002
        """What to do about a service that holds a node which the resource wants."""
        return Standing(how_to_take_over(service), unowned=True)

    def rival(self, urn: str, nodes: Collection[tuple[str, str]]) -> str | None:
        """What to do about another resource of the program that wants one of the nodes."""


@dataclass
class Memory:
    """
    What outlives an operation: one for each process.

    Attributes:
        deleted: Services whose deletion this process saw through: where the cloud answers a create
            with one of them, or lists it once more, it is known for dead at once.
        spent_tokens: The client tokens that led to them.
    """

    deleted: set[ModelServiceId] = field(default_factory=set)
    spent_tokens: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Operation:
    """
    One create, read, update or delete.

    Its deadline bounds all calls and pauses together. `urn` is that of the resource which it is
    about; `secret_inputs` names the inputs whose values are not to be told.
    """

    api: ModelServiceApi
    clock: Clock
    deadline: Deadline
    report: Reporter
    max_poll_interval_s: float | None = None
    urn: str = ""
    owners: Ownership = field(default_factory=Ownership)
    memory: Memory = field(default_factory=Memory)
    secret_inputs: Collection[str] = ()

    @property
    def over(self) -> bool:
        """Whether waiting must end, for lack of time or by the user's wish."""
        return self.clock.cancelled or self.deadline.expired

    @property
    def ending(self) -> str:
        """What ended it, once it is over, to follow "the operation"."""
        return "was cancelled" if self.clock.cancelled else "ran out of time"

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

    def pause(self, since_s: float | None = None) -> None:
        """Sleep until the next poll is due, never beyond the deadline."""
        waited = self.deadline.waited_s if since_s is None else since_s
        delay = poll_delay(waited, self.max_poll_interval_s)
        tracing.sleep(self.clock, min(delay, self.deadline.remaining_s))

    def wait_for(self, what: str) -> bool:
        """Pause for something to pass; False when the operation is over first."""
        if self.over:
            return False
        waited = format_duration(self.deadline.waited_s)
        self.report.progress(f"waiting for {what} ({waited} so far)")
        self.pause()
        return not self.clock.cancelled

    def wait_while_busy(self, error: BusyError) -> bool:
        """`wait_for` before a call that was refused as busy is made again."""
        return self.wait_for(f"the instance: {error.reason}")

    def retry_while_busy(self, call: Callable[[], _T]) -> _T:
        """
        Make a call, and again for as long as it is refused as busy.

        Raises:
            BusyError: The operation is over first.
        """
        while True:
            try:
                return call()
            except BusyError as error:
                if not self.wait_while_busy(error):
                    raise


def poll_delay(waited_s: float, longest_s: float | None = None) -> float:
    """
    The pause before the next poll: 2 s at first, then 5 % of the time waited, at most 30 s.

    A service that takes a minute is seen within 3 s, one that takes an hour costs few calls.

    Args:
        waited_s: Seconds waited so far.
        longest_s: The user's own cap, in seconds.
    """
    delay = min(max(_FIRST_DELAY_S, waited_s * _SHARE_OF_WAIT), _LONGEST_DELAY_S)
    return delay if longest_s is None else min(delay, longest_s)


def format_duration(seconds: float) -> str:
    """Whole units for people: `42 s`, `3 m 05 s`, `1 h 02 m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
