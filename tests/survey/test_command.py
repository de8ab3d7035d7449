"""The command itself: what it asks for, refuses, writes and deletes."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
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
    files,
    in_between,
    told,
    world,
)

_COMMAND = [sys.executable, "-m", "pulumi_adbpg_model", "survey", "--no-stack"]
_PATIENCE_S = 60.0


@pytest.fixture
def cloud() -> Iterator[World]:
    """A cloud with two services."""
    with world() as made:
        yield made


def _create(cloud: World, description: str | None = None, node: str = NODE) -> ModelServiceId:
    spec = ModelServiceSpec(INSTANCE, MODEL, (node,), description=description)
    made = gateway_for(cloud.simulator, cloud.clock).create_model_service(spec, f"t-{description}")
    cloud.simulator.clear_requests()
    return made.id


# Usage


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--node", "ai-1"], "--node and --model go together"),
        (["--model", MODEL], "--node and --model go together"),
        (["--node", "ai-1", "--model", MODEL], "there is no terminal to ask on: give --yes"),
        (["--remove", "ms-1", "--node", "ai-1"], "--remove goes without --node and --model"),
        (["--unmarked"], "--unmarked goes with --remove"),
        (["--remove", "gp-demo:ms-1"], "must be the id of a model service such as ms-123"),
        (["--timeout", "1"], "Invalid value for '--timeout'"),
        (["--out", "no/such/folder.json"], "cannot be written: No such file or directory"),
        (["--out", "."], "Invalid value for '--out'"),
    ],
)
def test_wrong_usage_does_nothing(cloud: World, arguments: list[str], told: str) -> None:
    """No call, no file, code 2."""
    done = cloud.survey(*arguments)
    assert (done.exit_code, cloud.simulator.requests) == (2, [])
    assert told in done.stderr
    assert [] == files(Path())


def test_a_file_that_is_there_is_not_written_over(cloud: World) -> None:
    """It may be what an hour has brought."""
    Path("survey.json").write_text("mine")
    done = cloud.survey(*TRIAL)
    assert (done.exit_code, cloud.simulator.requests) == (2, [])
    assert "survey.json exists already: remove it, or name another with --out" in done.stderr
    assert Path("survey.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("node", "model", "reason"),
    [
        ("ai-99", MODEL, "instance gp-demo has no AI node 'ai-99'"),
        ("ai-2", MODEL, "AI node ai-2 of instance gp-demo is held by ms-"),
        (NODE, "Qwen0", "the catalogue has no model 'Qwen0'"),
    ],
)
def test_what_cannot_be_tried_is_said_before_anything(
    cloud: World, node: str, model: str, reason: str
) -> None:
    """Nothing is created, and no file written."""
    done = cloud.survey("--node", node, "--model", model, "--yes")
    assert (done.exit_code, done.stdout) == (1, "")
    assert reason in done.stderr
    assert [] == cloud.simulator.mutations
    assert [] == files(Path())


def test_an_instance_that_is_not_there_is_an_error(cloud: World) -> None:
    """There would be nothing to tell of it."""
    done = cloud.survey(instance="gp-other")
    assert (done.exit_code, done.stdout, files(Path())) == (1, "", [])
    assert "The instance does not exist" in done.stderr


# Results


def test_the_table_and_the_file_say_the_same(cloud: World) -> None:
    """Data to stdout, the rest to stderr."""
    done = cloud.survey()
    document = json.loads(Path("survey.json").read_text("utf-8"))
    assert done.exit_code == 0
    rows = [line.split("   ")[0].strip() for line in done.stdout.splitlines()]
    apart = [one for one in document["questions"] if one["why"] != "only with --node and --model"]
    assert {one["question"] for one in apart} < set(rows)
    (more,) = (line for line in done.stdout.splitlines() if "only with --node and --model" in line)
    others = [one["question"] for one in document["questions"] if one not in apart]
    assert f"{len(others)} more" in more
    assert ", ".join(others) in more
    assert done.stdout.count("fits none") == 0
    assert done.stderr == (
        "Written to survey.json. Attach it to an issue of this project: it names nothing of yours "
        "but the region.\nThis simulates the cloud that it tells of:\n"
        "    pulumi-adbpg-model simulate --like survey.json\n"
    )
    assert Path("survey.json").stat().st_mode & 0o777 == 0o600
    assert files(Path()) == ["survey.json"]
    assert told(document, "token replayed")["why"] == "only with --node and --model"


def test_with_a_dash_the_json_goes_to_stdout_and_the_table_to_stderr(cloud: World) -> None:
    """As long as JSON is not all that is asked for."""
    done = cloud.survey("--out", "-")
    assert json.loads(done.stdout)["format"] == 1
    assert "unknown service" in done.stderr
    assert [] == files(Path())
    plain = cloud.survey("--out", "-", "--json")
    assert (json.loads(plain.stdout)["format"], plain.stderr) == (1, "")


def test_json_is_printed_beside_the_file(cloud: World) -> None:
    """In place of the table."""
    done = cloud.survey("--json", "--out", "mine.json")
    assert json.loads(done.stdout) == json.loads(Path("mine.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("action", "question"),
    [
        ("ListSupportModels", "what there is"),
        ("ListAINodePools", "what there is"),
        ("ListModelServices", "total of the list"),
        ("DescribeModelService", "unknown service"),
    ],
)
def test_an_action_that_is_not_permitted_leaves_its_questions_open(
    cloud: World, action: str, question: str
) -> None:
    """The survey goes on, and says so."""
    cloud.simulator.inject("forbidden", action, times=None)
    document = cloud.document()
    found = told(document, question)
    assert "403 Forbidden.RAM" in json.dumps(found["seen"]) or found["why"] == "not permitted"
    assert document["complete"] is True
    answered = [one for one in document["questions"] if one["fits"] in ("default", "dialect")]
    assert len(answered) >= 4


def test_what_may_not_be_deleted_is_not_created(cloud: World) -> None:
    """It is tried on a service that is not there."""
    cloud.simulator.inject("forbidden", "DeleteModelService", times=None)
    done = cloud.survey(*TRIAL)
    assert done.exit_code == 1
    assert "DeleteModelService is not permitted, so nothing was created" in done.stderr
    assert [] == cloud.simulator.calls("CreateModelService")


def test_a_trial_goes_on_without_permission_to_describe(cloud: World) -> None:
    """What the list says is enough to see the service become active and go."""
    cloud.simulator.inject("forbidden", "DescribeModelService", times=None)
    document = cloud.document(*TRIAL)
    assert document["provision_seconds"] is None or document["provision_seconds"] > 0
    assert told(document, "deleted service")["why"] == "not permitted"
    assert len(cloud.simulator.services) == 2


class _Picky(HandsOn):
    """Refuses each create whose description has more than one line."""

    def respond(self) -> None:
        if "\n" in self.parameters.get("Description", ""):
            self.answer(400, {"Code": "InvalidParameter", "Message": "no"})
        else:
            self.answer(*self.hand_on())


def test_a_cloud_that_takes_no_line_ends_gets_a_plain_description(cloud: World) -> None:
    """The mark is in it; that the other is refused is one of the things that are seen."""
    with in_between(cloud, _Picky) as place:
        document = cloud.document(*TRIAL, *place)
    found = told(document, "description")
    assert (found["fits"], found["why"]) == ("fits none", "one with line ends is refused")
    assert document["provision_seconds"] is not None
    assert len(cloud.simulator.services) == 2


class _Confused(HandsOn):
    """Answers a create that is not the first with a service that was there before."""

    other: str
    creates: list[str]

    def respond(self) -> None:
        if self.action == "CreateModelService":
            self.creates.append("one")
            if len(self.creates) > 1:
                self.answer(200, {"ModelServiceId": self.other})
                return
        self.answer(*self.hand_on())


def test_a_service_that_was_there_before_is_never_deleted(cloud: World) -> None:
    """Even if the cloud says that a create has made it."""
    others = {one.id for one in cloud.simulator.services}
    settings: dict[str, object] = {"other": min(others), "creates": []}
    with in_between(cloud, _Confused, **settings) as place:
        document = cloud.document(*TRIAL, *place)
    assert told(document, "token replayed")["fits"] != "default"
    assert {one.id for one in cloud.simulator.services} == others
    deleted = {one.parameters.get("ModelServiceId") for one in cloud.simulator.mutations}
    assert not deleted & others


# What is left


def test_what_an_earlier_survey_left_is_found_and_removed(cloud: World) -> None:
    """By its mark; until then nothing more is created on the instance."""
    left = _create(cloud, f"  {MARK} 0123456789ab\r\n").model_service_id
    line = (
        f"pulumi-adbpg-model survey --instance {INSTANCE} --remove {left} --region cn-hangzhou "
        f"--endpoint {cloud.simulator.endpoint} --no-stack"
    )
    done = cloud.survey("--node", "ai-4", "--model", MODEL, "--yes")
    assert done.exit_code == 1
    assert f"    {line}\n" in done.stderr
    assert [] == cloud.simulator.mutations

    done = cloud.survey()
    assert (done.exit_code, line in done.stderr) == (0, True)

    done = cloud.survey(*shlex.split(line)[4:])
    assert (done.exit_code, done.stdout) == (0, f"{INSTANCE}:{left} is deleted.\n")
    assert len(cloud.simulator.services) == 2
    done = cloud.survey("--remove", left)
    assert (done.exit_code, done.stdout) == (
        0,
        f"{INSTANCE}:{left} is not there, or not any more.\n",
    )


@pytest.mark.parametrize("more", [(), ("--unmarked",)])
def test_the_service_of_another_is_not_removed(cloud: World, more: tuple[str, ...]) -> None:
    """It has a description, and not that of a survey."""
    other = cloud.simulator.services[0].id
    done = cloud.survey("--remove", other, *more)
    assert done.exit_code == 1
    assert f"{INSTANCE}:{other} was not made by a survey, so it is not deleted" in done.stderr
    assert [] == cloud.simulator.mutations


def test_a_service_without_a_description_is_removed_when_told_twice(cloud: World) -> None:
    """The error has the line for it."""
    bare = _create(cloud).model_service_id
    done = cloud.survey("--remove", bare)
    assert done.exit_code == 1
    assert [] == cloud.simulator.mutations
    words = shlex.split(done.stderr.partition("delete it with: ")[2])
    done = cloud.survey(*words[4:])
    assert done.exit_code == 0, done.output
    assert len(cloud.simulator.services) == 2


def test_the_line_has_the_options_that_were_given(cloud: World) -> None:
    """Quoted for a shell: it is typed as it stands."""
    _create(cloud, f"{MARK} 0123456789ab")
    endpoint = cloud.simulator.endpoint
    env = {**cloud.simulator.environment(), "ADBPG_ENDPOINT": "http://127.0.0.1:9"}
    arguments = ["--region", "cn-hangzhou", "--endpoint", endpoint, "--no-stack"]
    done = CliRunner().invoke(
        main, ["survey", "--instance", INSTANCE, *arguments], env=env, obj=cloud.clock
    )
    (line,) = (one.strip() for one in done.stderr.splitlines() if "--remove" in one)
    again = CliRunner().invoke(main, shlex.split(line)[1:], env=env, obj=cloud.clock)
    assert again.exit_code == 0, again.output
    assert len(cloud.simulator.services) == 2


# Real processes


@pytest.fixture
def fast() -> Iterator[Simulator]:
    """A cloud in real time."""
    with Simulator(provision_seconds=300.0) as running:
        yield running


def _environment(simulator: Simulator) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(Path.cwd()), **simulator.environment()}


def _wait_for_a_service(simulator: Simulator) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not simulator.services:
        assert time.monotonic() < until, "no service"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_with_the_deletion(fast: Simulator, number: signal.Signals) -> None:
    """Also one that ends a process as a rule; what was seen is written."""
    process = subprocess.Popen(
        [*_COMMAND, "--instance", INSTANCE, *TRIAL],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(fast),
    )
    _wait_for_a_service(fast)
    process.send_signal(number)
    _, err = process.communicate(timeout=_PATIENCE_S)
    assert (process.returncode, fast.services) == (130, []), err
    assert "Nothing of it is left in the cloud." in err
    assert json.loads(Path("survey.json").read_text("utf-8"))["ended"] == "interrupted"


def test_closed_pipes_keep_nothing_from_being_deleted(fast: Simulator) -> None:
    """As after `2>&1 | head -1`."""
    process = subprocess.Popen(
        [*_COMMAND, "--instance", INSTANCE, *TRIAL],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(fast),
    )
    _wait_for_a_service(fast)
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    process.wait(_PATIENCE_S)
    assert fast.services == []
    assert files(Path()) == ["survey.json"]


def test_a_full_disk_loses_nothing(fast: Simulator) -> None:
    """What cannot be written to the file is printed."""
    line = shlex.join([*_COMMAND, "--instance", INSTANCE])
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 0; exec {line}"],
        capture_output=True,
        text=True,
        env=_environment(fast) | {"PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 1
    assert "Error: survey.json cannot be written: File too large." in done.stderr
    assert json.loads(done.stdout)["format"] == 1
    assert [] == files(Path())


def test_a_file_that_came_meanwhile_is_not_written_over() -> None:
    """Such as that of another survey in the same folder; what was seen is printed."""

    def meanwhile() -> float:
        Path("survey.json").write_text("mine")
        return time.time()

    with world(services=0, signing_clock=meanwhile) as made:
        done = made.survey()
    assert done.exit_code == 1
    assert "Error: survey.json cannot be written: File exists." in done.stderr
    assert json.loads(done.stdout)["format"] == 1
    assert Path("survey.json").read_text() == "mine"
    assert files(Path()) == ["survey.json"]


def test_a_terminal_is_asked(fast: Simulator) -> None:
    """Whatever but yes creates nothing; the question comes after what will be done."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*_COMMAND, "--instance", INSTANCE, *TRIAL[:-1]],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(fast),
    )
    os.close(follower)
    os.write(leader, b"n\n")
    out, err = process.communicate(timeout=_PATIENCE_S)
    os.close(leader)
    assert (process.returncode, out, fast.mutations) == (1, "", [])
    assert "no price of a service of its own is known" in " ".join(err.split())
    assert err.endswith("Create it? [y/N]: Nothing was created or written.\n")
    assert [] == files(Path())
