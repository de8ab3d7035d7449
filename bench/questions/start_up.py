"""How much longer does a program take to start, and a host to answer?"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from pulumi.dynamic.dynamic import serialize_provider

from bench.cloud import cloud
from bench.measuring import Answer, Case, interleaved, ratios
from bench.names import declared
from bench.peers.trivial import TrivialProvider
from tests.provider.dynamic_host import PROVIDER, DynamicHost

_ROOT = Path(__file__).parents[2]
_RUNS = 41
#: In one process, so that nothing but what is imported differs.
_IMPORT = """
import time
began = time.perf_counter()
import pulumi
first = time.perf_counter()
import pulumi.dynamic
dynamic = time.perf_counter()
from pulumi_adbpg_model import ModelService
print(first - began, dynamic - began, time.perf_counter() - began)
"""
_INPUTS = declared(0)


def _imports() -> list[float]:
    """Seconds until Pulumi, its dynamic providers and ours are imported, in a fresh process."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", _IMPORT], stdout=subprocess.PIPE, text=True, check=True, cwd=_ROOT
    )
    return [float(figure) for figure in done.stdout.split()]


def _first_check(
    provider: str,
    news: Mapping[str, object],
    olds: Mapping[str, object],
    environment: Mapping[str, str],
    folder: Path,
) -> float:
    began = time.perf_counter()
    host = DynamicHost({"PYTHONPATH": str(_ROOT), **environment}, provider=provider, folder=folder)
    with host:
        answer = host.check(dict(news), dict(olds))
        took = time.perf_counter() - began
    if answer.failures:
        raise RuntimeError(f"the inputs are refused: {answer.failures}")
    return took


def _hosts(environment: Mapping[str, str], folder: Path) -> dict[str, Callable[[], float]]:
    trivial = serialize_provider(TrivialProvider())
    number = {"number": 1, "seconds": 0.0}
    check = partial(_first_check, environment=environment, folder=folder)
    return {
        "there": partial(check, PROVIDER, _INPUTS, _INPUTS),
        "new": partial(check, PROVIDER, _INPUTS, {}),
        "trivial": partial(check, trivial, number, number),
    }


def measure(*, quick: bool) -> Answer:
    """Fresh processes, each timed from its start to its answer."""
    runs = 5 if quick else _RUNS
    _imports()  # so that everything is compiled
    pulumi, dynamic, ours = zip(*(_imports() for _ in range(runs)), strict=True)
    with cloud() as place, tempfile.TemporaryDirectory() as folder:
        hosts = _hosts(place.environment, Path(folder))
        checks = interleaved(hosts, runs)
    program = "one fresh Python imports both, one after the other"
    host = "python -m pulumi.dynamic, Configure, Check"
    return Answer(
        [
            Case(
                "importing `ModelService`",
                "`import pulumi`",
                program,
                "1: it imports pulumi",
                ratios(ours, pulumi),
                most=1.1,
            ),
            Case(
                "importing `ModelService`",
                "`import pulumi.dynamic`",
                program,
                "1: it is a dynamic resource",
                ratios(ours, dynamic),
            ),
            Case(
                "host to first Check, service in the state",
                "trivial provider",
                host,
                "1: the host itself",
                ratios(checks["there"], checks["trivial"]),
                most=1.1,
            ),
            Case(
                "host to first Check, new service",
                "trivial provider",
                f"{host}; loads the cloud SDK and asks three things",
                "1: the host itself",
                ratios(checks["new"], checks["trivial"]),
            ),
        ]
    )
