"""What the documentation shows is what happens: its programs run, its lists are complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_adbpg_model import provider, state
from pulumi_adbpg_model.testing import Simulator
from tests.engine.pages import DOCS, README, SHOWN_ID, blocks, programs, section, told
from tests.engine.programs import mutations, place, pulumi_ids
from tests.engine.stack import Stack

REFERENCE = DOCS / "model-service.md"

_LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")


@pytest.mark.parametrize("page", [README, REFERENCE], ids=lambda page: page.name)
def test_every_program_of_a_page_is_marked(page: Path) -> None:
    """None is left out of the tests below."""
    marked = [block.text for block in (*blocks(page, "run"), *blocks(page, "file: "))]
    assert programs(page) == marked
    assert marked


def test_examples_of_the_reference_can_be_previewed(stack: Stack, simulator: Simulator) -> None:
    """Each that creates a service is a whole and valid program."""
    for block in blocks(REFERENCE, "run"):
        if SHOWN_ID not in block.text:
            assert stack.preview(block.program()).changes["create"] > 1, block.place
    assert simulator.requests == []


@pytest.mark.parametrize("title", ["Look up Existing ModelService Resource", "Import"])
def test_example_of_the_reference_finds_the_service_it_names(
    title: str, stack: Stack, simulator: Simulator
) -> None:
    """A service that is there already is found, and nothing is created."""
    (block,) = (one for one in blocks(REFERENCE, "run") if one.text in section(REFERENCE, title))
    id_ = place(simulator)
    stack.up(block.program(id_))
    assert stack.ids() == pulumi_ids(simulator) == {id_}
    assert mutations(simulator) == []


def test_smallest_program_prints_what_the_readme_says(tmp_path: Path) -> None:
    """It comes up and goes away again, and every line shown in the README is printed."""
    (block,) = blocks(README, "run")
    (printed,) = blocks(README, "printed")
    with Simulator(provision_seconds=1) as simulator:
        project = tmp_path / "embedding"
        project.mkdir()
        (project / "Pulumi.yaml").write_text("name: embedding\nruntime: python\n")
        (project / "__main__.py").write_text(block.text, encoding="utf-8")
        stack = Stack(tmp_path, simulator, project=project)
        done = stack.up()
        (service,) = simulator.services
        assert done.outputs == {"url": service.private_connect_url, "apiKey": service.api_key}
        command, _, output = printed.text.partition("\n")
        assert command.startswith("$ pulumi up")
        assert told(output) - told(done.output) == set()
        stack.destroy()
        assert simulator.services == []


def test_test_of_a_users_own_program_passes(tmp_path: Path) -> None:
    """The README's program and its test, in a folder of their own, run as a user runs them."""
    (program,) = blocks(README, "run")
    (test,) = blocks(README, "file: test_main.py")
    (tmp_path / "__main__.py").write_text(program.text, encoding="utf-8")
    (tmp_path / "test_main.py").write_text(test.text, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    environment = {
        **os.environ,
        "PULUMI_HOME": str(tmp_path / "pulumi-home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--basetemp={tmp_path / 'temporary'}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^2 passed", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("title", "names"),
    [("Inputs", state.INPUTS), ("Outputs", ("id", *state.OUTPUTS))],
    ids=["inputs", "outputs"],
)
def test_reference_describes_each_property(title: str, names: tuple[str, ...]) -> None:
    """Each has one entry, in the order of the interface, and there is none for anything else."""
    entries = re.findall(r"^- \*\*`(\w+)`\*\* · ", section(REFERENCE, title), re.MULTILINE)
    assert tuple(entries) == names


def test_reference_states_the_default_timeouts() -> None:
    """The table of timeouts is the provider's."""
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section(REFERENCE, "Timeouts"), re.MULTILINE)
    assert dict(rows) == provider.DEFAULT_TIMEOUTS


@pytest.mark.parametrize("page", [README, REFERENCE], ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    """Each relative link names a file that is there, and a heading in it."""
    for link in _LINK.finditer(page.read_text(encoding="utf-8")):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), link[0]
        if link["anchor"]:
            titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert link["anchor"] in anchors, link[0]
