"""
The one policy for repeating a single call. Waiting for a state is `lifecycle`'s business.

Only errors marked `retryable` are repeated: throttling, 5xx, and answers that never came or could
not be read. Attempts and seconds are both bounded, and a cancel ends the repeating.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import tenacity

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import AdbpgModelError, ApiError, TransportError

__all__ = ["RetryPolicy", "backoff", "call_with_retry"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds of one call with its retries. All times in seconds."""

    attempts: int = 7
    #: No further attempt starts after this long.
    seconds: float = 90.0
    first_wait_s: float = 0.5
    max_wait_s: float = 15.0

    def within(self, budget_s: float | None) -> RetryPolicy:
        """The same policy with at most `budget_s` seconds."""
        if budget_s is None:
            return self
        return replace(self, seconds=max(0.0, min(self.seconds, budget_s)))


def backoff(policy: RetryPolicy, attempt: int, jitter: float, asked_s: float | None) -> float:
    """
    The pause after the given attempt (1, 2, …): doubling, capped, its upper half random.

    What the cloud asks for in `x-acs-retry-after` goes first when it is longer.
    """
    exponent = min(attempt - 1, 30)  # keeps the power small; the cap is reached long before
    full = min(policy.max_wait_s, policy.first_wait_s * 2.0**exponent)
    return max(full * (0.5 + 0.5 * jitter), asked_s or 0.0)


def call_with_retry(
    call: Callable[[], _T],
    *,
    policy: RetryPolicy,
    clock: Clock,
    jitter: Callable[[], float] = random.random,
) -> _T:
    """
    Make the call, repeating it under the policy.

    Raises:
        AdbpgModelError: The last attempt's own error; `in_doubt` if any of them was.
    """
    started = clock.monotonic()
    try:
        return call()  # goes well nearly always, and then needs none of what follows
    except AdbpgModelError as first:
        failed: AdbpgModelError | None = first
    error: BaseException | None = None
    in_doubt = False

    def attempt() -> _T:
        nonlocal failed, in_doubt
        try:
            if failed is not None:
                first, failed = failed, None
                raise first
            return call()
        except (ApiError, TransportError) as refused:
            refused.in_doubt = in_doubt = in_doubt or refused.in_doubt
            raise

    def wait(state: tenacity.RetryCallState) -> float:
        nonlocal error
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, ApiError) else None
        return backoff(policy, state.attempt_number, jitter(), asked)

    def stop(state: tenacity.RetryCallState) -> bool:
        ends = clock.monotonic() - started + state.upcoming_sleep
        return clock.cancelled or state.attempt_number >= policy.attempts or ends > policy.seconds

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.cancelled and error is not None:
            raise error

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_retryable),
        wait=wait,
        stop=stop,
        sleep=sleep,
        reraise=True,
    )
    return retrying(attempt)


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, AdbpgModelError) and bool(getattr(error, "retryable", False))
