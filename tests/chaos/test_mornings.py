"""Destroyed each night, made again each morning; some mornings die in the middle."""

from __future__ import annotations

import pytest

from tests.chaos.hosting import TimedProvider
from tests.chaos.injection import Death, Moment
from tests.chaos.world import World

_DAYS = 8
_CLOUDS = [
    pytest.param((), id="remembers for ever"),
    pytest.param(("tokens-forgotten",), id="forgets"),
    pytest.param(("tokens-forget-dead",), id="forgets the dead"),
    pytest.param(("tokens-ignored",), id="ignores"),
    pytest.param(("describe-gone-terminal", "list-keeps-deleted"), id="keeps tombstones"),
]
_DEPLOYMENT_S = 10.0
#: Beyond that, a morning may take so much longer than the first.
_MORE_S = 3.0
#: Calls of a create up to the first look at the service.
_CALLS = 4


@pytest.mark.parametrize("dialects", _CLOUDS)
@pytest.mark.parametrize("night_s", [0.0, 36_000.0], ids=["at once", "after the night"])
def test_every_morning_is_like_the_first(dialects: tuple[str, ...], night_s: float) -> None:
    """However many services of the same declaration are dead, none of them is waited for."""
    with World(dialects, provision_seconds=_DEPLOYMENT_S) as world:
        took = []
        ids = set()
        for _ in range(_DAYS):
            began_s = world.clock.monotonic()
            assert world.up().did == "create"
            took.append(world.clock.monotonic() - began_s)
            assert world.ids() == world.in_cloud
            ids |= world.ids()
            assert world.destroy().well
            assert world.in_cloud == set()
            world.later(night_s)
        assert len(ids) == _DAYS
        assert max(took) <= took[0] + _MORE_S


@pytest.mark.parametrize("later_s", [0.0, 3.0, 50.0])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(_CALLS))
def test_a_morning_that_is_killed_leads_to_one_service(
    at: int, moment: Moment, later_s: float
) -> None:
    """Whenever it is run again, and whatever mornings there were before."""
    with World((), provision_seconds=_DEPLOYMENT_S) as world:
        for _ in range(2):
            world.up()
            world.destroy()
        TimedProvider.fate = Death(at, moment, lambda: world.host.cut())  # noqa: PLW0108 - a later host
        try:
            world.up()
        finally:
            TimedProvider.fate = None
        before = world.in_cloud
        assert len(before) <= 1
        world.later(later_s)
        assert world.up().well
        assert world.ids() == world.in_cloud
        assert len(world.in_cloud) == 1
        assert before <= world.in_cloud
        assert world.destroy().well
        assert world.in_cloud == set()
