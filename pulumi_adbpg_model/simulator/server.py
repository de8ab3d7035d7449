"""The simulator: the cloud's model-service API on a loopback port, in a thread of its own.

Decision: one object, one cloud; nothing is shared between simulators of a process. The server
runs in a daemon thread with its own event loop, so that tests may block as they like, and binds
127.0.0.1 only. State lives in the object: `stop()` then `start()` is an outage at the same
address, after which everything is still there.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import checks, survey
from .backdoor import Backdoor
from .cloud import Cloud
from .console import Console
from .dialects import Dialects
from .faults import FaultQueue
from .records import ACTIONS, MUTATIONS, RecordedRequest, SimulatedService
from .signature import Verifier
from .store import Store
from .survey import Survey
from .wire import Wire

if TYPE_CHECKING:
    from typing_extensions import Self

_HOST = "127.0.0.1"
# A whitelist of 1000 entries travels in the query string: about 20 kB, far above the default.
_MAX_LINE_BYTES = 256 * 1024
_SHUTDOWN_SECONDS = 1.0

_PROVISION_SECONDS = 1.0
_DELETE_SECONDS = 0.0

DEFAULT_NODES = ("ai-1", "ai-2", "ai-3", "ai-4")
DEFAULT_MODELS = (
    "Qwen3-Embedding-8B",
    "Qwen3-Reranker-8B",
    "Qwen3-Embedding-4B",
    "Qwen3-8B",
    "Qwen3-32B",
    "DeepSeek-R1-Distill-Qwen-14B",
)


class Simulator:
    """A simulated cloud with one instance to begin with; a context manager.

    Every argument has a default. A service is deployed in `provision_seconds` (1) and deleted in
    `delete_seconds` (0). `like` names a file that `pulumi-adbpg-model survey` wrote: its cloud's
    dialects count besides `dialects`, and its seconds and models, where it has some, in place of
    the defaults. `state` names a file that keeps the cloud over restarts, `whitelist_groups` maps
    a whitelist group to the AI node whose service it governs, and `clock` replaces the wall clock.
    `signing_clock` is what the time stamps of requests are checked against, `clock` too unless it
    is given. One simulator at a time has a state file: from `start` to `stop`, and for each change
    while it is stopped.

    TypeError or ValueError, naming the argument, for what it cannot be made with; BlockingIOError
    while another simulator has the state file.
    """

    def __init__(
        self,
        *,
        instance: str = "gp-demo",
        nodes: Sequence[str] = DEFAULT_NODES,
        models: Sequence[str] | None = None,
        region: str = "cn-hangzhou",
        provision_seconds: float | None = None,
        delete_seconds: float | None = None,
        access_key_id: str = "simulator-key-id",
        access_key_secret: str = "simulator-key-secret",
        security_token: str | None = None,
        port: int = 0,
        state: str | os.PathLike[str] | None = None,
        dialects: Iterable[str] = (),
        like: str | os.PathLike[str] | None = None,
        whitelist_groups: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        signing_clock: Callable[[], float] | None = None,
    ) -> None:
        self._region = checks.region("region", region)
        self._access_key_id = checks.credential("access_key_id", access_key_id)
        self._access_key_secret = checks.credential("access_key_secret", access_key_secret)
        if security_token is not None:
            checks.credential("security_token", security_token)
        self._security_token = security_token
        self._port = checks.port("port", port)
        self._clock = checks.function("clock", clock)
        if signing_clock is not None:
            checks.function("signing_clock", signing_clock)
        self._instance = checks.instance_id("instance", instance), checks.names("nodes", nodes)
        seen = Survey() if like is None else survey.read(Path(checks.path("like", like)))
        spoken = Dialects(checks.texts("dialects", dialects)).names
        seen.check_beside(spoken)
        settings: dict[str, Any] = {
            "region": region,
            "models": checks.names("models", _first(models, seen.models, DEFAULT_MODELS)),
            "provision_seconds": checks.seconds(
                "provision_seconds",
                _first(provision_seconds, seen.provision_seconds, _PROVISION_SECONDS),
            ),
            "delete_seconds": checks.seconds(
                "delete_seconds", _first(delete_seconds, seen.delete_seconds, _DELETE_SECONDS)
            ),
            "dialects": Dialects(spoken.union(seen.dialects)),
            "whitelist_groups": (
                {}
                if whitelist_groups is None
                else checks.groups("whitelist_groups", whitelist_groups)
            ),
            "clock": clock,
        }
        self._store = None if state is None else Store(checks.file("state", state))
        with self._store.holding() if self._store else nullcontext():
            self._cloud = Cloud(**settings, store=self._store)
            self._cloud.add_instance(*self._instance)
        self._backdoor = Backdoor(self._cloud)
        self._verifier = Verifier(
            access_key_id, access_key_secret, security_token, signing_clock or clock
        )
        self._faults = FaultQueue()
        self._requests: list[RecordedRequest] = []
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quit: asyncio.Event | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # Lifecycle

    def start(self) -> Self:
        """Listen; returns when requests are answered.

        OSError if the port is taken, or another simulator has the state file.
        """
        if self._thread is not None:
            msg = "the simulator is running already"
            raise RuntimeError(msg)
        if self._store is not None:
            self._store.acquire()
        try:
            if self._store is not None and self._store.changed():
                self._cloud.catch_up()
                self._cloud.add_instance(*self._instance)
            self._listen()
        except BaseException:
            self._leave_file()
            raise
        return self

    def _listen(self) -> None:
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="adbpg-simulator", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        failure = self._start_failure()
        if failure is not None:
            self._thread.join()
            self._thread = None
            raise failure from None

    def _leave_file(self) -> None:
        if self._store is not None:
            self._store.release()

    def _start_failure(self) -> Exception | None:
        return self._failure  # set by the server's thread, which a type checker cannot see

    def stop(self) -> None:
        """Stop listening and drop every connection; harmless when not running."""
        if self._thread is None or self._loop is None or self._quit is None:
            return
        self._loop.call_soon_threadsafe(self._quit.set)
        self._thread.join()
        self._thread = None
        self._leave_file()

    async def _serve(self) -> None:
        wire = Wire(self._cloud, self._verifier, self._faults, self._requests.append, self._clock)
        self._loop, self._quit = asyncio.get_running_loop(), asyncio.Event()
        console = Console(
            wire, self._cloud, self._backdoor, self._faults, self._requests, self._clock
        )
        app = web.Application()
        app.add_routes(console.routes())
        app.router.add_route("*", "/{path:.*}", wire.handle)
        runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=_SHUTDOWN_SECONDS,
            max_line_size=_MAX_LINE_BYTES,
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, _HOST, self._port).start()
            # The port stays the same over stop and start.
            self._port = runner.addresses[0][1]
        except Exception as error:  # noqa: BLE001 - start() raises it where it can be caught
            self._failure = error
            if isinstance(error, OSError) and error.errno:  # asyncio words it in its own way
                why = f"port {self._port} of {_HOST} cannot be used: {os.strerror(error.errno)}"
                self._failure = OSError(error.errno, why)
            await runner.cleanup()
            return
        finally:
            self._ready.set()
        await self._quit.wait()
        wire.stop()
        console.stop()
        await runner.cleanup()

    @property
    def port(self) -> int:
        """The port listened on; known once started."""
        return self._port

    @property
    def endpoint(self) -> str:
        """The URL for the provider's endpoint setting; in a browser, a page to watch and break."""
        return f"http://{_HOST}:{self._port}"

    def environment(self) -> dict[str, str]:
        """Return the environment that points the provider here."""
        variables = {
            "ADBPG_ENDPOINT": self.endpoint,
            "ALICLOUD_REGION": self._region,
            "ALICLOUD_ACCESS_KEY": self._access_key_id,
            "ALICLOUD_SECRET_KEY": self._access_key_secret,
        }
        if self._security_token is not None:
            variables["ALICLOUD_SECURITY_TOKEN"] = self._security_token
        return variables

    # Looking

    @property
    def services(self) -> list[SimulatedService]:
        """A snapshot of every service, oldest first."""
        return self._backdoor.services()

    def service(self, service_id: str) -> SimulatedService:
        """Return one service, by `ms-…` or `gp-…:ms-…`; KeyError when there is none.

        The other methods that take the id of a service take both forms, too.
        """
        return self._backdoor.service(service_id)

    def whitelist_groups(self, instance_id: str) -> dict[str, tuple[str, ...]]:
        """Return the whitelist groups that were written on an instance."""
        return self._backdoor.groups(instance_id)

    @property
    def requests(self) -> list[RecordedRequest]:
        """A snapshot of every request so far, in order of arrival."""
        return list(self._requests)

    def calls(self, action: str | None = None) -> list[RecordedRequest]:
        """Return the requests of one action (None: of all); ValueError if it does not exist."""
        if action is not None:
            checks.known("action", action, ACTIONS)
        return [call for call in self.requests if action in (None, call.action)]

    @property
    def mutations(self) -> list[RecordedRequest]:
        """The requests that ask for a change, refused ones too."""
        return [call for call in self.requests if call.action in MUTATIONS]

    def clear_requests(self) -> None:
        """Forget the recorded requests."""
        self._requests.clear()

    # Changing things behind the provider's back

    def change_service(self, service_id: str, **fields: Any) -> SimulatedService:
        """Make a drift: set fields of SimulatedService on a service.

        TypeError or ValueError, and no change, for a field that cannot be set or a wrong value.
        """
        return self._backdoor.change(service_id, fields)

    def remove_service(self, service_id: str) -> None:
        """Delete a service from outside."""
        self._backdoor.remove(service_id)

    def fail_service(self, service_id: str, status: str = "deploy_failed") -> SimulatedService:
        """Put a service into a failed status for good."""
        return self._backdoor.change(service_id, {"status": status})

    def fail_next_deployment(self, status: str = "deploy_failed") -> None:
        """Let the next created service end in this status instead of active."""
        self._backdoor.fail_next(status)

    def hold_deployments(self) -> None:
        """Keep services from leaving their deploying status until released."""
        self._backdoor.hold(held=True)

    def release_deployments(self) -> None:
        """Let deployments end as their time comes, or at once if it has passed."""
        self._backdoor.hold(held=False)

    def attach_whitelist_group(self, service_id: str, group: str) -> None:
        """Let a whitelist group of the instance govern a service."""
        self._backdoor.attach_group(service_id, group)

    def add_instance(self, instance_id: str, nodes: Sequence[str]) -> None:
        """Add an instance, or nodes to one."""
        checks.instance_id("instance_id", instance_id)
        self._cloud.add_instance(instance_id, checks.names("nodes", nodes))

    def remove_instance(self, instance_id: str) -> None:
        """Delete an instance with its services; KeyError when there is none."""
        self._backdoor.remove_instance(instance_id)

    # Breaking things

    def inject(
        self, fault: str, action: str | None = None, times: int | None = 1, after: int = 0
    ) -> None:
        """Let the next `times` calls (None: all) go wrong, once `after` have gone well.

        ValueError, naming those that there are, for an unknown fault or action.
        """
        self._faults.inject(fault, action, times, after)

    def clear_faults(self) -> None:
        """Take back the faults that have not struck yet."""
        self._faults.clear()

    def expire_token(self) -> None:
        """Refuse the security token from now on."""
        self._verifier.expire_token()


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)
