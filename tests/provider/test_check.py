"""Check: every broken rule and setting at once, before anything is called."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import CONFIG, UNKNOWN, DynamicHost, Properties


def test_check_passes_the_inputs_on_when_all_is_well(host: DynamicHost, inputs: Properties) -> None:
    """Valid inputs come back as they were, without those that are not set."""
    checked = host.check({**inputs, "description": "für alle", "replicas": 2, "region_id": None})

    assert [] == checked.failures
    assert {**inputs, "description": "für alle", "replicas": 2} == checked.inputs


def test_check_keeps_the_old_spelling_of_what_means_the_same(
    host: DynamicHost, inputs: Properties
) -> None:
    """Another spelling, order or form stays as it was; another meaning comes through."""
    olds = {
        **inputs,
        "ai_nodes": ["ai-1", "ai-2"],
        "description": "mine\n",
        "security_ip_list": ["10.0.0.1", "10.1.0.0/16"],
    }
    respelt = {
        "ai_nodes": ["ai-2", "ai-1"],
        "description": "mine",
        "model_name": "qwen3-embedding-8b ",
        "security_ip_list": ["10.1.2.3/16", "10.0.0.1/32"],
    }
    other = {
        "ai_nodes": ["ai-2", "ai-3"],
        "description": "Mine",
        "model_name": "Qwen3-8B",
        "security_ip_list": ["10.1.0.0/17", "10.0.0.1"],
    }

    assert olds == host.check({**inputs, **respelt}, olds).inputs
    assert {**inputs, **other} == host.check({**inputs, **other}, olds).inputs


def test_check_drops_an_empty_whitelist(host: DynamicHost, inputs: Properties) -> None:
    """An empty list is one that is not set, also where the state has entries."""
    olds = {**inputs, "security_ip_list": ["10.0.0.1"]}

    checked = host.check({**inputs, "security_ip_list": []}, olds)

    assert ([], inputs) == (checked.failures, checked.inputs)


def test_check_drops_what_an_earlier_release_kept_among_the_inputs(
    host: DynamicHost, inputs: Properties
) -> None:
    """`ignore_changes` brings back old inputs: what 0.1.0 hid among them is no input any more."""
    former = {"__urn": "urn:1", "__written": 1000.5, "timeouts": {"create": "90m"}}

    checked = host.check({**inputs, **former}, {**inputs, **former})

    assert ([], inputs) == (checked.failures, checked.inputs)


def test_check_calls_nothing(host: DynamicHost, cloud: Simulator, inputs: Properties) -> None:
    """Checking makes no call that changes the cloud."""
    host.check(inputs)

    assert [] == cloud.mutations


def test_check_reports_every_failure_at_once(host: DynamicHost) -> None:
    """Each broken rule is told with the name of its property."""
    checked = host.check(
        {
            "db_instance_id": "gp:1",
            "ai_nodes": ["ai-1", "ai-1"],
            "replicas": 0.5,
            "inference_engine": "tgi",
            "security_ip_list": ["10.0.0.1", "10.0.0.0/33"],
            "modelname": "Qwen3-8B",
            "__adopt": "gp-1",
        }
    )

    assert {
        "db_instance_id",
        "model_name",
        "ai_nodes",
        "replicas",
        "inference_engine",
        "security_ip_list",
        "modelname",
        "",  # import_ is an option, not a property
    } == {name for name, _ in checked.failures}
    assert ("model_name", "model_name is required") in checked.failures
    assert (
        "replicas",
        "replicas must be a whole number of at least 1, got 0.5",
    ) in checked.failures
    assert (
        "security_ip_list",
        "security_ip_list[1] must be an IPv4 address, a CIDR block with a prefix of 1 to 32, or "
        "0.0.0.0/0, got '10.0.0.0/33'",
    ) in checked.failures


def test_check_refuses_an_unknown_property(host: DynamicHost, inputs: Properties) -> None:
    """A property that is no input is refused by its name, with those that exist."""
    checked = host.check({**inputs, "engine": "vllm"})

    assert [
        (
            "engine",
            "engine is not an input; the inputs are db_instance_id, model_name, ai_nodes, "
            "description, security_ip_list, model_params, resource_group_id, client_token, "
            "replicas, inference_engine, enable_public_connection, region_id, wait_for_active, "
            "security_ip_group, store_api_key",
        )
    ] == checked.failures


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param({"db_instance_id": UNKNOWN}, id="required text"),
        pytest.param({"ai_nodes": UNKNOWN}, id="whole list"),
        pytest.param({"ai_nodes": ["ai-1", UNKNOWN]}, id="entry of a list"),
        pytest.param({"security_ip_list": [UNKNOWN, "10.0.0.1"]}, id="entry of a whitelist"),
        pytest.param({"model_params": {"a": {"b": [UNKNOWN]}}}, id="deep in a mapping"),
        pytest.param({"replicas": UNKNOWN}, id="number"),
        pytest.param({"enable_public_connection": UNKNOWN}, id="boolean"),
        pytest.param({"region_id": UNKNOWN}, id="region"),
    ],
)
def test_check_passes_over_unknown_values(
    host: DynamicHost, inputs: Properties, unknown: Properties
) -> None:
    """What is not known yet is no failure, and stays unknown."""
    checked = host.check({**inputs, **unknown})

    assert [] == checked.failures
    assert {**inputs, **unknown} == checked.inputs


def test_check_still_checks_what_is_known_beside_an_unknown(
    host: DynamicHost, inputs: Properties
) -> None:
    """An unknown entry does not hide a wrong one in the same list."""
    checked = host.check({**inputs, "ai_nodes": [UNKNOWN, " "]})

    assert [("ai_nodes", "ai_nodes[1] must be a non-empty string, got ' '")] == checked.failures


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"adbpg:maxPollInterval": "fast"},
            "config adbpg:maxPollInterval must be a number of seconds above 0, got 'fast'",
        ),
        (
            {"adbpg:parallel": "0"},
            "config adbpg:parallel must be a whole number from 1 to 999999, got '0'",
        ),
        (
            {"adbpg:endpoint": "http://gpdb.example.com"},
            "config adbpg:endpoint: plain http is accepted for loopback addresses only; use https, "
            "got 'http://gpdb.example.com'",
        ),
        (
            {"adbpg:region": "Hangzhou"},
            "config adbpg:region must be a region id such as cn-hangzhou, got 'Hangzhou'",
        ),
        (
            {"adbpg:accessKey": "made-up-key"},
            "config adbpg:accessKey is set but adbpg:secretKey is not: they go together",
        ),
    ],
)
def test_check_reports_malformed_configuration_beside_broken_rules(
    cloud: Simulator,
    inputs: Properties,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    expected: str,
) -> None:
    """A malformed config value fails the preview already, together with the broken inputs."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    host = TimedHost(MovedClock(), config)
    checked = host.check({**inputs, "replicas": 0})
    host.stop()

    assert [
        ("replicas", "replicas must be a whole number of at least 1, got 0"),
        ("", expected),
    ] == checked.failures


