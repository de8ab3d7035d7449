"""Refresh: live values in the state, and no state dropped without proof."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import TimedHost
from tests.provider.dynamic_host import (
    Diffed,
    DynamicHost,
    HostError,
    Properties,
    Stored,
    kept_by,
)


def test_read_changes_nothing_when_nothing_drifted(host: DynamicHost, inputs: Properties) -> None:
    """A refresh gives back the outputs and inputs that the create left."""
    declared = {**inputs, "replicas": 2, "model_params": {"a": 1}}
    stored = host.create(declared)

    assert Stored(stored.id, stored.outs, declared) == host.refresh(stored)


def test_read_makes_no_input_of_what_a_create_records(
    host: DynamicHost, inputs: Properties
) -> None:
    """The client tokens stay in the outputs, and are nothing that a program declares."""
    stored = host.create(inputs)

    read = host.refresh(stored)

    assert 1 == len(stored.outs["__tokens"])
    assert stored.outs["__tokens"] == read.outs["__tokens"]
    assert inputs == read.inputs


def test_read_leaves_what_an_earlier_release_stored(host: DynamicHost, inputs: Properties) -> None:
    """A refresh right after an upgrade shows no drift: what 0.1.0 kept stays where it was."""
    stored = host.create(inputs)
    former_inputs = {"__urn": "urn:1", "timeouts": {"create": "90m"}}
    former = Stored(stored.id, {**stored.outs, **former_inputs, "__written": 1000.5})

    read = host.refresh(former)

    assert Stored(stored.id, former.outs, {**inputs, **former_inputs}) == read


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
    quick: TimedHost,
    cloud: Simulator,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who may call the service is told when the program leaves it to the cloud."""
    created = quick.create(inputs)
    cloud.change_service(created.outs["model_service_id"], security_ip_list=["0.0.0.0/0"])
    capsys.readouterr()

    quick.refresh(created)

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
    quick: TimedHost,
    cloud: Simulator,
    inputs: Properties,
    declared: Properties,
    live: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A closed whitelist needs no word, and one that is declared shows as drift."""
    created = quick.create({**inputs, **declared})
    cloud.change_service(created.outs["model_service_id"], security_ip_list=[live])
    capsys.readouterr()

    outs = quick.refresh(created).outs

    assert [live] == outs["security_ip_list"]
    assert "" == capsys.readouterr().out


def test_read_gives_a_service_that_was_never_seen_time_to_show(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """No list is taken for proof while a new service may still be on its way."""
    cloud.inject("forbidden", "DescribeModelService", times=None)
    unseen = kept_by(lambda: quick.create(inputs))
    cloud.clear_faults()
    cloud.clear_requests()
    cloud.inject("not-found-404", "DescribeModelService", times=3)

    read = quick.refresh(unseen)

    assert ("unknown", "active") == (unseen.outs["status"], read.outs["status"])
    assert ["DescribeModelService"] * 4 == [call.action for call in cloud.calls()]


def test_read_answers_an_empty_id_when_a_service_never_shows(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """After the time that a new service may take, the complete list is proof."""
    cloud.inject("forbidden", "DescribeModelService", times=None)
    unseen = kept_by(lambda: quick.create(inputs))
    cloud.clear_faults()
    cloud.remove_service(unseen.outs["model_service_id"])

    assert Stored("", {}) == quick.refresh(unseen)


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


def test_read_shows_a_description_that_was_emptied(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Emptied is not left out; an update in between, which looks at it, does not hide it."""
    declared = {**inputs, "description": "mine"}
    stored = host.create(declared)
    service_id = stored.outs["model_service_id"]
    cloud.change_service(service_id, description=None)
    assert host.refresh(stored).outs == stored.outs
    cloud.change_service(service_id, description="")
    updated = host.update(stored, {**declared, "store_api_key": False})
    assert updated.outs["description"] == "mine"

    for known in (stored, updated):
        read = host.refresh(known)
        assert {**known.outs, "description": ""} == read.outs
        assert read.inputs is not None
        assert read.inputs["description"] == ""

    assert host.diff(read, declared).replaces == ["description"]
    for empty in ("", None):
        assert host.diff(read, {**inputs, "description": empty}).replaces == []


def test_read_keeps_a_description_that_the_cloud_never_showed(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """It was empty before anybody could have emptied it: such a cloud shows none."""
    cloud.hold_deployments()
    declared = {**inputs, "description": "mine", "wait_for_active": False}
    stored = host.create(declared)
    service_id = stored.outs["model_service_id"]
    cloud.change_service(service_id, description="")
    cloud.release_deployments()

    read = host.refresh(host.refresh(stored))
    assert read.inputs == declared
    updated = host.update(read, {**declared, "store_api_key": False})
    assert host.refresh(updated).outs["description"] == "mine"


def test_read_keeps_a_declared_form_that_the_cloud_writes_otherwise(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Reordered nodes, canonical networks and rewritten texts are no drift."""
    declared = {
        **inputs,
        "description": "of two\nlines\n",
        "ai_nodes": ["ai-1", "ai-2"],
        "security_ip_list": ["10.0.0.7/24", "1.2.3.4"],
    }
    stored = host.create(declared)
    cloud.change_service(
        stored.outs["model_service_id"],
        model_name="qwen3-embedding-8b",
        description="of two\r\nlines",
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


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("updating", "it is not active yet, status 'updating'"),
        ("deploy_failed", "the deployment failed, status 'deploy_failed'"),
        ("deleting", "it is being deleted, status 'deleting'"),
    ],
)
@pytest.mark.parametrize("waits", [True, False])
def test_read_keeps_addresses_and_key_of_what_was_active(
    host: DynamicHost,
    cloud: Simulator,
    inputs: Properties,
    status: str,
    reason: str,
    *,
    waits: bool,
) -> None:
    """What was made from them is not emptied by another word; why it is not active is said."""
    stored = host.create({**inputs, "wait_for_active": waits, "enable_public_connection": True})
    stored = host.refresh(stored)
    cloud.change_service(stored.outs["model_service_id"], status=status)

    read = host.refresh(stored)

    kept = {"api_key", "private_connect_url", "public_connect_url"}
    assert kept <= read.outs.keys()
    assert Stored(stored.id, {**stored.outs, "status": status, "status_reason": reason}) == Stored(
        read.id, read.outs
    )


def test_read_never_shows_a_key_that_is_not_to_be_stored(
    host: DynamicHost, inputs: Properties
) -> None:
    """store_api_key false holds for refresh too."""
    stored = host.create({**inputs, "store_api_key": False})

    assert "api_key" not in host.refresh(stored).outs


def test_read_answers_an_empty_id_when_the_service_is_gone(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """A service that the complete list lacks leaves the state."""
    stored = quick.create(inputs)
    cloud.remove_service(stored.outs["model_service_id"])

    assert Stored("", {}) == quick.refresh(stored)


@pytest.mark.parametrize(
    "fault", ["instance-not-found", "forbidden", "html-502", "internal-error", "wrong-shape"]
)
def test_read_raises_when_absence_is_not_proven(
    quick: TimedHost, cloud: Simulator, inputs: Properties, fault: str
) -> None:
    """A not-found without a list that confirms it is an error, so the state stays."""
    stored = quick.create(inputs)
    cloud.remove_service(stored.outs["model_service_id"])
    cloud.inject(fault, "ListModelServices", times=None)

    with pytest.raises(HostError) as refused:
        quick.refresh(stored)

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
