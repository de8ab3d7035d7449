"""A service that no run ever saw: not-found counts after its grace only, whoever looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.lifecycle import delete, find_or_prove_gone, refresh
from tests.lifecycle.fakes import FakeClock, FakeCloud, Voice, busy, not_found, operation

_GONE = ModelServiceId("gp-demo", "ms-gone")
_Look = Callable[..., "ModelServiceDetails | None"]


def _late(cloud: FakeCloud, shows_at_s: float) -> ModelServiceId:
    """A service that no answer shows before that time, not even that of a delete."""
    service = cloud.add()
    cloud.services[service].shows_at_s = shows_at_s
    return service


@pytest.mark.parametrize("see", [find_or_prove_gone, refresh])
def test_look_gives_an_unseen_service_30_s_to_show(
    cloud: FakeCloud, voice: Voice, see: _Look
) -> None:
    """Within the grace the list is not even asked: it may lag behind as well."""
    service = _late(cloud, 29.0)

    details = see(operation(cloud, voice), service, seen=False)

    assert details is not None
    assert (details.id, details.status) == (service, "active")
    assert cloud.clock.now == 30.0
    assert cloud.times("list") == []
    assert voice.progressed[0] == "gp-demo:ms-old does not show yet"


@pytest.mark.parametrize("see", [find_or_prove_gone, refresh])
def test_look_believes_the_list_about_an_unseen_service_after_its_grace(
    cloud: FakeCloud, voice: Voice, see: _Look
) -> None:
    """After 30 s a complete list without it is the proof."""
    assert see(operation(cloud, voice), _GONE, seen=False) is None
    assert cloud.times("list") == [30.0]


@pytest.mark.parametrize(
    ("see", "looks"), [(find_or_prove_gone, [0.0]), (refresh, [0.0, 2.0, 4.0, 6.0])]
)
def test_look_has_no_grace_for_a_service_that_was_seen(
    cloud: FakeCloud, voice: Voice, see: _Look, looks: list[float]
) -> None:
    """What was seen before and is in no list now is gone, at once where no state hangs on it."""
    assert see(operation(cloud, voice), _GONE) is None
    assert cloud.times("list") == looks


def test_look_raises_when_the_list_contradicts_beyond_the_grace(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The 15 s that describe and list may disagree begin after the grace."""
    service = cloud.add()
    cloud.fail_always("describe", not_found())

    with pytest.raises(OperationError, match="does not know gp-demo:ms-old, but ListModel"):
        find_or_prove_gone(operation(cloud, voice), service, seen=False)

    assert 45.0 <= cloud.clock.now <= 48.0


def test_delete_deletes_an_unseen_service_that_shows_late(cloud: FakeCloud, voice: Voice) -> None:
    """A delete that came too early is sent again once the service shows, and nothing is left."""
    service = _late(cloud, 9.0)
    cloud.fail("delete", not_found())

    delete(operation(cloud, voice), service, seen=False)

    assert cloud.times("delete") == [0.0, 10.0]
    assert cloud.services == {}
    assert voice.notes == ["gp-demo:ms-old is deleted"]


