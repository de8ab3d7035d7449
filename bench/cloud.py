"""
A simulated cloud in a process of its own, so that its work is nobody else's.

The child process speaks JSON over its standard streams: an address first, then an answer to each
line that it is sent.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.names import INSTANCE, node
from pulumi_adbpg_model.testing import Simulator

_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Traffic:
    """What came in since the last look."""

    calls: Mapping[str, int]
    connections: int

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls.values())


class Cloud:
    """The parent's side."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.environment: dict[str, str] = self._answer()

    def traffic(self) -> Traffic:
        """What came in since this was last asked."""
        return Traffic(**self._ask("traffic"))

    def set_latency(self, seconds: float) -> None:
        """Let every answer take that long, besides what the cloud itself needs."""
        self._ask(f"latency {seconds}")

    def clear(self) -> None:
        """Take every service away, as if by somebody else."""
        self._ask("clear")

    def hang(self) -> None:
        """Take every call from now on, and answer none."""
        self._ask("hang")

    def _ask(self, question: str) -> Any:
        if self._process.stdin is None:
            raise RuntimeError("the cloud was started without a way to ask it")
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the simulated cloud has ended")
        return json.loads(line)


@contextmanager
def cloud(
    nodes: int = 4, *, provision_seconds: float = 0.0, delete_seconds: float = 0.0
) -> Iterator[Cloud]:
    """Start one with so many nodes; it has gone when the block is left."""
    command = [sys.executable, "-m", "bench.cloud"]
    arguments = [str(nodes), str(provision_seconds), str(delete_seconds)]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        try:
            yield Cloud(process)
        finally:
            process.kill()


class _Wire:
    """Forwards connections to a port, each answer a while later, and counts them."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self.latency_s = 0.0
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = server.sockets[0].getsockname()[1]
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        back, forth = await asyncio.open_connection("127.0.0.1", self._upstream)
        await asyncio.gather(self._forward(reader, forth, late=False), self._forward(back, writer))

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool = True
    ) -> None:
        with suppress(ConnectionError):  # one side has gone, maybe killed
            while piece := await reader.read(_PIECE_BYTES):
                if late and self.latency_s:
                    await asyncio.sleep(self.latency_s)
                writer.write(piece)
                await writer.drain()
        writer.close()


def _answer(simulator: Simulator, wire: _Wire, question: str) -> Any:
    name, _, argument = question.partition(" ")
    if name == "latency":
        wire.latency_s = float(argument)
        return True
    if name == "hang":
        simulator.inject("hang", times=None)
        return True
    if name == "clear":
        for service in simulator.services:
            simulator.remove_service(service.id)
        return True
    requests = simulator.requests
    simulator.clear_requests()
    connections, wire.connections = wire.connections, 0
    return {
        "calls": Counter(str(request.action) for request in requests),
        "connections": connections,
    }


def _main(nodes: str, provision_seconds: str, delete_seconds: str) -> None:
    with Simulator(
        instance=INSTANCE,
        nodes=[node(number) for number in range(int(nodes))],
        provision_seconds=float(provision_seconds),
        delete_seconds=float(delete_seconds),
    ) as simulator:
        wire = _Wire(simulator.port)
        environment = simulator.environment()
        environment["ADBPG_ENDPOINT"] = f"http://127.0.0.1:{wire.port}"
        print(json.dumps(environment), flush=True)
        for line in sys.stdin:
            print(json.dumps(_answer(simulator, wire, line.strip())), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
