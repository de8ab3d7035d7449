"""The functions against a simulated cloud: complete, typed, frozen, and clear when they fail."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import pprint
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dill  # type: ignore[import-untyped]
import pulumi
import pytest
from pulumi.runtime import set_config

import pulumi_adbpg_model as adbpg
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import place
from tests.gateway.raw import answer, raw_server
from tests.gateway.support import INSTANCE, Answer, stub

_NODES = tuple(f"n-{number}" for number in range(130))
#: Every function, with the arguments it takes.
_CALLS: dict[str, Callable[..., Any]] = {
    "get_model_services": lambda **more: adbpg.get_model_services(INSTANCE, **more),
    "get_supported_models": adbpg.get_supported_models,
    "get_ai_node_pools": lambda **more: adbpg.get_ai_node_pools(INSTANCE, **more),
    "get_api_key": lambda **more: adbpg.get_api_key(f"{INSTANCE}:ms-1", **more),
}


def _refused(call: Callable[[], object]) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.usefixtures("cloud")
def test_model_services_are_listed_without_their_keys(simulator: Simulator) -> None:
    """Each service has what the cloud shows, but for the key, which is in no field."""
    id_ = place(simulator, description="search", security_ip_list=("10.0.0.0/8",))
    (service,) = simulator.services

    found = adbpg.get_model_services(INSTANCE)

    assert found == adbpg.GetModelServicesResult(
        db_instance_id=INSTANCE,
        region_id="cn-hangzhou",
        services=(
            adbpg.GetModelServicesServiceResult(
                id=id_,
                model_service_id=service.id,
                model_name=service.model_name,
                status="active",
                description="search",
                ai_nodes=("ai-1",),
                security_ip_list=("10.0.0.0/8",),
                create_time=service.create_time,
                private_connect_url=service.private_connect_url,
                public_connect_url=None,
            ),
        ),
    )
    assert found.ids == (id_,)
    assert str(service.api_key) not in repr(dataclasses.asdict(found))


def test_status_is_the_service_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that tells how the call went leads to a describe of each service."""
    with Simulator(dialects=["list-status-success"], provision_seconds=0) as simulator:
        for name, value in simulator.environment().items():
            monkeypatch.setenv(name, value)
        place(simulator)
        failed = place(simulator, ai_nodes=("ai-2",)).rpartition(":")[2]
        simulator.fail_service(failed, "start_error")
        statuses = [service.status for service in adbpg.get_model_services(INSTANCE).services]
    assert statuses == ["active", "start_error"]


@pytest.mark.usefixtures("cloud")
def test_a_status_that_cannot_be_described_stays_as_listed() -> None:
    """It is no reason to lose the list."""
    with Simulator(dialects=["list-status-success"], provision_seconds=0) as other:
        place(other)
        other.inject("forbidden", "DescribeModelService", times=None)
        set_config("adbpg:endpoint", other.endpoint)
        assert [one.status for one in adbpg.get_model_services(INSTANCE).services] == ["success"]


def test_model_services_of_all_pages_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """More services than a page holds."""
    with Simulator(provision_seconds=0, nodes=_NODES) as simulator:
        for name, value in simulator.environment().items():
            monkeypatch.setenv(name, value)
        ids = tuple(place(simulator, ai_nodes=(node,)) for node in _NODES)
        assert adbpg.get_model_services(INSTANCE).ids == ids
        assert len(simulator.calls("ListModelServices")) == 2


@pytest.mark.usefixtures("cloud")
def test_supported_models_are_named() -> None:
    """They are those of the region."""
    found = adbpg.get_supported_models()
    assert found.region_id == "cn-hangzhou"
    assert "Qwen3-Embedding-8B" in found.model_names


@pytest.mark.usefixtures("cloud")
def test_nodes_come_by_pool_and_free_ones_are_named(simulator: Simulator) -> None:
    """A bound node is told from a free one."""
    place(simulator, ai_nodes=("ai-2",))

    found = adbpg.get_ai_node_pools(INSTANCE)

    (pool,) = found.pools
    assert str(pool.id).startswith("aipool-")
    assert found.nodes == pool.nodes
    assert [node.name for node in pool.nodes] == ["ai-1", "ai-2", "ai-3", "ai-4"]
    assert found.free_node_names == ("ai-1", "ai-3", "ai-4")
    bound = pool.nodes[1]
    assert (bound.bound, bound.bound_to) == (True, "model_serving")
    assert (bound.spec, bound.zone_id) == ("ADB.AIMedium.2", "cn-hangzhou-j")
    assert str(bound.create_time).endswith("Z")


