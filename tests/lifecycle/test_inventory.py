"""What an instance holds, where the list does not tell how its services are."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.errors import AccessError, ServerError, TransportError
from pulumi_adbpg_model.lifecycle import inventory
from tests.lifecycle.fakes import INSTANCE, FakeClock, FakeCloud


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
