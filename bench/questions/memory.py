"""How much memory does the host need while 300 services are awaited?"""

from __future__ import annotations

import re
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from bench.cloud import cloud
from bench.measuring import Answer, Case, interleaved, ratios
from bench.names import declared
from bench.peers.sdk_provider import SdkProvider
from bench.peers.trivial import TrivialProvider
from tests.provider.dynamic_host import PROVIDER, DynamicHost

_ROOT = Path(__file__).parents[2]
_COUNT = 300
_RUNS = 5
#: Longer than all of it takes.
_PROVISION_S = 3600.0
#: By then everything has been asked for, and polled more than once.
_SETTLING_S = 8.0
_DEFAULT_WORKERS = 64


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise RuntimeError("this system does not tell the peak memory of a process")
    return int(found[1]) / 1024


def _waiting(provider: str, inputs: list[dict[str, Any]], workers: int = _COUNT) -> float:
    """Peak memory, in MB, of a host that was asked for all of these and has some time to work."""
    with (
        cloud(_COUNT, provision_seconds=_PROVISION_S) as place,
        tempfile.TemporaryDirectory() as folder,
        DynamicHost(
            {"PYTHONPATH": str(_ROOT), **place.environment},
            {"adbpg:parallel": str(workers)},
            provider=provider,
            folder=Path(folder),
        ) as host,
    ):
        calls = [host.start_create(one) for one in inputs]
        time.sleep(_SETTLING_S)
        if any(call.done for call in calls):
            raise RuntimeError("a service came up that was to be waited for")
        return _peak_mb(host.pid)


def measure(*, quick: bool) -> Answer:
    """Fresh hosts, each asked for all services at once."""
    services = [declared(number) for number in range(_COUNT)]
    numbers = [{"number": number, "seconds": _PROVISION_S} for number in range(_COUNT)]
    trivial, generated = map(serialize_provider, (TrivialProvider(), SdkProvider()))
    found = interleaved(
        {
            "all": partial(_waiting, PROVIDER, services),
            "default": partial(_waiting, PROVIDER, services, _DEFAULT_WORKERS),
            "trivial": partial(_waiting, trivial, numbers),
            "sdk": partial(_waiting, generated, numbers),
        },
        2 if quick else _RUNS,
    )
    peer = f"trivial provider, {_COUNT} asked for"
    return Answer(
        [
            Case(
                f"host, {_COUNT} declared, {_DEFAULT_WORKERS} waiting",
                peer,
                "default `adbpg:parallel`; the others queue, as in any host",
                "1: the host itself",
                ratios(found["default"], found["trivial"]),
                most=1.3,
            ),
            Case(
                f"host, {_COUNT} waiting",
                peer,
                f"`adbpg:parallel` {_COUNT}; the trivial host serves four and queues the others",
                "1: the host itself",
                ratios(found["all"], found["trivial"]),
                most=1.3,
            ),
            Case(
                f"host, {_COUNT} waiting",
                f"provider on the generated SDK, {_COUNT} asked for",
                "as above; the peer loads the SDK, makes a client and sleeps",
                "0: no cloud SDK",
                ratios(found["all"], found["sdk"]),
            ),
        ]
    )
