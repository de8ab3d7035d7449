"""`ModelService.get`: reading a service that this stack does not manage."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from pulumi_adbpg_model import ModelService
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, mutations, place
from tests.engine.support.stack import Failed, Stack, is_secret

_SHOWN = (
    "db_instance_id",
    "model_name",
    "ai_nodes",
    "description",
    "security_ip_list",
    "region_id",
    "model_service_id",
    "status",
    "status_reason",
    "create_time",
    "private_connect_url",
    "public_connect_url",
    "api_key",
)


class _Look:
    """A program that looks one service up; `shown` is what it saw, run by run."""

    def __init__(self, id_: str, region_id: str | None = None) -> None:
        self.shown: list[dict[str, Any]] = []
        self._id, self._region_id = id_, region_id

    def __call__(self) -> None:
        looked = ModelService.get("looked", self._id, region_id=self._region_id)
        values = {name: getattr(looked, name) for name in _SHOWN}
        pulumi.Output.all(**values).apply(self.shown.append)
        pulumi.export("key", looked.api_key)


def test_get_shows_what_the_cloud_shows_and_manages_nothing(
    stack: Stack, simulator: Simulator
) -> None:
    """Outputs are those of the live service, the key is secret, `destroy` leaves the service."""
    simulator.hold_deployments()
    id_ = place(
        simulator,
        description="placed",
        security_ip_list=("10.0.0.1",),
        enable_public_connection=True,
    )
    look = _Look(id_, "cn-beijing")
    # A look-up does not wait: there is no connection until the service is active.
    stack.up(look)
    simulator.release_deployments()
    done = stack.up()
    (service,) = simulator.services
    common = {
        "db_instance_id": "gp-demo",
        "model_name": "Qwen3-Embedding-8B",
        "ai_nodes": ["ai-1"],
        "description": "placed",
        "security_ip_list": ["10.0.0.1"],
        "region_id": "cn-beijing",
        "model_service_id": service.id,
        "create_time": service.create_time,
    }
    assert look.shown == [
        {
            **common,
            "status": "deployming",
            "status_reason": "it is not active yet, status 'deployming'",
            "private_connect_url": None,
            "public_connect_url": None,
            "api_key": None,
        },
        {
            **common,
            "status": "active",
            "status_reason": None,
            "private_connect_url": f"http://{service.id}.gp-demo.rds.aliyuncs.com",
            "public_connect_url": f"http://{service.id}-o.gp-demo.rds.aliyuncs.com",
            "api_key": service.api_key,
        },
    ]
    assert is_secret(stack.resource("looked")["outputs"]["api_key"])
    assert str(service.api_key) not in stack.state_text() + done.output
    assert stack.resource("looked")["external"] is True
    stack.refresh()
    stack.destroy()
    assert mutations(simulator) == []
    assert simulator.services == [service]


@pytest.mark.parametrize(
    ("id_", "reason"),
    [
        (
            "gp-demo:ms-none",
            "get of model service gp-demo:ms-none failed: instance gp-demo has no such service. "
            "Correct the id, or declare the service to create it.",
        ),
        (
            "ms-none",
            "ModelService 'looked': id must be '<db_instance_id>:<model_service_id>', such as "
            "gp-abc:ms-123, got 'ms-none'",
        ),
    ],
)
def test_get_fails_in_one_line_when_there_is_no_such_service(
    stack: Stack, simulator: Simulator, id_: str, reason: str
) -> None:
    """A service that is not there, or cannot be, fails the preview with one line."""
    with pytest.raises(Failed) as failed:
        stack.preview(_Look(id_))
    assert failed.value.reasons == {reason}
    assert "Traceback" not in failed.value.output
    assert mutations(simulator) == []


def test_get_follows_the_id_of_a_resource_that_does_not_exist_yet(
    stack: Stack, simulator: Simulator
) -> None:
    """An id that is another resource's output is looked up once it is known."""

    def following() -> None:
        service = declare()
        looked = ModelService.get("looked", service.id)
        pulumi.export("looked", looked.model_service_id)

    assert stack.preview(following).changes["create"] == 2
    assert simulator.calls("DescribeModelService") == simulator.mutations == []
    done = stack.up(following)
    (service,) = simulator.services
    assert done.outputs == {"looked": service.id}
