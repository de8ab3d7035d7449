"""Runs a program against Pulumi's own mocks, and keeps what it registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.mocks import test as run_as_program

from pulumi_adbpg_model import ModelService

MINIMUM: dict[str, Any] = {
    "db_instance_id": "gp-1",
    "model_name": "Qwen3-8B",
    "ai_nodes": ["ai-1"],
}


@dataclass
class Registered:
    """What reached the engine of one program run."""

    #: Inputs as the mocks see them: without those that are None.
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: The whole requests, by resource name.
    requests: dict[str, Any] = field(default_factory=dict)


class _Mocks(Mocks):
    def __init__(self, into: Registered, outputs: dict[str, Any]) -> None:
        self._into = into
        self._outputs = outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        return {}, None

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self._into.inputs[args.name] = args.inputs
        return args.resource_id or "gp-1:ms-1", {**args.inputs, **self._outputs}


class _Monitor(MockMonitor):
    def __init__(self, mocks: Mocks, into: Registered) -> None:
        super().__init__(mocks)
        self._into = into

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the method's name on the wire
        self._into.requests[request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        self._into.requests[request.name] = request
        return super().ReadResource(request)  # type: ignore[no-untyped-call]


def run(
    program: Callable[[], object],
    outputs: dict[str, Any] | None = None,
    *,
    preview: bool = False,
) -> Registered:
    """Run the program; `outputs` are what the engine answers on top of the inputs."""
    into = Registered()
    mocks = _Mocks(into, outputs or {})

    def started() -> pulumi.Output[None]:
        set_mocks(  # here, since they need an event loop, which Python 3.14 makes for nobody
            mocks,
            project="shop",
            stack="dev",
            organization="acme",
            preview=preview,
            monitor=_Monitor(mocks, into),
        )
        program()
        return pulumi.Output.from_input(None)

    run_as_program(started)()  # type: ignore[no-untyped-call]
    return into


def declare(name: str = "model", **inputs: Any) -> ModelService:
    """A minimal declaration with more inputs."""
    return ModelService(name, **{**MINIMUM, **inputs})
