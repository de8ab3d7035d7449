"""Dialects of CreateModelService and ModifySecurityIps: tokens, defaults, what takes effect."""

from __future__ import annotations

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Refuse, Sdk
from tests.simulator.dialects.registry import dialect


@dialect("tokens-ignored")
def test_tokens_ignored(sdk: Sdk, refusal: Refuse) -> None:
    """The same token makes a second service, or meets the first one's node."""
    first = sdk.create("ai-1", client_token="t")
    assert refusal(sdk.create, "ai-1", client_token="t").code == "OperationDenied.AINodeBound"
    assert sdk.create("ai-2", client_token="t") != first


@dialect("tokens-forget-dead", delete_seconds=5.0)
def test_tokens_forget_dead(sdk: Sdk, clock: FakeClock) -> None:
    """A token replays its service while that lives, then makes a new one and replays that."""
    first = sdk.create("ai-1", client_token="t")
    sdk.delete(first)
    clock.advance(4.9)
    assert sdk.create("ai-1", client_token="t") == first
    clock.advance(0.1)
    second = sdk.create("ai-1", client_token="t", description="other")
    assert second != first
    assert sdk.create("ai-1", client_token="t", description="other") == second


@dialect("tokens-forgotten")
def test_tokens_forgotten(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """A token counts for 60 s from its create, dead or alive, then it is a new one."""
    first = sdk.create("ai-1", client_token="t")
    clock.advance(59.9)
    assert sdk.create("ai-1", client_token="t") == first
    clock.advance(0.1)
    assert refusal(sdk.create, "ai-1", client_token="t").code == "OperationDenied.AINodeBound"
    second = sdk.create("ai-2", client_token="t")
    assert second != first
    sdk.delete(second)
    clock.advance(59.9)
    assert sdk.create("ai-2", client_token="t") == second
    clock.advance(0.1)
    assert sdk.create("ai-2", client_token="t") not in (first, second)


@dialect("whitelist-open-default")
def test_whitelist_open_default(sdk: Sdk) -> None:
    """Without a list a service is open to all; with one it has that."""
    assert sdk.describe(sdk.create("ai-1"))["SecurityIpList"] == "0.0.0.0/0"
    listed = sdk.create("ai-2", security_iplist="1.1.1.1")
    assert sdk.describe(listed)["SecurityIpList"] == "1.1.1.1"


@dialect("whitelist-empty-default")
def test_whitelist_empty_default(simulator: Simulator, sdk: Sdk) -> None:
    """Without a list a service has none, written as an empty text; with one it has that."""
    assert sdk.describe(sdk.create("ai-1"))["SecurityIpList"] == ""
    assert sdk.list()["ModelServices"][0]["SecurityIPList"] == ""
    assert simulator.services[0].security_ip_list == ()
    listed = sdk.create("ai-2", security_iplist="1.1.1.1")
    assert sdk.describe(listed)["SecurityIpList"] == "1.1.1.1"


@dialect("modify-not-reaching")
def test_modify_not_reaching(simulator: Simulator, sdk: Sdk) -> None:
    """The group is set, and no service knows of it."""
    service_id = sdk.create("ai-1", security_iplist="1.1.1.1")
    simulator.attach_whitelist_group(service_id, "mine")
    for group in ("mine", service_id):
        sdk.modify("2.2.2.2", group)
        assert simulator.whitelist_groups("gp-demo")[group] == ("2.2.2.2",)
    assert sdk.describe(service_id)["SecurityIpList"] == "1.1.1.1"
    assert simulator.service(service_id).security_ip_list == ("1.1.1.1",)


@dialect("modify-slow")
def test_modify_slow(simulator: Simulator, sdk: Sdk, clock: FakeClock) -> None:
    """Each edit shows two seconds later, in both reads; an edit works on the last one."""
    service_id = sdk.create("ai-1", security_iplist="1.1.1.1")

    def shown() -> str:
        listed: str = sdk.list()["ModelServices"][0]["SecurityIPList"]
        assert sdk.describe(service_id)["SecurityIpList"] == listed
        return listed

    sdk.modify("2.2.2.2", service_id)
    clock.advance(1.5)
    sdk.modify("3.3.3.3", service_id, modify_mode="Append")
    assert simulator.service(service_id).security_ip_list == ("2.2.2.2", "3.3.3.3")
    assert shown() == "1.1.1.1"
    clock.advance(0.5)
    assert shown() == "2.2.2.2"
    clock.advance(1.4)
    assert shown() == "2.2.2.2"
    clock.advance(0.1)
    assert shown() == "2.2.2.2,3.3.3.3"


@dialect("modify-slow")
def test_drift_is_shown_at_once_all_the_same(simulator: Simulator, sdk: Sdk) -> None:
    """Only the edit through the API is slow."""
    service_id = sdk.create("ai-1")
    sdk.modify("2.2.2.2", service_id)
    simulator.change_service(service_id, security_ip_list="4.4.4.4")
    assert sdk.describe(service_id)["SecurityIpList"] == "4.4.4.4"
