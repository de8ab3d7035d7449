"""The host's gRPC server: how many requests it serves, whether it hears Cancel, how it errs."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import grpc
from google.protobuf import empty_pb2

from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.host._inside import host_module


def find_server() -> Any:
    """The gRPC server: a local variable of the host's `main`, on the main thread's stack."""
    if host_module() is None:
        return None
    frame: FrameType | None = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        if frame.f_code.co_name == "main" and "server" in frame.f_locals:
            return frame.f_locals["server"]
        frame = frame.f_back
    return None


def widen(server: Any, parallel: int) -> bool:
    """Serve so many requests at once; fewer than now are not set."""
    pool = server._state.thread_pool
    pool._max_workers = max(parallel, pool._max_workers)
    # A pool grows when work comes in only: what came in before, as all of a destroy may, would
    # stay behind the first four.
    with pool._shutdown_lock:
        for _ in range(pool._work_queue.qsize()):
            pool._adjust_thread_count()
    return True


def hear_cancel(server: Any, on_cancel: Callable[[], None]) -> bool:
    """Answer Cancel, which the host ignores, in front of it."""

    def cancel(_request: Any, _context: Any) -> Any:
        on_cancel()
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


def clean_errors() -> bool:
    """Show errors of this package as one line; those of others keep their traceback."""
    module = host_module()
    if module is None or not hasattr(module, "traceback"):
        return False
    module.traceback = _QuietTraceback()
    return True
