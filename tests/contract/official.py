"""The official generated client, pointed at a simulated cloud, and requests made comparable."""

from __future__ import annotations

import contextlib
from typing import Any

from alibabacloud_gpdb20160503 import models
from alibabacloud_gpdb20160503.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config

from pulumi_adbpg_model.errors import ApiError
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Endpoint, Settings
from pulumi_adbpg_model.settings.identity import StaticKey
from pulumi_adbpg_model.testing import RecordedRequest, Simulator
from tests.lifecycle.fakes import FakeClock

#: What differs from one request to the next, and who sent it.
_OWN = ("x-acs-date", "x-acs-signature-nonce", "user-agent", "authorization")


def official(simulator: Simulator, token: str | None = None) -> Client:
    """The client as its own documentation sets it up."""
    return Client(
        Config(
            endpoint=f"127.0.0.1:{simulator.port}",
            protocol="http",
            region_id="cn-hangzhou",
            access_key_id="simulator-key-id",
            access_key_secret="simulator-key-secret",
            security_token=token,
        )
    )


def ours(simulator: Simulator, token: str | None = None) -> Gateway:
    """Our gateway with the same settings."""
    key = StaticKey("these tests", "simulator-key-id", "simulator-key-secret", token)
    endpoint = Endpoint(f"127.0.0.1:{simulator.port}", "http")
    return Gateway(Settings("cn-hangzhou", endpoint, key), FakeClock())


def send_official(client: Client, method: str, **fields: Any) -> None:
    """Call a method of the official client; a refusal is as good as an answer."""
    names = {
        "create_model_service": models.CreateModelServiceRequest,
        "describe_model_service": models.DescribeModelServiceRequest,
        "delete_model_service": models.DeleteModelServiceRequest,
        "list_model_services": models.ListModelServicesRequest,
        "list_ainode_pools": models.ListAINodePoolsRequest,
        "list_support_models": models.ListSupportModelsRequest,
        "modify_security_ips": models.ModifySecurityIpsRequest,
    }
    with contextlib.suppress(AlibabaCloudException):
        getattr(client, method)(names[method](**fields))


def send_ours(gateway: Gateway, method: str, *arguments: object) -> None:
    """Call a method of the gateway; a refusal is as good as an answer."""
    with contextlib.suppress(ApiError):
        getattr(gateway, method)(*arguments)


def comparable(request: RecordedRequest) -> dict[str, object]:
    """All of a request that must be equal: the signature itself is checked by the simulator."""
    assert request.response_code != "SignatureDoesNotMatch"
    signed, _, _ = request.headers["authorization"].partition(",Signature=")
    return {
        "action": request.action,
        "query": dict(request.query),
        "body": dict(request.body),
        "headers": {n: text for n, text in request.headers.items() if n not in _OWN},
        "names of headers": sorted(request.headers),
        "algorithm, key and signed headers": signed,
    }
