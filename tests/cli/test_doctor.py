"""`doctor`: each finding with what to do about it; no secret; an end in finite time."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.cli._checks import diagnose_cloud
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway, time_ahead_s
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.raw import answer, raw_server
from tests.provider.renamed_sdk import renamed_sdk

_ID, _SECRET = "made-up-doctor-key-id", "made-up-doctor-secret"

Findings = dict[str, dict[str, str]]
Doctor = Callable[..., Result]
Ask = Callable[..., Findings]


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    with Simulator(provision_seconds=0, access_key_id=_ID, access_key_secret=_SECRET) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of this test's own, with a CLI that tells a version."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))  # no profile of this machine
    _install(folder, "echo v3.259.0")
    return folder


@pytest.fixture
def doctor(path: Path, cloud: Simulator) -> Doctor:
    """Runs the command on the simulated cloud."""

    def run(*arguments: str, **environment: str | None) -> Result:
        given: dict[str, str | None] = {**cloud.environment(), **environment}
        return CliRunner().invoke(main, ["doctor", *arguments], env=given)

    return run


@pytest.fixture
def ask(path: Path, cloud: Simulator) -> Ask:
    """What is found about the cloud, without the tools, whose looking takes seconds."""

    def run(instance: str | None = None, **environment: str | None) -> Findings:
        given = {**cloud.environment(), **environment}
        environ = {name: value for name, value in given.items() if value is not None}
        settings = Settings.resolve(lambda _key: None, environ)
        found = list(diagnose_cloud(settings, SystemClock(), instance))
        return {one.what: dataclasses.asdict(one) for one in found}

    return run


def _install(folder: Path, script: str) -> None:
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def _findings(result: Result) -> Findings:
    listed = json.loads(result.stdout)["findings"]
    found = {one["what"]: one for one in listed}
    assert len(found) == len(listed)
    assert [] == [
        one for one in listed if one["status"] in ("warning", "problem") and not one["fix"]
    ]
    return found


def _problems(findings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [what for what, one in findings.items() if one["status"] == "problem"]


def test_all_is_well(doctor: Doctor, cloud: Simulator) -> None:
    """Everything that can be tried is, and what cannot is said."""
    done = doctor("--json", "--instance", "gp-demo")
    found = _findings(done)

    assert 0 == done.exit_code, done.output
    assert {"ok", "not tried"} == {one["status"] for one in found.values()}
    assert "v3.259.0" in found["Pulumi CLI"]["text"]
    assert "environment ALICLOUD_ACCESS_KEY" in found["credentials"]["text"]
    assert cloud.endpoint == found["endpoint"]["text"]
    assert "permitted: 4 nodes in gp-demo, 4 of them free" == found["ListAINodePools"]["text"]
    assert "permitted: a service" in found["DescribeModelService"]["text"]
    assert "not tried" == found["writing actions"]["status"]
    assert [] == cloud.mutations


def test_every_host_feature_is_active_with_this_sdk(doctor: Doctor) -> None:
    """Asked of a real provider host."""
    found = _findings(doctor("--json"))

    active = {what: one["status"] for what, one in found.items() if what.startswith("host: ")}
    names = ("calls", "workers", "cancel", "watch", "clean errors", "progress")
    assert {f"host: {name}": "ok" for name in names} == active


def test_sdk_with_which_nothing_can_be_created_is_named(doctor: Doctor, tmp_path: Path) -> None:
    """The one part that nothing goes on without is a problem, with the versions that work."""
    done = doctor("--json", PYTHONPATH=renamed_sdk(tmp_path))
    found = _findings(done)

    assert 1 == done.exit_code
    assert ["host: calls"] == _problems(found)
    assert "not active with this SDK: no service can be created" == found["host: calls"]["text"]
    assert "'pulumi>=3.268.0,<=3.272.0'" in found["host: calls"]["fix"]
    assert "ok" == found["host: workers"]["status"]


def test_proxy_that_takes_pulumis_own_connections_is_named(doctor: Doctor) -> None:
    """The SDK's connections on this machine go through it too, and no program runs."""
    done = doctor("--json", http_proxy="http://127.0.0.1:9", no_proxy=None)
    exempt = doctor("--json", http_proxy="http://127.0.0.1:9", no_proxy="127.0.0.1")

    assert "add 127.0.0.1 to no_proxy" in _findings(done)["provider host"]["fix"]
    assert "ok" == _findings(exempt)["host: workers"]["status"]


