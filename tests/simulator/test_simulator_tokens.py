"""ClientToken: one token, one service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from alibabacloud_tea_openapi.exceptions import AlibabaCloudException

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import Refuse, Sdk


def test_a_token_replays_its_service(simulator: Simulator, sdk: Sdk) -> None:
    """The same token and parameters answer the same id, and make nothing new."""
    first = sdk.create("ai-1", client_token="t")
    assert sdk.create("ai-1", client_token="t") == first
    assert len(simulator.services) == 1


def test_tokens_are_case_sensitive(simulator: Simulator, sdk: Sdk, refusal: Refuse) -> None:
    """Another case is another token: its create meets the node that is taken."""
    sdk.create("ai-1", client_token="t")
    assert refusal(sdk.create, "ai-1", client_token="T").code == "OperationDenied.AINodeBound"
    assert len(simulator.services) == 1


def test_a_token_replays_a_dead_id(simulator: Simulator, sdk: Sdk) -> None:
    """After its service was deleted a token answers the dead id, and nothing is resurrected."""
    first = sdk.create("ai-1", client_token="t")
    sdk.delete(first)

    assert sdk.create("ai-1", client_token="t") == first
    assert simulator.services == []


def test_a_token_with_other_parameters_is_refused(
    simulator: Simulator, sdk: Sdk, refusal: Refuse
) -> None:
    """A token is tied to every parameter of its create."""
    sdk.create("ai-1", client_token="t", description="one")

    for change in ({"description": "two"}, {"replicas": 2}, {"security_iplist": "1.1.1.1"}):
        fields = {"description": "one", "client_token": "t", **change}
        refused = refusal(sdk.create, "ai-1", **fields)
        assert refused.pair == (400, "IdempotentParameterMismatch")
    assert len(simulator.services) == 1


def test_a_failed_create_does_not_burn_its_token(sdk: Sdk, refusal: Refuse) -> None:
    """A token whose create was refused is still good for another one."""
    holder = sdk.create("ai-1")
    assert refusal(sdk.create, "ai-1", client_token="t").code == "OperationDenied.AINodeBound"
    sdk.delete(holder)

    assert sdk.create("ai-1", client_token="t") != holder


def test_without_a_token_each_create_is_its_own(sdk: Sdk, refusal: Refuse) -> None:
    """No token, no replay."""
    sdk.create("ai-1")
    assert refusal(sdk.create, "ai-1").code == "OperationDenied.AINodeBound"


def test_concurrent_creates_with_one_token_make_one_service(simulator: Simulator, sdk: Sdk) -> None:
    """A race of identical creates makes one service, and all learn its id."""
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: sdk.create("ai-1", client_token="t"), range(16)))
    assert ids == {simulator.services[0].id}


def test_concurrent_creates_on_one_node_make_one_service(simulator: Simulator, sdk: Sdk) -> None:
    """A race for a node has one winner; the others are refused."""

    def attempt(_: int) -> bool:
        try:
            sdk.create("ai-1")
        except AlibabaCloudException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
    assert len(simulator.services) == 1
