"""What programs declare in these tests, and a resource of another package beside ours."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from pulumi_adbpg_model import ModelService
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.service.state import spec_from
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.stack import PROJECT, STACK, TYPE, Program

INSTANCE = "gp-demo"
MODEL = "Qwen3-Embedding-8B"
NODE = "ai-1"
URN = f"urn:pulumi:{STACK}::{PROJECT}::{TYPE}::model"


def declare(
    name: str = "model", opts: pulumi.ResourceOptions | None = None, **inputs: Any
) -> ModelService:
    """A service on the first node, but for what the inputs say otherwise."""
    wanted = {"db_instance_id": INSTANCE, "model_name": MODEL, "ai_nodes": [NODE]} | inputs
    declared: Any = ModelService
    service: ModelService = declared(name, opts=opts, **wanted)
    return service


def program(opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> Program:
    """A program that declares one service, named `model`."""

    def run() -> None:
        declare(opts=opts, **inputs)

    return run


def place(simulator: Simulator, **asked: Any) -> str:
    """Put a service into the cloud without Pulumi; returns the id that Pulumi would give it."""
    wanted = {"db_instance_id": INSTANCE, "model_name": MODEL, "ai_nodes": (NODE,)} | asked
    submitted = _gateway(simulator).create_model_service(
        spec_from(wanted), f"placed-{len(simulator.services)}"
    )
    simulator.clear_requests()
    return str(submitted.id)


def delete(simulator: Simulator, id_: str) -> None:
    """Have the cloud delete a service without Pulumi, in the time that it takes."""
    _gateway(simulator).delete_model_service(ModelServiceId.parse(id_))
    simulator.clear_requests()


def _gateway(simulator: Simulator) -> Gateway:
    settings = Settings.resolve(lambda _key: None, simulator.environment())
    return Gateway(settings, SystemClock())


def pulumi_ids(simulator: Simulator) -> set[str]:
    """The ids that Pulumi would give to the services in the cloud."""
    return {str(ModelServiceId(one.instance_id, one.id)) for one in simulator.services}


def mutations(simulator: Simulator) -> list[str]:
    """The actions that changed the cloud, or tried to, in order."""
    return [request.action for request in simulator.mutations]


class Echo(Resource, module="test", name="Echo"):
    """
    A dynamic resource of another package: `made` is what it was given, known only once created.

    It fails, with an error of its own, when told to.
    """

    value: pulumi.Output[Any]
    made: pulumi.Output[Any]

    def __init__(
        self,
        name: str,
        value: Any,
        *,
        fails: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            _echo_provider(), name, {"value": value, "fails": fails, "made": None}, opts
        )


def _echo_provider() -> ResourceProvider:
    class EchoProvider(ResourceProvider):  # local, so that it is stored by value
        def create(self, props: dict[str, Any]) -> CreateResult:
            if props["fails"]:
                raise RuntimeError("the echo failed")
            return CreateResult("echo", {**props, "made": props["value"]})

    return EchoProvider()
