"""A whole life of a service on the real engine, in a cloud that is odd in every way at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.clouds import CloudPoint, covering, run_on_engine

_SEED = 7


@pytest.mark.timeout(300)
def test_a_life_goes_well_in_an_odd_cloud(tmp_path: Path) -> None:
    """What the scenarios show without the engine holds on it too; `make chaos` runs more."""
    odd = max(covering(_SEED), key=lambda cloud: len(cloud.dialects))
    # Where reads show no whitelist, each change of it takes half a minute to be told of.
    point = CloudPoint(tuple(name for name in odd.dialects if not name.startswith("fields-")))
    assert len(point.dialects) > 20
    verdict = run_on_engine(point, tmp_path)
    assert verdict.good, (f"seed {_SEED}", verdict, *verdict.story)
