"""What an endpoint that is broken, or not ours, may do to a call: nothing but fail it."""

from __future__ import annotations

import gc
import gzip
import json
import re
import socket
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pytest
import requests
from darabonba.core import DaraCore

from pulumi_adbpg_model.errors import (
    AdbpgModelError,
    ApiError,
    ConfigurationError,
    ThrottledError,
    TransportError,
)
from pulumi_adbpg_model.gateway import RetryPolicy
from pulumi_adbpg_model.gateway._transport import MAX_ANSWER_BYTES, GuardedSession, check_sdk
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.raw import RawServer, answer, raw_server
from tests.gateway.support import ACTIONS, INSTANCE, SPEC, add_service, gateway_for
from tests.lifecycle.fakes import FakeClock

_NO_SERVICES = json.dumps({"ModelServices": [], "TotalRecordCount": 0}).encode()
_MIB = 1024 * 1024


def _trouble(
    server: RawServer | Simulator, attempts: int = 1, clock: FakeClock | None = None
) -> str:
    """What the error of a list says between its action and subject and what to check."""
    gateway = gateway_for(server, clock, RetryPolicy(attempts=attempts))
    with pytest.raises(TransportError) as caught:
        gateway.list_model_services(INSTANCE)
    begin = f"ListModelServices of instance {INSTANCE} failed: "
    check = " Check the region, the endpoint, the network and the proxy settings."
    assert str(caught.value).startswith(begin)
    assert str(caught.value).endswith(check)
    told = str(caught.value).removeprefix(begin).removesuffix(check)
    return told.replace(f"127.0.0.1:{server.port}", "HOST")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_gets_no_signed_header(status: int) -> None:
    """The other host sees no request at all; the call fails after its attempts."""
    with raw_server(answer(_NO_SERVICES)) as other:
        elsewhere = f"Location: http://127.0.0.1:{other.port}/"
        with raw_server(answer(b"", elsewhere, status=f"{status} Moved")) as server:
            told = _trouble(server, attempts=3)

    assert other.requests == []
    assert len(server.requests) == 3
    assert told == "HOST answers with a redirect."


@pytest.mark.parametrize("where", ["/moved", "https://gpdb.example/", ""])
def test_a_redirect_is_not_followed_on_the_same_host_either(where: str) -> None:
    """A signature is for one request; wherever the redirect leads, there is no second one."""
    with raw_server(answer(b"", f"Location: {where}", status="307 Temporary Redirect")) as server:
        told = _trouble(server)

    assert len(server.requests) == 1
    assert told == "HOST answers with a redirect."


def test_an_answer_as_large_as_a_full_page_of_services_is_read() -> None:
    """The bound is far above the largest answer there can be: 100 services with 1000 entries."""
    entries = ",".join(f"10.{i // 250}.{i % 250}.24/32" for i in range(1000))
    services = [
        {"ModelServiceId": f"ms-{i}", "SecurityIpList": entries, "Status": "active"}
        for i in range(100)
    ]
    page = json.dumps({"ModelServices": services, "TotalRecordCount": 100}).encode()
    assert 1 * _MIB < len(page) < MAX_ANSWER_BYTES / 4
    with raw_server(answer(page)) as server:
        assert len(gateway_for(server).list_model_services(INSTANCE)) == 100


def _endless(head: str, piece: bytes) -> str:
    """The error about an answer that repeats its piece until the client hangs up; memory is low."""

    def respond(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
        for _ in range(8 * MAX_ANSWER_BYTES // len(piece)):
            connection.sendall(piece)

    with raw_server(respond) as server:
        tracemalloc.start()
        try:
            told = _trouble(server)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 3 * MAX_ANSWER_BYTES
    return told


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (f"Content-Length: {8 * MAX_ANSWER_BYTES}", b" " * _MIB),
        ("Connection: close", b" " * _MIB),
        ("Transfer-Encoding: chunked", b"100000\r\n" + b" " * _MIB + b"\r\n"),
    ],
    ids=["announced", "without a length", "chunked"],
)
def test_an_answer_without_end_is_given_up(head: str, piece: bytes) -> None:
    """However the length is told, reading stops at the bound and holds no more than that."""
    assert _endless(head, piece) == "the answer of HOST is larger than 16 MB."


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip"])
def test_the_bound_is_on_what_a_compressed_answer_becomes(coding: str) -> None:
    """A few bytes that unpack to far more than the bound are not unpacked to the end."""
    bomb = b" " * (8 * MAX_ANSWER_BYTES)
    for layer in coding.split(", "):
        bomb = (gzip.compress if layer == "gzip" else zlib.compress)(bomb)
    assert len(bomb) < MAX_ANSWER_BYTES / 50
    with raw_server(answer(bomb, f"Content-Encoding: {coding}")) as server:
        tracemalloc.start()
        try:
            told = _trouble(server)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert told == "the answer of HOST is larger than 16 MB."
    assert peak < 3 * MAX_ANSWER_BYTES


