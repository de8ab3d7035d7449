"""Services of others, and of one's own past, and what is done where they hold a node."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest

from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec, Submission
from pulumi_adbpg_model.errors import ApiError, BusyError, OperationError, QuotaError
from pulumi_adbpg_model.lifecycle import (
    Created,
    OwnedError,
    Standing,
    Tokens,
    create,
    refuse_if_held,
)
from tests.lifecycle.fakes import (
    DERIVED,
    INSTANCE,
    OWN,
    SPEC,
    FakeClock,
    FakeCloud,
    FakeOwners,
    Voice,
    busy,
    not_found,
    operation,
    outage,
    quota,
)

_HELD = "AI node ai-1 is held by model service gp-demo:ms-old, which runs Qwen3-8B"
_OTHERS = Standing("It is another's.")


@pytest.fixture
def owners() -> FakeOwners:
    return FakeOwners()


def _create(
    cloud: FakeCloud,
    voice: Voice,
    owners: FakeOwners,
    tokens: Tokens = DERIVED,
    limit_s: float = 3600.0,
) -> Created:
    one = operation(cloud, voice, limit_s, owners=owners)
    return create(one, SPEC, tokens, wait_for_active=True)


def test_create_claims_what_it_is_answered_with(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """As new, for nothing of it was there before."""
    created = _create(cloud, voice, owners)

    assert owners.claims == [(created.id, False)]
    assert owners.releases == []


@pytest.mark.parametrize("tokens", [OWN, DERIVED])
def test_create_claims_what_was_there_as_such_and_says_whose_it_was(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners, tokens: Tokens
) -> None:
    """The token leads to the service of the resource under another name: no run was interrupted."""
    cloud.tokens[tokens.own or tokens.at(0.0)] = service = cloud.add()
    owners.whose = "It was resource 'a'"

    _create(cloud, voice, owners, tokens)

    assert owners.claims == [(service, True)]
    assert voice.notes[0] == (
        "gp-demo:ms-old exists already with this client_token: nothing new was created. It was "
        "resource 'a'"
    )


def test_create_takes_all_for_old_where_the_list_failed(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """Whose it is may matter then."""
    cloud.fail("list", outage())

    created = _create(cloud, voice, owners)

    assert owners.claims == [(created.id, True)]


def test_create_gives_back_a_dead_service(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """A claim that came to nothing is nobody's."""
    dead = ModelServiceId(INSTANCE, "ms-dead")
    cloud.tokens[DERIVED.at(0.0)] = dead

    created = _create(cloud, voice, owners)

    assert owners.claims == [(dead, False), (created.id, False)]
    assert owners.releases == [dead]


