"""What the documentation shows is what happens: its programs run, its lists are complete."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import pytest
import yaml

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.fields import INPUTS
from pulumi_adbpg_model.service import implementation, state
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.model import EMBEDDING, Model, answering
from tests.engine.support.pages import (
    DOCS,
    PAGES,
    README,
    ROOT,
    SHOWN_ID,
    anchors,
    blocks,
    commands,
    programs,
    prose,
    section,
    told,
)
from tests.engine.support.programs import mutations, place, pulumi_ids
from tests.engine.support.stack import Failed, Program, Stack, is_secret

REFERENCE = DOCS / "model-service.md"
QUICK_START = DOCS / "quick-start.md"
SEVERAL = DOCS / "several-models.md"
CONFIGURATION = DOCS / "configuration.md"
UPGRADING = DOCS / "upgrading.md"

_LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")
_CONFIG_KEY = re.compile(r"(?<![/\w])adbpg:[a-zA-Z]+\b(?!:)")

#: With links, and nothing to type that a test here runs.
OTHER_PAGES = [ROOT / f"{name}.md" for name in ("AGENTS", "CHANGELOG", "CONTRIBUTING", "SECURITY")]

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.mark.parametrize(
    "page", [README, REFERENCE, QUICK_START, SEVERAL], ids=lambda page: page.name
)
def test_every_program_of_a_page_is_marked(page: Path) -> None:
    """None is left out of the tests below."""
    marked = [block.text for block in (*blocks(page, "run"), *blocks(page, "file: "))]
    assert set(programs(page)) <= set(marked)
    assert programs(page)


def test_examples_of_the_reference_can_be_previewed(stack: Stack, simulator: Simulator) -> None:
    """Each that creates a service is a whole and valid program; test_hooks.py runs two of them."""
    hooks = section(REFERENCE, "Hooks and rotation")
    for block in blocks(REFERENCE, "run"):
        if SHOWN_ID not in block.text and block.text not in hooks:
            previewed = stack.preview(block.program())
            assert previewed.changes["create"] > 1, block.place
            assert "warning: " not in previewed.output, block.place
    assert simulator.mutations == []


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


def test_smallest_program_prints_what_the_quick_start_says(tmp_path: Path) -> None:
    """It comes up and goes away again, and every line shown in the quick start is printed."""
    (block,) = blocks(README, "run: up")
    (printed,) = blocks(QUICK_START, "printed")
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


def test_service_is_called_as_the_readme_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client sends key, model and text to the path that the page means."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # the client reads them, if only for http
        monkeypatch.delenv(name, raising=False)
    (block,) = blocks(README, "run: call")
    with answering(Model("sk-1")) as model:
        namespace: dict[str, Any] = {"url": model.address, "api_key": "sk-1"}
        exec(compile(block.text, block.place, "exec"), namespace)  # noqa: S102 - ours
    ((path, body),) = model.asked
    assert path == "/v1/embeddings"
    assert (body["model"], body["input"]) == ("Qwen3-Embedding-8B", "Hello")
    assert namespace["answer"].data[0].embedding == EMBEDDING


@pytest.mark.parametrize(
    ("title", "names"),
    [("Inputs", INPUTS), ("Outputs", ("id", *state.OUTPUTS))],
    ids=["inputs", "outputs"],
)
def test_reference_describes_each_property(title: str, names: tuple[str, ...]) -> None:
    """Each has one entry, in the order of the interface, and there is none for anything else."""
    entries = re.findall(r"^- \*\*`(\w+)`\*\* · ", section(REFERENCE, title), re.MULTILINE)
    assert tuple(entries) == names


def test_reference_states_the_default_timeouts() -> None:
    """The table of timeouts is the provider's."""
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section(REFERENCE, "Timeouts"), re.MULTILINE)
    seconds = {name: int(text.removesuffix("m")) * 60.0 for name, text in rows}
    assert seconds == implementation.DEFAULT_TIMEOUTS_S


def test_reference_has_an_example_of_each_input() -> None:
    """Each is given a value in a program that is previewed."""
    examples = "".join(block.text for block in blocks(REFERENCE, "run"))
    assert [name for name in INPUTS if f"{name}=" not in examples] == []


