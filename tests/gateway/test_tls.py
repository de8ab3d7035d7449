"""TLS is always verified: nothing that can be set makes a call go out to somebody unproven."""

from __future__ import annotations

import json
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from alibabacloud_gpdb20160503 import models
from alibabacloud_gpdb20160503.client import Client as OfficialClient
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions
from requests.adapters import HTTPAdapter

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import TransportError
from pulumi_adbpg_model.gateway import Gateway, RetryPolicy
from pulumi_adbpg_model.settings import Settings
from tests.gateway.raw import RawServer, answer, certificate, raw_server
from tests.gateway.support import ACTIONS, INSTANCE
from tests.lifecycle.fakes import FakeClock

_EMPTY = {"ModelServices": [], "TotalRecordCount": 0}
_RESPOND = answer(json.dumps(_EMPTY).encode())
_KEY = {"ALICLOUD_ACCESS_KEY": "simulator-key-id", "ALICLOUD_SECRET_KEY": "simulator-key-secret"}


def _gateway(port: int, host: str = "127.0.0.1", **config: str) -> Gateway:
    """A gateway whose settings come from config and environment, as a user gives them."""
    given = {"adbpg:endpoint": f"https://{host}:{port}"} | {
        f"adbpg:{name}": value for name, value in config.items()
    }
    settings = Settings.resolve(given.get, _KEY, "cn-hangzhou")
    return Gateway(settings, FakeClock(), RetryPolicy(attempts=1))


def _refusal(gateway: Gateway) -> str:
    with pytest.raises(TransportError) as caught:
        gateway.list_model_services(INSTANCE)
    return str(caught.value)


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[RawServer]:
    """A server that answers well, behind a certificate that nobody vouches for."""
    context, _ = certificate(tmp_path, "127.0.0.1")
    with raw_server(_RESPOND, context) as running:
        yield running


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"PYTHONHTTPSVERIFY": "0"},
        {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": ""},
        {"REQUESTS_CA_BUNDLE": "false", "CURL_CA_BUNDLE": "false"},
        {"GIT_SSL_NO_VERIFY": "true", "NODE_TLS_REJECT_UNAUTHORIZED": "0"},
        {"DEBUG": "sdk"},
    ],
    ids=lambda environment: "+".join(environment) or "nothing",
)
def test_no_variable_turns_verification_off(
    impostor: RawServer, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """The handshake is refused, so no request, and with it no signature, is ever sent."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    told = _refusal(_gateway(impostor.port))

    assert told == (
        f"ListModelServices of instance gp-demo failed: the TLS connection to 127.0.0.1:"
        f"{impostor.port} is not trusted. Check the region, the endpoint, the network and the "
        "proxy settings."
    )
    assert len(impostor.connections) == 1
    assert impostor.requests == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ignoreSsl", "true"),
        ("ignoreSSL", "true"),
        ("ignore_ssl", "true"),
        ("insecure", "true"),
        ("skipTlsVerify", "true"),
        ("insecureSkipVerify", "true"),
        ("tlsMinVersion", "TLSv1"),
    ],
)
def test_no_config_turns_verification_off(impostor: RawServer, name: str, value: str) -> None:
    """There is no such setting, under whatever name other tools have it."""
    assert "is not trusted" in _refusal(_gateway(impostor.port, **{name: value}))
    assert impostor.requests == []


@pytest.mark.parametrize("action", ACTIONS)
def test_no_action_is_sent_to_an_impostor(impostor: RawServer, action: str) -> None:
    """Every action goes over the verified transport."""
    with pytest.raises(TransportError, match="is not trusted"):
        ACTIONS[action](_gateway(impostor.port), ModelServiceId(INSTANCE, "ms-1"))
    assert impostor.requests == []


def test_a_session_that_another_user_of_the_sdk_left_unverified_is_not_used(
    impostor: RawServer,
) -> None:
    """The SDK shares its sessions with the whole process, whoever opened them and however."""
    config = Config(
        endpoint=f"127.0.0.1:{impostor.port}",
        protocol="https",
        access_key_id="neighbour-id",
        access_key_secret="neighbour-secret",
    )
    asked = models.ListModelServicesRequest(dbinstance_id=INSTANCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is unverified is the neighbour's wish
        OfficialClient(config).list_model_services_with_options(
            asked, RuntimeOptions(ignore_ssl=True)
        )
    assert len(impostor.requests) == 1

    assert "is not trusted" in _refusal(_gateway(impostor.port))
    assert len(impostor.requests) == 1


def test_a_neighbour_that_changes_defaults_does_not_change_ours(
    impostor: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other dynamic resources run in the same process and may do what they like to theirs."""
    monkeypatch.setattr(ssl, "_create_default_https_context", ssl._create_unverified_context)
    session = requests.Session()
    session.verify = False
    assert "is not trusted" in _refusal(_gateway(impostor.port))
    assert impostor.requests == []


@pytest.mark.parametrize("verify", [False, "{tmp_path}/certificate.pem"])
def test_a_neighbour_that_turns_verification_off_for_all_is_not_heeded(
    impostor: RawServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verify: object
) -> None:
    """As answers on the web have it: in the adapter, under every session of the process."""
    send = HTTPAdapter.send
    trusted = verify and str(verify).format(tmp_path=tmp_path)

    def patched(self: HTTPAdapter, *args: Any, **options: Any) -> Any:
        return send(self, *args, **{**options, "verify": trusted})

    monkeypatch.setattr(HTTPAdapter, "send", patched)
    assert "is not trusted" in _refusal(_gateway(impostor.port))
    assert impostor.requests == []


def test_a_certificate_authority_of_ones_own_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE adds one, as it does for every program that uses OpenSSL."""
    context, public = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    with raw_server(_RESPOND, context) as server:
        assert _gateway(server.port).list_model_services(INSTANCE) == []
    assert "\nAuthorization: ACS3-HMAC-SHA256 Credential=simulator-key-id," in server.requests[0]


@pytest.mark.parametrize(
    ("name", "days"), [("gpdb.example", 1), ("127.0.0.2", 1), ("127.0.0.1", -1)]
)
def test_a_trusted_certificate_must_also_be_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, days: int
) -> None:
    """It is refused when it is for another host, or has expired."""
    context, public = certificate(tmp_path, name, days=days)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    with raw_server(_RESPOND, context) as server:
        assert "is not trusted" in _refusal(_gateway(server.port))
    assert server.requests == []


def test_a_proxy_that_poses_as_the_cloud_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a proxy too, the certificate that counts is the cloud's."""
    context, _ = certificate(tmp_path, "gpdb.example")

    def connected(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            seen.append(inside.recv(10))

    seen: list[bytes] = []
    with raw_server(connected) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        told = _refusal(_gateway(443, "gpdb.example"))
    assert "the TLS connection to gpdb.example:443 is not trusted" in told
    lines = [request.split("\n")[0].rpartition(" ")[0] for request in proxy.requests]
    assert lines == ["CONNECT gpdb.example:443"]
    assert "authorization" not in "\n".join(proxy.requests).lower()
    assert seen == []


def test_no_proxy_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that the user excepts is called directly."""
    context, public = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    with raw_server(_RESPOND, context) as server, raw_server(_RESPOND) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert _gateway(server.port).list_model_services(INSTANCE) == []
    assert (len(server.requests), len(proxy.requests)) == (1, 0)
