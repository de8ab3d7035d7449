"""Taking over services with `pulumi import --file`, as docs/taking-over.md says it is done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS, blocks, programs
from tests.engine.support.programs import mutations, place
from tests.engine.support.stack import TYPE, is_secret
from tests.engine.support.terminal import Terminal

PAGE = DOCS / "taking-over.md"
_KEY = re.compile(r"sk-[0-9a-f]{8,}")
_IMPORT = "pulumi import --yes --generate-code=false --protect=false --file"


@pytest.fixture
def terminal(tmp_path: Path, simulator: Simulator) -> Terminal:
    """A shell in a project that talks to the simulator."""
    return Terminal(tmp_path, simulator)


def _state(terminal: Terminal) -> dict[str, dict[str, object]]:
    """The model services in the state, by name."""
    services = [one for one in terminal.resources() if one["type"] == TYPE]
    return {one["urn"].rsplit("::", 1)[1]: one for one in services}


def _rows(printed: str) -> dict[str, list[str]]:
    """The lines of each resource, by its name; those of none under an empty one."""
    rows: dict[str, list[str]] = {}
    name = ""
    for line in printed.splitlines():
        head = re.fullmatch(rf"  {re.escape(TYPE)} \((?P<name>.*)\):", line)
        name = head["name"] if head else name if line.startswith("    ") else ""
        if not head and line.strip():
            rows.setdefault(name, []).append(line.strip())
    return rows


def test_every_program_and_command_of_the_page_is_typed_by_a_test() -> None:
    """None is left unmarked, so none is left out below."""
    text = PAGE.read_text(encoding="utf-8")
    assert programs(PAGE) == [block.text for block in blocks(PAGE, "file: ")]
    assert text.count("```console\n") == len(blocks(PAGE, "typed"))
    assert text.count("```") == 2 * len(blocks(PAGE, ""))


def test_many_services_are_taken_over_as_the_page_says(
    terminal: Terminal, simulator: Simulator, tmp_path: Path
) -> None:
    """Nothing is left to do afterwards, the keys are encrypted, and a destroy deletes for real."""
    whitelist = ("10.0.0.0/8",)
    ids = {
        "qwen3-embedding-8b": place(simulator, security_ip_list=whitelist),
        "qwen3-reranker-8b": place(
            simulator,
            model_name="Qwen3-Reranker-8B",
            ai_nodes=("ai-2",),
            description="second stage",
            security_ip_list=whitelist,
        ),
    }
    taken_over = dict(ids)
    terminal.follow(PAGE, "Many services")
    for name, resource in _state(terminal).items():
        assert resource["id"] == ids.pop(name)
        assert isinstance(resource["outputs"], dict)
        assert is_secret(resource["outputs"]["api_key"])
    assert ids == {}
    settled = terminal.run("pulumi up --yes --refresh --expect-no-changes")
    assert "3 unchanged" in settled
    assert "warning: gp-demo" not in settled
    for service in simulator.services:  # each speaks in its own row from then on
        simulator.change_service(service.id, status="deployming")
    terminal.run("pulumi refresh --yes")
    for service in simulator.services:
        simulator.change_service(service.id, status="active")
    rows = _rows(terminal.run("pulumi up --yes"))
    for name, id_ in taken_over.items():
        assert rows[name][0].startswith(f"{id_} is 'deployming': `pulumi up` goes on waiting")
        assert rows[name][1].startswith(f"{id_} is 'active'")
        assert all(f" {name} " in line for line in rows[""] if id_ in line)  # as it goes on
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not [file for file in files if _KEY.search(file.read_text(errors="replace"))]
    assert mutations(simulator) == []
    terminal.run("pulumi destroy --yes")
    assert simulator.services == []


def test_one_service_is_taken_over_kept_and_moved_as_the_page_says(
    terminal: Terminal, simulator: Simulator
) -> None:
    """With hidden values, and from stack to stack: it is never created and never deleted."""
    id_ = place(simulator, security_ip_list=("10.0.0.0/8",))
    terminal.follow(PAGE, "One service", id_)
    terminal.follow(PAGE, "What the API does not show", id_)
    (resource,) = _state(terminal).values()
    assert isinstance(resource["outputs"], dict)
    assert (id_, 2) == (resource["id"], resource["outputs"]["replicas"])
    terminal.run("pulumi stack init --no-select prod")
    terminal.follow(PAGE, "Another stack manages it", id_)
    terminal.follow(PAGE, "Moving between stacks", id_)
    assert mutations(simulator) == []
    terminal.run("pulumi destroy --yes")
    assert simulator.services == []


def test_plain_import_fails_and_a_pipe_needs_no_file(
    terminal: Terminal, simulator: Simulator
) -> None:
    """Plain `pulumi import` changes nothing; a pipe and ignored values leave nothing to do."""
    id_ = place(simulator)
    terminal.follow(PAGE, "What plain `pulumi import` says", id_)
    assert _state(terminal) == {}
    export = "pulumi-adbpg-model import-file --instance gp-demo --without-api-keys"
    terminal.run(f"{export} 2> __main__.py | {_IMPORT} /dev/stdin")
    (resource,) = _state(terminal).values()
    assert isinstance(resource["outputs"], dict)
    assert "api_key" not in resource["outputs"]
    program = terminal.folder / "__main__.py"
    opts = 'opts=pulumi.ResourceOptions(ignore_changes=["replicas"])'
    declared = program.read_text().replace("\n)", f"\n    replicas=2,\n    {opts},\n)")
    program.write_text(f"import pulumi\n{declared}")
    assert "2 unchanged" in terminal.run("pulumi up --yes")
    assert mutations(simulator) == []
