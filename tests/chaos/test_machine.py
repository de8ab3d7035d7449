"""Any commands and edits, on any cloud: nothing is lost, doubled, owned twice or left unsaid."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

from tests.chaos.machine import STEPS, Machine
from tests.chaos.moves import Moves


def _lives(number: int) -> settings:
    # A life that goes wrong tells its own story; to make it smaller would take minutes.
    return settings(
        max_examples=number,
        stateful_step_count=STEPS,
        derandomize=True,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=[HealthCheck.too_slow],
    )


TestMachine = Machine.TestCase
TestMachine.settings = _lives(20)

TestMoves = Moves.TestCase
TestMoves.settings = _lives(12)
