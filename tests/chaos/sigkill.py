"""SIGKILL for the CLI of a stack, alone or with all that it started, and for nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

from pulumi import automation as auto

from tests.engine.support.stack import Result

#: Who dies: the CLI and everything that it started, or the CLI alone. Then its language host goes
#: too, as in the Automation API it is this process, but the dynamic provider host lives on.
Victim = Literal["everything", "cli"]

_PATIENCE_S = 30.0
_POLL_S = 0.005

# The CLI puts its plugins into process groups of their own, but leaves them in its session. So does
# one that a plugin starts.
_WRAPPER = """#!{python} -IS
import os, sys
if "IN_A_SESSION" not in os.environ:
    os.environ["IN_A_SESSION"] = "1"
    os.setsid()
    with open({record!r} + ".new", "w") as record:
        record.write(str(os.getpid()))
    os.rename({record!r} + ".new", {record!r})
os.execv({cli!r}, ["pulumi", *sys.argv[1:]])
"""


class Sessions:
    """Each command of a stack leads a session of its own, so that all it started is known."""

    def __init__(self, home: Path) -> None:
        self._record = home / "session"
        self._root = home / "killable"
        cli = shutil.which("pulumi")
        assert cli is not None, "no Pulumi CLI on PATH"
        wrapper = self._root / "bin" / "pulumi"
        wrapper.parent.mkdir(parents=True)
        wrapper.write_text(
            _WRAPPER.format(python=sys.executable, record=str(self._record), cli=cli)
        )
        wrapper.chmod(0o700)

    def command(self) -> auto.PulumiCommand:
        """The CLI, for a `Stack`."""
        return auto.PulumiCommand(root=str(self._root))

    def kill(self, command: Future[Result], victim: Victim) -> int:
        """Kill the running command; returns its session, in which the host may live on."""
        session = int(self._record.read_text())
        if not command.done() and session in _members(session):
            os.kill(session, signal.SIGKILL)  # the CLI leads its session
        if victim == "everything":
            self.end(session)
        command.exception(timeout=_PATIENCE_S)
        return session

    @staticmethod
    def alive(session: int) -> set[int]:
        """The processes of a session."""
        return _members(session)

    @staticmethod
    def end(session: int) -> None:
        """Kill all that is left of a session."""
        give_up = time.monotonic() + _PATIENCE_S
        while members := _members(session):
            assert time.monotonic() < give_up, f"{members} do not end"
            for pid in members:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:  # it ended by itself
                    continue
            time.sleep(_POLL_S)


def comes(condition: Callable[[], object], command: Future[Result]) -> bool:
    """Whether the condition comes to hold before the command ends, or patience does."""
    give_up = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > give_up or command.done():
            return False
        time.sleep(_POLL_S)
    return True


def _members(session: int) -> set[int]:
    """The processes of a session, but those that are dead and not yet collected."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, *numbers = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has ended meanwhile
            continue
        if int(numbers[2]) == session and state not in "ZX":
            found.add(int(folder.name))
    return found
