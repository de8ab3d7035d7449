"""The table from the cloud's codes to error classes: frozen, entry by entry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.errors import (
    AccessError,
    ApiError,
    BusyError,
    InstanceNotFoundError,
    InvalidRequestError,
    NotFoundError,
    QuotaError,
    ServerError,
    ThrottledError,
    TokenMismatchError,
    TransportError,
)
from pulumi_adbpg_model.gateway import RetryPolicy
from pulumi_adbpg_model.gateway._errors import CODES, error_class
from tests.gateway.raw import answer, raw_server
from tests.gateway.support import INSTANCE, Answer, gateway_for, stub

_EXPECTED: dict[type[ApiError], list[str]] = {
    InstanceNotFoundError: [
        "Forbidden.InstanceNotFound",
        "InvalidDBInstanceId.NotFound",
        "InvalidDBInstanceName.NotFound",
    ],
    NotFoundError: ["MetaDBApiCalled.Failed"],
    AccessError: [
        "Forbbiden.SubUser",
        "Forbedden.NotSupportRAM",
        "Forbidden.RAM",
        "Forbidden.RiskControl",
        "IncompleteSignature",
        "InvalidAccessKeyId.Inactive",
        "InvalidAccessKeyId.NotFound",
        "InvalidCredentials",
        "InvalidSecurityToken.Expired",
        "InvalidSecurityToken.Malformed",
        "InvalidSecurityToken.MismatchWithAccessKey",
        "InvalidTimeStamp.Expired",
        "InvalidTimeStamp.Format",
        "RealNameAuthenticationError",
        "SignatureDoesNotMatch",
        "SignatureNonceUsed",
    ],
    BusyError: [
        "ConcurrentTaskExceeded",
        "Database.ConnectError",
        "IncorrectDBInstanceState",
        "IncorrectDBState",
        "InstanceConnectTimeoutFault",
        "LockTimeout",
    ],
    QuotaError: [
        "InsufficientBalance",
        "OperationDenied",
        "OperationDenied.OutofUsage",
        "QuotaNotEnough",
    ],
    TokenMismatchError: ["IdempotentParameterMismatch"],
    InvalidRequestError: ["InvalidParameter", "MissingParameter", "UnsupportedParameter"],
    ServerError: ["InternalError", "ServiceUnavailable"],
    ThrottledError: ["Rejected.Throttling"],
}
_ROWS = [(code, cls) for cls, codes in _EXPECTED.items() for code in codes]
_STATUSES = [None, 200, 400, 403, 404, 429, 500, 503]


def test_the_table_has_these_codes_and_no_others() -> None:
    """A code that is added, dropped or reclassified changes what a user sees: on purpose only."""
    assert dict(_ROWS) == CODES


@pytest.mark.parametrize(("code", "cls"), _ROWS)
def test_a_known_code_has_its_class_whatever_the_status(code: str, cls: type[ApiError]) -> None:
    """The exact code goes before the status: the pages disagree about statuses."""
    assert {error_class(code, status) for status in _STATUSES} == {cls}


@pytest.mark.parametrize(
    ("code", "cls"),
    [
        ("Throttling", ThrottledError),
        ("Throttling.User", ThrottledError),
        ("Throttling.Api", ThrottledError),
        ("OperationDenied.DBInstanceStatus", BusyError),
        ("OperationDenied.AINodeBound", BusyError),
        ("OperationDenied.", BusyError),
        ("ModelService.NotFound", NotFoundError),
        ("InvalidAction.NotFound", NotFoundError),
    ],
)
def test_an_unknown_code_goes_by_its_prefix_or_ending(code: str, cls: type[ApiError]) -> None:
    """Families of codes are known by their form, whatever the status."""
    assert {error_class(code, status) for status in _STATUSES} == {cls}


@pytest.mark.parametrize("code", [None, "Never.Heard.Of", "NotFound", "NotFound.Really", "None"])
@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (None, ApiError),
        (200, ApiError),
        (400, ApiError),
        (401, AccessError),
        (402, ApiError),
        (403, AccessError),
        (404, NotFoundError),
        (409, ApiError),
        (429, ThrottledError),
        (499, ApiError),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
    ],
)
def test_any_other_code_goes_by_the_status(
    code: str | None, status: int | None, cls: type[ApiError]
) -> None:
    """Codes that nobody documents are read by the status; a bare one never by its letters."""
    assert error_class(code, status) is cls


@given(st.text(), st.integers(100, 599))
def test_no_unknown_code_says_that_the_instance_is_missing(code: str, status: int) -> None:
    """Only the documented codes speak of the instance."""
    if code not in CODES:
        assert error_class(code, status) is not InstanceNotFoundError


@pytest.mark.parametrize(("code", "cls"), [(codes[0], cls) for cls, codes in _EXPECTED.items()])
def test_a_code_arrives_as_its_class_over_http(code: str, cls: type[ApiError]) -> None:
    """The whole way from the answer: class, code, status, request id and the cloud's reason."""
    body = {"Code": code, "Message": "Some  reason.\nIn two lines.", "RequestId": "REQ-1"}
    with stub(lambda _: Answer(body, 400)) as cloud, pytest.raises(ApiError) as caught:
        gateway_for(cloud).list_ai_nodes(INSTANCE)
    error = caught.value
    assert (type(error), error.code, error.status, error.request_id) == (cls, code, 400, "REQ-1")
    assert str(error).startswith(
        "ListAINodePools of instance gp-demo failed: Some reason. In two lines "
        f"(code={code}, status=400, request_id=REQ-1)."
    )
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (
            "InvalidTimeStamp.Expired",
            "Set this machine's clock right: the cloud accepts 15 minutes of difference.",
        ),
        (
            "InvalidSecurityToken.Expired",
            "Fetch a new security token, then run the command again.",
        ),
        (
            "Forbidden.RAM",
            "Check the access key and its secret, the RAM policy, and the security token's expiry. "
            "The credentials come from these tests.",
        ),
        (
            "QuotaNotEnough",
            "Free an AI node, or raise the quota or balance, then run `pulumi up` again.",
        ),
        (
            "IdempotentParameterMismatch",
            "Set another client_token, or leave it out to have one derived from the inputs.",
        ),
        (
            "InvalidDBInstanceId.NotFound",
            "The instance does not exist, or belongs to another region or account than the one in "
            "use: check db_instance_id, the region and the credentials.",
        ),
    ],
)
def test_a_code_comes_with_what_to_do_about_it(code: str, hint: str) -> None:
    """The next step ends the text; where the key may be wrong, and only there, its source does."""
    answer = Answer({"Code": code, "Message": "m"}, 400)
    with stub(lambda _: answer) as cloud, pytest.raises(ApiError) as caught:
        gateway_for(cloud).list_ai_nodes(INSTANCE)
    assert str(caught.value) == (
        f"ListAINodePools of instance gp-demo failed: m (code={code}, status=400). {hint}"
    )


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "the cloud gives no reason (status=400)."),
        ({"Code": None, "Message": None}, 404, "the cloud gives no reason (status=404)."),
        ({"Code": 7, "Message": ["x"]}, 403, "the cloud gives no reason (status=403)."),
        ({"code": "LowerCase", "message": "m"}, 400, "m (code=LowerCase, status=400)."),
        ({"Message": "m" * 300}, 400, f"{'m' * 255}… (status=400)."),
    ],
)
def test_an_error_answer_may_lack_anything(body: object, status: int, text: str) -> None:
    """What the answer does not say is left out; a long reason is cut."""
    with stub(lambda _: Answer(body, status)) as cloud, pytest.raises(ApiError) as caught:
        gateway_for(cloud).list_ai_nodes(INSTANCE)
    assert f"ListAINodePools of instance gp-demo failed: {text}" in str(caught.value)


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-8"?>'])
def test_an_error_that_comes_as_xml_is_read_like_one_in_json(declaration: str) -> None:
    """Gateways before the API may answer in XML, whatever was asked for."""
    text = (
        f"{declaration}<Error><RequestId>REQ-1</RequestId><HostId>h</HostId>"
        "<Code>Forbidden.RAM</Code><Message>not authorized</Message></Error>"
    )
    reply = answer(text.encode(), "Content-Type: text/xml;charset=utf-8", status="403 Forbidden")
    with raw_server(reply) as server, pytest.raises(AccessError) as caught:
        gateway_for(server).list_ai_nodes(INSTANCE)
    assert "failed: not authorized (code=Forbidden.RAM, status=403, request_id=REQ-1)." in str(
        caught.value
    )


@pytest.mark.parametrize("text", ["", "<html>", "<Other/>", "<Error>odd</Error>", "<Error/>"])
def test_other_xml_is_no_usable_answer(text: str) -> None:
    """A page of some proxy, or an error that says nothing, is told as such."""
    reply = answer(text.encode(), "Content-Type: text/xml", status="502 Bad Gateway")
    with raw_server(reply) as server, pytest.raises(TransportError) as caught:
        gateway_for(server, policy=RetryPolicy(attempts=1)).list_ai_nodes(INSTANCE)
    assert " is not JSON" in str(caught.value) or " has an unexpected shape" in str(caught.value)
