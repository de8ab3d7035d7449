"""Refusals of the simulated cloud: HTTP status, wire code and message, in one place.

Decision: a rule refuses by raising `CloudError`; only the wire layer turns it into an answer.
Codes marked *invented* are in no document: the real code is unknown, so clients must not rely
on it alone. Messages never quote a secret or another user's service.
"""

from __future__ import annotations

from collections.abc import Mapping


class CloudError(Exception):
    """One refusal, exactly as it will be sent."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def missing_parameter(name: str) -> CloudError:
    """A required parameter was absent or empty."""
    return CloudError(400, "MissingParameter", f"The required parameter {name} is missing.")


def invalid_parameter(name: str, why: str) -> CloudError:
    """A parameter was present but not acceptable."""
    return CloudError(400, "InvalidParameter", f"The parameter {name} is invalid: {why}.")


def instance_not_found(code: str = "InvalidDBInstanceId.NotFound") -> CloudError:
    """The instance does not exist, or belongs to another region or account."""
    return CloudError(404, code, "The specified instance does not exist.")


def service_not_found(status: int = 404, code: str = "ModelService.NotFound") -> CloudError:
    """The instance has no such model service (code *invented*)."""
    return CloudError(status, code, "The specified model service does not exist.")


def node_bound(node: str) -> CloudError:
    """The AI node already hosts a model (code *invented*); the holder is not named."""
    message = f"The AI node {node} is already bound to a model."
    return CloudError(400, "OperationDenied.AINodeBound", message)


def instance_busy() -> CloudError:
    """The instance or service is in a state that refuses the operation."""
    return CloudError(
        400,
        "OperationDenied.DBInstanceStatus",
        "The operation is not permitted in the current state of the instance.",
    )


def token_mismatch() -> CloudError:
    """A ClientToken came back with other parameters."""
    return CloudError(
        400,
        "IdempotentParameterMismatch",
        "The request uses the same client token as a previous, but non-identical request.",
    )


def action_not_found() -> CloudError:
    """The action is not one that this simulator knows."""
    return CloudError(
        404,
        "InvalidAction.NotFound",
        "Specified api is not found, please check your url and method.",
    )


def invalid_version() -> CloudError:
    """The x-acs-version header is not the one version of this API."""
    return CloudError(400, "InvalidVersion", "Specified parameter Version is not valid.")


def missing_access_key() -> CloudError:
    """No Authorization header (the choice of code is this simulator's)."""
    return CloudError(
        400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action: sign the request."
    )


def access_key_not_found() -> CloudError:
    """The access key is not the one that the simulator was given."""
    return CloudError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")


def incomplete_signature(why: str) -> CloudError:
    """The Authorization header is malformed or does not cover what it must cover."""
    return CloudError(400, "IncompleteSignature", f"The request signature does not conform: {why}.")


def signature_mismatch() -> CloudError:
    """The signature was made with another secret, or over another request."""
    return CloudError(
        400,
        "SignatureDoesNotMatch",
        "Specified signature is not matched with our calculation.",
    )


def timestamp_expired() -> CloudError:
    """The x-acs-date header is missing, malformed or too far from the server's clock."""
    return CloudError(
        400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."
    )


def nonce_used() -> CloudError:
    """The nonce was seen before: the request is a replay."""
    return CloudError(400, "SignatureNonceUsed", "Specified signature nonce was used already.")


def token_expired() -> CloudError:
    """The STS token was valid once."""
    return CloudError(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")


def token_malformed() -> CloudError:
    """The STS token is not the one that the simulator was given."""
    return CloudError(
        400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."
    )


def token_missing() -> CloudError:
    """The access key is a temporary one, and the request came without its STS token."""
    return CloudError(
        400, "MissingSecurityToken", "SecurityToken is mandatory for this access key."
    )


def token_unexpected() -> CloudError:
    """The access key is a permanent one, and the request came with an STS token."""
    return CloudError(
        400,
        "InvalidSecurityToken.MismatchWithAccessKey",
        "Specified SecurityToken mismatches with the access key.",
    )
