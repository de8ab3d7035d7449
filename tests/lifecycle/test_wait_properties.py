"""For any cloud at all, a wait ends in time and never raises."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, Phase
from pulumi_adbpg_model.errors import (
    AccessError,
    ConfigurationError,
    InstanceNotFoundError,
    NotFoundError,
)
from pulumi_adbpg_model.lifecycle import ModelServiceApi, Operation, create, wait_until_active
from tests.lifecycle.fakes import (
    DERIVED,
    INSTANCE,
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

    created = create(operation(cloud, voice, limit_s), SPEC, DERIVED, wait_for_active=True)

    assert str(created.id) == "gp-demo:ms-1"
    assert cloud.abouts("create") == [DERIVED.at(0.0)]
    assert clock.now <= limit_s + 1e-6


class _Contradicting:
    """A cloud that says anything at all: each describe and each list by a script of its own."""

    def __init__(
        self,
        clock: FakeClock,
        describes: list[str | Exception | None],
        lists: list[bool | Exception],
        call_s: float,
    ) -> None:
        self._clock = clock
        self._describes = itertools.chain(describes, itertools.repeat(describes[-1]))
        self._lists = itertools.chain(lists, itertools.repeat(lists[-1]))
        self._call_s = call_s
        self.said: list[str] = []

    def describe_model_service(self, service: ModelServiceId) -> ModelServiceDetails:
        self._clock.advance(self._call_s)
        answer = next(self._describes)
        if isinstance(answer, Exception):
            self.said.append("none" if isinstance(answer, NotFoundError) else "error")
            raise answer
        self.said.append("shown")
        return ModelServiceDetails(service, status=answer)

    def list_model_services(self, db_instance_id: str) -> Sequence[ModelServiceDetails]:
        self._clock.advance(self._call_s)
        answer = next(self._lists)
        if isinstance(answer, Exception):
            self.said.append("error")
            raise answer
        self.said.append("listed" if answer else "not listed")
        return [ModelServiceDetails(ModelServiceId(db_instance_id, "ms-1"))] if answer else []


_INVISIBLE = InstanceNotFoundError("Describe", "it", "no such instance", code="x")
_SAYS = st.lists(
    # Absence comes often, and may last: the last word stays.
    st.just(not_found()) | st.one_of(_WORDS, st.just("deleted"), _ERRORS, st.just(_INVISIBLE)),
    min_size=1,
    max_size=12,
)
_LISTS = st.lists(st.booleans() | _ERRORS | st.just(_INVISIBLE), min_size=1, max_size=20)


@given(
    describes=_SAYS,
    lists=_LISTS,
    limit_s=st.floats(0, 2000),
    call_s=st.floats(0, 20),
    cancel_at=st.none() | st.floats(0.001, 2000),
    seen=st.booleans(),
    only_seen=st.booleans(),
)
def test_wait_ends_in_time_and_says_gone_with_proof_only_however_the_cloud_contradicts_itself(
    describes: list[str | Exception | None],
    lists: list[bool | Exception],
    limit_s: float,
    call_s: float,
    cancel_at: float | None,
    *,
    seen: bool,
    only_seen: bool,
) -> None:
    """Absent, listed, shown and broken in any order: bounded by deadline, cancel and proof."""
    clock = FakeClock()
    cloud = _Contradicting(clock, describes, lists, call_s)
    if cancel_at is not None:
        clock.at(cancel_at, clock.cancel)
    service = ModelServiceId(INSTANCE, "ms-1")
    last = ModelServiceDetails(service, status="deploying") if seen else None
    waiting = Operation(
        cast("ModelServiceApi", cloud), clock, Deadline.after(clock, limit_s), Voice()
    )

    outcome = wait_until_active(waiting, service, only_seen=only_seen, last=last)

    ends = limit_s if cancel_at is None else min(limit_s, cancel_at)
    assert clock.now <= ends + 2 * call_s + 1e-6
    if outcome.gone:
        assert "not listed" in cloud.said
        assert cloud.said[-1] == "not listed"
        assert cloud.said.count("not listed") > 1 or not seen
    if outcome.reason is None:
        assert cloud.said[-1] == "shown"
    active = outcome.details is not None and outcome.details.phase is Phase.ACTIVE
    assert active == (outcome.reason is None)