def test_table_has_a_line_for_each_finding(doctor: Doctor) -> None:
    """Outside a terminal nothing is folded, so that a line may be searched for."""
    text = doctor("--instance", "gp-none").output

    lines = [line.strip() for line in text.splitlines() if "problem" in line[:10]]
    assert ["ListModelServices", "ListAINodePools", "DescribeModelService"] == [
        line.split()[1] for line in lines
    ]
    assert all("code=InvalidDBInstanceId.NotFound" in line and ". Fix: " in line for line in lines)
    assert "\x1b" not in text


def test_no_secret_is_shown(doctor: Doctor) -> None:
    """Neither the secret nor the key id, also where the cloud refuses them."""
    for secret, argument in ((_SECRET, "--instance=gp-demo"), ("made-up-and-wrong", "--json")):
        text = doctor(argument, ALICLOUD_SECRET_KEY=secret).output
        assert "ListSupportModels" in text
        assert secret not in text
        assert _ID not in text


def test_wrong_secret_is_a_problem(ask: Ask) -> None:
    """With the cloud's own code."""
    live = ask(ALICLOUD_SECRET_KEY="made-up-and-wrong")["ListSupportModels"]

    assert "problem" == live["status"]
    assert "code=SignatureDoesNotMatch" in live["text"]
    assert "access key" in live["fix"]


def test_fix_of_the_account_fits_what_happened(ask: Ask, cloud: Simulator) -> None:
    """STS that refuses a key was reached; one that does not answer was not."""
    refused = ask(ALICLOUD_SECRET_KEY="made-up-and-wrong")["account"]
    assert "SignatureDoesNotMatch" in refused["text"]
    assert refused["fix"].startswith("Check the access key")
    cloud.inject("forbidden", "GetCallerIdentity")
    assert "be reached" not in ask()["account"]["fix"]
    cloud.inject("throttled", "GetCallerIdentity")
    assert ask()["account"]["fix"].startswith("Too many calls at once: wait a minute")
    cloud.inject("reset-before", "GetCallerIdentity")
    assert ask()["account"]["fix"].startswith("let sts.aliyuncs.com be reached")


def test_a_model_that_left_the_catalogue_is_named_with_its_services(
    ask: Ask, cloud: Simulator
) -> None:
    """Before a change replaces one. Its case means nothing; what is being deleted is not meant."""
    settings = Settings.resolve(lambda _key: None, cloud.environment())
    gateway = Gateway(settings, SystemClock())
    services = [
        gateway.create_model_service(ModelServiceSpec("gp-demo", "Qwen3-8B", (node,)), node).id
        for node in ("ai-1", "ai-2", "ai-3")
    ]
    one, two, dying = (service.model_service_id for service in services)
    assert "models in use" not in ask()
    cloud.change_service(one, model_name="qwen3-8b")
    cloud.change_service(dying, model_name="Gone", status="deleting")
    listed = ask("gp-demo")["models in use"]
    assert ("ok", "") == (listed["status"], listed["fix"])

    cloud.change_service(two, model_name="Gone")
    found = ask("gp-demo")["models in use"]
    assert found["status"] == "warning"
    assert f"'Gone' (gp-demo:{two})" in found["text"]
    assert one not in found["text"]
    assert dying not in found["text"]
    cloud.inject("forbidden", "ListSupportModels")
    assert "models in use" not in ask("gp-demo")


@pytest.mark.parametrize(
    "action", ["ListSupportModels", "ListModelServices", "ListAINodePools", "DescribeModelService"]
)
def test_missing_permission_is_named(ask: Ask, cloud: Simulator, action: str) -> None:
    """The one action that is not permitted, and what to grant; the others are tried."""
    cloud.inject("forbidden", action, times=None)
    found = ask("gp-demo")

    assert [action] == _problems(found)
    assert f"grant gpdb:{action}, see `pulumi-adbpg-model policy`" == found[action]["fix"]


@pytest.mark.parametrize(
    "code", ["InvalidAccessKeyId.Inactive", "Forbidden.RiskControl", "RealNameAuthenticationError"]
)
def test_no_grant_is_asked_for_where_none_helps(ask: Ask, code: str) -> None:
    """The status 403 alone does not say that a permission is missing."""
    body = json.dumps({"Code": code, "Message": "no", "RequestId": "r"}).encode()
    refusal = answer(body, "content-type: application/json", status="403 Forbidden")
    with raw_server(refusal) as server:
        found = ask(ADBPG_ENDPOINT=f"http://127.0.0.1:{server.port}")["ListSupportModels"]

    assert f"code={code}" in found["text"]
    assert "grant" not in found["fix"]
    assert found["fix"]


