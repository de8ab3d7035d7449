"""The one retry policy: bounded in attempts and seconds, obedient to the cloud and to a cancel."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.errors import (
    AccessError,
    BusyError,
    ConfigurationError,
    ServerError,
    ThrottledError,
    TransportError,
)
from pulumi_adbpg_model.gateway import RetryPolicy
from pulumi_adbpg_model.gateway._retry import backoff, call_with_retry
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import INSTANCE, SPEC, gateway_for
from tests.lifecycle.fakes import FakeClock


def _throttled(retry_after_s: float | None = None) -> ThrottledError:
    return ThrottledError("Act", "on it", "slowly", retry_after_s=retry_after_s)


class Failing:
    """A call that fails as told, then succeeds; each takes its time."""

    def __init__(self, clock: FakeClock, *errors: Exception, takes_s: float = 0.0) -> None:
        self.clock = clock
        self.errors = list(errors)
        self.takes_s = takes_s
        self.at: list[float] = []

    def __call__(self) -> str:
        self.at.append(self.clock.now)
        self.clock.advance(self.takes_s)
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_the_default_policy_is_bounded() -> None:
    """7 attempts, 90 s, pauses from half a second to 15 s."""
    assert RetryPolicy() == RetryPolicy(attempts=7, seconds=90.0, first_wait_s=0.5, max_wait_s=15.0)


@pytest.mark.parametrize(
    ("attempt", "jitter", "asked_s", "pause_s"),
    [
        (1, 0.0, None, 0.25),
        (1, 1.0, None, 0.5),
        (2, 0.5, None, 0.75),
        (5, 1.0, None, 8.0),
        (6, 1.0, None, 15.0),
        (1000, 1.0, None, 15.0),
        (1, 1.0, 0.2, 0.5),
        (1, 1.0, 60.0, 60.0),
        (1, 0.0, 0.25, 0.25),
    ],
)
def test_backoff_doubles_up_to_its_cap_and_obeys_a_longer_wish(
    attempt: int, jitter: float, asked_s: float | None, pause_s: float
) -> None:
    """The upper half is random; what the cloud asks for goes first when it is longer."""
    assert backoff(RetryPolicy(), attempt, jitter, asked_s) == pause_s


def test_a_call_that_succeeds_is_made_once() -> None:
    """No error, no pause."""
    clock = FakeClock()
    call = Failing(clock)
    assert call_with_retry(call, policy=RetryPolicy(), clock=clock) == "done"
    assert (len(call.at), clock.sleeps) == (1, [])


def test_passing_errors_are_outlived_with_growing_pauses() -> None:
    """Six failures of every passing kind, then success at the seventh attempt."""
    clock = FakeClock()
    transport, server = TransportError("Act", "on it", "no"), ServerError("Act", "on it", "no")
    call = Failing(clock, transport, server, _throttled(), transport, server, _throttled())

    result = call_with_retry(call, policy=RetryPolicy(), clock=clock, jitter=lambda: 1.0)

    assert (result, clock.sleeps) == ("done", [0.5, 1.0, 2.0, 4.0, 8.0, 15.0])


def test_the_last_error_is_raised_as_it_is() -> None:
    """After the last attempt the error of that attempt comes out, and no pause follows it."""
    clock = FakeClock()
    errors = [ServerError("Act", "on it", f"{number}") for number in range(7)]

    with pytest.raises(ServerError) as caught:
        call_with_retry(Failing(clock, *errors), policy=RetryPolicy(), clock=clock)

    assert caught.value is errors[-1]
    assert len(clock.sleeps) == 6


@pytest.mark.parametrize(
    "error",
    [BusyError("Act", "on it", "no"), ConfigurationError("no"), ValueError("a bug")],
)
def test_anything_else_is_raised_at_once(error: Exception) -> None:
    """What will not pass by itself is not repeated here."""
    clock = FakeClock()
    call = Failing(clock, error)
    with pytest.raises(type(error)) as caught:
        call_with_retry(call, policy=RetryPolicy(), clock=clock)
    assert caught.value is error
    assert len(call.at) == 1


def test_no_attempt_starts_after_the_seconds() -> None:
    """A pause that would end beyond the bound is not begun."""
    clock = FakeClock()
    call = Failing(clock, *[_throttled()] * 9, takes_s=10.0)

    with pytest.raises(ThrottledError):
        call_with_retry(
            call, policy=RetryPolicy(attempts=9, seconds=30.0), clock=clock, jitter=lambda: 1.0
        )

    assert call.at == [0.0, 10.5, 21.5]
    assert clock.now == 31.5


@pytest.mark.parametrize(("asked_s", "calls"), [(20.0, 2), (20.1, 1)])
def test_a_wish_beyond_the_seconds_is_not_waited_for(asked_s: float, calls: int) -> None:
    """The cloud may ask for more than there is: then the error comes at once."""
    clock = FakeClock()
    call = Failing(clock, _throttled(asked_s), _throttled(asked_s))
    with pytest.raises(ThrottledError):
        call_with_retry(call, policy=RetryPolicy(seconds=20.0), clock=clock)
    assert len(call.at) == calls


@pytest.mark.parametrize("cancel_at_s", [0.1, 0.5, 3.0])
def test_a_cancel_ends_the_repeating_at_once(cancel_at_s: float) -> None:
    """Cancelled during a pause, the call is not sent again; its last error is raised."""
    clock = FakeClock()
    errors = [ServerError("Act", "on it", f"{number}") for number in range(7)]
    call = Failing(clock, *errors)
    clock.at(cancel_at_s, clock.cancel)

    with pytest.raises(ServerError) as caught:
        call_with_retry(call, policy=RetryPolicy(), clock=clock, jitter=lambda: 1.0)

    assert clock.now == cancel_at_s
    assert all(at < cancel_at_s for at in call.at)
    assert caught.value is errors[len(call.at) - 1]


def test_a_cancel_before_allows_one_attempt() -> None:
    """A call begun after the cancel is made once, as the last look at a status is."""
    clock = FakeClock()
    clock.cancel()
    call = Failing(clock, _throttled())
    with pytest.raises(ThrottledError):
        call_with_retry(call, policy=RetryPolicy(), clock=clock)
    assert (len(call.at), clock.sleeps) == (1, [])


@pytest.mark.parametrize(("budget_s", "end_s"), [(100.0, 30.0), (10.0, 10.0), (0.0, 0.0)])
def test_a_deadline_only_tightens_the_policy(budget_s: float, end_s: float) -> None:
    """What is left of it bounds the repeating, and never loosens it; one attempt is always made."""
    clock = FakeClock()
    call = Failing(clock, *[_throttled(1.0)] * 99)
    with pytest.raises(ThrottledError):
        call_with_retry(
            call,
            policy=RetryPolicy(attempts=99, seconds=30.0, max_wait_s=1.0),
            clock=clock,
            deadline=Deadline.after(clock, budget_s),
        )
    assert call.at == [float(at) for at in range(int(end_s) + 1)]


def test_the_gateway_obeys_x_acs_retry_after(simulator: Simulator) -> None:
    """The header is in milliseconds, and sets the pause when it asks for more than the policy."""
    simulator.inject("throttled-retry-after", "ListModelServices", times=2)
    clock = FakeClock()

    gateway_for(
        simulator, clock, RetryPolicy(first_wait_s=0.01, max_wait_s=0.01)
    ).list_model_services(INSTANCE)

    assert clock.sleeps == [0.2, 0.2]


@pytest.mark.parametrize(("budget_s", "calls"), [(0.0, 1), (0.19, 1), (0.2, 2), (0.5, 3), (9.0, 7)])
def test_the_gateway_keeps_to_its_budget(simulator: Simulator, budget_s: float, calls: int) -> None:
    """Its deadline bounds every action with all its retries; one attempt is always made."""
    simulator.inject("throttled-retry-after", times=None)
    policy = RetryPolicy(first_wait_s=0.01, max_wait_s=0.01)
    clock = FakeClock()
    gateway = gateway_for(simulator, clock, policy)

    with pytest.raises(ThrottledError):
        gateway.within(Deadline.after(clock, budget_s)).create_model_service(SPEC, "token-1")

    assert len(simulator.requests) == calls
    assert clock.now <= budget_s


@pytest.mark.parametrize("fault", ["reset-after", "internal-error-after", "truncated-json"])
def test_a_refusal_after_an_answer_that_was_lost_says_so(simulator: Simulator, fault: str) -> None:
    """The attempt before may have been applied, whatever the last one is answered."""
    gateway = gateway_for(simulator, FakeClock(), RetryPolicy())
    simulator.inject(fault, "CreateModelService")
    simulator.inject("forbidden", "CreateModelService")
    with pytest.raises(AccessError) as doubtful:
        gateway.create_model_service(SPEC, "token")
    simulator.inject("forbidden", "CreateModelService")
    with pytest.raises(AccessError) as certain:
        gateway.create_model_service(SPEC, "another")
    assert (doubtful.value.in_doubt, certain.value.in_doubt) == (True, False)
