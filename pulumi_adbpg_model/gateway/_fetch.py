"""
How the credentials library fetches: through the package's own session instead of its own.

Its own ignores NO_PROXY, sends what is for the metadata address through a proxy, follows redirects
with an OIDC token in their URL, and puts that URL and whole answers into its errors.
"""

from __future__ import annotations

import json
import pkgutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from alibabacloud_credentials import provider
from requests import RequestException
from requests import exceptions as transport
from Tea.core import TeaCore
from Tea.response import TeaResponse

from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.gateway._transport import (
    GuardedSession,
    ProxyUnusable,
    prepared,
    transport_reason,
)

_DEFAULT_TIMEOUT_MS = 10_000
#: Codes of AssumeRole and AssumeRoleWithOIDC that say what to do about them.
_CODES = frozenset(
    """
    AuthenticationFail.NoPermission AuthenticationFail.OIDCToken.Expired
    AuthenticationFail.OIDCToken.Invalid EntityNotExist.OIDCProvider EntityNotExist.Role
    InvalidAccessKeyId.Inactive InvalidAccessKeyId.NotFound InvalidParameter.OIDCProviderArn
    InvalidParameter.RoleArn InvalidParameter.RoleSessionName InvalidSecurityToken.Expired
    NoPermission SignatureDoesNotMatch Throttling Throttling.User
    """.split()  # noqa: SIM905 - easier to read
)


class FetchError(Exception):
    """No usable answer came. The text is ours, and holds nothing but a host and a kind."""

    def __init__(self, reason: str, *, transient: bool) -> None:
        super().__init__(reason)
        #: Whether it may go better in a moment.
        self.transient = transient


class _Asked(threading.local):
    #: Whether this thread asks for this package: others of the process are left alone.
    ours = False
    host: str | None = None


_asked = _Asked()


def asked_host() -> str | None:
    """Which host this thread asked last, within `guarded`; None if it asked none."""
    return _asked.host


@contextmanager
def guarded() -> Iterator[None]:
    """What the library fetches meanwhile in this thread goes this way, and `asked_host` tells."""
    before = _asked.ours
    _asked.ours, _asked.host = True, _asked.host if before else None
    try:
        yield
    finally:
        _asked.ours = before


class _GuardedCore(TeaCore):  # type: ignore[misc] # it has no types
    """The part of the SDK that its providers send with."""

    @staticmethod
    def do_action(request: Any, runtime_option: dict[str, Any] | None = None) -> TeaResponse:
        if not _asked.ours:
            return TeaCore.do_action(request, runtime_option)
        options = runtime_option or {}
        sent = prepared(request, request.protocol)
        host = str(request.headers.get("host"))
        _asked.host = host
        try:
            answer = GuardedSession(
                SystemClock(),
                (options.get("readTimeout") or _DEFAULT_TIMEOUT_MS) / 1000,
                connect_timeout_s=(options.get("connectTimeout") or _DEFAULT_TIMEOUT_MS) / 1000,
                secure=str(sent.url).startswith("https:"),
            ).send(sent)
        except ConfigurationError as error:
            raise FetchError(str(error), transient=False) from None
        except RequestException as error:
            lasting = isinstance(error, (transport.SSLError, ProxyUnusable))
            raise FetchError(transport_reason(error, host), transient=not lasting) from None
        if answer.status != 200:
            status, code = answer.status, _code_in(answer.content)
            told = f"{host} answers with status {status}{code and f' (code={code})'}"
            raise FetchError(told, transient=status >= 500 or status == 429)
        return answer.given_to(TeaResponse())


def _code_in(content: bytes) -> str:
    """The code of an STS error, if it is one that is known: any other text may hold anything."""
    try:
        code = json.loads(content).get("Code")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return code if isinstance(code, str) and code in _CODES else ""


def install() -> None:
    """Make the library's providers send this way. They offer no other way in."""
    for found in pkgutil.iter_modules(provider.__path__, f"{provider.__name__}."):
        module = import_module(found.name)
        if hasattr(module, "TeaCore"):
            vars(module)["TeaCore"] = _GuardedCore
