"""
Asks Pulumi's dynamic provider host which of the features of `host` take hold in it.

The host is a real one, `python -m pulumi.dynamic`, started as its launcher starts it, with this
Python. A provider of its own answers there; nothing is created and no cloud is called.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.dynamic import CreateResult, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_adbpg_model import host

#: Stands for the engine: nobody listens there, and nothing waits for it.
_ENGINE = "127.0.0.1:9"


class HostProbe(ResourceProvider):
    """Found by name in the host, as the package's own provider is."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Prepare the host, and tell what took hold."""
        features = host.prepare(int(props["parallel"]), lambda: None)
        return CreateResult("probe", dataclasses.asdict(features))


def probe_host(timeout_s: float = 30.0) -> host.HostFeatures:
    """
    Start a host, ask it and end it.

    Args:
        timeout_s: How long it may take to start and answer, in seconds.

    Raises:
        RuntimeError: It does not start, or does not answer in time.
    """
    process = subprocess.Popen(  # noqa: S603 - our own Python
        [sys.executable, "-u", "-m", "pulumi.dynamic", _ENGINE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    timer = threading.Timer(timeout_s, process.kill)  # ends a wait for the first line too
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.strip().isdigit():
            raise RuntimeError("the host does not start")
        return _ask(int(line), timeout_s)
    finally:
        timer.cancel()
        process.kill()
        process.communicate()


def _ask(port: int, timeout_s: float) -> host.HostFeatures:
    properties = struct_pb2.Struct()
    properties.update({"parallel": 64, "__provider": serialize_provider(HostProbe())})
    # As Pulumi connects: through a proxy, if the environment says so.
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)
        try:
            answer = stub.Create(
                provider_pb2.CreateRequest(properties=properties), timeout=timeout_s
            )
        except grpc.RpcError as error:
            raise RuntimeError("the host does not answer") from error
    outs = json_format.MessageToDict(answer.properties)
    names = [field.name for field in dataclasses.fields(host.HostFeatures)]
    return host.HostFeatures(**{name: bool(outs.get(name)) for name in names})
