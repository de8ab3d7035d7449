"""Destroyed at night and made in the morning, day after day: each morning is like the first."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.owning import owned, svc
from tests.engine.support.programs import mutations
from tests.engine.support.stack import Stack

_DAYS = 3
#: It keeps tombstones and lets go slowly; tests/chaos/test_mornings.py has more days and clouds.
_ODD = ["describe-gone-terminal", "list-keeps-deleted", "slow-delete", "busy-after-delete"]
#: Two creations within two seconds ask with the same token: nobody destroys and creates so fast.
_PROVISION_S = 1.0
#: A wait for what does not show takes hundreds of looks, 0.05 s apart; a good morning a few.
_FEW = 60


@pytest.mark.timeout(300)
def test_each_morning_makes_one_service_at_once(tmp_path: Path) -> None:
    """However many services of the same declaration are dead, none of them is waited for."""
    with Simulator(provision_seconds=_PROVISION_S, dialects=_ODD) as simulator:
        stack = Stack(tmp_path, simulator)
        ids: set[str] = set()
        for day in range(1, _DAYS + 1):
            simulator.clear_requests()
            morning = stack.up(svc("alpha", 1))
            assert list(owned(stack, simulator)) == ["alpha"]
            ids |= stack.ids()
            assert len(ids) == day
            assert "does not show yet" not in morning.output
            assert len(simulator.calls("DescribeModelService")) < _FEW
            assert "DeleteModelService" not in mutations(simulator)
            stack.destroy()
            assert owned(stack, simulator) == {}
