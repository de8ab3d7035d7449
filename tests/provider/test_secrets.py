"""What the provider's process says and answers, whatever goes right or wrong: no secret in it."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import logging
import pickle
import traceback
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2

from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import Answer, stub
from tests.lifecycle.fakes import FakeClock
from tests.provider.dynamic_host import (
    CONFIG,
    DynamicHost,
    HostError,
    Properties,
    Stored,
    _decoded,
)

_SECRET = "made-up/access+key=secret"
_TOKEN = "CAIS+made/up=token=="
_INSTANCE = "gp-demo"
_INPUTS: Properties = {
    "db_instance_id": _INSTANCE,
    "model_name": "Qwen3-Embedding-8B",
    "ai_nodes": ["ai-1"],
    "security_ip_list": ["10.0.0.1"],
    "security_ip_group": "models",
    "__urn": "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::model",
    "__organization": "acme",
}
#: Refusals that a program meets at any call, and answers that are none.
_FAULTS = ["quota", "forbidden", "expired-token", "clock-skew", "busy", "not-found-404"]


def _forms(secret: str) -> list[str]:
    """A secret as it is, and as it would stand in a URL."""
    return [secret, quote(secret, safe="~")]


class _Overheard(DynamicHost):
    """A host of which everything is kept that reaches the engine, but for the API key output."""

    def __init__(self, environment: Mapping[str, str], config: Mapping[str, str]) -> None:
        self.heard: list[str] = []
        self.calls: list[str] = []
        super().__init__({**environment, "DEBUG": "sdk"}, {**CONFIG, **config})

    def create(self, inputs: Properties, provider: str | None = None) -> Stored:
        request = provider_pb2.CreateRequest(properties=self._bag(inputs, provider))
        answer = self._call("Create", request)
        return Stored(answer.id, {"api_key": None} | _values(answer.properties))

    def fails(self, method: str, *arguments: Any) -> None:
        """Call what is to be refused."""
        with pytest.raises(HostError):
            getattr(self, method)(*arguments)

    def printed(self) -> list[str]:
        """What it wrote to stdout; all of it, once it is gone."""
        return list(self._lines.queue)

    def _call(self, method: str, request: Any) -> Any:
        self.calls.append(method)
        try:
            answer = super()._call(method, request)
        except HostError as error:
            self.heard.append(f"{error} {error!r}")
            raise
        shown = copy.deepcopy(answer)
        if "properties" in shown.DESCRIPTOR.fields_by_name:
            shown.properties.fields.pop("api_key", None)  # the engine encrypts this one
        self.heard.append(str(shown))
        return answer


def _values(struct: Any) -> Properties:
    return dict(_decoded(struct))


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """A cloud that wants temporary credentials."""
    with Simulator(
        provision_seconds=0,
        access_key_secret=_SECRET,
        security_token=_TOKEN,
        whitelist_groups={"models": "ai-1"},
    ) as running:
        yield running


def _given(source: str, endpoint: str, secret: str = _SECRET) -> dict[str, dict[str, str]]:
    """Environment and config with credentials in one of them."""
    environment = {"ADBPG_ENDPOINT": endpoint, "ALICLOUD_REGION": "cn-hangzhou"}
    if source == "config":
        config = {
            "adbpg:accessKey": "simulator-key-id",
            "adbpg:secretKey": secret,
            "adbpg:securityToken": _TOKEN,
        }
        return {"environment": environment, "config": config}
    environment |= {
        "ALICLOUD_ACCESS_KEY": "simulator-key-id",
        "ALICLOUD_SECRET_KEY": secret,
        "ALICLOUD_SECURITY_TOKEN": _TOKEN,
    }
    return {"environment": environment, "config": {}}


def _whole_life(host: _Overheard, cloud: Simulator) -> set[str]:
    """Every operation, gone well and gone wrong; returns the API keys of all services."""
    keys: set[str] = set()

    def remember() -> None:
        keys.update(service.api_key for service in cloud.services if service.api_key)

    assert host.check({**_INPUTS, "ai_nodes": []}).failures != []
    inputs = host.check(_INPUTS).inputs
    for fault in ("quota", "forbidden", "expired-token", "clock-skew"):
        cloud.inject(fault, "CreateModelService")
        host.fails("create", inputs)
    cloud.fail_next_deployment()
    failed = host.create(inputs)
    assert failed.outs["status"] == "deploy_failed"
    remember()
    host.delete(failed)

    stored = host.create(inputs)
    remember()
    assert stored.outs["api_key"] in keys
    assert host.diff(stored, {**inputs, "model_name": "Qwen3-8B"}).replaces == ["model_name"]
    cloud.change_service(stored.id.partition(":")[2], description="changed outside")
    assert host.refresh(stored).outs["api_key"] in keys
    asked = {"db_instance_id": _INSTANCE, "region_id": "cn-hangzhou"}
    assert host.get(stored.id, asked).outs["api_key"] in keys
    host.fails("get", f"{_INSTANCE}:ms-none", asked)
    wider = {**inputs, "security_ip_list": ["10.0.0.1", "10.0.0.2"]}
    for fault in _FAULTS:
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


@pytest.mark.parametrize("source", ["environment", "config"])
def test_nothing_that_leaves_the_process_holds_a_secret(
    cloud: Simulator, capfd: pytest.CaptureFixture[str], source: str
) -> None:
    """Answers, errors, stdout, stderr: the API key in its output alone, credentials nowhere."""
    with _Overheard(**_given(source, cloud.endpoint)) as host:
        keys = _whole_life(host, cloud)
    everything = [*host.heard, *host.printed(), *capfd.readouterr()]

    called = {"Configure", "Check", "Diff", "Create", "Read", "Update", "Delete"}
    assert set(host.calls) == called
    assert len(keys) >= 2
    assert any("InvalidSecurityToken.Expired" in text for text in everything)
    for secret in (*keys, *_forms(_SECRET), *_forms(_TOKEN)):
        assert [text for text in everything if secret in text] == []


@pytest.mark.parametrize("source", ["environment", "config"])
def test_a_refusal_that_repeats_what_was_signed_is_masked(
    capfd: pytest.CaptureFixture[str], source: str
) -> None:
    """The cloud's signature error shows the string to sign, headers and all, encoded or not."""

    def refuse(_: dict[str, str]) -> Answer:
        sent = "\n".join(f"{name}:{text}" for name, text in server.headers[-1].items())
        message = (
            f"{quote(_TOKEN, safe='~')} key {_SECRET} {_TOKEN} server string to sign is {sent}"
        )
        return Answer({"Code": "SignatureDoesNotMatch", "Message": message}, 400)

    with (
        stub(refuse) as server,
        _Overheard(**_given(source, f"http://127.0.0.1:{server.port}")) as host,
    ):
        seen = {**_INPUTS, "model_service_id": "ms-1", "region_id": "cn-hangzhou"}
        stored = Stored(f"{_INSTANCE}:ms-1", {**seen, "status": "active"})
        unfinished = Stored(stored.id, {**seen, "status": "deployming"})
        reason = host.update(unfinished, _INPUTS).outs["status_reason"]  # told, not raised
        for method, arguments in (
            ("create", (_INPUTS,)),
            ("refresh", (stored,)),
            ("get", (stored.id, {"db_instance_id": _INSTANCE})),
            ("update", (stored, {**_INPUTS, "security_ip_list": ["10.0.0.9"]})),
            ("delete", (stored,)),
        ):
            host.fails(method, *arguments)
    everything = [*host.heard, *host.printed(), *capfd.readouterr()]

    assert server.headers[-1]["x-acs-security-token"] == _TOKEN
    masked = "**** key **** **** server string to sign"
    assert sum(masked in text for text in everything) >= 6
    assert masked in reason
    for secret in (*_forms(_SECRET), *_forms(_TOKEN)):
        assert [text for text in everything if secret in text] == []


