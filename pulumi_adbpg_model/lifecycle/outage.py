"""How long a wait bears a cloud that gives no useful answer."""

from __future__ import annotations

from pulumi_adbpg_model.errors import (
    ApiError,
    BusyError,
    InvalidRequestError,
    ServerError,
    ThrottledError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation

__all__ = ["DISAGREEMENT_S", "Outage", "has_unknown_code"]

#: In a row, beyond each call's own retries.
_OUTAGE_S = 120.0
#: How long describe and list may contradict each other: one of them lags behind.
DISAGREEMENT_S = 15.0
_PASSING = (BusyError, ServerError, ThrottledError, TransportError)


class Outage:
    """The failures in a row of one wait."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._since: dict[float, float] = {}  # by the limit that applies

    def end(self) -> None:
        """There was an answer."""
        self._since.clear()

    def bears(self, error: Exception, *, any_code: bool = False) -> bool:
        """
        Whether the wait goes on in spite of a failed call.

        Args:
            error: How it failed.
            any_code: Whether a refusal with an unknown code is borne too, for a short while.
        """
        if isinstance(error, _PASSING):
            limit_s = _OUTAGE_S
        elif any_code and has_unknown_code(error):
            limit_s = DISAGREEMENT_S
        else:
            return False
        if self._operation.over:
            return True  # what ends the wait is the deadline or the cancel, not this
        now = self._operation.clock.monotonic()
        return now - self._since.setdefault(limit_s, now) < limit_s


def has_unknown_code(error: Exception) -> bool:
    """Whether it is a refusal whose code no page lists, or one that blames a parameter."""
    if type(error) not in (ApiError, InvalidRequestError):
        return False
    status = error.status if isinstance(error, ApiError) else None
    return status is not None and 400 <= status < 500
