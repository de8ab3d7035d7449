"""A service with two owners: `orphans` tells, and what it has people type keeps the service."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest

from pulumi_adbpg_model import ModelService
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS
from tests.engine.support.programs import Echo, declare, mutations, place, pulumi_ids
from tests.engine.support.stack import TYPE, Stack
from tests.engine.support.terminal import Terminal

PAGE = DOCS / "taking-over.md"
_ORPHANS = "pulumi stack export | pulumi-adbpg-model orphans --instance gp-demo"
_PROGRAM = """
from pulumi_adbpg_model import ModelService

ModelService(
    "new", db_instance_id="gp-demo", model_name="Qwen3-Embedding-8B", ai_nodes=["ai-1"]
)
"""


@pytest.fixture
def terminal(tmp_path: Path, simulator: Simulator) -> Terminal:
    """A shell in a project that talks to the simulator."""
    return Terminal(tmp_path, simulator)


def test_one_of_two_stacks_lets_go_as_the_page_says(
    terminal: Terminal, simulator: Simulator
) -> None:
    """The other keeps the service, whatever becomes of the first; the first then owns nothing."""
    id_ = place(simulator, security_ip_list=("10.0.0.0/8",))
    terminal.follow(PAGE, "One service", id_)
    terminal.run("pulumi stack init --no-select prod")
    terminal.run("pulumi up --stack prod --yes")
    terminal.follow(PAGE, "Two stacks own it", id_)
    terminal.run("pulumi destroy --stack dev --yes")
    assert mutations(simulator) == []
    terminal.run("pulumi destroy --stack prod --yes")
    assert simulator.services == []


def test_line_that_is_printed_lets_go_within_a_stack(
    terminal: Terminal, simulator: Simulator
) -> None:
    """The former names go from the state, the declared one keeps the service."""
    (terminal.folder / "__main__.py").write_text(_PROGRAM)
    terminal.run("pulumi up --yes")
    simulator.clear_requests()
    state = json.loads(terminal.run("pulumi stack export"))
    (new,) = (one for one in state["deployment"]["resources"] if one["type"] == TYPE)
    former = {name: new["urn"].replace("::new", f"::{name}") for name in ("renamed", "pending")}
    state["deployment"]["resources"] += [
        {**new, "urn": former["renamed"]},
        {**new, "urn": former["pending"], "delete": True},
    ]
    (terminal.folder / "twice.json").write_text(json.dumps(state))
    terminal.run("pulumi stack import --file twice.json")

    for _ in former:
        printed = terminal.run(_ORPHANS, fails=True).splitlines()
        line, *_ = (one for one in printed if one.endswith(tuple(former.values())))
        terminal.run(f"{line} --yes")

    assert "Nothing found: " in terminal.run(_ORPHANS)
    assert "2 unchanged" in terminal.run("pulumi up --yes")
    assert mutations(simulator) == []
    assert pulumi_ids(simulator) == {new["id"]}


def test_service_that_others_depend_on_is_let_go_by_reading_it(
    stack: Stack, simulator: Simulator
) -> None:
    """Where the state cannot be without it: under the same name, nothing is deleted."""
    id_ = place(simulator)

    def owns() -> None:
        Echo("user", declare(opts=pulumi.ResourceOptions(import_=id_)).model_name)

    def reads() -> None:
        Echo("user", ModelService.get("model", id_).model_name)

    stack.up(owns)
    assert stack.up(reads).changes == {"same": 2}
    assert stack.resource()["external"] is True
    stack.destroy()
    assert mutations(simulator) == []
    assert pulumi_ids(simulator) == {id_}
