"""What does one call of the API cost in CPU, beside the official SDK?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from alibabacloud_gpdb20160503 import models

from bench.cloud import Cloud, cloud
from bench.measuring import Answer, Case, spread
from bench.names import INSTANCE, node
from bench.peers.official import official
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings

_CALLS = 200
_RUNS = 15


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


def contestants(place: Cloud) -> dict[str, Callable[[], object]]:
    """The same calls, by the gateway and by the SDK."""
    gateway = Gateway(Settings.resolve(lambda _: None, place.environment), SystemClock())
    client = official(place.environment)
    spec = ModelServiceSpec(INSTANCE, "Qwen3-8B", (node(0),))
    service = gateway.create_model_service(spec, "bench").id
    described = models.DescribeModelServiceRequest(
        dbinstance_id=INSTANCE, model_service_id=service.model_service_id
    )
    listed = models.ListModelServicesRequest(dbinstance_id=INSTANCE, page_number=1, page_size=100)
    return {
        "describe": lambda: gateway.describe_model_service(service),
        "describe by the SDK": lambda: client.describe_model_service(described),
        "list": lambda: gateway.list_model_services(INSTANCE),
        "list by the SDK": lambda: client.list_model_services(listed),
    }


def measure(*, quick: bool) -> Answer:
    """CPU time of the calling thread, for each call; the cloud is in another process."""
    with cloud() as place:
        calls = contestants(place)
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
    return Answer(cases)
