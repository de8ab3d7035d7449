"""One signed call through the official OpenAPI client, built lazily and shared."""

from __future__ import annotations

import logging
import threading
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from alibabacloud_credentials.client import Client as CredentialClient
from alibabacloud_credentials.provider import CLIProfileCredentialsProvider
from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from pulumi_adbpg_model.errors import ConfigurationError, TransportError
from pulumi_adbpg_model.gateway._endpoints import host_of
from pulumi_adbpg_model.gateway._errors import translate
from pulumi_adbpg_model.settings import Profile, Settings, StaticKey

__all__ = ["Client"]

_API_VERSION = "2016-05-03"
_CONNECT_TIMEOUT_MS = 5_000
_READ_TIMEOUT_MS = 10_000

# Both libraries log to stderr on their own, which the engine shows as the user's diagnostics.
for _name in ("darabonba-core", "credentials"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Client:
    """Sends requests for one `Settings`. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._built: Any = None

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
        params = Params(
            action=action,
            version=_API_VERSION,
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        try:
            answer = self._client(host).call_api(params, request, RuntimeOptions())
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - the SDK raises several unrelated kinds
            raise translate(
                error, action, subject, host, settings.credentials, secrets=self._secrets()
            ) from None
        content = answer.get("body")
        if not isinstance(content, dict):
            raise TransportError(action, subject, f"the answer of {host} has an unexpected shape")
        return content

    def _client(self, host: str) -> Any:
        with self._lock:
            if self._built is None:
                self._built = OpenApiClient(self._config(host))
            return self._built

    def _config(self, host: str) -> Any:
        settings = self._settings
        config = Config(
            endpoint=host,
            protocol=settings.endpoint.protocol if settings.endpoint else "https",
            region_id=settings.region,
            connect_timeout=_CONNECT_TIMEOUT_MS,
            read_timeout=_READ_TIMEOUT_MS,
            user_agent=f"pulumi-adbpg-model/{_own_version()}",
        )
        credentials = settings.credentials
        if isinstance(credentials, StaticKey):
            config.access_key_id = credentials.access_key_id
            config.access_key_secret = credentials.access_key_secret
            config.security_token = credentials.security_token
        elif isinstance(credentials, Profile):
            provider = CLIProfileCredentialsProvider(profile_name=credentials.name)
            config.credential = CredentialClient(provider=provider)
        else:
            config.credential = CredentialClient()
        return config

    def _secrets(self) -> list[str]:
        credentials = self._settings.credentials
        if not isinstance(credentials, StaticKey):
            return []
        return [
            value for value in (credentials.access_key_secret, credentials.security_token) if value
        ]


def _own_version() -> str:
    try:
        return version("pulumi-adbpg-model")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
