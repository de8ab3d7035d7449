"""
The session under the SDKs, with what their own sessions leave open closed.

Those follow redirects with the signed headers, read answers of any size, and belong to the whole
process, so that a neighbour may have turned verification off. None of it can be configured.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from darabonba.core import DaraCore
from requests import PreparedRequest, adapters, exceptions
from requests.utils import get_environ_proxies
from urllib3 import exceptions as urllib3_exceptions

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import ConfigurationError

#: A page of 100 services with 1000 whitelist entries each is about 2 MB.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
#: Small, because compressed bytes may become a thousand times as many.
_PIECE_BYTES = 16 * 1024
_CONNECT_TIMEOUT_S = 5.0
#: An answer must be complete within so many read timeouts; each read has only one of them.
_READ_TIMEOUTS = 3
_POOL_SIZE = 64


class AnswerRefused(exceptions.RequestException):
    """What comes is not read to its end. In the text, `{host}` stands for who answers."""


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


class Answer(NamedTuple):
    """A complete answer. Its headers are found by their names in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def given_to(self, response: Any) -> Any:
        """A response of one of the SDKs, with this in it; theirs look alike, too."""
        response.status_code = self.status
        response.headers = {name.lower(): value for name, value in self.headers.items()}
        response.body = self.content
        return response


def prepared(request: Any, protocol: str) -> PreparedRequest:
    """What one of the SDKs would send, by this protocol; their requests look alike."""
    _, _, address = DaraCore.compose_url(request).partition("://")
    body = request.body.encode() if isinstance(request.body, str) else request.body
    made = PreparedRequest()
    made.prepare(
        method=request.method.upper(),
        url=f"{protocol}://{address}",
        data=body,
        headers=request.headers,
    )
    return made


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
        self.protocol = "https" if secure else "http"
        self._clock = clock
        self._timeouts_s = (connect_timeout_s, read_timeout_s)
        self._proxies: dict[str, str] | None = None
        # Reading all certificate authorities takes a while, so not for plain http.
        try:
            self._adapter = _Adapter(ssl.create_default_context() if secure else None)
        except (OSError, ValueError):
            raise ConfigurationError(
                "no TLS connection can be prepared on this machine: see what SSLKEYLOGFILE, "
                "SSL_CERT_FILE and SSL_CERT_DIR name"
            ) from None

    def send(self, request: PreparedRequest, *, to_the_api: bool = False) -> Answer:
        """
        Send one request and read the answer.

        Args:
            request: The request.
            to_the_api: Whether an error has to be in the API's words to come from there.

        Raises:
            RequestException: There is no complete answer, or none that may be used.
        """
        if self._proxies is None:  # once: all requests go to one host, and it takes a while
            self._proxies = _proxies(str(request.url))
        deadline = self._clock.monotonic() + _READ_TIMEOUTS * self._timeouts_s[1]
        _sending.now = True
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=self._timeouts_s,
                verify=True,
                proxies=self._proxies,
            )
            with closing(response):
                if 300 <= response.status_code < 400:
                    # The signature is for nobody else, so it is not followed.
                    raise AnswerRefused("{host} answers with a redirect")
                content = self._read(response.raw, deadline)
        finally:
            _sending.now = False
        status = response.status_code
        if to_the_api and 400 <= status < 500 and not _is_of_the_api(content):
            raise FrontEndRefused(status, _size(request))
        return Answer(status, response.headers, content)

    def _read(self, raw: Any, deadline: float) -> bytes:
        content = bytearray()
        while piece := _piece(raw):
            content += piece
            if len(content) > MAX_ANSWER_BYTES:
                megabytes = MAX_ANSWER_BYTES // (1024 * 1024)
                raise AnswerRefused(f"the answer of {{host}} is larger than {megabytes} MB")
            if self._clock.monotonic() > deadline:
                raise AnswerRefused("{host} does not finish its answer in time")
        return bytes(content)


class _Adapter(adapters.HTTPAdapter):
    """
    For one host: the pool of its connections is looked up once, not for each request.

    It trusts the system's certificate authorities beside those that the library brings, and
    verifies whatever `send` is told: a neighbour may have patched that for all adapters.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._pool: Any = None
        super().__init__(pool_maxsize=_POOL_SIZE)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(
                args[0], verify=True, proxies=options.get("proxies")
            )
        return self._pool

    def cert_verify(self, conn: Any, url: Any, *_: Any, **__: Any) -> None:
        super().cert_verify(conn, url, verify=True, cert=None)


def transport_reason(cause: BaseException, host: str) -> str:
    """One phrase for what broke. Never the library's own text: it holds the URL or the body."""
    if isinstance(cause, AnswerRefused):
        return str(cause).format(host=host)
    reasons: tuple[tuple[type[BaseException], str], ...] = (
        (ProxyUnusable, "HTTPS_PROXY names no http proxy"),
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
