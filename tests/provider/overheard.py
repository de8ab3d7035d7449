"""A host whose every word is kept, and the secrets that must not be among them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import (
    CONFIG,
    DynamicHost,
    HostError,
    PartialFailureError,
    Properties,
    Stored,
    _decoded,
)

SECRET = "made-up/access+key=secret"
TOKEN = "CAIS+made/up=token=="
INSTANCE = "gp-demo"
INPUTS: Properties = {
    "db_instance_id": INSTANCE,
    "model_name": "Qwen3-Embedding-8B",
    "ai_nodes": ["ai-1"],
    "security_ip_list": ["10.0.0.1"],
    "security_ip_group": "models",
    "__organization": "acme",
}
#: Refusals that a program meets at any call, and answers that are none.
FAULTS = ["quota", "forbidden", "expired-token", "clock-skew", "busy", "not-found-404"]


def forms(secret: str) -> list[str]:
    """A secret as it is, and as it would stand in a URL."""
    return [secret, quote(secret, safe="~")]


def guarded() -> Simulator:
    """A cloud that wants temporary credentials."""
    return Simulator(
        provision_seconds=0,
        access_key_secret=SECRET,
        security_token=TOKEN,
        whitelist_groups={"models": "ai-1"},
    )


def given_in(source: str, endpoint: str, secret: str = SECRET) -> dict[str, dict[str, str]]:
    """Environment and config with credentials in one of them."""
    environment = {"ADBPG_ENDPOINT": endpoint, "ALICLOUD_REGION": "cn-hangzhou"}
    if source == "config":
        config = {
            "adbpg:accessKey": "simulator-key-id",
            "adbpg:secretKey": secret,
            "adbpg:securityToken": TOKEN,
        }
        return {"environment": environment, "config": config}
    environment |= {
        "ALICLOUD_ACCESS_KEY": "simulator-key-id",
        "ALICLOUD_SECRET_KEY": secret,
        "ALICLOUD_SECURITY_TOKEN": TOKEN,
    }
    return {"environment": environment, "config": {}}


class Overheard(DynamicHost):
    """A host of which everything is kept that reaches the engine, but for the API key output."""

    def __init__(self, environment: Mapping[str, str], config: Mapping[str, str]) -> None:
        self.heard: list[str] = []
        self.calls: list[str] = []
        super().__init__({**environment, "DEBUG": "sdk"}, {**CONFIG, **config})

    def create(
        self,
        inputs: Properties,
        provider: str | None = None,
        *,
        urn: str | None = None,
        timeout_s: float = 0.0,
    ) -> Stored:
        request = self._create_request(inputs, provider, urn=urn, timeout_s=timeout_s)
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
            kept = dict(error.stored.outs) if isinstance(error, PartialFailureError) else {}
            kept.pop("api_key", None)  # the engine encrypts this one
            self.heard.append(f"{error} {error!r} {kept!r}")
            raise
        shown = copy.deepcopy(answer)
        if "properties" in shown.DESCRIPTOR.fields_by_name:
            shown.properties.fields.pop("api_key", None)  # as above
        self.heard.append(str(shown))
        return answer


def _values(struct: Any) -> Properties:
    return dict(_decoded(struct))
