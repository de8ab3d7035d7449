"""
What a preflight costs a preview on the real engine, as ratios of pairs measured side by side.

    make bench

Each pair is one preview with the preflight and one without, in turn first, of a program with one
service. Three situations: the cloud answers; nothing listens at its address; it never answers.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ["PATH"] = f"{Path(os.environ['ADBPG_ENGINE']).parent}{os.pathsep}{os.environ['PATH']}"

from pulumi_adbpg_model.testing import Simulator
from tests.engine.programs import program
from tests.engine.stack import Stack

_PAIRS = 5


@contextmanager
def answering() -> Iterator[dict[str, str]]:
    """A cloud as it should be."""
    with Simulator() as simulator:
        yield simulator.environment()


@contextmanager
def absent() -> Iterator[dict[str, str]]:
    """An address where nothing listens."""
    with Simulator() as simulator:
        environment = simulator.environment()
    yield environment


@contextmanager
def hanging() -> Iterator[dict[str, str]]:
    """A cloud that takes every call and answers none."""
    with Simulator() as simulator:
        simulator.inject("hang", times=None)
        yield simulator.environment()


def seconds(stack: Stack, *, preflight: bool) -> float:
    """How long one preview takes."""
    stack.set_config("adbpg:preflight", str(preflight).lower())
    began = time.monotonic()
    stack.preview(program())
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    for situation in (answering, absent, hanging):
        with situation() as environment, tempfile.TemporaryDirectory() as folder:
            stack = Stack(Path(folder), None, environment=environment)
            stack.preview(program())  # caches are warm, for both alike
            pairs = []
            for number in range(_PAIRS):
                order = (True, False) if number % 2 else (False, True)
                took = {preflight: seconds(stack, preflight=preflight) for preflight in order}
                pairs.append((took[True], took[False]))
        ratios = sorted(asked / silent for asked, silent in pairs)
        extra = statistics.median(asked - silent for asked, silent in pairs)
        print(
            f"{situation.__name__:10} ratio {statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}), {extra:+.1f} s, {_PAIRS} pairs"
        )


if __name__ == "__main__":
    main()
