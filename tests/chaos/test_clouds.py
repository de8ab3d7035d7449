"""A whole life of a service in every kind of cloud, without the engine."""

from __future__ import annotations

import random

import pytest

from pulumi_adbpg_model.testing import DIALECTS, EXCLUSIVE
from tests.chaos import clouds
from tests.chaos.clouds import CloudPoint, combination, covering, pairs

#: `make chaos` draws others, and lives in each dialect by itself.
_SEED = 1124
_SOURCE = random.Random(_SEED)  # noqa: S311 - to be repeated, not to be secret
_PAIRS = list(pairs(_SEED))
_POINTS = [CloudPoint(()), *_PAIRS, *(combination(_SOURCE) for _ in range(8))]


@pytest.mark.parametrize(
    "point", _POINTS, ids=lambda point: "+".join(point.dialects) or "documented"
)
def test_a_life_goes_well_whatever_the_cloud_is_like(point: CloudPoint) -> None:
    """Nothing is lost, doubled or unclear; a combination comes from the seed that is printed."""
    verdict = clouds.run(point)
    assert verdict.good, (f"seed {_SEED}", verdict, *verdict.story)


def test_every_dialect_is_lived_in() -> None:
    """By itself at length, in a pair here, and in at least one combination on the engine."""
    alone = {point.dialects for point in clouds.points(_SEED, 0)}
    assert {(), *((name,) for name in DIALECTS)} == alone
    assert DIALECTS.keys() == {name for point in _PAIRS for name in point.dialects}
    together = {name for point in covering(_SEED) for name in point.dialects}
    assert DIALECTS.keys() - together == {"invisible-20s", "failure-abnormal"}


def test_a_combination_contradicts_itself_nowhere() -> None:
    """Two dialects that exclude each other would be refused by the simulator."""
    combinations = [combination(random.Random(seed)) for seed in range(50)]  # noqa: S311 - as above
    for point in (*combinations, *_PAIRS):
        chosen = set(point.dialects)
        assert len(chosen) > 1 or point in _PAIRS[-1:]
        assert all(len(group & chosen) < 2 for group in EXCLUSIVE)
