"""Faults: for each, what the client gets, and whether the action was applied."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from alibabacloud_tea_openapi.exceptions import ThrottlingException

from pulumi_adbpg_model.testing import FAULTS, Simulator
from tests.simulator.conftest import Raw, Refuse, Sdk

CREATE = {"DBInstanceId": "gp-demo", "ModelName": "Qwen3-Embedding-8B", "AiNodes": '["ai-1"]'}

REFUSALS = {
    "internal-error": (500, "InternalError", 0),
    "internal-error-after": (500, "InternalError", 1),
    "unavailable": (503, "ServiceUnavailable", 0),
    "throttled": (400, "Throttling.User", 0),
    "throttled-retry-after": (429, "Throttling.User", 0),
    "busy": (400, "OperationDenied.DBInstanceStatus", 0),
    "quota": (400, "QuotaNotEnough", 0),
    "forbidden": (403, "Forbidden.RAM", 0),
    "clock-skew": (400, "InvalidTimeStamp.Expired", 0),
    "expired-token": (400, "InvalidSecurityToken.Expired", 0),
    "not-found-404": (404, "NotFound", 0),
    "instance-not-found": (404, "InvalidDBInstanceId.NotFound", 0),
}
LOST = {"reset-before": 0, "reset-after": 1, "hang": 0, "hang-after": 1}
GARBLED = {
    "html-502": (502, "text/html", 0),
    "html-200": (200, "text/html", 0),
    "truncated-json": (200, "application/json", 1),
    "wrong-shape": (200, "application/json", 1),
    "empty-200": (200, "application/json", 1),
}


def test_every_fault_is_tested_and_documented() -> None:
    """The tables of this file and of the simulator agree, and each fault says what it does."""
    assert set(FAULTS) == REFUSALS.keys() | LOST.keys() | GARBLED.keys() | {"huge", "redirect"}
    for name, fault in FAULTS.items():
        assert fault.name == name
        assert fault.doc.startswith("Applied;" if fault.applied else "Not applied;")


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal(simulator: Simulator, raw: Raw, sdk: Sdk, refusal: Refuse, name: str) -> None:
    """The SDK sees the fault's status and code, and the effect is as documented."""
    status, code, made = REFUSALS[name]
    simulator.inject(name)

    assert refusal(sdk.create, "ai-1").pair == (status, code)
    assert len(simulator.services) == made
    record = simulator.requests[-1]
    assert (record.response_status, record.response_code, record.fault) == (status, code, name)
    assert raw.call("ListSupportModels").status_code == 200


@pytest.mark.parametrize("name", LOST)
def test_a_lost_answer(simulator: Simulator, raw: Raw, name: str) -> None:
    """The client gets no answer, and the effect is as documented."""
    simulator.inject(name)

    error = requests.Timeout if "hang" in name else requests.ConnectionError
    with pytest.raises(error):
        raw.call("CreateModelService", CREATE, timeout=0.3)
    assert len(simulator.services) == LOST[name]
    record = simulator.requests[-1]
    assert (record.response_status, record.response_code, record.fault) == (None, None, name)
    assert raw.call("ListSupportModels").status_code == 200


@pytest.mark.parametrize("name", GARBLED)
def test_a_garbled_answer(simulator: Simulator, raw: Raw, name: str) -> None:
    """The client gets no usable JSON object, and the effect is as documented."""
    status, content_type, made = GARBLED[name]
    simulator.inject(name)

    response = raw.call("CreateModelService", CREATE)
    assert response.status_code == status
    assert response.headers["content-type"].startswith(content_type)
    try:
        content = json.loads(response.text)
    except ValueError:
        content = None
    assert not isinstance(content, dict)
    assert len(simulator.services) == made


def test_a_cut_answer_is_the_beginning_of_the_real_one(simulator: Simulator, raw: Raw) -> None:
    """truncated-json cuts what would have been sent."""
    simulator.inject("truncated-json")
    assert re.match(r'\{"ModelServiceId": "ms-', raw.call("CreateModelService", CREATE).text)


def test_a_huge_answer_is_valid_to_its_end(simulator: Simulator, raw: Raw) -> None:
    """The fault huge is an object of 64 MB of which no header tells the length."""
    simulator.inject("huge")

    response = raw.call("CreateModelService", CREATE)
    assert response.status_code == 200
    assert "content-length" not in response.headers
    assert len(response.content) > 64 * 1024 * 1024
    assert json.loads(response.content).keys() == {"Padding", "RequestId"}
    assert simulator.services == []
    record = simulator.requests[-1]
    assert (record.response_status, record.fault) == (200, "huge")


