"""Gateways on a clock that never sleeps, every action by name, and a stub for odd answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway, RetryPolicy
from pulumi_adbpg_model.settings import Endpoint, Settings
from pulumi_adbpg_model.settings.identity import StaticKey
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.raw import RawServer
from tests.lifecycle.fakes import FakeClock

INSTANCE = "gp-demo"
SECRET = "simulator-key-secret"
TOKEN = "made-up-token"
SPEC = ModelServiceSpec(
    INSTANCE, "Qwen3-8B", ("ai-2",), description="not for errors", security_ip_list=("10.9.8.7",)
)

#: How each action is called on a service that exists.
ACTIONS: dict[str, Callable[[Gateway, ModelServiceId], object]] = {
    "CreateModelService": lambda gateway, _: gateway.create_model_service(SPEC, "token-1"),
    "DescribeModelService": lambda gateway, service: gateway.describe_model_service(service),
    "DeleteModelService": lambda gateway, service: gateway.delete_model_service(service),
    "ListModelServices": lambda gateway, _: gateway.list_model_services(INSTANCE),
    "ListAINodePools": lambda gateway, _: gateway.list_ai_nodes(INSTANCE),
    "ListSupportModels": lambda gateway, _: gateway.list_supported_models(),
    "ModifySecurityIps": lambda gateway, _: gateway.modify_security_ips(
        INSTANCE, "mine", ["10.9.8.7"]
    ),
}


def settings_for(port: int, *, token: str | None = None, region: str | None = None) -> Settings:
    """Settings that call a port of this machine with made-up keys."""
    return Settings(
        region,
        Endpoint(f"127.0.0.1:{port}", "http"),
        StaticKey("these tests", "simulator-key-id", SECRET, token),
    )


def gateway_for(
    server: Simulator | Stub | RawServer,
    clock: FakeClock | None = None,
    policy: RetryPolicy | None = None,
    **options: Any,
) -> Gateway:
    """A gateway whose pauses take no time."""
    settings = settings_for(server.port, region="cn-hangzhou")
    return Gateway(settings, clock or FakeClock(), policy, **options)


def add_service(simulator: Simulator) -> ModelServiceId:
    """A service to call actions on; its creation is not among the recorded requests."""
    spec = ModelServiceSpec(INSTANCE, "Qwen3-Reranker-8B", ("ai-1",))
    service = gateway_for(simulator).create_model_service(spec, "token-0").id
    simulator.clear_requests()
    return service


@dataclass
class Answer:
    """What the stub says to one request."""

    body: object
    status: int = 200

    def text(self) -> bytes:
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Stub:
    """A server for answers that the simulator does not give. Signatures are not looked at."""

    def __init__(self, answer: Callable[[dict[str, str]], Answer]) -> None:
        self.queries: list[dict[str, str]] = []
        self.bodies: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                query = dict(parse_qsl(urlsplit(self.path).query))
                stub.queries.append(query)
                stub.bodies.append(dict(parse_qsl(body.decode())))
                stub.headers.append({name.lower(): text for name, text in self.headers.items()})
                reply = answer(query)
                self.send_response(reply.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(reply.text())))
                self.end_headers()
                self.wfile.write(reply.text())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]


@contextmanager
def stub(answer: Callable[[dict[str, str]], Answer]) -> Iterator[Stub]:
    """A running stub."""
    running = Stub(answer)
    thread = threading.Thread(target=running.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.server.shutdown()
        running.server.server_close()
        thread.join()
