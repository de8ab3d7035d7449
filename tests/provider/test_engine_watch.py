"""A host whose engine is gone: it changes nothing more in the cloud, and ends a little later."""

from __future__ import annotations

import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2_grpc

from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import DynamicHost, HostError, Properties

_CANCELLED = "the operation was cancelled (last status 'deployming')"
_PATIENCE_S = 20.0
#: How long a host may outlive its engine.
_END_S = 10.0


class _Engine(engine_pb2_grpc.EngineServicer):
    """The part of the engine that a host speaks to: what it logs."""

    def __init__(self, *options: tuple[str, int]) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4), options=options)
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def Log(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802 - its name
        self._lines.put(request.message)
        return empty_pb2.Empty()

    def heard(self, part: str) -> None:
        """Return once a line with `part` was logged."""
        while part not in self._lines.get(timeout=_PATIENCE_S):
            pass

    def vanish(self) -> None:
        """Stop listening and break every connection, as the death of the process does."""
        self._server.stop(0).wait()


@pytest.fixture
def engine() -> Iterator[_Engine]:
    """An engine that listens."""
    running = _Engine()
    yield running
    running.vanish()


class _Relay:
    """A port in front of another one, whose connections can be cut while it goes on listening."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break what is connected now."""
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop listening too."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends the accept that is under way
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                host, _ = self._listener.accept()
                engine = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [host, engine]
                for ends in ((host, engine), (engine, host)):
                    threading.Thread(target=_pump, args=ends, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        one.close()


@contextmanager
def _relayed(engine: _Engine) -> Iterator[_Relay]:
    relay = _Relay(engine.port)
    try:
        yield relay
    finally:
        relay.close()


@contextmanager
def _nobody() -> Iterator[str]:
    """An address where nobody listens, nor will: the port is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_create_is_not_sent_again_when_the_engine_is_gone(
    cloud: Simulator, inputs: Properties, engine: _Engine
) -> None:
    """Nobody would learn the id: the service could be a second one, or one that nobody wants."""
    cloud.inject("busy", "CreateModelService", times=None)
    with DynamicHost(cloud.environment(), engine=engine.address) as host:
        create = host.start_create(inputs)
        engine.heard("waiting for the instance")
        engine.vanish()
        with pytest.raises(HostError, match=r"code=OperationDenied\.DBInstanceStatus"):
            create.result()
        sent = len(cloud.calls("CreateModelService"))
        with pytest.raises(HostError, match=r"^CreateModelService .* was not sent"):
            host.create(inputs)

    assert len(cloud.calls("CreateModelService")) == sent
    assert inputs["db_instance_id"] not in {service.instance_id for service in cloud.services}


def test_a_wait_ends_when_the_engine_is_gone(
    cloud: Simulator, inputs: Properties, engine: _Engine
) -> None:
    """A process without an engine, with --tracing too, does not go on asking the cloud."""
    cloud.hold_deployments()
    flags = ["--logtostderr", "-v=3", "--tracing", "tcp://127.0.0.1:9"]
    with DynamicHost(cloud.environment(), engine=engine.address, flags=flags) as host:
        create = host.start_create(inputs)
        engine.heard("is 'deployming' after")
        engine.vanish()
        stored = create.kept()

    assert stored.outs["status_reason"] == _CANCELLED


def test_a_host_is_ended_by_its_engine_not_by_a_cancelled_job(
    cloud: Simulator, inputs: Properties, engine: _Engine
) -> None:
    """SIGTERM to every process must leave one that tells the engine the id of the service."""
    cloud.hold_deployments()
    with DynamicHost(cloud.environment(), engine=engine.address) as host:
        create = host.start_create(inputs)
        engine.heard("is 'deployming' after")
        os.kill(host.pid, signal.SIGTERM)
        host.cancel()
        assert create.kept().outs["status_reason"] == _CANCELLED
        assert host.lives
        engine.vanish()
        assert host.end(_END_S) == 1


def test_a_host_ends_when_its_engine_is_gone_and_not_before(
    cloud: Simulator, inputs: Properties, engine: _Engine
) -> None:
    """No engine is gone that was never reached, or whose connection broke or grew too old."""
    lasting = _Engine()
    ageing = _Engine(("grpc.max_connection_age_ms", 300), ("grpc.max_connection_age_grace_ms", 100))
    with (
        _nobody() as nobody,
        _relayed(lasting) as relay,
        DynamicHost(cloud.environment(), engine=engine.address) as orphan,
        DynamicHost(cloud.environment(), engine=relay.address) as cut,
        DynamicHost(cloud.environment(), engine=ageing.address) as renewed,
        DynamicHost(cloud.environment(), engine=nobody) as alone,
    ):
        hosts = (orphan, cut, renewed, alone)
        creates = [
            host.start_create({**inputs, "ai_nodes": [f"ai-{number}"]})
            for number, host in enumerate(hosts, 1)
        ]
        created = [create.result() for create in creates]
        relay.cut()
        engine.vanish()
        began = time.monotonic()
        assert orphan.end(_END_S) == 1
        assert time.monotonic() - began > 3  # time for what is under way to end

        assert [host.lives for host in hosts] == [False, True, True, True]
        for host, stored in zip(hosts[1:], created[1:], strict=True):
            host.delete(stored)  # after a cancel it would refuse
    lasting.vanish()
    ageing.vanish()


def test_a_broken_connection_to_an_engine_that_lives_ends_nothing(
    cloud: Simulator, inputs: Properties, engine: _Engine
) -> None:
    """Only an engine that cannot be reached again is gone; and its death is still noticed then."""
    cloud.hold_deployments()
    with (
        _relayed(engine) as relay,
        DynamicHost(cloud.environment(), engine=relay.address) as host,
    ):
        first = host.start_create(inputs)
        engine.heard("is 'deployming' after")
        relay.cut()
        second = host.start_create({**inputs, "ai_nodes": ["ai-2"]})
        engine.heard("is 'deployming' after")  # over a new connection
        assert not first.done
        relay.close()
        reasons = [create.kept().outs["status_reason"] for create in (first, second)]

    assert reasons == [_CANCELLED, _CANCELLED]
