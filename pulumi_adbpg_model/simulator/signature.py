"""Verification of ACS3-HMAC-SHA256 request signatures.

Written from the public description of the algorithm, not from any SDK, so that a client and the
simulator cannot share one mistake. Decision: everything is checked (key, coverage, body hash,
clock, nonce, STS token), because a provider that signs wrongly must fail here, not in the cloud.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from calendar import timegm
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from time import strptime
from urllib.parse import quote

from . import errors

_ALGORITHM = "ACS3-HMAC-SHA256"
_MAX_SKEW_SECONDS = 15 * 60
_REMEMBER_SECONDS = 2 * _MAX_SKEW_SECONDS
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{{64}})"
)


@dataclass(frozen=True)
class SignedRequest:
    """The parts of an HTTP request that a signature covers."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    payload: bytes

    def header(self, name: str) -> str:
        """Return a header's value; repeated ones are sorted and joined, as the algorithm says."""
        return ",".join(sorted(self._by_name.get(name, ())))

    def header_names(self) -> set[str]:
        """Return the names of all headers in lower case."""
        return set(self._by_name)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        # Made once: each header is asked for several times while a request is verified.
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value.strip())
        return found


class Verifier:
    """Accepts the requests of one access key, and remembers the nonces it has seen."""

    def __init__(
        self, key_id: str, key_secret: str, token: str | None, clock: Callable[[], float]
    ) -> None:
        self._key_id = key_id
        self._key_secret = key_secret
        self._token = token
        self._token_expired = False
        self._clock = clock
        self._nonces: dict[str, float] = {}
        self._lock = threading.Lock()

    def expire_token(self) -> None:
        """Refuse the STS token from now on."""
        if self._token is None:
            msg = "the simulator was given no security token"
            raise ValueError(msg)
        self._token_expired = True

    def verify(self, request: SignedRequest) -> None:
        """Raise the refusal that the request deserves, if any."""
        authorization = request.header("authorization")
        if not authorization:
            raise errors.missing_access_key()
        match = _AUTHORIZATION.fullmatch(authorization)
        if match is None:
            raise errors.incomplete_signature("the Authorization header is malformed")
        key_id, signed, signature = match.groups()
        if key_id != self._key_id:
            raise errors.access_key_not_found()
        signed_names = signed.split(";")
        self._check_coverage(request, signed_names)
        self._check_time(request.header("x-acs-date"))
        if hashlib.sha256(request.payload).hexdigest() != request.header("x-acs-content-sha256"):
            raise errors.signature_mismatch()
        if not hmac.compare_digest(signature, self._signature(request, signed_names)):
            raise errors.signature_mismatch()
        self._check_token(request)
        self._check_nonce(request.header("x-acs-signature-nonce"))

    def _check_coverage(self, request: SignedRequest, signed: list[str]) -> None:
        if signed != sorted(signed):
            raise errors.incomplete_signature("SignedHeaders is not sorted")
        present = request.header_names()
        needed = {name for name in present if name.startswith("x-acs-")}
        needed |= {"host", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}
        if "content-type" in present and request.payload:
            needed.add("content-type")
        unsigned = sorted(needed - set(signed)) or sorted(set(signed) - present)
        if unsigned:
            raise errors.incomplete_signature(f"header {unsigned[0]} is absent or not signed")

    def _check_time(self, text: str) -> None:
        try:
            stamp = timegm(strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
        except ValueError:
            raise errors.timestamp_expired() from None
        if abs(stamp - self._clock()) > _MAX_SKEW_SECONDS:
            raise errors.timestamp_expired()

    def _check_token(self, request: SignedRequest) -> None:
        sent = request.header("x-acs-security-token")
        if self._token is None:
            if sent:
                raise errors.token_unexpected()
            return
        if not sent:
            raise errors.token_missing()
        if not hmac.compare_digest(_bytes(sent), _bytes(self._token)):
            raise errors.token_malformed()
        if self._token_expired:
            raise errors.token_expired()

    def _check_nonce(self, nonce: str) -> None:
        if not nonce:
            raise errors.incomplete_signature("header x-acs-signature-nonce is empty")
        now = self._clock()
        with self._lock:
            # Older ones are refused by their time stamp: no need to remember them.
            while self._nonces and now - next(iter(self._nonces.values())) > _REMEMBER_SECONDS:
                del self._nonces[next(iter(self._nonces))]
            if nonce in self._nonces:
                raise errors.nonce_used()
            self._nonces[nonce] = now

    def _signature(self, request: SignedRequest, signed: list[str]) -> str:
        canonical = "\n".join(
            (
                request.method,
                request.path or "/",
                _canonical_query(request.query),
                "".join(f"{name}:{request.header(name)}\n" for name in signed),
                ";".join(signed),
                request.header("x-acs-content-sha256"),
            )
        )
        text = f"{_ALGORITHM}\n{hashlib.sha256(_bytes(canonical)).hexdigest()}"
        return hmac.new(self._key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    # Headers may hold bytes that are not UTF-8; they must come out as they came in.
    return text.encode(errors="surrogateescape")


def _canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(
        f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(pairs)
    )
