"""Read: live values for refresh and `.get`, and no state dropped without proof."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import DynamicHost, HostError, Properties, Stored


def test_read_changes_nothing_when_nothing_drifted(host: DynamicHost, inputs: Properties) -> None:
    """A refresh gives back the outputs and inputs that the create left."""
    declared = {**inputs, "replicas": 2, "model_params": {"a": 1}, "timeouts": {"delete": "1m"}}
    stored = host.create(declared)

    assert Stored(stored.id, stored.outs, declared) == host.refresh(stored)


def test_read_shows_drift_in_outputs_and_inputs(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Whatever the cloud shows otherwise than declared takes the declared one's place."""
    declared = {**inputs, "description": "mine", "security_ip_list": ["10.0.0.1"], "replicas": 2}
    stored = host.create(declared)
    live = {
        "model_name": "Qwen3-8B",
        "description": "theirs",
        "ai_nodes": ["ai-3"],
        "security_ip_list": ["0.0.0.0/0"],
    }
    cloud.change_service(stored.outs["model_service_id"], **live)

    read = host.refresh(stored)

    assert {**stored.outs, **live} == read.outs
    assert {**declared, **live} == read.inputs


def test_read_keeps_a_declared_form_that_the_cloud_writes_otherwise(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Reordered nodes and canonical networks are no drift."""
    declared = {
        **inputs,
        "ai_nodes": ["ai-1", "ai-2"],
        "security_ip_list": ["10.0.0.7/24", "1.2.3.4"],
    }
    stored = host.create(declared)
    cloud.change_service(
        stored.outs["model_service_id"],
        ai_nodes=["ai-2", "ai-1"],
        security_ip_list=["1.2.3.4/32", "10.0.0.0/24"],
    )

    read = host.refresh(stored)

    assert declared == read.inputs
    assert stored.outs == read.outs


def test_read_follows_the_status(host: DynamicHost, cloud: Simulator, inputs: Properties) -> None:
    """A service that became active shows its addresses and key, and no reason any more."""
    cloud.hold_deployments()
    stored = host.create({**inputs, "wait_for_active": False})
    cloud.release_deployments()

    read = host.refresh(stored)

    key = cloud.service(stored.outs["model_service_id"]).api_key
    assert ("active", key) == (read.outs["status"], read.outs["api_key"])
    assert "status_reason" not in read.outs


def test_read_drops_addresses_and_key_of_a_service_that_failed(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A service that failed later says why, and shows nothing that no longer serves."""
    stored = host.create(inputs)
    cloud.fail_service(stored.outs["model_service_id"], "deploy_failed")

    read = host.refresh(stored)

    assert "the deployment failed, status 'deploy_failed'" == read.outs["status_reason"]
    assert {"api_key", "private_connect_url"}.isdisjoint(read.outs)


def test_read_never_shows_a_key_that_is_not_to_be_stored(
    host: DynamicHost, inputs: Properties
) -> None:
    """store_api_key false holds for refresh too."""
    stored = host.create({**inputs, "store_api_key": False})

    assert "api_key" not in host.refresh(stored).outs


def test_read_answers_an_empty_id_when_the_service_is_gone(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A service that the complete list lacks leaves the state."""
    stored = host.create(inputs)
    cloud.remove_service(stored.outs["model_service_id"])

    assert Stored("", {}) == host.refresh(stored)


@pytest.mark.parametrize(
    "fault", ["instance-not-found", "forbidden", "html-502", "internal-error", "wrong-shape"]
)
def test_read_raises_when_absence_is_not_proven(
    host: DynamicHost, cloud: Simulator, inputs: Properties, fault: str
) -> None:
    """A not-found without a list that confirms it is an error, so the state stays."""
    stored = host.create({**inputs, "timeouts": {"read": "300ms"}})
    cloud.remove_service(stored.outs["model_service_id"])
    cloud.inject(fault, "ListModelServices", times=None)

    with pytest.raises(HostError) as refused:
        host.refresh(stored)

    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("ListModelServices of instance gp-")


def test_read_raises_when_the_instance_is_not_visible(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A vanished instance may be the wrong region: the state stays, and how to drop it is told."""
    stored = host.create(inputs)
    cloud.remove_instance(inputs["db_instance_id"])

    with pytest.raises(HostError) as refused:
        host.refresh(stored)

    assert "check db_instance_id, the region and the credentials" in str(refused.value)
    assert "The state is kept." in str(refused.value)
    assert str(refused.value).endswith("pulumi state delete <urn>.")


def test_get_reads_a_service_without_managing_it(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """`.get` shows all that the cloud shows; nothing counts as declared."""
    stored = host.create({**inputs, "description": "mine", "replicas": 2})

    read = host.get(stored.id, {"region_id": "cn-beijing", "__urn": "urn:pulumi:a::b::c::d"})

    service = cloud.service(stored.outs["model_service_id"])
    assert (
        Stored(
            stored.id,
            {
                "db_instance_id": inputs["db_instance_id"],
                "model_service_id": service.id,
                "model_name": "Qwen3-Embedding-8B",
                "ai_nodes": ["ai-1"],
                "description": "mine",
                "security_ip_list": ["127.0.0.1"],
                "region_id": "cn-beijing",
                "status": "active",
                "create_time": service.create_time,
                "private_connect_url": service.private_connect_url,
                "api_key": service.api_key,
                "__urn": "urn:pulumi:a::b::c::d",
                "__declared": [],
            },
            None,
        )
        == read
    )


def test_get_raises_when_there_is_no_such_service(host: DynamicHost, instance: str) -> None:
    """`.get` of a missing service is a mistake in the program, not something gone."""
    with pytest.raises(HostError) as refused:
        host.get(f"{instance}:ms-none", {})

    assert (
        f"get of model service {instance}:ms-none failed: instance {instance} has no such "
        "service. Correct the id, or declare the service to create it."
    ) == str(refused.value)


@pytest.mark.parametrize("id_", ["ms-1", "gp-1:ms-1:x", "gp-1:", "gp 1:ms-1", ""])
def test_get_raises_when_the_id_is_malformed(host: DynamicHost, id_: str) -> None:
    """An id that is no composite id is told apart from a missing service."""
    with pytest.raises(HostError) as refused:
        host.get(id_, {})

    assert (
        f"the id must be '<db_instance_id>:<model_service_id>', such as gp-abc:ms-123, got {id_!r}"
    ) == str(refused.value)