def test_a_malformed_setting_is_refused_without_the_others(cloud: Simulator) -> None:
    """What Check says about configuration names the setting that is wrong, not its neighbours."""
    given = _given("config", cloud.endpoint)
    given["config"] |= {"adbpg:parallel": "many", "adbpg:endpoint": f"http://{_SECRET}@x.example"}
    del given["config"]["adbpg:accessKey"]
    with _Overheard(**given) as host:
        failures = host.check(_INPUTS).failures
    (told,) = [reason for _, reason in failures]
    assert "adbpg:secretKey is set but adbpg:accessKey is not" in told
    assert "adbpg:parallel" in told
    for secret in (*_forms(_SECRET), *_forms(_TOKEN)):
        assert secret not in told


class _Watched(ModelServiceProvider):
    """A provider whose gateways and pauses are the test's."""

    gateways: list[Gateway]

    def new_clock(self) -> SystemClock:
        return _QuickClock()

    def new_gateway(self, settings: Settings, clock: SystemClock) -> Gateway:
        self.gateways = [*getattr(self, "gateways", []), Gateway(settings, clock)]
        return self.gateways[-1]


class _QuickClock(SystemClock):
    """Sleeping moves the time on and takes none."""

    def __init__(self) -> None:
        super().__init__()
        self._fake = FakeClock()

    def monotonic(self) -> float:
        return super().monotonic() + self._fake.now

    def sleep(self, seconds: float) -> None:
        self._fake.sleep(seconds)


