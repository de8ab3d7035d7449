"""
The insides of Pulumi's dynamic provider host: everything that is not public API, in one place.

The host (`python -m pulumi.dynamic`) serves every dynamic resource of a stack with four threads,
ignores Cancel, goes on when its engine has died, reports no progress and prints a traceback around
every error. `prepare` mends this for the process it runs in, once. Each part stands alone and fails
soft: with an SDK whose insides differ, the feature is missing and everything else works.
tests/engine/test_host.py tells when.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.terminal import printable

__all__ = ["EngineLog", "HostFeatures", "prepare"]

_HOST_MODULE = "pulumi.dynamic.__main__"
_LOG_TIMEOUT_S = 2.0

_T = TypeVar("_T")


@dataclass(frozen=True)
class HostFeatures:
    """Which parts took hold in this process."""

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
    Mend the host of this process, once.

    Args:
        parallel: How many requests are served at once; fewer than the host's own are not set.
        on_cancel: Called when the engine asks to stop (the first Ctrl-C, or SIGTERM), or is gone.
            Every call of `prepare` adds one.
    """
    global _prepared  # noqa: PLW0603 - one host per process
    with _lock:
        _cancel_callbacks.append(on_cancel)
        if _prepared is None:
            server = _softly(_find_server)
            _prepared = HostFeatures(
                workers=bool(_softly(lambda: _widen(server, parallel))),
                cancel=bool(_softly(lambda: _watch_cancel(server))),
                watch=bool(_softly(_watch_engine)),
                clean_errors=bool(_softly(_clean_errors)),
                progress=bool(_softly(lambda: _engine() is not None)),
            )
        return _prepared


def _softly(call: Callable[[], _T]) -> _T | None:
    try:
        return call()
    except Exception:  # noqa: BLE001 - private API: any surprise means "not available"
        return None


def _host_module() -> Any:
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    return main if spec is not None and spec.name == _HOST_MODULE else None


def _find_server() -> Any:
    """The gRPC server: a local variable of the host's `main`, on the main thread's stack."""
    if _host_module() is None:
        return None
    frame: FrameType | None = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        if frame.f_code.co_name == "main" and "server" in frame.f_locals:
            return frame.f_locals["server"]
        frame = frame.f_back
    return None


def _widen(server: Any, parallel: int) -> bool:
    pool = server._state.thread_pool
    pool._max_workers = max(parallel, pool._max_workers)
    # A pool grows when work comes in only: what came in before, as all of a destroy may, would
    # stay behind the first four.
    with pool._shutdown_lock:
        for _ in range(pool._work_queue.qsize()):
            pool._adjust_thread_count()
    return True


def _cancel() -> None:
    for on_cancel in _cancel_callbacks:
        on_cancel()


def _watch_cancel(server: Any) -> bool:
    def cancel(_request: Any, _context: Any) -> Any:
        _cancel()
        return empty_pb2.Empty()

    # A thread of its own: the others may all be busy with what is to be cancelled.
    cancel.experimental_thread_pool = ThreadPoolExecutor(  # type: ignore[attr-defined]
        max_workers=1
    )
    method = grpc.unary_unary_rpc_method_handler(
        cancel,
        request_deserializer=empty_pb2.Empty.FromString,
        response_serializer=empty_pb2.Empty.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler("pulumirpc.ResourceProvider", {"Cancel": method})
    server._state.generic_handlers.insert(0, handler)  # in front of the host's own
    return True


class _QuietTraceback:
    """Stands in for the module `traceback` in the host: our own errors show their text alone."""

    def format_exc(self, *args: Any, **kwargs: Any) -> str:
        error = sys.exc_info()[1]
        if isinstance(error, AdbpgModelError):
            return str(error)
        return traceback.format_exc(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)


def _clean_errors() -> bool:
    module = _host_module()
    if module is None or not hasattr(module, "traceback"):
        return False
    module.traceback = _QuietTraceback()
    return True


_channel: Any = None


def _engine() -> Any:
    """The engine's own service; its address is the host's first argument."""
    global _channel  # noqa: PLW0603 - one engine per process
    if _channel is None and _host_module() is not None and len(sys.argv) > 1:
        _channel = grpc.insecure_channel(sys.argv[1])
    return None if _channel is None else engine_pb2_grpc.EngineStub(_channel)


class _EngineWatch:
    """
    Cancels when the engine has died: a CLI that is killed alone leaves its plugins behind.

    Such a host would go on: it would create what no state will ever hold. Gone is an engine that
    was reached once, and now refuses a new connection to this machine's own port; a connection
    that merely broke, or that grew too old, is made anew.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._reached = False

    def start(self) -> None:
        self._channel.subscribe(self._changed, try_to_connect=True)

    def _changed(self, state: grpc.ChannelConnectivity) -> None:
        if state is grpc.ChannelConnectivity.READY:
            self._reached = True
        elif self._reached and state is grpc.ChannelConnectivity.IDLE:
            self._channel.subscribe(_ignore, try_to_connect=True)  # the way to ask for it
            self._channel.unsubscribe(_ignore)
        elif self._reached and state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            self._channel.unsubscribe(self._changed)
            _cancel()


def _ignore(_state: grpc.ChannelConnectivity) -> None:
    """Subscribe to nothing."""


def _watch_engine() -> bool:
    if _engine() is None:
        return False
    _EngineWatch(_channel).start()
    return True


class EngineLog:
    """
    Speaks in the row of one resource; the `Reporter` of real operations.

    Without an engine, lasting lines go to stdout, which the CLI shows too, and progress is dropped.
    """

    def __init__(self, urn: str | None) -> None:
        self._urn = urn or ""

    def progress(self, message: str) -> None:
        """A line that the next one replaces."""
        self._log(engine_pb2.INFO, message, ephemeral=True)

    def note(self, message: str) -> None:
        """A line that stays."""
        self._log(engine_pb2.INFO, message)

    def warn(self, message: str) -> None:
        """A line that stays, as a warning."""
        self._log(engine_pb2.WARNING, message)

    def _log(self, severity: Any, message: str, *, ephemeral: bool = False) -> None:
        message = printable(message)  # names and words of the cloud are in it

        def send() -> bool:
            engine = _engine()
            if engine is not None:
                request = engine_pb2.LogRequest(
                    severity=severity, message=message, urn=self._urn, ephemeral=ephemeral
                )
                engine.Log(request, timeout=_LOG_TIMEOUT_S)
            return engine is not None

        if not _softly(send) and not ephemeral:
            _softly(lambda: _print(message))


def _print(message: str) -> None:
    sys.stdout.write(f"{message}\n")  # one write, so that threads do not mix their lines
    sys.stdout.flush()
