"""How long does a refresh of 300 services take, in a cloud that answers after 50 ms?"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from bench.charts import COLOURS, subplots
from bench.cloud import Cloud, cloud
from bench.command import Kind, Task, run, wall_s
from bench.measuring import Answer, Case, interleaved, ratios, spread
from bench.names import declared
from bench.peers.official import describe, official
from bench.peers.trivial import TrivialProvider
from tests.provider.dynamic_host import PROVIDER, DynamicHost, Stored

_ROOT = Path(__file__).parents[2]
_COUNT = 300
_LATENCY_S = 0.05
_RUNS = 7
_COMMAND_RUNS = 5
_WORKERS = (4, 8, 16, 32, 64)
_STOCK, _DEFAULT = _WORKERS[0], _WORKERS[-1]


def _bound_s(workers: int) -> float:
    return _COUNT * _LATENCY_S / workers


def _rounds_s(workers: int) -> float:
    return math.ceil(_COUNT / workers) * _LATENCY_S


def _wall(refresh: Callable[[], object]) -> float:
    began = time.perf_counter()
    refresh()
    return time.perf_counter() - began


def _by_sdk(client: Any, services: list[Stored]) -> None:
    """The same calls without Pulumi: a pool of as many threads, and the generated SDK."""
    names = [service.id.partition(":")[2] for service in services]
    with ThreadPoolExecutor(_DEFAULT) as pool:
        list(pool.map(partial(describe, client), names))


def _created(host: DynamicHost, inputs: list[dict[str, Any]]) -> list[Stored]:
    return [call.result() for call in [host.start_create(one) for one in inputs]]


def _hosts(
    place: Cloud, folder: Path, runs: int
) -> tuple[dict[str, list[float]], Mapping[str, int]]:
    """Walls of one refresh by each contestant, and what one of ours sends."""
    known = {"PYTHONPATH": str(_ROOT), **place.environment}
    with ExitStack() as stack:
        hosts = {
            workers: stack.enter_context(
                DynamicHost(known, {"adbpg:parallel": str(workers)}, folder=folder)
            )
            for workers in _WORKERS
        }
        trivial = stack.enter_context(
            DynamicHost(known, provider=serialize_provider(TrivialProvider()), folder=folder)
        )
        services = _created(hosts[_DEFAULT], [declared(number) for number in range(_COUNT)])
        nothing = _created(trivial, [{"number": n, "seconds": 0.0} for n in range(_COUNT)])
        place.set_latency(_LATENCY_S)
        with DynamicHost(known, provider=PROVIDER, folder=folder) as fresh:
            place.traffic()
            fresh.refresh_all(services)
            traffic = place.traffic()
        sent = {"calls": traffic.total, "connections": traffic.connections}
        client = official(place.environment)
        contestants: dict[str, Callable[[], object]] = {
            f"{workers}": partial(host.refresh_all, services) for workers, host in hosts.items()
        }
        contestants["trivial"] = partial(trivial.refresh_all, nothing)
        contestants["sdk"] = partial(_by_sdk, client, services)
        for contestant in contestants.values():  # connections and caches, for all alike
            contestant()
        walls = {name: partial(_wall, refresh) for name, refresh in contestants.items()}
        return interleaved(walls, runs), sent


def _commands(place: Cloud, runs: int) -> dict[str, list[float]]:
    """Walls of the whole command."""
    kinds: tuple[Kind, ...] = ("ours", "trivial")
    with ExitStack() as stack:
        tasks = {}
        for kind in kinds:
            home = stack.enter_context(tempfile.TemporaryDirectory())
            run(Task(kind, "up", _COUNT, home, environment=place.environment))
            tasks[kind] = Task(
                kind, "refresh", _COUNT, home, environment=place.environment, changes="same"
            )
        place.set_latency(_LATENCY_S)
        return interleaved({kind: partial(wall_s, task) for kind, task in tasks.items()}, runs)


def measure(*, quick: bool) -> Answer:
    """A refresh as the host does it, with several numbers of workers; then the whole command."""
    with tempfile.TemporaryDirectory() as folder, cloud(_COUNT) as place:
        walls, sent = _hosts(place, Path(folder), 3 if quick else _RUNS)
    with cloud(_COUNT) as place:
        commands = _commands(place, 2 if quick else _COMMAND_RUNS)
    of_bound = {
        workers: spread(wall / _bound_s(workers) for wall in walls[str(workers)])
        for workers in _WORKERS
    }
    reads = f"{_COUNT} Reads at once to one host, {_LATENCY_S * 1000:.0f} ms for each answer"
    bound = f"{_COUNT} × {_LATENCY_S * 1000:.0f} ms ÷ workers"
    cases = [
        Case(
            f"refresh with {workers} workers",
            bound,
            reads + (", the default" if workers == _DEFAULT else ""),
            f"{_rounds_s(workers) / _bound_s(workers):.2f}: whole rounds, no computing",
            of_bound[workers],
            most=1.3 if workers in (_STOCK, _DEFAULT) else None,
        )
        for workers in _WORKERS
    ]
    cases += [
        Case(
            f"refresh with {_DEFAULT} workers",
            f"{_DEFAULT} threads on the generated SDK",
            f"the same {_COUNT} calls, without Pulumi",
            "0: no computing",
            ratios(walls[str(_DEFAULT)], walls["sdk"]),
        ),
        Case(
            "trivial provider's Reads, no waiting at all",
            f"{bound}, {_DEFAULT} workers",
            f"{_COUNT} Reads that return what they are given: the host alone",
            "0: it waits for nothing",
            spread(wall / _bound_s(_DEFAULT) for wall in walls["trivial"]),
        ),
        Case(
            "`pulumi refresh`, the whole command",
            f"trivial provider, {_COUNT}, which answers at once",
            f"{_COUNT} services, --parallel 128",
            "1: engine and host",
            ratios(commands["ours"], commands["trivial"]),
        ),
        Case(
            "API calls of a refresh",
            f"{_COUNT} services",
            "a fresh host",
            f"{_COUNT}: a list does not vouch for a status",
            spread([sent["calls"]]),
            unit="calls",
        ),
        Case(
            "connections opened for it",
            f"{_DEFAULT} workers",
            "a fresh host",
            f"{_DEFAULT}: one for each worker",
            spread([sent["connections"]]),
            unit="connections",
            most=_DEFAULT,
        ),
    ]
    data = {
        "workers": list(_WORKERS),
        "wall": [spread(walls[str(workers)]).median for workers in _WORKERS],
        "bound": [_bound_s(workers) for workers in _WORKERS],
        "sdk": spread(walls["sdk"]).median,
        "trivial": spread(walls["trivial"]).median,
    }
    return Answer(cases, data)


def charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """What more workers bring, and where computing takes over."""
    figure, axes = subplots()
    whole = data["bound"][0]
    axes.plot(data["workers"], [wall / whole for wall in data["wall"]], marker="o", label="ours")
    axes.plot(
        data["workers"],
        [bound / whole for bound in data["bound"]],
        color=COLOURS[1],
        linestyle="--",
        label="bound: waiting for answers alone",
    )
    axes.axhline(
        data["trivial"] / whole,
        color=COLOURS[2],
        linestyle=":",
        label="the host alone: trivial provider, no waiting",
    )
    axes.axhline(
        data["sdk"] / whole,
        color=COLOURS[3],
        linestyle="-.",
        label=f"{_DEFAULT} threads on the generated SDK",
    )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(data["workers"], [str(workers) for workers in data["workers"]])
    axes.set_xlabel("workers of the host")
    axes.set_ylabel("time ÷ bound of 4 workers")
    axes.set_title(f"Refresh of {_COUNT} services")
    axes.legend()
    return {"refreshing": figure}
