"""
Waiting for a service to become active.

Once a service has an id, losing that id costs more than any error, so this never raises: whatever
ends the wait is told as the outcome's `reason`, and the caller saves what is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, Phase
from pulumi_adbpg_model.errors import text_of
from pulumi_adbpg_model.lifecycle.operation import Operation, format_duration
from pulumi_adbpg_model.lifecycle.presence import (
    GRACE_S,
    SECOND_LOOK_S,
    Outage,
    describe_or_none,
    is_proven_gone,
)


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


@dataclass(frozen=True)
class Created:
    """A service that exists, active or not."""

    id: ModelServiceId
    request_id: str | None
    outcome: Outcome
    #: The client token that was answered with it; None for a service that was taken over.
    token: str | None


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
    with tracing.span("wait until active") as span:
        outcome = _polled(operation, _Wait(operation, service, last), only_seen=only_seen)
        shown = outcome.details.phase.value if outcome.details else "unseen"
        span.set("adbpg.outcome", "gone" if outcome.gone else shown)
        return outcome


def _polled(operation: Operation, wait: _Wait, *, only_seen: bool) -> Outcome:
    while True:
        try:
            outcome = wait.poll(only_seen=only_seen)
        except Exception as error:  # noqa: BLE001 - an escaping error would lose the id
            outcome = wait.failed(error)
        if outcome is not None:
            return outcome
        if operation.over:
            return wait.over()
        operation.pause()


class _Wait:
    """What one wait remembers: what was seen last, and why nothing was since."""

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
        details = describe_or_none(self._operation, self._service, any_code=True)
        outcome = self._missing() if details is None else self._shown(details, only_seen=only_seen)
        self._outage.end()  # not before: missing asks for the list, which is a part of the answer
        self._unread = None
        return outcome

    def failed(self, error: Exception) -> Outcome | None:
        """What an error means for the wait. None: go on, it may pass."""
        if not self._outage.tolerates(error):
            return self._ended(f"its status could not be read: {text_of(error)}")
        if not self._operation.over:
            self._unread = error
            self._progress(f"{self._service}: {getattr(error, 'reason', error)}")
        return None

    def over(self) -> Outcome:
        """The wait ends at a cancel or the deadline."""
        if self._operation.clock.cancelled:
            return self._ended("the operation was cancelled")
        limit = format_duration(self._operation.deadline.limit_s)
        unread = "" if self._unread is None else f"; the last look at it failed: {self._unread}"
        return self._ended(f"not active within {limit}, the limit set by custom_timeouts{unread}")

    def _ended(self, reason: str) -> Outcome:
        status = self._last.status if self._last else None
        last = f"last status {status!r}" if status else "never seen so far"
        return Outcome(self._last, reason=f"{reason.rstrip('.')} ({last})")

    def _missing(self) -> Outcome | None:
        clock, seen = self._operation.clock, self._last is not None
        if not seen and clock.monotonic() - self._started < GRACE_S:
            self._progress(f"{self._service} does not show yet")
            return None
        if not is_proven_gone(self._operation, self._service):
            self._absent = None
            return None
        # One that was seen already may be missing from a list that lags behind: look twice.
        self._absent = self._absent or Deadline.after(clock, SECOND_LOOK_S if seen else 0.0)
        if self._absent.expired:
            return Outcome(self._last, reason="the service does not exist any more", gone=True)
        return None

    def _shown(self, details: ModelServiceDetails, *, only_seen: bool) -> Outcome | None:
        self._absent = None
        previous, self._last = self._last, details
        deadline = self._operation.deadline
        waited, limit = format_duration(deadline.waited_s), format_duration(deadline.limit_s)
        pending = details.phase is Phase.PENDING
        if previous is None or previous.status != details.status:
            self._operation.report.note(f"{self._service} is {details.status!r} after {waited}")
        elif pending:
            self._progress(f"{self._service} is {details.status!r}: {waited} of at most {limit}")
        return None if pending and not only_seen else Outcome(details, details.why_not_active)

    def _progress(self, message: str) -> None:
        """
        Speak less often the longer it takes, at least once a minute.

        Where output is not a terminal, every one of these stays in the log.
        """
        waited = self._operation.deadline.waited_s
        if waited >= self._speak_at:
            self._speak_at = waited + min(max(1.0, waited / 2), 60.0)
            self._operation.report.progress(message)
