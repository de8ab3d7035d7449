"""
Where the spans of this process go, which neither Pulumi nor anybody else sets up here.

With `--otel-traces`, the CLI tells its plugins of a receiver of its own, and passes on what comes
there. Without, the variables of OpenTelemetry count, if they name a place.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pulumi_adbpg_model import tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExportResult

#: What the CLI tells its plugins.
_PULUMI = "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT"
#: Values of OTEL_TRACES_EXPORTER that are known here, and which protocol they ask for.
_EXPORTERS = {"otlp": "", "otlp_proto_grpc": "grpc", "otlp_proto_http": "http/protobuf"}
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
#: Where receivers take OTLP over HTTP.
_HTTP_PORT = 4318
_NO_HTTP = (
    "no traces are sent: for http/protobuf, install opentelemetry-exporter-otlp-proto-http beside "
    "pulumi-adbpg-model, or set OTEL_EXPORTER_OTLP_PROTOCOL=grpc; OTEL_TRACES_EXPORTER=none "
    "silences this"
)
_NOT_UNDERSTOOD = (
    "no traces are sent: a variable that begins with OTEL_ has a value that is not understood"
)
#: A process that is killed loses no more than the spans of so many milliseconds.
_EVERY_MS = 500
#: A receiver may take this long for an answer, in seconds, before it counts as one that has none.
_SLOW_S = 1.0
#: For the last spans, when the process ends: the CLI waits for that.
_LAST_S = 1.0

_started = False
_lock = threading.Lock()


def trace(environ: Mapping[str, str], hide: Callable[[str], str]) -> str | None:
    """
    Send the spans of this process to where the CLI or the environment says, if either does.

    Args:
        environ: The environment.
        hide: See `tracing.use`.

    Returns:
        Why none are sent, though the environment names a place: a line for the user, once.
    """
    global _started  # noqa: PLW0603 - once for the process
    with _lock:
        if _started:
            return None
        _started = True
    try:
        return _start(environ, hide)
    except Exception:  # noqa: BLE001 - without traces, everything else works
        return None


def _start(environ: Mapping[str, str], hide: Callable[[str], str]) -> str | None:
    try:
        way = way_of(environ)
    except ValueError:
        return _NOT_UNDERSTOOD
    if way is None:
        return None
    # Before it is loaded: its texts hold values of its variables, a secret header among them, and
    # what receivers answer; and the CLI shows what the host prints.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    if way == "pulumi":
        return _send_by(_to_pulumi(environ[_PULUMI].strip()), hide)
    if way == "grpc":
        return _send_by(_by_grpc(), hide)
    if way != "http/protobuf":
        return f"no traces are sent: {_PROTOCOLS[1]} is neither grpc nor http/protobuf"
    if find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        return _NO_HTTP
    return _send_by(_by_http(), hide)


def way_of(environ: Mapping[str, str]) -> str | None:
    """
    How spans are sent: to `pulumi`, or by a protocol of OTLP as the variables say; None: not.

    Without a protocol it is gRPC, unless the port is that of HTTP.

    Raises:
        ValueError: The place is no address.
    """

    def said(*names: str) -> str:
        return next((text for name in names if (text := environ.get(name, "").strip())), "")

    if said("OTEL_SDK_DISABLED").lower() == "true":
        return None
    if said(_PULUMI):
        return "pulumi"
    place = said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    exporters = said("OTEL_TRACES_EXPORTER").lower().replace(" ", "").split(",")
    asked = [name for name in exporters if name in _EXPORTERS]
    if not asked and (exporters != [""] or not place):
        return None
    usual = "http/protobuf" if urlsplit(place).port == _HTTP_PORT else "grpc"
    return (asked and _EXPORTERS[asked[0]]) or said(*_PROTOCOLS).lower() or usual


def _to_pulumi(receiver: str) -> Callable[[], Any]:
    from grpc import Compression  # noqa: PLC0415 - takes time, as all that is imported below
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    # It speaks to this machine alone, whatever the environment says of other receivers.
    return partial(
        OTLPSpanExporter,
        endpoint=receiver,
        insecure=True,
        compression=Compression.NoCompression,
        timeout=5,
    )


def _by_grpc() -> Callable[[], Any]:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415 - see above
        OTLPSpanExporter,
    )

    return OTLPSpanExporter  # it reads the environment


def _by_http() -> Callable[[], Any]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # type: ignore[import-not-found] # noqa: PLC0415 - may not be there
        OTLPSpanExporter,
    )

    return OTLPSpanExporter  # type: ignore[no-any-return] # see above


def _send_by(new_sender: Callable[[], Any], hide: Callable[[str], str]) -> str | None:
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    here = {SERVICE_NAME: "pulumi-adbpg-model", SERVICE_VERSION: version("pulumi-adbpg-model")}
    try:  # each reads variables
        exporter = _Exporter(new_sender())
        provider = TracerProvider(resource=Resource.create(here), shutdown_on_exit=False)
        provider.add_span_processor(
            BatchSpanProcessor(exporter, schedule_delay_millis=_EVERY_MS)  # type: ignore[arg-type] # it has the methods
        )
    except Exception:  # noqa: BLE001 - it has several for that
        return _NOT_UNDERSTOOD
    _flush_at_exit(provider.shutdown, exporter)
    tracing.use(provider.get_tracer(tracing.SCOPE, here[SERVICE_VERSION]), hide)
    return None


class _Exporter:
    """The library's, but that it fails in silence, and tells whether its receiver answers."""

    def __init__(self, sender: Any) -> None:
        self._sender = sender
        self._since_s: float | None = None
        self._failed = False

    @property
    def answers(self) -> bool:
        """Whether there is no sign yet that the receiver does not."""
        since_s = self._since_s
        slow = since_s is not None and time.monotonic() - since_s > _SLOW_S
        return not (self._failed or slow)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415 - loaded

        self._since_s = time.monotonic()
        result = SpanExportResult.FAILURE
        with suppress(Exception):
            result = self._sender.export(spans)
        self._since_s, self._failed = None, result is not SpanExportResult.SUCCESS
        return result

    def shutdown(self) -> None:
        with suppress(Exception):
            self._sender.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - its form
        return True


def _flush_at_exit(shut_down: Callable[[], object], exporter: _Exporter) -> None:
    """Send what is left when the process ends, for as long as somebody answers and no longer."""
    ending, sent = threading.Event(), threading.Event()

    def flush() -> None:
        ending.wait()
        with suppress(Exception):
            shut_down()
        sent.set()

    def end() -> None:
        ending.set()
        until = time.monotonic() + _LAST_S
        while exporter.answers and not sent.wait(0.02) and time.monotonic() < until:
            pass

    # Begun now: a process that ends starts no threads any more.
    threading.Thread(target=flush, daemon=True).start()
    atexit.register(end)
