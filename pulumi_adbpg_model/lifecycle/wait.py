"""
Waiting for a service to become active.

Once a service has an id, losing that id costs more than any error, so this never raises: whatever
ends the wait is told as the outcome's `reason`, and the caller saves what is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, Phase
from pulumi_adbpg_model.errors import text_of
from pulumi_adbpg_model.lifecycle.operation import Operation
from pulumi_adbpg_model.lifecycle.outage import Outage
from pulumi_adbpg_model.lifecycle.presence import GRACE_S, SECOND_LOOK_S, find, is_proven_gone
from pulumi_adbpg_model.lifecycle.timing import format_duration

__all__ = ["Outcome", "wait_until_active"]


@dataclass(frozen=True)
class Outcome:
    """
    How a wait ended.

    `details` is the last that was seen, None when nothing ever was. `reason` says in one line why
    the service is not active; None when it is. `gone` means proof that it does not exist.
    """

    details: ModelServiceDetails | None
    reason: str | None = None
    gone: bool = False


def wait_until_active(
    operation: Operation,
    service: ModelServiceId,
    *,
    only_seen: bool = False,
    last: ModelServiceDetails | None = None,
) -> Outcome:
    """
    Poll until the service is active, has failed, is proven gone, or the operation is over.

    Args:
        operation: Its deadline bounds the wait; there is a last poll at the deadline.
        service: The service to watch.
        only_seen: Return as soon as the cloud shows the service at all, in whatever status.
        last: What an earlier run saw; then not-found is not taken for a slow start.
    """
    watch = _Watch(operation, service, last)
    while True:
        try:
            outcome = watch.poll(only_seen=only_seen)
        except Exception as error:  # noqa: BLE001 - an escaping error would lose the id
            outcome = watch.ended(error)
        if outcome is not None:
            return outcome
        if operation.clock.cancelled:
            return watch.stopped("the operation was cancelled")
        if operation.deadline.expired:
            return watch.late()
        operation.pause()


class _Watch:
    """The memory of one wait: what was seen last, and why nothing was since."""

    def __init__(
        self, operation: Operation, service: ModelServiceId, last: ModelServiceDetails | None
    ) -> None:
        self._operation = operation
        self._service = service
        self._last = last
        self._outage = Outage(operation)
        self._started = operation.clock.monotonic()
        self._speak_at = 0.0
        self._absent: Deadline | None = None
        self._unread: Exception | None = None

    def poll(self, *, only_seen: bool) -> Outcome | None:
        """Look once. None: go on waiting."""
        details = find(self._operation, self._service, any_code=True)
        if details is None:
            outcome = self._missing()  # may ask for the list, which is a part of the answer
            self._answered()
            return outcome
        self._answered()
        self._absent = None
        previous, self._last = self._last, details
        self._tell(previous, details)
        done = only_seen or details.phase is not Phase.PENDING
        return Outcome(details, reason=details.why_not_active) if done else None

    def ended(self, error: Exception) -> Outcome | None:
        """What an error means for the wait. None: go on, it may pass."""
        if self._outage.bears(error, any_code=True):
            if not self._operation.over:
                self._unread = error
                self._progress(f"{self._service}: {getattr(error, 'reason', error)}")
            return None
        return self.stopped(f"its status could not be read: {text_of(error)}")

    def late(self) -> Outcome:
        """The wait ends at the deadline."""
        limit = format_duration(self._operation.deadline.limit_s)
        unread = "" if self._unread is None else f"; the last look at it failed: {self._unread}"
        return self.stopped(f"not active within {limit}, the limit set by custom_timeouts{unread}")

    def stopped(self, reason: str) -> Outcome:
        """The wait ends without the service being active."""
        status = self._last.status if self._last else None
        last = f"last status {status!r}" if status else "never seen so far"
        return Outcome(self._last, reason=f"{reason.rstrip('.')} ({last})")

    def _answered(self) -> None:
        self._outage.end()
        self._unread = None

    def _missing(self) -> Outcome | None:
        seen = self._last is not None
        waited = self._operation.clock.monotonic() - self._started
        if not seen and waited < GRACE_S:
            self._progress(f"{self._service} does not show yet")
            return None
        if not is_proven_gone(self._operation, self._service):
            self._absent = None
            return None
        # One that was seen already may be missing from a list that lags behind: look twice.
        clock = self._operation.clock
        self._absent = self._absent or Deadline.after(clock, SECOND_LOOK_S if seen else 0.0)
        if self._absent.expired:
            return Outcome(self._last, reason="the service does not exist any more", gone=True)
        return None

    def _tell(self, previous: ModelServiceDetails | None, details: ModelServiceDetails) -> None:
        deadline = self._operation.deadline
        waited, limit = format_duration(deadline.waited_s), format_duration(deadline.limit_s)
        if previous is None or previous.status != details.status:
            self._operation.report.note(f"{self._service} is {details.status!r} after {waited}")
        elif details.phase is Phase.PENDING:
            self._progress(f"{self._service} is {details.status!r}: {waited} of at most {limit}")

    def _progress(self, message: str) -> None:
        """
        Speak less often the longer it takes, at least once a minute.

        Where output is not a terminal, every one of these stays in the log.
        """
        waited = self._operation.deadline.waited_s
        if waited >= self._speak_at:
            self._speak_at = waited + min(max(1.0, waited / 2), 60.0)
            self._operation.report.progress(message)
