"""Clouds, users and files at their worst: each case is one that a survey has once got wrong."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.cli._signals import Signals
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.survey import MARK
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import gateway_for
from tests.survey.world import (
    INSTANCE,
    MODEL,
    NODE,
    TRIAL,
    HandsOn,
    World,
    in_between,
    removals,
    world,
)

_QUICK = ("--timeout", "2")


def _make(cloud: World, description: str, whitelist: str = "10.9.8.7") -> str:
    """Somebody's service on the node of the trial."""
    spec = ModelServiceSpec(
        INSTANCE, MODEL, (NODE,), description=description, security_ip_list=(whitelist,)
    )
    made = gateway_for(cloud.simulator, cloud.clock).create_model_service(spec, "another's")
    cloud.simulator.clear_requests()
    return made.id.model_service_id


class _Lossy(HandsOn):
    """Applies each create and answers with a fault; describes services in another form."""

    describes_as: Callable[[str], str]

    def respond(self) -> None:
        status, content = self.hand_on()
        if self.action == "CreateModelService":
            status, content = 500, {"Code": "InternalError", "Message": "no"}
        for shown in (content, *(content.get("ModelServices") or ())):
            if "Description" in shown:
                shown["Description"] = type(self).describes_as(shown["Description"])
        self.answer(status, content)


@pytest.mark.parametrize(
    ("describes_as", "known"),
    [
        (quote, False),
        (lambda text: base64.b64encode(text.encode()).decode(), False),
        (lambda text: text.strip()[:20], False),
        (lambda text: text.replace(" ", "\u00a0 "), True),
    ],
    ids=["quoted", "base64", "cut", "spaced"],
)
def test_a_lost_answer_and_a_mark_in_another_form_leave_nothing_unnamed(
    describes_as: Callable[[str], str], *, known: bool
) -> None:
    """What nobody had there before, and admits nobody, may be the survey's."""
    with world(services=1, provision_seconds=5.0) as cloud:
        theirs = cloud.simulator.services[0].id
        with in_between(cloud, _Lossy, describes_as=describes_as) as place:
            done = cloud.survey(*TRIAL, *_QUICK, *place)
            left = [one.id for one in cloud.simulator.services if one.id != theirs]
            assert done.exit_code == 1
            assert len(left) == (0 if known else 1)
            assert ("Nothing of it is left" in done.stderr) is known
            for arguments in () if known else removals(done.stderr):
                assert arguments[1] in left
                told = cloud.survey(*arguments)
                for advised in removals(told.stderr):
                    cloud.survey(*advised)
        assert [theirs] == [one.id for one in cloud.simulator.services], done.output


@pytest.mark.parametrize(
    ("description", "whitelist"),
    [("another's", "10.9.8.7"), (f"{MARK} 0123456789ab", "127.0.0.1")],
    ids=["in use", "of another survey"],
)
def test_who_takes_the_node_meanwhile_keeps_it(description: str, whitelist: str) -> None:
    """Neither is it named as something that may be deleted."""

    class _Taken(HandsOn):
        def respond(self) -> None:
            if self.action != "CreateModelService":
                self.answer(*self.hand_on())
                return
            if not self.world.simulator.services:
                _make(self.world, description, whitelist)
            self.answer(500, {"Code": "InternalError", "Message": "no"})

    with world(services=0, provision_seconds=5.0) as cloud:
        with in_between(cloud, _Taken) as place:
            done = cloud.survey(*TRIAL, *_QUICK, *place)
        assert done.exit_code == 1
        assert [] == removals(done.stderr)
        assert [] == cloud.simulator.mutations
        assert "Nothing of it is left in the cloud." in done.stderr


class _Forbidding(HandsOn):
    """Answers some actions, or all, with 403 once a service has been made."""

    made: list[str]
    code: str
    actions: list[str] | None = None

    def respond(self) -> None:
        if self.made and (self.actions is None or self.action in self.actions):
            self.answer(403, {"Code": self.code, "Message": "no"})
            return
        status, content = self.hand_on()
        self.made += [content["ModelServiceId"]] if "ModelServiceId" in content else []
        self.answer(status, content)


def test_a_token_that_expires_ends_the_survey_at_once() -> None:
    """Whichever status that has: 403 is also that of one action that is not permitted."""
    code = "InvalidSecurityToken.Expired"
    with world(services=0, provision_seconds=5.0) as cloud:
        started, made = cloud.clock.now, list[str]()
        with in_between(cloud, _Forbidding, made=made, code=code) as place:
            done = cloud.survey(*TRIAL, *place)
        assert done.exit_code == 1
        assert cloud.clock.now - started < 60
        assert f"{INSTANCE}:{made[0]} is left" in done.stderr
        assert f"code={code}" in done.stderr


