"""What one operation works with: the API, the clock, a deadline and a voice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import BusyError, OperationError
from pulumi_adbpg_model.lifecycle.sharing import SharedLooks
from pulumi_adbpg_model.lifecycle.timing import Deadline, format_duration, poll_delay

__all__ = ["ModelServiceApi", "Operation", "Reporter"]

_T = TypeVar("_T")


class ModelServiceApi(Protocol):
    """The calls that operations make; `gateway.Gateway` is the real one."""

    def create_model_service(
        self, spec: ModelServiceSpec, client_token: str, *, budget_s: float | None = None
    ) -> Submission:
        """CreateModelService."""
        ...

    def describe_model_service(
        self, service: ModelServiceId, *, budget_s: float | None = None
    ) -> ModelServiceDetails:
        """DescribeModelService."""
        ...

    def delete_model_service(
        self, service: ModelServiceId, *, budget_s: float | None = None
    ) -> None:
        """DeleteModelService."""
        ...

    def list_model_services(
        self, db_instance_id: str, *, budget_s: float | None = None
    ) -> Sequence[ModelServiceDetails]:
        """ListModelServices, complete or raising."""
        ...

    def list_ai_nodes(
        self, db_instance_id: str, *, budget_s: float | None = None
    ) -> Sequence[AiNode]:
        """ListAINodePools, as nodes."""
        ...

    def modify_security_ips(
        self,
        db_instance_id: str,
        group: str,
        entries: Sequence[str],
        *,
        budget_s: float | None = None,
    ) -> None:
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


@dataclass(frozen=True)
class Operation:
    """
    One create, read, update or delete.

    The last three are shared by all operations of the process: ids whose deletion it saw through,
    so a create in the same run knows them for dead at once; by the first token of a declaration,
    the one that comes after those that led to what was deleted; and the looks at instances.
    """

    api: ModelServiceApi
    clock: Clock
    deadline: Deadline
    report: Reporter
    max_poll_interval_s: float | None = None
    deleted_here: set[ModelServiceId] = field(default_factory=set)
    next_tokens: dict[str, str] = field(default_factory=dict)
    looks: SharedLooks = field(default_factory=SharedLooks)

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
        if not self.over:
            waited = format_duration(self.deadline.waited_s)
            self.report.progress(f"waiting for the instance, {waited}: {error.reason}")
            self.pause()
            if not self.clock.cancelled:
                return
        raise error

    @property
    def over(self) -> bool:
        """Whether waiting must end, for lack of time or by the user's wish."""
        return self.clock.cancelled or self.deadline.expired

    @property
    def ending(self) -> str:
        """What ended it, once it is over, to follow "the operation"."""
        return "was cancelled" if self.clock.cancelled else "ran out of time"
