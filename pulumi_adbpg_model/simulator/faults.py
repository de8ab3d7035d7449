"""Faults: named ways for one call to go wrong, injected by tests.

Decision: a fault says two things that clients must tell apart, whether the action was applied
and how the answer came (or did not). A fault strikes after the signature was verified, so a
badly signed request does not use it up.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from . import checks, errors
from .errors import CloudError
from .records import ACTIONS

Delivery = Literal["normal", "reset", "hang", "cut", "huge"]

HUGE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Fault:
    """One way to go wrong: applied or not, then refused, misdelivered or replaced."""

    name: str
    doc: str
    applied: bool = False
    delivery: Delivery = "normal"
    error: CloudError | None = None
    status: int = 200
    content_type: str = "application/json"
    text: str | None = None
    location: str | None = None


_HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def _error(status: int, code: str, message: str, **headers: str) -> CloudError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return CloudError(status, code, message, named)


_TABLE = (
    Fault("reset-before", "Not applied; the connection is reset.", delivery="reset"),
    Fault(
        "reset-after",
        "Applied; the connection is reset without an answer.",
        applied=True,
        delivery="reset",
    ),
    Fault("hang", "Not applied; no answer until the client gives up.", delivery="hang"),
    Fault(
        "hang-after",
        "Applied; no answer until the client gives up.",
        applied=True,
        delivery="hang",
    ),
    Fault(
        "internal-error",
        "Not applied; 500 InternalError.",
        error=_error(500, "InternalError", "The request processing has failed: unknown error."),
    ),
    Fault(
        "internal-error-after",
        "Applied; 500 InternalError all the same.",
        applied=True,
        error=_error(500, "InternalError", "The request processing has failed: unknown error."),
    ),
    Fault(
        "unavailable",
        "Not applied; 503 ServiceUnavailable.",
        error=_error(503, "ServiceUnavailable", "The service is temporarily unavailable."),
    ),
    Fault(
        "html-502",
        "Not applied; a gateway's 502 page.",
        status=502,
        content_type="text/html",
        text=_HTML,
    ),
    Fault(
        "html-200",
        "Not applied; a proxy's page with status 200.",
        content_type="text/html",
        text="<html><body>Please sign in to the network.</body></html>",
    ),
    Fault(
        "truncated-json",
        "Applied; the answer is cut in the middle of its JSON.",
        applied=True,
        delivery="cut",
    ),
    Fault(
        "wrong-shape",
        "Applied; 200 with JSON that is a list.",
        applied=True,
        text='["unexpected"]',
    ),
    Fault("empty-200", "Applied; 200 with an empty body.", applied=True, text=""),
    Fault(
        "huge",
        "Not applied; 200 with 64 MB of valid JSON, sent in pieces until the client leaves.",
        delivery="huge",
    ),
    Fault(
        "redirect",
        "Not applied; 307 to the path /moved of this server.",
        status=307,
        content_type="text/html",
        text="<html><body>Moved</body></html>",
        location="/moved",
    ),
    Fault(
        "throttled",
        "Not applied; 400 Throttling.User.",
        error=_error(400, "Throttling.User", "Request was denied due to user flow control."),
    ),
    Fault(
        "throttled-retry-after",
        "Not applied; 429 Throttling.User with x-acs-retry-after: 200 (milliseconds).",
        error=_error(
            429,
            "Throttling.User",
            "Request was denied due to user flow control.",
            x_acs_retry_after="200",
        ),
    ),
    Fault(
        "busy", "Not applied; 400 OperationDenied.DBInstanceStatus.", error=errors.instance_busy()
    ),
    Fault(
        "quota",
        "Not applied; 400 QuotaNotEnough.",
        error=_error(400, "QuotaNotEnough", "The quota is not enough."),
    ),
    Fault(
        "forbidden",
        "Not applied; 403 Forbidden.RAM.",
        error=_error(403, "Forbidden.RAM", "User not authorized to operate on the resource."),
    ),
    Fault(
        "clock-skew",
        "Not applied; 400 InvalidTimeStamp.Expired.",
        error=errors.timestamp_expired(),
    ),
    Fault(
        "expired-token",
        "Not applied; 400 InvalidSecurityToken.Expired.",
        error=errors.token_expired(),
    ),
    Fault(
        "not-found-404",
        "Not applied; 404 with the bare code NotFound.",
        error=_error(404, "NotFound", "The specified resource does not exist."),
    ),
    Fault(
        "instance-not-found",
        "Not applied; 404 InvalidDBInstanceId.NotFound.",
        error=errors.instance_not_found(),
    ),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _TABLE}


@dataclass
class _Rule:
    number: int
    fault: Fault
    action: str | None
    times: int | None
    after: int


@dataclass(frozen=True)
class WaitingFault:
    """A fault that is switched on: `times` calls of `action` (None: all, any) are still to come."""

    number: int
    name: str
    action: str | None
    times: int | None
    after: int


@dataclass
class FaultQueue:
    """The faults that wait for their call, first injected first struck."""

    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def inject(self, fault: str, action: str | None, times: int | None, after: int) -> None:
        """Add a fault for the next calls of an action (None: of any).

        TypeError or ValueError when there is no such fault or action, or no such number of calls.
        """
        checks.known("fault", fault, sorted(FAULTS))
        if action is not None:
            checks.known("action", action, ACTIONS)
        if times is not None:
            checks.whole("times", times)
        if (times is not None and times < 1) or checks.whole("after", after) < 0:
            msg = "times must be at least 1 (or None: for ever), after at least 0"
            raise ValueError(msg)
        with self._lock:
            rule = _Rule(next(self._numbers), FAULTS[fault], action, times, after)
            self._rules.append(rule)

    def clear(self) -> None:
        """Drop what has not struck yet."""
        with self._lock:
            self._rules.clear()

    def waiting(self) -> list[WaitingFault]:
        """Return what has not struck yet, in the order of injection."""
        with self._lock:
            return [
                WaitingFault(rule.number, rule.fault.name, rule.action, rule.times, rule.after)
                for rule in self._rules
            ]

    def drop(self, number: int) -> None:
        """Drop one fault; harmless when it has struck already."""
        with self._lock:
            self._rules = [rule for rule in self._rules if rule.number != number]

    def take(self, action: str) -> Fault | None:
        """Return the fault for this call, if any, and use it up."""
        with self._lock:
            for rule in self._rules:
                if rule.action not in (None, action):
                    continue
                if rule.after > 0:
                    rule.after -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times == 0:
                        self._rules.remove(rule)
                return rule.fault
        return None
