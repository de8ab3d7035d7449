"""What an endpoint that is broken, or not ours, may do to a call: nothing but fail it."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import subprocess
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import pytest
from alibabacloud_gpdb20160503.client import Client as OfficialClient
from alibabacloud_tea_openapi import client as openapi
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.core import DaraCore

from pulumi_adbpg_model.errors import (
    AdbpgModelError,
    ApiError,
    ConfigurationError,
    ThrottledError,
    TransportError,
)
from pulumi_adbpg_model.gateway import RetryPolicy, _client
from pulumi_adbpg_model.gateway._transport import MAX_ANSWER_BYTES
from pulumi_adbpg_model.testing import Simulator
from tests.contract.official import official, send_official
from tests.gateway.raw import RawServer, answer, raw_server
from tests.gateway.support import ACTIONS, INSTANCE, SPEC, add_service, gateway_for
from tests.lifecycle.fakes import FakeClock

_NO_SERVICES = json.dumps({"ModelServices": [], "TotalRecordCount": 0}).encode()
_MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _fresh_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK keeps its sessions by port, and an earlier test may have had the same one."""
    monkeypatch.setattr(DaraCore, "_sessions", {})


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
    bomb = b" " * (4 * MAX_ANSWER_BYTES)
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


def test_no_action_goes_through_a_session_of_the_sdk(simulator: Simulator) -> None:
    """Those are shared by the whole process."""
    before = dict(DaraCore._sessions)  # first: what makes the service is a call, too
    service = add_service(simulator)
    gateway = gateway_for(simulator)
    for name in sorted(ACTIONS, key=lambda action: action.startswith("Delete")):
        ACTIONS[name](gateway, service)
    assert len(simulator.requests) == len(ACTIONS)
    assert before == DaraCore._sessions


def test_a_neighbour_keeps_the_sessions_of_the_sdk(simulator: Simulator) -> None:
    """Whoever else uses the SDK in this process: between our calls, and meanwhile."""
    before = set(DaraCore._sessions)
    gateway_for(simulator).list_model_services(INSTANCE)
    send_official(official(simulator), "list_model_services", dbinstance_id=INSTANCE)
    (added,) = set(DaraCore._sessions) - before
    assert added.startswith(f"http://127.0.0.1:{simulator.port}:")
    assert len(simulator.requests) == 2


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


class _FallingBack(DaraCore):  # type: ignore[misc]
    """Sends in the SDK's own way what did not go well in ours."""

    @staticmethod
    def do_action(*arguments: Any) -> Any:
        try:
            return _client._GuardedCore.do_action(*arguments)
        except Exception:  # noqa: BLE001 - whatever it was
            return DaraCore.do_action(*arguments)


class _Twice(DaraCore):  # type: ignore[misc]
    """Sends once more what went well."""

    @staticmethod
    def do_action(*arguments: Any) -> Any:
        _client._GuardedCore.do_action(*arguments)
        return _client._GuardedCore.do_action(*arguments)


class _FromAThread(DaraCore):  # type: ignore[misc]
    """Has a thread of its own send."""

    @staticmethod
    def do_action(*arguments: Any) -> Any:
        with ThreadPoolExecutor() as pool:
            return pool.submit(_client._GuardedCore.do_action, *arguments).result()


class _ByEvents(DaraCore):  # type: ignore[misc]
    """Sends by the method that is for streams of events."""

    do_action = DaraCore.do_sse_action


class _InALoop(DaraCore):  # type: ignore[misc]
    """Sends by the method that is for asyncio, which has another library under it."""

    @staticmethod
    def do_action(*arguments: Any) -> Any:
        return asyncio.run(DaraCore.async_do_action(*arguments))


class _WithMore(DaraCore):  # type: ignore[misc]
    """Hands its sender more than that knows of."""

    @staticmethod
    def do_action(*arguments: Any) -> Any:
        return DaraCore.do_action(*arguments, None)


class _WithoutSender(DaraCore):  # type: ignore[misc]
    """Has no method of that name."""

    do_action = None


class _ByItsOwnProtocol(DaraCore):  # type: ignore[misc]
    """Does not care what it is told to send by."""

    @staticmethod
    def do_action(request: Any, *arguments: Any) -> Any:
        request.protocol = "http"
        return DaraCore.do_action(request, *arguments)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    """One that the SDK's own sessions would send through."""
    with raw_server(answer(_NO_SERVICES)) as running:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{running.port}")
        yield running


_UNSUPPORTED = (
    f"alibabacloud-tea-openapi {version('alibabacloud-tea-openapi')} with darabonba-core "
    f"{version('darabonba-core')} is not supported: what it sends cannot be secured, so nothing is "
    "sent. Install alibabacloud-tea-openapi 0.4.6 with darabonba-core 1.0.9, or a newer "
    "pulumi-adbpg-model."
)


@pytest.mark.parametrize("action", ["CreateModelService", "ListModelServices"])
@pytest.mark.parametrize(
    "sdk", [DaraCore, _FromAThread, _ByEvents, _InALoop, _WithMore, _WithoutSender]
)
def test_nothing_is_sent_with_an_sdk_that_sends_another_way(
    simulator: Simulator, proxy: RawServer, monkeypatch: pytest.MonkeyPatch, sdk: type, action: str
) -> None:
    """As a later SDK may: the first call does not get out, and says which versions to install."""
    service = add_service(simulator)
    monkeypatch.setattr(openapi, "DaraCore", sdk)
    with pytest.raises(ConfigurationError) as caught:
        ACTIONS[action](gateway_for(simulator), service)
    assert str(caught.value) == _UNSUPPORTED
    assert (simulator.requests, proxy.requests) == ([], [])


