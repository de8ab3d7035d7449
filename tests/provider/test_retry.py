"""A create that is tried again in the same run, as a program's `on_error` hook has it done."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import TimedHost
from tests.provider.dynamic_host import HostError, Properties, Stored, kept_by, urn_of

Trouble = Callable[[Simulator], None]


@pytest.fixture(params=[(), ("tokens-ignored",)], ids=["any cloud", "tokens ignored"])
def dialects(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How the cloud speaks; in one of them no client token keeps two creates apart."""
    found: tuple[str, ...] = request.param
    return found


#: For what costs a hundred tries: the cloud in which more can go wrong.
_tokens_ignored = pytest.mark.parametrize("dialects", [("tokens-ignored",)], indirect=True)


@pytest.fixture
def cloud(dialects: tuple[str, ...]) -> Iterator[Simulator]:
    """A cloud of the test's own."""
    groups = {"models": "ai-1"}
    with Simulator(provision_seconds=0, dialects=dialects, whitelist_groups=groups) as running:
        yield running


@pytest.fixture
def tried(quick: TimedHost, cloud: Simulator, inputs: Properties) -> Stored:
    """What is kept of a first try, whose service is still deploying."""
    cloud.hold_deployments()
    return kept_by(lambda: quick.create(inputs, timeout_s=60))


def _only(cloud: Simulator, stored: Stored) -> None:
    """Check that one create was sent in all, and that this is its service."""
    (service,) = cloud.services
    assert stored.id == f"{service.instance_id}:{service.id}"
    assert len(cloud.calls("CreateModelService")) == 1


def _held(cloud: Simulator) -> None:
    cloud.hold_deployments()


def _fault(name: str) -> Trouble:
    return lambda cloud: cloud.inject(name, "DescribeModelService", times=None)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(_held, id="deadline"),
        pytest.param(_fault("truncated-json"), id="cut off while waiting"),
        pytest.param(_fault("forbidden"), id="unreadable"),
        pytest.param(_fault("not-found-404"), id="never shown"),
    ],
)
def test_a_create_that_is_tried_again_resumes_the_service_that_there_is(
    quick: TimedHost, cloud: Simulator, inputs: Properties, trouble: Trouble
) -> None:
    """It fails for as long as the trouble lasts, then succeeds, all with the one service."""
    trouble(cloud)
    first = kept_by(lambda: quick.create(inputs, timeout_s=60))
    again = kept_by(lambda: quick.create(inputs, timeout_s=60))
    cloud.clear_faults()
    cloud.release_deployments()
    last = quick.create(inputs)

    _only(cloud, last)
    assert [first.id, again.id] == [last.id] * 2
    assert first.outs == again.outs | {
        name: first.outs[name] for name in ("status", "status_reason")
    }
    assert (last.outs["status"], last.outs["api_key"]) == ("active", cloud.services[0].api_key)
    for name in ("request_id", "__tokens"):
        assert last.outs[name] == first.outs[name]


