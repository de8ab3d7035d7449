"""What an interrupted run made is found again, whenever that was, and never made twice."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.lifecycle import Created, Tokens, create, delete
from tests.lifecycle.fakes import DERIVED, OWN, SPEC, FakeClock, FakeCloud, Voice, busy, operation

_RESUMED = (
    "exists already from an earlier run of this declaration: resuming it, nothing new was created"
)


def _interrupted(cloud: FakeCloud, tokens: Tokens = DERIVED) -> ModelServiceId:
    """A run whose create was applied, and that was killed before it knew."""
    token = tokens.own or tokens.at(cloud.clock.time())
    return cloud.create_model_service(SPEC, token).id


def _create(cloud: FakeCloud, voice: Voice, tokens: Tokens = DERIVED) -> Created:
    cloud.calls.clear()
    return create(operation(cloud, voice), SPEC, tokens, wait_for_active=True)


@given(
    began_ms=st.integers(0, 2 * 10**12),
    skew_ms=st.integers(-5000, 40000),
    later_s=st.floats(0, 1e8, allow_nan=False),
)
@example(began_ms=1999, skew_ms=-5000, later_s=0.0)
@example(began_ms=2000, skew_ms=40000, later_s=1e8)
def test_a_service_is_found_whenever_it_was_made(
    began_ms: int, skew_ms: int, later_s: float
) -> None:
    """The cloud's clock may be behind by 5 s, or it may take 40 s from the call to the service."""
    began_s, skew_s = began_ms / 1000, skew_ms / 1000
    clock, voice = FakeClock(), Voice()
    cloud = FakeCloud(clock)
    cloud.skew_s = skew_s
    clock.now = began_s
    made = _interrupted(cloud)
    clock.advance(later_s)
    began = clock.now

    created = _create(cloud, voice)

    assert (created.id, created.outcome.reason) == (made, None)
    assert created.token == DERIVED.at(began_s)
    assert list(cloud.services) == [made]
    assert clock.now == began
    assert voice.notes[0] == f"{made} {_RESUMED}"


@pytest.mark.parametrize("skew_s", [-60.0, 3600.0, 8 * 3600.0])
def test_a_service_whose_time_is_not_so_is_named_and_not_doubled(
    cloud: FakeCloud, voice: Voice, skew_s: float
) -> None:
    """Beyond what is promised it has to be taken over by hand."""
    cloud.skew_s = skew_s
    cloud.clock.now = 1e6
    made = _interrupted(cloud)
    cloud.clock.advance(600.0)

    with pytest.raises(OperationError, match=rf'import_="{made}"'):
        _create(cloud, voice)

    assert list(cloud.services) == [made]


@pytest.mark.parametrize(("later_s", "found"), [(0.0, True), (299.0, True), (305.0, False)])
def test_a_service_without_a_time_is_found_for_five_minutes(
    cloud: FakeCloud, voice: Voice, later_s: float, *, found: bool
) -> None:
    """A cloud that does not tell when it made it: what is recent is tried, then it is named."""
    cloud.clock.now = 1001.0
    made = _interrupted(cloud)
    service = cloud.services[made]
    service.details = dataclasses.replace(service.details, create_time=None)
    cloud.clock.advance(later_s)

    if found:
        assert _create(cloud, voice).id == made
    else:
        with pytest.raises(OperationError, match=rf'import_="{made}"'):
            _create(cloud, voice)
    assert list(cloud.services) == [made]