def test_no_second_call_is_made_with_an_sdk_that_sends_by_a_protocol_of_its_own(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two things have to change for the first one to get out."""
    monkeypatch.setattr(openapi, "DaraCore", _ByItsOwnProtocol)
    with pytest.raises(ConfigurationError, match="is not supported"):
        gateway_for(simulator).list_model_services(INSTANCE)
    assert len(simulator.requests) == 1


def test_what_no_request_can_hold_is_not_blamed_on_the_sdk(simulator: Simulator) -> None:
    """Half a sign, as of a name on the command line that is not UTF-8."""
    with pytest.raises(TransportError):
        gateway_for(simulator).list_model_services("gp-\udcff")
    assert simulator.requests == []


def test_what_our_session_refuses_no_other_one_sends(
    proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An SDK that tries again in its own way does not get out."""
    monkeypatch.setattr(openapi, "DaraCore", _FallingBack)
    with raw_server(answer(b"", "Location: /", status="307 Moved")) as server:
        _trouble(server)
    assert (len(server.requests), proxy.requests) == (1, [])


def test_a_call_is_sent_once(
    simulator: Simulator, proxy: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK does not repeat it: whether that may be, we know."""
    monkeypatch.setattr(openapi, "DaraCore", _Twice)
    with pytest.raises(TransportError):
        gateway_for(simulator, policy=RetryPolicy(attempts=1)).list_model_services(INSTANCE)
    assert (len(simulator.requests), proxy.requests) == (1, [])


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, ValueError])
def test_a_call_that_breaks_off_leaves_the_thread_to_its_neighbour(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """Before it is sent: what the SDK sends next in this thread goes by its own session."""

    class Breaking(DaraCore):  # type: ignore[misc]
        @staticmethod
        def do_action(*_: Any) -> Any:
            raise error

    with monkeypatch.context() as patch:
        patch.setattr(openapi, "DaraCore", Breaking)
        with pytest.raises((error, ConfigurationError)):
            gateway_for(simulator).list_model_services(INSTANCE)
    assert simulator.requests == []
    before = set(DaraCore._sessions)
    send_official(official(simulator), "list_model_services", dbinstance_id=INSTANCE)
    assert len(set(DaraCore._sessions) - before) == 1
    gateway_for(simulator).list_model_services(INSTANCE)
    assert len(simulator.requests) == 2


def _neighbour(port: int) -> OfficialClient:
    return OfficialClient(
        Config(
            endpoint=f"127.0.0.1:{port}",
            protocol="http",
            access_key_id="neighbour-id",
            access_key_secret="neighbour-secret",
        )
    )


def test_neighbours_in_other_threads_and_we_keep_our_own_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All at once, each call under way while one of the others is, with a hook of theirs in it."""
    both = threading.Barrier(2)

    def respond(connection: socket.socket) -> None:
        both.wait(timeout=30)
        answer(_NO_SERVICES)(connection)

    class Hooked(openapi.DaraCore):  # type: ignore[misc]
        """What tracing puts around the sender."""

        @staticmethod
        def do_action(*arguments: Any) -> Any:
            hooked.append(threading.get_ident())
            return _client._GuardedCore.do_action(*arguments)

    hooked: list[int] = []
    monkeypatch.setattr(openapi, "DaraCore", Hooked)
    before = set(DaraCore._sessions)
    with raw_server(respond) as mine, raw_server(respond) as theirs:
        gateway, other = gateway_for(mine), _neighbour(theirs.port)

        def call_theirs() -> None:
            for _ in range(20):
                send_official(other, "list_model_services", dbinstance_id=INSTANCE)

        with ThreadPoolExecutor() as pool:
            running = pool.submit(call_theirs)
            for _ in range(20):
                assert gateway.list_model_services(INSTANCE) == []
            running.result()
    assert ["simulator-key-id" in request for request in mine.requests] == [True] * 20
    assert ["neighbour-id" in request for request in theirs.requests] == [True] * 20
    assert {f":{theirs.port}:" in key for key in set(DaraCore._sessions) - before} == {True}
    assert len(hooked) == 40


_CHANGED = """
from alibabacloud_tea_openapi import client as openapi
from darabonba.core import DaraCore

class Theirs(DaraCore):
    @staticmethod
    def do_action(*arguments):
        print("theirs")
        return DaraCore.do_action(*arguments)

{before}
import importlib
from pulumi_adbpg_model.testing import Simulator
from tests.contract.official import official, send_official
from tests.gateway.support import gateway_for
{after}
with Simulator() as simulator:
    try:
        gateway_for(simulator).list_model_services("gp-demo")
    except Exception as error:
        print(type(error).__name__)
    print(len(simulator.requests))
    send_official(official(simulator), "list_model_services", dbinstance_id="gp-demo")
    print(len(simulator.requests), len(DaraCore._sessions))
"""


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("openapi.DaraCore = Theirs", "", ["1", "theirs", "2", "1"]),
        ("", "del DaraCore.do_action", ["1"]),
        ("", "importlib.reload(openapi)", ["ConfigurationError", "0", "1", "2"]),
        ("del openapi.DaraCore", "", []),
    ],
    ids=["patched before", "without its sender", "loaded again", "without its class"],
)
def test_what_a_neighbour_does_to_the_sdk_is_for_itself(
    before: str, after: str, told: list[str]
) -> None:
    """
    Before or after this package is loaded: ours goes by our session, or not at all.

    Told are the requests after our call, and after the neighbour's with its sessions of the SDK.
    """
    script = _CHANGED.format(before=before, after=after)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == told


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
