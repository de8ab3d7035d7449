"""What calls are signed with: found when it is first needed, renewed during long waits."""

from __future__ import annotations

import threading
import time
from typing import ClassVar
from weakref import WeakValueDictionary

from alibabacloud_credentials.models import CredentialModel

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.gateway._sources import Chain, Provider, UnusableError, provider_of
from pulumi_adbpg_model.settings.identity import (
    CREDENTIAL_SOURCES,
    Credentials,
    DefaultChain,
    StaticKey,
)

#: A source that fails is left alone for so long: many may ask at once.
_FAILURE_PAUSE_S = 10.0
#: What fails at first, and may pass, is tried once more after so long.
_RETRY_PAUSE_S = 1.0
#: An answer of a source is waited for so long; a command may take a minute.
_FETCH_TIMEOUT_S = 65.0
#: Credentials are renewed so long before their end, or after half of what they have left.
_RENEW_AHEAD_S = 15 * 60.0
#: So long before their end they are not used any more, if there are others.
_EXPIRY_MARGIN_S = 5.0
#: What does not say when it ends is asked for again after so long.
_UNKNOWN_EXPIRY_S = 60.0
_POLL_S = 0.02


class Signer:
    """
    Who signs, as the official client asks for it.

    Threads may share it: one fetch at a time serves them all (single-flight).

    A renewal that fails is no failure: it is tried long before the end, and the cloud says when
    that has come.
    """

    _known: ClassVar[WeakValueDictionary[tuple[Credentials, Clock], Signer]] = WeakValueDictionary()
    _knowing = threading.Lock()

    @classmethod
    def of(cls, credentials: Credentials, clock: Clock) -> Signer:
        """The one of this process: what it was given serves every region, preview and wait."""
        with cls._knowing:
            found = cls._known.get((credentials, clock))
            if found is None:
                found = cls._known[credentials, clock] = cls(credentials, clock)
            return found

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        """
        Make one that has asked for nothing yet.

        Args:
            credentials: Where they come from.
            clock: Bounds the waiting, and tells of a cancel.
        """
        self._credentials = credentials
        self._clock = clock
        self._lock = threading.Lock()
        self._provider: Provider | Chain | None = None
        self._model: CredentialModel | None = None
        #: When they end, in seconds since 1970.
        self._expires: float | None = None
        #: Not before this time of the clock the source is asked again.
        self._next_s = 0.0
        self._error: UnusableError | None = None
        #: Set when the question to the source that is under way is over; None without one.
        self._refreshing: threading.Event | None = None
        #: Every secret and token that was given so far, to be masked in texts.
        self.secrets: set[str] = set()

    def get_credential(self) -> CredentialModel:
        """
        What to sign with now.

        Raises:
            ConfigurationError: There is nothing, and never was.
        """
        began_s = self._clock.monotonic()
        with self._lock:
            refreshing, mine = self._refreshing, False
            due = began_s >= self._next_s or self._has_expired(fresh_try=True)
            if refreshing is None and due:
                refreshing, mine = threading.Event(), True
                self._refreshing = refreshing
                # In a thread, because nothing ends a question that hangs.
                threading.Thread(target=self._refresh, args=(refreshing,), daemon=True).start()
            # Whoever has what may still do waits for nobody else's question.
            if refreshing is None or not (mine or self._model is None or self._has_expired()):
                return self._current()
        with tracing.span("credentials"):
            self._await(refreshing, began_s)
            with self._lock:
                return self._current()

    def _await(self, refreshing: threading.Event, began_s: float) -> None:
        while not refreshing.wait(_POLL_S):
            late = self._clock.monotonic() - began_s > _FETCH_TIMEOUT_S
            if late or self._clock.cancelled:
                why = "it does not answer in time" if late else "its answer was not waited for"
                with self._lock:
                    self._finish(refreshing, UnusableError(why))
                return

    @property
    def failure(self) -> str | None:
        """Why the last renewal failed; None when it did not."""
        error = self._error  # another thread may take it back
        return None if error is None else str(error)

    @property
    def told(self) -> str:
        """Where they come from, in words; nothing of themselves."""
        source = self._credentials.source
        if self._provider is None or isinstance(self._credentials, StaticKey):
            return source
        return f"{source}: {self._provider.told}"

    def _current(self) -> CredentialModel:
        if self._model is None:
            raise self._no_credentials(self._error or UnusableError("it was not asked"))
        return self._model

    def _has_expired(self, *, fresh_try: bool = False) -> bool:
        """Whether what is held has ended, and for a fresh try: no failure says so already."""
        if self._expires is None or (fresh_try and self._error is not None):
            return False
        return time.time() >= self._expires - _EXPIRY_MARGIN_S

    def _refresh(self, refreshing: threading.Event) -> None:
        """Ask the source, and keep what it gives."""
        failure: UnusableError | None = None
        try:
            self._fetch_with_retry()
        except UnusableError as error:
            failure = error
        except Exception:  # noqa: BLE001 - a thread of one's own may not end in silence
            failure = UnusableError("its answer cannot be used")
        with self._lock:
            self._finish(refreshing, failure)
        refreshing.set()

    def _finish(self, refreshing: threading.Event, failure: UnusableError | None) -> None:
        """A question has ended; the next may be under way already."""
        if failure is not None:
            self._error, self._next_s = failure, self._clock.monotonic() + _FAILURE_PAUSE_S
        if self._refreshing is refreshing:
            self._refreshing = None

    def _fetch_with_retry(self) -> None:
        try:
            self._fetch()
        except UnusableError as error:
            if self._model is not None or not error.transient:
                raise
            self._clock.sleep(_RETRY_PAUSE_S)
            if self._clock.cancelled:
                raise
            self._fetch()

    def _fetch(self) -> None:
        provider = self._provider = self._provider or provider_of(self._credentials)
        found = provider.get_credentials()
        ends = found.get_expiration() or None
        left_s = None if ends is None else ends - time.time()
        if left_s is not None and left_s <= 0:
            told = "it gives credentials that have expired, or this machine's clock is ahead"
            raise UnusableError(f"{provider.told}: {told}")
        token = found.get_security_token()
        model = CredentialModel(
            access_key_id=found.get_access_key_id(),
            access_key_secret=found.get_access_key_secret(),
            security_token=token,
            type="sts" if token else "access_key",
            provider_name=found.get_provider_name(),
        )
        with self._lock:
            same = self._model is not None and self._model.to_map() == model.to_map()
            # The library keeps back that a renewal failed, for some sources.
            if same and left_s is not None and left_s < _RENEW_AHEAD_S:
                self._error = UnusableError(f"{provider.told}: it gives no newer credentials")
            else:
                self._error = None
            self._model, self._expires = model, ends
            good_for_s = float("inf") if provider.lasting else _good_for_s(left_s)
            self._next_s = self._clock.monotonic() + good_for_s
            self.secrets |= {text for text in (model.access_key_secret, token) if text}

    def _no_credentials(self, error: UnusableError) -> ConfigurationError:
        if error.absent and isinstance(self._credentials, DefaultChain):
            places = "; ".join(CREDENTIAL_SOURCES)
            return ConfigurationError(
                f"no Alibaba Cloud credentials were found. Looked in: {places}. Of the last: "
                f"{error}"
            )
        source = self._credentials.source
        return ConfigurationError(f"the credentials of {source} do not work: {error}")


def _good_for_s(left_s: float | None) -> float:
    """How long nothing newer is asked for."""
    if left_s is None:
        return _UNKNOWN_EXPIRY_S
    return max(left_s - _RENEW_AHEAD_S, left_s / 2)
