"""Those to whom spans are told in tests: in this process, or a receiver on loopback."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import (
    trace_service_pb2,
    trace_service_pb2_grpc,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pulumi_adbpg_model import tracing

_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Told:
    """A span as it was told."""

    name: str
    id: str
    parent: str
    trace: str
    began: int
    service: str
    scope: str
    attributes: dict[str, Any] = field(default_factory=dict)
    failed: bool = False
    #: All that is in it, as text.
    text: str = ""


def tree(spans: Sequence[Told], root: Told, *attributes: str) -> list[Any]:
    """
    What is below a span, in order: for each its name, its chosen attributes if it has any of them,
    and what is below it if there is anything.
    """
    below = sorted((one for one in spans if one.parent == root.id), key=lambda one: one.began)
    found: list[Any] = []
    for one in below:
        told = {name: one.attributes[name] for name in attributes if name in one.attributes}
        inner = tree(spans, one, *attributes)
        rest = [*([told] if told else []), *([inner] if inner else [])]
        found.append((one.name, *rest) if rest else one.name)
    return found


class Memory:
    """Spans of this process."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def spans(self) -> list[Told]:
        """Those that have ended."""
        return [_of_the_sdk(span) for span in self._exporter.get_finished_spans()]

    def roots(self, name: str) -> list[Told]:
        """Those with a name."""
        return [span for span in self.spans if span.name == name]


@contextmanager
def listening() -> Iterator[Memory]:
    """Have this process tell its spans here."""
    memory = Memory()
    tracing.use(memory.provider.get_tracer("tests"))
    try:
        yield memory
    finally:
        tracing.use(None)


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """OTLP over gRPC on loopback."""

    def __init__(self) -> None:
        self._came: queue.Queue[Told] = queue.Queue()
        self._spans: list[Told] = []
        self._server = grpc.server(ThreadPoolExecutor(max_workers=2))
        add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
        add(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - its name
        for span in spans_in(request):
            self._came.put(span)
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self, *names: str) -> list[Told]:
        """All, once there is one of each of these names."""
        give_up = time.monotonic() + _PATIENCE_S
        while set(names) - {span.name for span in self._spans}:
            self._spans.append(self._came.get(timeout=max(0.0, give_up - time.monotonic())))
        while not self._came.empty():
            self._spans.append(self._came.get())
        return self._spans

    def stop(self) -> None:
        """Listen no more."""
        self._server.stop(0).wait()


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A running one."""
    running = Receiver()
    try:
        yield running
    finally:
        running.stop()


def spans_in(request: Any) -> Iterator[Told]:
    """Those in what an exporter sends."""
    for resource in request.resource_spans:
        service = _plain(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Told(
                    span.name,
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.trace_id.hex(),
                    span.start_time_unix_nano,
                    service,
                    scope.scope.name,
                    _plain(span.attributes),
                    span.status.code == span.status.STATUS_CODE_ERROR,
                    str(span),
                )


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def _of_the_sdk(span: ReadableSpan) -> Told:
    context, parent = span.get_span_context(), span.parent
    assert context is not None
    return Told(
        span.name,
        f"{context.span_id:016x}",
        "" if parent is None else f"{parent.span_id:016x}",
        f"{context.trace_id:032x}",
        span.start_time or 0,
        str(span.resource.attributes.get("service.name")),
        span.instrumentation_scope.name if span.instrumentation_scope else "",
        dict(span.attributes or {}),
        span.status.status_code.name == "ERROR",
        span.to_json(),
    )