def test_nodes_of_several_pools_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator has one pool; the API page shows a list."""
    pools = [
        {"AINodePoolId": "p-1", "AINodeInfos": [{"NodeName": "a"}, {"NodeName": "b"}]},
        {"AINodePoolId": "p-2", "AINodeInfos": [{"NodeName": "c", "BindStatus": "bound"}]},
    ]
    with stub(lambda _: Answer({"AINodePoolInfos": pools})) as cloud:
        monkeypatch.setenv("ADBPG_ENDPOINT", f"http://127.0.0.1:{cloud.port}")
        monkeypatch.setenv("ALICLOUD_ACCESS_KEY", "made-up-id")
        monkeypatch.setenv("ALICLOUD_SECRET_KEY", "made-up-secret")
        found = adbpg.get_ai_node_pools(INSTANCE)
    named = {pool.id: [node.name for node in pool.nodes] for pool in found.pools}
    assert named == {"p-1": ["a", "b"], "p-2": ["c"]}
    assert found.free_node_names == ("a", "b")
    assert found.region_id is None


@pytest.mark.usefixtures("cloud")
def test_api_key_is_in_no_other_form_of_the_result(simulator: Simulator) -> None:
    """No repr, text, dictionary or JSON of it has the key, and a pickle is not made."""
    id_ = place(simulator)

    found = adbpg.get_api_key(id_)

    key = str(simulator.services[0].api_key)
    assert repr(found) == f"GetApiKeyResult(id='{id_}', api_key=[secret])"
    made = (found, vars(found), dataclasses.asdict(found), dataclasses.astuple(found))
    hidden = [value for one in made[1:3] for value in one.values() if value != id_]
    assert len(hidden) == 2
    shown = [f"{one} {one!r} {json.dumps(one, default=vars)}" for one in (*made, *hidden)]
    shown += [json.dumps(made, default=str), pprint.pformat(made), str(hidden[0].__dict__)]
    assert [text for text in shown if key in text] == []
    for one in (found, *hidden):
        for dump, protocol in ((pickle.dumps, 0), (pickle.dumps, 5), (dill.dumps, 4)):
            with pytest.raises(TypeError, match="an API key is not pickled"):
                dump(one, protocol)
    assert found == adbpg.get_api_key(id_) == copy.deepcopy(found) == copy.copy(found)
    assert len({found, adbpg.get_api_key(id_)}) == 1
    assert found != adbpg.GetApiKeyResult(id_, "another")
    assert [name for name in vars(found) if not name.startswith("_")] == ["id"]


@pytest.mark.usefixtures("cloud")
def test_api_key_outside_of_a_program_is_told_in_one_line(simulator: Simulator) -> None:
    """Where there is no event loop, such as in a thread, there are no Outputs."""
    found = adbpg.get_api_key(place(simulator))
    with ThreadPoolExecutor(max_workers=1) as pool:
        text = _refused(lambda: pool.submit(lambda: found.api_key).result())
    assert text == (
        "get_api_key: api_key is a pulumi.Output, which there is in the main thread of a Pulumi "
        "program alone; elsewhere, run `pulumi-adbpg-model api-key ID`"
    )


@pytest.mark.usefixtures("cloud")
def test_results_are_frozen() -> None:
    """A result cannot be changed by mistake."""
    found: Any = adbpg.get_supported_models()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.region_id = "cn-beijing"


@pytest.mark.usefixtures("cloud")
def test_a_service_without_a_key_is_told(simulator: Simulator) -> None:
    """Why there is none is said too."""
    simulator.hold_deployments()
    id_ = place(simulator)
    text = _refused(lambda: adbpg.get_api_key(id_))
    expected = f"get_api_key: model service {id_} has no API key: it is not active yet, status "
    assert text.startswith(expected)


@pytest.mark.usefixtures("cloud")
def test_what_is_not_there_is_told() -> None:
    """An unknown instance, an unknown service."""
    for call in (adbpg.get_model_services, adbpg.get_ai_node_pools):
        assert "The instance does not exist, or belongs to another" in _refused(
            lambda call=call: call("gp-else")  # type: ignore[misc]
        )
    text = _refused(lambda: adbpg.get_api_key(f"{INSTANCE}:ms-none"))
    assert text.startswith(f"get_api_key: DescribeModelService {INSTANCE}:ms-none failed: ")


@pytest.mark.parametrize("name", _CALLS)
def test_missing_credentials_are_told(name: str) -> None:
    """In one line that begins with the function."""
    set_config("adbpg:endpoint", "http://127.0.0.1:9")
    text = _refused(_CALLS[name])
    assert text.startswith(f"{name}: ")
    assert "credentials" in text


@pytest.mark.parametrize("name", _CALLS)
def test_missing_region_is_told(name: str) -> None:
    """Before anything is called."""
    assert _refused(_CALLS[name]).startswith(f"{name}: no region is set")


@pytest.mark.parametrize("name", _CALLS)
def test_malformed_region_is_told(name: str) -> None:
    """By the rule of the resource's own input."""
    text = _refused(lambda: _CALLS[name](region_id="Hangzhou"))
    assert text.startswith(f"{name}: region_id must be a region id such as cn-hangzhou")


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: adbpg.get_model_services(""), "db_instance_id must be a non-empty string, got ''"),
        (lambda: adbpg.get_ai_node_pools("a b"), "db_instance_id must be an instance id such as"),
        (lambda: adbpg.get_ai_node_pools(None), "db_instance_id is required"),  # type: ignore[arg-type]
        (lambda: adbpg.get_model_services("gp-1:ms-1"), "without spaces and colons"),
        (lambda: adbpg.get_api_key("ms-1"), "id must be '<db_instance_id>:<model_service_id>'"),
        (lambda: adbpg.get_api_key(None), "id must be '<db_instance_id>:<model"),  # type: ignore[arg-type]
        (lambda: adbpg.get_api_key(["gp-1:ms-1"]), "id must be '<db_instance_id>:<model"),  # type: ignore[arg-type]
    ],
)
def test_malformed_ids_are_told_before_anything_is_called(
    call: Callable[[], object], expected: str, simulator: Simulator
) -> None:
    """The rules are those of the resource."""
    assert expected in _refused(call)
    assert simulator.requests == []


