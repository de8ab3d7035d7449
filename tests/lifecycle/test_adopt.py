"""`adopt`: takes over what is there, or says everything that differs; it creates nothing."""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import AccessError, InstanceNotFoundError, OperationError
from pulumi_adbpg_model.lifecycle import (
    Created,
    GoneError,
    OwnedError,
    adopt,
    create_or_adopt,
    delete,
)
from tests.lifecycle.fakes import (
    DERIVED,
    SPEC,
    FakeClock,
    FakeCloud,
    FakeOwners,
    Voice,
    operation,
    outage,
)

_GONE = ModelServiceId("gp-demo", "ms-gone")


def _create_or_adopt(
    cloud: FakeCloud, voice: Voice, adopted: ModelServiceId | None, owners: FakeOwners
) -> Created:
    one = operation(cloud, voice, owners=owners)
    return create_or_adopt(one, SPEC, DERIVED, adopted, wait_for_active=True)


def test_adopt_takes_over_a_service_that_is_as_declared(cloud: FakeCloud, voice: Voice) -> None:
    """The id is returned with the live details, and no call changes anything."""
    service = cloud.add(api_key="sk-made-up")

    created = adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)

    assert (service, None) == (created.id, created.request_id)
    assert created.outcome.details is not None
    assert (
        created.outcome.details.status,
        created.outcome.details.api_key,
    ) == ("active", "sk-made-up")
    assert {"describe"} == {call.action for call in cloud.calls}
    assert voice.notes[0] == "gp-demo:ms-old is taken over; nothing was created"


def test_adopt_lists_every_difference_at_once(cloud: FakeCloud, voice: Voice) -> None:
    """All differences are told in one error, each with both values, and nothing is created."""
    service = cloud.add(
        model_name="Qwen3-32B",
        ai_nodes=("ai-3", "ai-2"),
        description="theirs",
        security_ip_list=("0.0.0.0/0",),
    )
    spec = dataclasses.replace(
        SPEC, db_instance_id="gp-else", description="mine", security_ip_list=("10.0.0.1",)
    )

    with pytest.raises(OperationError) as caught:
        adopt(operation(cloud, voice), service, spec, wait_for_active=True)

    assert (
        str(caught.value)
        == "import of gp-demo:ms-old failed: the declaration differs from the service: "
        "db_instance_id is declared 'gp-else', the id says 'gp-demo'; "
        "model_name is declared 'Qwen3-8B', the service runs 'Qwen3-32B'; "
        "ai_nodes are declared ['ai-1'], the service is on ['ai-2', 'ai-3']; "
        "description is not as the service has it; "
        "security_ip_list is declared ['10.0.0.1'], the service admits ['0.0.0.0/0']. "
        "Declare what is there, then run the command again. `pulumi-adbpg-model list --instance "
        "gp-demo --json` shows what is not said here."
    )
    assert [call.action for call in cloud.calls] == ["describe"]
    assert voice.notes == []


def test_adopt_refuses_what_is_not_there(cloud: FakeCloud, voice: Voice) -> None:
    """A wrong id creates nothing instead."""
    with pytest.raises(OperationError) as caught:
        adopt(
            operation(cloud, voice),
            ModelServiceId("gp-demo", "ms-typo"),
            SPEC,
            wait_for_active=True,
        )

    assert (
        str(caught.value)
        == "import of gp-demo:ms-typo failed: there is no such model service. Correct the id in "
        "import_, or remove import_ to create a new service."
    )
    assert [call.action for call in cloud.calls] == ["describe", "list"]


@pytest.mark.parametrize("status", ["failed", "deploy_failed", "ERROR"])
def test_adopt_refuses_a_failed_service(cloud: FakeCloud, voice: Voice, status: str) -> None:
    """A service that can never become active is not taken over."""
    service = cloud.add(status=status)

    with pytest.raises(OperationError) as caught:
        adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)

    assert (
        f"import of gp-demo:ms-old failed: its deployment failed, status {status!r}. Delete it "
        "and remove import_ to create a new service." == str(caught.value)
    )


def test_adopt_waits_until_a_deploying_service_is_active(cloud: FakeCloud, voice: Voice) -> None:
    """A service that is still being made is waited for, as after a create."""
    service = cloud.add()
    cloud.services[service].statuses = ["deploying", "deploying", "active"]

    created = adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)

    assert created.outcome.reason is None
    assert cloud.clock.now == 2.0


def test_adopt_keeps_the_id_at_the_deadline(cloud: FakeCloud, voice: Voice) -> None:
    """A deadline or cancel during that wait returns the id, as after a create."""
    service = cloud.add(status="deploying")

    created = adopt(operation(cloud, voice, 10.0), service, SPEC, wait_for_active=True)

    assert service == created.id
    assert created.outcome.reason is not None
    assert created.outcome.reason.startswith("not active within 10 s")


