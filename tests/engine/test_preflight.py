"""What the cloud does not have or has taken shows at preview, in the row of the resource."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi import ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import SHOWN_ID
from tests.engine.support.programs import (
    MODEL,
    NODE,
    URN,
    Echo,
    declare,
    mutations,
    place,
    program,
    pulumi_ids,
)
from tests.engine.support.stack import TYPE, Failed, Program, Stack

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


def _echoing(word: str) -> Program:
    """A service that depends on a resource which is replaced where its word changes."""
    opts = ResourceOptions(delete_before_replace=True, replace_on_changes=["*"])

    def run() -> None:
        declare(description=Echo("echo", word, opts=opts).made)

    return run


def test_no_service_is_deleted_for_a_model_that_left_the_catalogue(tmp_path: Path) -> None:
    """Every way to a replacement is warned of, none deletes; what exists goes on, and can go."""
    state = tmp_path / "cloud.json"
    with Simulator(provision_seconds=0, models=[MODEL], state=state) as before:
        stack = Stack(tmp_path, before)
        stack.up(_echoing("a"))
        (id_,), port = pulumi_ids(before), int(before.endpoint.rpartition(":")[2])
    with Simulator(provision_seconds=0, models=["Qwen4"], state=state, port=port) as after:
        assert stack.up(_echoing("a"), refresh=True).changes == {"same": 3}
        assert "ListSupportModels" not in {call.action for call in after.requests}

        gone = (
            f"model_name should be a model that region cn-hangzhou lists, got {MODEL!r}, which it "
            f"lists no more. Model service {id_} was made with it, and cannot be made again once "
            "it is deleted: undo what replaces it, or choose a listed model. "
        )
        forced = {"replace": [URN]}
        ways: list[tuple[Program, dict[str, Any]]] = [
            (program(description="new"), {}),
            (_echoing("a"), forced),
            (_echoing("b"), {}),  # the engine deletes it before the program declares it
        ]
        for changed, options in ways:
            (warning,) = _warnings(stack.preview(changed, **options).output, "model")
            assert warning.startswith(gone)
        for changed, options in (*ways, (program(model_name="Qwen5"), {})):
            with pytest.raises(Failed) as failed:
                stack.up(changed, **options)
            (reason,) = failed.value.log.reasons("model")
            assert reason.startswith(
                f"delete of model service {id_} was not sent, since what replaces it cannot be "
                "created: ListSupportModels does not list model "
            )
            assert f"To be rid of the service, run `pulumi destroy --target {URN}`." in reason
            together = changed is ways[2][0]
            assert (f"run `pulumi up --target {URN}`, then `pulumi up`." in reason) == together
        assert mutations(after) == []
        assert stack.up(program(model_name="Qwen4", ai_nodes=[NODE])).changes["replace"] == 1
        assert stack.destroy().changes["delete"] > 0
        assert pulumi_ids(after) == set()
