"""Dialects of ListModelServices: order, pages, age, and what is counted."""

from __future__ import annotations

from pathlib import Path

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Refuse, Sdk, Start
from tests.simulator.dialects.conftest import Read
from tests.simulator.dialects.registry import dialect

MANY = [f"n-{number}" for number in range(45)]


def _ids(sdk: Sdk, **page: int) -> list[str]:
    return [item["ModelServiceId"] for item in sdk.list(**page)["ModelServices"]]


@dialect("list-reordered")
def test_list_reordered(sdk: Sdk, clock: FakeClock) -> None:
    """The newest service comes first, over pages too."""
    ids = []
    for node in ("ai-1", "ai-2", "ai-3"):
        ids.append(sdk.create(node))
        clock.advance(1.0)
    assert _ids(sdk) == ids[::-1]


@dialect("list-reordered", nodes=MANY)
def test_pages_follow_the_order(sdk: Sdk) -> None:
    """The order is that of the whole list, not of each page."""
    ids = [sdk.create(node) for node in MANY[:25]]
    assert _ids(sdk, page_number=1) + _ids(sdk, page_number=2) == ids[::-1]


@dialect("list-paged-at-20", nodes=MANY)
def test_list_paged_at_20(sdk: Sdk) -> None:
    """A page holds 20 at most, says so, and all pages together hold everything."""
    ids = [sdk.create(node) for node in MANY]
    pages = [sdk.list(page_size=100, page_number=number) for number in (1, 2, 3, 4)]

    assert [len(page["ModelServices"]) for page in pages] == [20, 20, 5, 0]
    assert [page["PageRecordCount"] for page in pages] == [20, 20, 5, 0]
    assert [page["TotalRecordCount"] for page in pages] == [45] * 4
    assert [item["ModelServiceId"] for page in pages for item in page["ModelServices"]] == ids


