"""What is proof of absence, and what only looks like it: found by a review of the rules."""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import ApiError, OperationError
from pulumi_adbpg_model.lifecycle import (
    WhitelistChange,
    create,
    delete,
    refresh,
    update,
    wait_until_active,
)
from tests.lifecycle.fakes import (
    DERIVED,
    SPEC,
    FakeClock,
    FakeCloud,
    Voice,
    fault,
    not_found,
    operation,
)


def test_refresh_believes_no_single_absence(cloud: FakeCloud, voice: Voice) -> None:
    """Describe and list may lag behind together once; a service that was seen is not dropped."""
    service = cloud.add()
    cloud.fail("describe", not_found())
    cloud.services[service].listed = False

    assert refresh(operation(cloud, voice), service) is not None


def test_refresh_needs_two_absences_some_seconds_apart(cloud: FakeCloud, voice: Voice) -> None:
    """Only then the state may drop the service."""
    assert refresh(operation(cloud, voice), ModelServiceId("gp-demo", "ms-gone")) is None
    first, *_, last = cloud.times("list")
    assert last - first >= 5.0


def test_refresh_that_is_over_after_one_absence_keeps_the_state(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A limit that leaves no time for the second look proves nothing."""
    with pytest.raises(OperationError, match="The state is kept; run the command again"):
        refresh(operation(cloud, voice, 1.0), ModelServiceId("gp-demo", "ms-gone"))


def test_a_wait_needs_two_absences_some_seconds_apart(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """Polls may come every 50 ms: two of them are no proof yet."""
    service = cloud.add(status="deploying")
    cloud.services[service].shows_at_s = 3.0
    last = ModelServiceDetails(service, status="deploying")
    clock.at(4.0, lambda: cloud.services[service].statuses.append("active"))
    wait = operation(cloud, voice, max_poll_interval_s=0.05)

    outcome = wait_until_active(wait, service, last=last)

    assert not outcome.gone
    assert outcome.reason is None


def test_delete_of_an_unseen_service_gives_it_time_whatever_the_answer(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A cloud may accept to delete what it does not see yet, and show it later."""
    service = cloud.add()
    cloud.services[service].shows_at_s = 10.0
    really = cloud.delete_model_service

    def lagging(service: ModelServiceId) -> None:
        if clock.now >= 10.0:
            really(service)

    cloud.delete_model_service = lagging  # type: ignore[method-assign]

    delete(operation(cloud, voice), service, seen=False)

    assert cloud.services == {}


def test_delete_looks_twice_before_it_believes_the_end(cloud: FakeCloud, voice: Voice) -> None:
    """A service that is still being deleted may be missed by one describe and one list."""
    service = cloud.add()
    cloud.delete_polls = 3
    cloud.fail("describe", not_found())
    cloud.services[service].listed = False

    delete(operation(cloud, voice), service)

    assert cloud.services == {}


@pytest.mark.parametrize("word", ["released", "Undeployed", "destroyed", "REMOVED", "terminated"])
def test_delete_ends_with_any_word_for_the_end(cloud: FakeCloud, voice: Voice, word: str) -> None:
    """The last status of a service is not documented; the list without it is the proof."""
    service = cloud.add(status=word)
    cloud.services[service].listed = False
    cloud.fail("delete", not_found())

    delete(operation(cloud, voice), service)

    assert voice.notes == ["gp-demo:ms-old is deleted"]


def test_a_change_of_a_service_that_becomes_pending_is_verified_at_the_end(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A whitelist that shows late, and wider than asked, is told of."""
    service = cloud.add(status="deploying", security_ip_list=None)

    def become_active() -> None:
        cloud.set_whitelist(service, ("0.0.0.0/0",))
        cloud.services[service].statuses[:] = ["active"]

    clock.at(45.0, become_active)
    asked = dataclasses.replace(SPEC, security_ip_list=("10.0.0.1",))

    update(
        operation(cloud, voice, 600.0),
        service,
        asked,
        unfinished=False,
        wait_for_active=True,
        last=ModelServiceDetails(service, status="active"),
        whitelist=WhitelistChange("g", ("10.0.0.1",)),
    )

    assert any("0.0.0.0/0" in warning for warning in voice.warnings)


def test_a_create_refused_with_an_unknown_code_names_services_that_may_hold_the_nodes(
    cloud: FakeCloud, voice: Voice
) -> None:
    """The code for a taken node is not documented either."""
    service = cloud.add()
    found = cloud.services[service]
    found.details = dataclasses.replace(found.details, ai_nodes=None)
    refusal = ApiError("CreateModelService", "in it", "no", code="AINodeInUse", status=400)
    cloud.fail_always("create", refusal)

    with pytest.raises(ApiError) as caught:
        create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert f'opts=ResourceOptions(import_="{service}")' in str(caught.value)


def test_a_wait_bears_one_unknown_code(cloud: FakeCloud, clock: FakeClock, voice: Voice) -> None:
    """One stray answer does not end an hour's wait."""
    cloud.statuses = [*["deploying"] * 5, "active"]
    stray = ApiError("DescribeModelService", "of it", "odd", code="Odd", status=400)
    clock.at(3.0, lambda: cloud.fail("describe", stray))

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert created.outcome.reason is None


def test_an_unknown_code_after_an_outage_has_its_own_patience(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """The seconds of an outage do not count against a disagreement."""
    service = cloud.add()
    cloud.delete_polls = 10_000
    odd = ApiError("DescribeModelService", "of it", "odd", code="Odd", status=400)

    def turn() -> None:
        cloud.heal()
        cloud.fail("describe", odd)

    clock.at(3.0, lambda: cloud.fail_always("describe", fault()))
    clock.at(40.0, turn)
    clock.at(100.0, lambda: cloud.remove(service))

    delete(operation(cloud, voice, 1200.0), service)

    assert clock.now >= 100.0
