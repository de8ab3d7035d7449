"""Chains of client tokens: a replacement goes on from the last, and a new run finds its way."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import BusyError, OperationError, TokenMismatchError
from pulumi_adbpg_model.lifecycle import (
    Operation,
    TokenChain,
    adopt,
    create,
    create_or_adopt,
    delete,
)
from pulumi_adbpg_model.lifecycle.tokens import next_token
from tests.lifecycle.fakes import INSTANCE, SPEC, FakeCloud, Voice, busy, operation

_SECOND = next_token("t-1", ModelServiceId(INSTANCE, "ms-1"))
_THIRD = next_token(_SECOND, ModelServiceId(INSTANCE, "ms-2"))
_FOURTH = next_token(_THIRD, ModelServiceId(INSTANCE, "ms-3"))


class _Process:
    """What the operations of one process share."""

    def __init__(self, cloud: FakeCloud, voice: Voice) -> None:
        self.cloud = cloud
        self.voice = voice
        self.deleted: set[ModelServiceId] = set()
        self.tokens: dict[str, str] = {}

    def operation(self) -> Operation:
        return operation(self.cloud, self.voice, deleted_here=self.deleted, next_tokens=self.tokens)


def _mismatch() -> TokenMismatchError:
    return TokenMismatchError(
        "CreateModelService",
        f"in instance {INSTANCE}",
        "used before",
        code="IdempotentParameterMismatch",
    )


def test_create_tells_its_first_token_and_the_one_that_was_answered(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Both are the same when the first token leads to a live service, new or found."""
    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)
    again = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (created.tokens, again.tokens) == (TokenChain("t-1", "t-1"), TokenChain("t-1", "t-1"))


