"""An SDK whose host does not show the engine's request: nothing is created, all else works."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import pytest

from pulumi_adbpg_model.host import WORKING_SDKS
from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import DynamicHost, HostError, Properties, Stored
from tests.provider.renamed_sdk import renamed_sdk

_REFUSED = (
    "no model service can be created with this version of Pulumi's Python SDK "
    f"({version('pulumi')}), which does not show what would keep one from being lost. Install "
    f"`pulumi>={WORKING_SDKS[0]},<={WORKING_SDKS[1]}`; what exists can be refreshed, changed in "
    "place and destroyed with this one too."
)


@pytest.fixture(scope="module")
def other(cloud: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamicHost]:
    """The host of such an SDK."""
    path = renamed_sdk(tmp_path_factory.mktemp("sdk"))
    with DynamicHost({**cloud.environment(), "PYTHONPATH": path}) as running:
        yield running


def test_check_refuses_what_is_to_be_created(other: DynamicHost, inputs: Properties) -> None:
    """One line that says what to install, and it comes at preview."""
    assert other.check(inputs).failures == [("", _REFUSED)]
    assert len(_REFUSED.splitlines()) == 1


def test_check_tells_broken_rules_beside_it(other: DynamicHost, inputs: Properties) -> None:
    """What else is wrong is not hidden."""
    failures = other.check({**inputs, "replicas": 0}).failures

    assert failures == [
        ("replicas", "replicas must be a whole number of at least 1, got 0"),
        ("", _REFUSED),
    ]


def test_check_passes_what_exists(other: DynamicHost, inputs: Properties) -> None:
    """A stack whose services are there goes on as before."""
    changed = {**inputs, "store_api_key": False}
    checked = other.check(changed, inputs)

    assert (checked.failures, checked.inputs) == ([], changed)


def test_create_is_refused_before_anything_is_sent(
    other: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Should a create come without a check, it fails before the cloud hears of it."""
    with pytest.raises(HostError) as refused:
        other.create(inputs)

    assert str(refused.value) == _REFUSED
    assert type(refused.value) is HostError
    assert cloud.requests == []


def test_an_existing_service_is_refreshed_changed_and_deleted(
    other: DynamicHost, host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Everything but a create works from the state that another SDK wrote."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    stored = host.create(declared)
    news = {**declared, "security_ip_list": ["10.0.0.2"]}

    assert other.get(stored.id, {}).outs["api_key"] == stored.outs["api_key"]
    assert other.refresh(stored) == Stored(stored.id, stored.outs, declared)
    assert other.diff(stored, news).replaces == []
    updated = other.update(stored, news)
    assert updated.outs == {**stored.outs, "security_ip_list": ["10.0.0.2"]}
    other.delete(updated)
    assert stored.outs["model_service_id"] not in {service.id for service in cloud.services}


def test_an_unfinished_service_is_told_of_without_a_failure(
    other: DynamicHost, host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """Where the engine cannot be told to keep it, an update succeeds with a warning."""
    cloud.hold_deployments()
    stored = host.create({**inputs, "wait_for_active": False})
    cloud.fail_service(stored.outs["model_service_id"])

    updated = other.update(stored, inputs)

    assert updated.outs["status"] == "deploy_failed"
    line = other.lines_until(f"model service {stored.id} is not active")[-1]
    assert line == (
        f"model service {stored.id} is not active: the deployment failed, status 'deploy_failed'. "
        "It is kept in the state and its AI nodes stay billed. The next `pulumi up` replaces it; "
        "take it out of the program to remove it."
    )


def test_the_other_features_take_hold(
    other: DynamicHost, host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """What is found in another way than the request still is: an own error stays one line."""
    stored = host.create(inputs)
    cloud.inject("forbidden", "DescribeModelService")
    with pytest.raises(HostError) as refused:
        other.refresh(stored)

    assert str(refused.value).startswith(f"DescribeModelService {stored.id} failed: ")
    assert len(str(refused.value).splitlines()) == 1
