"""The HTTP face of the simulated cloud: from a request to an action, from its result to bytes.

Boundary: this is the only module that knows aiohttp's requests and the RPC conventions (action
and version in headers, parameters in query or form body, JSON answers). Rules live in `cloud`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from . import errors, responses
from .cloud import Cloud
from .errors import CloudError
from .faults import HUGE_BYTES, Fault, FaultQueue
from .records import RecordedRequest
from .signature import SignedRequest, Verifier

_VERSION = "2016-05-03"
#: Of the API of another product, which tells who calls.
_STS_VERSION = "2015-04-01"
_CALLER = "GetCallerIdentity"
_POLL_SECONDS = 0.02
_PIECE = b"x" * (64 * 1024)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Reply:
    status: int
    code: str | None
    text: str
    content_type: str = "application/json"
    headers: Mapping[str, str] | None = None


class Wire:
    """Handles every request of one simulator."""

    def __init__(
        self,
        cloud: Cloud,
        verifier: Verifier,
        faults: FaultQueue,
        record: Callable[[RecordedRequest], None],
        clock: Callable[[], float],
    ) -> None:
        self._verifier = verifier
        self._faults = faults
        self._record = record
        self._clock = clock
        self._actions: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            "CreateModelService": cloud.create_model_service,
            "DescribeModelService": cloud.describe_model_service,
            "DeleteModelService": cloud.delete_model_service,
            "ListModelServices": cloud.list_model_services,
            "ListSupportModels": cloud.list_support_models,
            "ListAINodePools": cloud.list_ai_node_pools,
            "ModifySecurityIps": cloud.modify_security_ips,
            _CALLER: lambda _parameters: responses.caller(),
        }
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let go of the connections that a fault holds."""
        self._stopping.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, or withhold the answer if a fault says so."""
        path, _, raw_query = request.raw_path.partition("?")
        signed = SignedRequest(
            method=request.method,
            path=path,
            query=tuple(parse_qsl(raw_query, keep_blank_values=True)),
            headers=tuple(request.headers.items()),
            payload=await request.read(),
        )
        action = signed.header("x-acs-action")
        body = _form(signed)
        reply, fault = self._reply(action, signed, body)
        lost = fault is not None and fault.delivery in ("hang", "reset")
        self._record(
            RecordedRequest(
                action=action,
                query=dict(signed.query),
                body=body,
                headers={name.lower(): value for name, value in signed.headers},
                time=self._clock(),
                response_status=None if lost else reply.status,
                response_code=None if lost else reply.code,
                fault=fault.name if fault else None,
                path=path,
            )
        )
        if fault is not None and fault.delivery == "hang":
            await self._hang(request)
        if lost:
            _reset(request)
        if fault is not None and fault.delivery == "huge":
            return await self._pour(request)
        text = reply.text
        if fault is not None and fault.delivery == "cut":
            text = text[: len(text) // 2]
        return web.Response(
            status=reply.status,
            text=text,
            content_type=reply.content_type,
            charset="utf-8",
            headers=reply.headers,
        )

    def _reply(
        self, action: str, signed: SignedRequest, body: Mapping[str, str]
    ) -> tuple[_Reply, Fault | None]:
        fault: Fault | None = None
        try:
            method = self._admit(action, signed)
            fault = self._faults.take(action)
            if fault is None:
                return _success(method({**dict(signed.query), **body})), None
            return self._faulty(fault, method, {**dict(signed.query), **body}), fault
        except CloudError as error:
            return _refusal(error), fault
        except Exception:  # noqa: BLE001 - a bug here must look like a cloud's, and be logged
            _LOG.exception("the simulator failed at %s", action)
            return _refusal(CloudError(500, "InternalError", "The simulator failed.")), fault

    def _admit(
        self, action: str, signed: SignedRequest
    ) -> Callable[[Mapping[str, str]], dict[str, Any]]:
        if signed.header("x-acs-version") != (_STS_VERSION if action == _CALLER else _VERSION):
            raise errors.invalid_version()
        method = self._actions.get(action)
        if method is None or signed.path != "/" or signed.method not in ("GET", "POST"):
            raise errors.action_not_found()
        self._verifier.verify(signed)
        return method

    @staticmethod
    def _faulty(
        fault: Fault,
        method: Callable[[Mapping[str, str]], dict[str, Any]],
        parameters: Mapping[str, str],
    ) -> _Reply:
        # A refusal of the action itself is what the fault then cuts, loses or hides.
        reply = _Reply(fault.status, None, "{}")
        if fault.applied:
            try:
                reply = _success(method(parameters))
            except CloudError as error:
                reply = _refusal(error)
        if fault.error is not None:
            return _refusal(fault.error)
        if fault.text is not None:
            headers = {"Location": fault.location} if fault.location else None
            return _Reply(fault.status, None, fault.text, fault.content_type, headers)
        return reply

    async def _hang(self, request: web.Request) -> None:
        # Polled, because aiohttp does not tell a handler that its client has left.
        while not self._stopping.is_set():
            if request.transport is None or request.transport.is_closing():
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _pour(self, request: web.Request) -> web.StreamResponse:
        # In pieces and without a length, so that neither side knows beforehand.
        response = web.StreamResponse(headers={"Content-Type": "application/json;charset=utf-8"})
        try:
            await response.prepare(request)
            await response.write(b'{"Padding": "')
            for _ in range(HUGE_BYTES // len(_PIECE)):
                if self._stopping.is_set():
                    break
                await response.write(_PIECE)
            await response.write(f'", "RequestId": "{_request_id()}"}}'.encode())
        except ConnectionError:
            _LOG.debug("the client left in the middle of a huge answer")
        return response


def _form(signed: SignedRequest) -> dict[str, str]:
    content_type = signed.header("content-type").partition(";")[0].strip().lower()
    if content_type not in ("", "application/x-www-form-urlencoded"):
        return {}
    text = signed.payload.decode("utf-8", errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def _success(elements: Mapping[str, Any]) -> _Reply:
    return _Reply(200, None, json.dumps({**elements, "RequestId": _request_id()}))


def _refusal(error: CloudError) -> _Reply:
    content = {
        "RequestId": _request_id(),
        "HostId": "gpdb.simulator",
        "Code": error.code,
        "Message": error.message,
        "Recommend": f"The simulator has no more to say about {error.code}.",
    }
    return _Reply(error.status, error.code, json.dumps(content), headers=error.headers)


def _request_id() -> str:
    return str(uuid.uuid4()).upper()


def _reset(request: web.Request) -> None:
    if request.transport is None:
        return
    sock = request.transport.get_extra_info("socket")
    if sock is not None:
        # Zero linger makes the close a TCP reset instead of an orderly end.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
