"""One signed call through the official OpenAPI client, built lazily and shared."""

from __future__ import annotations

import logging
import threading
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from alibabacloud_credentials.client import Client as CredentialClient
from alibabacloud_credentials.models import Config as CredentialConfig
from alibabacloud_credentials.provider import CLIProfileCredentialsProvider
from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest
from darabonba.runtime import RuntimeOptions

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import AccessError, TransportError
from pulumi_adbpg_model.gateway._endpoints import host_of
from pulumi_adbpg_model.gateway._errors import translate, unusable_credentials
from pulumi_adbpg_model.gateway._transport import GuardedSession, Place, place_for, rpc_params
from pulumi_adbpg_model.settings import Credentials, DefaultChain, Profile, Settings, StaticKey

__all__ = ["Client"]

# These libraries log to stderr on their own, which the engine shows as the user's diagnostics.
# With DEBUG=sdk in the environment that includes the headers of each call.
for _name in ("darabonba-core", "alibabacloud-tea", "credentials"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Client:
    """Sends requests for one `Settings`. Threads may share it."""

    def __init__(self, settings: Settings, clock: Clock, read_timeout_s: float) -> None:
        self._settings = settings
        self._clock = clock
        self._read_timeout_s = read_timeout_s
        self._lock = threading.Lock()
        self._built: tuple[Any, Any, Place] | None = None

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
        client, credential, place = self._client(host)
        # The client asks again, from a cache: here a failure is known for what it is.
        key = self._key(credential)
        place.fill()
        try:
            answer = client.call_api(rpc_params(action), request, RuntimeOptions())
        except Exception as error:  # noqa: BLE001 - the SDK raises several unrelated kinds
            secrets = [text for text in (key.access_key_secret, key.security_token) if text]
            told = translate(error, action, subject, host, secrets)
            if told.hint == AccessError.default_hint:
                told.hint += f" The credentials come from {self._settings.credentials.source}."
            raise told from None
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
        settings = self._settings
        _, credential, _ = self._client(host_of(settings.region, settings.endpoint))
        key = self._key(credential)
        source = settings.credentials.source
        if isinstance(settings.credentials, DefaultChain):
            source += f" ({str(key.provider_name).removeprefix('default/')})"
        return f"{source}, {'temporary' if key.security_token else 'an access key'}"

    def _key(self, credential: Any) -> Any:
        try:
            return credential.get_credential()
        except Exception as error:  # noqa: BLE001 - each source of the chain raises its own kinds
            raise unusable_credentials(error, self._settings.credentials) from None

    def _client(self, host: str) -> tuple[Any, Any, Place]:
        with self._lock:
            if self._built is None:
                self._built = self._build(host)
            return self._built

    def _build(self, host: str) -> tuple[Any, Any, Place]:
        settings = self._settings
        try:
            credential = _credential(settings.credentials)
        except Exception as error:  # noqa: BLE001 - each source of the chain raises its own kinds
            raise unusable_credentials(error, settings.credentials) from None
        protocol = settings.endpoint.protocol if settings.endpoint else "https"
        session = GuardedSession(self._clock, self._read_timeout_s, secure=protocol == "https")
        place = place_for(session, protocol, host, self)
        config = Config(
            endpoint=host,
            protocol=protocol,
            max_idle_conns=place.pool_size,
            region_id=settings.region,
            credential=credential,
            user_agent=f"pulumi-adbpg-model/{_own_version()}",
        )
        return OpenApiClient(config), credential, place


def _credential(credentials: Credentials) -> Any:
    if isinstance(credentials, StaticKey):
        return CredentialClient(
            CredentialConfig(
                type="sts" if credentials.security_token else "access_key",
                access_key_id=credentials.access_key_id,
                access_key_secret=credentials.access_key_secret,
                security_token=credentials.security_token,
            )
        )
    if isinstance(credentials, Profile):
        return CredentialClient(
            provider=CLIProfileCredentialsProvider(profile_name=credentials.name)
        )
    return CredentialClient()


def _own_version() -> str:
    try:
        return version("pulumi-adbpg-model")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
