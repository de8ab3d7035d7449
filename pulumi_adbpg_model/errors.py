"""
Everything this package raises on purpose.

    AdbpgModelError                 base: `str()` is one complete line for the user
     ├─ ConfigurationError          settings or credentials are missing or malformed; nothing called
     ├─ ApiError                    the cloud answered, and refused
     │   ├─ NotFoundError           it says something is not there; proves nothing by itself
     │   │   └─ InstanceNotFoundError   the instance is not visible from here
     │   ├─ AccessError             wrong, expired or insufficient credentials, or a wrong clock
     │   ├─ BusyError               the instance or node is busy for now
     │   ├─ QuotaError              quota, capacity or balance
     │   ├─ TokenMismatchError      the client token was used with other parameters
     │   ├─ InvalidRequestError     a parameter is not accepted
     │   ├─ ThrottledError          too many calls
     │   └─ ServerError             5xx
     ├─ TransportError              no usable answer: refused, timed out, or not JSON
     │   └─ RenewalError            the credentials are over, and their source gives no new ones
     └─ OperationError              the operation as a whole could not be done

Which code of the cloud is which is said in `gateway/_errors`. The wording is
`<action> <subject> failed: <reason> (code=…, status=…, request_id=…). <what to do>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING

from pulumi_adbpg_model.domain import printable

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on

__all__ = [
    "MOST_NAMES",
    "AccessError",
    "AdbpgModelError",
    "ApiError",
    "BusyError",
    "ConfigurationError",
    "InstanceNotFoundError",
    "InvalidRequestError",
    "NotFoundError",
    "OperationError",
    "QuotaError",
    "RenewalError",
    "ServerError",
    "ThrottledError",
    "TokenMismatchError",
    "TransportError",
    "first_of",
    "one_line",
    "text_of",
]

#: So many names are told in a sentence.
MOST_NAMES = 10
_REASON_LIMIT = 256


def one_line(text: str) -> str:
    """The text as errors show it, whole."""
    return printable(" ".join(text.split()))


def first_of(names: Iterable[str]) -> str:
    """The first `MOST_NAMES` names in one line, and how many more there are; `none` without any."""
    listed = list(names)
    more = f" and {len(listed) - MOST_NAMES} more" if len(listed) > MOST_NAMES else ""
    return one_line(", ".join(listed[:MOST_NAMES])) + more if listed else "none"


def _shortened(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _REASON_LIMIT else line[: _REASON_LIMIT - 1] + "…"


class AdbpgModelError(Exception):
    """Base of all errors of this package; its text is one line, made for the user."""


class ConfigurationError(AdbpgModelError):
    """Region, endpoint or credentials are missing or malformed. Nothing was called."""


class OperationError(AdbpgModelError):
    """An operation of several calls could not be completed; the text says what is left."""


def text_of(error: BaseException) -> str:
    """What may be shown of an error that ended something: another's text may hold anything."""
    ours = isinstance(error, AdbpgModelError)
    return str(error) if ours else f"an unexpected error, {type(error).__name__}"


class _CallError(AdbpgModelError):
    """One API call failed. `hint` says what to do next, as a full sentence."""

    #: Whether the same call may be sent again by the retry policy.
    retryable = False
    #: Whether a write may have been applied all the same, now or by an earlier attempt.
    in_doubt = False
    #: Used when the raiser gives no hint.
    default_hint = ""

    def __init__(self, action: str, subject: str, reason: str, *, hint: str = "") -> None:
        super().__init__(action, subject, reason)
        self.action = action
        self.subject = subject
        self.reason = _shortened(reason).rstrip(".")
        self.hint = hint or self.default_hint

    @property
    def details(self) -> str:
        """The answer's identifying fields in parentheses, or nothing."""
        return ""

    def replace(self, *, hint: str | None = None, in_doubt: bool | None = None) -> Self:
        """
        The same error with another hint, or with another word on `in_doubt`: a new one.

        To be raised `from` this one.
        """
        new = copy(self)
        new.hint = self.hint if hint is None else hint
        new.in_doubt = self.in_doubt if in_doubt is None else in_doubt
        return new

    def __str__(self) -> str:
        text = f"{self.action} {self.subject} failed: {self.reason}{self.details}."
        return f"{text} {self.hint}" if self.hint else text


class TransportError(_CallError):
    """
    No usable answer came back, so a write may have been applied all the same.

    Covers refused and broken connections, timeouts, TLS failures and bodies that are not JSON.
    """

    retryable = True
    in_doubt = True
    default_hint = "Check the region, the endpoint, the network and the proxy settings."


class RenewalError(TransportError):
    """The credentials have expired, and could not be renewed. The cloud refused the call."""

    in_doubt = False
    default_hint = "See that the source of the credentials answers, then run the command again."


class ApiError(_CallError):
    """The cloud answered with an error. Fields are those of the answer; each may be None."""

    default_hint = "Correct what the cloud complains of, then run the command again."

    def __init__(
        self,
        action: str,
        subject: str,
        reason: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(action, subject, reason, hint=hint)
        self.code = code
        self.status = status
        self.request_id = request_id
        #: Seconds that the header `x-acs-retry-after` asks to wait; None when absent.
        self.retry_after_s = retry_after_s

    @property
    def details(self) -> str:
        """See the base class."""
        named = (("code", self.code), ("status", self.status), ("request_id", self.request_id))
        given = [f"{name}={_shortened(str(value))}" for name, value in named if value is not None]
        return f" ({', '.join(given)})" if given else ""


class NotFoundError(ApiError):
    """The cloud says that something is not there. What, and whether for good, needs proof."""

    default_hint = "Check the ids and names in the declaration, the region and the credentials."


class InstanceNotFoundError(NotFoundError):
    """The instance is not visible: deleted, or another region or account."""

    default_hint = (
        "The instance does not exist, or belongs to another region or account than the one in use: "
        "check db_instance_id, the region and the credentials."
    )


class AccessError(ApiError):
    """The credentials are wrong, expired or not allowed to make this call."""

    default_hint = (
        "Check the access key and its secret, the RAM policy, and the security token's expiry."
    )


class BusyError(ApiError):
    """The instance or a node is busy with something else; it may work later."""

    default_hint = "It stayed busy until the operation was over: run the command again later."


class QuotaError(ApiError):
    """Quota, capacity or balance does not suffice; waiting alone does not help."""

    default_hint = "Free an AI node, or raise the quota or balance, then run `pulumi up` again."


class TokenMismatchError(ApiError):
    """The client token was used before, with other parameters."""

    default_hint = "Set another client_token, or leave it out to have one derived from the inputs."


class InvalidRequestError(ApiError):
    """A parameter is missing, unsupported or malformed in the cloud's eyes."""

    default_hint = "Correct the declaration, then run the command again."


class ThrottledError(ApiError):
    """Too many calls for the account or the API."""

    retryable = True
    default_hint = "Too many calls at once: wait a minute and run the command again."


class ServerError(ApiError):
    """The cloud failed inside (5xx)."""

    retryable = True
    in_doubt = True
    default_hint = "The service has a fault of its own: run the command again later."
