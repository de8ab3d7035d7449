"""What was found, as `bench/results.json` keeps it: rounded and sorted, so that diffs are small."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.measuring import Answer, Case, Spread

#: In the order in which they are measured and told.
QUESTIONS = (
    "start-up",
    "no-change",
    "many-at-once",
    "waiting",
    "refreshing",
    "memory",
    "requests",
    "preflight",
)
#: Those that run the Pulumi CLI.
ON_ENGINE = frozenset({"no-change", "many-at-once", "refreshing", "preflight"})
_DIGITS = 4
#: A list of nothing but numbers, over several lines: no string has a line break in it.
_NUMBERS = re.compile(r"\[\n([-+.,\de\s]+)\]")


@dataclass(frozen=True)
class RanWith:
    """What may have to do with a figure; nothing that tells whose machine it was."""

    python: str
    sdk: str
    cpus: int
    #: The version of the Pulumi CLI, where it took part.
    cli: str | None = None


@dataclass(frozen=True)
class Chart:
    """A picture: the stem of its file, and what is said in its place where it is not seen."""

    stem: str
    alt: str


@dataclass(frozen=True)
class Measured:
    """A question's answer, as it is kept."""

    cases: Sequence[Case]
    data: Mapping[str, Any]
    ran_with: RanWith
    charts: Sequence[Chart] = ()


#: By the names of the questions; those that were not measured are missing.
Results = Mapping[str, Measured]


def ran_with(engine: str | None) -> RanWith:
    """
    What runs here, with the CLI at that path if there is one.

    Raises:
        OSError, subprocess.CalledProcessError: The CLI does not run.
    """
    cli = None
    if engine is not None:
        done = subprocess.run(  # noqa: S603 - the engine that is measured
            [engine, "version"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
        cli = done.stdout.strip().removeprefix("v")
    sdk = metadata.version("pulumi")
    return RanWith(platform.python_version(), sdk, os.cpu_count() or 1, cli)


def measured(answer: Answer, machine: RanWith) -> Measured:
    """
    The answer as it will be read from the file.

    Rounded at once, so that no table differs from the page, and charts from those drawn again.
    """
    whole = Measured(answer.cases, answer.data, machine)
    return parsed(dumped({"it": whole}))["it"]


def dumped(results: Results) -> str:
    """The text of the file."""
    plain = _rounded({name: asdict(one) for name, one in results.items()})
    text = json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    # A point of a chart is a line, not four.
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def parsed(text: str) -> dict[str, Measured]:
    """The results that the text of the file holds."""
    return {name: _measured(plain) for name, plain in json.loads(text).items()}


def load(path: Path) -> dict[str, Measured]:
    """The results in the file; none if it is not there."""
    return parsed(path.read_text(encoding="utf-8")) if path.exists() else {}


def _measured(plain: Mapping[str, Any]) -> Measured:
    cases = [Case(**{**case, "result": Spread(**case["result"])}) for case in plain["cases"]]
    charts = [Chart(**chart) for chart in plain["charts"]]
    return Measured(cases, plain["data"], RanWith(**plain["ran_with"]), charts)


def _rounded(value: Any) -> Any:
    """The same with four significant digits; whole numbers are counts, and stay."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return value
