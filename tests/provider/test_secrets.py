"""What the provider's process says and answers, whatever goes right or wrong: no secret in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import Answer, stub
from tests.provider.dynamic_host import HostError, Stored, kept_by
from tests.provider.overheard import (
    FAULTS,
    INPUTS,
    INSTANCE,
    SECRET,
    TOKEN,
    Overheard,
    forms,
    given_in,
    guarded,
)


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """A cloud that wants temporary credentials."""
    with guarded() as running:
        yield running


def _whole_life(host: Overheard, cloud: Simulator) -> set[str]:
    """Every operation, gone well and gone wrong; returns the API keys of all services."""
    keys: set[str] = set()

    def remember() -> None:
        keys.update(service.api_key for service in cloud.services if service.api_key)

    assert host.check({**INPUTS, "ai_nodes": []}).failures != []
    inputs = host.check(INPUTS).inputs
    for fault in ("quota", "forbidden", "expired-token", "clock-skew"):
        cloud.inject(fault, "CreateModelService")
        host.fails("create", inputs)
    cloud.fail_next_deployment()
    failed = kept_by(lambda: host.create(inputs))
    assert failed.outs["status"] == "deploy_failed"
    remember()
    host.delete(failed)

    stored = host.create(inputs)
    remember()
    assert stored.outs["api_key"] in keys
    assert host.diff(stored, {**inputs, "model_name": "Qwen3-8B"}).replaces == ["model_name"]
    cloud.change_service(stored.id.partition(":")[2], description="changed outside")
    assert host.refresh(stored).outs["api_key"] in keys
    asked = {"db_instance_id": INSTANCE, "region_id": "cn-hangzhou"}
    assert host.get(stored.id, asked).outs["api_key"] in keys
    host.fails("get", f"{INSTANCE}:ms-none", asked)
    wider = {**inputs, "security_ip_list": ["10.0.0.1", "10.0.0.2"]}
    for fault in FAULTS:
        for action, method, arguments in (
            ("DescribeModelService", "refresh", (stored,)),
            ("DeleteModelService", "delete", (stored,)),
            ("ModifySecurityIps", "update", (stored, wider)),
        ):
            if fault in ("not-found-404", "busy"):
                cloud.inject(fault, action)
            else:
                cloud.inject(fault, action, times=None)
            with contextlib.suppress(HostError):
                getattr(host, method)(*arguments)
            cloud.clear_faults()
            if not cloud.services:
                stored = host.create(inputs)
                remember()
    stored = host.update(stored, wider)
    cloud.expire_token()
    host.fails("create", {**inputs, "ai_nodes": ["ai-2"]})
    host.fails("refresh", stored)
    host.fails("delete", stored)
    return keys


def test_nothing_that_leaves_the_process_holds_a_secret(
    cloud: Simulator, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    Answers, errors, stdout, stderr: the API key in its output alone, credentials nowhere.

    Those of the environment here, those of the configuration in test_secrets_in_process.py.
    """
    with Overheard(**given_in("environment", cloud.endpoint)) as host:
        keys = _whole_life(host, cloud)
    everything = [*host.heard, *host.printed(), *capfd.readouterr()]

    called = {"Configure", "Check", "Diff", "Create", "Read", "Update", "Delete"}
    assert set(host.calls) == called
    assert len(keys) >= 2
    assert any("InvalidSecurityToken.Expired" in text for text in everything)
    for secret in (*keys, *forms(SECRET), *forms(TOKEN)):
        assert [text for text in everything if secret in text] == []


@pytest.mark.parametrize("source", ["environment", "config"])
def test_a_refusal_that_repeats_what_was_signed_is_masked(
    capfd: pytest.CaptureFixture[str], source: str
) -> None:
    """The cloud's signature error shows the string to sign, headers and all, encoded or not."""

    def refuse(_: dict[str, str]) -> Answer:
        sent = "\n".join(f"{name}:{text}" for name, text in server.headers[-1].items())
        message = f"{quote(TOKEN, safe='~')} key {SECRET} {TOKEN} server string to sign is {sent}"
        return Answer({"Code": "SignatureDoesNotMatch", "Message": message}, 400)

    with (
        stub(refuse) as server,
        Overheard(**given_in(source, f"http://127.0.0.1:{server.port}")) as host,
    ):
        seen = {**INPUTS, "model_service_id": "ms-1", "region_id": "cn-hangzhou"}
        stored = Stored(f"{INSTANCE}:ms-1", {**seen, "status": "active"})
        unfinished = Stored(stored.id, {**seen, "status": "deployming"})
        kept = kept_by(lambda: host.update(unfinished, INPUTS))
        for method, arguments in (
            ("create", (INPUTS,)),
            ("refresh", (stored,)),
            ("get", (stored.id, {"db_instance_id": INSTANCE})),
            ("update", (stored, {**INPUTS, "security_ip_list": ["10.0.0.9"]})),
            ("delete", (stored,)),
        ):
            host.fails(method, *arguments)
    everything = [*host.heard, *host.printed(), *capfd.readouterr()]

    assert server.headers[-1]["x-acs-security-token"] == TOKEN
    masked = "**** key **** **** server string to sign"
    assert sum(masked in text for text in everything) >= 6
    assert masked in kept.outs["status_reason"]
    for secret in (*forms(SECRET), *forms(TOKEN)):
        assert [text for text in everything if secret in text] == []


def test_a_malformed_setting_is_refused_without_the_others(cloud: Simulator) -> None:
    """What Check says about configuration names the setting that is wrong, not its neighbours."""
    given = given_in("config", cloud.endpoint)
    given["config"] |= {"adbpg:parallel": "many", "adbpg:endpoint": f"http://{SECRET}@x.example"}
    del given["config"]["adbpg:accessKey"]
    with Overheard(**given) as host:
        failures = host.check(INPUTS).failures
    (told,) = [reason for _, reason in failures]
    assert "adbpg:secretKey is set but adbpg:accessKey is not" in told
    assert "adbpg:parallel" in told
    for secret in (*forms(SECRET), *forms(TOKEN)):
        assert secret not in told