def test_check_names_every_source_of_a_region_when_there_is_none(inputs: Properties) -> None:
    """Without region and endpoint the preview fails, and tells where a region may come from."""
    with DynamicHost({}, CONFIG) as host:
        missing = host.check(inputs).failures
        own = host.check({**inputs, "region_id": "cn-beijing"}).failures
        unknown = host.check({**inputs, "region_id": UNKNOWN}).failures

    assert [
        (
            "",
            "no region is set: give a region_id (or --region), set config adbpg:region or "
            "alicloud:region, or one of the variables ALICLOUD_REGION, ALIBABA_CLOUD_REGION, "
            "ALIBABA_CLOUD_REGION_ID",
        )
    ] == missing
    assert [] == own
    assert [] == unknown


def test_check_tells_a_wrong_region_once(host: DynamicHost, inputs: Properties) -> None:
    """A malformed region_id is reported on its property alone."""
    checked = host.check({**inputs, "region_id": "Hangzhou!"})

    assert [
        ("region_id", "region_id must be a region id such as cn-hangzhou, got 'Hangzhou!'")
    ] == checked.failures


def test_check_prefers_the_region_of_the_resource(cloud: Simulator, inputs: Properties) -> None:
    """A resource with a region of its own does not look at the configured one."""
    with DynamicHost(cloud.environment(), {"adbpg:region": "Hangzhou"}) as host:
        checked = host.check({**inputs, "region_id": "cn-beijing"})

    assert [] == checked.failures
