"""What a test can look at: requests and services, and what their reprs keep to themselves."""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Raw, Refuse, Sdk, Start


def test_requests_are_recorded_in_order(
    simulator: Simulator, sdk: Sdk, clock: FakeClock, refusal: Refuse
) -> None:
    """Each request has its action, parameters, headers, time and outcome."""
    service_id = sdk.create("ai-1", client_token="t")
    clock.advance(2.0)
    refusal(sdk.describe, "ms-none")

    create, describe = simulator.requests
    assert create.action == "CreateModelService"
    assert create.query["AiNodes"] == '["ai-1"]'
    assert create.body == {"ClientToken": "t"}
    assert create.parameters["ClientToken"] == "t"
    assert create.headers["x-acs-version"] == "2016-05-03"
    assert (create.response_status, create.response_code) == (200, None)
    assert (describe.response_status, describe.response_code) == (404, "ModelService.NotFound")
    assert describe.time - create.time == pytest.approx(2.0)
    assert simulator.service(service_id).client_token == "t"


def test_calls_and_mutations_filter(simulator: Simulator, sdk: Sdk, refusal: Refuse) -> None:
    """calls() is by action; mutations are those that ask for a change, refused ones too."""
    service_id = sdk.create("ai-1")
    refusal(sdk.create, "ai-1")
    sdk.list()
    sdk.modify("1.1.1.1", "group")
    sdk.delete(service_id)

    assert len(simulator.calls("CreateModelService")) == 2
    assert len(simulator.calls()) == 5
    assert [call.action for call in simulator.mutations] == [
        "CreateModelService",
        "CreateModelService",
        "ModifySecurityIps",
        "DeleteModelService",
    ]
    simulator.clear_requests()
    assert simulator.requests == []


def test_badly_signed_requests_are_recorded_too(simulator: Simulator, raw: Raw) -> None:
    """Nothing that arrives goes unseen."""
    raw.key_secret = "wrong"
    raw.call("ListSupportModels")
    assert simulator.requests[0].response_code == "SignatureDoesNotMatch"


def test_snapshots_are_frozen_and_do_not_follow(simulator: Simulator, sdk: Sdk) -> None:
    """A snapshot is of its moment, and cannot be written."""
    service_id = sdk.create("ai-1")
    snapshot, services = simulator.service(service_id), simulator.services
    simulator.change_service(service_id, description="later")
    sdk.delete(service_id)

    assert snapshot.description is None
    assert len(services) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.status = "other"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        simulator.requests[0].action = "other"  # type: ignore[misc]


def test_reprs_keep_secrets(start: Start, connect: type[Sdk], clock: FakeClock) -> None:
    """Neither keys nor tokens nor signatures are in any repr."""
    simulator = start(security_token="sts-token")
    sdk = connect(simulator, security_token="sts-token")
    sdk.create("ai-1")
    clock.advance(1.0)

    (service,) = simulator.services
    assert service.api_key
    assert service.api_key not in repr(simulator.services)
    (request,) = simulator.requests
    shown = repr(simulator.requests)
    assert "sts-token" not in shown
    assert request.headers["authorization"] not in shown
    assert "simulator-key-secret" not in repr(simulator)
