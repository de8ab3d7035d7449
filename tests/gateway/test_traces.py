"""A call to the cloud is one span, however often it is sent."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import ApiError, ServerError
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import ACTIONS, INSTANCE, Answer, add_service, gateway_for, stub
from tests.spans import listening, tree

_ALL = (
    "adbpg.attempts",
    "adbpg.code",
    "error.type",
    "http.response.status_code",
)
_SERVICE = ModelServiceId(INSTANCE, "ms-1")


def test_every_action_is_a_span(simulator: Simulator) -> None:
    """Named as the API has it, with what HTTP answered; each page of a list is a call."""
    service = add_service(simulator)
    gateway = gateway_for(simulator)
    with listening() as memory, tracing.operation("all"):
        for call in ACTIONS.values():
            call(gateway, service)
    (root,) = memory.roots("all")
    told = {"adbpg.attempts": 1, "http.response.status_code": 200}
    first, *rest = tree(memory.spans, root, *_ALL)
    assert ("CreateModelService", told, ["credentials"]) == first
    assert [(action, told) for action in list(ACTIONS)[1:]] == rest


def test_attempts_are_counted_and_pauses_say_why(simulator: Simulator) -> None:
    """What is repeated is one call, with a pause for each failure below it."""
    gateway = gateway_for(simulator)
    gateway.list_ai_nodes(INSTANCE)
    simulator.inject("throttled", "ListAINodePools", times=2)
    with listening() as memory, tracing.operation("act"):
        gateway.list_ai_nodes(INSTANCE)
    (root,) = memory.roots("act")
    why = {
        "adbpg.code": "Throttling.User",
        "error.type": "ThrottledError",
        "http.response.status_code": 400,
    }
    told = {"adbpg.attempts": 3, "http.response.status_code": 200}
    assert [("ListAINodePools", told, [("pause", why)] * 2)] == tree(memory.spans, root, *_ALL)
    waited = [span.attributes["adbpg.waited_s"] for span in memory.roots("pause")]
    assert pytest.approx(sum(waited), abs=0.002) == root.attributes["adbpg.waited_s"]
    assert sum(waited) > 0


def test_a_call_that_fails_tells_code_status_and_attempts(simulator: Simulator) -> None:
    """As the error does, and nothing that the cloud worded."""
    gateway = gateway_for(simulator)
    simulator.inject("unavailable", "ListAINodePools", times=None)
    with listening() as memory, pytest.raises(ServerError), tracing.operation("act"):
        gateway.list_ai_nodes(INSTANCE)
    (call,) = memory.roots("ListAINodePools")
    assert call.failed
    assert {
        "adbpg.attempts": 7,
        "adbpg.code": "ServiceUnavailable",
        "error.type": "ServerError",
        "http.response.status_code": 503,
    } == {name: call.attributes[name] for name in _ALL}


def test_nothing_of_request_or_answer_is_told() -> None:
    """Neither of what is asked nor of what the cloud says of it, wherever it says it."""
    words = {"Code": "marked code", "Message": "marked text", "RequestId": "marked-id"}
    with stub(lambda _: Answer({**words, "HostId": "marked-host"}, 400)) as cloud:
        gateway = gateway_for(cloud)
        with listening() as memory, tracing.operation("act"):
            for call in ACTIONS.values():
                with pytest.raises(ApiError):
                    call(gateway, _SERVICE)
    assert len(ACTIONS) + 2 == len(memory.spans)
    for span in memory.spans:
        for marked in ("marked", "127.0.0.1", INSTANCE, "simulator-key", "token-1", "10.9.8.7"):
            assert marked not in span.text
