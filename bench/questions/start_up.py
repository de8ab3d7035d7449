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
_RUNS = 31
_IMPORT = """
import time
began = time.perf_counter()
{}
print(time.perf_counter() - began)
"""
_IMPORTS = {
    "ours": "import pulumi\nfrom pulumi_adbpg_model import ModelService",
    "pulumi": "import pulumi",
    # What a program pays that declares any dynamic resource.
    "dynamic": "import pulumi\nfrom pulumi.dynamic import Resource",
}
_INPUTS = declared(0)


def _import(statements: str) -> float:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", _IMPORT.format(statements)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=_ROOT,
    )
    return float(done.stdout)


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
    importing = {name: partial(_import, text) for name, text in _IMPORTS.items()}
    interleaved(importing, 1)  # so that everything is compiled
    imports = interleaved(importing, runs)
    with cloud() as place, tempfile.TemporaryDirectory() as folder:
        hosts = _hosts(place.environment, Path(folder))
        checks = interleaved(hosts, runs)
    program = "the import statements of a fresh Python"
    host = "python -m pulumi.dynamic, Configure, Check"
    return Answer(
        [
            Case(
                "importing `ModelService`",
                "`import pulumi`",
                program,
                "1: it imports pulumi",
                ratios(imports["ours"], imports["pulumi"]),
                most=1.1,
            ),
            Case(
                "importing `ModelService`",
                "`import pulumi.dynamic`",
                program,
                "1: it is a dynamic resource",
                ratios(imports["ours"], imports["dynamic"]),
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
