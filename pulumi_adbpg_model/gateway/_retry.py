"""
The one policy for repeating a single call. Waiting for a state is `lifecycle`'s business.

Only errors marked `retryable` are repeated: throttling, 5xx, and answers that never came or could
not be read. Attempts and seconds are both bounded, and a cancel ends the repeating.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import Clock, Deadline
from pulumi_adbpg_model.errors import ApiError, TransportError

_T = TypeVar("_T")


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds of one call with its retries. All times in seconds."""

    attempts: int = 7
    #: No further attempt starts after this long.
    seconds: float = 90.0
    first_wait_s: float = 0.5
    max_wait_s: float = 15.0


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
    deadline: Deadline | None = None,
    jitter: Callable[[], float] = random.random,
) -> _T:
    """
    Make the call, repeating it under the policy, and at most until the deadline.

    Raises:
        AdbpgModelError: The last attempt's own; `in_doubt` if any attempt was.
    """
    started = clock.monotonic()
    left_s = policy.seconds if deadline is None else min(policy.seconds, deadline.remaining_s)
    attempt, in_doubt = 0, False
    while True:
        attempt += 1
        tracing.current().set("adbpg.attempts", attempt)
        try:
            return call()
        except (ApiError, TransportError) as error:
            in_doubt = in_doubt or error.in_doubt
            last = error if error.in_doubt == in_doubt else error.replace(in_doubt=in_doubt)
        pause_s = backoff(policy, attempt, jitter(), getattr(last, "retry_after_s", None))
        late = clock.monotonic() - started + pause_s > left_s
        if not last.retryable or attempt >= policy.attempts or late or clock.cancelled:
            raise last
        tracing.sleep(clock, pause_s, after=last)
        if clock.cancelled:
            raise last