def test_refusal_with_another_code_is_shown(ask: Ask, cloud: Simulator) -> None:
    """Whether a service is unknown or something else is wrong is for the reader to judge."""
    cloud.inject("quota", "DescribeModelService")
    found = ask("gp-demo")["DescribeModelService"]

    assert "ok" == found["status"]
    assert "code=QuotaNotEnough" in found["text"]


def test_refused_time_stamp_is_a_wrong_clock(ask: Ask, cloud: Simulator) -> None:
    """What the cloud calls an expired time stamp is told as what it is."""
    cloud.inject("clock-skew", "ListSupportModels")
    live = ask()["ListSupportModels"]

    assert "problem" == live["status"]
    assert "Set this machine's clock right" in live["fix"]


@pytest.mark.parametrize(
    ("ahead_s", "status"), [(0, "ok"), (300, "warning"), (-300, "warning"), (3600, "problem")]
)
def test_clock_is_compared_with_the_endpoints(ask: Ask, ahead_s: int, status: str) -> None:
    """By the date of any answer, without credentials."""
    date = formatdate(time.time() - ahead_s, usegmt=True)
    with raw_server(answer(b"{}", f"date: {date}", status="400 Bad Request")) as server:
        found = ask(ADBPG_ENDPOINT=f"http://127.0.0.1:{server.port}")

    clock = found["clock"]
    assert status == clock["status"]
    assert ("ahead of" in clock["text"], "behind" in clock["text"]) == (ahead_s > 0, ahead_s < 0)
    assert "authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("headers", [(), ("date: soon",)])
def test_endpoint_without_the_time(headers: tuple[str, ...]) -> None:
    """No date, or none that is one, is not known."""
    with raw_server(answer(b"", *headers)) as server:
        environment = {"ADBPG_ENDPOINT": f"http://127.0.0.1:{server.port}"}
        settings = Settings.resolve(lambda _key: None, environment)
        assert time_ahead_s(settings, SystemClock()) is None


def test_nothing_is_asked_of_an_endpoint_that_is_not_there(doctor: Doctor) -> None:
    """The end comes soon, and says where to look."""
    started = time.monotonic()
    done = doctor("--json", "--instance", "gp-demo", ADBPG_ENDPOINT="http://127.0.0.1:9")
    found = _findings(done)

    assert 1 == done.exit_code
    assert ["ListSupportModels"] == _problems(found)
    assert "cannot be reached" in found["ListSupportModels"]["text"]
    assert "warning" == found["clock"]["status"]
    assert "ListModelServices" not in found
    assert time.monotonic() - started < 30


def test_no_credentials(doctor: Doctor, cloud: Simulator) -> None:
    """Every place that was looked in is told, once; nothing signed is sent."""
    done = doctor("--json", ALICLOUD_ACCESS_KEY=None, ALICLOUD_SECRET_KEY=None)
    found = _findings(done)

    assert 1 == done.exit_code
    assert ["credentials"] == _problems(found)
    assert found["credentials"]["text"].startswith("no Alibaba Cloud credentials were found")
    assert [] == [call for call in cloud.requests if call.action]


def test_temporary_credentials_are_told(ask: Ask) -> None:
    """They end, so a long wait may outlast them."""
    text = ask(ALICLOUD_SECURITY_TOKEN="made-up-token")["credentials"]

    assert text["text"].endswith(", temporary")


