"""Diff: what a change means, in the engine's own words."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.fields import INPUTS
from tests.chaos.hosting import TimedHost
from tests.provider.dynamic_host import UNKNOWN, Diffed, DynamicHost, Properties, Stored

_NOTHING = Diffed("DIFF_NONE", [], delete_before_replace=True)


def _stored(inputs: Properties, **outputs: Any) -> Stored:
    outs = {
        "security_ip_list": ["127.0.0.1"],  # as the cloud shows it when none was declared
        **inputs,
        "region_id": "cn-hangzhou",
        "model_service_id": "ms-1",
        "status": "active",
        "create_time": "2026-01-01T00:00:00Z",
        "__declared": sorted(set(INPUTS) & inputs.keys()),
    }
    return Stored(f"{inputs['db_instance_id']}:ms-1", {**outs, **outputs})


def test_diff_finds_nothing_when_nothing_changed(host: DynamicHost, inputs: Properties) -> None:
    """The same inputs are no change, whatever else the outputs hold."""
    assert _NOTHING == host.diff(_stored(inputs), inputs)


def test_diff_finds_nothing_when_outputs_are_missing(host: DynamicHost, inputs: Properties) -> None:
    """A state that holds only what was declared, and that the service is active, is enough."""
    stored = Stored(f"{inputs['db_instance_id']}:ms-1", {**inputs, "status": "active"})

    assert _NOTHING == host.diff(stored, inputs)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({"replicas": 2}, {"replicas": 2.0}, id="number"),
        pytest.param(
            {"model_params": {"a": {"b": [1, 2]}}},
            {"model_params": {"a": {"b": [1.0, 2.0]}}},
            id="numbers in a mapping",
        ),
        pytest.param({"ai_nodes": ["ai-1", "ai-2"]}, {"ai_nodes": ["ai-2", "ai-1"]}, id="order"),
        pytest.param(
            {"security_ip_list": ["10.0.0.7/24", "1.2.3.4"]},
            {"security_ip_list": ["1.2.3.4/32", "10.0.0.0/24"]},
            id="same networks",
        ),
        pytest.param({"description": "mine\n"}, {"description": "mine"}, id="white space around"),
        pytest.param(
            {"model_name": "Qwen3-8B"}, {"model_name": "qwen3-8b"}, id="case of the model"
        ),
        pytest.param({}, {"wait_for_active": True}, id="default said"),
        pytest.param({"store_api_key": True}, {}, id="default dropped"),
        pytest.param({}, {"region_id": "cn-hangzhou"}, id="region in use said"),
        pytest.param({"region_id": "cn-hangzhou"}, {}, id="region dropped"),
        pytest.param({"__adopt": "gp-1:ms-1"}, {}, id="import_ removed"),
        pytest.param(
            {"__urn": "urn:1", "__written": 1000.5, "timeouts": {"create": "90m"}},
            {},
            id="state of 0.1.0",
        ),
    ],
)
def test_diff_finds_nothing_when_the_cloud_means_the_same(
    host: DynamicHost, inputs: Properties, old: Properties, new: Properties
) -> None:
    """Values that mean the same are no change."""
    assert _NOTHING == host.diff(_stored({**inputs, **old}), {**inputs, **new})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db_instance_id", "gp-other"),
        ("model_name", "Qwen3-8B"),
        ("ai_nodes", ["ai-2"]),
        ("description", "other"),
        ("security_ip_list", ["10.0.0.1"]),
        ("model_params", {"a": 1}),
        ("resource_group_id", "rg-1"),
        ("client_token", "token"),
        ("replicas", 3),
        ("inference_engine", "vllm"),
        ("enable_public_connection", True),
        ("region_id", "cn-beijing"),
    ],
)
def test_diff_replaces_when_the_service_itself_would_change(
    host: DynamicHost, inputs: Properties, name: str, value: Any
) -> None:
    """A changed input of the service replaces it, the old one deleted first."""
    diffed = host.diff(_stored(inputs), {**inputs, name: value})

    assert Diffed("DIFF_UNKNOWN", [name], delete_before_replace=True) == diffed


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"wait_for_active": False}, id="wait_for_active"),
        pytest.param({"store_api_key": False}, id="store_api_key"),
        pytest.param({"security_ip_group": "models"}, id="security_ip_group"),
        pytest.param(
            {"security_ip_group": "models", "security_ip_list": ["10.0.0.1"]},
            id="whitelist with its group",
        ),
        pytest.param(
            {"security_ip_group": "models", "security_ip_list": UNKNOWN},
            id="unknown whitelist with its group",
        ),
    ],
)
def test_diff_updates_in_place_when_it_can(
    host: DynamicHost, inputs: Properties, changed: Properties
) -> None:
    """The package's own settings, and a whitelist whose group is named, change in place."""
    diffed = host.diff(_stored(inputs), {**inputs, **changed})

    assert Diffed("DIFF_UNKNOWN", [], delete_before_replace=True) == diffed