def test_config_goes_before_the_environment(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Endpoint, region and keys of the stack's configuration are used, as by the resource."""
    monkeypatch.setenv("ADBPG_ENDPOINT", "http://127.0.0.1:9")
    set_config("adbpg:endpoint", simulator.endpoint)
    set_config("alicloud:region", "cn-hangzhou")
    set_config("adbpg:accessKey", "simulator-key-id")
    set_config("adbpg:secretKey", "simulator-key-secret")
    assert adbpg.get_supported_models().region_id == "cn-hangzhou"


def test_a_preview_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cloud that asks for a pause beyond the bound is not waited for."""
    body = b'{"Code": "Throttling.User", "Message": "later", "RequestId": "R"}'
    busy = answer(body, "x-acs-retry-after: 21000", status="400 Bad Request")
    with raw_server(busy) as cloud:
        monkeypatch.setenv("ADBPG_ENDPOINT", f"http://127.0.0.1:{cloud.port}")
        monkeypatch.setenv("ALICLOUD_ACCESS_KEY", "made-up-id")
        monkeypatch.setenv("ALICLOUD_SECRET_KEY", "made-up-secret")
        began = time.monotonic()
        assert "Throttling.User" in _refused(adbpg.get_supported_models)
    assert time.monotonic() - began < 10


def test_a_program_that_calls_no_function_loads_no_cloud_sdk() -> None:
    """The SDK takes most of a second to import."""
    code = (
        "import sys, pulumi_adbpg_model\n"
        "print([m for m in sys.modules if m.startswith(('alibabacloud', 'darabonba', 'Tea')) "
        "or m == 'pulumi_adbpg_model.gateway'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
