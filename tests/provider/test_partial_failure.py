"""Operations that end without an active service: they fail, and the engine keeps the service."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import (
    Diffed,
    PartialFailureError,
    Properties,
    Stored,
    kept_by,
    urn_of,
)

_KEPT = "It is kept in the state and its AI nodes stay billed"
_MAYBE = "It may exist and be billed, so it is kept in the state"
_WAIT = "Run `pulumi up` again to go on waiting"
_REPLACE = "The next `pulumi up` replaces it"
_LATE = "not active within 1 m 00 s, the limit set by custom_timeouts"
_REFUSED = (
    "its status could not be read: DescribeModelService {id} failed: User not authorized to "
    "operate on the resource (code=Forbidden.RAM, status=403, request_id=…). Check the access key "
    "and its secret, the RAM policy, and the security token's expiry. The credentials come from "
    "environment ALICLOUD_ACCESS_KEY"
)
_UNREAD = (
    "the last look at it failed: DescribeModelService {id} failed: The service is temporarily "
    "unavailable (code=ServiceUnavailable, status=503, request_id=…). The service has a fault of "
    "its own: run the command again later"
)
_REQUEST_ID = re.compile(r"request_id=[0-9A-F-]{36}")

Trouble = Callable[[Simulator, MovedClock], None]


def _fault(name: str, after: int = 0) -> Trouble:
    def trouble(cloud: Simulator, _: MovedClock) -> None:
        cloud.hold_deployments()
        cloud.inject(name, "DescribeModelService", times=None, after=after)

    return trouble


def _held(cloud: Simulator, _: MovedClock) -> None:
    cloud.hold_deployments()


def _cancelled(cloud: Simulator, clock: MovedClock) -> None:
    cloud.hold_deployments()
    clock.after(5, clock.cancel.set)


def _failing(cloud: Simulator, _: MovedClock) -> None:
    cloud.fail_next_deployment("Deploy_Error")


@dataclass(frozen=True)
class _End:
    """How a wait ends: the status and the reason that are stored, and what is said of them."""

    status: str
    reason: str
    kept: str = _KEPT
    then: str = _WAIT

    def check(self, failure: PartialFailureError) -> Stored:
        """Compare with what the engine is told; returns what it stores."""
        stored = failure.stored
        reason = _REQUEST_ID.sub("request_id=…", stored.outs["status_reason"])
        assert (stored.outs["status"], reason) == (self.status, self.reason.format(id=stored.id))
        assert str(failure) == (
            f"model service {stored.id} is not active: {stored.outs['status_reason']}. "
            f"{self.kept}. {self.then}; `pulumi destroy --target {urn_of(stored.outs)}` "
            "removes it."
        )
        assert len(str(failure).splitlines()) == 1
        return stored


@pytest.mark.parametrize(
    ("trouble", "end"),
    [
        pytest.param(
            _held, _End("deployming", f"{_LATE} (last status 'deployming')"), id="deadline"
        ),
        pytest.param(
            _failing,
            _End("Deploy_Error", "the deployment failed, status 'Deploy_Error'", then=_REPLACE),
            id="failed deployment",
        ),
        pytest.param(
            _cancelled,
            _End("deployming", "the operation was cancelled (last status 'deployming')"),
            id="cancel",
        ),
        pytest.param(
            _fault("forbidden"),
            _End("unknown", f"{_REFUSED} (never seen so far)", _MAYBE),
            id="never readable",
        ),
        pytest.param(
            _fault("forbidden", after=1),
            _End("deployming", f"{_REFUSED} (last status 'deployming')"),
            id="readable once",
        ),
        pytest.param(
            _fault("unavailable"),
            _End("unknown", f"{_LATE}; {_UNREAD} (never seen so far)", _MAYBE),
            id="outage",
        ),
        pytest.param(
            _fault("not-found-404"),
            _End("unknown", f"{_LATE} (never seen so far)", _MAYBE),
            id="never shown",
        ),
    ],
)
def test_a_create_that_ends_without_an_active_service_fails_and_keeps_it(
    quick: TimedHost,
    clock: MovedClock,
    cloud: Simulator,
    inputs: Properties,
    trouble: Trouble,
    end: _End,
) -> None:
    """Id, outputs and one line of reason reach the engine, and the next run does what it says."""
    trouble(cloud, clock)
    with pytest.raises(PartialFailureError) as failed:
        quick.create(inputs, timeout_s=60)
    stored = end.check(failed.value)

    (service,) = (one for one in cloud.services if one.instance_id == inputs["db_instance_id"])
    (call,) = cloud.calls("CreateModelService")
    token = call.parameters["ClientToken"]
    seen = {"create_time": service.create_time, "security_ip_list": ["127.0.0.1"]}
    assert stored == Stored(
        f"{service.instance_id}:{service.id}",
        {
            **inputs,
            **(seen if end.status != "unknown" else {}),
            "region_id": "cn-hangzhou",
            "model_service_id": service.id,
            "request_id": stored.outs["request_id"],
            "status": end.status,
            "status_reason": stored.outs["status_reason"],
            "__declared": ["ai_nodes", "db_instance_id", "model_name"],
            "__tokens": [token],
        },
    )
    assert len(stored.outs["request_id"]) == 36
    replaces = ["status"] if end.then == _REPLACE else []
    assert quick.diff(stored, inputs) == Diffed("DIFF_SOME", replaces, delete_before_replace=True)


def _failed_since(cloud: Simulator, _: MovedClock) -> None:
    cloud.fail_service(cloud.services[-1].id, "Deploy_Error")


@pytest.mark.parametrize(
    ("trouble", "end"),
    [
        pytest.param(
            _held, _End("deployming", f"{_LATE} (last status 'deployming')"), id="deadline"
        ),
        pytest.param(
            _failed_since,
            _End("Deploy_Error", "the deployment failed, status 'Deploy_Error'", then=_REPLACE),
            id="failed deployment",
        ),
        pytest.param(
            _cancelled,
            _End("deployming", "the operation was cancelled (last status 'deployming')"),
            id="cancel",
        ),
        pytest.param(
            _fault("forbidden"),
            _End("deployming", f"{_REFUSED} (last status 'deployming')"),
            id="unreadable",
        ),
        pytest.param(
            _fault("unavailable"),
            _End("deployming", f"{_LATE}; {_UNREAD} (last status 'deployming')"),
            id="outage",
        ),
        pytest.param(
            _fault("not-found-404"),
            _End("deployming", f"{_LATE} (last status 'deployming')"),
            id="listed, but not described",
        ),
    ],
)
def test_an_update_that_ends_without_an_active_service_fails_and_keeps_what_was_known(
    quick: TimedHost,
    clock: MovedClock,
    cloud: Simulator,
    inputs: Properties,
    trouble: Trouble,
    end: _End,
) -> None:
    """The new inputs are recorded, status and reason follow the cloud, all else stays."""
    cloud.hold_deployments()
    before = quick.create({**inputs, "wait_for_active": False})
    cloud.clear_requests()
    trouble(cloud, clock)
    with pytest.raises(PartialFailureError) as failed:
        quick.update(before, {**inputs, "store_api_key": False}, timeout_s=60)
    stored = end.check(failed.value)

    outs = {**before.outs, "store_api_key": False, "status": end.status}
    del outs["wait_for_active"]
    outs["__declared"] = ["ai_nodes", "db_instance_id", "model_name", "store_api_key"]
    outs["status_reason"] = stored.outs["status_reason"]
    assert stored == Stored(before.id, outs)
    assert cloud.mutations == []


def test_an_update_of_an_active_service_that_has_failed_since_fails(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """Nothing is passed on, whatever the update was for; what was made from it keeps its key."""
    before = quick.create(inputs)
    cloud.fail_service(before.outs["model_service_id"])
    with pytest.raises(PartialFailureError) as failed:
        quick.update(before, {**inputs, "security_ip_group": "models"})

    end = _End("deploy_failed", "the deployment failed, status 'deploy_failed'", then=_REPLACE)
    stored = end.check(failed.value)
    assert stored.outs["security_ip_group"] == "models"
    kept = ("api_key", "private_connect_url", "create_time")
    assert {name: stored.outs[name] for name in kept} == {name: before.outs[name] for name in kept}


@pytest.mark.parametrize("status", ["deployming", "deploy_failed"])
def test_nothing_fails_where_nobody_waits(
    quick: TimedHost, cloud: Simulator, inputs: Properties, status: str
) -> None:
    """With wait_for_active false, create and update succeed with a service in any status."""
    declared = {**inputs, "wait_for_active": False}
    cloud.hold_deployments()
    if status == "deploy_failed":
        cloud.release_deployments()
        cloud.fail_next_deployment()

    created = quick.create(declared)
    updated = quick.update(created, {**declared, "store_api_key": False})

    assert [created.outs["status"], updated.outs["status"]] == [status, status]


@pytest.mark.parametrize(
    ("name", "remove"),
    [
        ("pod$model", "`pulumi destroy --target '{urn}'` removes it."),
        ("it's 1", "`pulumi destroy --target 'urn:pulumi:dev::shop::t::it'\"'\"'s 1'` removes it."),
        ("m*", "take it out of the program to remove it."),  # a target with `*` is all that match
    ],
)
def test_what_removes_a_service_is_safe_to_type(
    quick: TimedHost, cloud: Simulator, inputs: Properties, name: str, remove: str
) -> None:
    """It removes that service and no other, whatever its resource is called."""
    cloud.hold_deployments()
    urn = f"urn:pulumi:dev::shop::t::{name}"
    with pytest.raises(PartialFailureError) as failed:
        quick.create(inputs, urn=urn, timeout_s=1)
    told = str(failed.value).rpartition("; ")[2]
    assert told == remove.format(urn=urn)


def test_a_service_without_a_status_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cloud that leaves the word out at first shows the service all the same."""
    with Simulator(provision_seconds=3600, dialects=["status-missing"]) as silent:
        for name, value in silent.environment().items():
            monkeypatch.setenv(name, value)
        declared = {"db_instance_id": "gp-demo", "model_name": "Qwen3-8B", "ai_nodes": ["ai-1"]}
        own = TimedHost(MovedClock(), {})
        created = own.create({**declared, "wait_for_active": False})
        late = kept_by(lambda: own.create({**declared, "ai_nodes": ["ai-2"]}, timeout_s=60))
        own.stop()
    assert [created.outs["status"], late.outs["status"]] == ["unknown", "unknown"]


@pytest.mark.parametrize("fault", ["not-found-404", "forbidden"])
def test_a_service_that_was_never_seen_fails_even_where_nobody_waits(
    quick: TimedHost, cloud: Simulator, inputs: Properties, fault: str
) -> None:
    """Whether there is one at all is not known, and nothing may be built upon it."""
    cloud.inject(fault, "DescribeModelService", times=None)
    declared = {**inputs, "wait_for_active": False}

    created = kept_by(lambda: quick.create(declared))
    updated = kept_by(lambda: quick.update(created, declared))

    assert [created.outs["status"], updated.outs["status"]] == ["unknown", "unknown"]
    assert updated.id == created.id
