"""`create`: submits once, follows the id, and never makes a second service."""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.lifecycle import Memory, Tokens, create
from tests.lifecycle.fakes import (
    DERIVED,
    INSTANCE,
    OWN,
    SPEC,
    FakeClock,
    FakeCloud,
    Voice,
    busy,
    operation,
    outage,
)

_FIRST = DERIVED.at(0.0)


def _dead(cloud: FakeCloud, *tokens: str) -> None:
    """Tokens that the cloud remembers, of services that are gone."""
    for number, token in enumerate(tokens):
        cloud.tokens[token] = ModelServiceId(INSTANCE, f"ms-dead-{number}")


def test_create_submits_and_waits_until_active(cloud: FakeCloud, voice: Voice) -> None:
    """One create, then describes until the service is active; the id is told at once."""
    cloud.statuses = ["deploying", "deploying", "active"]

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert (str(created.id), created.request_id) == ("gp-demo:ms-1", "REQ-created")
    assert created.outcome.details is not None
    assert (created.outcome.details.status, created.outcome.reason) == ("active", None)
    assert [call.action for call in cloud.calls] == [
        "list",
        "create",
        "describe",
        "describe",
        "describe",
    ]
    assert voice.notes[0] == "CreateModelService answers with gp-demo:ms-1"
    assert voice.warnings == []


def test_create_returns_once_seen_when_not_told_to_wait(cloud: FakeCloud, voice: Voice) -> None:
    """`wait_for_active=False` returns the pending service with its real status."""
    cloud.statuses = ["deploying", "active"]
    cloud.hidden_s = 3.0

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=False)

    assert created.outcome.details is not None
    assert created.outcome.details.status == "deploying"
    assert cloud.times("describe") == [0.0, 2.0, 4.0]


def test_create_bounds_submission_and_wait_by_one_deadline(cloud: FakeCloud, voice: Voice) -> None:
    """Time spent on being busy is not given again to the wait."""
    cloud.statuses = ["deploying"]
    cloud.fail("create", *[busy()] * 20)

    created = create(operation(cloud, voice, 60.0), SPEC, DERIVED, wait_for_active=True)

    assert cloud.clock.now == 60.0
    assert created.outcome.reason is not None
    assert created.outcome.reason.startswith("not active within 1 m 00 s")


def test_create_submits_without_the_list(cloud: FakeCloud, voice: Voice) -> None:
    """The look around before a create only helps: its failure stops nothing."""
    cloud.fail_always("list", outage())

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-1", None)
    assert [call.remaining_s for call in cloud.calls if call.action == "list"] == [5.0]


