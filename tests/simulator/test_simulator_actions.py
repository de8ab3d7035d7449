"""The seven actions, as the vendor's own client sees them."""

from __future__ import annotations

import re

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Raw, Refuse, Sdk, Start


def test_create_answers_a_new_id_and_a_request_id(simulator: Simulator, raw: Raw) -> None:
    """Creating answers the id and an upper-case UUID, and the service is there."""
    response = raw.call(
        "CreateModelService",
        {"DBInstanceId": "gp-demo", "ModelName": "Qwen3-Embedding-8B", "AiNodes": '["ai-1"]'},
    )

    content = response.json()
    assert response.status_code == 200
    assert content.keys() == {"ModelServiceId", "RequestId"}
    assert re.fullmatch(r"ms-[0-9a-f]{12}", content["ModelServiceId"])
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", content["RequestId"])
    assert [s.id for s in simulator.services] == [content["ModelServiceId"]]


def test_create_keeps_every_parameter_that_was_sent(simulator: Simulator, sdk: Sdk) -> None:
    """Query and body parameters alike reach the service."""
    service_id = sdk.create(
        "ai-2",
        "ai-1",
        description="für b+c *~/",
        security_iplist="10.0.0.3/8,192.168.1.1",
        model_params={"max_len": 1, "mode": "x"},
        replicas=2,
        inference_engine="vllm",
        enable_public_connection=True,
        client_token="token-1",
        resource_group_id="rg-1",
    )

    service = simulator.service(service_id)
    assert service.instance_id == "gp-demo"
    assert service.model_name == "Qwen3-Embedding-8B"
    assert service.ai_nodes == ("ai-2", "ai-1")
    assert service.description == "für b+c *~/"
    assert service.security_ip_list == ("10.0.0.3/8", "192.168.1.1")
    assert service.model_params == {"max_len": 1, "mode": "x"}
    assert service.replicas == 2
    assert service.inference_engine == "vllm"
    assert service.enable_public_connection is True
    assert service.client_token == "token-1"
    assert service.resource_group_id == "rg-1"
    assert simulator.calls("CreateModelService")[0].body == {
        "ClientToken": "token-1",
        "ResourceGroupId": "rg-1",
    }


def test_create_fills_in_defaults(simulator: Simulator, sdk: Sdk) -> None:
    """What is not sent is closed, single and private."""
    service = simulator.service(sdk.create("ai-1"))

    assert service.security_ip_list == ("127.0.0.1",)
    assert service.replicas == 1
    assert service.inference_engine == "vllm"
    assert service.enable_public_connection is False
    assert service.description is None
    assert service.model_params == {}


def test_describe_before_active_has_no_connection(sdk: Sdk) -> None:
    """A service that is being provisioned has neither address nor key."""
    shown = sdk.describe(sdk.create("ai-1", enable_public_connection=True))

    assert shown["Status"] == "deployming"
    assert not {"ApiKey", "PrivateConnectUrl", "PublicConnectUrl"} & shown.keys()


