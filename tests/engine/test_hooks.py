"""Resource hooks of the program: another try never makes a second service, nor loses one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi import (
    CustomTimeouts,
    ErrorHook,
    Resource,
    ResourceHook,
    ResourceHookBinding,
    ResourceOptions,
)

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS, blocks
from tests.engine.support.programs import declare, mutations, program, pulumi_ids
from tests.engine.support.stack import Failed, Stack


class _Tries:
    """An `on_error` hook that asks for another try, so many times, and mends something."""

    def __init__(self, most: int, mend: Callable[[], object] = lambda: None) -> None:
        self._most = most
        self._mend = mend
        self.errors: list[str] = []

    def program(self) -> None:
        """Declares one service with it."""
        declare(opts=self.options())

    def options(self, create: str = "2s", after: Resource | None = None) -> ResourceOptions:
        """Within a program, since the engine hears of the hook at once."""

        def again(args: object) -> bool:
            self.errors.append(" ".join(getattr(args, "errors")[0].split()))  # noqa: B009
            self._mend()
            return len(self.errors) <= self._most

        return ResourceOptions(
            hooks=ResourceHookBinding(on_error=[ErrorHook(f"again-{id(self)}", again)]),
            custom_timeouts=CustomTimeouts(create=create),
            depends_on=[after] if after else [],
        )


def _only(simulator: Simulator, stack: Stack) -> str:
    """The one service that is in the cloud, and in the state."""
    (id_,) = pulumi_ids(simulator)
    assert stack.ids() == {id_}
    return id_


@pytest.mark.parametrize("dialects", [(), ("tokens-ignored",)], ids=["tokens", "no tokens"])
def test_another_try_goes_on_with_the_service_that_is_there(
    tmp_path: Path, dialects: tuple[str, ...]
) -> None:
    """After a deadline, a refusal and a lost answer, one after the other: one service each."""
    with Simulator(provision_seconds=0, dialects=dialects) as simulator:
        stack = Stack(tmp_path, simulator)

        # What mends one brings about the trouble of the next.
        def let_it_deploy_and_refuse_the_next() -> None:
            simulator.release_deployments()
            simulator.inject("quota", "CreateModelService")

        late = _Tries(1, let_it_deploy_and_refuse_the_next)
        refused = _Tries(
            1, lambda: simulator.inject("reset-after", "CreateModelService", times=None, after=1)
        )
        cut = _Tries(1, simulator.clear_faults)

        def three() -> None:
            first = declare("late", late.options())
            second = declare("refused", refused.options(after=first), ai_nodes=["ai-2"])
            declare("cut", cut.options(after=second), ai_nodes=["ai-3"])

        simulator.hold_deployments()
        if dialects:  # nothing tells whose the third is: it is named, and left alone
            with pytest.raises(Failed, match="is held by model service"):
                stack.up(three)
            assert {one["urn"].rpartition("::")[2] for one in stack.resources()} == {
                "late",
                "refused",
            }
            assert stack.ids() < pulumi_ids(simulator)
        else:
            assert stack.up(three).changes == {"create": 4}
            assert stack.ids() == pulumi_ids(simulator)
        assert "not active within 2 s" in late.errors[0]
        assert "code=QuotaNotEnough" in refused.errors[0]
        asked = [call.query["AiNodes"] for call in simulator.calls("CreateModelService")]
        assert (asked.count('["ai-1"]'), asked.count('["ai-2"]')) == (1, 2)  # the late one once
        placed = {service.ai_nodes: service.status for service in simulator.services}
        assert placed == {(f"ai-{number}",): "active" for number in (1, 2, 3)}


def test_a_hook_that_never_gives_up_loses_nothing(stack: Stack, simulator: Simulator) -> None:
    """The engine ends a hundred tries by storing a resource without an id: it must not come so."""
    simulator.fail_next_deployment("deploy_failed")
    tries = _Tries(1000)
    done = stack.up(tries.program)
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
        stack.up(tries.program)
    assert failed.value.log.failed == {"model"}
    assert len(tries.errors) == 3
    id_ = _only(simulator, stack)
    simulator.clear_faults()
    assert stack.up(program()).changes == {"replace": 1, "same": 1}
    first = _only(simulator, stack)
    assert first != id_

    simulator.fail_next_deployment("deploy_failed")

    def delete() -> None:
        (second,) = pulumi_ids(simulator) - {first}
        simulator.remove_service(second.partition(":")[2])

    def two(tries: _Tries | None = None) -> None:
        declare()
        declare("another", tries.options("30s") if tries else None, ai_nodes=["ai-2"])

    with pytest.raises(Failed):
        stack.up(lambda: two(_Tries(1, delete)))
    assert stack.ids() == pulumi_ids(simulator) == {first}
    stack.up(two)
    assert stack.ids() == pulumi_ids(simulator) > {first}


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
    simulator.clear_requests()
    simulator.inject("forbidden", "CreateModelService")
    with pytest.raises(Failed):
        stack.up(hasty.program(), replace=[stack.resources()[0]["urn"]])
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]

    before = stack.up(rotating.program()).outputs
    assert stack.up().changes == {"same": 2}
    stack.set_config("rotation", "2026-12")
    rotated = stack.up()
    assert rotated.changes == {"replace": 1, "same": 1}
    assert rotated.outputs["apiKey"] not in (None, before["apiKey"])
    assert _only(simulator, stack) != first
