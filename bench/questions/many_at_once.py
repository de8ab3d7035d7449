"""How long do many services take that come up, and go, at once?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.charts import COLOURS, subplots
from bench.cloud import Cloud, cloud
from bench.command import Ran, Task, run
from bench.measuring import Answer, Case, interleaved, ratios, spread

_ROOT = Path(__file__).parents[2]
_COUNTS = (1, 8, 32, 64, 128)
_RUNS = 5
_PROVISION_S = 5.0
_DELETE_S = 2.0
#: On the stock host each four take a round, so 128 take as long as all the others together; and its
#: deletions show nothing that its creations do not, so they are left out too.
_STOCK_COUNTS = (1, 8, 32, 64)
_STOCK = {"adbpg:parallel": "4"}


@dataclass(frozen=True)
class _Life:
    """Creating so many services, and deleting them again."""

    up: Ran
    up_calls: int
    down: Ran | None = None
    down_calls: int = 0


def _by_pulumi(count: int, config: Mapping[str, str], *, deletes: bool = True) -> _Life:
    with _cloud(count) as place, tempfile.TemporaryDirectory() as home:
        task = partial(
            Task, "ours", count=count, home=home, config=config, environment=place.environment
        )
        up, up_calls = _counted(place, task(command="up"))
        if not deletes:
            return _Life(up, up_calls)
        return _Life(up, up_calls, *_counted(place, task(command="destroy")))


def _counted(place: Cloud, task: Task) -> tuple[Ran, int]:
    ran = run(task)
    return ran, place.traffic().total


def _by_script(count: int) -> _Life:
    command = [sys.executable, "-m", "bench.peers.sdk_script", str(count)]
    with (
        _cloud(count) as place,
        subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **place.environment},
        ) as script,
    ):
        if script.stdin is None or script.stdout is None:
            raise RuntimeError("the script was started without pipes")
        up, up_calls = Ran(**json.loads(script.stdout.readline())), place.traffic().total
        script.stdin.write("\n")
        script.stdin.flush()
        down, down_calls = Ran(**json.loads(script.stdout.readline())), place.traffic().total
    return _Life(up, up_calls, down, down_calls)


_cloud = partial(cloud, provision_seconds=_PROVISION_S, delete_seconds=_DELETE_S)


def _lives(runs: int) -> dict[str, list[_Life]]:
    contestants: dict[str, Callable[[], _Life]] = {}
    for count in _COUNTS:
        contestants[f"ours {count}"] = partial(_by_pulumi, count, {})
        contestants[f"script {count}"] = partial(_by_script, count)
    for count in _STOCK_COUNTS:
        contestants[f"stock {count}"] = partial(_by_pulumi, count, _STOCK, deletes=False)
    return interleaved(contestants, runs)


def _walls(lives: list[_Life]) -> list[float]:
    return [life.up.wall_s for life in lives]


def _deleting(lives: list[_Life]) -> list[float]:
    return [life.down.wall_s for life in lives if life.down is not None]


def measure(*, quick: bool) -> Answer:
    """`up` and `destroy`, each with --parallel 128, in a fresh cloud and a fresh stack."""
    lives = _lives(1 if quick else _RUNS)
    one = _walls(lives["ours 1"])
    up = f"`up` of a new stack, each service provisioning {_PROVISION_S:.0f} s"
    script = "SDK script, 10 s polls, a thread each"
    cases = []
    for count in _COUNTS[1:]:
        rounds = -(-count // 64)
        ours = _walls(lives[f"ours {count}"])
        cases.append(
            Case(
                f"{count} creates",
                "1 create",
                up,
                f"{rounds}: {'all wait at once' if rounds == 1 else '64 wait at once, by default'}",
                ratios(ours, one),
                most=1.5 if count == 64 else None,
            )
        )
        if count not in _STOCK_COUNTS:
            continue
        cases.append(
            Case(
                f"{count} creates on the stock host",
                f"{count} creates",
                f"{up}; the host's own four workers",
                f"{-(-count // 4)} rounds of {_PROVISION_S:.0f} s",
                ratios(_walls(lives[f"stock {count}"]), ours),
                least=8.0 if count == 64 else None,
            )
        )
    for count in _COUNTS:
        mine, theirs = lives[f"ours {count}"], lives[f"script {count}"]
        cases += [
            Case(
                f"{count} creates",
                script,
                f"{up}; ours looks at 6 s, the script at 10 s; its imports are not counted",
                f"{_PROVISION_S:.0f} s of provisioning",
                ratios(_walls(mine), _walls(theirs)),
                most=1.25 if count == 64 else None,
            ),
            Case(
                f"{count} deletes",
                script,
                f"`destroy`, each deletion {_DELETE_S:.0f} s; the script looks at 10 s, ours twice",
                f"{_DELETE_S:.0f} s of deletion",
                ratios(_deleting(mine), _deleting(theirs)),
            ),
        ]
        if count not in (1, 64):
            continue
        cases += [
            Case(
                f"CPU of {count} creates",
                script,
                "engine, host and program together",
                "0: no computing",
                ratios([life.up.cpu_s for life in mine], [life.up.cpu_s for life in theirs]),
            ),
            Case(
                f"API calls of {count} creates",
                f"the script's {spread([life.up_calls for life in theirs]).median:.0f}",
                f"{_PROVISION_S:.0f} s: the 2 s polls see it first",
                f"{2 * count}: create, and one look when it is ready",
                spread([float(life.up_calls) for life in mine]),
                unit="calls",
            ),
            Case(
                f"API calls of {count} deletes",
                f"the script's {spread([life.down_calls for life in theirs]).median:.0f}",
                f"{_DELETE_S:.0f} s",
                f"{2 * count}: delete, and one look when it is gone",
                spread([float(life.down_calls) for life in mine]),
                unit="calls",
            ),
        ]
    medians = {name: spread(_walls(found)).median for name, found in lives.items()}
    base = medians["ours 1"]
    return Answer(cases, {name: median / base for name, median in medians.items()})


def charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """Time over number, for each way to create them."""
    figure, axes = subplots()
    labels = {
        "ours": "ours",
        "stock": "ours on the stock host's four workers",
        "script": "SDK script",
    }
    for colour, (name, label) in zip(COLOURS, labels.items(), strict=False):
        counts = [count for count in _COUNTS if f"{name} {count}" in data]
        points = [data[f"{name} {count}"] for count in counts]
        axes.plot(counts, points, marker="o", color=colour, label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(_COUNTS, [str(count) for count in _COUNTS])
    axes.set_xlabel("services created at once")
    axes.set_ylabel("time ÷ one create")
    axes.set_title("Creates in one up")
    axes.legend()
    return {"many-at-once": figure}
