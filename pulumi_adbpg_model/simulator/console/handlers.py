"""The console's requests: its page, its events, and its levers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib import resources
from typing import Any

from aiohttp import web

from pulumi_adbpg_model.simulator.backdoor import Backdoor
from pulumi_adbpg_model.simulator.cloud import Cloud
from pulumi_adbpg_model.simulator.errors import CloudError
from pulumi_adbpg_model.simulator.faults import FaultQueue
from pulumi_adbpg_model.simulator.records import ACTIONS, RecordedRequest
from pulumi_adbpg_model.simulator.whitelists import addresses
from pulumi_adbpg_model.simulator.wire import Wire

from . import picture
from .guard import HEADERS, Refused, check
from .stream import Stream, event

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_POLL_SECONDS = 0.25
# For the browser: when to try again after the connection broke.
_RETRY_MILLISECONDS = 1000
_INDEX = "index.html"
_FILES = {
    _INDEX: "text/html",
    "icon.svg": "image/svg+xml",
    "console.css": "text/css",
    "console.js": "text/javascript",
    "cloud.js": "text/javascript",
    "levers.js": "text/javascript",
    "page.js": "text/javascript",
    "requests.js": "text/javascript",
}
_CHANGEABLE = ("description", "model_name", "security_ip_list", "status")


class Console:
    """Handles the console's requests of one simulator, and hands the API's on to `wire`."""

    def __init__(
        self,
        wire: Wire,
        cloud: Cloud,
        backdoor: Backdoor,
        faults: FaultQueue,
        requests: Sequence[RecordedRequest],
        clock: Callable[[], float],
    ) -> None:
        self._wire = wire
        self._cloud = cloud
        self._backdoor = backdoor
        self._faults = faults
        self._requests = requests
        self._clock = clock
        self._stopping = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The paths that are the console's: `/` for GET, and all below `/console`."""
        return [
            web.get("/", self._own(_page), allow_head=False),
            web.get("/console/events", self._own(self._events), allow_head=False),
            web.get("/console/{asset}", self._own(_asset), allow_head=False),
            web.patch("/console/services/{id}", self._own(self._change)),
            web.delete("/console/services/{id}", self._own(self._remove)),
            web.put("/console/deployments", self._own(self._hold)),
            web.post("/console/faults", self._own(self._inject)),
            web.delete("/console/faults/{number}", self._own(self._drop)),
            web.route("*", "/console{rest:(/.*)?}", self._own(_unknown)),
        ]

    def stop(self) -> None:
        """End the events of every page."""
        self._stopping.set()

    def _own(self, handler: _Handler) -> _Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            if "x-acs-action" in request.headers or "Action" in request.query:
                return await self._wire.handle(request)
            try:
                check(request)
                response = await handler(request)
            except Refused as refused:
                response = web.json_response({"error": refused.message}, status=refused.status)
            if not response.prepared:
                response.headers.update(HEADERS)
            return response

        return answer

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        stream = Stream(self._cloud, self._faults, self._requests, self._clock)
        with contextlib.suppress(ConnectionError):  # the page was closed
            await response.prepare(request)
            about = event("about", picture.about(self._cloud, ACTIONS))
            await response.write(f"retry: {_RETRY_MILLISECONDS}\n{about}".encode())
            while not self._stopping.is_set() and not _left(request):
                news = stream.news()
                if news:
                    await response.write(news.encode())
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _POLL_SECONDS)
        return response

    async def _change(self, request: web.Request) -> web.Response:
        fields = await _content(request, _CHANGEABLE)
        for name, value in fields.items():
            if not isinstance(value, str) or not (value or name == "description"):
                raise Refused(400, f"{name} must be a text, and not empty")
        if "security_ip_list" in fields:
            entries = ",".join(part.strip() for part in fields["security_ip_list"].split(","))
            try:
                fields["security_ip_list"] = addresses(entries)
            except CloudError as error:
                raise Refused(400, error.message) from None
        service_id = request.match_info["id"]
        with _known(service_id), _sensible():
            self._backdoor.change(service_id, fields)
        return _done()

    async def _remove(self, request: web.Request) -> web.Response:
        service_id = request.match_info["id"]
        with _known(service_id):
            self._backdoor.remove(service_id)
        return _done()

    async def _hold(self, request: web.Request) -> web.Response:
        held = (await _content(request, ("held",))).get("held")
        if not isinstance(held, bool):
            raise Refused(400, "held must be true or false")
        self._backdoor.hold(held=held)
        return _done()

    async def _inject(self, request: web.Request) -> web.Response:
        content = await _content(request, ("fault", "action", "times"))
        fault, action, times = content.get("fault"), content.get("action"), content.get("times", 1)
        with _sensible():
            self._faults.inject(fault, action, times, after=0)  # type: ignore[arg-type]
        return _done()

    async def _drop(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        if not number.isdecimal():
            raise Refused(404, "there is no such fault")
        self._faults.drop(int(number))
        return _done()


async def _page(_request: web.Request) -> web.Response:
    return _file(_INDEX)


async def _asset(request: web.Request) -> web.Response:
    return _file(request.match_info["asset"])


async def _unknown(_request: web.Request) -> web.Response:
    raise Refused(404, "the console has no such page")


def _file(name: str) -> web.Response:
    if name not in _FILES:
        raise Refused(404, "the console has no such file")
    text = (resources.files(__package__) / "page" / name).read_text("utf-8")
    return web.Response(text=text, content_type=_FILES[name], charset="utf-8")


async def _content(request: web.Request, names: Sequence[str]) -> dict[str, Any]:
    try:
        content = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Refused(400, "the request is not JSON") from None
    if not isinstance(content, dict) or not content or not content.keys() <= set(names):
        raise Refused(400, f"the request must be a JSON object with some of: {', '.join(names)}")
    return content


@contextlib.contextmanager
def _known(service_id: str) -> Iterator[None]:
    try:
        yield
    except KeyError:
        raise Refused(404, f"there is no service {service_id}") from None


@contextlib.contextmanager
def _sensible() -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:
        raise Refused(400, str(error)) from None


def _done() -> web.Response:
    return web.Response(status=204)


def _left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
