"""`create`: submits once, follows the id, and never makes a second service."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.lifecycle import create
from pulumi_adbpg_model.lifecycle.tokens import next_token
from tests.lifecycle.fakes import (
    INSTANCE,
    SPEC,
    FakeClock,
    FakeCloud,
    Voice,
    busy,
    operation,
    outage,
)

_SECOND = next_token("t-1", ModelServiceId(INSTANCE, "ms-dead"))


def _dead(cloud: FakeCloud, *tokens: str) -> None:
    """Tokens that the cloud remembers, of services that are gone."""
    for number, token in enumerate(tokens):
        name = "ms-dead" if number == 0 else f"ms-dead-{number}"
        cloud.tokens[token] = ModelServiceId(INSTANCE, name)


def test_create_submits_and_waits_until_active(cloud: FakeCloud, voice: Voice) -> None:
    """One create, then describes until the service is active; the id is told at once."""
    cloud.statuses = ["deploying", "deploying", "active"]

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

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

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=False)

    assert created.outcome.details is not None
    assert created.outcome.details.status == "deploying"
    assert cloud.times("describe") == [0.0, 2.0, 4.0]


def test_create_bounds_submission_and_wait_by_one_deadline(cloud: FakeCloud, voice: Voice) -> None:
    """Time spent on being busy is not given again to the wait."""
    cloud.statuses = ["deploying"]
    cloud.fail("create", *[busy()] * 20)

    created = create(operation(cloud, voice, 60.0), SPEC, "t-1", wait_for_active=True)

    assert cloud.clock.now == 60.0
    assert created.outcome.reason is not None
    assert created.outcome.reason.startswith("not active within 1 m 00 s")


def test_create_returns_the_id_when_the_deployment_fails(cloud: FakeCloud, voice: Voice) -> None:
    """A failed deployment is billed too: the id comes back with the reason, nothing raises."""
    cloud.statuses = ["deploying", "deploy_failed"]

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert str(created.id) == "gp-demo:ms-1"
    assert created.outcome.reason == "the deployment failed, status 'deploy_failed'"


def test_create_returns_the_id_when_cancelled(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cancel while deploying keeps the id."""
    cloud.statuses = ["deploying"]
    clock.at(3.0, clock.cancel)

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (str(created.id), clock.now) == ("gp-demo:ms-1", 3.0)
    assert created.outcome.reason == "the operation was cancelled (last status 'deploying')"


