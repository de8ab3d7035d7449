"""The wording of errors: one line for the user, whatever the cloud says."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model import errors
from pulumi_adbpg_model.errors import (
    AdbpgModelError,
    ApiError,
    ConfigurationError,
    InstanceNotFoundError,
    NotFoundError,
    OperationError,
    RenewalError,
    ServerError,
    ThrottledError,
    TransportError,
)

_ACTION = "CreateModelService"
_SUBJECT = "for instance gp-abc"
_FAILED = "CreateModelService for instance gp-abc failed: quota exceeded"
_ADVICE = "Correct what the cloud complains of, then run the command again."


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"code": "QuotaNotEnough", "status": 400, "request_id": "R-1", "hint": "Free a node."},
            f"{_FAILED} (code=QuotaNotEnough, status=400, request_id=R-1). Free a node.",
        ),
        (
            {"code": "QuotaNotEnough"},
            f"{_FAILED} (code=QuotaNotEnough). {_ADVICE}",
        ),
        (
            {"status": 502, "hint": "Run it again."},
            f"{_FAILED} (status=502). Run it again.",
        ),
        ({}, f"{_FAILED}. {_ADVICE}"),
    ],
)
def test_api_error_text_has_what_the_answer_has(fields: dict[str, Any], text: str) -> None:
    """The text is action, subject, reason, the fields that are there, and the hint."""
    assert text == str(ApiError(_ACTION, _SUBJECT, "quota exceeded", **fields))


def test_transport_error_text_has_no_fields() -> None:
    """Where nothing was answered there are no identifying fields, but advice."""
    error = TransportError("DescribeModelService", "gp-abc:ms-1", "it does not answer in time")
    assert str(error) == (
        "DescribeModelService gp-abc:ms-1 failed: it does not answer in time. Check the region, "
        "the endpoint, the network and the proxy settings."
    )


def test_error_keeps_its_fields() -> None:
    """A caller finds the answer's fields on the error, each None when absent."""
    error = ApiError(
        _ACTION, _SUBJECT, "slow down", code="Throttling", status=400, request_id="R-1",
        retry_after_s=1.5,
    )  # fmt: skip
    assert (
        error.code, error.status, error.request_id, error.retry_after_s,
    ) == ("Throttling", 400, "R-1", 1.5)  # fmt: skip
    bare = ApiError(_ACTION, _SUBJECT, "slow down")
    assert (
        bare.code, bare.status, bare.request_id, bare.retry_after_s,
    ) == (None, None, None, None)  # fmt: skip


def test_error_is_replaced_by_a_new_one_with_all_that_is_not_named() -> None:
    """What a caller adds makes another error of the same class; the first one stays as it was."""
    first = ServerError(
        _ACTION, _SUBJECT, "a fault", code="InternalError", status=500, request_id="R-1"
    )
    new = first.replace(hint="Do this.", in_doubt=False)
    assert (type(new), new.details, new.in_doubt) == (ServerError, first.details, False)
    assert str(new) == str(first).replace(first.hint, "Do this.")
    assert (first.hint, first.in_doubt) == (ServerError.default_hint, True)
    assert str(first.replace(in_doubt=False)) == str(first)
    assert first.replace(hint="").in_doubt


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("ends with a stop.", "ends with a stop"),
        ("two\nlines\r\n and\ttabs", "two lines and tabs"),
        ("  spaces  ", "spaces"),
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 255 + "…"),
        ("y " * 500, ("y " * 128)[:255] + "…"),
    ],
)
def test_error_shows_its_reason_in_one_capped_line(reason: str, shown: str) -> None:
    """White space is folded, a final stop dropped, and 256 characters are shown at most."""
    error = ApiError(_ACTION, _SUBJECT, reason)
    assert f"{_ACTION} {_SUBJECT} failed: {shown}. {_ADVICE}" == str(error)


def test_error_text_is_one_line_whatever_the_cloud_answers() -> None:
    """A code or request id with line breaks, or without end, cannot spoil the line."""
    text = str(ApiError(_ACTION, _SUBJECT, "no", code="A\nB" + "c" * 5000, request_id="R\r\n1"))
    assert [text] == text.splitlines()
    assert "request_id=R 1)." in text
    assert len(text) < 800


def test_error_text_holds_nothing_that_a_terminal_obeys() -> None:
    """Escape sequences in the cloud's words stay visible, and do nothing."""
    text = str(ApiError(_ACTION, _SUBJECT, "\x1b[2Jgone \x9b31m", code="A\x07"))
    assert text.isprintable()
    assert "\ufffd[2Jgone \ufffd31m (code=A\ufffd)" in text


@pytest.mark.parametrize(
    ("cls", "hint"),
    [
        (
            InstanceNotFoundError,
            (
                "The instance does not exist, or belongs to another region or account than the one "
                "in use: check db_instance_id, the region and the credentials."
            ),
        ),
        (ThrottledError, "Too many calls at once: wait a minute and run the command again."),
        (
            NotFoundError,
            "Check the ids and names in the declaration, the region and the credentials.",
        ),
        (ApiError, _ADVICE),
    ],
)
def test_error_uses_the_hint_of_its_class_when_given_none(cls: type[ApiError], hint: str) -> None:
    """A class may know what to do next; a hint of the raiser's own goes first."""
    assert hint == cls(_ACTION, _SUBJECT, "no").hint
    assert cls(_ACTION, _SUBJECT, "no", hint="Do this.").hint == "Do this."


def test_errors_that_may_be_retried_are_marked() -> None:
    """Only no answer, throttling and faults of the cloud allow the same call again."""
    classes = [getattr(errors, name) for name in errors.__all__ if name != "text_of"]
    marked = {cls for cls in classes if getattr(cls, "retryable", False)}
    assert {TransportError, RenewalError, ThrottledError, ServerError} == marked


@pytest.mark.parametrize("cls", [AdbpgModelError, ConfigurationError, OperationError])
def test_plain_error_shows_its_text_alone(cls: type[AdbpgModelError]) -> None:
    """Errors of no single call are the text they were given."""
    assert str(cls("no region is set")) == "no region is set"


def test_default_hints_are_sentences() -> None:
    """Every hint of a class starts with a capital and ends with a stop."""
    hints = [getattr(getattr(errors, name), "default_hint", "") for name in errors.__all__]
    given = [hint for hint in hints if hint]
    assert given == [hint for hint in given if hint[0].isupper() and hint.endswith(".")]
    assert len(given) >= 6
