"""What does a command cost that has nothing to do?"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from bench.charts import COLOURS, subplots
from bench.cloud import cloud
from bench.command import Command, Kind, Task, run, wall_s
from bench.measuring import Answer, Case, interleaved, ratios, spread

_COUNTS = (10, 100, 300)
_COMMANDS: tuple[Command, ...] = ("preview", "up")
_KINDS: tuple[Kind, ...] = ("ours", "trivial", "shaped")
_RUNS = 5


def _walls(runs: int) -> dict[str, list[float]]:
    """By `kind command count`: the seconds of each run."""
    with ExitStack() as stack:
        place = stack.enter_context(cloud(max(_COUNTS)))
        tasks: dict[str, Task] = {}
        for count in _COUNTS:
            for kind in _KINDS:
                home = stack.enter_context(tempfile.TemporaryDirectory())
                run(Task(kind, "up", count, home, environment=place.environment))
                for command in _COMMANDS:
                    task = Task(
                        kind,
                        command,
                        count,
                        home,
                        environment=place.environment,
                        changes="same",
                    )
                    tasks[f"{kind} {command} {count}"] = task
            # The next stack needs the nodes, and this one asks the cloud for nothing any more.
            place.clear()
        return interleaved({name: partial(wall_s, task) for name, task in tasks.items()}, runs)


def _slopes(walls: Mapping[str, list[float]], kind: str, command: str) -> list[float]:
    """Seconds for each further resource, of every run."""
    low, high = _COUNTS[0], _COUNTS[-1]
    few, many = walls[f"{kind} {command} {low}"], walls[f"{kind} {command} {high}"]
    return [(more - less) / (high - low) for less, more in zip(few, many, strict=True)]


def measure(*, quick: bool) -> Answer:
    """Previews and updates of stacks in which everything is as declared."""
    walls = _walls(2 if quick else _RUNS)
    peers = {
        "trivial": ("trivial provider, 2 properties", "1: engine, host and SDK"),
        "shaped": ("trivial provider, as many properties", "1: the same for so many properties"),
    }
    cases = [
        Case(
            f"{'no-op `up`' if command == 'up' else '`preview`'} of {count}",
            f"{peer}, {count}",
            "the program, the engine and the host, started anew; nothing has changed",
            bound,
            ratios(walls[f"ours {command} {count}"], walls[f"{kind} {command} {count}"]),
            most=1.15 if (kind, command, count) == ("trivial", "up", 300) else None,
        )
        for kind, (peer, bound) in peers.items()
        for command in _COMMANDS
        for count in _COUNTS
    ]
    cases += [
        Case(
            f"each further resource, {'no-op `up`' if command == 'up' else '`preview`'}",
            peer,
            f"slope from {_COUNTS[0]} to {_COUNTS[-1]}",
            bound,
            ratios(_slopes(walls, "ours", command), _slopes(walls, kind, command)),
        )
        for kind, (peer, bound) in peers.items()
        for command in _COMMANDS
    ]
    medians = {name: spread(figures).median for name, figures in walls.items()}
    base = medians[f"trivial up {_COUNTS[0]}"]
    return Answer(cases, {name: median / base for name, median in medians.items()})


def charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """Lines over the number of resources; their slope is the price of one."""
    figure, (left, right) = subplots(2)
    labels = {
        "ours": "ours",
        "trivial": "trivial provider, 2 properties",
        "shaped": "trivial provider, as many properties",
    }
    for axes, command in ((left, "preview"), (right, "up")):
        for colour, (kind, label) in zip(COLOURS, labels.items(), strict=False):
            points = [data[f"{kind} {command} {count}"] for count in _COUNTS]
            axes.plot(_COUNTS, points, marker="o", color=colour, label=label)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("resources")
        axes.set_title("Preview without a change" if command == "preview" else "No-op up")
    left.set_ylabel(f"time ÷ no-op up of {_COUNTS[0]} trivial ones")
    left.legend()
    return {"no-change": figure}
