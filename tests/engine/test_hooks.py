"""Resource hooks of the program: another try never makes a second service, nor loses one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi import (
    CustomTimeouts,
    ErrorHook,
    ResourceHook,
    ResourceHookBinding,
    ResourceOptions,
)

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS, blocks
from tests.engine.support.programs import declare, mutations, program, pulumi_ids
from tests.engine.support.stack import Failed, Program, Stack


class _Tries:
    """A program whose `on_error` hook asks for another try, so many times, and mends something."""

    def __init__(self, most: int, mend: Callable[[], object] = lambda: None) -> None:
        self._most = most
        self._mend = mend
        self.errors: list[str] = []

    def program(self, create: str = "2s", **inputs: str) -> Program:
        def again(args: object) -> bool:
            self.errors.append(" ".join(getattr(args, "errors")[0].split()))  # noqa: B009
            self._mend()
            return len(self.errors) <= self._most

        def run() -> None:
            hooks = ResourceHookBinding(on_error=[ErrorHook("again", again)])
            timeouts = CustomTimeouts(create=create)
            declare(opts=ResourceOptions(hooks=hooks, custom_timeouts=timeouts), **inputs)

        return run


def _only(simulator: Simulator, stack: Stack) -> str:
    """The one service that is in the cloud, and in the state."""
    (id_,) = pulumi_ids(simulator)
    assert stack.ids() == {id_}
    return id_


@pytest.mark.parametrize("dialects", [(), ("tokens-ignored",)], ids=["tokens", "no tokens"])
def test_another_try_goes_on_with_the_service_that_is_there(
    tmp_path: Path, dialects: tuple[str, ...]
) -> None:
    """After a deadline, a refusal and a lost answer: one service, active in the end."""
    with Simulator(provision_seconds=0, dialects=dialects) as simulator:
        late = Stack(tmp_path / "late", simulator)
        simulator.hold_deployments()
        tries = _Tries(1, simulator.release_deployments)
        assert late.up(tries.program()).changes == {"create": 2}
        assert "not active within 2 s" in tries.errors[0]
        _only(simulator, late)
        assert mutations(simulator) == ["CreateModelService"]
        late.destroy()

        refused = Stack(tmp_path / "refused", simulator)
        simulator.inject("quota", "CreateModelService")
        assert refused.up(_Tries(1).program(description="refused")).changes == {"create": 2}
        _only(simulator, refused)
        refused.destroy()

        simulator.clear_requests()
        cut = Stack(tmp_path / "cut", simulator)
        simulator.inject("reset-after", "CreateModelService", times=None)
        cutting = _Tries(1, simulator.clear_faults).program(description="cut")
        if dialects:  # nothing tells whose it is: it is named, and left alone
            with pytest.raises(Failed, match="is held by model service"):
                cut.up(cutting)
            assert len(pulumi_ids(simulator)) == 1
            assert cut.ids() == set()
        else:
            assert cut.up(cutting).changes == {"create": 2}
            _only(simulator, cut)


def test_a_hook_that_never_gives_up_loses_nothing(stack: Stack, simulator: Simulator) -> None:
    """The engine ends a hundred tries by storing a resource without an id: it must not come so."""
    simulator.fail_next_deployment("deploy_failed")
    tries = _Tries(1000)
    done = stack.up(tries.program())
    assert len(tries.errors) == 99
    (id_,) = pulumi_ids(simulator)
    assert stack.ids() == {id_}
    assert mutations(simulator) == ["CreateModelService"]
    (warning,) = (line for line in done.log.told("model", "warning") if id_ in line)
    assert "is not active: the deployment failed, status 'deploy_failed'." in warning
    assert "The next `pulumi up` replaces it" in warning
    assert stack.up(program()).changes == {"replace": 1, "same": 1}
    assert _only(simulator, stack) != id_


def test_a_try_that_cannot_see_the_service_keeps_it(stack: Stack, simulator: Simulator) -> None:
    """What failed first is stored, whatever the next tries meet; gone, it may be made anew."""
    simulator.fail_next_deployment("deploy_failed")

    def blind() -> None:
        simulator.inject("forbidden", "DescribeModelService", times=None)

    tries = _Tries(2, blind)
    with pytest.raises(Failed) as failed:
        stack.up(tries.program())
    assert failed.value.log.failed == {"model"}
    assert len(tries.errors) == 3
    id_ = _only(simulator, stack)
    simulator.clear_faults()
    assert stack.up(program()).changes == {"replace": 1, "same": 1}
    stack.destroy()

    simulator.fail_next_deployment("deploy_failed")

    def delete() -> None:
        for service in simulator.services:
            simulator.remove_service(service.id)

    with pytest.raises(Failed):
        stack.up(_Tries(1, delete).program("30s", description="another"))
    assert stack.ids() == pulumi_ids(simulator) == set()
    stack.up(program(description="yet another"))
    assert _only(simulator, stack) != id_


def test_after_hooks_run_for_active_services_alone(stack: Stack, simulator: Simulator) -> None:
    """What is to happen with a service that came up does not happen with one that did not."""
    ran: list[str] = []

    def run() -> None:
        hook = ResourceHook("note", lambda args: ran.append(args.id))
        hooks = ResourceHookBinding(after_create=[hook], after_update=[hook])
        timeouts = CustomTimeouts(create="1s")
        declare(opts=ResourceOptions(hooks=hooks, custom_timeouts=timeouts))

    simulator.hold_deployments()
    with pytest.raises(Failed):
        stack.up(run)
    assert ran == []
    simulator.release_deployments()
    stack.up()
    assert ran == [_only(simulator, stack)]


def test_programs_of_the_reference_do_what_it_says(stack: Stack, simulator: Simulator) -> None:
    """One waits for room and for nothing else, the other rotates the key by its trigger."""
    waiting, rotating = blocks(DOCS / "model-service.md", "run", "Hooks and rotation")
    hasty = dataclasses.replace(waiting, text=waiting.text.replace("sleep(60)", "sleep(0)"))
    simulator.inject("quota", "CreateModelService", times=3)
    stack.up(hasty.program())
    first = _only(simulator, stack)
    assert mutations(simulator) == ["CreateModelService"] * 4
    stack.destroy()
    simulator.clear_requests()
    simulator.inject("forbidden", "CreateModelService")
    with pytest.raises(Failed):
        stack.up(hasty.program())
    assert mutations(simulator) == ["CreateModelService"]

    before = stack.up(rotating.program()).outputs
    assert stack.up().changes == {"same": 2}
    stack.set_config("rotation", "2026-12")
    rotated = stack.up()
    assert rotated.changes == {"replace": 1, "same": 1}
    assert rotated.outputs["apiKey"] not in (None, before["apiKey"])
    assert _only(simulator, stack) != first
