"""A whole life of a service in every kind of cloud, without the engine."""

from __future__ import annotations

import random

import pytest

from pulumi_adbpg_model.testing import DIALECTS, EXCLUSIVE
from tests.chaos import clouds
from tests.chaos.clouds import CloudPoint, combination, covering

#: `make chaos` draws others.
_SEED = 1124
_POINTS = list(clouds.points(_SEED, 16))


@pytest.mark.parametrize(
    "point", _POINTS, ids=lambda point: "+".join(point.dialects) or "documented"
)
def test_a_life_goes_well_whatever_the_cloud_is_like(point: CloudPoint) -> None:
    """Nothing is lost, doubled or unclear; a combination comes from the seed that is printed."""
    verdict = clouds.run(point)
    assert verdict.good, (f"seed {_SEED}", verdict, *verdict.story)


def test_every_dialect_is_lived_in() -> None:
    """Each one alone, and at least one combination with it for the engine."""
    alone = {point.dialects for point in _POINTS if len(point.dialects) == 1}
    assert {(name,) for name in DIALECTS} == alone
    together = {name for point in covering(_SEED) for name in point.dialects}
    assert DIALECTS.keys() - together == {"invisible-20s", "failure-abnormal"}


@pytest.mark.parametrize("seed", range(50))
def test_a_combination_contradicts_itself_nowhere(seed: int) -> None:
    """Two dialects that exclude each other would be refused by the simulator."""
    chosen = set(combination(random.Random(seed)).dialects)  # noqa: S311 - to be repeated
    assert len(chosen) > 1
    assert all(len(group & chosen) < 2 for group in EXCLUSIVE)