def test_default_chain_names_its_source(path: Path, cloud: Simulator, tmp_path: Path) -> None:
    """Which of its places had credentials; in a process of its own, as it looks there once."""
    folder = tmp_path / ".aliyun"
    folder.mkdir()
    profile = {"name": "default", "mode": "AK", "access_key_id": _ID, "access_key_secret": _SECRET}
    (folder / "config.json").write_text(json.dumps({"current": "default", "profiles": [profile]}))
    environment = {**os.environ, **cloud.environment()}
    for name in ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY"):
        environment.pop(name)
    done = subprocess.run(
        [sys.executable, "-m", "pulumi_adbpg_model", "doctor"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (
        "from the default credential chain: profile 'default' of ~/.aliyun/config.json (mode AK), "
        "an access key"
    ) in done.stdout
    assert _SECRET not in done.stdout
    assert _ID not in done.stdout


def test_every_source_that_is_set_is_named_with_the_one_that_wins(doctor: Doctor) -> None:
    """Whoever wonders why somebody else calls can read it; nothing of any of them is shown."""
    found = _findings(
        doctor(
            "--json",
            ALIBABACLOUD_ACCESS_KEY_ID="MARKED-id",
            ALICLOUD_PROFILE="MARKED-profile",
            ALIBABA_CLOUD_CREDENTIALS_URI="http://127.0.0.1:9/MARKED",
        )
    )
    assert found["credentials"]["text"] == "from environment ALICLOUD_ACCESS_KEY, an access key"
    assert found["set, but not used"] == {
        "status": "ok",
        "what": "set, but not used",
        "text": "environment ALIBABACLOUD_ACCESS_KEY_ID, environment ALICLOUD_PROFILE, "
        "environment ALIBABA_CLOUD_CREDENTIALS_URI: environment ALICLOUD_ACCESS_KEY comes first "
        "in the order",
        "fix": "",
    }
    assert "MARKED" not in json.dumps(found)


def test_the_account_is_told_by_the_same_client(ask: Ask, cloud: Simulator) -> None:
    """The one thing to compare with the account of the instance."""
    account = ask()["account"]
    assert account["text"] == "1234567890123456, as acs:ram::1234567890123456:user/simulator"
    (call,) = cloud.calls("GetCallerIdentity")
    assert call.headers["x-acs-version"] == "2015-04-01"


def test_an_account_that_is_not_told_is_no_problem(doctor: Doctor, cloud: Simulator) -> None:
    """STS may be out of reach where the cloud is not."""
    cloud.inject("html-502", "GetCallerIdentity", times=None)
    found = _findings(doctor("--json"))
    assert found["account"]["status"] == "not tried"
    assert found["account"]["text"].startswith("not known: ")
    assert found["ListSupportModels"]["status"] == "ok"


def test_profile_of_the_command_line_is_named_as_such(doctor: Doctor) -> None:
    """Nobody looks for it in a configuration."""
    found = _findings(doctor("--json", "--profile", "mine"))

    assert found["credentials"]["text"].startswith("the credentials of --profile do not work: ")


@pytest.mark.parametrize("instance", ["", "gp-demo:ms-1"])
def test_instance_that_cannot_be_one_is_wrong_usage(doctor: Doctor, instance: str) -> None:
    """Such as an empty variable."""
    done = doctor("--instance", instance)

    assert 2 == done.exit_code
    assert "Invalid value for '--instance': must be" in done.output


def test_no_region(doctor: Doctor) -> None:
    """What is wrong with the settings is a finding beside the others."""
    done = doctor("--json", ALICLOUD_REGION=None, ADBPG_ENDPOINT=None)
    found = _findings(done)

    assert 1 == done.exit_code
    assert ["settings"] == _problems(found)
    assert "ok" == found["Pulumi CLI"]["status"]


@pytest.mark.parametrize(
    ("script", "status"),
    [("echo v3.200.0", "warning"), ("echo dev", "warning"), ("exit 1", "problem")],
)
def test_cli_that_is_odd(path: Path, doctor: Doctor, script: str, status: str) -> None:
    """Too old, without a version, or broken."""
    _install(path, script)

    assert status == _findings(doctor("--json"))["Pulumi CLI"]["status"]


def test_cli_that_is_missing(path: Path, doctor: Doctor) -> None:
    """Nothing goes without it."""
    (path / "pulumi").unlink()
    done = doctor("--json")

    assert 1 == done.exit_code
    assert ["Pulumi CLI"] == _problems(_findings(done))


def test_a_real_service_is_not_described(doctor: Doctor, cloud: Simulator) -> None:
    """Its key is nobody's business here."""
    settings = Settings.resolve(lambda _key: None, cloud.environment())
    spec = ModelServiceSpec("gp-demo", "Qwen3-8B", ("ai-1",))
    service = Gateway(settings, SystemClock()).create_model_service(spec, "t").id
    text = doctor("--instance", "gp-demo").output

    (held,) = cloud.services
    assert held.api_key
    assert held.api_key not in text
    asked = {call.query["ModelServiceId"] for call in cloud.calls("DescribeModelService")}
    assert service.model_service_id not in asked
