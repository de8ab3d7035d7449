"""What does one call of the API cost in CPU, beside the official SDK, and what its trace?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from alibabacloud_gpdb20160503 import models
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from bench.cloud import Cloud, cloud
from bench.measuring import Answer, Case, spread
from bench.names import INSTANCE, node
from bench.peers.official import official
from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings
from tests.spans import receiver

_CALLS = 200
_RUNS = 15
#: So that the clock's own time does not count.
_SPANS = 100


def _cpu(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """CPU seconds of each, called by turns, forwards and backwards: no moment favours one."""
    spent = dict.fromkeys(calls, 0.0)
    for number in range(_CALLS):
        order = list(calls) if number % 2 else list(calls)[::-1]
        for name in order:
            call = calls[name]
            before = time.thread_time()
            call()
            spent[name] += time.thread_time() - before
    return spent


@contextmanager
def _tracer() -> Iterator[Tracer]:
    """One that sends to this machine, as under `--otel-traces`."""
    provider = TracerProvider(shutdown_on_exit=False)
    with receiver() as listener:
        exporter = OTLPSpanExporter(endpoint=f"127.0.0.1:{listener.port}", insecure=True)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
        yield provider.get_tracer(tracing.SCOPE)
        provider.shutdown()


def _spans() -> None:
    """What an operation of one call does about them, and nothing else, many times."""
    for _ in range(_SPANS):
        with tracing.operation("bench", dict), tracing.span("DescribeModelService", calls=True):
            tracing.current().set("adbpg.attempts", 1)
            tracing.current().set("http.response.status_code", 200)


def contestants(place: Cloud, tracer: Tracer) -> dict[str, Callable[[], object]]:
    """The same calls, by the gateway and by the SDK; one of them traced, and a trace alone."""
    gateway = Gateway(Settings.resolve(lambda _: None, place.environment), SystemClock())
    client = official(place.environment)
    spec = ModelServiceSpec(INSTANCE, "Qwen3-8B", (node(0),))
    service = gateway.create_model_service(spec, "bench").id
    described = models.DescribeModelServiceRequest(
        dbinstance_id=INSTANCE, model_service_id=service.model_service_id
    )
    listed = models.ListModelServicesRequest(dbinstance_id=INSTANCE, page_number=1, page_size=100)

    def traced() -> None:
        tracing.use(tracer)
        with tracing.operation("bench", dict):
            gateway.describe_model_service(service)
        tracing.use(None)

    return {
        "describe, traced": traced,
        "spans": _spans,
        "describe": lambda: gateway.describe_model_service(service),
        "describe by the SDK": lambda: client.describe_model_service(described),
        "list": lambda: gateway.list_model_services(INSTANCE),
        "list by the SDK": lambda: client.list_model_services(listed),
    }


def measure(*, quick: bool) -> Answer:
    """CPU time of the calling thread, for each call; the cloud is in another process."""
    with cloud() as place, _tracer() as tracer:
        calls = contestants(place, tracer)
        _cpu(calls)  # connections and caches, for all alike
        runs = [_cpu(calls) for _ in range(5 if quick else _RUNS)]
    cases = [
        Case(
            f"CPU of one {action}",
            "official generated SDK, the same call",
            f"{_CALLS} calls a run, by turns, one thread, a kept connection each",
            "0: no computing",
            spread(run[name] / run[f"{name} by the SDK"] for run in runs),
            most=1.0,
        )
        for name, action in (("describe", "DescribeModelService"), ("list", "ListModelServices"))
    ]
    cases += [
        Case(
            f"CPU of {what}",
            "one DescribeModelService, nobody traces",
            f"{_CALLS} calls a run, by turns, one thread",
            bound,
            spread(run[name] / run["describe"] / times for run in runs),
            most=most,
        )
        for name, times, what, bound, most in (
            ("spans", _SPANS, "what spans cost a call, nobody traces", "0: no spans", 0.01),
            ("describe, traced", 1, "one DescribeModelService, traced", "1: no spans", None),
        )
    ]
    return Answer(cases)