def test_a_create_whose_deployment_failed_fails_again_with_the_same_service(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """Only the next run may replace it: within this one nothing has deleted it."""
    cloud.fail_next_deployment()
    first = kept_by(lambda: quick.create(inputs))
    again = kept_by(lambda: quick.create(inputs))

    _only(cloud, again)
    assert again == first
    assert again.outs["status"] == "deploy_failed"


def test_a_create_whose_answers_were_cut_off_finds_or_names_its_service(
    quick: TimedHost, cloud: Simulator, inputs: Properties, dialects: tuple[str, ...]
) -> None:
    """Without an id there is nothing to resume: the token finds it, or else the error names it."""
    cloud.inject("truncated-json", "CreateModelService", times=None)
    with pytest.raises(HostError, match="Whether it was applied is not known") as refused:
        quick.create(inputs)
    cloud.clear_faults()
    assert type(refused.value) is HostError

    (service,) = cloud.services
    id_ = f"{service.instance_id}:{service.id}"
    assert f"AI node ai-1 is held by model service {id_}" in str(refused.value)
    if dialects:
        with pytest.raises(HostError, match=f"AI node ai-1 is held by model service {id_}"):
            quick.create(inputs)
    else:
        assert quick.create(inputs).id == id_
    assert [one.id for one in cloud.services] == [service.id]


def test_another_resource_is_not_taken_for_a_retry(
    quick: TimedHost, cloud: Simulator, inputs: Properties, tried: Stored
) -> None:
    """What is resumed is the resource's own service."""
    other = kept_by(lambda: quick.create({**inputs, "ai_nodes": ["ai-2"]}, timeout_s=60))

    assert other.id != tried.id
    assert len(cloud.services) == 2


def test_an_update_finishes_what_a_create_left(
    quick: TimedHost, cloud: Simulator, inputs: Properties, tried: Stored
) -> None:
    """Newer engines try again with an update, of what they were told to keep."""
    again = kept_by(lambda: quick.update(tried, inputs, timeout_s=60))
    cloud.release_deployments()
    last = quick.update(again, inputs)

    assert again == tried
    _only(cloud, last)
    assert (last.outs["status"], last.outs["api_key"]) == ("active", cloud.services[0].api_key)


@pytest.mark.parametrize("fault", ["forbidden", "unavailable", "not-found-404"])
def test_an_update_after_a_failed_create_keeps_the_id_in_an_unreadable_cloud(
    quick: TimedHost, cloud: Simulator, inputs: Properties, tried: Stored, fault: str
) -> None:
    """The engine has stored nothing yet, so what it is told of the retry is all that it keeps."""
    cloud.inject(fault, "DescribeModelService", times=None)

    again = kept_by(lambda: quick.update(tried, inputs, timeout_s=60))

    _only(cloud, again)
    reason = {"status_reason": again.outs["status_reason"]}
    assert again == Stored(tried.id, {**tried.outs, **reason})


def test_an_update_after_a_failed_create_keeps_the_id_whatever_goes_wrong(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """Even an error that leaves a service of the state as it is would lose one that is not yet."""
    declared = {**inputs, "security_ip_list": ["10.0.0.1"], "security_ip_group": "models"}
    cloud.hold_deployments()
    tried = kept_by(lambda: quick.create(declared, timeout_s=60))
    cloud.release_deployments()
    cloud.inject("forbidden", "ModifySecurityIps")
    news = {**declared, "security_ip_list": ["10.0.0.2"]}

    again = kept_by(lambda: quick.update(tried, news))
    last = quick.update(again, news)

    assert again == tried
    _only(cloud, last)
    assert (last.outs["status"], last.outs["security_ip_list"]) == ("active", ["10.0.0.2"])


def test_even_a_defect_does_not_cost_the_id(
    quick: TimedHost, inputs: Properties, tried: Stored
) -> None:
    """An error that nobody has thought of leaves what was kept before."""
    assert kept_by(lambda: quick.update(tried, {**inputs, "ai_nodes": 5})) == tried


@pytest.mark.parametrize("by", ["create", "update"])
def test_another_try_that_finds_the_service_gone_keeps_nothing_and_the_next_makes_another(
    quick: TimedHost, cloud: Simulator, inputs: Properties, tried: Stored, by: str
) -> None:
    """A plain error: there is nothing that could be lost, nor resumed once more."""
    cloud.remove_service(tried.outs["model_service_id"])
    with pytest.raises(HostError) as refused:
        quick.create(inputs) if by == "create" else quick.update(tried, inputs)
    assert type(refused.value) is HostError
    assert str(refused.value) == (
        f"model service {tried.id} was deleted by someone else while it was being deployed. "
        "Nothing is left; run `pulumi up` again to create it anew."
    )
    assert cloud.services == []

    cloud.release_deployments()
    following = quick.create(inputs)
    (service,) = cloud.services
    assert following.id == f"{service.instance_id}:{service.id}" != tried.id
    assert following.outs["status"] == "active"


@_tokens_ignored
@pytest.mark.parametrize("last", ["create", "update"])
def test_the_hundredth_try_succeeds_with_a_warning(
    quick: TimedHost,
    cloud: Simulator,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
    last: str,
) -> None:
    """The engine gives up there, and would store a resource without its id."""
    cloud.hold_deployments()
    kept = kept_by(lambda: quick.create(inputs, timeout_s=1))
    for _ in range(49):
        assert kept_by(lambda: quick.create(inputs, timeout_s=1)) == kept
        again = kept_by(lambda: quick.update(kept, inputs, timeout_s=1))
        assert again == kept
    capsys.readouterr()

    if last == "create":
        stored = quick.create(inputs, timeout_s=1)
    else:
        stored = quick.update(kept, inputs, timeout_s=1)

    assert stored == kept
    _only(cloud, stored)
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"model service {kept.id} is not active: {kept.outs['status_reason']}. It is kept in the "
        "state and its AI nodes stay billed. Run `pulumi up` again to go on waiting; `pulumi "
        f"destroy --target {urn_of(inputs)}` removes it."
    )
    kept_by(lambda: quick.create({**inputs, "ai_nodes": ["ai-2"]}, timeout_s=1))


@_tokens_ignored
def test_a_replacement_has_tries_of_its_own(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """What was tried before, and how often it was looked at, does not count."""
    cloud.hold_deployments()
    for _ in range(99):
        kept = kept_by(lambda: quick.create(inputs, timeout_s=1))
        quick.refresh(kept)
    quick.delete(kept)
    assert kept_by(lambda: quick.create(inputs, timeout_s=60)).id != kept.id


@_tokens_ignored
def test_the_hundredth_try_of_a_create_keeps_what_is_gone(
    quick: TimedHost, cloud: Simulator, inputs: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine would store a resource without an id, which stops every command."""
    cloud.hold_deployments()
    for _ in range(99):
        kept = kept_by(lambda: quick.create(inputs, timeout_s=1))
    cloud.remove_service(kept.outs["model_service_id"])

    assert quick.create(inputs) == kept
    warning = capsys.readouterr().out.splitlines()[-1]
    assert warning.startswith(f"model service {kept.id} was deleted by someone else")
    assert quick.refresh(kept).id == ""


@_tokens_ignored
@pytest.mark.parametrize("trouble", ["refused", "gone"])
def test_the_hundredth_try_of_an_update_keeps_what_is_known(
    quick: TimedHost,
    cloud: Simulator,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
    trouble: str,
) -> None:
    """The engine would store a resource without outputs, which nothing but a refresh can read."""
    declared = {**inputs, "security_ip_group": "models", "security_ip_list": ["10.0.0.1"]}
    before = quick.create(declared, urn="that of an earlier run")
    service = before.outs["model_service_id"]
    cloud.change_service(service, status="updating")
    changed = {**declared, "security_ip_list": ["10.0.0.2"]}
    for _ in range(99):
        kept = kept_by(lambda: quick.update(before, changed, timeout_s=1))
    if trouble == "refused":
        cloud.inject("forbidden", "ModifySecurityIps", times=None)
        cloud.change_service(service, status="active")
    else:
        cloud.remove_service(service)

    assert quick.update(before, changed) == kept
    warning = capsys.readouterr().out.splitlines()[-1]
    assert ("Forbidden.RAM" if trouble == "refused" else f"{kept.id} is gone") in warning
    cloud.clear_faults()
    assert quick.refresh(kept).id == (kept.id if trouble == "refused" else "")