def test_a_huge_answer_ends_when_the_client_leaves(simulator: Simulator, raw: Raw) -> None:
    """The server notices, and goes on serving."""
    left = threading.Event()

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "client left" in record.getMessage():
                left.set()

    logger, watch = logging.getLogger("pulumi_adbpg_model.simulator.wire"), Watch()
    logger.addHandler(watch)
    logger.setLevel(logging.DEBUG)
    try:
        simulator.inject("huge")
        response = raw.call("ListSupportModels", stream=True)
        assert response.raw.read(10) == b'{"Padding"'
        response.close()
        assert left.wait(5)
    finally:
        logger.removeHandler(watch)
        logger.setLevel(logging.NOTSET)
    assert raw.call("ListSupportModels").status_code == 200


def test_a_redirect_shows_who_follows_it(simulator: Simulator, raw: Raw) -> None:
    """The fault redirect leads to another path of this server, which records requests too."""
    simulator.inject("redirect")

    response = raw.call("CreateModelService", CREATE)
    assert [(one.status_code, one.headers["location"]) for one in response.history] == [
        (307, "/moved")
    ]
    assert simulator.services == []
    first, second = simulator.requests
    assert (first.path, first.response_status, first.fault) == ("/", 307, "redirect")
    assert (second.path, second.action) == ("/moved", "CreateModelService")
    assert (second.response_status, second.response_code) == (404, "InvalidAction.NotFound")
    assert "path='/moved'" in repr(second)


def test_an_applied_fault_on_a_refused_call_hides_the_refusal(
    simulator: Simulator, sdk: Sdk, raw: Raw
) -> None:
    """If the action itself is refused, the fault changes only how that is told."""
    sdk.create("ai-1")
    simulator.inject("empty-200")
    assert raw.call("CreateModelService", CREATE).text == ""
    assert len(simulator.services) == 1


def test_retry_after_is_what_the_sdk_reads(simulator: Simulator, sdk: Sdk) -> None:
    """throttled-retry-after comes out of the SDK as a ThrottlingException of 200 ms."""
    simulator.inject("throttled-retry-after")
    with pytest.raises(ThrottlingException) as caught:
        sdk.models()
    assert caught.value.retry_after == 200


def test_a_fault_waits_for_its_action_and_count(
    simulator: Simulator, sdk: Sdk, refusal: Refuse
) -> None:
    """action, after and times choose which calls are struck."""
    simulator.inject("unavailable", action="ListSupportModels", times=2, after=1)

    sdk.list()
    sdk.models()
    sdk.list()
    assert refusal(sdk.models).code == "ServiceUnavailable"
    assert refusal(sdk.models).code == "ServiceUnavailable"
    sdk.models()


def test_faults_queue_in_order(simulator: Simulator, sdk: Sdk, refusal: Refuse) -> None:
    """Of several faults for a call the first injected strikes first."""
    simulator.inject("quota")
    simulator.inject("busy")

    assert refusal(sdk.models).code == "QuotaNotEnough"
    assert refusal(sdk.models).code == "OperationDenied.DBInstanceStatus"
    sdk.models()


def test_a_fault_for_ever_ends_with_clear_faults(
    simulator: Simulator, sdk: Sdk, refusal: Refuse
) -> None:
    """times=None strikes every call until cleared."""
    simulator.inject("throttled", times=None)
    for _ in range(3):
        assert refusal(sdk.models).code == "Throttling.User"
    simulator.clear_faults()
    sdk.models()


def test_a_badly_signed_call_does_not_use_up_a_fault(
    simulator: Simulator, raw: Raw, sdk: Sdk, refusal: Refuse
) -> None:
    """Faults strike authentic calls only."""
    simulator.inject("quota")
    raw.key_secret = "wrong"
    assert raw.refused("ListSupportModels") == (400, "SignatureDoesNotMatch")
    assert refusal(sdk.models).code == "QuotaNotEnough"


def test_a_bad_injection_is_an_error(simulator: Simulator) -> None:
    """Unknown names list the known ones; impossible counts are refused."""
    with pytest.raises(ValueError, match=r"unknown fault typo; known: .*reset-before"):
        simulator.inject("typo")
    impossible: list[dict[str, Any]] = [{"times": 0}, {"after": -1}]
    for counts in impossible:
        with pytest.raises(ValueError, match="times must be at least 1"):
            simulator.inject("quota", **counts)


def test_stopping_frees_a_hanging_client(simulator: Simulator, raw: Raw) -> None:
    """A connection held by a fault ends when the simulator stops."""
    simulator.inject("hang")
    errors: list[Exception] = []

    def wait() -> None:
        try:
            raw.call("ListSupportModels", timeout=30)
        except requests.RequestException as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    deadline = time.monotonic() + 5
    while not simulator.requests and time.monotonic() < deadline:
        thread.join(0.01)
    simulator.stop()
    thread.join(5)
    assert isinstance(errors[0], requests.ConnectionError)


def test_this_file_never_sleeps() -> None:
    """Waiting in these tests is on events and clocks, never time.sleep."""
    folder = Path(__file__).parent
    needle = "time." + "sleep("
    assert not [path.name for path in folder.rglob("*.py") if needle in path.read_text()]
