"""The retry policy keeps its bounds whatever errors come, in whatever order and time."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    ApiError,
    BusyError,
    ConfigurationError,
    InvalidRequestError,
    NotFoundError,
    QuotaError,
    ServerError,
    ThrottledError,
    TransportError,
)
from pulumi_adbpg_model.gateway import RetryPolicy
from pulumi_adbpg_model.gateway._retry import backoff, call_with_retry
from tests.lifecycle.fakes import FakeClock

_PASSING = (ServerError, ThrottledError, TransportError)
_LASTING = (AccessError, BusyError, InvalidRequestError, NotFoundError, QuotaError)
#: What a header may hold once it is a number, and what it should never have become.
_asked = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers(-10, 10**9)
_errors = st.one_of(
    st.builds(
        lambda kind, asked: kind("Act", "on it", "no", retry_after_s=asked),
        st.sampled_from([ServerError, ThrottledError, *_LASTING]),
        _asked,
    ),
    st.builds(lambda: TransportError("Act", "on it", "no")),
    st.builds(lambda: ConfigurationError("no credentials")),
    st.builds(lambda: ValueError("a bug")),
)
#: The answers to the attempts, one after the other, with the seconds that each takes.
_answers = st.lists(st.tuples(st.none() | _errors, st.floats(0, 40)), min_size=1, max_size=20)
_policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 12),
    seconds=st.floats(0, 300),
    first_wait_s=st.floats(0.01, 5),
    max_wait_s=st.floats(0.01, 60),
)


@dataclass
class Ended:
    """How a call with its retries went."""

    at: list[float]
    given: list[Exception | None]
    error: BaseException | None
    now: float
    #: Attempts that began though the operation was cancelled already.
    late: int


def _run(
    answers: list[tuple[Exception | None, float]],
    policy: RetryPolicy,
    jitter: float,
    cancel_at: float | None = None,
) -> Ended:
    clock = FakeClock()  # refuses to sleep backwards
    if cancel_at is not None:
        clock.at(cancel_at, clock.cancel)
    at: list[float] = []
    given: list[Exception | None] = []

    late = 0

    def call() -> str:
        nonlocal late
        late += clock.cancelled
        at.append(clock.now)
        error, takes_s = answers[min(len(at), len(answers)) - 1]
        given.append(error)
        clock.advance(takes_s)
        if error is not None:
            raise error
        return "done"

    try:
        assert call_with_retry(call, policy=policy, clock=clock, jitter=lambda: jitter) == "done"
    except (AdbpgModelError, ValueError) as raised:
        return Ended(at, given, raised, clock.now, late)
    return Ended(at, given, None, clock.now, late)


def _is_of_the_last_attempt(ended: Ended) -> bool:
    """Whether its answer came out, in doubt if any attempt was."""
    last = ended.given[-1]
    in_doubt = any(getattr(error, "in_doubt", False) for error in ended.given)
    if not isinstance(last, (ApiError, TransportError)) or last.in_doubt == in_doubt:
        return ended.error is last
    return type(ended.error) is type(last) and vars(ended.error) == {**vars(last), "in_doubt": True}


@given(_answers, _policies, st.floats(0, 1))
def test_a_call_keeps_its_bounds_and_ends_with_its_last_answer(
    answers: list[tuple[Exception | None, float]], policy: RetryPolicy, jitter: float
) -> None:
    """Attempts and seconds are bounded; the last answer, error or not, is what comes out."""
    ended = _run(answers, policy, jitter)

    assert 1 <= len(ended.at) <= policy.attempts
    assert ended.at[-1] <= policy.seconds + 1e-6
    assert ended.now <= policy.seconds + 40 + 1e-6
    assert _is_of_the_last_attempt(ended)


@given(_answers, _policies, st.floats(0, 1))
def test_only_what_passes_by_itself_is_repeated(
    answers: list[tuple[Exception | None, float]], policy: RetryPolicy, jitter: float
) -> None:
    """Whatever comes before the last answer is an error of a passing kind."""
    ended = _run(answers, policy, jitter)

    assert all(isinstance(error, _PASSING) for error in ended.given[:-1])


@given(_answers, _policies, st.floats(0, 1), st.floats(0, 200))
def test_after_a_cancel_nothing_is_sent_and_nothing_waits(
    answers: list[tuple[Exception | None, float]],
    policy: RetryPolicy,
    jitter: float,
    cancel_at: float,
) -> None:
    """The attempt that is under way is the last one, and the time stands still after it."""
    ended = _run(answers, policy, jitter, cancel_at)

    assert ended.late <= (1 if cancel_at == 0 else 0)
    assert all(at <= cancel_at for at in ended.at)
    assert _is_of_the_last_attempt(ended)


@given(_policies, st.integers(1, 5000), st.floats(0, 1), _asked)
def test_a_pause_is_never_negative_and_never_shorter_than_asked(
    policy: RetryPolicy, attempt: int, jitter: float, asked_s: float | None
) -> None:
    """A pause is at least what the cloud asks for, and else at most the policy's longest."""
    pause_s = backoff(policy, attempt, jitter, asked_s)

    assert pause_s >= 0
    if asked_s is not None and asked_s > policy.max_wait_s:
        assert pause_s == asked_s
    else:
        assert pause_s <= policy.max_wait_s