@pytest.mark.parametrize(
    ("changed", "replaces"),
    [
        pytest.param({"model_name": UNKNOWN}, ["model_name"], id="text"),
        pytest.param({"ai_nodes": ["ai-1", UNKNOWN]}, ["ai_nodes"], id="entry of a list"),
        pytest.param({"model_params": {"a": UNKNOWN}}, ["model_params"], id="in a mapping"),
        pytest.param({"region_id": UNKNOWN}, ["region_id"], id="region"),
        pytest.param({"store_api_key": UNKNOWN}, [], id="setting"),
    ],
)
def test_diff_counts_an_unknown_value_as_different(
    host: DynamicHost, inputs: Properties, changed: Properties, replaces: list[str]
) -> None:
    """At preview a value that is not known yet may be any other."""
    diffed = host.diff(_stored(inputs), {**inputs, **changed})

    assert Diffed("DIFF_UNKNOWN", replaces, delete_before_replace=True) == diffed


@pytest.mark.parametrize(
    ("status", "extra", "expected"),
    [
        pytest.param("deployming", {}, Diffed("DIFF_SOME", [], True), id="pending"),
        pytest.param("unknown", {}, Diffed("DIFF_SOME", [], True), id="never seen"),
        pytest.param("Active", {}, _NOTHING, id="active in capitals"),
        pytest.param("deployming", {"wait_for_active": False}, _NOTHING, id="nobody waits"),
        pytest.param("deploy_failed", {}, Diffed("DIFF_SOME", ["status"], True), id="failed"),
        pytest.param(
            "deploy_failed",
            {"wait_for_active": False},
            Diffed("DIFF_SOME", ["status"], True),
            id="failed, nobody waits",
        ),
    ],
)
def test_diff_forces_a_change_when_the_service_is_not_active(
    host: DynamicHost, inputs: Properties, status: str, extra: Properties, expected: Diffed
) -> None:
    """The same inputs go on waiting for a pending service and replace a failed one."""
    declared = {**inputs, **extra}

    assert expected == host.diff(_stored(declared, status=status), declared)


@pytest.mark.parametrize(
    ("status", "changed", "told"),
    [
        pytest.param("active", {}, "", id="active"),
        pytest.param("active", {"replicas": 2}, "", id="active and changed"),
        pytest.param(
            "deployming",
            {},
            "gp-1:ms-1 is 'deployming': `pulumi up` goes on waiting for it\n",
            id="pending",
        ),
        pytest.param(
            "deployming",
            {"replicas": 2},
            "gp-1:ms-1 is 'deployming': `pulumi up` replaces it\n",
            id="pending and changed",
        ),
        pytest.param("deployming", {"wait_for_active": False}, "", id="nobody waits"),
        pytest.param(
            "deploy_failed",
            {},
            "gp-1:ms-1 is 'deploy_failed': `pulumi up` replaces it\n",
            id="failed",
        ),
    ],
)
def test_diff_tells_why_a_service_that_is_not_active_changes(
    quick: TimedHost,
    inputs: Properties,
    status: str,
    changed: Properties,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A preview shows a change without a changed input, so a line says where it comes from."""
    stored = _stored({**inputs, "db_instance_id": "gp-1"}, status=status)

    quick.diff(stored, {**inputs, "db_instance_id": "gp-1", **changed})

    assert told == capsys.readouterr().out
