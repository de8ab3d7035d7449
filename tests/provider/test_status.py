"""Statuses that may be old: diff looks before it replaces, and what was active is not given up."""

from __future__ import annotations

from functools import partial

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import Diffed, Properties, Stored, kept_by

_UPDATE = Diffed("DIFF_SOME", [], delete_before_replace=True)
_REPLACE = Diffed("DIFF_SOME", ["status"], delete_before_replace=True)


@pytest.fixture
def failed(quick: TimedHost, cloud: Simulator, inputs: Properties) -> Stored:
    """A service whose deployment failed, as an earlier run left it."""
    cloud.fail_next_deployment()
    stored = kept_by(lambda: quick.create(inputs))
    cloud.clear_requests()
    return stored


@pytest.fixture
def unseen(quick: TimedHost, cloud: Simulator, inputs: Properties) -> Stored:
    """A service that never showed, because the run was stopped before."""
    cloud.hold_deployments()
    cloud.inject("not-found-404", "DescribeModelService", times=None)
    stored = kept_by(lambda: quick.create(inputs, timeout_s=1))
    cloud.clear_faults()
    cloud.clear_requests()
    assert stored.outs["status"] == "unknown"
    return stored


def _ask(host: TimedHost, stored: Stored, news: Properties) -> Diffed:
    """Check and diff, as at the start of an `up`."""
    checked = host.check(news, stored.outs)
    assert checked.failures == []
    return host.diff(stored, checked.inputs)


def _name(stored: Stored) -> str:
    return str(stored.outs["model_service_id"])


@pytest.mark.parametrize("waits", [True, False])
def test_a_failed_service_that_is_active_by_now_is_kept(
    following: TimedHost,
    cloud: Simulator,
    failed: Stored,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
    *,
    waits: bool,
) -> None:
    """The update brings address and key of the same service, and the next run finds nothing."""
    cloud.change_service(_name(failed), status="active")
    news = {**inputs, "wait_for_active": waits}
    capsys.readouterr()
    assert _ask(following, failed, news) == _UPDATE
    assert capsys.readouterr().out == (
        f"{failed.id} is 'active' by now, not 'deploy_failed': `pulumi up` keeps it\n"
    )
    updated = following.update(failed, news)
    assert (updated.id, updated.outs["status"]) == (failed.id, "active")
    assert updated.outs["api_key"] == cloud.service(_name(failed)).api_key
    assert "status_reason" not in updated.outs
    assert _ask(following, updated, news).changes == "DIFF_NONE"
    assert cloud.mutations == []


