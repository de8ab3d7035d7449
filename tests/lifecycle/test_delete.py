"""`delete`: safe to repeat, and done only when it is proved."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    InstanceNotFoundError,
    OperationError,
)
from pulumi_adbpg_model.lifecycle import delete
from tests.lifecycle.fakes import (
    FakeClock,
    FakeCloud,
    Voice,
    fault,
    not_found,
    operation,
    outage,
)


def test_delete_asks_and_proves(cloud: FakeCloud, voice: Voice) -> None:
    """One delete, then describe and list as proof, twice; the id is remembered as deleted here."""
    service = cloud.add()
    deleted: set[ModelServiceId] = set()

    delete(operation(cloud, voice, deleted=deleted), service)

    assert [call.action for call in cloud.calls] == ["delete", *["describe", "list"] * 2]
    assert {service} == deleted
    assert voice.notes == ["gp-demo:ms-old is deleted"]
    assert cloud.services == {}


def test_delete_of_what_is_gone_already_succeeds(cloud: FakeCloud, voice: Voice) -> None:
    """A repeated delete is no error, and still asks for the proof."""
    service = ModelServiceId("gp-demo", "ms-gone")
    deleted: set[ModelServiceId] = set()

    delete(operation(cloud, voice, deleted=deleted), service)

    assert [call.action for call in cloud.calls] == ["delete", "describe", "list"]
    assert {service} == deleted


def test_delete_waits_until_a_slow_cloud_is_done(cloud: FakeCloud, voice: Voice) -> None:
    """Accepted is not gone: the wait goes on, showing the status, until the proof."""
    service = cloud.add()
    cloud.delete_polls = 3

    delete(operation(cloud, voice), service)

    assert cloud.times("describe") == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert cloud.abouts("delete") == ["gp-demo:ms-old"]
    assert [
        f"gp-demo:ms-old is 'deleting': {waited} since its deletion began"
        for waited in ("0 s", "2 s", "4 s")
    ] == voice.progressed[:3]


def test_delete_raises_at_the_deadline_while_it_is_still_there(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A delete that does not end raises, so that the service stays in the state."""
    service = cloud.add()
    cloud.delete_polls = 10_000
    deleted: set[ModelServiceId] = set()

    with pytest.raises(OperationError) as caught:
        delete(operation(cloud, voice, 90.0, deleted=deleted), service)

    assert (
        str(caught.value)
        == "delete of model service gp-demo:ms-old is not finished: it is still there after "
        "1 m 30 s, the limit set by custom_timeouts (last status 'deleting'). It stays in the "
        "state; run the command again."
    )
    assert cloud.times("describe")[-1] == 90.0
    assert set() == deleted


def test_delete_raises_at_once_when_cancelled(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cancel ends the wait where it is; the service stays in the state."""
    service = cloud.add()
    cloud.delete_polls = 10_000
    clock.at(3.0, clock.cancel)

    with pytest.raises(OperationError) as caught:
        delete(operation(cloud, voice), service)

    assert (
        str(caught.value)
        == "delete of model service gp-demo:ms-old is not finished: the operation was cancelled "
        "(last status 'deleting'). It stays in the state; run the command again."
    )
    assert clock.now == 3.0


def test_delete_succeeds_at_the_deadline_with_proof(cloud: FakeCloud, voice: Voice) -> None:
    """The last look, at the deadline itself, still counts."""
    service = cloud.add()
    cloud.delete_polls = 10_000
    cloud.clock.at(89.9, lambda: cloud.remove(service))

    delete(operation(cloud, voice, 90.0), service)

    assert cloud.clock.now == 90.0


def test_delete_does_not_end_on_a_not_found_that_the_list_contradicts(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Describe alone proves nothing."""
    service = cloud.add()
    cloud.delete_polls = 10_000
    cloud.fail_always("describe", not_found())

    with pytest.raises(OperationError, match="last status 'listed, but not described'"):
        delete(operation(cloud, voice, 60.0), service)


def test_delete_believes_no_not_found_of_its_own(cloud: FakeCloud, voice: Voice) -> None:
    """A delete that is answered not-found, of a service that is there, is asked for again."""
    service = cloud.add()
    cloud.fail("delete", not_found())

    delete(operation(cloud, voice, 60.0), service)

    assert len(cloud.times("delete")) == 2
    assert cloud.services == {}


@pytest.mark.parametrize("action", ["delete", "describe", "list"])
@pytest.mark.parametrize("error", [outage(), fault(), AccessError("Call", "of it", "no")])
def test_delete_raises_what_it_cannot_get_past(
    cloud: FakeCloud, voice: Voice, action: str, error: AdbpgModelError
) -> None:
    """A failed call of any kind raises: nothing is dropped without proof."""
    service = cloud.add()
    deleted: set[ModelServiceId] = set()
    cloud.fail_always(action, error)

    with pytest.raises(type(error)) as caught:
        delete(operation(cloud, voice, deleted=deleted), service)

    assert error is caught.value
    assert set() == deleted


@pytest.mark.parametrize("action", ["delete", "describe", "list"])
def test_delete_raises_when_the_instance_is_not_visible(
    cloud: FakeCloud, voice: Voice, action: str
) -> None:
    """An instance out of sight is no proof; the text says how to drop the state by hand."""
    service = cloud.add()
    cloud.fail_always(action, InstanceNotFoundError("Call", "of it", "no instance"))

    with pytest.raises(InstanceNotFoundError) as caught:
        delete(operation(cloud, voice), service)

    assert str(caught.value).endswith(
        "The state is kept. If the instance was deleted with its services, drop the resource from "
        "the state by hand: pulumi state delete <urn>."
    )


def test_delete_outlasts_two_minutes_without_an_answer(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """The deletion goes on in a cloud out of reach; its wait bears that, as a create's does."""
    service = cloud.add()
    cloud.delete_polls = 1
    clock.at(1.0, lambda: cloud.fail_always("describe", outage()))
    clock.at(115.0, cloud.heal)

    delete(operation(cloud, voice), service)

    assert 115.0 <= clock.now <= 130.0
    assert len(cloud.times("delete")) == 1


def test_delete_tells_of_the_deadline_when_an_outage_lasts_beyond_it(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """What ended the wait is the limit; the service stays in the state."""
    service = cloud.add()
    cloud.delete_polls = 10_000
    clock.at(1.0, lambda: cloud.fail_always("describe", outage()))

    with pytest.raises(OperationError, match=r"still there after 1 m 00 s.* status 'deleting'\)"):
        delete(operation(cloud, voice, 60.0), service)


def test_a_delete_is_not_sent_for_a_service_that_shows_after_the_cancel(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A service that seemed to be gone and shows after all is not deleted behind a dead engine."""
    service = cloud.add()
    cloud.fail("delete", not_found())
    cloud.call_s = 1.0
    clock.at(1.5, clock.cancel)  # while it is described

    with pytest.raises(OperationError, match=r"^DeleteModelService .* was not sent"):
        delete(operation(cloud, voice), service)

    assert len(cloud.times("delete")) == 1
    assert service in cloud.services