def test_delete_sends_the_second_delete_through_a_busy_instance(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The delete that is sent again waits for the instance as the first one does."""
    service = _late(cloud, 1.0)
    cloud.fail("delete", not_found(), busy(), busy())

    delete(operation(cloud, voice), service, seen=False)

    assert cloud.times("delete") == [0.0, 2.0, 4.0, 6.0]
    assert cloud.services == {}


def test_delete_believes_the_list_about_an_unseen_service_after_its_grace(
    cloud: FakeCloud, voice: Voice
) -> None:
    """One that never shows is gone after 30 s, with one delete."""
    deleted: set[ModelServiceId] = set()

    delete(operation(cloud, voice, deleted=deleted), _GONE, seen=False)

    assert cloud.times("delete") == [0.0]
    assert cloud.times("list") == [30.0, 30.0]
    assert {_GONE} == deleted


def test_delete_pays_no_grace_for_a_service_that_was_seen(cloud: FakeCloud, voice: Voice) -> None:
    """Accepted, described as not there and not listed, twice: that is enough."""
    service = cloud.add()

    delete(operation(cloud, voice), service)

    assert [call.action for call in cloud.calls] == ["delete", *["describe", "list"] * 2]
    assert cloud.clock.now == 2.0


def test_delete_pays_no_grace_for_an_unseen_service_that_shows(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A state that knows no status, as one written by hand, does not make a destroy slow."""
    service = cloud.add()

    delete(operation(cloud, voice), service, seen=False)

    assert [call.action for call in cloud.calls] == [
        "describe",
        "delete",
        *["describe", "list"] * 2,
    ]
    assert cloud.clock.now == 2.0


@pytest.mark.parametrize("see", [find_or_prove_gone, refresh])
def test_look_proves_nothing_when_it_is_cancelled_within_the_grace(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, see: _Look
) -> None:
    """A cancel cuts the grace short: the service may still show, so it stays in the state."""
    service = _late(cloud, 20.0)
    clock.at(5.0, clock.cancel)

    with pytest.raises(OperationError) as caught:
        see(operation(cloud, voice), service, seen=False)

    assert (
        str(caught.value)
        == "gp-demo:ms-old does not show yet, and the operation was cancelled before it was given "
        "30 s to. The state is kept; run the command again later."
    )
    assert clock.now == 5.0


def test_delete_proves_nothing_when_it_is_cancelled_within_the_grace(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """Dropping the state now would lose a service that shows, and is billed, a moment later."""
    service = _late(cloud, 20.0)
    cloud.fail("delete", not_found())
    clock.at(5.0, clock.cancel)
    deleted: set[ModelServiceId] = set()

    with pytest.raises(OperationError, match="does not show yet, and the operation was cancelled"):
        delete(operation(cloud, voice, deleted=deleted), service, seen=False)

    assert set() == deleted


def test_delete_proves_nothing_at_a_deadline_within_the_grace(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A time limit below the grace is no proof either."""
    service = _late(cloud, 20.0)
    cloud.fail("delete", not_found())

    with pytest.raises(OperationError) as caught:
        delete(operation(cloud, voice, 10.0), service, seen=False)

    assert (
        str(caught.value)
        == "gp-demo:ms-old does not show yet, and the operation ran out of time before it was "
        "given 30 s to. The state is kept; run the command again later, with a longer limit in "
        "custom_timeouts."
    )
    assert service in cloud.services


def test_refresh_does_not_take_a_described_service_with_status_deleted_for_there(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A cloud may go on describing what it deleted; the list without it is the proof."""
    service = cloud.add(status="deleted")
    cloud.services[service].listed = False

    assert refresh(operation(cloud, voice), service) is None
    assert [call.action for call in cloud.calls] == ["describe", "list"] * 4


@pytest.mark.parametrize("status", ["deleted", "Deleted", " DELETED "])
def test_a_status_of_deleted_alone_is_no_proof(cloud: FakeCloud, voice: Voice, status: str) -> None:
    """While the list shows the service in another status, it is not called gone."""
    service = cloud.add()
    cloud.services[service].statuses = [status]

    with pytest.raises(OperationError, match="The state is kept"):
        refresh(operation(cloud, voice), service)


@pytest.mark.parametrize("status", ["deleting", "undeleted", "deleted soon", None])
def test_any_other_status_is_that_of_a_service_that_is_there(
    cloud: FakeCloud, voice: Voice, status: str | None
) -> None:
    """Only the very word counts."""
    service = cloud.add(status=status)
    cloud.services[service].listed = False

    details = refresh(operation(cloud, voice), service)

    assert details is not None
    assert details.status == status


def test_delete_ends_when_the_service_is_described_as_deleted(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A tombstone that is not in the list any more does not hold the deletion up."""
    service = cloud.add(status="deleted")
    cloud.services[service].listed = False
    cloud.fail("delete", not_found())

    delete(operation(cloud, voice), service)

    assert [call.action for call in cloud.calls] == ["delete", "describe", "list"]
    assert voice.notes == ["gp-demo:ms-old is deleted"]