def test_create_takes_the_next_token_when_the_replayed_service_is_gone(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A dead id is given 30 s to show, then proved gone; the token of then makes a new service."""
    _dead(cloud, _FIRST)

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-2", None)
    assert created.token == DERIVED.at(30.0)
    assert cloud.abouts("create") == [_FIRST, created.token]
    assert cloud.times("create") == [0.0, 30.0]
    assert cloud.times("list") == [0.0, 30.0]


def test_create_sends_a_token_of_the_programs_own_first(cloud: FakeCloud, voice: Voice) -> None:
    """As it is; the service is told by it."""
    created = create(operation(cloud, voice), SPEC, OWN, wait_for_active=True)

    assert (str(created.id), created.token) == ("gp-demo:ms-1", "t-1")
    assert cloud.abouts("create") == ["t-1"]
    assert voice.notes[0] == "CreateModelService answers with gp-demo:ms-1"


def test_create_goes_on_with_a_derived_token_when_its_own_leads_to_the_dead(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A cloud that remembers it for ever would refuse each creation after the first deletion."""
    _dead(cloud, "t-1")

    created = create(operation(cloud, voice), SPEC, OWN, wait_for_active=True)

    assert cloud.abouts("create") == ["t-1", OWN.at(30.0)]
    assert created.token == OWN.at(30.0)


def test_create_finds_with_a_token_of_the_programs_own_what_it_made(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """Nothing else is asked, and whose run it was is not claimed."""
    made = create(operation(cloud, voice), SPEC, OWN, wait_for_active=True)
    clock.advance(86400.0)
    voice.notes.clear()

    again = create(operation(cloud, voice), SPEC, OWN, wait_for_active=True)

    assert (again.id, again.token) == (made.id, "t-1")
    assert cloud.abouts("create") == ["t-1", "t-1"]
    assert voice.warnings == [
        "gp-demo:ms-1 exists already with this client_token: nothing new was created. "
        "`pulumi-adbpg-model orphans` tells if another stack has it"
    ]


@pytest.mark.parametrize(("tokens", "again_s"), [(DERIVED, 2.0), (OWN, 0.0)])
def test_create_knows_at_once_that_an_id_deleted_here_is_dead(
    cloud: FakeCloud, voice: Voice, tokens: Tokens, again_s: float
) -> None:
    """A replacement in one run does not wait for proof of its own deletion, but for a token."""
    _dead(cloud, tokens.own or _FIRST)
    deleted = {ModelServiceId(INSTANCE, "ms-dead-0")}

    created = create(operation(cloud, voice, deleted=deleted), SPEC, tokens, wait_for_active=True)

    assert str(created.id) == "gp-demo:ms-2"
    assert cloud.times("create") == [0.0, again_s]
    assert cloud.abouts("create") == [tokens.own or _FIRST, DERIVED.at(again_s)]
    assert cloud.abouts("describe") == ["gp-demo:ms-2"]
    assert not any("ms-dead" in line for line in [*voice.notes, *voice.progressed])


@pytest.mark.parametrize(("tokens", "again_s"), [(DERIVED, 2.0), (OWN, 0.0)])
def test_create_does_not_ask_with_a_token_that_led_to_what_this_run_deleted(
    cloud: FakeCloud, voice: Voice, tokens: Tokens, again_s: float
) -> None:
    """A cloud may have forgotten it, or answer with the dead once more."""
    memory = Memory(spent_tokens={tokens.own or _FIRST})
    one = dataclasses.replace(operation(cloud, voice), memory=memory)

    created = create(one, SPEC, tokens, wait_for_active=True)

    assert (created.token, cloud.times("create")) == (DERIVED.at(again_s), [again_s])


def test_create_outwaits_a_node_that_a_service_deleted_here_still_seems_to_hold(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A list that lags behind shows the dead once more: they are neither followed nor blamed."""
    dead = cloud.add()
    clock.at(7.0, lambda: cloud.remove(dead))

    created = create(operation(cloud, voice, deleted={dead}), SPEC, DERIVED, wait_for_active=True)

    assert str(created.id) == "gp-demo:ms-1"
    assert cloud.abouts("create") == [DERIVED.at(float(second)) for second in (0, 2, 4, 6, 8)]


def test_create_waits_for_its_own_service_that_shows_after_its_grace(
    cloud: FakeCloud, voice: Voice
) -> None:
    """What holds the node is what this very call was answered with; it keeps that first token."""
    cloud.hidden_s = 40.0

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-1", None)
    assert created.token == _FIRST
    assert [created.id] == list(cloud.services)
    assert voice.notes == [
        "CreateModelService answers with gp-demo:ms-1",
        "CreateModelService answers with gp-demo:ms-1",
        "gp-demo:ms-1 is 'active' after 40 s",
    ]


def test_create_does_not_follow_the_dead_without_proof(cloud: FakeCloud, voice: Voice) -> None:
    """Where the list fails, an id that does not show is kept, and no second service is made."""
    _dead(cloud, _FIRST)
    cloud.fail_always("list", outage())

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert str(created.id) == "gp-demo:ms-dead-0"
    assert created.outcome.reason is not None
    assert cloud.abouts("create") == [_FIRST]


def test_create_gives_up_after_ten_dead_services(cloud: FakeCloud, voice: Voice) -> None:
    """A cloud that answers with nothing but dead ids is not followed for ever."""
    _dead(cloud, *(DERIVED.at(second) for second in range(0, 600, 2)))

    with pytest.raises(OperationError) as caught:
        create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    answered = [str(cloud.tokens[token]) for token in cloud.abouts("create")]
    assert len(set(answered)) == 10
    assert str(caught.value) == (
        "CreateModelService in instance gp-demo answered 10 times with services that are not "
        f"there, or that are to be replaced: {', '.join(answered)}. Run `pulumi up` again later."
    )
    assert cloud.services == {}


def test_create_names_what_it_was_answered_with_though_this_run_deleted_it(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Nine pauses until the next token, then an error that says which."""
    dead = ModelServiceId(INSTANCE, "ms-dead")
    cloud.tokens = dict.fromkeys(map(DERIVED.at, range(100)), dead)

    with pytest.raises(OperationError, match=r"to be replaced: gp-demo:ms-dead\. Run"):
        create(operation(cloud, voice, deleted={dead}), SPEC, DERIVED, wait_for_active=True)

    assert cloud.times("create") == [float(second) for second in range(0, 20, 2)]


def test_create_sends_no_further_token_after_a_cancel(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cancel during the grace period of a dead id makes no new service."""
    _dead(cloud, _FIRST)
    clock.at(30.0, clock.cancel)

    with pytest.raises(OperationError) as caught:
        create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert str(caught.value) == (
        "CreateModelService in instance gp-demo was not sent: the operation was cancelled. Run "
        "the command again."
    )
    assert cloud.abouts("create") == [_FIRST]
    assert cloud.services == {}


def test_create_sends_nothing_after_a_cancel_of_the_wait_for_the_next_token(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cloud that has forgotten the token of the dead by then would make a service."""
    _dead(cloud, _FIRST)
    deleted = {ModelServiceId(INSTANCE, "ms-dead-0")}
    clock.at(1.0, cloud.tokens.clear)
    clock.at(1.5, clock.cancel)

    with pytest.raises(OperationError, match="was not sent: the operation was cancelled"):
        create(operation(cloud, voice, deleted=deleted), SPEC, DERIVED, wait_for_active=True)

    assert cloud.abouts("create") == [_FIRST]
    assert cloud.services == {}


def test_create_raises_when_the_service_is_deleted_while_deploying(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """Somebody else's deletion leaves nothing to save, and is not undone behind their back."""
    cloud.statuses = ["deploying"]
    clock.at(3.0, cloud.services.clear)

    with pytest.raises(OperationError) as caught:
        create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert (
        str(caught.value)
        == "model service gp-demo:ms-1 was deleted by someone else while it was being deployed. "
        "Nothing is left; run `pulumi up` again to create it anew."
    )
    assert cloud.abouts("create") == [_FIRST]


@pytest.mark.parametrize("hidden_s", [1.0, 29.0])
def test_create_waits_for_a_service_that_shows_late(
    cloud: FakeCloud, voice: Voice, hidden_s: float
) -> None:
    """An eventually consistent cloud loses nothing: the same id turns up and is returned."""
    cloud.hidden_s = hidden_s

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-1", None)
    assert cloud.abouts("create") == [_FIRST]
