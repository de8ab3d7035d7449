"""The page about testing: its program and both kinds of tests run as a user runs them."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS, blocks, programs, section

_PAGE = DOCS / "testing.md"


def test_program_and_tests_of_the_page_pass(tmp_path: Path) -> None:
    """In a folder of their own, with the installed plugin, strict markers and no warning."""
    files = blocks(_PAGE, "file: ")
    assert programs(_PAGE) == [block.text for block in files]
    for block in files:
        (tmp_path / block.mark.partition(": ")[2]).write_text(block.text, encoding="utf-8")
    # What Pulumi itself leaves open is not ours to tell.
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers\nfilterwarnings =\n    error:.*adbpg\n",
        encoding="utf-8",
    )
    environment = {
        **os.environ,
        # As on a machine in use: none of this may reach the program.
        "ALICLOUD_ACCESS_KEY": "of-another-account",
        "ALICLOUD_SECRET_KEY": "made-up",
        "ADBPG_ENDPOINT": "http://127.0.0.1:9",
        "PULUMI_HOME": str(tmp_path / "pulumi-home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    # Without Hypothesis, which the page does not ask for: its last import can meet the collection
    # of what Pulumi leaves, and that ends Python 3.11 (a SystemError of ast.parse).
    plain = ("-p", "no:hypothesispytest", f"--basetemp={tmp_path / 'temporary'}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plain],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = sum(len(re.findall(r"^def test_", block.text, re.MULTILINE)) for block in files)
    assert written > 1
    assert f"\n{written} passed" in done.stdout


def test_testing_names_all_of_the_simulator() -> None:
    """Each argument and each public name has its row, and no row is of another."""
    arguments, uses = section(_PAGE, "The simulator").split("\n| To | Use |\n")
    rows = "".join(re.findall(r"^\|(.+?)\|", arguments, re.MULTILINE))
    named = re.findall(r"`(\w+)`", rows)
    assert sorted(named) == sorted(inspect.signature(Simulator).parameters)
    rows = "".join(re.findall(r"^\|.+?\|(.+)\|$", uses, re.MULTILINE))
    public = [name for name in vars(Simulator) if not name.startswith("_")]
    used = re.findall(r"(?<![\w\"])`(\w+)(?:\(.*?\))?`", rows)
    assert sorted(used) == sorted(public)
    for call in re.findall(r"`(\w+)\(.*?\)`", rows):
        assert callable(getattr(Simulator, call)), call
