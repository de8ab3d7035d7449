"""A whole life of a service on the real engine, in a cloud that is odd in every way at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.clouds import CloudPoint, covering, run_on_engine

_SEED = 7
#: Where reads show no whitelist, each change of it takes half a minute to be told of; the others
#: let every deletion and what comes after it take seconds more.
_SLOW = ("fields-", "busy-after-", "delete-seen-late", "nodes-bound-after-", "slow-delete")


@pytest.mark.timeout(300)
def test_a_life_goes_well_in_an_odd_cloud(tmp_path: Path) -> None:
    """What the scenarios show without the engine holds on it too; `make chaos` runs more."""
    odd = max(covering(_SEED), key=lambda cloud: len(cloud.dialects))
    point = CloudPoint(tuple(name for name in odd.dialects if not name.startswith(_SLOW)))
    assert len(point.dialects) > 15
    verdict = run_on_engine(point, tmp_path)
    assert verdict.good, (f"seed {_SEED}", verdict, *verdict.story)
