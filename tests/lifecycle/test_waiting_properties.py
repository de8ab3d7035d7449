"""For any cloud at all, a wait ends in time and never raises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.domain import Phase
from pulumi_adbpg_model.errors import AccessError, ConfigurationError
from pulumi_adbpg_model.lifecycle import create, wait_until_active
from tests.lifecycle.fakes import (
    SPEC,
    FakeClock,
    FakeCloud,
    Voice,
    busy,
    fault,
    not_found,
    operation,
    outage,
)

_WORDS = st.sampled_from(["deploying", "active", "Active", "failed", "ERROR", "odd", "", None])
_ERRORS = st.sampled_from(
    [
        outage(),
        fault(),
        busy(),
        not_found(),
        AccessError("Describe", "it", "no"),
        ConfigurationError("no credentials"),
        ValueError("a bug"),
    ]
)
_STEPS = st.lists(st.one_of(_WORDS, _ERRORS), max_size=60)
_SECONDS = st.floats(0, 5000, allow_nan=False)


@given(_STEPS, st.lists(_ERRORS, max_size=20), _SECONDS, st.floats(0, 100), st.floats(0.5, 60))
def test_wait_ends_within_its_deadline_plus_one_call_and_never_raises(
    steps: list[str | Exception | None],
    list_errors: list[Exception],
    limit_s: float,
    call_s: float,
    interval_s: float,
) -> None:
    """Whatever the cloud answers, the wait ends by its deadline and the calls of one poll."""
    cloud, voice = FakeCloud(FakeClock()), Voice()
    service = cloud.add()
    cloud.call_s = call_s
    words = [step for step in steps if not isinstance(step, Exception)]
    cloud.services[service].statuses = words or ["deploying"]
    cloud.fail("describe", *(step for step in steps if isinstance(step, Exception)))
    cloud.fail("list", *list_errors)

    outcome = wait_until_active(
        operation(cloud, voice, limit_s, max_poll_interval_s=interval_s), service
    )

    # A poll is a describe, and a list after a not-found.
    assert cloud.clock.now <= limit_s + 2 * call_s + 1e-6
    active = outcome.details is not None and outcome.details.phase is Phase.ACTIVE
    assert (outcome.reason is None) == active
    assert "\n" not in (outcome.reason or "")


@given(_STEPS, _SECONDS, st.floats(0, 5000))
def test_create_keeps_the_id_whatever_follows_the_submission(
    steps: list[str | Exception | None], limit_s: float, cancel_at: float
) -> None:
    """Once the cloud has given the id, create returns it: no error and no cancel loses it."""
    clock, voice = FakeClock(), Voice()
    cloud = FakeCloud(clock)
    words = [step for step in steps if not isinstance(step, Exception)]
    cloud.statuses = words or ["deploying"]
    cloud.fail("describe", *(step for step in steps if isinstance(step, Exception)))
    clock.at(max(cancel_at, 0.001), clock.cancel)

    created = create(operation(cloud, voice, limit_s), SPEC, "token", wait_for_active=True)

    assert str(created.id) == "gp-demo:ms-1"
    assert cloud.abouts("create") == ["token"]
    assert clock.now <= limit_s + 1e-6
