"""What does a preflight cost a preview?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial

from bench.cloud import cloud
from bench.command import Task, wall_s
from bench.measuring import Answer, Case, interleaved, ratios

_RUNS = 5
_OFF = {"adbpg:preflight": "false"}


def _preview(environment: Mapping[str, str], config: Mapping[str, str]) -> float:
    with tempfile.TemporaryDirectory() as home:
        task = Task("ours", "preview", 1, home, config=config, environment=environment)
        return wall_s(task)


def measure(*, quick: bool) -> Answer:
    """Previews of a new stack with one service, with the preflight and without."""
    situations = {
        "the cloud answers": "three short calls, and loading the cloud SDK",
        "nothing listens at its address": "a refused connection, and loading the cloud SDK",
        "it takes calls and never answers": "2.5 s, after which no answer is awaited",
    }
    with cloud() as place, cloud() as hanging:
        with cloud() as gone:
            nowhere = gone.environment
        hanging.hang()
        places = (place.environment, nowhere, hanging.environment)
        contestants: dict[str, Callable[[], float]] = {}
        for situation, environment in zip(situations, places, strict=True):
            contestants[situation] = partial(_preview, environment, {})
            contestants[f"{situation}, off"] = partial(_preview, environment, _OFF)
        walls = interleaved(contestants, 2 if quick else _RUNS)
    return Answer(
        [
            Case(
                f"preview of a new service: {situation}",
                "the same with `adbpg:preflight: false`",
                "one service; program, engine and host started anew",
                f"1, and {bound}",
                ratios(walls[situation], walls[f"{situation}, off"]),
            )
            for situation, bound in situations.items()
        ]
    )
