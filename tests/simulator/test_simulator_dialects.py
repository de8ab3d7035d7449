"""Dialects: each one bends what its sentence says, and nothing when it is off."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import DIALECTS, Simulator
from tests.simulator.conftest import FakeClock, Refuse, Sdk, Start

TESTED: set[str] = set()


def dialect(name: str) -> pytest.MarkDecorator:
    """Mark a test as the one of a dialect."""
    TESTED.add(name)
    return pytest.mark.parametrize("sdk", [name], indirect=True)


@pytest.fixture
def sdk(request: pytest.FixtureRequest, start: Start, connect: type[Sdk]) -> Sdk:
    return connect(start(dialects=[request.param]))


@dialect("tokens-ignored")
def test_tokens_ignored(sdk: Sdk, refusal: Refuse) -> None:
    """The same token makes a second service, or meets the first one's node."""
    first = sdk.create("ai-1", client_token="t")
    assert refusal(sdk.create, "ai-1", client_token="t").code == "OperationDenied.AINodeBound"
    assert sdk.create("ai-2", client_token="t") != first


@dialect("status-capitalised")
def test_status_capitalised(sdk: Sdk, clock: FakeClock) -> None:
    """Status words start with a capital and are spelt rightly, in both reads."""
    service_id = sdk.create("ai-1")
    assert sdk.describe(service_id)["Status"] == "Deploying"
    clock.advance(1.0)
    assert sdk.describe(service_id)["Status"] == "Active"
    assert sdk.list()["ModelServices"][0]["Status"] == "Active"


@dialect("status-deploying")
def test_status_deploying(sdk: Sdk, clock: FakeClock) -> None:
    """The pending word is spelt rightly; the others are as ever."""
    service_id = sdk.create("ai-1")
    assert sdk.describe(service_id)["Status"] == "deploying"
    clock.advance(1.0)
    assert sdk.describe(service_id)["Status"] == "active"


@dialect("nodes-reordered")
def test_nodes_reordered(sdk: Sdk) -> None:
    """Nodes come back in another order than sent, in both reads."""
    service_id = sdk.create("ai-1", "ai-3", "ai-2")
    assert sdk.describe(service_id)["AiNodes"] == ["ai-3", "ai-2", "ai-1"]
    assert sdk.list()["ModelServices"][0]["AiNodes"] == ["ai-3", "ai-2", "ai-1"]


@dialect("whitelist-canonical")
def test_whitelist_canonical(sdk: Sdk) -> None:
    """Whitelists are networks: cleared, shortened, sorted and unique."""
    service_id = sdk.create("ai-1", security_iplist="10.2.3.4/8,9.9.9.9/32,10.0.0.0/8,0.0.0.0/0")
    assert sdk.describe(service_id)["SecurityIpList"] == "0.0.0.0/0,9.9.9.9,10.0.0.0/8"
    assert sdk.list()["ModelServices"][0]["SecurityIPList"] == "0.0.0.0/0,9.9.9.9,10.0.0.0/8"


@dialect("describe-gone-400")
def test_describe_gone_400(sdk: Sdk, refusal: Refuse) -> None:
    """The code is the same, the status is 400; deleting still answers 404."""
    assert refusal(sdk.describe, "ms-1").pair == (400, "ModelService.NotFound")
    assert refusal(sdk.delete, "ms-1").pair == (404, "ModelService.NotFound")


@dialect("describe-gone-empty")
def test_describe_gone_empty(sdk: Sdk) -> None:
    """A described service that is gone is an answer with only a RequestId."""
    assert sdk.describe("ms-1").keys() == {"RequestId"}


@dialect("slow-delete")
def test_slow_delete(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """Deleting takes two seconds."""
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)
    clock.advance(1.9)
    assert sdk.describe(service_id)["Status"] == "deleting"
    clock.advance(0.2)
    assert refusal(sdk.describe, service_id).status == 404


@dialect("invisible-after-create")
def test_invisible_after_create(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """For a second no read shows the service, though its node is taken."""
    service_id = sdk.create("ai-1")
    assert refusal(sdk.describe, service_id).pair == (404, "ModelService.NotFound")
    assert sdk.list()["TotalRecordCount"] == 0
    assert sdk.bound_nodes() == ["ai-1"]
    clock.advance(1.0)
    assert sdk.describe(service_id)["ModelServiceId"] == service_id
    assert sdk.list()["TotalRecordCount"] == 1


@dialect("delete-refused-while-deploying")
def test_delete_refused_while_deploying(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """A pending service cannot be deleted; an active one can."""
    service_id = sdk.create("ai-1")
    assert refusal(sdk.delete, service_id).pair == (400, "OperationDenied.DBInstanceStatus")
    clock.advance(1.0)
    sdk.delete(service_id)


@dialect("list-status-success")
def test_list_status_success(sdk: Sdk) -> None:
    """List shows success whatever the service's own state; describe shows the state."""
    service_id = sdk.create("ai-1")
    assert sdk.list()["ModelServices"][0]["Status"] == "success"
    assert sdk.describe(service_id)["Status"] == "deployming"


def test_every_dialect_is_tested_and_documented() -> None:
    """No dialect without a test here and a sentence in the registry."""
    assert DIALECTS.keys() == TESTED
    assert all(sentence.endswith(".") for sentence in DIALECTS.values())


def test_dialects_combine(start: Start, connect: type[Sdk]) -> None:
    """Several dialects may be in force at once."""
    sdk = connect(start(dialects=("status-capitalised", "nodes-reordered")))
    shown = sdk.describe(sdk.create("ai-1", "ai-2"))
    assert (shown["Status"], shown["AiNodes"]) == ("Deploying", ["ai-2", "ai-1"])


def test_snapshots_are_free_of_dialect(start: Start, connect: type[Sdk]) -> None:
    """The simulator's own view is not bent."""
    simulator = start(dialects=DIALECTS.keys() - {"delete-refused-while-deploying"})
    connect(simulator).create("ai-1", "ai-2")
    assert simulator.services[0].status == "deployming"
    assert simulator.services[0].ai_nodes == ("ai-1", "ai-2")


def test_an_unknown_dialect_is_an_error() -> None:
    """Unknown names list the known ones."""
    with pytest.raises(ValueError, match=r"unknown dialect typo; known: .*slow-delete"):
        Simulator(dialects=["typo"])
