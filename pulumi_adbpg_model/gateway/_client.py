"""One signed call through the official OpenAPI client, built lazily and shared."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any

from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest
from darabonba.runtime import RuntimeOptions

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import AccessError, AdbpgModelError, RenewalError, TransportError
from pulumi_adbpg_model.gateway._credentials import Signer
from pulumi_adbpg_model.gateway._endpoints import host_of, sts_of
from pulumi_adbpg_model.gateway._errors import masked, translate
from pulumi_adbpg_model.gateway._transport import GuardedSession, Place, place_for, rpc_params
from pulumi_adbpg_model.settings import Settings

__all__ = ["Client"]

# These libraries log to stderr on their own, which the engine shows as the user's diagnostics.
# With DEBUG=sdk in the environment that includes the headers of each call.
for _name in ("darabonba-core", "alibabacloud-tea", "credentials"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

#: How the codes begin that refuse what calls are signed with.
_ABOUT_KEYS = ("InvalidSecurityToken.", "InvalidAccessKeyId.")


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
        self._built: tuple[Any, Place] | None = None

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
        settings = self._settings
        host = host_of(settings.region, settings.endpoint)
        request = OpenApiRequest(
            query=Utils.query(query), body=None if body is None else Utils.parse_to_map(body)
        )
        client, place = self._client(host)
        # The client asks again: here a failure is known for what it is.
        self._signer.get_credential()
        place.fill()
        try:
            answer = client.call_api(rpc_params(action, self._version), request, RuntimeOptions())
        except Exception as error:  # noqa: BLE001 - the SDK raises several unrelated kinds
            told = translate(error, action, subject, host, self._without_secrets)
            raise self._explained(told) from None
        content = answer.get("body")
        if not isinstance(content, dict):
            raise TransportError(action, subject, f"the answer of {host} has an unexpected shape")
        return content

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
            error.hint += f" The credentials come from {self._settings.credentials.source}."
        return error

    def _without_secrets(self, text: str) -> str:
        return self._redact(masked(text, sorted(self._signer.secrets)))

    def _client(self, host: str) -> tuple[Any, Place]:
        with self._lock:
            if self._built is None:
                self._built = self._build(host)
            return self._built

    def _build(self, host: str) -> tuple[Any, Place]:
        settings = self._settings
        protocol = settings.endpoint.protocol if settings.endpoint else "https"
        session = GuardedSession(self._clock, self._read_timeout_s, secure=protocol == "https")
        place = place_for(session, protocol, host, self)
        config = Config(
            endpoint=host,
            protocol=protocol,
            max_idle_conns=place.pool_size,
            region_id=settings.region,
            credential=self._signer,
            user_agent=f"pulumi-adbpg-model/{_own_version()}",
        )
        return OpenApiClient(config), place


def _own_version() -> str:
    try:
        return version_of("pulumi-adbpg-model")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
