"""A cloud that answers creates with what is not so: nothing of another's goes, nothing is left."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
from tests.gateway.support import gateway_for
from tests.survey.world import INSTANCE, MODEL, TRIAL, HandsOn, World, in_between, world

#: What to make of the answer to a create, and of those to reads.
_Creates = Callable[[HandsOn, int], tuple[int, dict[str, Any]]]


class _Odd(HandsOn):
    """Answers creates in a way of its own, and may hide descriptions."""

    creates: _Creates
    hides = False
    describes_as: Callable[[str], str] | None = None
    counted: list[str]

    def respond(self) -> None:
        if self.action == "CreateModelService":
            self.counted.append(self.action)
            self.answer(*type(self).creates(self, len(self.counted)))
            return
        status, content = self.hand_on()
        for shown in (content, *(content.get("ModelServices") or ())):
            if "Description" in shown and self.hides:
                del shown["Description"]
            elif "Description" in shown and self.describes_as is not None:
                shown["Description"] = type(self).describes_as(shown["Description"])  # type: ignore[misc]
        self.answer(status, content)


def _make(cloud: World, description: str = "theirs") -> str:
    """Somebody else's service on another node."""
    spec = ModelServiceSpec(
        INSTANCE, MODEL, ("ai-4",), description=description, security_ip_list=("10.9.8.7",)
    )
    made = gateway_for(cloud.simulator, cloud.clock).create_model_service(spec, "theirs")
    return made.id.model_service_id


def _an_old_one(server: HandsOn, _number: int) -> tuple[int, dict[str, Any]]:
    """Make one, and answer with a service that was there before."""
    old = server.world.simulator.services[0].id
    status, content = server.hand_on()
    return status, {**content, "ModelServiceId": old}


def _a_new_one(number: int) -> _Creates:
    """Answer with what somebody else has made meanwhile, from this create on."""

    def answer(server: HandsOn, count: int) -> tuple[int, dict[str, Any]]:
        if count < number:
            return server.hand_on()
        held = {node: one.id for one in server.world.simulator.services for node in one.ai_nodes}
        made = held.get("ai-4") or _make(server.world)
        return server.hand_on()[0], {"ModelServiceId": made}

    return answer


def _none_at_all(server: HandsOn, count: int) -> tuple[int, dict[str, Any]]:
    """Make one, and answer with an id that is none."""
    status, content = server.hand_on()
    return status, {**content, "ModelServiceId": f"ms-none{count}"} if status == 200 else content


def _refused(server: HandsOn, _count: int) -> tuple[int, dict[str, Any]]:
    """Make one, and refuse."""
    server.hand_on()
    return 400, {"Code": "OperationDenied.Quota", "Message": "no"}


def _check(cloud: World, done: Result, before: set[str], place: tuple[str, str]) -> None:
    """What others have made is there; the rest is gone once the lines that are told have run."""
    theirs = before | {one.id for one in cloud.simulator.services if "ai-4" in one.ai_nodes}
    assert theirs <= {one.id for one in cloud.simulator.services}, done.output
    deleted = {one.parameters.get("ModelServiceId") for one in cloud.simulator.mutations}
    assert not deleted & theirs
    left = {one.id for one in cloud.simulator.services} - theirs
    assert not left or done.exit_code == 1, done.output
    lines = [line.strip() for line in done.stderr.splitlines() if "--remove" in line]
    told = {words[words.index("--remove") + 1] for words in map(shlex.split, lines)}
    assert left <= told, done.output
    for line in reversed(lines):
        words = shlex.split(line)
        if words[words.index("--remove") + 1] in left | theirs:
            cloud.survey(*words[4:], *place)
    assert theirs == {one.id for one in cloud.simulator.services}


@pytest.mark.parametrize("hides", [False, True], ids=["shown", "hidden"])
@pytest.mark.parametrize(
    "creates",
    [_an_old_one, _a_new_one(1), _a_new_one(2), _a_new_one(4), _none_at_all, _refused],
    ids=["old", "new at 1", "new at 2", "new at 4", "none", "refused"],
)
def test_no_answer_to_a_create_is_believed_against_the_reads(
    creates: _Creates, *, hides: bool
) -> None:
    """Nothing of another's is deleted, and what was made is deleted or named."""
    with world(services=2, provision_seconds=5.0) as cloud:
        before = {one.id for one in cloud.simulator.services}
        with in_between(cloud, _Odd, creates=creates, hides=hides, counted=[]) as place:
            done = cloud.survey(*TRIAL, *place, "--timeout", "2")
            if creates is _refused and hides:
                return  # nothing whatever tells of it
            _check(cloud, done, before, place)


@pytest.mark.parametrize(
    "describes_as",
    [lambda text: text.upper(), lambda text: text.strip()[:20], lambda _: "a model service"],
    ids=["in capitals", "cut", "another"],
)
def test_a_description_that_comes_back_otherwise_leaves_nothing(
    describes_as: Callable[[str], str],
) -> None:
    """The lines that are told, that of an error too, delete what is left."""
    settings: dict[str, object] = {"describes_as": describes_as, "counted": []}
    settings["creates"] = lambda server, _: server.hand_on()
    with world(services=0, provision_seconds=5.0) as cloud:
        with in_between(cloud, _Odd, **settings) as place:
            done = cloud.survey(*TRIAL, *place, "--timeout", "2")
            for line in done.stderr.splitlines():
                if "--remove" in line and cloud.simulator.services:
                    cloud.survey(*shlex.split(line)[4:])
        assert [] == cloud.simulator.services, done.output


@pytest.mark.parametrize("unseen", ["invisible-after-create", "invisible-20s"])
@pytest.mark.parametrize("tokens", ["tokens-ignored", "tokens-forget-dead"])
def test_a_deletion_of_what_is_not_seen_yet_proves_nothing(unseen: str, tokens: str) -> None:
    """A cloud may accept it and do nothing; what a token makes late is deleted too."""
    with world([unseen, tokens, "delete-of-gone-succeeds"], services=1) as cloud:
        cloud.document(*TRIAL)
        assert len(cloud.simulator.services) == 1


def test_a_service_that_somebody_deletes_meanwhile_ends_the_survey() -> None:
    """And not an hour later."""

    class _Deleted(HandsOn):
        made: list[str]

        def respond(self) -> None:
            status, content = self.hand_on()
            if self.action == "CreateModelService" and status == 200 and not self.made:
                self.made.append(content["ModelServiceId"])
            elif self.action == "DeleteModelService" and self.made:
                service = ModelServiceId(INSTANCE, self.made[0])
                cloud = self.world
                if any(one.id == self.made[0] for one in cloud.simulator.services):
                    gateway_for(cloud.simulator, cloud.clock).delete_model_service(service)
                status, content = self.hand_on()
            self.answer(status, content)

    with world(services=0, provision_seconds=5.0) as cloud:
        started = cloud.clock.now
        with in_between(cloud, _Deleted, made=[]) as place:
            done = cloud.survey(*TRIAL, *place)
        assert done.exit_code in (0, 1), done.output
        assert [] == cloud.simulator.services
        assert cloud.clock.now - started < 300