def test_create_sends_nothing_when_cancelled_before(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A create that starts after the cancel makes no service."""
    clock.cancel()

    with pytest.raises(OperationError) as caught:
        create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert str(caught.value) == (
        "CreateModelService in instance gp-demo was not sent: the operation was cancelled. Run "
        "the command again."
    )
    assert cloud.calls == []


def test_create_resumes_a_live_service_with_a_lasting_note(cloud: FakeCloud, voice: Voice) -> None:
    """A token that the cloud knows leads to the service of the interrupted run."""
    service = cloud.add("ms-7")
    cloud.services[service].statuses = ["deploying", "active"]
    cloud.tokens["t-1"] = service

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-7", None)
    assert (
        voice.notes[0]
        == "gp-demo:ms-7 exists already from an earlier run of this declaration: resuming it, "
        "nothing new was created"
    )
    assert cloud.abouts("create") == ["t-1"]
    assert [service] == list(cloud.services)


def test_create_submits_without_the_list(cloud: FakeCloud, voice: Voice) -> None:
    """The look around before a create only helps: its failure stops nothing."""
    cloud.fail_always("list", outage())

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-1", None)
    assert [call.budget_s for call in cloud.calls if call.action == "list"] == [5.0]


def test_create_takes_the_next_token_when_the_replayed_service_is_gone(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A dead id is given 30 s to show, then proved gone, and the next token makes a new service."""
    _dead(cloud, "t-1")

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-2", None)
    assert cloud.abouts("create") == ["t-1", _SECOND]
    assert cloud.times("create") == [0.0, 30.0]
    assert cloud.times("list") == [0.0, 30.0]


def test_create_follows_a_chain_of_dead_services_to_the_same_end(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Run again, the same chain finds the live service at its end instead of making another."""
    _dead(cloud, "t-1", _SECOND)
    first = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)
    again = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert first.id == again.id
    assert [first.id] == list(cloud.services)
    assert len(set(cloud.abouts("create"))) == 3


def test_create_knows_at_once_that_an_id_deleted_here_is_dead(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A replacement in one run does not wait for proof of its own deletion."""
    _dead(cloud, "t-1")
    deleted = {ModelServiceId(INSTANCE, "ms-dead")}

    created = create(
        operation(cloud, voice, deleted_here=deleted), SPEC, "t-1", wait_for_active=True
    )

    assert str(created.id) == "gp-demo:ms-2"
    assert cloud.clock.now == 0.0
    assert cloud.abouts("create") == ["t-1", _SECOND]
    assert cloud.abouts("describe") == ["gp-demo:ms-2"]
    assert not any("ms-dead" in line for line in [*voice.notes, *voice.progressed])


def test_create_does_not_follow_the_dead_without_proof(cloud: FakeCloud, voice: Voice) -> None:
    """Where the list fails, an id that does not show is kept, and no second service is made."""
    _dead(cloud, "t-1")
    cloud.fail_always("list", outage())

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert str(created.id) == "gp-demo:ms-dead"
    assert created.outcome.reason is not None
    assert cloud.abouts("create") == ["t-1"]


def test_create_gives_up_after_100_dead_services(cloud: FakeCloud, voice: Voice) -> None:
    """A cloud that answers with nothing but dead ids is not followed for ever."""
    deleted = set()
    token = "t-1"
    for number in range(150):
        dead = ModelServiceId(INSTANCE, f"ms-dead-{number}")
        cloud.tokens[token] = dead
        deleted.add(dead)
        token = next_token(token, dead)

    with pytest.raises(OperationError) as caught:
        create(operation(cloud, voice, deleted_here=deleted), SPEC, "t-1", wait_for_active=True)

    assert (
        str(caught.value)
        == "CreateModelService in instance gp-demo answered 100 times with services that are gone. "
        "Set another client_token."
    )
    assert len(cloud.times("create")) == 100


def test_create_sends_no_further_token_after_a_cancel(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cancel during the grace period of a dead id makes no new service."""
    _dead(cloud, "t-1")
    clock.at(30.0, clock.cancel)

    with pytest.raises(OperationError) as caught:
        create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert str(caught.value) == (
        "CreateModelService in instance gp-demo was not sent: the operation was cancelled. Run "
        "the command again."
    )
    assert cloud.abouts("create") == ["t-1"]
    assert cloud.services == {}


def test_create_raises_when_the_service_is_deleted_while_deploying(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """Somebody else's deletion leaves nothing to save, and is not undone behind their back."""
    cloud.statuses = ["deploying"]
    clock.at(3.0, cloud.services.clear)

    with pytest.raises(OperationError) as caught:
        create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (
        str(caught.value)
        == "model service gp-demo:ms-1 was deleted by someone else while it was being deployed. "
        "Nothing is left; run `pulumi up` again to create it anew."
    )
    assert cloud.abouts("create") == ["t-1"]


@pytest.mark.parametrize("hidden_s", [1.0, 29.0])
def test_create_waits_for_a_service_that_shows_late(
    cloud: FakeCloud, voice: Voice, hidden_s: float
) -> None:
    """An eventually consistent cloud loses nothing: the same id turns up and is returned."""
    cloud.hidden_s = hidden_s

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-1", None)
    assert cloud.abouts("create") == ["t-1"]


def test_create_gives_each_call_what_is_left_of_the_deadline(
    cloud: FakeCloud, voice: Voice
) -> None:
    """No call may retry beyond the deadline, and the look around gets 5 s of it at most."""
    cloud.call_s = 1.0
    cloud.fail("create", busy())

    create(operation(cloud, voice, 20.0), SPEC, "t-1", wait_for_active=True)

    assert [(call.action, call.budget_s) for call in cloud.calls] == [
        ("list", 5.0),
        ("create", 19.0),
        ("list", 5.0),
        ("create", 15.0),
        ("describe", 14.0),
    ]
