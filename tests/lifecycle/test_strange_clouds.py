"""Ways in which the real cloud may differ from its pages, and that must not leave anybody stuck."""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import ApiError, BusyError, InvalidRequestError
from pulumi_adbpg_model.lifecycle import (
    adopt,
    create,
    delete,
    refresh,
    wait_until_active,
)
from pulumi_adbpg_model.lifecycle.update import WhitelistChange, change_whitelist
from tests.lifecycle.fakes import (
    DERIVED,
    SPEC,
    FakeCloud,
    FakeService,
    Voice,
    busy,
    not_found,
    operation,
    outage,
)

_GONE = ModelServiceId("gp-demo", "ms-gone")


@pytest.fixture(params=[ApiError, InvalidRequestError])
def unknown(request: pytest.FixtureRequest) -> ApiError:
    """A code that no page lists, or one that blames the id."""
    cls: type[ApiError] = request.param
    return cls("Call", "of it", "no such thing", code="ModelServiceNotExist", status=400)


def test_delete_ends_when_the_list_proves_what_an_unknown_code_says(
    cloud: FakeCloud, voice: Voice, unknown: ApiError
) -> None:
    """The code for a service that is gone is not documented: the list decides, not the code."""
    service = cloud.add()
    cloud.fail_always("describe", unknown)

    delete(operation(cloud, voice), service)

    assert cloud.services == {}
    assert voice.notes == ["gp-demo:ms-old is deleted"]


@pytest.mark.parametrize("seen", [True, False])
def test_delete_of_what_is_gone_succeeds_whatever_the_code(
    cloud: FakeCloud, voice: Voice, unknown: ApiError, *, seen: bool
) -> None:
    """A delete that is refused with an unknown code succeeds when the list proves the absence."""
    cloud.fail_always("delete", unknown)
    cloud.fail_always("describe", unknown)

    delete(operation(cloud, voice), _GONE, seen=seen)

    assert len(cloud.times("delete")) == 1


@pytest.mark.parametrize("action", ["delete", "describe"])
def test_delete_raises_an_unknown_code_of_a_service_that_is_listed(
    cloud: FakeCloud, voice: Voice, action: str, unknown: ApiError
) -> None:
    """Without the proof the refusal itself is the error."""
    service = cloud.add()
    cloud.delete_polls = 10_000
    cloud.fail_always(action, unknown)

    with pytest.raises(type(unknown)) as caught:
        delete(operation(cloud, voice, 60.0), service)

    assert unknown is caught.value


def test_delete_outlasts_a_list_that_lags_behind_an_unknown_code(
    cloud: FakeCloud, voice: Voice, unknown: ApiError
) -> None:
    """The list may show for some seconds more what describe knows no more."""
    service = cloud.add()
    cloud.delete_polls = 10_000
    cloud.fail_always("describe", unknown)
    cloud.clock.at(10.0, lambda: cloud.remove(service))

    delete(operation(cloud, voice), service)

    assert 10.0 <= cloud.clock.now <= 12.0


def test_delete_raises_an_unknown_code_when_the_list_cannot_be_had(
    cloud: FakeCloud, voice: Voice, unknown: ApiError
) -> None:
    """The refusal is what the user has to know, not that the proof failed too."""
    service = cloud.add()
    cloud.fail_always("describe", unknown)
    cloud.fail_always("list", outage())

    with pytest.raises(type(unknown)) as caught:
        delete(operation(cloud, voice, 60.0), service)

    assert unknown is caught.value


def test_refresh_with_an_unknown_code_keeps_the_state_and_says_what_the_list_says(
    cloud: FakeCloud, voice: Voice, unknown: ApiError
) -> None:
    """A refresh must not guess, but the user has to know how to go on."""
    cloud.fail_always("describe", unknown)

    with pytest.raises(type(unknown)) as caught:
        refresh(operation(cloud, voice), _GONE)

    assert unknown is caught.value.__cause__
    assert str(caught.value).endswith(
        " The state is kept. ListModelServices does not show gp-demo:ms-gone: if it was deleted, "
        "`pulumi destroy --target <urn>` or `pulumi state delete <urn>` drops it."
    )