def _all_about(value: object) -> list[str]:
    """A value's texts, and those of all that it is made of."""
    texts = [str(value), repr(value), f"{value}"]
    if isinstance(value, BaseException):
        texts += ["".join(traceback.format_exception(value)), json.dumps(value.args, default=repr)]
        texts += [repr(vars(value))]
    return texts


def test_no_text_of_an_object_or_record_of_a_log_holds_a_secret(
    cloud: Simulator, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reprs, exceptions with all their fields, pickles, and every logger at DEBUG."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="pulumi_adbpg_model")
    given = _given("config", cloud.endpoint)
    for name, value in given["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings.resolve(given["config"].get, given["environment"])
    provider = _Watched()
    provider.configure(ConfigureRequest(Config(given["config"], "shop")))
    found: list[object] = [settings, settings.credentials, provider]

    created = provider.create(dict(_INPUTS))
    (service,) = cloud.services
    (gateway,) = provider.gateways
    id_ = ModelServiceId(_INSTANCE, service.id)
    found += [gateway, vars(gateway), gateway._client, vars(gateway._client)]
    found += [vars(gateway._client), gateway.describe_model_service(id_)]
    found += [gateway.list_model_services(_INSTANCE), gateway.list_ai_nodes(_INSTANCE), created]
    assert service.api_key == gateway.describe_model_service(id_).api_key
    stored = {"model_service_id": service.id, **_INPUTS}
    for fault in [
        *_FAULTS,
        "html-502",
        "wrong-shape",
        "reset-before",
        "truncated-json",
        "redirect",
    ]:
        cloud.inject(fault, times=None)
        for act in (
            lambda: gateway.describe_model_service(id_),
            lambda: gateway.delete_model_service(id_),
            lambda: gateway.modify_security_ips(_INSTANCE, "models", ["10.0.0.3"]),
            lambda: provider.read(str(id_), dict(stored)),
            lambda: provider.create({**_INPUTS, "ai_nodes": ["ai-3"]}),
        ):
            with pytest.raises(AdbpgModelError) as caught:
                act()
            found.append(caught.value)
        cloud.clear_faults()

    texts = [text for value in found for text in _all_about(value)]
    texts += [base64.b64decode(serialize_provider(provider)).decode("latin-1"), caplog.text]
    texts += [pickle.dumps(value).decode("latin-1") for value in found if _is_error(value)]
    assert "DescribeModelService" in caplog.text or "?DBInstanceId" in caplog.text
    for secret in (service.api_key or "", *_forms(_SECRET), *_forms(_TOKEN)):
        assert [text for text in texts if secret in text] == []


def _is_error(value: object) -> bool:
    return isinstance(value, AdbpgModelError)
