"""What the cloud does not have or has taken shows at preview, in the row of the resource."""

from __future__ import annotations

from pathlib import Path

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import SHOWN_ID
from tests.engine.support.programs import declare, mutations, place, program
from tests.engine.support.stack import TYPE, Stack

_PAGE = Path(__file__).parents[2] / "docs" / "model-service.md"


def _warnings(output: str, name: str) -> list[str]:
    """The warnings in a resource's part of the diagnostics."""
    _, _, after = output.partition(f"Diagnostics:\n  {TYPE} ({name}):\n")
    block = after.partition("\n\n")[0].splitlines()
    return [line.strip().removeprefix("warning: ") for line in block if "warning: " in line]


def _documented(holder: str) -> list[str]:
    """The warnings that the reference shows, about this holder."""
    _, _, section = _PAGE.read_text().partition("\n## Preflight\n")
    shown = section.partition("```console\n")[2].partition("```")[0]
    lines = [line.strip() for line in shown.replace(SHOWN_ID, holder).splitlines()]
    return [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]


def test_preview_warns_of_what_the_cloud_does_not_have(stack: Stack, simulator: Simulator) -> None:
    """Model, missing node and taken node are told at once, each once; the preview goes on."""
    holder = place(simulator, model_name="Qwen3-Reranker-8B")

    def wrong() -> None:
        declare("embedding", model_name="Qwen3-Embeding-8B", ai_nodes=["ai-1", "ai-7"])

    previewed = stack.preview(wrong)

    assert previewed.changes == {"create": 2}
    assert _warnings(previewed.output, "embedding") == _documented(holder)
    assert mutations(simulator) == []
    assert sorted(request.action for request in simulator.requests) == [
        "ListAINodePools",
        "ListModelServices",
        "ListSupportModels",
    ]


def test_replacement_does_not_warn_of_the_service_that_it_replaces(
    stack: Stack, simulator: Simulator
) -> None:
    """Its node is about to be free; another one that is taken is told of. Off: nothing is asked."""
    stack.up(program())
    place(simulator, ai_nodes=("ai-2",))

    kept = stack.preview(program(description="new"))
    moved = stack.preview(program(ai_nodes=["ai-1", "ai-2"]))

    assert kept.changes == moved.changes == {"replace": 1, "same": 1}
    assert _warnings(kept.output, "model") == []
    (warning,) = _warnings(moved.output, "model")
    assert warning.startswith("ai_nodes[1] should be a free AI node, got 'ai-2': it is held by")
    simulator.clear_requests()
    assert stack.up(program(), refresh=True).changes == {"same": 2}
    assert not [call for call in simulator.requests if call.action.startswith("ListAINode")]
    simulator.clear_requests()
    stack.set_config("adbpg:preflight", "false")
    assert "warning: " not in stack.preview(program(ai_nodes=["ai-9"])).output
    assert simulator.requests == []