def test_create_tells_the_last_token_after_following_the_dead(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The chain that the state keeps ends at the token of the live service."""
    cloud.tokens["t-1"] = ModelServiceId(INSTANCE, "ms-1")

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (str(created.id), created.tokens) == ("gp-demo:ms-2", TokenChain("t-1", _SECOND))


def test_adopt_has_no_tokens(cloud: FakeCloud, voice: Voice) -> None:
    """A service that was taken over came of nobody's token here."""
    service = cloud.add()

    assert adopt(operation(cloud, voice), service, SPEC, wait_for_active=True).tokens is None


def test_replacing_three_times_pays_no_grace(cloud: FakeCloud, voice: Voice) -> None:
    """Each replacement asks with the one token that comes next, and waits for nothing dead."""
    chains = []
    tokens: TokenChain | None = None
    service: ModelServiceId | None = None
    for _ in range(4):
        run = _Process(cloud, voice)  # each replacement is a run of its own
        if service is not None:
            delete(run.operation(), service, tokens=tokens)
        created = create(run.operation(), SPEC, "t-1", wait_for_active=True)
        service, tokens = created.id, created.tokens
        chains.append(tokens)

    assert chains == [
        TokenChain("t-1", "t-1"),
        TokenChain("t-1", _SECOND),
        TokenChain("t-1", _THIRD),
        TokenChain("t-1", _FOURTH),
    ]
    assert cloud.abouts("create") == ["t-1", _SECOND, _THIRD, _FOURTH]
    assert cloud.clock.now == 6.0  # each deletion is looked at twice
    assert [str(name) for name in cloud.services] == ["gp-demo:ms-4"]


def test_a_run_that_knows_nothing_finds_the_last_replacement_from_the_first_token(
    cloud: FakeCloud, voice: Voice
) -> None:
    """When the last run was killed before it could save, nothing is made a second time."""
    run = _Process(cloud, voice)
    created = create(run.operation(), SPEC, "t-1", wait_for_active=True)
    for _ in range(3):
        delete(run.operation(), created.id, tokens=created.tokens)
        created = create(run.operation(), SPEC, "t-1", wait_for_active=True)

    found = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (found.id, found.tokens) == (created.id, TokenChain("t-1", _FOURTH))
    assert [found.id] == list(cloud.services)
    assert cloud.abouts("create")[-4:] == ["t-1", _SECOND, _THIRD, _FOURTH]
    assert len(cloud.tokens) == 4


def test_a_delete_that_fails_leads_to_no_next_token(cloud: FakeCloud, voice: Voice) -> None:
    """The service still lives: a create in the same run has to find it by its own token."""
    run = _Process(cloud, voice)
    created = create(run.operation(), SPEC, "t-1", wait_for_active=True)
    cloud.fail_always("delete", busy())
    cloud.clock.at(60.0, cloud.clock.cancel)

    with pytest.raises(BusyError):
        delete(run.operation(), created.id, tokens=created.tokens)

    assert (run.tokens, run.deleted) == ({}, set())


def test_create_waits_for_its_own_service_that_shows_after_its_grace(
    cloud: FakeCloud, voice: Voice
) -> None:
    """What holds the node is what this very call was answered with; it keeps that first token."""
    cloud.hidden_s = 40.0

    created = create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert (str(created.id), created.outcome.reason) == ("gp-demo:ms-1", None)
    assert created.tokens == TokenChain("t-1", "t-1")
    assert [created.id] == list(cloud.services)
    assert set(cloud.abouts("create")) == {"t-1", _SECOND}
    assert voice.notes == [
        "CreateModelService answers with gp-demo:ms-1",
        "CreateModelService answers with gp-demo:ms-1",
        "gp-demo:ms-1 is 'active' after 40 s",
    ]


def test_create_outwaits_a_node_that_a_service_deleted_here_still_seems_to_hold(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A list that lags behind shows the dead once more: they are neither followed nor blamed."""
    run = _Process(cloud, voice)
    dead = create(run.operation(), SPEC, "t-1", wait_for_active=True).id
    delete(run.operation(), dead)
    cloud.add("ms-1")
    cloud.clock.at(7.0, lambda: cloud.remove(dead))

    again = create(run.operation(), SPEC, "t-1", wait_for_active=True)

    assert (str(again.id), again.tokens) == ("gp-demo:ms-2", TokenChain("t-1", _SECOND))
    assert cloud.abouts("create") == ["t-1", "t-1", _SECOND, _SECOND, _SECOND, _SECOND]


def test_a_token_mismatch_is_raised(cloud: FakeCloud, voice: Voice) -> None:
    """The token's first service may live: another token would make a second one."""
    cloud.fail("create", error := _mismatch())

    with pytest.raises(TokenMismatchError) as caught:
        create(operation(cloud, voice), SPEC, "t-1", wait_for_active=True)

    assert caught.value is error
    assert (
        str(caught.value) == "CreateModelService in instance gp-demo failed: used before "
        "(code=IdempotentParameterMismatch). Set another client_token, or leave it out to have "
        "one derived from the inputs."
    )
    assert cloud.abouts("create") == ["t-1"]


def test_create_or_adopt_replaces_an_adopted_service_that_this_run_deleted(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The successor of an adopted service is created: there is nothing to take over any more."""
    run = _Process(cloud, voice)
    service = cloud.add()
    delete(run.operation(), service)

    created = create_or_adopt(run.operation(), SPEC, "t-1", service, wait_for_active=True)

    assert (str(created.id), created.tokens) == ("gp-demo:ms-1", TokenChain("t-1", "t-1"))


def test_create_or_adopt_takes_over_a_service_that_is_there(cloud: FakeCloud, voice: Voice) -> None:
    """With an id to adopt nothing is created."""
    service = cloud.add()

    created = create_or_adopt(operation(cloud, voice), SPEC, "t-1", service, wait_for_active=True)

    assert service == created.id
    assert cloud.times("create") == []


def test_create_or_adopt_raises_when_there_is_nothing_to_adopt(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A service deleted by somebody else is not created in its place."""
    gone = ModelServiceId(INSTANCE, "ms-gone")

    with pytest.raises(OperationError, match="there is no such model service"):
        create_or_adopt(operation(cloud, voice), SPEC, "t-1", gone, wait_for_active=True)

    assert cloud.times("create") == []
