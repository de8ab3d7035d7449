"""
What `pulumi_adbpg_model.host` adds to Pulumi's dynamic provider host, seen from outside.

It reaches for the insides of the SDK, and gives up in silence where they differ: these tests tell
when an SDK has changed them.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pulumi import ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.sigkill import Sessions, comes
from tests.engine.support.programs import Echo, declare, mutations, program, pulumi_ids
from tests.engine.support.stack import TYPE, Failed, Stack
from tests.provider.renamed_sdk import renamed_sdk


def test_progress_shows_in_the_resources_own_row_and_status_changes_last(tmp_path: Path) -> None:
    """What a wait says runs in the row; each status the cloud reports stays under Diagnostics."""
    with Simulator(provision_seconds=1) as simulator:
        done = Stack(tmp_path, simulator).up(program())
        (id_,) = pulumi_ids(simulator)
    rows, _, diagnostics = done.output.partition("Diagnostics:")
    waiting = [line for line in rows.splitlines() if f"{id_} is 'deployming': 0 s of" in line]
    assert waiting
    assert [line for line in waiting if f"{TYPE} model creating" not in line] == []
    lasting = diagnostics.partition("Resources:")[0].splitlines()
    label = lasting.index(f"  {TYPE} (model):")
    assert [line.strip().partition(" after")[0] for line in lasting[label + 1 : label + 4]] == [
        f"CreateModelService answers with {id_}",
        f"{id_} is 'deployming'",
        f"{id_} is 'active'",
    ]
    assert " of at most " not in diagnostics


def test_errors_are_one_line_and_those_of_others_keep_their_traceback(
    stack: Stack, simulator: Simulator
) -> None:
    """Our errors come without a traceback; another package's, in the same host, with all of it."""

    def both() -> None:
        first = declare("first")
        after = ResourceOptions(depends_on=[first])
        Echo("works", "fine", opts=after)
        Echo("breaks", "down", fails=True, opts=after)
        declare("second", after, description="same node")

    with pytest.raises(Failed) as failed:
        stack.up(both, continue_on_error=True)
    (first,) = pulumi_ids(simulator)
    ours, theirs = (
        _diagnostics(failed.value.output, label)
        for label in (f"{TYPE} (second)", "pulumi-python:dynamic/test:Echo (breaks)")
    )
    (error,) = (line for line in ours if not line.startswith("warning: ai_nodes[0] should be"))
    assert error.startswith(
        "error: CreateModelService in instance gp-demo failed: The AI node ai-1 is already bound"
    )
    assert f"AI node ai-1 is held by model service {first}, which runs" in error
    assert "Traceback (most recent call last):" in " ".join(theirs)
    assert theirs[-1] == "RuntimeError: the echo failed"
    made = [one for one in stack.export()["resources"] if one["urn"].endswith("::works")]
    assert [one["outputs"]["made"] for one in made] == ["fine"]
    assert stack.ids() == {first}


def test_nothing_is_created_with_an_sdk_that_does_not_show_the_request(
    stack: Stack, simulator: Simulator
) -> None:
    """One line at preview; what exists is refreshed, changed in place and destroyed."""
    stack.up(program())
    stack.environment["PYTHONPATH"] = renamed_sdk(stack.home / "sdk")
    simulator.clear_requests()

    def two() -> None:
        declare(store_api_key=False)
        declare("another", ai_nodes=["ai-2"])

    with pytest.raises(Failed) as failed:
        stack.preview(two)
    (reason,) = failed.value.log.reasons("another")
    assert reason.startswith("no model service can be created with this version of Pulumi's")
    assert "Install `pulumi>=3.268.0,<=3.272.0`" in reason
    assert failed.value.reasons == {reason}
    changed = stack.up(program(store_api_key=False), refresh=True)
    assert changed.changes == {"same": 1, "update": 1}
    with pytest.raises(Failed, match="no model service can be created"):
        stack.up(program(ai_nodes=["ai-3"]))  # a replacement would create one
    assert mutations(simulator) == []
    stack.destroy()
    assert mutations(simulator) == ["DeleteModelService"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")
def test_host_stops_when_the_cli_is_killed_alone(tmp_path: Path) -> None:
    """Pulumi leaves it behind; it asks the cloud for nothing more, and ends within seconds."""
    sessions = Sessions(tmp_path)
    with Simulator(provision_seconds=0) as simulator, ThreadPoolExecutor(1) as pool:
        simulator.inject("busy", "CreateModelService", times=None)
        stack = Stack(tmp_path, simulator, command=sessions.command())
        command = pool.submit(stack.up, program())
        assert comes(lambda: len(simulator.calls("CreateModelService")) > 2, command)
        session = sessions.kill(command, "cli")
        try:
            give_up = time.monotonic() + 20.0
            while sessions.alive(session):
                assert time.monotonic() < give_up, "the host goes on"
                time.sleep(0.2)
        finally:
            sessions.end(session)


def _diagnostics(output: str, label: str) -> list[str]:
    """The lines under one resource's heading."""
    lines = output.partition("Diagnostics:")[2].splitlines()
    start = lines.index(f"  {label}:") + 1
    found = []
    for line in lines[start:]:
        if not line.startswith("    "):
            break
        found.append(line.strip())
    return found