def test_describe_when_active_shows_every_element(sdk: Sdk, clock: FakeClock) -> None:
    """An active service shows its addresses, its key, and what was asked."""
    service_id = sdk.create(
        "ai-1",
        description="d",
        security_iplist="10.0.0.3/8,10.0.0.1",
        enable_public_connection=True,
        model_params={"a": 1},
    )
    clock.advance(1.0)

    shown = sdk.describe(service_id)
    assert shown["Status"] == "active"
    assert shown["AiNodes"] == ["ai-1"]
    assert shown["ModelName"] == "Qwen3-Embedding-8B"
    assert shown["ModelServiceId"] == service_id
    assert shown["Description"] == "d"
    assert shown["ModelParams"] == {"a": 1}
    assert shown["SecurityIpList"] == "10.0.0.3/8,10.0.0.1"
    assert shown["PrivateConnectUrl"] == f"http://{service_id}.gp-demo.rds.aliyuncs.com"
    assert shown["PublicConnectUrl"] == f"http://{service_id}-o.gp-demo.rds.aliyuncs.com"
    assert re.fullmatch(r"sk-[0-9a-f]{32}", shown["ApiKey"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown["CreateTime"])


def test_describe_shows_no_public_address_unless_asked(sdk: Sdk, clock: FakeClock) -> None:
    """Without EnablePublicConnection there is only the private address."""
    service_id = sdk.create("ai-1")
    clock.advance(1.0)

    shown = sdk.describe(service_id)
    assert "PrivateConnectUrl" in shown
    assert "PublicConnectUrl" not in shown


def test_list_uses_its_own_keys(sdk: Sdk, raw: Raw, clock: FakeClock) -> None:
    """List items spell three keys differently, and their parameters are strings."""
    service_id = sdk.create("ai-1", enable_public_connection=True, model_params={"a": 1})
    clock.advance(1.0)

    content = raw.call("ListModelServices", {"DBInstanceId": "gp-demo"}).json()
    (item,) = content["ModelServices"]
    assert item["ModelServiceId"] == service_id
    assert item["PrivateConnUrl"].endswith(".rds.aliyuncs.com")
    assert "-o." in item["PublicConnUrl"]
    assert item["SecurityIPList"] == "127.0.0.1"
    assert item["ModelParams"] == {"a": "1"}
    assert item["ApiKey"].startswith("sk-")
    assert not {"PrivateConnectUrl", "PublicConnectUrl", "SecurityIpList"} & item.keys()


def test_list_pages(start: Start, connect: type[Sdk]) -> None:
    """Pages of more than twenty services add up, in order of creation."""
    simulator = start(nodes=[f"ai-{n}" for n in range(25)])
    sdk = connect(simulator)
    ids = [sdk.create(f"ai-{n}") for n in range(25)]

    first, second, third = (sdk.list(page_number=n) for n in (1, 2, 3))
    assert [i["ModelServiceId"] for i in first["ModelServices"]] == ids[:20]
    assert [i["ModelServiceId"] for i in second["ModelServices"]] == ids[20:]
    assert third["ModelServices"] == []
    assert (first["PageNumber"], first["PageRecordCount"], first["TotalRecordCount"]) == (1, 20, 25)
    assert (second["PageNumber"], second["PageRecordCount"], second["TotalRecordCount"]) == (
        2,
        5,
        25,
    )


@pytest.mark.parametrize("size", [20, 30, 50, 100])
def test_list_takes_the_documented_page_sizes(sdk: Sdk, size: int) -> None:
    """Every page size of the page, and that of its example, is taken."""
    assert sdk.list(page_size=size)["TotalRecordCount"] == 0


def test_list_keeps_instances_apart(simulator: Simulator, sdk: Sdk, connect: type[Sdk]) -> None:
    """A service belongs to its instance only, even where node names agree."""
    simulator.add_instance("gp-other", ["ai-1"])
    other = connect(simulator, instance="gp-other")
    mine, theirs = sdk.create("ai-1"), other.create("ai-1")

    assert [i["ModelServiceId"] for i in sdk.list()["ModelServices"]] == [mine]
    assert [i["ModelServiceId"] for i in other.list()["ModelServices"]] == [theirs]


def test_list_support_models_nests_its_answer(start: Start, connect: type[Sdk]) -> None:
    """The models come under ModelNames.modelNames."""
    sdk = connect(start(models=["A", "B"]))

    assert sdk.models()["ModelNames"] == {"modelNames": ["A", "B"]}


def test_list_ai_node_pools_shows_binding(sdk: Sdk) -> None:
    """As the page's example: a node says what kind of thing holds it; NodeNum is text."""
    sdk.create("ai-2")

    (pool,) = sdk.pools()["AINodePoolInfos"]
    assert pool["NodeNum"] == "4"
    nodes = {node["NodeName"]: node for node in pool["AINodeInfos"]}
    assert nodes["ai-2"]["BindStatus"] == "bound"
    assert nodes["ai-2"]["BindObject"] == "model_serving"
    assert nodes["ai-1"]["BindStatus"] == "unbound"
    assert "BindObject" not in nodes["ai-1"]
    assert nodes["ai-1"]["NodeSpec"] == "ADB.AIMedium.2"
    assert nodes["ai-1"]["Namespace"] == "adbpg-ainode"
    assert nodes["ai-1"]["ZoneId"] == "cn-hangzhou-j"
    for moment in (nodes["ai-1"]["CreateTime"], nodes["ai-1"]["UpdateTime"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment)


def test_a_pool_has_an_id_of_the_documented_form(simulator: Simulator, sdk: Sdk) -> None:
    """It stays the same, and is another one in another instance."""
    simulator.add_instance("gp-two", ["n-1"])
    other = Sdk(simulator, "gp-two")

    ids = [which.pools()["AINodePoolInfos"][0]["AINodePoolId"] for which in (sdk, other, sdk)]
    assert re.fullmatch(r"aipool-[0-9a-z]{9}", ids[0])
    assert ids[0] == ids[2] != ids[1]


def test_a_node_is_updated_when_it_is_bound_and_unbound(sdk: Sdk, clock: FakeClock) -> None:
    """UpdateTime moves with the binding; CreateTime and other nodes stay."""

    def times() -> list[tuple[str, str]]:
        nodes = sdk.pools()["AINodePoolInfos"][0]["AINodeInfos"]
        return [(node["CreateTime"], node["UpdateTime"]) for node in nodes]

    new = times()
    clock.advance(60)
    service_id = sdk.create("ai-1")
    bound = times()
    clock.advance(60)
    sdk.delete(service_id)
    free = times()

    assert new[0][1] < bound[0][1] < free[0][1]
    assert new[0][0] == free[0][0]
    assert new[1:] == free[1:]


def test_delete_frees_the_node(simulator: Simulator, sdk: Sdk) -> None:
    """Deleting is immediate, and its node can host again."""
    service_id = sdk.create("ai-1")

    assert "RequestId" in sdk.delete(service_id)
    assert simulator.services == []
    assert sdk.bound_nodes() == []
    sdk.create("ai-1")


def test_delete_can_take_time(
    start: Start, connect: type[Sdk], clock: FakeClock, refusal: Refuse
) -> None:
    """An asynchronous delete shows 'deleting', keeps the node, may be repeated, then ends."""
    sdk = connect(start(delete_seconds=5.0))
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)

    assert sdk.describe(service_id)["Status"] == "deleting"
    assert sdk.bound_nodes() == ["ai-1"]
    clock.advance(4.0)
    sdk.delete(service_id)
    clock.advance(1.0)
    assert refusal(sdk.describe, service_id).pair == (404, "ModelService.NotFound")
    assert sdk.bound_nodes() == []


def test_get_and_parameters_in_the_body_are_accepted(simulator: Simulator, raw: Raw) -> None:
    """GET works, and so does a form body with every parameter."""
    assert raw.call("ListSupportModels", method="GET").status_code == 200
    response = raw.call(
        "CreateModelService",
        body="DBInstanceId=gp-demo&ModelName=Qwen3-Embedding-8B&AiNodes=%5B%22ai-1%22%5D",
    )
    assert response.status_code == 200
    assert simulator.services[0].ai_nodes == ("ai-1",)
