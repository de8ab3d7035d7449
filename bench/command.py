"""One command on the real engine, in a process of its own: how long it took, and how much CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from bench.names import inputs

Kind = Literal["ours", "trivial", "shaped"]
Command = Literal["up", "preview", "refresh", "destroy"]
_ROOT = Path(__file__).parents[1]
#: Far beyond what any command of the benchmark takes.
_PATIENCE_S = 1800.0


@dataclass(frozen=True)
class Task:
    """A command on a stack of so many resources; `home` keeps the stack from one to the next."""

    kind: Kind
    command: Command
    count: int
    home: str
    parallel: int = 128
    config: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    #: What is to happen to every resource, such as `same`; else something else is measured.
    changes: str | None = None


@dataclass(frozen=True)
class Ran:
    """What a command took: the engine, the host and the program together."""

    wall_s: float
    cpu_s: float
    changes: Mapping[str, int] = field(default_factory=dict)


def run(task: Task) -> Ran:
    """
    Run the command in a fresh process, as a user's shell does.

    Raises:
        subprocess.CalledProcessError: It failed; its output was shown.
        subprocess.TimeoutExpired: It does not end.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.command"],
        input=json.dumps(asdict(task)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=_ROOT,
        timeout=_PATIENCE_S,
    )
    return Ran(**json.loads(done.stdout.splitlines()[-1]))


def wall_s(task: Task) -> float:
    """How long `run` takes, as a user sees it."""
    return run(task).wall_s


def _program(task: Task) -> Callable[[], None]:
    # What is imported here is imported anew by each command, as by a user's program.
    def ours() -> None:
        from pulumi_adbpg_model import ModelService  # noqa: PLC0415

        for number in range(task.count):
            ModelService(f"model-{number}", **inputs(number))

    def trivial() -> None:
        from bench.peers.trivial import Trivial  # noqa: PLC0415

        for number in range(task.count):
            Trivial(f"model-{number}", number)

    def shaped() -> None:
        from bench.peers.shaped import Shaped  # noqa: PLC0415

        for number in range(task.count):
            Shaped(f"model-{number}", inputs(number))

    programs = {"ours": ours, "trivial": trivial, "shaped": shaped}
    return programs[task.kind]


def _execute(task: Task) -> Ran:
    import resource  # noqa: PLC0415 - only here: other systems than Unix have none
    import time  # noqa: PLC0415

    from tests.engine.support.stack import Stack  # noqa: PLC0415

    def cpu() -> float:
        spent = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(one.ru_utime + one.ru_stime for one in spent)

    os.environ["PATH"] = os.pathsep.join(
        (str(Path(os.environ["ADBPG_ENGINE"]).parent), os.environ["PATH"])
    )
    stack = Stack(
        Path(task.home),
        None,
        environment={"PYTHONPATH": str(_ROOT), **task.environment},
        # The schedule as it is: nothing is polled more often for the benchmark's sake.
        config={"adbpg:maxPollInterval": "30", **task.config},
        passphrase=True,
    )
    stack.program = _program(task)
    before, began = cpu(), time.perf_counter()
    done = getattr(stack, task.command)(parallel=task.parallel)
    ran = Ran(time.perf_counter() - began, cpu() - before, dict(done.changes))
    if task.changes is not None and ran.changes.keys() - {task.changes}:
        raise RuntimeError(f"{task}: everything was to be {task.changes!r}, not {ran.changes}")
    return ran


if __name__ == "__main__":
    _asked = json.loads(sys.stdin.read())
    print(json.dumps(asdict(_execute(Task(**_asked)))))