@dialect("list-stale", provision_seconds=10.0)
def test_list_stale(simulator: Simulator, sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """New services are missing, changes are missing, deleted services are there, for 3 s."""
    service_id = sdk.create("ai-1", description="old")
    clock.advance(2.9)
    assert sdk.list()["TotalRecordCount"] == 0
    assert sdk.describe(service_id)["Description"] == "old"
    clock.advance(0.1)
    assert _ids(sdk) == [service_id]

    simulator.change_service(service_id, description="new")
    clock.advance(2.9)
    assert sdk.list()["ModelServices"][0]["Description"] == "old"
    assert sdk.describe(service_id)["Description"] == "new"
    clock.advance(0.1)
    assert sdk.list()["ModelServices"][0]["Description"] == "new"

    sdk.delete(service_id)
    clock.advance(2.9)
    assert refusal(sdk.describe, service_id).status == 404
    assert sdk.list()["ModelServices"][0]["Status"] == "deployming"
    clock.advance(0.1)
    assert sdk.list()["TotalRecordCount"] == 0


@dialect("list-stale", provision_seconds=10.0)
def test_a_stale_list_is_as_old_as_it_says_when_nobody_has_looked(
    sdk: Sdk, clock: FakeClock
) -> None:
    """What came due while no call arrived is dated back to its moment."""
    service_id = sdk.create("ai-1")
    clock.advance(11.0)
    assert sdk.list()["ModelServices"][0]["Status"] == "deployming"
    assert sdk.describe(service_id)["Status"] == "active"
    clock.advance(2.0)
    assert sdk.list()["ModelServices"][0]["Status"] == "active"


@dialect("list-stale", provision_seconds=10.0, delete_seconds=1.0)
def test_a_stale_list_shows_what_came_due_in_its_order(sdk: Sdk, clock: FakeClock) -> None:
    """A deletion that ended before a deployment is seen before it, though nobody looked."""
    older = sdk.create("ai-1")
    sdk.delete(sdk.create("ai-2"))
    clock.advance(11.0)
    listed = sdk.list()["ModelServices"]
    assert [(item["ModelServiceId"], item["Status"]) for item in listed] == [(older, "deployming")]


@dialect("list-stale", provision_seconds=1.0)
def test_a_stale_list_is_late_for_a_release_too(
    simulator: Simulator, sdk: Sdk, clock: FakeClock
) -> None:
    """A deployment that was held ends when it is released, not when it would have ended."""
    simulator.hold_deployments()
    service_id = sdk.create("ai-1")
    clock.advance(20.0)
    simulator.release_deployments()
    assert sdk.describe(service_id)["Status"] == "active"
    clock.advance(2.9)
    assert sdk.list()["ModelServices"][0]["Status"] == "deployming"
    clock.advance(0.1)
    assert sdk.list()["ModelServices"][0]["Status"] == "active"


@dialect("list-stale", "invisible-20s")
def test_a_stale_list_is_late_for_what_is_invisible(sdk: Sdk, clock: FakeClock) -> None:
    """It shows what it would have shown 3 s ago."""
    service_id = sdk.create("ai-1")
    clock.advance(22.9)
    assert sdk.describe(service_id)["ModelServiceId"] == service_id
    assert sdk.list()["TotalRecordCount"] == 0
    clock.advance(0.1)
    assert _ids(sdk) == [service_id]


@dialect("list-status-success")
def test_list_status_success(simulator: Simulator, sdk: Sdk) -> None:
    """List shows success whatever the service's own state; describe shows the state."""
    service_id = sdk.create("ai-1")
    assert sdk.list()["ModelServices"][0]["Status"] == "success"
    assert sdk.describe(service_id)["Status"] == "deployming"
    simulator.fail_service(service_id)
    assert sdk.list()["ModelServices"][0]["Status"] == "fail"
    assert sdk.describe(service_id)["Status"] == "deploy_failed"


@dialect("list-without-total")
def test_list_without_total(sdk: Sdk, read: Read) -> None:
    """There is no total; the rest is as ever."""
    service_id = sdk.create("ai-1")
    answer = read("ListModelServices")
    assert answer.keys() == {"ModelServices", "PageNumber", "PageRecordCount", "RequestId"}
    assert answer["ModelServices"][0]["ModelServiceId"] == service_id


@dialect("list-null-when-empty")
def test_list_null_when_empty(sdk: Sdk, read: Read) -> None:
    """No service is null and a total of 0; an empty page of some services is a list."""
    empty = read("ListModelServices")
    assert (empty["ModelServices"], empty["TotalRecordCount"]) == (None, 0)
    sdk.create("ai-1")
    beyond = read("ListModelServices", PageNumber="2")
    assert (beyond["ModelServices"], beyond["TotalRecordCount"]) == ([], 1)


@dialect("list-keeps-deleted", delete_seconds=1.0)
def test_list_keeps_deleted(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """A deleted service is listed for ever as such; its node takes the next one."""
    dead = sdk.create("ai-1", description="dead")
    sdk.delete(dead)
    assert sdk.list()["ModelServices"][0]["Status"] == "deleting"
    clock.advance(600.0)

    assert sdk.bound_nodes() == []
    alive = sdk.create("ai-1")
    listed = sdk.list()
    assert [(item["ModelServiceId"], item["Status"]) for item in listed["ModelServices"]] == [
        (dead, "deleted"),
        (alive, "deployming"),
    ]
    assert listed["TotalRecordCount"] == 2
    assert listed["ModelServices"][0]["Description"] == "dead"
    assert refusal(sdk.describe, dead).status == 404
    assert refusal(sdk.delete, dead).status == 404


@dialect("list-keeps-deleted", "delete-seen-late", delete_seconds=5.0)
def test_a_service_removed_outside_is_listed_as_deleted_at_once(
    simulator: Simulator, sdk: Sdk
) -> None:
    """A delete that reads do not show yet does not hide that the service is gone."""
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)
    assert sdk.list()["ModelServices"][0]["Status"] == "deployming"
    simulator.remove_service(service_id)
    assert sdk.list()["ModelServices"][0]["Status"] == "deleted"


def test_deleted_services_stay_listed_over_a_restart(
    start: Start, connect: type[Sdk], tmp_path: Path
) -> None:
    """What list-keeps-deleted shows does not depend on the process."""
    options = {"dialects": ["list-keeps-deleted"], "state": tmp_path / "cloud.json"}
    before = start(**options)
    sdk = connect(before)
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)
    assert before.services == []
    before.stop()

    after = start(**options)
    assert _ids(connect(after)) == [service_id]
    assert after.services == []
