"""Create: the outputs that land in the state, and an id that is never lost."""

from __future__ import annotations

import json

import pytest

from pulumi_adbpg_model.lifecycle.create import TOKEN_S
from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import CONFIG, DynamicHost, HostError, Properties, secret


def test_create_stores_every_input_and_output(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """The state holds all that was declared, and all that the active service shows."""
    declared = {
        **inputs,
        "ai_nodes": ["ai-2", "ai-1"],
        "description": "für alle",
        "security_ip_list": ["10.1.2.3/8", "192.168.1.1"],
        "model_params": {"max_len": 8192, "ratio": 0.5, "deep": {"list": [1, "two", None, True]}},
        "resource_group_id": "rg-1",
        "client_token": "token-of-create",
        "replicas": 2,
        "inference_engine": "vllm",
        "enable_public_connection": True,
        "region_id": "cn-beijing",
        "wait_for_active": True,
        "security_ip_group": "models",
        "store_api_key": True,
    }

    stored = host.create({**declared, "__adopt": None})

    service = cloud.services[-1]
    instance = inputs["db_instance_id"]
    assert f"{instance}:{service.id}" == stored.id
    assert {
        **declared,
        "model_service_id": service.id,
        "request_id": stored.outs["request_id"],
        "status": "active",
        "create_time": service.create_time,
        "private_connect_url": f"http://{service.id}.{instance}.rds.aliyuncs.com",
        "public_connect_url": f"http://{service.id}-o.{instance}.rds.aliyuncs.com",
        "api_key": service.api_key,
        "__declared": sorted(name for name in declared if not name.startswith("__")),
        "__tokens": ["token-of-create"],
    } == stored.outs
    assert 36 == len(stored.outs["request_id"])


def test_create_stores_what_the_cloud_shows_for_inputs_that_are_not_set(
    host: DynamicHost, inputs: Properties
) -> None:
    """An unset whitelist is filled from the service, the region from the environment."""
    outs = host.create(inputs).outs

    assert ["127.0.0.1"] == outs["security_ip_list"]
    assert "cn-hangzhou" == outs["region_id"]
    assert ["ai_nodes", "db_instance_id", "model_name"] == outs["__declared"]


def test_create_sends_whole_numbers_as_such(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Numbers, doubles on the way to the host, reach the cloud as they were written."""
    host.create({**inputs, "replicas": 2, "model_params": {"a": 1, "b": [2, 2.5, {"c": 3}]}})

    (call,) = cloud.calls("CreateModelService")
    assert "2" == call.parameters["Replicas"]
    params = json.loads(call.parameters["ModelParams"])
    assert '{"a": 1, "b": [2, 2.5, {"c": 3}]}' == json.dumps(params, sort_keys=True)


def test_create_repeats_the_very_same_request_in_another_run(
    host: DynamicHost, quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """A create that is run again finds the service of the first one, though each process has an
    order of its own for mappings: one token never carries two requests.
    """
    declared = {**inputs, "model_params": {f"key-{n}": {"b": n, "a": [n]} for n in range(20)}}
    first = host.create(declared)
    again = quick.create(declared)

    assert first.id == again.id
    one, other = cloud.calls("CreateModelService")
    assert one.parameters == other.parameters


@pytest.mark.parametrize(
    ("urn", "changed"),
    [
        pytest.param("urn:pulumi:dev::shop::other::model", {}, id="resource"),
        pytest.param(None, {"__organization": "other"}, id="organization"),
        pytest.param(None, {"description": "other"}, id="input"),
    ],
)
def test_create_asks_with_another_token_for_another_declaration(
    host: DynamicHost,
    quick: TimedHost,
    cloud: Simulator,
    inputs: Properties,
    urn: str | None,
    changed: Properties,
) -> None:
    """Resource, organization and inputs each make tokens of their own, whatever the moment."""
    host.create(inputs)
    with pytest.raises(HostError, match="AI node ai-1 is held by model service"):
        quick.create({**inputs, **changed}, urn=urn)

    first, *others = (call.parameters["ClientToken"] for call in cloud.calls("CreateModelService"))
    assert first not in others
    assert len(others) == len(set(others))


def test_create_sends_the_token_that_is_declared(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A client_token of the program's own is used as it is."""
    host.create({**inputs, "client_token": "mine " + inputs["db_instance_id"]})

    (call,) = cloud.calls("CreateModelService")
    assert "mine " + inputs["db_instance_id"] == call.parameters["ClientToken"]


def test_create_leaves_out_the_key_when_it_is_not_to_be_stored(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """With store_api_key false nothing that the host answers holds the key."""
    stored = host.create({**inputs, "store_api_key": False})

    key = cloud.services[-1].api_key
    assert key
    assert "active" == stored.outs["status"]
    assert key not in json.dumps(stored.outs)


def test_create_does_not_wait_when_nobody_waits(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """With wait_for_active false a service that still deploys is enough."""
    cloud.hold_deployments()

    stored = host.create({**inputs, "wait_for_active": False})

    assert "deployming" == stored.outs["status"]
    assert "it is not active yet, status 'deployming'" == stored.outs["status_reason"]


def test_create_takes_over_a_service_and_creates_nothing(
    host: DynamicHost, quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """`import_` returns the named service, without the request id of a create."""
    first = host.create(inputs)
    cloud.clear_requests()

    stored = quick.create({**inputs, "__adopt": first.id})

    assert first.id == stored.id
    assert [] == cloud.mutations
    assert "request_id" not in stored.outs
    assert first.id == stored.outs["__adopt"]
    assert "__tokens" not in stored.outs
    assert first.outs["api_key"] == stored.outs["api_key"]


def test_create_makes_a_new_service_when_the_imported_one_is_replaced(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Once this run has deleted the imported service, its id is not asked for any more."""
    imported = host.create(inputs)
    host.delete(imported)

    stored = host.create({**inputs, "description": "new", "__adopt": imported.id})

    assert imported.id != stored.id
    assert cloud.services[-1].id == stored.outs["model_service_id"]


def test_create_stores_the_one_token_that_was_answered(
    quick: TimedHost, clock: MovedClock, cloud: Simulator, inputs: Properties
) -> None:
    """A replacement has a token of its moment: it asks once, with one of its own."""
    quick.stop()
    quick = TimedHost(clock, CONFIG)  # so that a deletion takes no time to speak of
    asked: list[int] = []
    clock.advance(-clock.time() % TOKEN_S + TOKEN_S / 4)
    for later_s in (0.0, TOKEN_S, 0.0, 3600.0):
        clock.advance(later_s)
        cloud.clear_requests()
        stored = quick.create(inputs)
        quick.delete(stored)
        tokens = [call.parameters["ClientToken"] for call in cloud.calls("CreateModelService")]
        assert tokens[-1:] == stored.outs["__tokens"]
        asked.append(len(tokens))
    quick.stop()
    assert asked == [1, 1, 1, 1]


def test_create_strips_names_before_they_are_sent(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Spaces around a name never reach the cloud, while the state keeps what was typed."""
    spaced = {**inputs, "model_name": " Qwen3-8B ", "ai_nodes": [" ai-1", "ai-2 "]}

    stored = host.create(spaced)

    assert ("Qwen3-8B", ("ai-1", "ai-2")) == (
        cloud.services[-1].model_name,
        cloud.services[-1].ai_nodes,
    )
    assert spaced == {name: stored.outs[name] for name in spaced}


def test_create_refuses_to_take_over_a_service_that_differs(
    host: DynamicHost, quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """Every difference is told at once, and nothing is changed."""
    first = host.create(inputs)
    cloud.clear_requests()

    with pytest.raises(HostError) as refused:
        quick.create(
            {**inputs, "model_name": "Qwen3-8B", "ai_nodes": ["ai-2"], "__adopt": first.id}
        )

    assert (
        f"import of {first.id} failed: the declaration differs from the service: model_name is "
        "declared 'Qwen3-8B', the service runs 'Qwen3-Embedding-8B'; ai_nodes are declared "
        "['ai-2'], the service is on ['ai-1']. Declare what is there, then run the command again."
    ) == str(refused.value)
    assert [] == cloud.mutations


def test_create_names_the_credential_sources_when_there_are_none(
    cloud: Simulator, inputs: Properties
) -> None:
    """Missing credentials fail the create, in one line that says where they may be set."""
    environment = {"ADBPG_ENDPOINT": cloud.endpoint, "HOME": "/nonexistent"}
    with DynamicHost(environment) as host:
        assert [] == host.check({**inputs, "region_id": "cn-hangzhou"}).failures
        with pytest.raises(HostError) as refused:
            host.create({**inputs, "region_id": "cn-hangzhou"})

    text = str(refused.value)
    assert "\n" not in text
    assert "Traceback" not in text
    for source in (
        "config adbpg:accessKey with adbpg:secretKey",
        "config alicloud:profile",
        "environment ALICLOUD_ACCESS_KEY with ALICLOUD_SECRET_KEY",
        "environment ALIBABA_CLOUD_ACCESS_KEY_ID with ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "the default credential chain",
    ):
        assert source in text
    assert [] == cloud.requests


def test_create_uses_secret_configuration(cloud: Simulator, inputs: Properties) -> None:
    """Config that was set with --secret is unwrapped, and goes before the environment."""
    environment = {**cloud.environment(), "ALICLOUD_SECRET_KEY": "made-up-and-wrong"}
    config = {
        **CONFIG,
        "adbpg:accessKey": secret("simulator-key-id"),
        "adbpg:secretKey": secret("simulator-key-secret"),
    }
    with DynamicHost(environment, config) as host:
        stored = host.create(inputs)

    assert "active" == stored.outs["status"]
    assert "simulator-key" not in json.dumps(stored.outs)