def test_programs_for_several_models_do_what_the_page_says(
    stack: Stack, simulator: Simulator
) -> None:
    """In sequence; swapped in one `up`, or after both were deleted; at once, with connections."""
    together, in_sequence, _ = blocks(SEVERAL, "run")
    stack.up(in_sequence.program())
    first, second = simulator.services
    assert second.create_time >= first.create_time
    assert first.ai_nodes == ("ai-1",)
    assert second.ai_nodes == ("ai-2",)
    (destroy,) = (one for one in commands(SEVERAL) if one.startswith("pulumi destroy"))
    words = shlex.split(destroy)
    stack.destroy(target=[word for word in words if word.startswith("**")])
    assert simulator.services == []
    exchange = {'"ai-1"': '"ai-2"', '"ai-2"': '"ai-1"'}
    text = re.sub('"ai-[12]"', lambda node: exchange[node[0]], in_sequence.text)
    stack.up(dataclasses.replace(in_sequence, text=text).program())
    assert [one.ai_nodes for one in simulator.services] == [("ai-2",), ("ai-1",)]
    waits = re.compile(r"\n *opts=pulumi\.ResourceOptions\(depends_on=.*\),")
    at_once, found = waits.subn("", in_sequence.text)
    assert found == 1
    stack.up(dataclasses.replace(in_sequence, text=at_once).program())
    assert {one.ai_nodes for one in simulator.services} == {("ai-1",), ("ai-2",)}
    assert stack.ids() == pulumi_ids(simulator)
    outputs = stack.up(together.program()).outputs
    assert outputs == {
        name: {"url": one.private_connect_url, "key": one.api_key}
        for name in ("embedding", "reranker")
        for one in simulator.services
        if name.title() in one.model_name
    }
    assert is_secret(stack.export()["resources"][0]["outputs"]["embedding"])


