"""
From the SDK's exceptions to `errors`: by exact code, then code prefix, then HTTP status.

Messages are never matched on. They are shown, with the credentials in them masked: the cloud's
signature error, for one, repeats the signed headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from alibabacloud_tea_openapi.exceptions import AlibabaCloudException

from pulumi_adbpg_model.errors import (
    AccessError,
    ApiError,
    BusyError,
    ConfigurationError,
    InstanceNotFoundError,
    InvalidRequestError,
    NotFoundError,
    QuotaError,
    ServerError,
    ThrottledError,
    TokenMismatchError,
    TransportError,
    one_line,
)
from pulumi_adbpg_model.gateway._transport import FrontEndRefused, ProxyUnusable, transport_reason
from pulumi_adbpg_model.gateway._wire import text

_SIZE_HINT = (
    "Shorten what makes it long: security_ip_list (blocks instead of single addresses), "
    "model_params or description."
)
_FRONT_END_HINT = "Check the region, the endpoint and the proxy settings, and what they let pass."

#: Exact codes. Sources: the gpdb error code page, the common error codes page, and the codes that
#: the alicloud provider handles for gpdb.
CODES: dict[str, type[ApiError]] = {
    "Forbidden.InstanceNotFound": InstanceNotFoundError,
    "InvalidDBInstanceId.NotFound": InstanceNotFoundError,
    "InvalidDBInstanceName.NotFound": InstanceNotFoundError,
    # Its name reads as a failed backend call; absence is proved by listing in any case.
    "MetaDBApiCalled.Failed": NotFoundError,
    "Forbbiden.SubUser": AccessError,
    "Forbedden.NotSupportRAM": AccessError,
    "Forbidden.RAM": AccessError,
    "Forbidden.RiskControl": AccessError,
    "IncompleteSignature": AccessError,
    "InvalidAccessKeyId.Inactive": AccessError,
    "InvalidAccessKeyId.NotFound": AccessError,
    "InvalidCredentials": AccessError,
    "InvalidSecurityToken.Expired": AccessError,
    "InvalidSecurityToken.Malformed": AccessError,
    "InvalidSecurityToken.MismatchWithAccessKey": AccessError,
    "InvalidTimeStamp.Expired": AccessError,
    "InvalidTimeStamp.Format": AccessError,
    "RealNameAuthenticationError": AccessError,
    "SignatureDoesNotMatch": AccessError,
    "SignatureNonceUsed": AccessError,
    "ConcurrentTaskExceeded": BusyError,
    "Database.ConnectError": BusyError,
    "IncorrectDBInstanceState": BusyError,
    "IncorrectDBState": BusyError,
    "InstanceConnectTimeoutFault": BusyError,
    "LockTimeout": BusyError,
    "InsufficientBalance": QuotaError,
    "OperationDenied": QuotaError,
    "OperationDenied.OutofUsage": QuotaError,
    "QuotaNotEnough": QuotaError,
    "IdempotentParameterMismatch": TokenMismatchError,
    "InvalidParameter": InvalidRequestError,
    "MissingParameter": InvalidRequestError,
    "UnsupportedParameter": InvalidRequestError,
    "InternalError": ServerError,
    "ServiceUnavailable": ServerError,
    "Rejected.Throttling": ThrottledError,
}

_HINTS = {
    "InvalidTimeStamp.Expired": (
        "Set this machine's clock right: the cloud accepts 15 minutes of difference."
    ),
    "InvalidSecurityToken.Expired": "Fetch a new security token, then run the command again.",
}


def error_class(code: str | None, status: int | None) -> type[ApiError]:
    """The class for an answer's code and HTTP status; either may be None."""
    code = code or ""
    if code in CODES:
        return CODES[code]
    if code.startswith("Throttling"):
        return ThrottledError
    if code.startswith("OperationDenied."):
        return BusyError
    if code.endswith(".NotFound"):
        return NotFoundError
    if status is not None and status >= 500:
        return ServerError
    by_status = {401: AccessError, 403: AccessError, 404: NotFoundError, 429: ThrottledError}
    return by_status.get(status or 0, ApiError)


def translate(
    error: Exception, action: str, subject: str, host: str, redact: Callable[[str], str]
) -> ApiError | TransportError | ConfigurationError:
    """
    Make our own error out of whatever the SDK raised.

    Args:
        error: The exception caught around `call_api`.
        action: The API action, for the text.
        subject: What it was about, for the text.
        host: The host called, for the text.
        redact: Takes out of the cloud's own words what no text may show.
    """
    if isinstance(error, AlibabaCloudException):
        return _from_answer(error, action, subject, redact)
    cause: BaseException = getattr(error, "inner_exception", None) or error
    if isinstance(cause, ProxyUnusable):
        return ConfigurationError(f"{transport_reason(cause, host)}: correct or unset it")
    if isinstance(cause, FrontEndRefused):
        return _from_front_end(cause, action, subject, host)
    return TransportError(action, subject, transport_reason(cause, host))


def _from_front_end(
    refusal: FrontEndRefused, action: str, subject: str, host: str
) -> ApiError | TransportError:
    """The request never came to the API; only time may help, where the status says so."""
    status = refusal.status
    told = (
        f"an HTTP server or proxy on the way to {host} refuses the request of "
        f"{refusal.sent_bytes:,} bytes"
    )
    if status == 429:
        return ThrottledError(action, subject, told, status=status)
    if status == 408:
        return TransportError(action, subject, f"{told} (status={status})")
    hint = _SIZE_HINT if status in (413, 414, 431) else _FRONT_END_HINT
    return ApiError(action, subject, told, status=status, hint=hint)


def _from_answer(error: Any, action: str, subject: str, redact: Callable[[str], str]) -> ApiError:
    data: Mapping[str, object] = error.data if isinstance(error.data, dict) else {}

    def told(*names: str) -> str | None:
        return next((found for name in names if (found := text(data.get(name)))), None)

    code = told("Code", "code")
    message = told("Message", "message") or "the cloud gives no reason"
    status = error.status_code if isinstance(error.status_code, int) else None
    retry_after_ms = error.retry_after
    return error_class(code, status)(
        action,
        subject,
        redact(one_line(message)),  # in which a secret of several lines stands in one, too
        code=code and redact(one_line(code)),
        status=status,
        request_id=told("RequestId", "requestId"),
        retry_after_s=retry_after_ms / 1000 if isinstance(retry_after_ms, (int, float)) else None,
        hint=_HINTS.get(code or "", ""),
    )


def masked(message: str, secrets: list[str]) -> str:
    """Without the secrets, plain or percent-encoded, once or twice, as in a string to sign."""
    for secret in secrets:
        once = quote(secret, safe="~")
        for form in (quote(once, safe="~"), once, secret):
            message = message.replace(form, "****")
    return message