@pytest.mark.parametrize(
    ("status", "told", "diffed"),
    [
        ("deploy_failed", "'deploy_failed': `pulumi up` replaces it", _REPLACE),
        ("Error", "'Error' by now, not 'deploy_failed': `pulumi up` replaces it", _REPLACE),
        ("deleting", "'deleting' by now, not 'deploy_failed': `pulumi up` replaces it", _REPLACE),
        (
            "deployming",
            "'deployming' by now, not 'deploy_failed': `pulumi up` goes on waiting for it",
            _UPDATE,
        ),
        (None, "not there: `pulumi up` replaces it", _REPLACE),
    ],
)
def test_what_it_is_by_now_decides(
    following: TimedHost,
    cloud: Simulator,
    failed: Stored,
    inputs: Properties,
    status: str | None,
    told: str,
    diffed: Diffed,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Still failed, or gone, it is replaced; on its way, it is waited for. A line says why."""
    if status is None:
        cloud.remove_service(_name(failed))
    else:
        cloud.change_service(_name(failed), status=status)
    capsys.readouterr()
    assert _ask(following, failed, inputs) == diffed
    assert capsys.readouterr().out == f"{failed.id} is {told}\n"


@pytest.mark.parametrize("fault", ["unavailable", "throttled", "forbidden", "html-502", "hang"])
def test_a_cloud_that_does_not_answer_leaves_the_word_of_the_state(
    following: TimedHost,
    clock: MovedClock,
    cloud: Simulator,
    failed: Stored,
    inputs: Properties,
    fault: str,
) -> None:
    """A preview is not held up for more than some seconds."""
    cloud.inject(fault, "DescribeModelService", times=None)
    began_s = clock.monotonic()
    assert _ask(following, failed, inputs) == _REPLACE
    assert clock.monotonic() - began_s <= 5


@pytest.mark.parametrize("why", ["gone", "forbidden"])
def test_an_instance_that_cannot_be_looked_at_is_no_reason_for_another(
    following: TimedHost, cloud: Simulator, failed: Stored, inputs: Properties, why: str
) -> None:
    """A failed look is not made again for its other services, each of which would wait."""
    cloud.change_service(_name(failed), status="active")
    elsewhere = {**inputs, "db_instance_id": "gp-away"}
    outs = {**failed.outs, **elsewhere}
    if why == "forbidden":
        cloud.add_instance("gp-away", ["ai-1"])
        cloud.inject("forbidden", "DescribeModelService", times=1)
    for name in ("one", "two"):
        away = Stored(f"gp-away:ms-{name}", {**outs, "model_service_id": f"ms-{name}"})
        urn = f"urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::{name}"
        following.check(elsewhere, away.outs, urn=urn)
        assert following.diff(away, elsewhere, urn=urn) == _REPLACE
    assert len(cloud.requests) == 1
    assert _ask(following, failed, inputs) == _UPDATE


@pytest.mark.parametrize("change", [{"replicas": 2}, {"model_name": "Qwen3-8B"}])
def test_what_is_replaced_for_another_reason_is_not_looked_at(
    following: TimedHost, cloud: Simulator, failed: Stored, inputs: Properties, change: Properties
) -> None:
    """A look would change nothing."""
    following.check({**inputs, **change}, failed.outs)
    cloud.clear_requests()
    diffed = following.diff(failed, {**inputs, **change})
    assert sorted(diffed.replaces) == sorted([*change, "status"])
    assert cloud.requests == []


def test_a_refresh_looks_only_once(
    following: TimedHost, cloud: Simulator, failed: Stored, inputs: Properties
) -> None:
    """A diff without a check before is no part of an `up`, and makes no call."""
    cloud.change_service(_name(failed), status="active")
    assert following.diff(failed, inputs) == _REPLACE
    assert cloud.requests == []


@pytest.mark.parametrize("waits", [True, False])
def test_what_never_showed_and_is_not_there_is_replaced(
    unseen: Stored,
    following: TimedHost,
    clock: MovedClock,
    cloud: Simulator,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
    *,
    waits: bool,
) -> None:
    """Once it had its time, counted from the begin of the run, so that many cost no more."""
    inputs = {**inputs, "wait_for_active": waits}
    cloud.remove_service(_name(unseen))
    capsys.readouterr()
    for wait_s in (30, 0):
        began_s = clock.monotonic()
        assert _ask(following, unseen, inputs) == _REPLACE
        assert clock.monotonic() - began_s == pytest.approx(wait_s, abs=3)
        note = f"{unseen.id} is not there: `pulumi up` replaces it\n"
        assert capsys.readouterr().out.endswith(note)
    following.check(inputs)
    following.delete(unseen)
    cloud.release_deployments()
    assert following.create(inputs).outs["status"] == "active"


def test_what_never_showed_and_shows_now_is_kept(
    following: TimedHost, cloud: Simulator, unseen: Stored, inputs: Properties
) -> None:
    """It is the update that waits for it."""
    assert _ask(following, unseen, inputs) == _UPDATE
    cloud.release_deployments()
    updated = following.update(unseen, inputs)
    assert (updated.id, updated.outs["status"]) == (unseen.id, "active")
    assert cloud.mutations == []


def test_a_cancel_ends_the_wait_for_what_never_showed(
    following: TimedHost, clock: MovedClock, cloud: Simulator, unseen: Stored, inputs: Properties
) -> None:
    """Nothing is proven by then, so that nothing is called gone."""
    cloud.remove_service(_name(unseen))
    clock.after(5, clock.cancel.set)
    assert _ask(following, unseen, inputs) == _UPDATE


@pytest.mark.parametrize("status", ["updating", "restarting"])
def test_a_wait_for_what_was_active_takes_no_longer_than_an_update(
    quick: TimedHost,
    following: TimedHost,
    clock: MovedClock,
    cloud: Simulator,
    inputs: Properties,
    status: str,
) -> None:
    """Ten minutes, or what the program says; what never was active may take an hour."""
    active = quick.create(inputs)
    cloud.change_service(_name(active), status=status)
    stored = following.refresh(active)
    assert _ask(following, stored, inputs) == _UPDATE
    for limit_s, timeout_s in ((600, 0), (45, 45)):
        began_s = clock.monotonic()
        kept = kept_by(partial(following.update, stored, inputs, timeout_s=timeout_s))
        assert clock.monotonic() - began_s == pytest.approx(limit_s, abs=1)
        assert kept.outs["api_key"] == active.outs["api_key"]
    cloud.hold_deployments()
    late = kept_by(lambda: quick.create({**inputs, "ai_nodes": ["ai-2"]}, timeout_s=5))
    began_s = clock.monotonic()
    kept_by(lambda: quick.update(late, {**inputs, "ai_nodes": ["ai-2"]}))
    assert clock.monotonic() - began_s == pytest.approx(3600, abs=1)


def test_a_service_that_is_going_is_not_waited_for(
    quick: TimedHost, clock: MovedClock, cloud: Simulator, inputs: Properties
) -> None:
    """An update tells at once, and says that the next `up` replaces it; that one does."""
    stored = quick.create(inputs)
    cloud.change_service(_name(stored), status="deleting")
    began_s = clock.monotonic()
    kept = kept_by(lambda: quick.update(stored, {**inputs, "security_ip_group": "models"}))
    assert clock.monotonic() - began_s < 10
    assert kept.outs["status_reason"] == "it is being deleted, status 'deleting'"
    assert _ask(quick, kept, {**inputs, "security_ip_group": "models"}) == _REPLACE
