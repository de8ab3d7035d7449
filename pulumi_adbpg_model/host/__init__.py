"""
The insides of Pulumi's dynamic provider host: everything that is not public API, in one place.

The host (`python -m pulumi.dynamic`) serves every dynamic resource of a stack with four threads,
tells a provider neither URN nor timeout, has no words for a service that exists but is not active,
ignores Cancel, goes on when its engine has died, reports no progress and prints a traceback around
every error. `prepare` mends this for the process it runs in, once; the process then ends soon after
its engine. Each part stands alone and fails soft: with an SDK whose insides differ, the feature is
missing and everything else works, but that nothing is created where `current_call` finds nothing.
tests/engine/test_host.py tells when.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pulumi_adbpg_model.host._call import Call, current_call
from pulumi_adbpg_model.host._engine import EngineLog, find_engine, watch_engine
from pulumi_adbpg_model.host._inside import try_or_none
from pulumi_adbpg_model.host._server import clean_errors, find_server, hear_cancel, widen
from pulumi_adbpg_model.host._traces import trace

__all__ = [
    "WORKING_SDKS",
    "Call",
    "EngineLog",
    "HostFeatures",
    "current_call",
    "prepare",
    "trace",
]

#: The versions of Pulumi's Python SDK, oldest and newest, that this package is tested with.
WORKING_SDKS = ("3.268.0", "3.272.0")


@dataclass(frozen=True)
class HostFeatures:
    """Which parts took hold in this process."""

    calls: bool
    workers: bool
    cancel: bool
    watch: bool
    clean_errors: bool
    progress: bool


_prepared: HostFeatures | None = None
_cancel_callbacks: list[Callable[[], None]] = []
_lock = threading.Lock()


def prepare(parallel: int, on_cancel: Callable[[], None]) -> HostFeatures:
    """
    Patch the host of this process, once. To be called within a call of the engine.

    Args:
        parallel: How many requests are served at once; fewer than the host's own are not set.
        on_cancel: Called when the engine asks to stop (the first Ctrl-C, or SIGTERM), or is gone.
            Every call of `prepare` adds one.
    """
    global _prepared  # noqa: PLW0603 - one host per process
    with _lock:
        _cancel_callbacks.append(on_cancel)
        if _prepared is None:
            server = try_or_none(find_server)
            _prepared = HostFeatures(
                calls=current_call() is not None,
                workers=bool(try_or_none(lambda: widen(server, parallel))),
                cancel=bool(try_or_none(lambda: hear_cancel(server, _cancel))),
                watch=bool(try_or_none(lambda: watch_engine(_cancel))),
                clean_errors=bool(try_or_none(clean_errors)),
                progress=bool(try_or_none(lambda: find_engine() is not None)),
            )
        return _prepared


def _cancel() -> None:
    for on_cancel in _cancel_callbacks:
        on_cancel()
