"""
Spans: what an operation did, and when, for those who collect traces with OpenTelemetry.

An operation of the provider or a function of a program is one span; below it are the calls to the
cloud, and what was waited for. Where nobody traces, nothing is done, nor is OpenTelemetry loaded.

A span tells our own words and numbers alone: action, attempts, seconds, and of an error its class,
its HTTP status and its code, if that looks like one. Names, ids, inputs, addresses and messages
stay out. Whatever goes wrong with a span is silent: the operation is what counts.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.errors import ApiError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer
    from typing_extensions import Self

__all__ = ["Span", "current", "in_this_context", "operation", "sleep", "span", "use"]

_T = TypeVar("_T")
_Told = str | int | float

#: The instrumentation scope of all spans.
SCOPE = "pulumi_adbpg_model"
_API = "opentelemetry.trace"
#: What a code of the API looks like. The cloud may say anything there.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+){0,3}")
_LONGEST_CODE = 64


class Span:
    """A piece of work, from `with` to its end. This one is of nothing, and tells nobody."""

    def set(self, name: str, value: _Told) -> None:
        """Tell of the work: an attribute, which is a word of ours or a number."""

    def failed(self, error: BaseException) -> None:
        """Tell which kind of error it ended with, or was about."""

    def waited(self, seconds: float) -> None:
        """Count seconds that were waited, here and in what is around."""

    def begin(self) -> None:
        """Begin it, as the current one."""

    def end(self, error: BaseException | None) -> None:
        """End it, with the error that ended the work."""

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(error)


_NOTHING = Span()
_current: contextvars.ContextVar[Span] = contextvars.ContextVar("adbpg_span", default=_NOTHING)


class _Recorded(Span):
    """One that OpenTelemetry is told of. Used by one thread."""

    def __init__(self, tracer: Tracer, name: str, around: Context | None, *, calls: bool) -> None:
        self.tracer = tracer
        self._name = name
        self._around = around
        self._calls = calls
        self._parent = _current.get()
        self._waited_s = 0.0
        self._span: Any = None
        self._stack = contextlib.ExitStack()

    def set(self, name: str, value: _Told) -> None:
        with contextlib.suppress(Exception):
            self._span.set_attribute(name, value)

    def failed(self, error: BaseException) -> None:
        self.set("error.type", type(error).__name__)
        if isinstance(error, ApiError):
            if error.status is not None:
                self.set("http.response.status_code", error.status)
            if error.code is not None and _may_be_told(error.code):
                self.set("adbpg.code", error.code)

    def waited(self, seconds: float) -> None:
        self._waited_s += seconds
        self._parent.waited(seconds)

    def begin(self) -> None:
        with contextlib.suppress(Exception):
            self._start()
        reset = _current.set(self)
        self._stack.callback(_current.reset, reset)

    def end(self, error: BaseException | None) -> None:
        if error is not None:
            self.failed(error)
        if self._waited_s:
            self.set("adbpg.waited_s", round(self._waited_s, 3))
        with contextlib.suppress(Exception):
            if error is not None:
                api = sys.modules[_API]
                self._span.set_status(api.Status(api.StatusCode.ERROR))
        with contextlib.suppress(Exception):
            self._stack.close()
        with contextlib.suppress(Exception):
            self._span.end()

    def _start(self) -> None:
        from opentelemetry import context, trace  # noqa: PLC0415 - loaded already, or not needed

        kind = trace.SpanKind.CLIENT if self._calls else trace.SpanKind.INTERNAL
        span = self.tracer.start_span(self._name, context=self._around, kind=kind)
        # For what others trace meanwhile, such as their HTTP library.
        attached = context.attach(trace.set_span_in_context(span, self._around))
        self._stack.callback(context.detach, attached)
        self._span = span


@dataclass(frozen=True)
class _Listener:
    tracer: Tracer
    hide: Callable[[str], str]


_listener: _Listener | None = None


def use(tracer: Tracer | None, hide: Callable[[str], str] = str) -> None:
    """
    Tell this tracer of all operations from now on; None: whom the process has set up, if anyone.

    Args:
        tracer: Of OpenTelemetry.
        hide: Takes out of a text what nobody may see. A code in which there is any is not told.
    """
    global _listener  # noqa: PLW0603 - one for the process
    _listener = None if tracer is None else _Listener(tracer, hide)


def operation(name: str, headers: Callable[[], Mapping[str, str]] | None = None) -> Span:
    """
    The span of an operation as a whole; one of nothing where nobody traces.

    Args:
        name: What it is called, in words of ours.
        headers: Where it was asked for from elsewhere, tells by which span: `traceparent` and
            `tracestate` of W3C's Trace Context. Without, the one that this thread is in.
    """
    with contextlib.suppress(Exception):
        tracer = _of_the_process() if _listener is None else _listener.tracer
        if tracer is not None:
            around = None if headers is None else _asked_by(headers())
            return _Recorded(tracer, name, around, calls=False)
    return _NOTHING


def span(name: str, *, calls: bool = False) -> Span:
    """A part of the current span, `calls` if it is a call to the cloud; of nothing without one."""
    around = current()
    if not isinstance(around, _Recorded):
        return _NOTHING
    return _Recorded(around.tracer, name, None, calls=calls)


def current() -> Span:
    """The span that this thread is in, to tell more of it."""
    return _current.get()


def sleep(clock: Clock, seconds: float, after: BaseException | None = None) -> None:
    """
    Sleep, as a part of the current span.

    Args:
        clock: Whose time passes.
        seconds: How long, unless the clock is cancelled.
        after: The error because of which the pause is made.
    """
    if current() is _NOTHING:
        clock.sleep(seconds)
        return
    with span("pause") as pause:
        if after is not None:
            pause.failed(after)
        began_s = clock.monotonic()
        clock.sleep(seconds)
        pause.waited(clock.monotonic() - began_s)


def in_this_context(function: Callable[..., _T]) -> Callable[..., _T]:
    """The function, to be called once by another thread, within the span that this one is in."""
    if current() is _NOTHING:
        return function
    return functools.partial(contextvars.copy_context().run, function)


def _of_the_process() -> Tracer | None:
    """By what the program set up, or Pulumi for it; None where nobody has."""
    api = sys.modules.get(_API)
    # Where nobody has, asking makes one of OTEL_PYTHON_TRACER_PROVIDER, or prints why not.
    if api is None or getattr(api, "_TRACER_PROVIDER", api) is None:
        return None
    provider = api.get_tracer_provider()
    if isinstance(provider, (api.ProxyTracerProvider, api.NoOpTracerProvider)):
        return None
    tracer: Tracer = provider.get_tracer(SCOPE)
    return tracer


def _asked_by(headers: Mapping[str, str]) -> Context:
    # Not as OTEL_PROPAGATORS says: Pulumi knows this way alone.
    from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415 - once it is needed

    return tracecontext.TraceContextTextMapPropagator().extract(dict(headers))


def _may_be_told(code: str) -> bool:
    hidden = code if _listener is None else _listener.hide(code)
    return len(code) <= _LONGEST_CODE and _CODE.fullmatch(code) is not None and hidden == code
