"""What the provider's objects show of themselves, and what its loggers are told: no secret."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator

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
from tests.chaos.hosting import MovedClock
from tests.provider.overheard import (
    FAULTS,
    INPUTS,
    INSTANCE,
    SECRET,
    TOKEN,
    forms,
    given_in,
    guarded,
)
from tests.provider.servicer import serve


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """A cloud that wants temporary credentials."""
    with guarded() as running:
        yield running


class _Watched(ModelServiceProvider):
    """A provider whose gateways and pauses are the test's."""

    gateways: list[Gateway]

    def new_clock(self) -> SystemClock:
        return MovedClock()

    def new_gateway(
        self, settings: Settings, clock: SystemClock, redact: Callable[[str], str]
    ) -> Gateway:
        self.gateways = [*getattr(self, "gateways", []), Gateway(settings, clock, redact=redact)]
        return self.gateways[-1]


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
    given = given_in("config", cloud.endpoint)
    for name, value in given["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings.resolve(given["config"].get, given["environment"])
    provider = _Watched()
    provider.configure(ConfigureRequest(Config(given["config"], "shop")))
    found: list[object] = [settings, settings.credentials, provider]

    created = serve(lambda: provider.create(dict(INPUTS)))
    (service,) = cloud.services
    (gateway,) = provider.gateways
    id_ = ModelServiceId(INSTANCE, service.id)
    found += [gateway, vars(gateway), gateway._client, vars(gateway._client)]
    found += [vars(gateway._client), gateway.describe_model_service(id_)]
    found += [gateway.list_model_services(INSTANCE), gateway.list_ai_nodes(INSTANCE), created]
    assert service.api_key == gateway.describe_model_service(id_).api_key
    stored = {"model_service_id": service.id, **INPUTS}
    other = provider_pb2.CreateRequest(urn="urn:pulumi:dev::shop::t::other")
    for fault in [
        *FAULTS,
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
            lambda: gateway.modify_security_ips(INSTANCE, "models", ["10.0.0.3"]),
            lambda: provider.read(str(id_), dict(stored)),
            lambda: serve(lambda: provider.create({**INPUTS, "ai_nodes": ["ai-3"]}), other),
        ):
            with pytest.raises(AdbpgModelError) as caught:
                act()
            found.append(caught.value)
        cloud.clear_faults()

    texts = [text for value in found for text in _all_about(value)]
    texts += [base64.b64decode(serialize_provider(provider)).decode("latin-1"), caplog.text]
    texts += [pickle.dumps(value).decode("latin-1") for value in found if _is_error(value)]
    assert "urllib3" not in caplog.text
    for secret in (service.api_key or "", *forms(SECRET), *forms(TOKEN)):
        assert [text for text in texts if secret in text] == []


def _is_error(value: object) -> bool:
    return isinstance(value, AdbpgModelError)
