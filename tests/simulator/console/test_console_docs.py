"""What the documentation says of `simulate`, tried."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import requests

from pulumi_adbpg_model.testing import Simulator
from tests.cli.simulated import Simulated
from tests.simulator.console.conftest import PATIENCE_S, Console

_DOCS = Path(__file__).parents[3] / "docs"
_SECTION = (_DOCS / "commands.md").read_text("utf-8").partition("## simulate\n")[2]
_SECTION = _SECTION.partition("\n## ")[0]


def test_the_command_prints_its_line_and_serves_the_page() -> None:
    """As documented, but for the port, which may be taken."""
    match = re.search(r"\$ pulumi-adbpg-model simulate (.*)\n(.*)\n", _SECTION)
    assert match is not None
    options = shlex.split(match[1])
    port = options[options.index("--port") + 1]
    options[options.index(port)] = "0"
    with Simulated(*options) as simulated:
        assert match[2] == simulated.line.strip().replace(str(simulated.port), port)
        page = requests.get(f"http://127.0.0.1:{simulated.port}/", timeout=PATIENCE_S)
    assert "<title>Simulated cloud</title>" in page.text


def test_the_variables_are_the_simulators(simulator: Simulator) -> None:
    """A program that has them calls the simulator with the key that it accepts."""
    named = dict(re.findall(r"([A-Z_]+)=(\S+)", _SECTION))
    assert simulator.environment() == {**named, "ADBPG_ENDPOINT": simulator.endpoint}


def test_the_buttons_are_called_so(console: Console) -> None:
    """Each name in italics is on the page, or becomes a button's."""
    page = console.ask("GET", "/").text + console.ask("GET", "/console/levers.js").text
    names = re.findall(r"(?<!\*)\*([A-Z][a-z ]+)\*(?!\*)", _SECTION)
    assert names
    assert [] == [name for name in names if name not in page]


def test_the_picture_is_small() -> None:
    """It is part of every clone; tools/console_picture.py draws it."""
    picture = _DOCS / "images/console.png"
    assert f"(images/{picture.name})" in _SECTION
    assert picture.stat().st_size < 150_000
