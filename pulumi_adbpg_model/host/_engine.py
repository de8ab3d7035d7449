"""The engine that this host belongs to: speaking to it, and noticing that it is gone."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from pulumi_adbpg_model.domain import printable
from pulumi_adbpg_model.host._inside import host_module, try_or_none

_LOG_TIMEOUT_S = 2.0
#: What is under way when the engine is gone may take this long to end, before the process does.
_LINGER_S = 5.0

_channel: Any = None


def find_engine() -> Any:
    """The engine's own service; its address is the host's last argument, after the CLI's flags."""
    global _channel  # noqa: PLW0603 - one engine per process
    if _channel is None and host_module() is not None and len(sys.argv) > 1:
        _channel = grpc.insecure_channel(sys.argv[-1])
    return None if _channel is None else engine_pb2_grpc.EngineStub(_channel)


def watch_engine(on_gone: Callable[[], None]) -> bool:
    """End this process some seconds after its engine, with a warning to what is under way."""
    if find_engine() is None:
        return False
    watch = _EngineWatch(_channel, on_gone)
    _channel.subscribe(watch.changed, try_to_connect=True)
    return True


class _EngineWatch:
    """
    Notices that the engine has died: a CLI that is killed alone leaves its plugins behind.

    Such a host would go on: it would create what no state will ever hold. Gone is an engine that
    was reached once, and now refuses a new connection to this machine's own port; a connection
    that merely broke, or that grew too old, is made anew.
    """

    def __init__(self, channel: Any, on_gone: Callable[[], None]) -> None:
        self._channel = channel
        self._on_gone = on_gone
        self._reached = False

    def changed(self, state: grpc.ChannelConnectivity) -> None:
        if state is grpc.ChannelConnectivity.READY and not self._reached:
            self._reached = True
            try_or_none(_ignore_sigterm)
        elif self._reached and state is grpc.ChannelConnectivity.IDLE:
            self._channel.subscribe(_ignore, try_to_connect=True)  # the way to ask for it
            self._channel.unsubscribe(_ignore)
        elif self._reached and state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            self._channel.unsubscribe(self.changed)
            end = threading.Timer(_LINGER_S, os._exit, [1])  # nobody is left to end it
            end.daemon = True
            end.start()
            self._on_gone()


def _ignore_sigterm() -> None:
    """
    Let the engine alone end this process, now that its end is noticed.

    Who cancels a job may send SIGTERM to all of its processes. The engine then cancels what is
    under way, and has to be told of the services that are there.
    """
    # `signal.signal` is for the main thread only, which is the host's; this is what it calls.
    set_signal = ctypes.pythonapi.PyOS_setsig
    set_signal.argtypes, set_signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    set_signal(signal.SIGTERM, signal.SIG_IGN)


def _ignore(_state: grpc.ChannelConnectivity) -> None:
    """Subscribe to nothing."""


class EngineLog:
    """
    Speaks in the row of one resource, without what is to be hidden; the `Reporter` of operations.

    Without an engine, lasting lines go to stdout, which the CLI shows too, and progress is dropped.
    """

    def __init__(self, urn: str | None, hide: Callable[[str], str] = str) -> None:
        self._urn = urn or ""
        self._hide = hide

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
        message = printable(self._hide(message))  # names and words of the cloud are in it

        def send() -> bool:
            engine = find_engine()
            if engine is not None:
                request = engine_pb2.LogRequest(
                    severity=severity, message=message, urn=self._urn, ephemeral=ephemeral
                )
                engine.Log(request, timeout=_LOG_TIMEOUT_S)
            return engine is not None

        if not try_or_none(send) and not ephemeral:
            try_or_none(lambda: _print(message))


def _print(message: str) -> None:
    sys.stdout.write(f"{message}\n")  # one write, so that threads do not mix their lines
    sys.stdout.flush()
