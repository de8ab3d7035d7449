"""SIGKILL of the CLI and what it started: a part of the matrix that `make chaos` plays whole."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.kills import Point, points, run
from tests.chaos.sigkill import Sessions, comes
from tests.engine.support.programs import URN, mutations, program, pulumi_ids
from tests.engine.support.stack import Stack

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="finds processes in /proc"
)

#: Every operation and moment, both ways back, both kinds of cloud; the CLI alone where the host
#: that is left could do harm. `make chaos-sample`, which `make test` runs too, plays eight others.
_POINTS = [
    Point("create", "unapplied", "destroy", "cli", tokens_honoured=False),
    Point("replace-create", "unsaved", "up", tokens_honoured=False),
    Point("whitelist", "unanswered", "up"),
    Point("delete", "polling", "destroy"),
    # Where tokens are honoured, the token of the dead service takes 30 s more.
    Point("delete", "unsaved", "up", tokens_honoured=False),
    Point("replace-delete", "timed", "destroy", delay_ms=60),
]


@pytest.mark.parametrize("point", _POINTS, ids=str)
def test_plain_commands_after_a_kill_leave_one_service_for_a_resource(
    tmp_path: Path, point: Point
) -> None:
    """Nothing is doubled, lost or unclear, whenever the kill came."""
    verdict = run(point, tmp_path)
    assert verdict.good, "\n".join([repr(verdict), *verdict.story])


def test_a_create_that_was_killed_unanswered_is_named_until_it_is_resumed(tmp_path: Path) -> None:
    """
    `destroy` reaches no service whose creation was interrupted; `up`, then `destroy`, does.

    The engine names the resource at each command, and forgets it only when a refresh is told to.
    """
    interrupted = f"* {URN}, interrupted while creating"
    sessions = Sessions(tmp_path)
    with Simulator(provision_seconds=0) as simulator:
        stack = Stack(tmp_path, simulator, command=sessions.command())
        simulator.inject("hang-after", "CreateModelService")
        with ThreadPoolExecutor(max_workers=1) as pool:
            command = pool.submit(stack.up, program())
            assert comes(lambda: simulator.calls("CreateModelService"), command)
            assert sessions.alive(sessions.kill(command, "everything")) == set()
        (service,) = pulumi_ids(simulator)
        stack.cancel()

        for _ in range(2):
            destroyed = stack.destroy()
            assert "with 1 pending operations from previous deployment" in destroyed.output
            assert interrupted in destroyed.output
            assert stack.resources() == []
            assert _pending(stack) == [("creating", URN)]
        assert pulumi_ids(simulator) == {service}

        resumed = stack.up()
        assert interrupted in resumed.output
        assert (
            f"{service} exists already from an earlier run of this declaration: resuming it, "
            "nothing new was created"
        ) in resumed.output
        assert stack.ids() == pulumi_ids(simulator) == {service}
        assert _pending(stack) == [("creating", URN)]  # no up and no destroy takes it away

        assert interrupted in stack.destroy().output
        assert pulumi_ids(simulator) == set()
        assert stack.resources() == []

        stack.refresh(clear_pending_creates=True)
        assert _pending(stack) == []
        assert "pending operations" not in stack.destroy().output
        assert mutations(simulator) == ["CreateModelService"] * 2 + ["DeleteModelService"]


def _pending(stack: Stack) -> list[tuple[str, str]]:
    operations = stack.export().get("pending_operations") or []
    return [(operation["type"], operation["resource"]["urn"]) for operation in operations]


def test_the_matrix_has_each_point_once_and_the_same_for_a_seed() -> None:
    """A name and a seed are enough to run a point again."""
    all_of_it = points(seed=1, timed=20)
    assert len({point.name for point in all_of_it}) == len(all_of_it) == 5 * 4 * 2 * 2 * 2 + 20
    assert all_of_it == points(seed=1, timed=20)
    assert all_of_it[160:] != points(seed=2, timed=20)[160:]
