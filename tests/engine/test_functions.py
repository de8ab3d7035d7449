"""The functions in programs on the real engine: the documented ones, and what a failure prints."""

from __future__ import annotations

import dataclasses

import pulumi
import pytest

from pulumi_adbpg_model import get_api_key
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS, blocks, programs
from tests.engine.support.programs import INSTANCE, declare, mutations, place
from tests.engine.support.stack import Failed, Stack, is_secret

PAGE = DOCS / "functions.md"


@pytest.fixture(autouse=True)
def _environment(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """An inline program runs in this process, whose environment its functions read."""
    for name, value in simulator.environment().items():
        monkeypatch.setenv(name, value)


def test_every_program_of_the_page_is_marked() -> None:
    """None is left out of the tests below."""
    assert programs(PAGE) == [block.text for block in blocks(PAGE, "run")]


def test_a_program_picks_what_is_free_and_keeps_it(stack: Stack, simulator: Simulator) -> None:
    """The documented program takes the first free node; a second `up` changes nothing."""
    place(simulator)
    (program,) = blocks(PAGE, "run: pick")

    done = stack.up(program.program())

    _, service = simulator.services
    assert service.ai_nodes == ("ai-2",)
    assert done.outputs == {"model": "Qwen3-Embedding-8B", "apiKey": service.api_key}
    exported = stack.export()["resources"][0]["outputs"]
    assert is_secret(exported["apiKey"])
    assert str(service.api_key) not in stack.state_text() + done.output

    again = stack.up()
    assert again.changes == {"same": 2}
    assert mutations(simulator) == ["CreateModelService"]

    pick = program.program()

    def keyed() -> None:
        pick()
        found = get_api_key(f"{INSTANCE}:{service.id}")
        pulumi.export("plain", found.api_key)
        pulumi.export("inside", {"keys": [found.api_key]})
        pulumi.export("whole", found)
        pulumi.export("fields", vars(found))
        pulumi.export("copied", dataclasses.asdict(found))
        pulumi.export("text", f"{found} {found.api_key}")
        declare("other", ai_nodes=["ai-3"], description=found.api_key)

    done = stack.up(keyed)

    assert done.outputs["plain"] == service.api_key
    assert done.outputs["whole"] == {"id": f"{INSTANCE}:{service.id}"}
    exported = stack.export()["resources"][0]["outputs"]
    assert is_secret(exported["plain"])
    assert is_secret(exported["inside"]["keys"][0]) or is_secret(exported["inside"])
    other = stack.resource("other")
    assert is_secret(other["inputs"]["description"])
    assert simulator.services[2].description == service.api_key
    assert str(service.api_key) not in stack.state_text() + done.output


def test_results_can_be_exported_and_failures_are_one_line(
    stack: Stack, simulator: Simulator
) -> None:
    """The documented listing; then the instance is gone, and that is all that is told."""
    id_ = place(simulator)
    (program,) = blocks(PAGE, "run: list")

    outputs = stack.up(program.program()).outputs

    assert outputs["ids"] == [id_]
    assert outputs["services"][0]["id"] == id_
    assert [node["name"] for node in outputs["nodes"][0]["nodes"]] == [
        "ai-1",
        "ai-2",
        "ai-3",
        "ai-4",
    ]
    assert str(simulator.services[0].api_key) not in stack.state_text()

    simulator.remove_instance(INSTANCE)
    with pytest.raises(Failed) as caught:
        stack.preview()
    (reason,) = caught.value.reasons
    assert reason.startswith(
        f"get_model_services: ListModelServices of instance {INSTANCE} failed:"
    )
    assert "Traceback" not in caught.value.output
