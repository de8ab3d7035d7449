"""What a survey writes and prints holds nothing by which a cloud, or its owner, can be told."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.survey import MARK
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import Answer, stub
from tests.lifecycle.fakes import FakeClock

_MARKS = {
    "instance": "gp-zqinstancezq",
    "node": "ai-zqfreezq",
    "bound node": "ai-zqboundzq",
    "model": "Zqmodelzq",
    "other model": "Zqothermodelzq",
    "description": "Zqdescriptionzq of the owner",
    "whitelist": "10.77.66.55",
    "parameter": "zqparameterzq",
    "key": "zqkeyzq0123456789",
    "secret": "zqsecretzq0123456789",
}
#: What is in the announcement and in the line that deletes a service.
_TYPED = {_MARKS["instance"], _MARKS["node"], _MARKS["model"]}
_DIALECTS = ("fields-extra", "whitelist-spaced", "nodes-bound-after-delete")


def _survey(fault: str | None, *arguments: str) -> tuple[Result, set[str]]:
    """A survey of a simulator full of marks, and what this cloud has made by itself."""
    clock = FakeClock()
    clock.now = 1_800_000_000.0
    instance = _MARKS["instance"]
    simulator = Simulator(
        instance=instance,
        nodes=[_MARKS["node"], _MARKS["bound node"]],
        models=[_MARKS["model"], _MARKS["other model"]],
        access_key_id=_MARKS["key"],
        access_key_secret=_MARKS["secret"],
        dialects=_DIALECTS,
        provision_seconds=10.0,
        clock=clock.time,
        signing_clock=time.time,
    )
    with simulator:
        settings_env = simulator.environment()
        spec = ModelServiceSpec(
            instance,
            _MARKS["other model"],
            (_MARKS["bound node"],),
            description=_MARKS["description"],
            security_ip_list=(_MARKS["whitelist"], "10.0.0.0/8"),
            others={"model_params": {_MARKS["parameter"]: "zqvaluezq"}},
        )
        _gateway(simulator, clock).create_model_service(spec, "zqtokenzq")
        clock.advance(60.0)
        if fault:
            simulator.inject(fault, times=3, after=12)
        done = CliRunner().invoke(
            main,
            ["survey", "--instance", instance, "--no-stack", *arguments],
            env=settings_env,
            obj=clock,
        )
        (other, *_) = simulator.services
        made = {other.id, other.api_key or "", other.create_time, other.private_connect_url or ""}
    return done, {one for one in made if one}


def _gateway(simulator: Simulator, clock: FakeClock) -> Gateway:
    settings = Settings.resolve(lambda _key: None, simulator.environment())
    return Gateway(settings, clock)


_TRIAL = ("--node", _MARKS["node"], "--model", _MARKS["model"], "--yes")


@pytest.mark.parametrize(
    "fault",
    [
        None,
        "internal-error",
        "reset-after",
        "forbidden",
        "expired-token",
        "wrong-shape",
        "html-502",
    ],
)
@pytest.mark.parametrize("trial", [(), _TRIAL], ids=["reading", "trial"])
@pytest.mark.parametrize("names", [(), ("--model-names",)], ids=["counted", "named"])
def test_no_mark_is_written_or_printed(
    trial: tuple[str, ...], names: tuple[str, ...], fault: str | None
) -> None:
    """Not in the JSON, not in the table, not on stderr but for what the user has typed."""
    done, made = _survey(fault, *trial, *names)
    written = Path("survey.json").read_text("utf-8")
    models = {_MARKS["model"], _MARKS["other model"]} if names else set()
    for text in (written, done.stdout):
        there = {mark for mark in (*_MARKS.values(), *made) if mark in text}
        assert there <= models, text
        assert set(re.findall(r"(?i)\w*zq\w*", text)) <= models
        assert "ms-" not in text.replace("ms-*", "")
        assert "zqvaluezq" not in text
        assert not re.search(r"[0-9A-F]{8}-[0-9A-F]{4}-", text)
    assert {mark for mark in (*_MARKS.values(), *made) if mark in done.stderr} <= _TYPED
    if names:
        assert json.loads(written)["models"] == [_MARKS["model"], _MARKS["other model"]]


def _survey_of(
    respond: Callable[[dict[str, str]], Answer], instance: str, *arguments: str
) -> Result:
    """A survey of a cloud that answers anything."""
    with stub(respond) as cloud:
        return CliRunner().invoke(
            main,
            ["survey", "--instance", instance, "--no-stack", *arguments],
            env={
                "ADBPG_ENDPOINT": f"http://127.0.0.1:{cloud.port}",
                "ALICLOUD_REGION": "cn-hangzhou",
                "ALICLOUD_ACCESS_KEY": "zqid",
                "ALICLOUD_SECRET_KEY": "zqkey",
            },
            obj=FakeClock(),
        )


_EVIL = "zq\x1b[31mevil\n\u202e"


def _evil_cloud(query: dict[str, str]) -> Answer:
    """Every string that it says is a mark, in places where words stand too, and nested."""
    del query
    service = {
        "ModelServiceId": "ms-zqserviceidzq",
        "Status": "zqstatus of ms-zqserviceidzq",
        "ModelName": "zqmodel",
        "AiNodes": ["ai-zqnode"],
        "Description": f"{MARK} 0123456789ab",
        "CreateTime": "zqtime",
        "ApiKey": _EVIL,
        "zqserviceidzq": {"zqdeep": ["zqdeeper", {"zqdeepest": "zqbottom"}]},
        "Zqfield2 of zq": 1,
        "ModelParams": {"zqparam": "zqvalue"},
    }
    node = {"NodeName": "ai-zqfree", "BindStatus": "zq", "Namespace": "zqnamespace"}
    bound = {**node, "NodeName": "ai-zqheld", "BindStatus": "bound", "BindObject": "zqholder"}
    pool = {"AINodePoolId": "aipool-zqpool", "AINodeInfos": [node, bound], "NodeNum": 3}
    return Answer(
        {
            **service,
            "ModelServices": [{**service, "ModelServiceId": "ms-zqserviceid2"}],
            "TotalRecordCount": "1",
            "AINodePoolInfos": [pool],
            "ModelNames": {"modelNames": ["zqmodel", _EVIL]},
            "RequestId": "zqrequest",
        }
    )


def test_a_cloud_that_says_anything_is_told_by_form() -> None:
    """A word with an id or a name in it is none; terminals are obeyed by nothing."""
    done = _survey_of(_evil_cloud, "gp-demo", "--out", "survey.json")
    assert done.exit_code == 0, done.output
    written = Path("survey.json").read_text("utf-8")
    for text in (written, done.stdout):
        assert [] == re.findall(r"(?i)\w*zq\w*", text)
    # The line that deletes what looks like a left-over needs its id.
    assert set(re.findall(r"\w*zq\w*", done.stderr)) == {"zqserviceid2"}
    assert all(c.isprintable() or c == "\n" for c in done.output)


def test_the_names_of_the_catalogue_are_all_that_is_shown_of_it() -> None:
    """With --model-names too: a word that stands beside them is none of a status."""

    def cloud_of(query: dict[str, str]) -> Answer:
        del query
        return Answer(
            {
                "ModelNames": {"modelNames": ["Zqmodel"], "Owner": "Acmezq"},
                "ModelServices": [{"ModelServiceId": "ms-1", "Status": "Acmezq"}],
                "TotalRecordCount": 1,
                "AINodePoolInfos": [],
            }
        )

    done = _survey_of(cloud_of, "gp-demo", "--model-names", "--out", "-")
    assert done.exit_code == 0, done.output
    assert set(re.findall(r"(?i)\w*zq\w*", done.output)) == {"Zqmodel"}


def test_an_error_code_that_names_something_is_not_shown() -> None:
    """Codes are words of the cloud; one with the instance's id in it is none."""

    def refuse(query: dict[str, str]) -> Answer:
        if "ModelServiceId" in query:
            code = "NotFound.gp-zqdemo" if query["ModelServiceId"] else "Missing.Parameter"
            return Answer({"Code": code, "Message": "zqmessage", "RequestId": "zqid"}, 404)
        empty = {"ModelServices": [], "TotalRecordCount": 0, "AINodePoolInfos": []}
        return Answer({**empty, "ModelNames": {"modelNames": []}})

    done = _survey_of(refuse, "gp-zqdemo", "--json", "--out", "-")
    assert done.exit_code == 0, done.output
    assert "zq" not in done.output
    assert "404 gp-*" not in done.output
    assert "404 text of 18" in done.output


def test_beside_the_names_of_models_nothing_of_the_catalogue_is_shown() -> None:
    """Nor is an id of letters alone, where a word or the name of an element might stand."""

    def answer(query: dict[str, str]) -> Answer:
        service = {"ModelServiceId": "ms-1", "Status": "zqowner", "ms-zqletters": 1}
        item = {**service, "Status": "gp-zqletters"}
        return Answer(
            {
                **(service if query.get("ModelServiceId") == "ms-1" else {}),
                "ModelServices": [item] if query.get("PageNumber") == "1" else [],
                "AINodePoolInfos": [],
                "ModelNames": {"modelNames": ["Model-1"]},
                "Owner": "zqowner",
            }
        )

    with stub(answer) as cloud:
        done = CliRunner().invoke(
            main,
            ["survey", "--instance", "gp-demo", "--no-stack", "--model-names", "--json"],
            env={
                "ADBPG_ENDPOINT": f"http://127.0.0.1:{cloud.port}",
                "ALICLOUD_ACCESS_KEY": "zqid",
                "ALICLOUD_SECRET_KEY": "zqkey",
            },
            obj=FakeClock(),
        )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["models"] == ["Model-1"]
    assert "zq" not in done.stdout