def test_a_compressed_answer_is_read() -> None:
    """Nobody asks for compression, but it may come."""
    with raw_server(answer(gzip.compress(_NO_SERVICES), "Content-Encoding: gzip")) as server:
        assert gateway_for(server).list_model_services(INSTANCE) == []


@pytest.mark.parametrize(
    "respond",
    [
        answer(_NO_SERVICES, f"Content-Length: {len(_NO_SERVICES) - 1}"),
        answer(gzip.compress(_NO_SERVICES)[:20], "Content-Encoding: gzip"),
        answer(b"not gzip", "Content-Encoding: gzip"),
        answer(b"x\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    ],
    ids=["too short", "cut gzip", "no gzip", "no chunk"],
)
def test_an_answer_that_contradicts_its_headers_is_an_error_of_ours(respond: object) -> None:
    """Lies about length, coding and chunks end in one clear line."""
    with raw_server(respond) as server:  # type: ignore[arg-type]
        told = _trouble(server)
    assert told in ("the connection to HOST broke.", "the answer of HOST is not JSON.")


def test_an_answer_that_drips_is_given_up_after_three_read_timeouts() -> None:
    """Each byte comes in time, the end does not: 30 s after it was sent the call is over."""
    clock = FakeClock()
    text = b"{" + b" " * 1000 + b"}"

    def drip(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n".encode())
        for byte in text:
            clock.advance(1)
            connection.sendall(bytes([byte]))

    with raw_server(drip) as server:
        told = _trouble(server, clock=clock)

    assert told == "HOST does not finish its answer in time."


def test_calls_share_a_connection(simulator: Simulator) -> None:
    """Reading with care does not cost a connection for each call."""
    with raw_server(answer(_NO_SERVICES)) as server:
        gateway = gateway_for(server)
        for _ in range(5):
            gateway.list_model_services(INSTANCE)
    assert (len(server.requests), len(server.connections)) == (5, 1)


def test_every_action_goes_through_the_same_transport(simulator: Simulator) -> None:
    """The cloud SDK's own sessions, shared by the whole process, are not used by any action."""
    service = add_service(simulator)
    before = set(DaraCore._sessions)
    gateway = gateway_for(simulator)
    for name in sorted(ACTIONS, key=lambda action: action.startswith("Delete")):
        ACTIONS[name](gateway, service)
    (used,) = [found for key, found in DaraCore._sessions.items() if key not in before]
    assert isinstance(used, GuardedSession)


def test_no_proxy_sees_a_request_in_clear(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain http is for loopback; a proxy on the network would get the signed headers."""
    with raw_server(answer(_NO_SERVICES)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        gateway_for(simulator).list_model_services(INSTANCE)
    assert proxy.requests == []
    assert len(simulator.requests) == 1


def test_cookies_are_not_sent_back() -> None:
    """Calls have nothing in common but the key."""
    with raw_server(answer(_NO_SERVICES, "Set-Cookie: seen=before; Path=/")) as server:
        gateway = gateway_for(server)
        gateway.list_model_services(INSTANCE)
        gateway.list_model_services(INSTANCE)
    assert len(server.requests) == 2
    assert [request for request in server.requests if "cookie" in request.lower()] == []


class _Fallback:
    """Sends in the SDK's own way what the session that it was given did not send."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        try:
            answer: requests.Response = self._given.send(request, **options)
        except Exception:  # noqa: BLE001 - whatever it was
            answer = requests.Session().send(request, **options)
        return answer


@pytest.fixture
def unchecked() -> Iterator[None]:
    """The SDK is looked at anew, now and when the test is over."""
    check_sdk.cache_clear()
    yield
    check_sdk.cache_clear()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("way", ["elsewhere", "nowhere", "falls back"])
def test_no_call_is_made_with_an_sdk_that_sends_another_way(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A later SDK may do so: the first call finds out, and says which version to install."""
    found = DaraCore._get_session
    others: dict[str, Callable[..., object]] = {
        "elsewhere": lambda **_: requests.Session(),
        "nowhere": lambda **_: requests.Session(),
        "falls back": lambda **asked: _Fallback(found(**asked)),
    }
    monkeypatch.setattr(DaraCore, "_get_session", staticmethod(others[way]))
    if way == "nowhere":
        monkeypatch.delattr(DaraCore, "_sessions")

    with raw_server(answer(_NO_SERVICES)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(ConfigurationError) as caught:
            gateway_for(simulator).list_model_services(INSTANCE)

    assert str(caught.value) == (
        f"darabonba-core {version('darabonba-core')} is not supported: what it sends cannot be "
        "secured, so nothing is sent. Install darabonba-core 1.0.9, or a newer pulumi-adbpg-model."
    )
    assert simulator.requests == []
    assert proxy.requests == []


@pytest.mark.parametrize("how", ["forgotten", "all forgotten", "replaced"])
def test_a_session_that_the_sdk_forgets_is_given_to_it_again(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Whoever clears the SDK's sessions between two calls: the next one is guarded as well."""
    monkeypatch.setattr(DaraCore, "_sessions", before := dict(DaraCore._sessions))
    with raw_server(answer(_NO_SERVICES)) as other:
        elsewhere = f"Location: http://127.0.0.1:{other.port}/"
        with raw_server(answer(b"", elsewhere, status="307 Moved")) as server:
            gateway = gateway_for(server, policy=RetryPolicy(attempts=1))
            for _ in range(2):
                with pytest.raises(TransportError, match="answers with a redirect"):
                    gateway.list_model_services(INSTANCE)
                if how == "forgotten":
                    del before[next(key for key in before if f":{server.port}:" in key)]
                elif how == "all forgotten":
                    before.clear()
                else:
                    monkeypatch.setattr(DaraCore, "_sessions", {})
    assert len(server.requests) == 2
    assert other.requests == []


def test_the_sdk_in_use_sends_through_our_session() -> None:
    """The check passes, and leaves nothing behind."""
    before = dict(DaraCore._sessions)
    check_sdk.__wrapped__(DaraCore)
    assert before == DaraCore._sessions


def test_the_sdk_forgets_the_session_of_a_gateway_that_is_gone(simulator: Simulator) -> None:
    """Each gateway has a session of its own, which goes with it."""
    before = set(DaraCore._sessions)
    gateway = gateway_for(simulator)
    gateway.list_model_services(INSTANCE)
    (added,) = set(DaraCore._sessions) - before
    assert isinstance(DaraCore._sessions[added], GuardedSession)
    del gateway
    gc.collect()
    assert added not in DaraCore._sessions


_PAGE = b"<html><head><title>413 Request Entity Too Large</title></head><body>nginx</body></html>"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 414, 431])
@pytest.mark.parametrize("page", [_PAGE, b"", b"Request-URI Too Large"])
def test_what_a_server_before_the_api_refuses_is_not_repeated(status: int, page: bytes) -> None:
    """Its status and the size of the request are told; it proves nothing, and no key is blamed."""
    with raw_server(answer(page, status=f"{status} No")) as server:
        clock = FakeClock()
        gateway = gateway_for(server, clock)
        with pytest.raises(ApiError) as caught:
            gateway.create_model_service(SPEC, "token-1")
        assert len(server.requests) == 1
    assert clock.sleeps == []
    assert type(caught.value) is ApiError
    assert not caught.value.in_doubt
    told = re.fullmatch(
        r"CreateModelService in instance gp-demo failed: an HTTP server or proxy on the way to "
        rf"127\.0\.0\.1:\d+ refuses the request of ([\d,]+) bytes \(status={status}\)\. (.+)",
        str(caught.value),
    )
    assert told is not None
    assert 500 < int(told[1].replace(",", "")) < 2000
    assert told[2].startswith("Shorten" if status in (413, 414, 431) else "Check the region")


@pytest.mark.parametrize(("status", "kind"), [(429, ThrottledError), (408, TransportError)])
def test_what_a_server_before_the_api_asks_to_wait_for_is_repeated(
    status: int, kind: type[AdbpgModelError]
) -> None:
    """Too many requests, or one that came too slowly, may go better later."""
    with raw_server(answer(_PAGE, status=f"{status} Later")) as server:
        with pytest.raises(kind):
            gateway_for(server, policy=RetryPolicy(attempts=3)).list_model_services(INSTANCE)
        assert len(server.requests) == 3
