"""
The session under the official client, with what the SDK's own sessions leave open closed.

Those follow redirects with the signed headers, read answers of any size, and belong to the whole
process, so that a neighbour may have turned verification off. None of it can be configured: the SDK
is given a session of our own. If it does not use that one, no call is made.
"""

from __future__ import annotations

import io
import itertools
import logging
import ssl
import threading
import weakref
from contextlib import closing
from functools import cache
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.core import DaraCore
from darabonba.request import DaraRequest
from darabonba.runtime import RuntimeOptions
from requests import PreparedRequest, Response, adapters, exceptions
from requests.utils import get_environ_proxies
from urllib3 import exceptions as urllib3_exceptions

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import ConfigurationError

__all__ = [
    "MAX_ANSWER_BYTES",
    "AnswerTooLarge",
    "AnswerTooSlow",
    "FrontEndRefused",
    "GuardedSession",
    "Place",
    "ProxyUnusable",
    "RedirectRefused",
    "check_sdk",
    "place_for",
    "rpc_params",
    "transport_reason",
]

#: A page of 100 services with 1000 whitelist entries each is about 2 MB.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
#: Small, because compressed bytes may become a thousand times as many.
_PIECE_BYTES = 16 * 1024
_CONNECT_TIMEOUT_S = 5.0
#: An answer must be complete within so many read timeouts; each read has only one of them.
_READ_TIMEOUTS = 3
_POOL_SIZE = 64
#: The first version that keeps apart what has different pool sizes.
_SUPPORTED = "1.0.9"
#: Where nothing listens.
_NOWHERE = "127.0.0.1:9"


class RedirectRefused(exceptions.RequestException):
    """The answer is a redirect. The signature is for nobody else, so it is not followed."""


class AnswerTooLarge(exceptions.RequestException):
    """The answer goes on beyond `MAX_ANSWER_BYTES`; the rest was not read."""


class AnswerTooSlow(exceptions.RequestException):
    """The answer keeps coming, but does not end in time."""


class FrontEndRefused(exceptions.RequestException):
    """Something before the API refuses the request: an answer that is not in the API's words."""

    def __init__(self, status: int, sent_bytes: int) -> None:
        super().__init__()
        self.status = status
        self.sent_bytes = sent_bytes


class ProxyUnusable(exceptions.RequestException):
    """What the environment names as a proxy is none. Its address may hold a password."""


class _Sending(threading.local):
    now = False


_sending = _Sending()


class _Quiet(logging.Filter):
    """Lets the HTTP library log nothing of what is sent here: each URL has all parameters in it."""

    def filter(self, _record: logging.LogRecord) -> bool:
        return not _sending.now


for _name in ("connection", "connectionpool", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_Quiet())


class GuardedSession:
    """
    Sends requests to one host over connections that nobody else uses. Threads may share it.

    Not a `requests.Session`: following redirects and keeping cookies is what those add.
    """

    def __init__(
        self,
        clock: Clock,
        read_timeout_s: float,
        *,
        secure: bool,
        connect_timeout_s: float = _CONNECT_TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._timeouts_s = (connect_timeout_s, read_timeout_s)
        self._proxies: dict[str, str] | None = None
        # Reading all certificate authorities takes a while, so not for plain http.
        try:
            self._adapter = (_TlsAdapter if secure else _Adapter)(pool_maxsize=_POOL_SIZE)
        except (OSError, ValueError):
            raise ConfigurationError(
                "no TLS connection can be prepared on this machine: see what SSLKEYLOGFILE, "
                "SSL_CERT_FILE and SSL_CERT_DIR name"
            ) from None

    def send(self, request: PreparedRequest, **_options: object) -> Response:
        """
        Send one request to the API, whatever else the SDK would have it done with.

        Raises:
            RequestException: There is no complete answer, or none that may be used.
        """
        answer = self.exchange(request)
        if 400 <= answer.status_code < 500 and not _is_of_the_api(answer.raw.getvalue()):
            raise FrontEndRefused(answer.status_code, _size(request))
        return answer

    def exchange(self, request: PreparedRequest) -> Response:
        """
        Send one request and read the answer, which `raw` holds then.

        Raises:
            RequestException: There is no complete answer, or none that may be used.
        """
        if self._proxies is None:  # once: all requests go to one host, and it takes a while
            self._proxies = _proxies(str(request.url))
        deadline = self._clock.monotonic() + _READ_TIMEOUTS * self._timeouts_s[1]
        _sending.now = True
        try:
            answer = self._adapter.send(
                request,
                stream=True,
                timeout=self._timeouts_s,
                verify=True,
                proxies=self._proxies,
            )
            with closing(answer):
                if 300 <= answer.status_code < 400:
                    raise RedirectRefused
                content = self._read(answer.raw, deadline)
        finally:
            _sending.now = False
        answer.raw = io.BytesIO(content)  # from where the SDK reads it
        return answer

    def _read(self, raw: Any, deadline: float) -> bytes:
        content = bytearray()
        while piece := _piece(raw):
            content += piece
            if len(content) > MAX_ANSWER_BYTES:
                raise AnswerTooLarge
            if self._clock.monotonic() > deadline:
                raise AnswerTooSlow
        return bytes(content)


class Place:
    """
    Where the SDK looks for the session of one client of ours.

    The one touch of the SDK's insides: it has no other place for a session of one's own.
    """

    def __init__(self, core: Any, protocol: str, host: str, session: Any) -> None:
        #: The client's `max_idle_conns`. The SDK looks by host and this; nobody else has this one.
        self.pool_size = next(_sizes)
        self._core = core
        self._key = f"{protocol}://{host}:{DaraRequest().port}:pool={self.pool_size}"
        self._session = session

    def fill(self) -> None:
        """Put the session there; before each call, because the SDK may forget what it has."""
        self._core._sessions[self._key] = self._session  # noqa: SLF001 - see above

    def clear(self) -> None:
        """Leave nothing behind."""
        getattr(self._core, "_sessions", {}).pop(self._key, None)


def place_for(session: GuardedSession, protocol: str, host: str, owner: object) -> Place:
    """
    Where to put this session for the SDK to send through it what a client has for this host.

    Args:
        session: The session.
        protocol: `http` or `https`.
        host: The host, with its port if it has one.
        owner: With this object the place is cleared.

    Raises:
        ConfigurationError: This version of the SDK takes its sessions elsewhere.
    """
    check_sdk(DaraCore)
    place = Place(DaraCore, protocol, host, session)
    weakref.finalize(owner, place.clear)
    return place


@cache
def rpc_params(action: str, version: str = "2016-05-03") -> Any:
    """How every action of the API is called. The protocol is that of the client's configuration."""
    return Params(
        action=action,
        version=version,
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )


@cache
def check_sdk(core: Any) -> None:
    """
    Make sure that the SDK sends through a session that is put where it looks for it.

    What is sent to find out is for nobody, and signed with made-up keys.

    Raises:
        ConfigurationError: It does not: redirects would be followed, answers read without end.
    """
    place = Place(core, "http", _NOWHERE, _Probe())
    config = Config(
        endpoint=_NOWHERE,
        protocol="http",
        http_proxy=f"http://{_NOWHERE}",  # not the environment's
        access_key_id="probe",
        access_key_secret="probe",  # noqa: S106 - made up
        max_idle_conns=place.pool_size,
    )
    try:
        place.fill()
        client = OpenApiClient(config)
        client.call_api(rpc_params("Probe"), OpenApiRequest(), RuntimeOptions())
    except Exception as error:  # noqa: BLE001 - the SDK wraps what it does not know
        if isinstance(getattr(error, "inner_exception", error), _ProbedError):
            return
    finally:
        place.clear()
    raise ConfigurationError(
        f"darabonba-core {version('darabonba-core')} is not supported: what it sends cannot be "
        f"secured, so nothing is sent. Install darabonba-core {_SUPPORTED}, or a newer "
        "pulumi-adbpg-model."
    )


class _ProbedError(Exception):
    """Comes back when nothing but the probe was asked."""


class _Probe:
    def send(self, _request: PreparedRequest, **_options: object) -> Response:
        raise _ProbedError


_sizes = itertools.count(100_000)


class _Adapter(adapters.HTTPAdapter):
    """For one host: the pool of its connections is looked up once, not for each request."""

    _pool: Any = None

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **options)
        return self._pool


