"""The engine's call as it is found on the stack, and what is told it beside an error."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf import any_pb2, struct_pb2
from hypothesis import example, given
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2, status_pb2

from pulumi_adbpg_model.host import Call, current_call
from pulumi_adbpg_model.host._call import _status
from tests.provider.servicer import URN, Context, serve


def _found(request: Any, context: Any = None) -> Call | None:
    return serve(current_call, request, context)


@pytest.mark.parametrize(
    "request_type",
    [
        provider_pb2.CreateRequest,
        provider_pb2.UpdateRequest,
        provider_pb2.ReadRequest,
        provider_pb2.DeleteRequest,
    ],
)
@pytest.mark.parametrize(("sent", "expected"), [(0, None), (0.25, 0.25), (5400, 5400)])
def test_call_has_urn_and_timeout_of_the_request(
    request_type: Any, sent: float, expected: float | None
) -> None:
    """A timeout that is not set is nought on the wire."""
    call = _found(request_type(urn=URN, timeout=sent))

    assert call is not None
    assert (call.urn, call.timeout_s) == (URN, expected)


@pytest.mark.parametrize("request_type", [provider_pb2.CheckRequest, provider_pb2.DiffRequest])
def test_call_of_a_request_without_a_timeout_has_none(request_type: Any) -> None:
    """Check and diff are told the URN alone."""
    call = _found(request_type(urn=URN))

    assert call is not None
    assert (call.urn, call.timeout_s) == (URN, None)


@pytest.mark.parametrize(
    ("request_", "context"),
    [
        pytest.param(SimpleNamespace(urn=URN, timeout=1.0), Context(), id="no message"),
        pytest.param(struct_pb2.Struct(), Context(), id="message of another package"),
        pytest.param(provider_pb2.CreateRequest(urn=URN), object(), id="context of another make"),
    ],
)
def test_call_is_no_other_pair_of_that_name(request_: Any, context: Any) -> None:
    """A program may name anything `request` and `context`."""
    assert _found(request_, context) is None


def test_call_is_looked_for_beyond_another_pair_of_that_name() -> None:
    """What stands between the servicer and the provider hides nothing."""
    between = SimpleNamespace(), SimpleNamespace()

    call = serve(lambda: _found(*between), provider_pb2.CreateRequest(urn=URN))

    assert call is not None
    assert call.urn == URN


def test_call_is_the_one_of_its_own_thread() -> None:
    """Calls are served by many threads at once."""
    found: list[Call | None] = []

    def elsewhere() -> None:
        thread = threading.Thread(target=lambda: found.append(current_call()))
        thread.start()
        thread.join()

    serve(elsewhere)

    assert found == [None]
    assert current_call() is None


def test_partial_failure_is_told_as_the_engine_reads_it() -> None:
    """One status with one detail: id, properties and the reason."""
    context = Context()
    call = _found(provider_pb2.CreateRequest(urn=URN), context)
    assert call is not None
    outs = {"status": "deployming", "replicas": 2, "deep": {"list": [1, "two", None, True]}}

    assert call.tell_partial_failure("gp-1:ms-1", outs, "not yet")

    (name,) = context.trailers
    assert name == "grpc-status-details-bin"
    status = status_pb2.Status.FromString(context.trailers[name])
    assert (status.code, status.message) == (2, "not yet")
    (detail,) = status.details
    failed = provider_pb2.ErrorResourceInitFailed()
    assert detail.Unpack(failed)
    properties = struct_pb2.Struct()
    properties.update(outs)
    assert failed == provider_pb2.ErrorResourceInitFailed(
        id="gp-1:ms-1", properties=properties, reasons=["not yet"]
    )


@pytest.mark.parametrize(
    ("outs", "reason", "context"),
    [
        pytest.param({"a": object()}, "not yet", Context(), id="no property value"),
        pytest.param({}, "\ud800", Context(), id="no text"),
        pytest.param(
            {},
            "not yet",
            SimpleNamespace(set_trailing_metadata=lambda: None),
            id="context of another make",
        ),
    ],
)
def test_partial_failure_that_cannot_be_told_says_so(
    outs: dict[str, Any], reason: str, context: Any
) -> None:
    """Nothing is raised: the caller must not fail then, or the id would be lost."""
    call = _found(provider_pb2.CreateRequest(urn=URN), context)
    assert call is not None

    assert not call.tell_partial_failure("gp-1:ms-1", outs, reason)


#: Sizes on both sides of each length that takes another byte.
_sizes = st.integers(0, 200) | st.sampled_from(
    [size + step for size in (1 << 7, 1 << 14, 1 << 21) for step in (-12, -2, -1, 0, 1, 2)]
)
_details = st.builds(
    lambda name, fill, size: any_pb2.Any(type_url=name, value=fill * size),
    st.text(max_size=50),
    st.binary(min_size=1, max_size=1),
    _sizes,
)


@given(
    st.text() | st.builds(lambda letter, size: letter * size, st.characters(codec="utf-8"), _sizes),
    _details,
)
@example("", any_pb2.Any())
@example("x" * (1 << 21), any_pb2.Any(value=b"x" * (1 << 22)))
def test_status_on_the_wire_is_read_back_the_same(message: str, detail: any_pb2.Any) -> None:
    """Any text, and a detail of any size: the encoding made by hand is that of protobuf."""
    expected = status_pb2.Status(code=2, message=message, details=[detail])

    assert status_pb2.Status.FromString(_status(message, detail)) == expected
    if message:  # which protobuf leaves out when it is empty
        assert _status(message, detail) == expected.SerializeToString()
