"""Simulated clouds to survey, and the command in this process."""

from __future__ import annotations

import itertools
import json
import shlex
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from click.testing import CliRunner, Result

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.survey import UNTELLABLE
from pulumi_adbpg_model.testing import DIALECTS, EXCLUSIVE, Simulator
from tests.gateway.support import gateway_for
from tests.lifecycle.fakes import FakeClock

INSTANCE = "gp-demo"
NODE = "ai-1"
MODEL = "Qwen3-8B"
TRIAL = ("--node", NODE, "--model", MODEL, "--yes")
#: The dialects that a survey finds, where the cloud gives it the occasion.
TELLABLE = DIALECTS.keys() - UNTELLABLE.keys()


@dataclass
class World:
    """A simulated cloud and its clock."""

    simulator: Simulator
    clock: FakeClock

    def survey(self, *arguments: str, instance: str = INSTANCE) -> Result:
        """Run the command, outside of any stack."""
        return CliRunner().invoke(
            main,
            ["survey", "--instance", instance, "--no-stack", *arguments],
            env=self.simulator.environment(),
            obj=self.clock,
        )

    def document(self, *arguments: str) -> dict[str, Any]:
        """What the survey writes; it has to go well."""
        done = self.survey("--out", "-", "--json", *arguments)
        assert done.exit_code == 0, done.output
        document: dict[str, Any] = json.loads(done.stdout)
        return document


@contextmanager
def world(
    dialects: Iterable[str] = (),
    *,
    services: int = 2,
    provision_seconds: float | None = 5.0,
    delete_seconds: float | None = 0.0,
    signing_clock: Callable[[], float] = time.time,
    **options: Any,
) -> Iterator[World]:
    """A cloud with some services of different age, and at least the node `NODE` free."""
    clock = FakeClock()
    clock.now = 1_800_000_000.0
    nodes = [NODE, *(f"ai-{number}" for number in range(2, services + 4))]
    simulator = Simulator(
        nodes=nodes,
        dialects=dialects,
        provision_seconds=provision_seconds,
        delete_seconds=delete_seconds,
        clock=clock.time,
        signing_clock=signing_clock,
        **options,
    )
    with simulator:
        gateway = gateway_for(simulator, clock)
        for number in range(services):
            spec = ModelServiceSpec(
                INSTANCE,
                MODEL,
                (nodes[number + 1],),
                description=f"number {number}",
                security_ip_list=("10.0.0.0/8", "10.9.8.7"),
            )
            gateway.create_model_service(spec, f"t-{number}")
            clock.advance(3.0)
        clock.advance(120.0)
        simulator.clear_requests()
        yield World(simulator, clock)


class HandsOn(BaseHTTPRequestHandler):
    """A server between a survey and a simulator, for what the simulator does not do."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body at once: TCP would hold the second back for 40 ms
    world: World

    def do_POST(self) -> None:
        """Respond."""
        self.respond()

    def respond(self) -> None:
        """Hand on, and answer as the simulator does."""
        self.answer(*self.hand_on())

    def parse_request(self) -> bool:
        """Read the body, too."""
        good = super().parse_request()
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0)) if good else b""
        return good

    @property
    def action(self) -> str:
        """The action of the request."""
        return str(self.headers["x-acs-action"])

    @property
    def parameters(self) -> dict[str, str]:
        """What is in its query."""
        return dict(parse_qsl(urlsplit(self.path).query))

    def hand_on(self) -> tuple[int, dict[str, Any]]:
        """What the simulator says."""
        connection = HTTPConnection("127.0.0.1", self.world.simulator.port)
        connection.request("POST", self.path, self.body, dict(self.headers))
        answer = connection.getresponse()
        content = json.loads(answer.read())
        connection.close()
        return answer.status, content

    def answer(self, status: int, content: dict[str, Any]) -> None:
        """Answer."""
        written = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""


@contextmanager
def in_between(
    cloud: World, handler: type[HandsOn], **settings: object
) -> Iterator[tuple[str, str]]:
    """The option that leads to a server that hands on to the simulator."""
    made = type("_Handler", (handler,), {"world": cloud, **settings})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield "--endpoint", f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def removals(text: str) -> list[list[str]]:
    """The arguments of each line in a text that deletes something, without the instance."""
    found = [one.partition("pulumi-adbpg-model survey ")[2] for one in text.splitlines()]
    return [
        [word for word in shlex.split(one)[2:] if word != "--no-stack"]
        for one in found
        if "--remove" in one
    ]


def comparable(document: dict[str, Any]) -> list[Any]:
    """
    The parts of a document but for what no two surveys share.

    That a service is active is seen with the next look, so a list that is behind Describe may show
    it before the deletion or after. Where Describe loses a service now and then, a word that lasts
    for a moment may be lost with it.
    """
    apart = ("date", "questions")
    flaps = "describe-flaps" in document["dialects"]
    parts: list[Any] = [{key: value for key, value in document.items() if key not in apart}]
    for one in document["questions"]:
        if one["question"] in ("status words", "status in the list"):
            runs = [value for value in one["seen"].values() if isinstance(value, list)]
            words = {run["is"] for value in runs for run in value if isinstance(run, dict)}
            parts.append({**one, "seen": None if flaps else sorted(words)})
        elif one["question"] == "describe, again and again":
            parts.append({**one, "seen": None})  # how often it was asked
        elif one["question"] != "clock and latency":
            parts.append(one)
    return parts


def told(document: dict[str, Any], question: str) -> dict[str, Any]:
    """One question of a document."""
    (found,) = (one for one in document["questions"] if one["question"] == question)
    return dict(found)


def choices() -> list[Sequence[str | None]]:
    """What a mixture of tellable dialects is made of: of each of these at most one."""
    grouped = [sorted(group & TELLABLE) for group in EXCLUSIVE if group & TELLABLE]
    alone = TELLABLE.difference(*EXCLUSIVE)
    return [[None, *group] for group in (*grouped, *([name] for name in sorted(alone)))]


def covering() -> list[frozenset[str]]:
    """A few mixtures that have every tellable dialect among them."""
    columns = [group[1:] for group in choices()]
    rows = itertools.zip_longest(*columns)
    return [frozenset(name for name in row if name is not None) for row in rows]


def files(folder: Path) -> list[str]:
    """What is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())
