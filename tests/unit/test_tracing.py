"""Spans where somebody listens, and nothing at all where nobody does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.errors import OperationError, ThrottledError
from tests.lifecycle.fakes import FakeClock
from tests.spans import listening, tree

_PARENT = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}


def _refused(code: str | None) -> ThrottledError:
    return ThrottledError("Act", "on secret-name", "secret reason", code=code, status=429)


def test_without_a_listener_nothing_happens_and_nothing_is_loaded() -> None:
    """Neither a program, nor a command, nor work with spans loads OpenTelemetry."""
    code = (
        "import sys, pulumi_adbpg_model.cli.listing, pulumi_adbpg_model.gateway\n"
        "from pulumi_adbpg_model import tracing\n"
        "from pulumi_adbpg_model.clock import SystemClock\n"
        "with tracing.operation('act', dict) as span, tracing.span('wait'), tracing.span('Act'):\n"
        "    tracing.sleep(SystemClock(), 0.0)\n"
        "    print(span is tracing.current(), tracing.in_this_context(print) is print)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "True True\n[]\n" == done.stdout


def test_a_program_tells_whom_it_has_set_up() -> None:
    """Where the process has a tracer provider, as Pulumi sets one up, it is told of functions."""
    code = (
        "from opentelemetry import trace\n"
        "from pulumi_adbpg_model import tracing\n"
        "from tests.spans import Memory\n"
        "with tracing.operation('before'): pass\n"
        "memory = Memory()\n"
        "trace.set_tracer_provider(memory.provider)\n"
        "with trace.get_tracer('program').start_as_current_span('program'):\n"
        "    with tracing.operation('get_api_key'), tracing.span('Act', calls=True): pass\n"
        "    with trace.get_tracer('program').start_as_current_span('after'): pass\n"
        "names = {span.id: span.name for span in memory.spans}\n"
        "print([(span.name, span.scope, names.get(span.parent)) for span in memory.spans])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OTEL_PYTHON_TRACER_PROVIDER": "none-such"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    scope = "pulumi_adbpg_model"
    assert done.stdout.strip() == str(
        [
            ("Act", scope, "get_api_key"),
            ("get_api_key", scope, "program"),
            ("after", "program", "program"),
            ("program", "program", None),
        ]
    )


def test_a_span_is_below_the_one_that_asked_and_counts_what_was_waited() -> None:
    """Of pauses, wherever they are made, the operation knows the sum."""
    clock = FakeClock()
    with listening() as memory:
        with tracing.operation("act", lambda: _PARENT), tracing.span("wait"):
            tracing.sleep(clock, 2.5, after=_refused("Throttling.User"))
            tracing.sleep(clock, 1.0)
        with tracing.operation("other", dict):
            pass
    (act,), (other,) = memory.roots("act"), memory.roots("other")
    assert ("2" * 16, "1" * 32) == (act.parent, act.trace)
    assert "" == other.parent
    why = ("adbpg.code", "error.type", "adbpg.waited_s")
    told = {"adbpg.code": "Throttling.User", "error.type": "ThrottledError", "adbpg.waited_s": 2.5}
    pauses = [("pause", told), ("pause", {"adbpg.waited_s": 1.0})]
    assert [("wait", {"adbpg.waited_s": 3.5}, pauses)] == tree(memory.spans, act, *why)
    assert {"adbpg.waited_s": 3.5} == act.attributes
    assert [2.5, 1.0] == clock.sleeps


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("InvalidParameter", "InvalidParameter"),
        ("OperationDenied.DBInstanceStatus", "OperationDenied.DBInstanceStatus"),
        (None, None),
        ("Hidden.word", None),
        ("the model secret-name is unknown", None),
        ("sk-0123456789", None),
        ("A" * 65, None),
        ("Code\n", None),
        ("Ünknown", None),
    ],
)
def test_of_an_error_only_class_status_and_code_are_told(
    code: str | None, told: str | None
) -> None:
    """Its text holds names and the cloud's words, and so may what stands for its code."""
    with listening() as memory:
        tracing.use(
            memory.provider.get_tracer("tests"), lambda text: text.replace("Hidden", "****")
        )
        with (
            pytest.raises(ThrottledError),
            tracing.operation("act"),
            tracing.span("Act", calls=True),
        ):
            raise _refused(code)
    expected: dict[str, Any] = {"error.type": "ThrottledError", "http.response.status_code": 429}
    if told is not None:
        expected["adbpg.code"] = told
    for span in memory.spans:
        assert (expected, True) == (span.attributes, span.failed)
        assert "secret" not in span.text


def test_spans_of_parallel_operations_do_not_mix() -> None:
    """Each thread has its own, and one that it starts on purpose belongs to it."""
    together = threading.Barrier(8)

    def act(number: int) -> None:
        with tracing.operation(f"act {number}"):
            together.wait(10)
            with tracing.span(f"Call {number}"):
                together.wait(10)
            inside = tracing.in_this_context(_told_by_a_thread)
            thread = threading.Thread(target=inside, args=(number,))
            thread.start()
            thread.join()

    with listening() as memory, ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(8)))
    for number in range(8):
        (root,) = memory.roots(f"act {number}")
        assert [f"Call {number}", f"Thread {number}"] == tree(memory.spans, root)
    assert 24 == len(memory.spans)


def _told_by_a_thread(number: int) -> None:
    with tracing.span(f"Thread {number}"):
        pass


class _Broken:
    """A tracer of a version that nobody has seen."""

    def __init__(self, span: object = None) -> None:
        self._span = span

    def start_span(self, *_: object, **__: object) -> object:
        if self._span is None:
            raise TypeError("unexpected keyword argument")
        return self._span


@pytest.mark.parametrize("tracer", [object(), _Broken(), _Broken(object())])
def test_work_goes_on_with_an_opentelemetry_that_is_broken(tracer: object) -> None:
    """Results and errors are as without."""
    clock = FakeClock()
    tracing.use(cast("Any", tracer))
    try:
        with tracing.operation("act", lambda: _PARENT), tracing.span("Act", calls=True):
            tracing.sleep(clock, 1.0, after=_refused("Code"))
        with pytest.raises(OperationError, match="as ever"), tracing.operation("act"):
            raise OperationError("as ever")
    finally:
        tracing.use(None)
    assert [1.0] == clock.sleeps
    assert isinstance(tracing.current(), tracing.Span)
    assert tracing.in_this_context(print) is print