class _TlsAdapter(_Adapter):
    """Trusts the system's certificate authorities beside those that the library brings."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=ssl.create_default_context())

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        options.setdefault("ssl_context", ssl.create_default_context())
        return super().proxy_manager_for(proxy, **options)


def transport_reason(cause: BaseException, host: str) -> str:
    """One phrase for what broke. Never the library's own text: it holds the URL or the body."""
    if isinstance(cause, FrontEndRefused):
        return f"{host} answers with status {cause.status}, not as the API does"
    megabytes = MAX_ANSWER_BYTES // (1024 * 1024)
    reasons: tuple[tuple[type[BaseException], str], ...] = (
        (ProxyUnusable, "HTTPS_PROXY names no http proxy"),
        (RedirectRefused, f"{host} answers with a redirect"),
        (AnswerTooLarge, f"the answer of {host} is larger than {megabytes} MB"),
        (AnswerTooSlow, f"{host} does not finish its answer in time"),
        (exceptions.SSLError, f"the TLS connection to {host} is not trusted"),
        (exceptions.ProxyError, f"the proxy to {host} does not answer"),
        (exceptions.ConnectTimeout, f"{host} does not accept connections in time"),
        (exceptions.ReadTimeout, f"{host} does not answer in time"),
        (exceptions.ConnectionError, f"{host} cannot be reached or drops the connection"),
        (exceptions.RequestException, f"the connection to {host} broke"),
        (ValueError, f"the answer of {host} is not JSON"),
        (RuntimeError, f"the answer of {host} is not JSON"),
        (AttributeError, f"the answer of {host} has an unexpected shape"),
    )
    for cls, reason in reasons:
        if isinstance(cause, cls):
            return reason
    return f"{host} gives no usable answer"


def _proxies(url: str) -> dict[str, str]:
    """
    The environment's proxy for https. Plain http is for loopback: a proxy would be beyond it.

    Raises:
        ProxyUnusable: It is none.
    """
    proxy = get_environ_proxies(url).get("https")
    if not proxy:
        return {}
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        usable = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("http", "https")
        (parts.hostname or "").encode("idna")
    except ValueError:
        usable = False
    if not usable:
        raise ProxyUnusable
    return {"https": proxy}


def _is_of_the_api(content: bytes) -> bool:
    """Whether an error is told as the API tells it, or begins so: in JSON, in older places XML."""
    return content.lstrip()[:1] == b"{" or b"<Code>" in content


def _size(request: PreparedRequest) -> int:
    """About how many bytes were sent: the line, the headers, the body."""
    headers = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    return len(request.path_url) + headers + int(request.headers.get("Content-Length") or 0)


def _piece(raw: Any) -> bytes:
    """What has come in, decoded; waits for the first byte only, and is empty at the end."""
    try:
        piece: bytes | None = raw.read1(_PIECE_BYTES, decode_content=True)
    except urllib3_exceptions.ReadTimeoutError as error:
        raise exceptions.ReadTimeout from error
    except urllib3_exceptions.HTTPError as error:
        raise exceptions.ChunkedEncodingError from error
    return piece or b""