def test_a_service_whose_nodes_do_not_show_is_found_once_they_are_refused(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A list may leave them out: only then it may be what holds them."""
    clock.now = 1000.0
    made = _interrupted(cloud)
    service = cloud.services[made]
    service.details = dataclasses.replace(service.details, ai_nodes=None)
    cloud.fail("create", busy("OperationDenied.AINodeBound"))
    clock.advance(500.0)

    created = _create(cloud, voice)

    assert created.id == made
    assert cloud.abouts("create") == [DERIVED.at(1500.0), DERIVED.at(1000.0)]


def test_a_service_whose_nodes_do_not_show_is_not_asked_for_before(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A token of the past could make one, which the next run would not find by its time."""
    other = cloud.add()
    service = cloud.services[other]
    service.details = dataclasses.replace(service.details, ai_nodes=None)
    cloud.clock.advance(500.0)

    created = _create(cloud, voice)

    assert cloud.abouts("create") == [DERIVED.at(500.0)]
    assert set(cloud.services) == {other, created.id}


def test_a_service_that_still_deploys_is_found(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """The wait goes on, though nodes and whitelist may show in part until it is active."""
    cloud.statuses = ["deploying", "deploying", "active"]
    made = _interrupted(cloud)
    clock.advance(20.0)

    created = _create(cloud, voice)

    assert (created.id, created.outcome.reason) == (made, None)


def test_a_service_that_the_first_list_lacks_is_found_after_the_refusal(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """It is asked for with the token of now, waited for, and found once it shows."""
    cloud.hidden_s = 5.0
    made = _interrupted(cloud)
    clock.advance(2.0)

    created = _create(cloud, voice)

    assert created.id == made
    assert cloud.abouts("create") == [*map(DERIVED.at, (2.0, 4.0, 6.0)), DERIVED.at(0.0)]
    assert voice.notes[0] == f"CreateModelService answers with {made}"


def test_a_token_of_the_programs_own_is_asked_with_before_the_derived_ones(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """After a dead answer a derived one made it: an interrupted run's is found by that."""
    cloud.tokens["t-1"] = ModelServiceId(SPEC.db_instance_id, "ms-dead")
    clock.now = 30.0
    made = _interrupted(cloud, dataclasses.replace(OWN, own=None))
    clock.advance(500.0)

    created = _create(cloud, voice, OWN)

    assert (created.id, created.token) == (made, OWN.at(30.0))
    assert cloud.abouts("create") == ["t-1", OWN.at(30.0)]
    assert f"{made} {_RESUMED}" in voice.notes


@pytest.mark.parametrize(
    "spec",
    [
        dataclasses.replace(SPEC, model_name="Qwen3-32B"),
        dataclasses.replace(SPEC, description="mine"),
        dataclasses.replace(SPEC, ai_nodes=("ai-1", "ai-2")),
        dataclasses.replace(SPEC, security_ip_list=("10.0.0.1",)),
    ],
)
def test_a_holder_that_differs_is_not_asked_for(
    cloud: FakeCloud, voice: Voice, spec: ModelServiceSpec
) -> None:
    """No run of this declaration made it: one create tells who holds the node."""
    cloud.add(description="")

    with pytest.raises(OperationError, match="is held by model service gp-demo:ms-old"):
        create(operation(cloud, voice), spec, DERIVED, wait_for_active=True)

    assert len(cloud.times("create")) == 1


@pytest.mark.parametrize("forgets", [True, False])
def test_a_cloud_that_does_not_know_the_token_any_more_makes_no_second_service(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, *, forgets: bool
) -> None:
    """It forgets tokens, or never minds them: the error says who holds the node, and what then."""
    made = _interrupted(cloud)
    clock.advance(3600.0)
    if forgets:
        cloud.tokens.clear()
    else:
        cloud.ignores_tokens = True

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice)

    assert str(caught.value) == (
        "CreateModelService in instance gp-demo failed: not now (code=OperationDenied.AINodeBound)."
        f" AI node ai-1 is held by model service {made}, which runs Qwen3-8B. To take that service "
        f'over, declare it with opts=ResourceOptions(import_="{made}"), if no other stack has it; '
        "else choose a free node, or delete that service."
    )
    assert list(cloud.services) == [made]
    assert clock.now == 3600.0


def test_another_declaration_does_not_find_it(cloud: FakeCloud, voice: Voice) -> None:
    """Another stack, or resource: the same service, but with other tokens."""
    made = _interrupted(cloud)

    with pytest.raises(OperationError, match=rf'import_="{made}"'):
        _create(cloud, voice, Tokens("07ae2"))

    assert list(cloud.services) == [made]


class _Killed(BaseException):
    """The end of the process."""


class _Mortal(FakeCloud):
    """A cloud at which a run is killed, before or after the call of that number is applied."""

    dies_at: int | None = None
    applied = False

    def _called(self, action: str, about: str) -> None:
        super()._called(action, about)
        assert len(self.services) <= 1
        if self.dies_at is not None:
            self.dies_at -= 1
            if self.dies_at < 0 and not (self.applied and action == "create"):
                raise _Killed

    def create_model_service(self, spec: ModelServiceSpec, client_token: str) -> Submission:
        submission = super().create_model_service(spec, client_token)
        if self.dies_at is not None and self.dies_at < 0:
            raise _Killed
        return submission

    def describe_model_service(self, service: ModelServiceId) -> ModelServiceDetails:
        self.clock.advance(0.3)
        return super().describe_model_service(service)


_kills = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.floats(0, 500, allow_nan=False)), max_size=3
)


@given(
    mornings=st.lists(_kills, min_size=1, max_size=6),
    tokens=st.sampled_from([DERIVED, OWN]),
    forgets=st.booleans(),
)
def test_every_morning_ends_with_one_service(
    mornings: list[list[tuple[int, bool, float]]], tokens: Tokens, *, forgets: bool
) -> None:
    """However often a run is killed, and whatever was made and deleted on the days before."""
    clock, voice = FakeClock(), Voice()
    cloud = _Mortal(clock)
    clock.now = 1e9
    for kills in mornings:
        for at, cloud.applied, later_s in kills:
            cloud.dies_at = at
            cloud.statuses = ["deploying", "deploying", "deploying", "active"]
            try:
                created = create(operation(cloud, voice), SPEC, tokens, wait_for_active=True)
            except _Killed:
                clock.advance(later_s)
            else:
                break
        else:
            cloud.dies_at = None
            created = create(operation(cloud, voice), SPEC, tokens, wait_for_active=True)
        cloud.dies_at = None
        assert created.outcome.reason is None
        assert list(cloud.services) == [created.id]
        delete(operation(cloud, voice), created.id)
        if forgets:
            cloud.tokens = {f"{number}": one for number, one in enumerate(cloud.tokens.values())}
        clock.advance(3600.0)


def test_no_morning_is_slower_than_the_first(cloud: FakeCloud, voice: Voice) -> None:
    """A cloud that remembers every token of the past: nobody waits for the dead."""
    took = []
    for _ in range(20):
        began = cloud.clock.now
        created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)
        took.append(cloud.clock.now - began)
        delete(operation(cloud, voice), created.id)
        cloud.clock.advance(86400.0)
    assert took == [0.0] * 20