def test_free_node_is_chosen_once(
    stack: Stack, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run finds no node free, as the service itself is on one, and changes nothing."""
    for name, value in simulator.environment().items():  # the program runs in this process
        monkeypatch.setenv(name, value)
    *_, chosen = blocks(SEVERAL, "run")
    place(simulator)  # on the first node
    stack.up(chosen.program())
    assert simulator.services[-1].ai_nodes == ("ai-2",)
    place(simulator, ai_nodes=("ai-3", "ai-4"))
    assert stack.up().changes == {"same": 2}


def test_a_rename_without_alias_and_leaving_do_what_the_pages_say(
    stack: Stack, simulator: Simulator
) -> None:
    """The first deletes with --continue-on-error; to leave deletes nothing in the cloud."""
    (block,) = blocks(README, "run: up")

    def named(name: str) -> Program:
        text = block.text.replace('"embedding"', f'"{name}"')
        return dataclasses.replace(block, text=text).program()

    stack.up(named("former"))
    kept = pulumi_ids(simulator)
    with pytest.raises(Failed, match="OperationDenied"):
        stack.up(named("new"))
    assert stack.ids() == pulumi_ids(simulator) == kept
    with pytest.raises(Failed, match="OperationDenied"):
        stack.up(named("new"), continue_on_error=True)
    assert stack.ids() == pulumi_ids(simulator) == set()

    stack.up(named("new"))
    kept = pulumi_ids(simulator)
    (drop,) = (line for line in commands(UPGRADING) if line.startswith("pulumi state delete"))
    *words, _ = shlex.split(drop)
    done = stack.type(*words, stack.resource("new")["urn"], "--stack", "dev", "--yes")
    assert done.returncode == 0, done.stderr
    assert stack.ids() == set()
    (leave,) = (line for line in commands(UPGRADING) if line.startswith("pulumi stack rm"))
    done = stack.type(*shlex.split(leave), "--yes")
    assert done.returncode == 0, done.stderr
    assert pulumi_ids(simulator) == kept


@pytest.mark.parametrize("page", [*PAGES, *OTHER_PAGES], ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    """Each relative link names a file that is there, and a heading in it."""
    for link in _LINK.finditer(prose(page)):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), link[0]
        if link["anchor"]:
            assert link["anchor"] in anchors(target), link[0]


def test_readme_leads_to_every_page() -> None:
    """No page is left for chance to find."""
    linked = {(README.parent / link["path"]).resolve() for link in _LINK.finditer(prose(README))}
    assert [page.name for page in PAGES if page != README and page not in linked] == []


@every_page
def test_rows_of_a_table_have_as_many_cells_as_its_head(page: Path) -> None:
    """A row with fewer or more would be shown with its cells under the wrong heads."""
    for table in re.findall(r"(?:^\|.*\|\n)+", prose(page), re.MULTILINE):
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1, table


@every_page
def test_commands_of_a_page_exist_with_their_options(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each `pulumi-adbpg-model …` that a page has people type is understood; nothing is run."""
    monkeypatch.chdir(tmp_path)
    for words in _own_commands(page):
        for word in words:
            if word.endswith(".json"):  # as in the folder of whoever types it
                Path(word).touch()
        try:
            name, command, rest = main.resolve_command(click.Context(main), words)
            assert command is not None
            command.make_context(name, rest, parent=click.Context(main))
        except click.exceptions.Exit:  # --help
            pass
        except click.UsageError as error:
            raise AssertionError(f"{words}: {error.format_message()}") from None


def _own_commands(page: Path) -> Iterator[list[str]]:
    """Arguments of each use of the console script, without what the shell does around it."""
    for line in commands(page):
        for part in re.split(r"\||&&|;", line):
            if "pulumi-adbpg-model " in part:
                words = shlex.split(re.sub(r"2?>.*| < .*| # .*", "", part))
                start = [word.rpartition("/")[2] for word in words].index("pulumi-adbpg-model")
                yield words[start + 1 :]


#: Of the keys that pulumi-alicloud has as well; the others of those are refused here.
_BOTH = {
    f"adbpg:{name}" for name in ("region", "accessKey", "secretKey", "securityToken", "profile")
}


def test_config_keys_and_variables_of_the_pages_are_those_that_are_read() -> None:
    """No page tells of a key that nothing reads; one page has them all."""
    asked: list[str] = []

    class Environment(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.append(name)
            return super().get(name, default)

    key = {"adbpg:accessKey": "id", "adbpg:secretKey": "secret"}
    for config in (Environment(), Environment(key)):
        Settings.resolve(config.get, Environment(), region_required=False)
    own = {name for name in asked if name.startswith("adbpg:")}
    refused = {name for name in own if name.replace("adbpg:", "alicloud:") in asked} - _BOTH
    read = own - refused
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert set(_CONFIG_KEY.findall(text)) <= read, page.name
    rows = re.findall(r"^\| `(adbpg:\w+)` \|", section(CONFIGURATION, "Config keys"), re.MULTILINE)
    assert set(rows) == read
    assert len(rows) == len(read)
    named = section(CONFIGURATION, "Region") + section(CONFIGURATION, "Endpoint")
    named += section(CONFIGURATION, "Credentials")
    named += section(CONFIGURATION, "Settings of pulumi-alicloud")
    others = [name for name in asked if name not in own]
    assert [name for name in others if not re.search(rf"`{name}[`.=]", named)] == []


def test_quick_start_has_the_program_that_the_readme_runs() -> None:
    """It is run from there; here are the files around it."""
    (program,) = blocks(QUICK_START, "file: __main__.py")
    (readme,) = blocks(README, "run: up")
    assert program.text == readme.text
    (project,) = blocks(QUICK_START, "file: Pulumi.yaml")
    example = yaml.safe_load((ROOT / "examples/embedding/Pulumi.yaml").read_text())
    assert yaml.safe_load(project.text) == {key: example[key] for key in ("name", "runtime")}


def test_quick_start_talks_to_the_simulator_as_its_own_tests_do() -> None:
    """The variables are those of `Simulator.environment()`."""
    (block,) = blocks(QUICK_START, "environment")
    given = dict(re.findall(r"^\$ export (\w+)=(\S+)$", block.text, re.MULTILINE))
    with Simulator() as simulator:
        wanted = simulator.environment()
        port = int(simulator.endpoint.rpartition(":")[2])
    shown = given.pop("ADBPG_ENDPOINT")
    assert shown.rpartition(":")[0] == wanted.pop("ADBPG_ENDPOINT").removesuffix(f":{port}")
    wanted.pop("ALIBABA_CLOUD_ECS_METADATA_DISABLED", None)
    assert given.items() <= wanted.items()


def test_picture_needs_nothing_from_elsewhere() -> None:
    """The quick start's picture is whole, and tells nothing of the machine that drew it."""
    assert "(images/up.svg)" in QUICK_START.read_text(encoding="utf-8")
    picture = (DOCS / "images/up.svg").read_text(encoding="utf-8")
    root = ET.fromstring(picture)  # noqa: S314 - ours
    assert "creating" in "".join(root.itertext())
    assert (
        re.findall(r"href|url\((?!#)|@import|@font-face|/(?:home|root|tmp|Users)/", picture) == []
    )