def test_adopt_does_not_wait_when_not_told_to(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """`wait_for_active=False` takes over a pending service as it is."""
    service = cloud.add(status="deploying")

    created = adopt(operation(cloud, voice), service, SPEC, wait_for_active=False)

    assert created.outcome.reason == "it is not active yet, status 'deploying'"
    assert clock.now == 0.0


def test_adopt_raises_when_the_service_goes_away_meanwhile(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A service deleted during the wait is not written into the state."""
    service = cloud.add(status="deploying")
    clock.at(3.0, lambda: cloud.remove(service))

    with pytest.raises(OperationError) as caught:
        adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)

    assert (
        str(caught.value)
        == "import of gp-demo:ms-old failed: there is no such model service. Correct the id in "
        "import_, or remove import_ to create a new service."
    )


@pytest.mark.parametrize(
    "error",
    [
        outage(),
        AccessError("DescribeModelService", "of it", "no"),
        InstanceNotFoundError("DescribeModelService", "of it", "no instance"),
    ],
)
def test_adopt_raises_when_the_service_cannot_be_read(
    cloud: FakeCloud, voice: Voice, error: Exception
) -> None:
    """Before the service was seen there is nothing to lose: the error itself is raised."""
    service = cloud.add()
    cloud.fail_always("describe", error)

    with pytest.raises(type(error)) as caught:
        adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)

    assert error is caught.value


def test_adopt_compares_nodes_and_whitelist_once_everything_shows(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """While it is being deployed a service may show them in part: that is no difference."""
    service = cloud.add(status="deploying", ai_nodes=("ai-1",), security_ip_list=None)
    spec = dataclasses.replace(SPEC, ai_nodes=("ai-1", "ai-2"), security_ip_list=("10.0.0.1",))

    def finish() -> None:
        cloud.remove(service)
        cloud.add("ms-old", "ai-2", "ai-1", security_ip_list=("10.0.0.1",))

    clock.at(3.0, finish)

    created = adopt(operation(cloud, voice), service, spec, wait_for_active=True)

    assert (created.id, created.outcome.reason) == (service, None)
    assert voice.warnings == []


def test_adopt_refuses_a_service_that_turns_out_to_differ_once_active(
    cloud: FakeCloud, voice: Voice
) -> None:
    """What was left out during the deployment is compared after it, before anything is kept."""
    service = cloud.add(ai_nodes=("ai-2",), security_ip_list=("0.0.0.0/0",))
    cloud.services[service].statuses = ["deploying", "active"]
    spec = dataclasses.replace(SPEC, security_ip_list=("10.0.0.1",))

    with pytest.raises(OperationError) as caught:
        adopt(operation(cloud, voice), service, spec, wait_for_active=True)

    assert (
        str(caught.value)
        == "import of gp-demo:ms-old failed: the declaration differs from the service: ai_nodes "
        "are declared ['ai-1'], the service is on ['ai-2']; security_ip_list is declared "
        "['10.0.0.1'], the service admits ['0.0.0.0/0']. Declare what is there, then run the "
        "command again."
    )


def test_adopt_refuses_a_pending_service_of_another_model_at_once(
    cloud: FakeCloud, voice: Voice
) -> None:
    """What shows from the start is compared before anything is waited for."""
    service = cloud.add(status="deploying", model_name="Qwen3-32B", description="theirs")
    spec = dataclasses.replace(SPEC, description="mine")

    with pytest.raises(OperationError) as caught:
        adopt(operation(cloud, voice), service, spec, wait_for_active=True)

    assert (
        str(caught.value)
        == "import of gp-demo:ms-old failed: the declaration differs from the service: model_name "
        "is declared 'Qwen3-8B', the service runs 'Qwen3-32B'; description is not as the "
        "service has it. Declare what is there, then run the command again. `pulumi-adbpg-model "
        "list --instance gp-demo --json` shows what is not said here."
    )
    assert cloud.clock.now == 0.0


def test_adopt_refuses_a_service_that_is_described_as_deleted(
    cloud: FakeCloud, voice: Voice
) -> None:
    """What the cloud calls deleted is nothing to take over."""
    service = cloud.add(status="deleted")

    with pytest.raises(OperationError, match="there is no such model service"):
        adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)


def test_adopt_claims_the_service_and_says_whose_it_was(cloud: FakeCloud, voice: Voice) -> None:
    """Its deletion by the former owner makes no call from now on."""
    service = cloud.add()
    owners = FakeOwners(whose="It was resource 'a'")

    created = adopt(operation(cloud, voice, owners=owners), service, SPEC, wait_for_active=True)

    assert (owners.claims, owners.releases) == ([(service, True)], [])
    assert created.token is None
    assert voice.notes[-1] == "It was resource 'a'"


def test_adopt_gives_back_a_service_that_differs(cloud: FakeCloud, voice: Voice) -> None:
    """What is not taken over stays its former owner's."""
    service = cloud.add(model_name="Qwen3-32B")
    owners = FakeOwners(whose="It was resource 'a'")

    with pytest.raises(OperationError, match="differs from the service"):
        adopt(operation(cloud, voice, owners=owners), service, SPEC, wait_for_active=True)

    assert owners.releases == [service]
    assert voice.notes == []


def test_adopt_claims_nothing_that_is_not_there(cloud: FakeCloud, voice: Voice) -> None:
    """A wrong id is nobody's."""
    owners = FakeOwners()

    with pytest.raises(GoneError):
        adopt(operation(cloud, voice, owners=owners), _GONE, SPEC, wait_for_active=True)

    assert owners.claims == []


def test_adopt_refuses_a_service_that_is_being_deleted(cloud: FakeCloud, voice: Voice) -> None:
    """It can never become active; the state is not to hold it."""
    service = cloud.add(status="deleting")

    with pytest.raises(OperationError) as caught:
        adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)

    assert str(caught.value) == (
        "import of gp-demo:ms-old failed: it is being deleted, status 'deleting'. Remove import_ "
        "to create a new service once it is gone."
    )


def test_create_or_adopt_takes_over_a_service_that_is_there(cloud: FakeCloud, voice: Voice) -> None:
    """With an id to adopt nothing is created."""
    service = cloud.add()

    created = _create_or_adopt(cloud, voice, service, FakeOwners())

    assert created.id == service
    assert cloud.times("create") == []


def test_create_or_adopt_creates_where_there_is_nothing_to_adopt(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Without an id, that is."""
    assert str(_create_or_adopt(cloud, voice, None, FakeOwners()).id) == "gp-demo:ms-1"


@pytest.mark.parametrize("before", [False, True])
def test_create_or_adopt_replaces_an_adopted_service_that_this_run_deleted(
    cloud: FakeCloud, voice: Voice, *, before: bool
) -> None:
    """The successor of an adopted service is created: there is nothing to take over any more."""
    service, deleted = cloud.add(), set[ModelServiceId]()
    delete(operation(cloud, voice, deleted=deleted), service)
    one = operation(cloud, voice, deleted=deleted, owners=FakeOwners(before=before))

    created = create_or_adopt(one, SPEC, DERIVED, service, wait_for_active=True)

    assert str(created.id) == "gp-demo:ms-1"


def test_create_or_adopt_raises_when_there_is_nothing_to_adopt(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A service deleted by somebody else is not created in its place."""
    with pytest.raises(OperationError, match="there is no such model service"):
        _create_or_adopt(cloud, voice, _GONE, FakeOwners())

    assert cloud.times("create") == []


def test_create_or_adopt_creates_what_replaces_an_adopted_service_of_long_ago(
    cloud: FakeCloud, voice: Voice
) -> None:
    """`import_` was left in, and replaced once: its id is gone, and means nothing any more."""
    created = _create_or_adopt(cloud, voice, _GONE, FakeOwners(before=True))

    assert str(created.id) == "gp-demo:ms-1"


def test_create_or_adopt_creates_where_the_adopted_one_is_another_resources_by_now(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Of a resource that was created before; a new one is refused."""
    service = cloud.add("ms-theirs", "ai-2", model_name=SPEC.model_name)

    with pytest.raises(OwnedError):
        _create_or_adopt(cloud, voice, service, FakeOwners(others={service}))
    assert cloud.times("create") == []

    created = _create_or_adopt(cloud, voice, service, FakeOwners(others={service}, before=True))
    assert str(created.id) == "gp-demo:ms-1"
    assert set(cloud.services) == {service, created.id}


def test_create_or_adopt_creates_where_what_was_taken_over_is_retained_elsewhere(
    cloud: FakeCloud, voice: Voice
) -> None:
    """`import_` was left in, and the resource has moved: the service of then stays as it is."""
    service = cloud.add("ms-then", "ai-2")

    created = _create_or_adopt(cloud, voice, service, FakeOwners(before=True))

    assert set(cloud.services) == {service, created.id}


def test_create_or_adopt_outwaits_an_adopted_service_that_is_being_deleted(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """Of a resource that was created before: another one is made on the node."""
    service = cloud.add(status="deleting")
    clock.at(10.0, lambda: cloud.remove(service))

    created = _create_or_adopt(cloud, voice, service, FakeOwners(before=True))

    assert list(cloud.services) == [created.id]
