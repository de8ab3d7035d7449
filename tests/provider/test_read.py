"""Read: live values for refresh and `.get`, and no state dropped without proof."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import Diffed, DynamicHost, HostError, Properties, Stored


def test_read_changes_nothing_when_nothing_drifted(host: DynamicHost, inputs: Properties) -> None:
    """A refresh gives back the outputs and inputs that the create left."""
    declared = {**inputs, "replicas": 2, "model_params": {"a": 1}, "timeouts": {"delete": "1m"}}
    stored = host.create(declared)

    assert Stored(stored.id, stored.outs, declared) == host.refresh(stored)


def test_read_keeps_what_a_create_records_and_makes_no_input_of_it(
    host: DynamicHost, inputs: Properties
) -> None:
    """A refresh is no run that wrote the state anew, and what the package records is no input."""
    stored = host.create(inputs)

    read = host.refresh(stored)

    for name in ("__written", "__tokens"):
        assert name in stored.outs
        assert stored.outs[name] == read.outs[name]
        assert name not in (read.inputs or {})


def test_read_of_an_empty_whitelist_finds_no_drift(host: DynamicHost, inputs: Properties) -> None:
    """What the cloud makes of an empty list, which counts as not set, is no drift and no change."""
    emptied = {**inputs, "security_ip_list": []}
    checked = host.check(emptied)
    stored = host.create(checked.inputs)

    read = host.refresh(stored)
    again = host.check(emptied, read.inputs)

    assert ([], inputs) == (checked.failures, checked.inputs)
    assert ["127.0.0.1"] == read.outs["security_ip_list"]
    assert Stored(stored.id, stored.outs, inputs) == read
    assert Diffed("DIFF_NONE", [], delete_before_replace=True) == host.diff(read, again.inputs)


def test_read_finds_no_drift_in_names_with_spaces(host: DynamicHost, inputs: Properties) -> None:
    """The cloud shows names as they were sent, stripped, and that is no change."""
    declared = {**inputs, "model_name": " Qwen3-8B ", "ai_nodes": [" ai-1 "]}
    stored = host.create(declared)

    read = host.refresh(stored)

    assert Stored(stored.id, stored.outs, declared) == read


def test_read_warns_of_an_open_whitelist_that_nobody_declared(
    provider: ModelServiceProvider,
    cloud: Simulator,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who may call the service is told when the program leaves it to the cloud."""
    created = provider.create(inputs)
    cloud.change_service(created.id.split(":")[1], security_ip_list=["0.0.0.0/0"])
    capsys.readouterr()

    provider.read(created.id, created.outs or {})

    assert (
        f"{created.id} admits 0.0.0.0/0, though security_ip_list is not set: declare it to be sure "
        "of who may call the service\n"
    ) == capsys.readouterr().out


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        pytest.param({}, "127.0.0.1", id="closed"),
        pytest.param({"security_ip_list": ["10.0.0.1"]}, "0.0.0.0/0", id="declared"),
    ],
)
def test_read_warns_of_no_other_whitelist(
    provider: ModelServiceProvider,
    cloud: Simulator,
    inputs: Properties,
    declared: Properties,
    live: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A closed whitelist needs no word, and one that is declared shows as drift."""
    created = provider.create({**inputs, **declared})
    cloud.change_service(created.id.split(":")[1], security_ip_list=[live])
    capsys.readouterr()

    outs = provider.read(created.id, created.outs or {}).outs or {}

    assert [live] == outs["security_ip_list"]
    assert "" == capsys.readouterr().out


def test_get_warns_of_no_whitelist(
    provider: ModelServiceProvider, inputs: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    """What others manage is theirs to open."""
    created = provider.create({**inputs, "security_ip_list": ["0.0.0.0/0"]})
    capsys.readouterr()

    outs = provider.read(created.id, {}).outs or {}

    assert ["0.0.0.0/0"] == outs["security_ip_list"]
    assert "" == capsys.readouterr().out


def test_read_gives_a_service_that_was_never_seen_time_to_show(
    provider: ModelServiceProvider, cloud: Simulator, inputs: Properties
) -> None:
    """No list is taken for proof while a new service may still be on its way."""
    cloud.inject("forbidden", "DescribeModelService", times=None)
    created = provider.create(inputs)
    cloud.clear_faults()
    cloud.clear_requests()
    cloud.inject("not-found-404", "DescribeModelService", times=3)

    read = provider.read(created.id, created.outs or {})

    assert ("unknown", "active") == ((created.outs or {})["status"], (read.outs or {})["status"])
    assert ["DescribeModelService"] * 4 == [call.action for call in cloud.calls()]


def test_read_answers_an_empty_id_when_a_service_never_shows(
    provider: ModelServiceProvider, cloud: Simulator, inputs: Properties
) -> None:
    """After the time that a new service may take, the complete list is proof."""
    cloud.inject("forbidden", "DescribeModelService", times=None)
    created = provider.create(inputs)
    cloud.clear_faults()
    cloud.remove_service(created.id.split(":")[1])

    assert "" == provider.read(created.id, created.outs or {}).id


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


def test_get_needs_no_state(host: DynamicHost, inputs: Properties) -> None:
    """Engines differ in whether they send the inputs of a `.get` as the state too."""
    stored = host.create(inputs)
    asked = {"region_id": "cn-beijing"}

    assert host.get(stored.id, asked) == host.get(stored.id, asked, as_state=False)


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
