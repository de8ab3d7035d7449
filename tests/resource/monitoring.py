"""Runs a program against an engine's own services, over gRPC, as no mocks do."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)
from pulumi.runtime.settings import Settings, configure
from pulumi.runtime.stack import run_in_stack

__all__ = ["Monitor", "monitored"]

_STACK = "pulumi:pulumi:Stack"


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """The resource monitor of one run: keeps what is registered, and answers when it may."""

    def __init__(self) -> None:
        #: Inputs by name, in the order in which they came.
        self.inputs: dict[str, dict[str, Any]] = {}
        #: Names of resources that are answered no sooner than `release` is set.
        self.held: set[str] = set()
        self.release = threading.Event()

    def SupportsFeature(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - on the wire
        return resource_pb2.SupportsFeatureResponse(hasSupport=False)

    def RegisterResource(self, request: Any, _context: Any) -> Any:  # noqa: N802
        if request.type != _STACK:
            self.inputs[request.name] = json_format.MessageToDict(request.object)
        if request.name in self.held:
            self.release.wait(20)
        return resource_pb2.RegisterResourceResponse(
            urn=f"urn:pulumi:dev::shop::{request.type}::{request.name}",
            id="gp-1:ms-1",
            object=request.object,
        )

    def RegisterResourceOutputs(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def ReadResource(self, request: Any, _context: Any) -> Any:  # noqa: N802
        self.inputs[request.name] = json_format.MessageToDict(request.properties)
        return resource_pb2.ReadResourceResponse(urn=f"urn:{request.name}")


class _Engine(engine_pb2_grpc.EngineServicer):
    """As much of the engine's own service as a program asks for."""

    def SetRootResource(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return engine_pb2.SetRootResourceResponse()

    def Log(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


def monitored(program: Callable[[], object], monitor: Monitor | None = None) -> Monitor:
    """Run a program; returns what it registered."""
    monitor = monitor or Monitor()

    def started() -> None:
        program()

    def run() -> None:
        settings = Settings("shop", "dev", address, address, organization="acme")
        configure(settings)
        asyncio.run(run_in_stack(started))

    # What a program is configured with stays in there, and its event loop in the thread.
    with _serving(monitor) as address, futures.ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(contextvars.Context().run, run).result()
    return monitor


@contextmanager
def _serving(monitor: Monitor) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