def test_create_is_refused_a_service_that_another_resource_has(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """Two resources with one client token: nothing is made, waited for or told."""
    cloud.tokens["t-1"] = service = cloud.add()
    owners.others.add(service)

    with pytest.raises(OwnedError):
        _create(cloud, voice, owners, OWN)

    assert {call.action for call in cloud.calls} == {"list", "create"}
    assert list(cloud.services) == [service]
    assert voice.notes == []


@pytest.mark.parametrize("tokens", [DERIVED, OWN])
def test_create_does_not_resume_what_the_resource_had_until_now(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners, tokens: Tokens
) -> None:
    """`retain_on_delete` kept it: on other nodes another one is made."""
    former = cloud.add("ms-former", "ai-2")
    cloud.tokens[tokens.own or tokens.at(0.0)] = former
    owners.former.add(former)

    created = _create(cloud, voice, owners, tokens)

    assert created.id != former
    assert set(cloud.services) == {former, created.id}
    assert owners.claims == [(created.id, False)]
    assert not any(str(former) in note for note in voice.notes)


def test_create_says_that_what_the_resource_had_holds_the_node(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """It is neither resumed nor asked for."""
    former = cloud.add()
    cloud.tokens["t-1"] = former
    owners.former.add(former)
    owners.standings[former] = Standing("It is its own of before.")

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice, owners, OWN)

    assert str(caught.value).endswith(f"{_HELD}. It is its own of before.")
    assert cloud.abouts("create") == ["t-1", OWN.at(0.0)]


def test_create_does_not_ask_for_a_holder_that_is_anothers(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """It cannot be what an interrupted run made: one create tells, and its owner is told."""
    owners.standings[cloud.add()] = _OTHERS

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice, owners)

    assert str(caught.value) == (
        "CreateModelService in instance gp-demo failed: not now (code=OperationDenied.AINodeBound)."
        f" {_HELD}. It is another's."
    )
    assert len(cloud.times("create")) == 1


def test_create_asks_with_a_token_of_its_own_once_before_the_derived_ones(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """Refused because of a holder like its own: each token once, then the holder is named."""
    cloud.add()

    with pytest.raises(OperationError, match=_HELD):
        _create(cloud, voice, owners, OWN)

    around = OWN.around("1970-01-01T00:00:00Z", 0.0)
    assert cloud.abouts("create") == ["t-1", *around]
    assert clock.now == 0.0


def test_create_asks_again_with_a_token_of_its_own_that_was_never_answered(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """Once the node is free, the service is made with it."""
    service = cloud.add()
    owners.standings[service] = Standing("It leaves.", leaves=True, wait_s=120.0)
    clock.at(5.0, lambda: cloud.remove(service))

    created = _create(cloud, voice, owners, OWN)

    assert created.token == "t-1"
    assert set(cloud.abouts("create")) == {"t-1"}


def test_create_waits_for_a_holder_that_leaves(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """Its resource is moved away in the same run."""
    service = cloud.add()
    owners.standings[service] = Standing("It leaves.", leaves=True, wait_s=120.0)
    clock.at(60.0, lambda: cloud.remove(service))

    created = _create(cloud, voice, owners)

    assert list(cloud.services) == [created.id]
    assert 60.0 <= clock.now < 64.0
    assert voice.progressed[0] == "waiting for AI node ai-1, held by gp-demo:ms-old (0 s so far)"


@pytest.mark.parametrize("since_s", [0.0, 40.0])
def test_create_waits_for_a_holder_no_longer_than_it_is_worth(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners, since_s: float
) -> None:
    """From when it was first in the way, or could begin to leave; not from the create's begin."""
    clock.at(30.0, lambda: cloud.appear("ms-old"))
    owners.standings[ModelServiceId(INSTANCE, "ms-old")] = Standing(
        "It has not begun.", leaves=True, wait_s=20.0, wait_from_s=since_s
    )
    cloud.fail("create", *[busy()] * 15)

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice, owners)

    assert str(caught.value).endswith(f"{_HELD}. It has not begun.")
    assert 20.0 <= clock.now - max(30.0, since_s) < 24.0


@pytest.mark.parametrize("word", ["deleting", "Releasing", "terminating"])
def test_create_waits_for_a_holder_that_the_cloud_is_deleting(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners, word: str
) -> None:
    """Whosoever it is, and for as long as the create may take; it is not asked for."""
    service = cloud.add(status=word)
    owners.standings[service] = dataclasses.replace(_OTHERS, unowned=True)
    clock.at(1800.0, lambda: cloud.remove(service))

    created = _create(cloud, voice, owners)

    assert list(cloud.services) == [created.id]
    assert clock.now < 1840.0
    assert cloud.times("create")[1] > 0.0


def test_create_that_is_over_says_that_the_holder_is_being_deleted(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """Taking it over, the advice about one that stays, would lead nowhere."""
    cloud.add(status="deleting")

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice, FakeOwners(), limit_s=600.0)

    assert clock.now == 600.0
    assert str(caught.value).endswith(
        f"{_HELD}. It is being deleted: run `pulumi up` again once it is gone."
    )


def test_create_that_is_cancelled_waits_for_no_holder(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """Nothing is sent after it."""
    owners.standings[cloud.add()] = Standing("It leaves.", leaves=True, wait_s=math.inf)
    clock.at(5.0, clock.cancel)

    with pytest.raises(OperationError, match="It leaves"):
        _create(cloud, voice, owners)

    assert clock.now == 5.0
    assert cloud.times("create")[-1] < 5.0


def test_create_waits_for_one_holder_after_the_other(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """Each has its own patience."""

    def turn() -> None:
        cloud.remove(ModelServiceId(INSTANCE, "ms-old"))
        cloud.appear("ms-next")

    cloud.add()
    for name in ("ms-old", "ms-next"):
        leaves = Standing(f"{name} leaves.", leaves=True, wait_s=50.0)
        owners.standings[ModelServiceId(INSTANCE, name)] = leaves
    clock.at(40.0, turn)
    clock.at(80.0, lambda: cloud.remove(ModelServiceId(INSTANCE, "ms-next")))

    assert _create(cloud, voice, owners).outcome.reason is None


def test_create_waits_for_no_holder_when_the_refusal_is_not_about_nodes(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """Missing rights do not come with time."""
    owners.standings[cloud.add()] = Standing("It leaves.", leaves=True, wait_s=math.inf)
    cloud.fail_always("create", outage())

    with pytest.raises(type(outage()), match=f"{_HELD}; it was there before. It leaves"):
        _create(cloud, voice, owners)

    assert clock.now == 0.0


def test_create_names_what_was_answered_before_where_it_fails_at_last(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """It may exist all the same, and be billed."""
    cloud.tokens[DERIVED.at(0.0)] = ModelServiceId(INSTANCE, "ms-lost")
    clock.at(10.0, lambda: cloud.fail_always("create", quota()))

    with pytest.raises(type(quota()), match="Answered before, not shown: gp-demo:ms-lost"):
        _create(cloud, voice, owners)


def test_create_does_not_name_what_this_run_deleted(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """It is neither in doubt nor billed."""
    dead = ModelServiceId(INSTANCE, "ms-dead")
    cloud.tokens["t-1"] = dead
    one = operation(cloud, voice, owners=owners, deleted={dead})
    really = cloud.create_model_service

    def refusing(spec: ModelServiceSpec, client_token: str) -> Submission:
        if client_token != "t-1":
            raise quota()
        return really(spec, client_token)

    cloud.create_model_service = refusing  # type: ignore[method-assign]

    with pytest.raises(QuotaError) as caught:
        create(one, SPEC, OWN, wait_for_active=True)

    assert "ms-dead" not in str(caught.value)


# Before a deletion that a replacement begins with


def _refuse(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners, *nodes: str, limit_s: float = 600.0
) -> None:
    service = ModelServiceId(INSTANCE, "ms-mine")
    one = operation(cloud, voice, limit_s, owners=owners)
    refuse_if_held(one, service, INSTANCE, nodes, ["ai-3"])


def test_refuse_if_held_passes_what_is_free_or_its_own(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """The service that is deleted holds its nodes, and others hold others."""
    cloud.add("ms-mine", "ai-1")
    cloud.add("ms-other", "ai-3")

    _refuse(cloud, voice, owners, "ai-1", "ai-2")

    assert [call.action for call in cloud.calls] == ["list"]
    assert clock.now == 0.0


def test_refuse_if_held_keeps_the_service_where_another_is_in_the_way(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """Else it would be deleted, and nothing could be made in its place."""
    owners.standings[cloud.add()] = _OTHERS

    with pytest.raises(OperationError) as caught:
        _refuse(cloud, voice, owners, "ai-1")

    assert str(caught.value) == (
        "delete of model service gp-demo:ms-mine was not sent, since what replaces it cannot be "
        f"created: {_HELD}. It is another's."
    )


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("active", Standing("It leaves.", leaves=True, wait_s=120.0)),
        ("deleting", _OTHERS),
        ("deleted", _OTHERS),
    ],
)
def test_refuse_if_held_passes_a_holder_that_leaves(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, status: str, standing: Standing
) -> None:
    """Two that swap their nodes wait for each other's deletion in their creates."""
    owners = FakeOwners()
    owners.standings[cloud.add(status=status)] = standing

    _refuse(cloud, voice, owners, "ai-1")

    assert clock.now == 0.0


def test_refuse_if_held_looks_at_all_that_are_in_the_way(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """One that leaves does not hide one that stays."""
    leaves = Standing("It leaves.", leaves=True, wait_s=120.0)
    owners.standings[cloud.add("ms-leaves", "ai-1")] = leaves
    cloud.add("ms-deleted", "ai-1", status="deleting")
    owners.standings[cloud.add("ms-stays", "ai-2")] = _OTHERS

    with pytest.raises(OperationError, match=r"ai-2 is held by model service gp-demo:ms-stays"):
        _refuse(cloud, voice, owners, "ai-1", "ai-2")


def test_refuse_if_held_waits_for_what_is_not_known_yet(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """The program may say in a moment that the holder leaves."""
    service = cloud.add()
    owners.standings[service] = Standing("Not declared.", wait_s=3.0)
    leaves = Standing("It leaves.", leaves=True, wait_s=120.0)
    clock.at(1.0, lambda: owners.standings.update({service: leaves}))

    _refuse(cloud, voice, owners, "ai-1")

    assert clock.now == 2.0


@pytest.mark.parametrize(("limit_s", "ends_s"), [(600.0, 4.0), (1.0, 1.0)])
def test_refuse_if_held_waits_no_longer_than_that(
    cloud: FakeCloud,
    clock: FakeClock,
    voice: Voice,
    owners: FakeOwners,
    limit_s: float,
    ends_s: float,
) -> None:
    """By what it is worth, or by the limit of the deletion."""
    owners.standings[cloud.add()] = Standing("Not declared.", wait_s=3.0)

    with pytest.raises(OperationError, match=r"Not declared\."):
        _refuse(cloud, voice, owners, "ai-1", limit_s=limit_s)

    assert clock.now == ends_s


_UNKNOWN = ApiError("DescribeModelService", "ms-old", "no", code="Never.Heard.Of", status=400)


@pytest.mark.parametrize("denial", [not_found(), _UNKNOWN, None])
def test_a_holder_that_only_the_list_still_shows_is_not_in_the_way(
    cloud: FakeCloud,
    clock: FakeClock,
    voice: Voice,
    denial: Exception | None,
) -> None:
    """An earlier run deleted it: the list lags behind; describe denies it, or shows it going."""
    owners = FakeOwners()
    late = cloud.add()
    owners.standings[late] = _OTHERS
    cloud.services[late].statuses = ["deleting"]
    if denial is not None:
        cloud.fail_always("describe", denial)
    clock.at(3.0, lambda: cloud.remove(late))
    clock.at(3.0, cloud.heal)

    _refuse(cloud, voice, owners, "ai-1")

    assert 3.0 <= clock.now <= 6.0


def test_create_waits_for_a_list_that_lags_behind(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """As before a deletion; nobody is told to take over what is not there."""
    late = cloud.add()
    owners.standings[late] = _OTHERS
    cloud.fail_always("describe", not_found())
    clock.at(3.0, lambda: cloud.remove(late))
    clock.at(3.0, cloud.heal)

    created = _create(cloud, voice, owners)

    assert created.id in cloud.services
    assert 3.0 <= clock.now <= 6.0


def _refuse_for_another(cloud: FakeCloud, voice: Voice, owners: FakeOwners) -> None:
    _refuse(cloud, voice, owners, "ai-1")


@pytest.mark.parametrize(
    ("denials", "ends_s"), [([not_found()], 2.0), ([not_found()] * 99, 16.0), ([outage()], 0.0)]
)
@pytest.mark.parametrize("command", [_refuse_for_another, _create])
def test_a_holder_is_in_the_way_once_describe_shows_it(
    cloud: FakeCloud,
    clock: FakeClock,
    voice: Voice,
    denials: list[Exception],
    ends_s: float,
    command: Callable[[FakeCloud, Voice, FakeOwners], object],
) -> None:
    """Or if the two go on to contradict each other, or describe cannot be had."""
    owners = FakeOwners()
    owners.standings[cloud.add()] = _OTHERS
    cloud.fail("describe", *denials)

    with pytest.raises(OperationError, match=_HELD):
        command(cloud, voice, owners)

    assert clock.now == ends_s


def _hides(cloud: FakeCloud, *bound: str, **fields: object) -> ModelServiceId:
    """A service that does not show its nodes."""
    cloud.bound = {*bound}
    return cloud.add(ai_nodes=None, **fields)  # type: ignore[arg-type]


def test_refuse_if_held_keeps_the_service_where_a_node_is_taken_that_nobody_shows(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """The list of nodes tells; it may lag behind for some seconds."""
    owners.standings[_hides(cloud, "ai-1")] = _OTHERS

    with pytest.raises(OperationError) as caught:
        _refuse(cloud, voice, owners, "ai-1", "ai-2")

    assert str(caught.value) == (
        "delete of model service gp-demo:ms-mine was not sent, since what replaces it cannot be "
        "created: AI node ai-1 is taken. Model service gp-demo:ms-old does not show its AI nodes, "
        "it may hold ai-1. It is another's."
    )
    assert 15.0 <= clock.now <= 18.0


@pytest.mark.parametrize("why", ["own", "free", "free soon", "leaves", "goes", "not told"])
def test_refuse_if_held_passes_where_no_node_is_known_to_stay_taken(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, why: str
) -> None:
    """A node of its own, or one that will be free, or nobody knows."""
    owners = FakeOwners()
    taken = {"own": ["ai-3"], "free": ["ai-2"]}.get(why, ["ai-1"])
    one = _hides(cloud, *taken, status="deleting" if why == "goes" else "active")
    standing = Standing("It leaves.", leaves=True, wait_s=120.0)
    owners.standings[one] = standing if why == "leaves" else _OTHERS
    if why == "not told":
        cloud.fail_always("nodes", outage())
    clock.at(5.0, cloud.bound.clear)

    _refuse(cloud, voice, owners, "ai-1", "ai-3")

    assert clock.now == (6.0 if why == "free soon" else 0.0)


@pytest.mark.parametrize("error", [outage(), not_found()])
def test_refuse_if_held_passes_where_it_cannot_look(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners, error: Exception
) -> None:
    """A deletion does not hang on a list that only helps."""
    owners.standings[cloud.add()] = _OTHERS
    cloud.fail_always("list", error)

    _refuse(cloud, voice, owners, "ai-1")


def test_busy_without_a_holder_is_waited_for_with_the_token_of_each_moment(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, owners: FakeOwners
) -> None:
    """So the one that is applied at last is as old as the service."""
    cloud.fail("create", *[busy()] * 40)

    created = _create(cloud, voice, owners)

    assert created.token == DERIVED.at(clock.now)


def test_busy_that_may_have_been_applied_is_repeated_with_its_token(
    cloud: FakeCloud, voice: Voice, owners: FakeOwners
) -> None:
    """Another one could make a second service."""
    doubtful: BusyError = busy()
    doubtful.in_doubt = True
    cloud.fail("create", doubtful, busy())

    created = _create(cloud, voice, owners)

    assert cloud.times("create") == [0.0, 2.0, 4.0]
    assert set(cloud.abouts("create")) == {DERIVED.at(0.0)}
    assert created.token == DERIVED.at(0.0)
