"""
One signed call through the official OpenAPI client, built lazily and shared.

That client composes and signs; a session of ours sends, put in place of the `DaraCore` of its
module. Should a later version send another way, it does not get far: the protocol that it is told
is none that any library could send by.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any

from alibabacloud_tea_openapi import client as openapi
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.response import DaraResponse
from darabonba.runtime import RuntimeOptions

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    ConfigurationError,
    RenewalError,
    TransportError,
)
from pulumi_adbpg_model.gateway._credentials import Signer
from pulumi_adbpg_model.gateway._endpoints import host_of, sts_of
from pulumi_adbpg_model.gateway._errors import masked, translate
from pulumi_adbpg_model.gateway._transport import GuardedSession, prepared
from pulumi_adbpg_model.settings import Settings

# These libraries log to stderr on their own, which the engine shows as the user's diagnostics.
# With DEBUG=sdk in the environment that includes the headers of each call.
for _name in ("darabonba-core", "alibabacloud-tea", "credentials"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

#: How the codes begin that refuse what calls are signed with.
_ABOUT_KEYS = ("InvalidSecurityToken.", "InvalidAccessKeyId.")
#: What the SDK is told; the session knows the real one. With its underscore no library takes it
#: for the scheme of a URL: aiohttp 3.9, for one, would send by any other in clear.
_NO_PROTOCOL = "guarded_session"
#: The SDK's packages, in versions that send as this module expects.
_SUPPORTED = {"alibabacloud-tea-openapi": "0.4.6", "darabonba-core": "1.0.9"}


class _Call(threading.local):
    """The call that this thread makes for this package: others of the process are left alone."""

    #: What sends it, until the SDK has come to `_GuardedCore` with it: a call is sent once.
    session: GuardedSession | None = None


_call = _Call()
_core_of_others = openapi.DaraCore


class _GuardedCore(openapi.DaraCore):  # type: ignore[misc] # it has no types
    """The part of the SDK that its client sends with."""

    @staticmethod
    def do_action(request: Any, runtime_option: dict[str, Any] | None = None) -> DaraResponse:
        session, _call.session = _call.session, None
        if session is None:
            return _core_of_others.do_action(request, runtime_option)
        answer = session.send(prepared(request, session.protocol), to_the_api=True)
        return answer.given_to(DaraResponse())


vars(openapi)["DaraCore"] = _GuardedCore


@cache
def _rpc(action: str, version: str) -> Params:
    """How every action of the API is called. The protocol is that of the client's configuration."""
    return Params(
        action=action,
        version=version,
        protocol=_NO_PROTOCOL,
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )


class Client:
    """Sends requests for one `Settings`. Threads may share it."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        read_timeout_s: float,
        redact: Callable[[str], str] = str,
        version: str = "2016-05-03",
        signer: Signer | None = None,
    ) -> None:
        self._settings = settings
        self._version = version
        self._clock = clock
        self._read_timeout_s = read_timeout_s
        self._redact = redact
        self._lock = threading.Lock()
        self._signer = signer or Signer.of(settings.credentials, clock)
        self._built: tuple[Any, GuardedSession] | None = None

    def for_sts(self) -> Client:
        """One for the API that tells which account calls, with the same credentials."""
        settings = replace(self._settings, endpoint=sts_of(self._settings))
        return Client(
            settings, self._clock, self._read_timeout_s, self._redact, "2015-04-01", self._signer
        )

    def call(
        self, action: str, subject: str, query: dict[str, object], body: dict[str, object] | None
    ) -> dict[str, object]:
        """
        Make one call and return the answer's JSON object.

        Raises:
            AdbpgModelError: Anything that went wrong, translated.
        """
        return self.answer(action, subject, query, body)[0]

    def answer(
        self, action: str, subject: str, query: dict[str, object], body: dict[str, object] | None
    ) -> tuple[dict[str, object], Mapping[str, str]]:
        """As `call`; the answer's JSON object and its headers, by names in lower case."""
        settings = self._settings
        host = host_of(settings.region, settings.endpoint)
        request = OpenApiRequest(
            query=Utils.query(query), body=None if body is None else Utils.parse_to_map(body)
        )
        client, session = self._client(host)
        # The client asks again: here a failure is known for what it is.
        self._signer.get_credential()
        try:
            _call.session = session
            answer = client.call_api(_rpc(action, self._version), request, RuntimeOptions())
        except Exception as error:  # noqa: BLE001 - the SDK raises several unrelated kinds
            _check_sent(error)
            told = translate(error, action, subject, host, self._without_secrets)
            raise self._explained(told) from None
        else:
            _check_sent()
        finally:
            _call.session = None
        tracing.current().set("http.response.status_code", answer["statusCode"])
        content = answer.get("body")
        if not isinstance(content, dict):
            raise TransportError(action, subject, f"the answer of {host} has an unexpected shape")
        return content, answer.get("headers") or {}

    def find_credentials(self) -> str:
        """
        Where the credentials come from, found now.

        Raises:
            ConfigurationError: There are none, or they do not work.
        """
        token = self._signer.get_credential().security_token
        return f"{self._signer.told}, {'temporary' if token else 'an access key'}"

    def _explained(self, error: AdbpgModelError) -> AdbpgModelError:
        """Say of refused credentials where they come from, and if they should have been renewed."""
        failure = self._signer.failure
        if not isinstance(error, AccessError):
            return error
        if failure is not None and (error.code or "").startswith(_ABOUT_KEYS):
            reason = f"the credentials have expired and could not be renewed: {failure}"
            return RenewalError(error.action, error.subject, reason)
        if error.hint == AccessError.default_hint:
            source = self._settings.credentials.source
            return error.replace(hint=f"{error.hint} The credentials come from {source}.")
        return error

    def _without_secrets(self, text: str) -> str:
        return self._redact(masked(text, sorted(self._signer.secrets)))

    def _client(self, host: str) -> tuple[Any, GuardedSession]:
        with self._lock:
            if self._built is None:
                endpoint = self._settings.endpoint
                secure = endpoint is None or endpoint.protocol == "https"
                session = GuardedSession(self._clock, self._read_timeout_s, secure=secure)
                config = Config(
                    endpoint=host,
                    protocol=_NO_PROTOCOL,
                    region_id=self._settings.region,
                    credential=self._signer,
                    user_agent=f"pulumi-adbpg-model/{_own_version()}",
                )
                self._built = openapi.Client(config), session
            return self._built


def _check_sent(error: Exception | None = None) -> None:
    """
    Make sure that the SDK has sent by the session of this thread's call.

    Args:
        error: How the call ended; None when it went well.

    Raises:
        ConfigurationError: It has not, and not for want of something to send.
    """
    if _call.session is None or isinstance(getattr(error, "inner_exception", error), UnicodeError):
        return
    found = " with ".join(f"{name} {version_of(name)}" for name in _SUPPORTED)
    needed = " with ".join(" ".join(pair) for pair in _SUPPORTED.items())
    raise ConfigurationError(
        f"{found} is not supported: what it sends cannot be secured, so nothing is sent. Install "
        f"{needed}, or a newer pulumi-adbpg-model."
    ) from None


@cache
def _own_version() -> str:
    try:
        return version_of("pulumi-adbpg-model")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
