"""What calls are signed with: found when it is first needed, renewed during long waits."""

from __future__ import annotations

import threading
from typing import ClassVar
from weakref import WeakValueDictionary

from alibabacloud_credentials.models import CredentialModel

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.gateway._sources import Chain, Supply, UnusableError, supply_of
from pulumi_adbpg_model.identity import CREDENTIAL_SOURCES, Credentials, DefaultChain, StaticKey

__all__ = ["Signer"]

#: A source that fails is left alone for so long: many may ask at once.
_PAUSE_S = 10.0
#: What fails at first, and may pass, is tried once more after so long.
_SECOND_TRY_S = 1.0


class Signer:
    """
    Who signs, as the official client asks for it. Threads may share it.

    A renewal that fails is no failure: the library renews a quarter of an hour before the end, and
    the cloud says when that has come.
    """

    _known: ClassVar[WeakValueDictionary[tuple[Credentials, Clock], Signer]] = WeakValueDictionary()
    _knowing = threading.Lock()

    @classmethod
    def of(cls, credentials: Credentials, clock: Clock) -> Signer:
        """The one of this process: what it was given serves every region, preview and wait."""
        with cls._knowing:
            return cls._known.setdefault((credentials, clock), cls(credentials, clock))

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._lock = threading.Lock()
        self._supply: Supply | Chain | None = None
        self._last: CredentialModel | None = None
        #: When the source failed last, and why; None when it did not.
        self._failed: tuple[float, UnusableError] | None = None
        #: Every secret and token that was given so far, to be masked in texts.
        self.secrets: set[str] = set()

    def get_credential(self) -> CredentialModel:
        """
        What to sign with now.

        Raises:
            ConfigurationError: There is nothing, and never was.
        """
        # Whoever has what may still do waits for nobody's renewal.
        if not self._lock.acquire(blocking=self._last is None) and self._last is not None:
            return self._last
        try:
            return self._current()
        finally:
            self._lock.release()

    @property
    def failure(self) -> str | None:
        """Why the last renewal failed; None when it did not."""
        return None if self._failed is None else str(self._failed[1])

    @property
    def told(self) -> str:
        """Where they come from, in words; nothing of themselves."""
        source = self._credentials.source
        if self._supply is None or isinstance(self._credentials, StaticKey):
            return source
        return f"{source}: {self._supply.told}"

    def _current(self) -> CredentialModel:
        now = self._clock.monotonic()
        if self._failed is None or now - self._failed[0] >= _PAUSE_S:
            try:
                self._last = self._given()
            except UnusableError as error:
                self._failed = (now, error)
            else:
                self._failed = None
        if self._last is None and self._failed is not None:
            raise self._none(self._failed[1])
        return self._last

    def _given(self) -> CredentialModel:
        try:
            return self._ask()
        except UnusableError as error:
            if self._last is not None or not error.passing:
                raise
            self._clock.sleep(_SECOND_TRY_S)
            if self._clock.cancelled:
                raise
        return self._ask()

    def _ask(self) -> CredentialModel:
        if self._supply is None:
            self._supply = supply_of(self._credentials)
        found = self._supply.get_credentials()
        secret, token = found.get_access_key_secret(), found.get_security_token()
        self.secrets |= {text for text in (secret, token) if text}
        return CredentialModel(
            access_key_id=found.get_access_key_id(),
            access_key_secret=secret,
            security_token=token,
            type="sts" if token else "access_key",
            provider_name=found.get_provider_name(),
        )

    def _none(self, error: UnusableError) -> ConfigurationError:
        if error.nothing and isinstance(self._credentials, DefaultChain):
            places = "; ".join(CREDENTIAL_SOURCES)
            return ConfigurationError(
                f"no Alibaba Cloud credentials were found. Looked in: {places}. Of the last: "
                f"{error}"
            )
        source = self._credentials.source
        return ConfigurationError(f"the credentials of {source} do not work: {error}")
