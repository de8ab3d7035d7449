"""Commands that run in the background: to wait for a moment in them, and to signal the CLI."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.engine.support.stack import Failed, Result

_PATIENCE_S = 30.0
_POLL_S = 0.02


@contextmanager
def background(command: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Run a command of a stack in a thread; it has ended, or is stopped, when the block is left."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        running = pool.submit(command)
        try:
            yield running
        except BaseException:
            with suppress(ValueError):  # no such process any more
                while not running.done():  # the second one ends the CLI and its plugins at once
                    os.kill(_cli(), signal.SIGINT)
                    time.sleep(0.5)
            raise


def eventually(condition: Callable[[], object], command: Future[Result]) -> None:
    """Return once the condition holds; fail when the command ends before, or patience does."""
    give_up = time.monotonic() + _PATIENCE_S
    while not condition():
        assert not command.done(), command.exception() or command.result()
        assert time.monotonic() < give_up, "what the test waits for does not happen"
        time.sleep(_POLL_S)


def stop_cli(
    command: Future[Result], number: signal.Signals, *, plugins: bool = False
) -> tuple[Failed, float]:
    """Signal the CLI of a running command; how it failed, and how many seconds later."""
    sent = time.monotonic()
    cli = _cli()
    for pid in [*(_children(cli) if plugins else ()), cli]:
        os.kill(pid, number)
    error = command.exception(timeout=_PATIENCE_S)
    assert isinstance(error, Failed)
    return error, time.monotonic() - sent


def _cli() -> int:
    """The one child process of this one that is named `pulumi`."""
    (pid,) = _children(os.getpid(), "pulumi")
    return pid


def _children(parent: int, name: str = "") -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            before, _, after = (folder / "stat").read_text().rpartition(")")
        except OSError:  # it has ended meanwhile
            continue
        named = not name or before.endswith(f"({name}")
        if named and int(after.split()[1]) == parent:
            found.append(int(folder.name))
    return found
