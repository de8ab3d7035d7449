"""Any commands on any cloud: nothing is lost, doubled or left unsaid."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

from tests.chaos.machine import STEPS, Machine

TestMachine = Machine.TestCase
# A life that goes wrong tells its own story; to make it smaller would take minutes.
TestMachine.settings = settings(
    max_examples=20,
    stateful_step_count=STEPS,
    derandomize=True,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow],
)
