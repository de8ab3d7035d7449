"""What the documentation shows is what happens: its programs run, its lists are complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pulumi_adbpg_model import provider, state
from pulumi_adbpg_model.testing import Simulator
from tests.engine.programs import mutations, place, pulumi_ids
from tests.engine.stack import Program, Stack

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
REFERENCE = ROOT / "docs/model-service.md"
#: In the examples, the service that is there already. Ids are made by the cloud.
SHOWN_ID = "gp-demo:ms-0123456789ab"

#: A code block with a comment before it, such as `<!-- run -->`, that says what it is.
_MARKED = re.compile(r"^<!-- (?P<mark>.+) -->\n```\w+\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
#: A program begins with its imports; what begins otherwise is an excerpt.
_PROGRAM = re.compile(r"^```python\n(?P<text>(?:import|from) (?:.*\n)*?)```$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")


@dataclass(frozen=True)
class Block:
    """A marked block of a page."""

    mark: str
    text: str
    place: str

    def program(self, service_id: str = SHOWN_ID) -> Program:
        """The block as a Pulumi program, in a namespace of its own."""
        code = compile(self.text.replace(SHOWN_ID, service_id), self.place, "exec")

        def run() -> None:
            exec(code, {"__name__": "__main__"})  # noqa: S102 - the documentation is ours

        return run


def blocks(page: Path, mark: str) -> list[Block]:
    """The blocks of a page whose mark begins like this, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _MARKED.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match["mark"], match["text"], f"{page.name}:{line}"))
    return [block for block in found if block.mark.startswith(mark)]


def section(page: Path, title: str) -> str:
    """The text below a heading of the second level."""
    _, found, rest = page.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found, f"{page.name} has no section {title!r}"
    return rest.partition("\n## ")[0]


def told(text: str) -> set[str]:
    """The lines of an output without what differs from run to run."""
    text = re.sub(r"ms-[0-9a-f]{12}", "ms-…", text)
    text = re.sub(r"@ updating\.+", "@ updating", text)
    text = re.sub(r"\b[0-9.]+ ?s\b", "0 s", text)
    return {line.rstrip() for line in text.splitlines()}


@pytest.mark.parametrize("page", [README, REFERENCE], ids=lambda page: page.name)
def test_every_program_of_a_page_is_marked(page: Path) -> None:
    """None is left out of the tests below."""
    programs = [match["text"] for match in _PROGRAM.finditer(page.read_text(encoding="utf-8"))]
    marked = [block.text for block in (*blocks(page, "run"), *blocks(page, "file: "))]
    assert programs == marked
    assert programs


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