@pytest.mark.parametrize(
    "actions",
    [
        ["DeleteModelService"],
        ["DescribeModelService", "ListModelServices"],
        ["DescribeModelService", "ListModelServices", "DeleteModelService"],
    ],
    ids=["delete", "reads", "all"],
)
def test_a_permission_that_goes_away_is_not_waited_for(actions: list[str]) -> None:
    """What is left is named, and deleted all the same where that is permitted."""
    forbids: dict[str, object] = {"code": "Forbidden.RAM", "actions": actions}
    with world(services=0, provision_seconds=5.0) as cloud:
        started, made = cloud.clock.now, list[str]()
        with in_between(cloud, _Forbidding, made=made, **forbids) as place:
            done = cloud.survey(*TRIAL, *place)
        assert done.exit_code == 1
        assert cloud.clock.now - started < 300
        assert ["--remove", made[0]] in [one[:2] for one in removals(done.stderr)[1:]]
        assert ([] == cloud.simulator.services) is ("DeleteModelService" not in actions)


class _Blurred(HandsOn):
    """
    Interrupts the survey when it first looks at its service, and shows that in a misleading way.

    Until `shown_at` it is as if there were none, to deletions too. From the deletion on, the list
    leaves it out, and every second Describe does.
    """

    made: list[str]
    deleted: list[str]
    described: list[str]
    shown_at: float

    def respond(self) -> None:
        name = self.parameters.get("ModelServiceId")
        if name in self.made:
            self._respond_of(name)
            return
        status, content = self.hand_on()
        if self.action == "CreateModelService" and status == 200:
            self.made.append(content["ModelServiceId"])
        if self.action == "ListModelServices" and (self.deleted or not self._is_shown):
            content["ModelServices"] = []
        self.answer(status, content)

    def _respond_of(self, name: str) -> None:
        deletes = self.action == "DeleteModelService"
        if not self.described:
            os.kill(os.getpid(), signal.SIGINT)
        if not deletes:
            self.described.append(name)
        if deletes and not self._is_shown:
            self.answer(200, {"RequestId": "1"})
        elif deletes:
            self.deleted.append(name)
            self.answer(*self.hand_on())
        elif not self._is_shown or (self.deleted and len(self.described) % 2):
            self.answer(404, {"Code": "ModelService.NotFound", "Message": "no"})
        else:
            self.answer(*self.hand_on())

    @property
    def _is_shown(self) -> bool:
        return self.world.clock.now >= self.shown_at


@pytest.mark.parametrize("unseen_s", [0.0, 20.0])
def test_a_service_is_gone_when_all_says_so_for_long_enough(unseen_s: float) -> None:
    """Neither one answer nor a deletion of what was never seen proves it."""
    with world(services=0, provision_seconds=60.0, delete_seconds=90.0) as cloud:
        seen: dict[str, object] = {"made": [], "deleted": [], "described": []}
        shown_at = cloud.clock.now + unseen_s
        with in_between(cloud, _Blurred, **seen, shown_at=shown_at) as place:
            done = cloud.survey(*TRIAL, *place)
        assert done.exit_code == 130, done.output
        assert "Nothing of it is left in the cloud." in done.stderr
        assert [] == cloud.simulator.services


@pytest.mark.parametrize("path", ["/dev/null", "/dev/stdout"])
def test_nobody_is_told_to_remove_a_device(path: str) -> None:
    """A file that is there is to be removed, or left alone."""
    with world(services=0) as cloud:
        done = cloud.survey("--out", path)
    assert done.exit_code == 2
    assert f"{path} is no regular file: name a new one, or - for stdout" in done.stderr


def test_what_stands_for_an_id_is_none() -> None:
    """A line typed as it stands has done nothing, and does not say that all is well."""
    with world(services=0) as cloud:
        done = cloud.survey("--remove", "ID", "--unmarked")
    assert done.exit_code == 2
    assert "ID stands for the id of the service" in done.stderr
    assert [] == cloud.simulator.requests


