"""ModifySecurityIps, and the ways in which a group reaches a service."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import Refuse, Sdk, Start


@pytest.fixture
def service_id(sdk: Sdk) -> str:
    return sdk.create("ai-1", security_iplist="10.0.0.1")


def test_a_group_named_like_the_service_reaches_it(sdk: Sdk, service_id: str) -> None:
    """Covering the service's own group is covering its whitelist."""
    sdk.modify("10.0.0.2,10.0.0.3/8", service_id)
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.2,10.0.0.3/8"


@pytest.mark.parametrize(
    ("mode", "addresses", "result"),
    [
        ("0", "10.0.0.2", "10.0.0.2"),
        ("Cover", "10.0.0.2", "10.0.0.2"),
        ("1", "10.0.0.2,10.0.0.1", "10.0.0.1,10.0.0.2"),
        ("Append", "10.0.0.2", "10.0.0.1,10.0.0.2"),
        ("2", "10.0.0.9", "10.0.0.1"),
        ("Delete", "10.0.0.1", "127.0.0.1"),
    ],
)
def test_modify_modes(sdk: Sdk, service_id: str, mode: str, addresses: str, result: str) -> None:
    """Both spellings of each mode work; an emptied list is closed."""
    sdk.modify(addresses, service_id, modify_mode=mode)
    assert sdk.describe(service_id)["SecurityIpList"] == result


def test_an_unknown_mode_is_refused(sdk: Sdk, service_id: str, refusal: Refuse) -> None:
    """A mode that no page shows is refused, and nothing changes."""
    refused = refusal(sdk.modify, "10.0.0.2", service_id, modify_mode="3")
    assert refused.pair == (400, "InvalidParameter")
    assert "ModifyMode" in refused.message
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.1"


def test_a_bad_or_overlong_list_is_refused(sdk: Sdk, service_id: str, refusal: Refuse) -> None:
    """Addresses are checked, and the limit holds for the result of an append."""
    assert refusal(sdk.modify, "nonsense", service_id).pair == (400, "InvalidParameter")
    full = ",".join(f"10.1.{n // 250}.{n % 250}" for n in range(1000))
    refused = refusal(sdk.modify, full, service_id, modify_mode="Append")
    assert refused.pair == (400, "InvalidParameter")
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.1"


def test_the_default_group_reaches_no_service(
    simulator: Simulator, sdk: Sdk, service_id: str
) -> None:
    """Without a group name the instance's own default list is written."""
    sdk.modify("10.0.0.2")

    assert simulator.whitelist_groups("gp-demo") == {"default": ("10.0.0.2",)}
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.1"


def test_an_unknown_group_reaches_no_service(
    simulator: Simulator, sdk: Sdk, service_id: str
) -> None:
    """A name that no rule knows is stored on the instance only."""
    sdk.modify("10.0.0.2", "mystery")

    assert simulator.whitelist_groups("gp-demo") == {"mystery": ("10.0.0.2",)}
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.1"


def test_an_attached_group_reaches_its_service(
    simulator: Simulator, sdk: Sdk, service_id: str
) -> None:
    """Once attached, what the group holds and what it gets are the service's."""
    sdk.modify("10.0.0.2", "mine")
    simulator.attach_whitelist_group(service_id, "mine")
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.2"

    sdk.modify("10.0.0.3", "mine")
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.3"


def test_a_mapped_group_follows_its_node(start: Start, connect: type[Sdk]) -> None:
    """A group mapped to a node governs whatever service is on that node."""
    sdk = connect(start(whitelist_groups={"search": "ai-1"}))
    first, other = sdk.create("ai-1"), sdk.create("ai-2")
    sdk.modify("10.0.0.2", "search")
    assert sdk.describe(first)["SecurityIpList"] == "10.0.0.2"
    assert sdk.describe(other)["SecurityIpList"] == "127.0.0.1"

    sdk.delete(first)
    second = sdk.create("ai-1", security_iplist="10.0.0.9")
    assert sdk.describe(second)["SecurityIpList"] == "10.0.0.9"
    sdk.modify("10.0.0.3", "search")
    assert sdk.describe(second)["SecurityIpList"] == "10.0.0.3"


def test_groups_of_another_instance_do_not_reach_over(
    simulator: Simulator, sdk: Sdk, service_id: str, connect: type[Sdk]
) -> None:
    """A group is its instance's own, even if it is named like a foreign service."""
    simulator.add_instance("gp-other", [])
    connect(simulator, instance="gp-other").modify("0.0.0.0/0", service_id)
    assert sdk.describe(service_id)["SecurityIpList"] == "10.0.0.1"
