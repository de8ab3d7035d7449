"""What the console's buttons ask for: services changed and deleted, deployments held, faults."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Refuse, Sdk
from tests.simulator.console.conftest import Console


def test_a_change_is_a_drift(simulator: Simulator, console: Console, sdk: Sdk) -> None:
    """Each field changes by itself, at once, and without a call to the API."""
    service_id = sdk.create("ai-1", description="declared")
    path = f"/console/services/{service_id}"
    changes = {
        "description": "by hand",
        "model_name": "Qwen3-32B",
        "security_ip_list": "10.0.0.0/8, 192.168.0.1",
        "status": "deploy_failed",
    }
    for name, value in changes.items():
        assert 204 == console.ask("PATCH", path, {name: value}).status_code

    service = simulator.service(service_id)
    assert ("by hand", "Qwen3-32B") == (service.description, service.model_name)
    assert ("10.0.0.0/8", "192.168.0.1") == service.security_ip_list
    assert "deploy_failed" == service.status
    assert 1 == len(simulator.requests)
    assert 204 == console.ask("PATCH", path, {"description": ""}).status_code
    assert not simulator.service(service_id).description


def test_a_deleted_service_is_gone(simulator: Simulator, console: Console, sdk: Sdk) -> None:
    """It is gone as if deleted elsewhere, and its node is free."""
    service_id = sdk.create("ai-1")
    assert 204 == console.ask("DELETE", f"/console/services/{service_id}").status_code
    assert [] == simulator.services
    assert [] == sdk.bound_nodes()


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_unknown_service_is_said_to_be(console: Console, method: str) -> None:
    """One that has just gone is a 404 with a sentence for the person."""
    answer = console.ask(method, "/console/services/ms-none", {"status": "active"})
    assert (404, "there is no service ms-none") == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        "text",
        {"api_key": "sk-mine"},
        {"status": "active", "id": "ms-other"},
        {"status": ""},
        {"status": 1},
        {"model_name": None},
        {"description": ["a"]},
        {"security_ip_list": ""},
        {"security_ip_list": "10.0.0.0/99"},
        {"security_ip_list": ["10.0.0.1"]},
    ],
)
def test_a_bad_change_changes_nothing(
    simulator: Simulator, console: Console, sdk: Sdk, content: Any
) -> None:
    """What is no change, or no value, is a 400 that says so."""
    service_id = sdk.create("ai-1")
    before = simulator.services
    answer = console.ask("PATCH", f"/console/services/{service_id}", content)
    assert 400 == answer.status_code
    assert answer.json()["error"]
    assert before == simulator.services


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/console/services/ms-1"),
        ("PUT", "/console/deployments"),
        ("POST", "/console/faults"),
    ],
)
def test_malformed_json_is_refused(console: Console, method: str, path: str, data: bytes) -> None:
    """Bytes that are not JSON are a 400."""
    answer = console.ask(method, path, data=data)
    assert (400, "the request is not JSON") == (answer.status_code, answer.json()["error"])


def test_deployments_are_held_and_released(
    simulator: Simulator, console: Console, sdk: Sdk, clock: FakeClock
) -> None:
    """None ends while they are held."""
    service_id = sdk.create("ai-1")
    assert 204 == console.ask("PUT", "/console/deployments", {"held": True}).status_code
    clock.advance(100)
    assert "deployming" == simulator.service(service_id).status
    assert console.event("state")["held"]
    assert 204 == console.ask("PUT", "/console/deployments", {"held": False}).status_code
    assert "active" == simulator.service(service_id).status
    assert 400 == console.ask("PUT", "/console/deployments", {"held": "yes"}).status_code


def test_a_fault_strikes_the_api(console: Console, sdk: Sdk, refusal: Refuse) -> None:
    """It strikes the call it names, as often as it says, and what is left of it is shown."""
    fault = {"fault": "quota", "action": "CreateModelService", "times": 2}
    assert 204 == console.ask("POST", "/console/faults", fault).status_code
    sdk.list()
    assert "QuotaNotEnough" == refusal(sdk.create).code
    (waiting,) = console.event("state")["faults"]
    assert ("quota", "CreateModelService", 1) == (
        waiting["name"],
        waiting["action"],
        waiting["times"],
    )
    assert "QuotaNotEnough" == refusal(sdk.create).code
    assert [] == console.event("state")["faults"]
    sdk.create()


def test_faults_are_switched_off_one_by_one(console: Console, sdk: Sdk, refusal: Refuse) -> None:
    """The others stay; switching off what has struck already is no mistake."""
    for name in ("quota", "forbidden"):
        fault = {"fault": name, "action": None, "times": None}
        assert 204 == console.ask("POST", "/console/faults", fault).status_code
    first, second = console.event("state")["faults"]
    for _ in range(2):
        path = f"/console/faults/{first['number']}"
        assert 204 == console.ask("DELETE", path).status_code
    assert [second] == console.event("state")["faults"]
    assert "Forbidden.RAM" == refusal(sdk.list).code
    assert 404 == console.ask("DELETE", "/console/faults/first").status_code


@pytest.mark.parametrize(
    "content",
    [
        {"action": "CreateModelService"},
        {"fault": "none-such"},
        {"fault": None},
        {"fault": "quota", "action": "Reboot"},
        {"fault": "quota", "action": ["CreateModelService"]},
        {"fault": "quota", "times": 0},
        {"fault": "quota", "times": True},
        {"fault": "quota", "times": 1.5},
        {"fault": "quota", "after": 1},
    ],
)
def test_a_bad_fault_is_refused(console: Console, content: Any) -> None:
    """What cannot be injected is a 400, and nothing is on."""
    assert 400 == console.ask("POST", "/console/faults", content).status_code
    assert [] == console.event("state")["faults"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/console"),
        ("GET", "/console/"),
        ("GET", "/console/faults"),
        ("GET", "/console/..%2fguard.py"),
        ("GET", "/console/__init__.py"),
        ("POST", "/console/services/ms-1"),
        ("PUT", "/console/deployments/all"),
    ],
)
def test_nothing_else_is_there(
    simulator: Simulator, console: Console, method: str, path: str
) -> None:
    """Other paths and methods below the console's are a 404, not the API's business."""
    assert 404 == console.ask(method, path, {}).status_code
    assert [] == simulator.requests
