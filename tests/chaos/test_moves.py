"""Whatever people do to their programs: nothing is lost, owned twice or left unsaid."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

from tests.chaos.machine import STEPS
from tests.chaos.moves import Moves

TestMoves = Moves.TestCase
# A life that goes wrong tells its own story; to make it smaller would take minutes.
TestMoves.settings = settings(
    max_examples=12,
    stateful_step_count=STEPS,
    derandomize=True,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow],
)
