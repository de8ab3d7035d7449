"""Real clients for the simulator: the vendor's SDK, and plain HTTP with its signature."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
import requests
from alibabacloud_gpdb20160503 import models
from alibabacloud_gpdb20160503.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from pulumi_adbpg_model.testing import Simulator


class FakeClock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def _wire(response: Any) -> dict[str, Any]:
    """The answer as it came, by the names of the wire."""
    answer: dict[str, Any] = response.body.to_map()
    return answer


class Sdk:
    """The seven actions through the official client; answers as wire dictionaries."""

    def __init__(self, simulator: Simulator, instance: str = "gp-demo", **config: Any) -> None:
        settings: dict[str, Any] = {
            "endpoint": f"127.0.0.1:{simulator.port}",
            "protocol": "http",
            "region_id": "cn-hangzhou",
            "access_key_id": "simulator-key-id",
            "access_key_secret": "simulator-key-secret",
            "read_timeout": 5000,
        }
        self.client = Client(Config(**{**settings, **config}))
        self.instance = instance

    def create(self, *nodes: str, **fields: Any) -> str:
        request = models.CreateModelServiceRequest(
            **{
                "dbinstance_id": self.instance,
                "model_name": "Qwen3-Embedding-8B",
                "ai_nodes": list(nodes) or ["ai-1"],
                **fields,
            }
        )
        service_id: str = self.client.create_model_service(request).body.model_service_id
        return service_id

    def describe(self, service_id: str) -> dict[str, Any]:
        request = models.DescribeModelServiceRequest(
            dbinstance_id=self.instance, model_service_id=service_id
        )
        return _wire(self.client.describe_model_service(request))

    def delete(self, service_id: str) -> dict[str, Any]:
        request = models.DeleteModelServiceRequest(
            dbinstance_id=self.instance, model_service_id=service_id
        )
        return _wire(self.client.delete_model_service(request))

    def list(self, **fields: Any) -> dict[str, Any]:
        request = models.ListModelServicesRequest(dbinstance_id=self.instance, **fields)
        return _wire(self.client.list_model_services(request))

    def models(self) -> dict[str, Any]:
        request = models.ListSupportModelsRequest(region_id="cn-hangzhou")
        return _wire(self.client.list_support_models(request))

    def pools(self) -> dict[str, Any]:
        request = models.ListAINodePoolsRequest(dbinstance_id=self.instance)
        return _wire(self.client.list_ainode_pools(request))

    def bound_nodes(self) -> Sequence[str]:
        nodes = self.pools()["AINodePoolInfos"][0]["AINodeInfos"]
        return [node["NodeName"] for node in nodes if node["BindStatus"] == "bound"]

    def modify(self, addresses: str, group: str | None = None, **fields: Any) -> dict[str, Any]:
        request = models.ModifySecurityIpsRequest(
            dbinstance_id=self.instance,
            security_iplist=addresses,
            dbinstance_iparray_name=group,
            **fields,
        )
        return _wire(self.client.modify_security_ips(request))


@dataclass
class Raw:
    """Signed HTTP by hand, so that every part of a request can be spoilt."""

    simulator: Simulator
    key_id: str = "simulator-key-id"
    key_secret: str = "simulator-key-secret"
    headers: dict[str, str | None] = field(default_factory=dict)

    def call(
        self,
        action: str,
        query: dict[str, str] | None = None,
        *,
        body: str = "",
        sent_body: str | None = None,
        method: str = "POST",
        late_headers: dict[str, str | None] | None = None,
        timeout: float = 5.0,
        stream: bool = False,
    ) -> requests.Response:
        """Sign and send; `late_headers` and `sent_body` replace parts after signing."""
        host = f"127.0.0.1:{self.simulator.port}"
        digest = hashlib.sha256(body.encode()).hexdigest()
        headers: dict[str, str | None] = {
            "host": host,
            "x-acs-action": action,
            "x-acs-version": "2016-05-03",
            "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-content-sha256": digest,
            **({"content-type": "application/x-www-form-urlencoded"} if body else {}),
            **self.headers,
        }
        headers = {name: value for name, value in headers.items() if value is not None}
        request = DaraRequest()
        request.method, request.pathname = method, "/"
        request.query, request.headers = query or {}, headers
        headers["Authorization"] = Utils.get_authorization(
            request, "ACS3-HMAC-SHA256", digest, self.key_id, self.key_secret
        )
        final = {**headers, **(late_headers or {})}
        return requests.request(
            method,
            f"http://{host}/",
            params=query,
            data=(body if sent_body is None else sent_body) or None,
            headers={name: value for name, value in final.items() if value is not None},
            timeout=timeout,
            stream=stream,
        )

    def refused(
        self, action: str, query: dict[str, str] | None = None, **kw: Any
    ) -> tuple[int, str]:
        """Send and return (status, code) of the refusal."""
        response = self.call(action, query, **kw)
        return response.status_code, response.json()["Code"]


@dataclass
class Refusal:
    """What a refused SDK call says."""

    status: int = 0
    code: str = ""
    message: str = ""

    @property
    def pair(self) -> tuple[int, str]:
        return self.status, self.code


def refusal(call: Callable[..., Any], *args: Any, **fields: Any) -> Refusal:
    """Call and return the refusal, which must come."""
    with pytest.raises(AlibabaCloudException) as caught:
        call(*args, **fields)
    error = caught.value
    return Refusal(error.status_code, error.code, str(error.message))


Start: TypeAlias = Callable[..., Simulator]
"""The fixture `start`: takes the options of Simulator."""

Refuse: TypeAlias = Callable[..., Refusal]
"""The fixture `refusal`: takes a call and its arguments."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK would send even loopback calls to a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def start(clock: FakeClock) -> Iterator[Start]:
    """A factory of running simulators on the fake clock."""
    running: list[Simulator] = []

    def make(**options: Any) -> Simulator:
        simulator = Simulator(**{"clock": clock, **options}).start()
        running.append(simulator)
        return simulator

    yield make
    for simulator in running:
        simulator.stop()


@pytest.fixture
def simulator(start: Start) -> Simulator:
    return start()


@pytest.fixture
def sdk(simulator: Simulator) -> Sdk:
    return Sdk(simulator)


@pytest.fixture
def raw(simulator: Simulator) -> Raw:
    return Raw(simulator)


@pytest.fixture
def connect() -> type[Sdk]:
    """The SDK driver, for simulators that a test starts itself."""
    return Sdk


@pytest.fixture
def connect_raw() -> type[Raw]:
    """The plain driver, for simulators that a test starts itself."""
    return Raw


@pytest.fixture(name="refusal")
def _refusal() -> Refuse:
    return refusal
