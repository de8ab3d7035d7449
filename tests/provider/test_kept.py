"""What a failing create tells the engine to keep: on the wire, at any size, for the next run."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, status_pb2

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import (
    PROVIDER,
    DynamicHost,
    Properties,
    Stored,
    encoded,
    kept_by,
    urn_of,
)


@pytest.mark.parametrize("method", ["Create", "Update"])
def test_the_real_host_sends_the_engine_its_own_message(
    host: DynamicHost, cloud: Simulator, inputs: Properties, method: str
) -> None:
    """Id, reason and properties, the serialised provider among them, in the trailing metadata."""
    cloud.hold_deployments()
    bag = encoded({**inputs, "__provider": PROVIDER})
    request = provider_pb2.CreateRequest(urn=urn_of(inputs), properties=bag, timeout=0.1)
    if method == "Update":
        stored = host.create({**inputs, "wait_for_active": False})
        request = provider_pb2.UpdateRequest(
            id=stored.id, urn=urn_of(inputs), olds=encoded(stored.outs), news=bag, timeout=0.1
        )
    with pytest.raises(grpc.RpcError) as failed:
        getattr(host._stub, method)(request, timeout=20)
    error: Any = failed.value

    assert error.code() is grpc.StatusCode.UNKNOWN
    ((key, packed),) = error.trailing_metadata()
    assert key == "grpc-status-details-bin"
    status = status_pb2.Status.FromString(packed)
    assert (status.code, status.message) == (2, error.details())
    (detail,) = status.details
    assert detail.type_url == "type.googleapis.com/pulumirpc.ErrorResourceInitFailed"
    kept = provider_pb2.ErrorResourceInitFailed.FromString(detail.value)
    assert kept.id == f"{inputs['db_instance_id']}:{cloud.services[-1].id}"
    assert list(kept.reasons) == [error.details()]
    assert kept.properties["__provider"] == PROVIDER
    assert kept.properties["status"] == "deployming"
    assert not kept.HasField("inputs")


def test_a_large_resource_comes_through_whole(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """A whitelist of 1000 entries and a long description do not cost the id."""
    declared = {
        **inputs,
        "description": "für alle " * 2000,
        "security_ip_list": [f"10.{n // 256}.{n % 256}.0/24" for n in range(1000)],
        "model_params": {f"key-{n}": "x" * 100 for n in range(1000)},
    }
    cloud.fail_next_deployment()

    stored = kept_by(lambda: host.create(declared))

    assert {name: stored.outs[name] for name in declared} == declared
    assert stored.id == f"{inputs['db_instance_id']}:{cloud.services[-1].id}"


def test_what_was_kept_is_all_that_the_next_run_needs(
    quick: TimedHost, clock: MovedClock, cloud: Simulator, inputs: Properties
) -> None:
    """Another process refreshes, finishes, deletes and replaces the service from it."""
    cloud.hold_deployments()
    kept = kept_by(lambda: quick.create(inputs, timeout_s=60))

    other = TimedHost(clock, {})
    read = other.refresh(kept)
    cloud.release_deployments()
    finished = other.update(kept, inputs)
    other.delete(kept)
    following = other.create(inputs)
    other.stop()

    reason = "it is not active yet, status 'deployming'"
    assert read == Stored(kept.id, {**kept.outs, "status_reason": reason}, inputs)
    assert (finished.id, finished.outs["status"]) == (kept.id, "active")
    assert following.id != kept.id
    tokens = [call.parameters["ClientToken"] for call in cloud.calls("CreateModelService")]
    assert tokens == [*kept.outs["__tokens"], *following.outs["__tokens"]]