def test_what_a_survey_has_left_and_somebody_uses_is_deleted_when_told_twice() -> None:
    """Its whitelist tells; the error has the line for it."""
    with world(services=0, provision_seconds=5.0) as cloud:
        used = _make(cloud, f"{MARK} 0123456789ab", "10.0.0.0/8")
        cloud.clock.advance(60.0)
        (line,) = removals(cloud.survey("--out", "-").stderr)
        assert line[:2] == ["--remove", used]
        done = cloud.survey(*line)
        assert done.exit_code == 1
        assert "admits more than 127.0.0.1 by now, so somebody may use it" in done.stderr
        assert [] == cloud.simulator.mutations
        (line,) = removals(done.stderr)
        assert cloud.survey(*line).exit_code == 0
        assert [] == cloud.simulator.services


def test_a_text_of_the_cloud_takes_nothing_of_ours_out_of_the_file() -> None:
    """A service may be described by a dialect, or by the package that made it."""
    for description in ("pulumi-adbpg-model", "status-capitalised"):
        with world(["status-capitalised"], services=0) as cloud:
            _make(cloud, description)
            document = cloud.document()
        (words,) = (one for one in document["questions"] if one["question"] == "status words")
        assert document["dialects"] == words["dialects"] == ["status-capitalised"]
        assert document["made_by"].startswith("pulumi-adbpg-model ")


def test_a_model_that_no_simulator_takes_is_not_written() -> None:
    """What `survey` writes, `simulate --like` reads."""

    class _Models(HandsOn):
        def respond(self) -> None:
            status, content = self.hand_on()
            if self.action == "ListSupportModels":
                content["ModelNames"] = {"modelNames": ["a\u202eb", "c\td", " Qwen9", "Qwen9 "]}
            self.answer(status, content)

    with world(services=0) as cloud, in_between(cloud, _Models) as place:
        assert cloud.survey("--model-names", *place).exit_code == 0
    assert json.loads(Path("survey.json").read_text("utf-8"))["models"] == ["Qwen9"]
    Simulator(like="survey.json")


@pytest.mark.parametrize("gone", [False, True], ids=["open", "closed"])
def test_what_is_said_on_a_signal_goes_to_stderr_alone(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    """After `2>&-` its number is that of a connection to the cloud."""
    if gone:
        monkeypatch.setattr(sys, "__stderr__", None)
    stopped = list[bool]()
    with Signals(lambda: stopped.append(True)) as signals:
        signals.protect("Stopping.")
        os.kill(os.getpid(), signal.SIGTERM)
    assert stopped == [True]
    assert capfd.readouterr().err == ("" if gone else "\nStopping.\n")


def test_ctrl_c_while_the_table_is_printed_does_not_hide_that_something_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """130 would say that nothing is."""

    class _Impatient(io.StringIO):
        def write(self, text: str, /) -> int:
            raise KeyboardInterrupt

    class _Undeletable(HandsOn):
        def respond(self) -> None:
            status, content = self.hand_on() if self.action != "DeleteModelService" else _REFUSED
            self.answer(status, content)

    with world(services=0, provision_seconds=5.0) as cloud:
        for name, value in cloud.simulator.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdout", _Impatient())
        with in_between(cloud, _Undeletable) as place:
            arguments = ["survey", "--instance", INSTANCE, "--no-stack", *TRIAL, *_QUICK, *place]
            with pytest.raises(SystemExit) as ended:
                main.main(arguments, "pulumi-adbpg-model", obj=cloud.clock)
        assert len(cloud.simulator.services) == 1
    assert ended.value.code == 1


_REFUSED: tuple[int, dict[str, Any]] = (400, {"Code": "OperationDenied.No", "Message": "no"})


@pytest.mark.parametrize(
    ("models", "told"),
    [
        (["x" * 100_000] * 2, "must name each once, got twice: xxx"),
        (["\n" * 100_000], "must be a name in one line"),
    ],
)
def test_an_error_about_a_file_is_short(models: list[str], told: str) -> None:
    """Whatever somebody has written into it."""
    _write_like(models)
    with pytest.raises(ValueError, match=told) as refused:
        Simulator(like="like.json")
    assert len(str(refused.value)) < 500


def test_a_catalogue_of_any_size_is_read_at_once() -> None:
    """Looking for each name among all of them takes longer than a test may."""
    _write_like([f"model-{number}" for number in range(200_000)])
    Simulator(like="like.json")


def _write_like(models: list[str]) -> None:
    seen = {"format": 1, "dialects": [], "provision_seconds": None, "delete_seconds": None}
    Path("like.json").write_text(json.dumps({**seen, "models": models}), encoding="utf-8")
