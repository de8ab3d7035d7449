"""
The SDK's own dynamic provider servicer, served in this process on a clock that the test moves.

Properties, pickles and gRPC messages are real; only time is not. Importing the host's module would
start its endless `main`, so the module is run without its last statement.
"""

from __future__ import annotations

import ast
import importlib.util
import threading
import time
from collections.abc import Callable, Mapping
from concurrent import futures
from functools import cache
from types import CodeType, ModuleType
from typing import Any, ClassVar

import grpc
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2_grpc

from pulumi_adbpg_model import lifecycle
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.host._server import _QuietTraceback
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.settings import Settings
from tests.provider.dynamic_host import CHANNEL_OPTIONS, HostCalls

_HOST_MODULE = "pulumi.dynamic.__main__"
#: The names of the threads that serve the engine's calls begin so.
HOST_THREAD = "provider-host"
#: So many calls of the engine a host serves at once.
_CALLS = 16
#: How long a call that is never answered takes here, in real seconds.
READ_TIMEOUT_S = 0.4


class MovedClock(SystemClock):
    """Time that passes only when something sleeps, and things that happen at their time."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.time()
        self._now = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        """See `Clock`."""
        return self._now

    def time(self) -> float:
        """The same, as the cloud's wall clock shows it."""
        return self._began + self._now

    def sleep(self, seconds: float) -> None:
        """See `Clock`. A pause too short for the number still takes time, as a real one does."""
        if not self.cancelled:
            self.advance(max(seconds, 1e-6))

    def advance(self, seconds: float) -> None:
        """Let time pass, doing on the way what is due; a cancel stops it."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end and not self.cancelled:
            when, action = self._due.pop(0)
            self._now = max(self._now, when)
            action()
        if not self.cancelled:
            self._now = end

    def for_calls(self) -> SystemClock:
        """The clock for the way to the cloud."""
        return self

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something once that much time has passed."""
        self._due.append((self._now + seconds, action))
        self._due.sort(key=lambda due: due[0])

    def forget(self) -> None:
        """Drop what has not happened yet."""
        self._due.clear()


class TimedProvider(ModelServiceProvider):
    """The provider on the clock of the host that runs it."""

    clock: ClassVar[MovedClock]
    #: What `pulumi stack export` prints.
    export: ClassVar[Callable[[str, str], str | None]] = staticmethod(lambda *_: None)
    #: Stands between the provider and the cloud; machine.py lets a process die there.
    fate: ClassVar[Callable[[lifecycle.ModelServiceApi], lifecycle.ModelServiceApi] | None] = None

    def configure(self, req: ConfigureRequest) -> None:
        """See the base class; a cancel of an earlier process is over."""
        self.clock.cancel.clear()
        super().configure(req)

    def new_clock(self) -> SystemClock:
        """See the base class."""
        return self.clock

    def new_gateway(
        self, settings: Settings, clock: SystemClock, redact: Callable[[str], str]
    ) -> lifecycle.ModelServiceApi:
        """See the base class."""
        gateway = Gateway(
            settings, self.clock.for_calls(), read_timeout_s=READ_TIMEOUT_S, redact=redact
        )
        fate = type(self).fate
        return gateway if fate is None else fate(gateway)

    def export_stack(self, organization: str, urn: str) -> str | None:
        """See the base class."""
        return type(self).export(organization, urn)


@cache
def _stored() -> str:
    """Made once: Pulumi's SDK wraps the pickler of the whole process anew with each, for good."""
    stored: str = serialize_provider(TimedProvider())
    return stored


class _Line:
    """A server and the channel to it; serves whoever is `servicer`, one host after another."""

    def __init__(self) -> None:
        self.servicer: Any = None
        self._lock = threading.Lock()
        self._calls = 0
        pool = futures.ThreadPoolExecutor(max_workers=_CALLS, thread_name_prefix=HOST_THREAD)
        self._server = grpc.server(pool)
        methods: Any = self  # whatever is asked of it, `servicer` answers
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(methods, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)

    def __getattr__(self, method: str) -> Callable[[Any, Any], Any]:
        def serve(request: Any, context: Any) -> Any:
            with self._lock:
                self._calls += 1
            try:
                return getattr(self.servicer, method)(request, context)
            finally:
                with self._lock:
                    self._calls -= 1

        return serve

    @property
    def idle(self) -> bool:
        """Whether no call is under way."""
        with self._lock:
            return self._calls == 0

    def close(self) -> None:
        """End every call."""
        self.channel.close()
        self._server.stop(None).wait()


#: To make them is most of what a host costs, so that the next one takes over what is idle.
_idle: list[_Line] = []


class TimedHost(HostCalls):
    """One life of a host: what a process knows ends with it."""

    def __init__(self, clock: MovedClock, config: Mapping[str, Any]) -> None:
        TimedProvider.clock = clock
        module = ModuleType("timed_host")
        exec(_host_code(), module.__dict__)  # noqa: S102 - the SDK's own module
        # What `host.prepare` does to a module that is run as `python -m pulumi.dynamic`.
        module.__dict__["traceback"] = _QuietTraceback()
        self._line = _idle.pop() if _idle else _Line()
        self._line.servicer = self._servicer = module.DynamicResourceProviderServicer()
        #: Whether it was cut off.
        self.gone = False
        super().__init__(self._line.channel, config, _stored())

    def cut(self) -> None:
        """End every call of the engine without an answer, as the end of the process does."""
        self.gone = True
        self._line.channel.close()

    def stop(self) -> None:
        """End it, unless it has ended; what it knew is gone."""
        line = self._line
        if line.servicer is not self._servicer:  # the next host has taken it over, or will
            return
        line.servicer = None
        if self.gone or not line.idle:
            line.close()
        else:
            _idle.append(line)


_code: list[CodeType] = []


def _host_code() -> CodeType:
    if not _code:
        spec = importlib.util.find_spec(_HOST_MODULE)
        assert spec is not None
        loader: Any = spec.loader
        tree = ast.parse(loader.get_source(_HOST_MODULE))
        assert ast.unparse(tree.body[-1]) == "main()", "the host does not end as it did"
        del tree.body[-1]
        _code.append(compile(tree, str(spec.origin), "exec"))
    return _code[0]