def test_create_goes_past_a_dead_service_that_an_unknown_code_describes(
    cloud: FakeCloud, voice: Voice, unknown: ApiError
) -> None:
    """Otherwise destroy and up would store the dead id, and could never get rid of it."""
    cloud.tokens[DERIVED.at(0.0)] = _GONE
    describe = cloud.describe_model_service

    def strange(service: ModelServiceId) -> object:
        if service == _GONE:
            raise unknown
        return describe(service)

    cloud.describe_model_service = strange  # type: ignore[method-assign,assignment]

    created = create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=True)

    assert created.id != _GONE
    assert created.outcome.reason is None
    assert set(cloud.services) == {created.id}


def test_wait_tells_of_an_unknown_code_for_a_service_that_is_listed(
    cloud: FakeCloud, voice: Voice, unknown: ApiError
) -> None:
    """What exists is kept, and the refusal is the reason."""
    service = cloud.add()
    cloud.fail_always("describe", unknown)

    outcome = wait_until_active(operation(cloud, voice), service)

    assert not outcome.gone
    assert outcome.reason is not None
    assert "code=ModelServiceNotExist" in outcome.reason


@pytest.mark.parametrize("word", ["deleted", "Deleted"])
def test_a_tombstone_in_the_list_is_not_a_service(
    cloud: FakeCloud, voice: Voice, word: str
) -> None:
    """Describe does not know it and the list calls it deleted: both say that it is gone."""
    service = cloud.add(status=word)
    cloud.fail_always("describe", not_found())

    assert refresh(operation(cloud, voice), service) is None
    delete(operation(cloud, voice), service)


def test_adopt_believes_no_single_not_found(cloud: FakeCloud, voice: Voice) -> None:
    """A cloud whose reads disagree for a moment would refuse a take-over that is right."""
    service = cloud.add()
    cloud.fail("describe", not_found())

    created = adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)

    assert created.id == service


def test_create_refused_for_ever_names_services_that_may_hold_the_nodes(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A cloud that does not show nodes leaves the holder unknown, but not what there is."""
    service = cloud.add("ms-old", "ai-1")
    cloud.add("ms-dead", "ai-2", status="deleted")
    for found in cloud.services.values():
        found.details = dataclasses.replace(found.details, ai_nodes=None)
    cloud.fail_always("create", busy("OperationDenied.AINodeBound"))

    with pytest.raises(BusyError) as caught:
        create(operation(cloud, voice, 60.0), SPEC, DERIVED, wait_for_active=True)

    assert str(caught.value).endswith(
        "These services of the instance do not show their AI nodes, one may hold ai-1: "
        f'{service}. To take one over, declare it with opts=ResourceOptions(import_="{service}"), '
        "if no other stack has it; else choose a free node."
    )


def test_change_that_the_cloud_does_not_show_is_told_not_refused(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A cloud that shows no whitelist at all would otherwise make every change fail for ever."""
    service = cloud.add()
    found: FakeService = cloud.services[service]
    found.details = dataclasses.replace(found.details, security_ip_list=None)

    change_whitelist(operation(cloud, voice), service, WhitelistChange("mine", ("10.0.0.1",)))

    assert cloud.groups == {"mine": ("10.0.0.1",)}
    assert voice.warnings == [
        "gp-demo:ms-old does not show its whitelist: whether the change of group 'mine' reached it "
        "is not known"
    ]


def test_a_contradiction_late_in_an_operation_is_outlasted_too(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Each look has its own patience, however long the operation has been under way."""
    service = cloud.add()
    update = operation(cloud, voice)
    cloud.clock.advance(100.0)
    cloud.fail("describe", not_found(), not_found())

    assert refresh(update, service) is not None
