"""`refresh`: a service is called gone with proof, and on no other ground."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    ApiError,
    InstanceNotFoundError,
    NotFoundError,
    OperationError,
    ServerError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle import glance, inventory, refresh
from tests.lifecycle.fakes import (
    INSTANCE,
    FakeClock,
    FakeCloud,
    Voice,
    busy,
    fault,
    not_found,
    operation,
    outage,
)

_GONE = ModelServiceId("gp-demo", "ms-gone")


def test_refresh_returns_the_service_with_one_call(cloud: FakeCloud, voice: Voice) -> None:
    """What is there needs no list."""
    service = cloud.add(status="deploying", description="d")

    details = refresh(operation(cloud, voice), service)

    assert details is not None
    assert (service, "deploying", "d") == (details.id, details.status, details.description)
    assert [call.action for call in cloud.calls] == ["describe"]


def test_refresh_returns_nothing_with_the_proof_of_the_list(cloud: FakeCloud, voice: Voice) -> None:
    """Not-found and a complete list without it is the one proof; other services do not matter."""
    cloud.add("ms-other")

    assert refresh(operation(cloud, voice), _GONE) is None
    assert [call.action for call in cloud.calls] == ["describe", "list"] * 4


def test_refresh_raises_when_the_list_contradicts_the_not_found(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A service that the list goes on showing is not gone, whatever describe says."""
    service = cloud.add()
    cloud.fail_always("describe", not_found())

    with pytest.raises(OperationError) as caught:
        refresh(operation(cloud, voice), service)

    assert (
        str(caught.value)
        == "DescribeModelService does not know gp-demo:ms-old, but ListModelServices shows it. The "
        "state is kept; run the command again later."
    )
    assert 15.0 <= cloud.clock.now <= 17.0


def test_refresh_outlasts_a_short_contradiction(cloud: FakeCloud, voice: Voice) -> None:
    """Reads of a busy cloud may disagree for a moment."""
    service = cloud.add()
    cloud.fail("describe", *[not_found()] * 7)

    assert refresh(operation(cloud, voice), service) is not None


@pytest.mark.parametrize("limit_s", [0.0, 4.0])
def test_refresh_ends_a_contradiction_at_its_deadline(
    cloud: FakeCloud, voice: Voice, limit_s: float
) -> None:
    """The contradiction is not waited for beyond the deadline."""
    service = cloud.add()
    cloud.fail_always("describe", not_found())

    with pytest.raises(OperationError):
        refresh(operation(cloud, voice, limit_s), service)

    assert limit_s == cloud.clock.now


def test_refresh_ends_a_contradiction_at_a_cancel(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cancel ends it at once, with the state kept."""
    service = cloud.add()
    cloud.fail_always("describe", not_found())
    clock.at(1.0, clock.cancel)

    with pytest.raises(OperationError):
        refresh(operation(cloud, voice), service)

    assert clock.now == 1.0


@pytest.mark.parametrize(
    "error",
    [
        outage(),
        fault(),
        busy(),
        AccessError("Describe", "it", "no", code="InvalidAccessKeyId.NotFound", status=404),
        ApiError("Describe", "it", "no", code="Never.Heard.Of", status=400),
    ],
)
@pytest.mark.parametrize("action", ["describe", "list"])
def test_refresh_raises_anything_that_is_no_proof(
    cloud: FakeCloud, voice: Voice, error: AdbpgModelError, action: str
) -> None:
    """A 5xx, a refusal or an unknown code of either call proves nothing."""
    cloud.fail_always(action, error)

    with pytest.raises(type(error)) as caught:
        refresh(operation(cloud, voice), _GONE)

    assert error in (caught.value, caught.value.__cause__)


def test_refresh_raises_when_the_list_itself_is_not_found(cloud: FakeCloud, voice: Voice) -> None:
    """Not-found twice, as from an endpoint that does not know the action, proves nothing."""
    cloud.fail_always("describe", not_found())
    cloud.fail_always(
        "list", NotFoundError("ListModelServices", "it", "no", code="InvalidAction.NotFound")
    )

    with pytest.raises(NotFoundError, match="ListModelServices"):
        refresh(operation(cloud, voice), _GONE)


@pytest.mark.parametrize("action", ["describe", "list"])
def test_refresh_raises_when_the_instance_is_not_visible(
    cloud: FakeCloud, voice: Voice, action: str
) -> None:
    """A wrong region or account looks just like that; the text says how to drop the state."""
    cloud.fail_always(action, InstanceNotFoundError("Call", "of it", "no instance"))

    with pytest.raises(InstanceNotFoundError) as caught:
        refresh(operation(cloud, voice), _GONE)

    assert (
        str(caught.value)
        == "Call of it failed: no instance. The instance does not exist, or belongs to another "
        "region or account than the one in use: check db_instance_id, the region and the "
        "credentials. The state is kept. If the instance was deleted with its services, drop the "
        "resource from the state by hand: pulumi state delete <urn>."
    )


@pytest.mark.parametrize("status", ["active", "deploy_failed", "deleting", None])
def test_glance_tells_the_status_with_one_call(
    cloud: FakeCloud, voice: Voice, status: str | None
) -> None:
    """Whatever it is, also where the cloud leaves it out."""
    service = cloud.add(status=status)

    assert glance(operation(cloud, voice, 5.0), service) == (status or "unknown")
    assert [(call.action, call.remaining_s) for call in cloud.calls] == [("describe", 5.0)]


@pytest.mark.parametrize(
    "error", [not_found(), ApiError("Call", "of it", "no", code="Odd", status=400)]
)
def test_glance_tells_what_is_proven_gone(
    cloud: FakeCloud, voice: Voice, error: AdbpgModelError
) -> None:
    """With the list, and without a second look: nothing hangs on it but a text and a look."""
    cloud.fail_always("describe", error)

    assert glance(operation(cloud, voice), _GONE) == ""
    assert cloud.clock.now == 0.0


def test_glance_takes_a_tombstone_for_gone(cloud: FakeCloud, voice: Voice) -> None:
    """Described as deleted, and listed so."""
    assert glance(operation(cloud, voice), cloud.add(status="deleted")) == ""


@pytest.mark.parametrize(
    ("describe", "list_"),
    [
        (outage(), None),
        (fault(), None),
        (busy(), None),
        (AccessError("Describe", "it", "no"), None),
        (InstanceNotFoundError("Call", "of it", "no instance"), None),
        (not_found(), None),
        (not_found(), outage()),
        (ApiError("Call", "of it", "no", code="Odd", status=400), outage()),
    ],
)
def test_glance_tells_nothing_where_nothing_is_certain(
    cloud: FakeCloud, voice: Voice, describe: Exception, list_: Exception | None
) -> None:
    """It never fails, and contradictions prove nothing."""
    service = cloud.add()
    cloud.fail_always("describe", describe)
    if list_ is not None:
        cloud.fail_always("list", list_)

    assert glance(operation(cloud, voice), service) is None


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (TransportError("DescribeModelService", "it", "no answer"), 1),
        (ServerError("DescribeModelService", "it", "a fault"), 1),
        (AccessError("DescribeModelService", "it", "no"), 3),
    ],
)
def test_a_cloud_that_stops_answering_is_not_asked_for_each_service(
    error: Exception, described: int
) -> None:
    """Each of 150 services would take as long to fail; a refusal comes at once."""
    cloud = FakeCloud(FakeClock())
    for number in range(3):
        cloud.add(f"ms-{number}", status="success")
    cloud.fail_always("describe", error)
    assert [service.status for service in inventory(cloud, INSTANCE)] == ["success"] * 3
    assert len(cloud.times("describe")) == described
