"""
The engine's call that a thread serves.

The SDK hands a provider property bags alone. The request behind them says more, by Pulumi's public
protocol (pulumi/proto/pulumi/provider.proto): the resource's URN as it is called now, and the
seconds of `custom_timeouts`. Request and context are parameters of the servicer's method, further
up on the stack of the same thread.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from google.protobuf import any_pb2, json_format
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from pulumi_adbpg_model.host._inside import try_or_none

_PACKAGE = "pulumirpc."
_TRACE_NAMES = ("TRACEPARENT", "TRACESTATE")
_UNKNOWN = 2  # the gRPC status that the host gives to every exception


@dataclass(frozen=True)
class Call:
    """A call of the engine. `timeout_s` is None where `custom_timeouts` do not say one."""

    urn: str
    timeout_s: float | None
    _context: Any = field(default=None, repr=False, compare=False)
    _request: Any = field(default=None, repr=False, compare=False)

    def stored_input(self, name: str) -> Any:
        """
        An input of the resource as the state has it; None without one.

        A diff, update, delete or read is handed outputs alone.
        """
        bag = getattr(self._request, "old_inputs", None) or getattr(self._request, "inputs", None)
        value = None if bag is None else bag.fields.get(name)
        return None if value is None else json_format.MessageToDict(value)

    def trace_headers(self, environ: Mapping[str, str]) -> dict[str, str]:
        """
        By which span the call is made, as W3C's Trace Context has it: the engine's, else the one
        that the process was started in.

        Args:
            environ: The environment, with TRACEPARENT where whoever runs Pulumi says it.
        """
        metadata = try_or_none(lambda: dict(self._context.invocation_metadata())) or {}
        if not isinstance(metadata.get("traceparent"), str):
            metadata = {name.lower(): environ[name] for name in _TRACE_NAMES if name in environ}
        names = (name.lower() for name in _TRACE_NAMES)
        return {name: str(metadata[name]) for name in names if name in metadata}

    def tell_partial_failure(self, id_: str, outs: Mapping[str, Any], reason: str) -> bool:
        """
        Let the engine store a resource whose create or update fails.

        Takes effect with the exception that the caller raises next. The engine then keeps id and
        outputs, shows the operation as failed, makes nothing that depends on the resource, and
        calls update in the next `up`.

        Args:
            id_: Id of the resource.
            outs: Its outputs, with `__provider`.
            reason: What failed, in one line.

        Returns:
            Whether the engine is told. If not, raising would lose the id.
        """
        loop = asyncio.new_event_loop()  # as the host does it
        try:
            properties = loop.run_until_complete(rpc.serialize_properties(dict(outs), {}))
            detail = any_pb2.Any()
            detail.Pack(
                provider_pb2.ErrorResourceInitFailed(
                    id=id_, properties=properties, reasons=[reason]
                )
            )
            status = _status(reason, detail)
            self._context.set_trailing_metadata((("grpc-status-details-bin", status),))
        except Exception:  # noqa: BLE001 - private insides: any surprise means "not available"
            return False
        finally:
            loop.close()
        return True


def current_call() -> Call | None:
    """The call that this thread serves; None where the SDK's host does not show it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        names = frame.f_locals
        if "request" in names and "context" in names:
            call = _call_of(names["request"], names["context"])
            if call is not None:
                return call
        frame = frame.f_back
    return None


def _call_of(request: Any, context: Any) -> Call | None:
    descriptor = getattr(request, "DESCRIPTOR", None)
    name = getattr(descriptor, "full_name", "")
    if not name.startswith(_PACKAGE) or not hasattr(context, "set_trailing_metadata"):
        return None
    timeout_s = getattr(request, "timeout", 0.0)
    urn = getattr(request, "urn", "")
    return Call(urn, timeout_s if timeout_s > 0 else None, context, request)


def _status(message: str, detail: any_pb2.Any) -> bytes:
    """
    A `google.rpc.Status` as it goes over the wire.

    Two packages register its class under one name, and the second one to be loaded fails: other
    providers in this process may need either.
    """
    code = bytes([1 << 3, _UNKNOWN])
    return code + _field(2, message.encode()) + _field(3, detail.SerializeToString())


def _field(number: int, value: bytes) -> bytes:
    header = [number << 3 | 2]
    size = len(value)
    while size > 0x7F:
        header.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*header, size]) + value
