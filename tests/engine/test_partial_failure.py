"""Services that are there, but not active: the engine keeps them, and goes on with the rest."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path

import pulumi
import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.owning import do_what_is_said
from tests.engine.support.programs import Echo, declare, mutations, program, pulumi_ids
from tests.engine.support.running import background, eventually, stop_cli
from tests.engine.support.stack import Failed, Stack, is_secret, not_active

_NODES = [f"ai-{number}" for number in range(1, 6)]


def _six() -> None:
    """Four services, one of which will fail and one not end, and two resources besides."""
    hasty = ResourceOptions(custom_timeouts=CustomTimeouts(create="4s"))
    failing = declare("failing")
    declare("late", hasty, ai_nodes=["ai-2"])
    good = declare("good", ai_nodes=["ai-3"])
    declare("other", ai_nodes=["ai-4"])
    Echo("dependent", "fifth", opts=ResourceOptions(depends_on=[failing]))
    Echo("independent", "sixth")
    pulumi.export("key", good.api_key)
    pulumi.export("failing", failing.private_connect_url)


def test_the_rest_is_made_and_every_failed_service_is_told_in_its_own_row(tmp_path: Path) -> None:
    """Nothing is made that needs a failed service; the next up resumes, replaces and makes it."""
    with Simulator(provision_seconds=0, nodes=_NODES) as simulator:
        stack = Stack(tmp_path, simulator)
        simulator.hold_deployments()
        with background(lambda: stack.up(_six, continue_on_error=True)) as up:
            eventually(lambda: len(simulator.services) == 4, up)
            for service, status in zip(
                sorted(simulator.services, key=lambda one: one.ai_nodes),
                ("deploy_failed", "deployming", "active", "active"),
                strict=True,
            ):
                simulator.change_service(service.id, status=status)
            failed = up.exception(timeout=30)
        assert isinstance(failed, Failed)
        log = failed.log
        ids = {name: stack.resource(name)["id"] for name in ("failing", "late", "good", "other")}
        assert set(ids.values()) == pulumi_ids(simulator)
        assert log.failed == {"failing", "late"}
        assert log.reasons("failing") == [
            not_active(
                stack.resource("failing"),
                "the deployment failed, status 'deploy_failed'",
                replaced=True,
            )
        ]
        assert log.reasons("late") == [
            not_active(
                stack.resource("late"),
                "not active within 4 s, the limit set by custom_timeouts (last status "
                "'deployming')",
            )
        ]
        assert sorted(log.reasons()) == sorted(log.reasons("failing") + log.reasons("late"))
        made = {one["urn"].rpartition("::")[2] for one in stack.export()["resources"]}
        assert "independent" in made
        assert "dependent" not in made
        assert "Traceback" not in failed.output
        for name, status in (("failing", "deploy_failed"), ("late", "deployming")):
            resource = stack.resource(name)
            assert resource["initErrors"] == log.reasons(name)
            assert resource["outputs"]["status"] == status
            assert resource["outputs"]["status_reason"] in log.reasons(name)[0]
            assert "api_key" not in resource["outputs"]
        assert is_secret(stack.resource("good")["outputs"]["api_key"])

        previewed = stack.preview()
        assert previewed.changes == {"create": 1, "replace": 1, "same": 4, "update": 1}
        # A replacement without a changed input is explained.
        assert f"{ids['failing']} is 'deploy_failed': `pulumi up` replaces it" in previewed.output
        simulator.release_deployments()
        simulator.change_service(ids["late"].split(":")[1], status="active")
        simulator.clear_requests()
        done = stack.up()
        assert done.changes == {"create": 1, "replace": 1, "same": 4, "update": 1}
        assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
        after = {name: stack.resource(name)["id"] for name in ids}
        assert {name for name, id_ in after.items() if id_ != ids[name]} == {"failing"}
        assert set(after.values()) == pulumi_ids(simulator)
        assert done.outputs["key"] == simulator.service(ids["good"].split(":")[1]).api_key
        assert done.outputs["failing"].endswith(".rds.aliyuncs.com")
        for resource in stack.resources():
            assert resource.get("initErrors") is None
            assert resource["outputs"]["status"] == "active"
            assert "status_reason" not in resource["outputs"]
            assert is_secret(resource["outputs"]["api_key"])
        assert stack.up().changes == {"same": 7}


def test_outputs_of_the_stack_stay_when_another_service_fails(
    stack: Stack, simulator: Simulator
) -> None:
    """What was exported before is exported still, and nothing of the failed service is."""

    def exporting(*names: str) -> None:
        for number, name in enumerate(names, 1):
            service = declare(name, ai_nodes=[f"ai-{number}"])
            pulumi.export(name, service.private_connect_url)
            pulumi.export(f"{name}-key", service.api_key)

    before = stack.up(lambda: exporting("first")).outputs
    assert before["first-key"] == simulator.services[0].api_key
    for options in ({}, {"continue_on_error": True}):
        simulator.fail_next_deployment("deploy_failed")
        with pytest.raises(Failed):
            stack.up(lambda: exporting("first", "second"), **options)
        outputs = stack.outputs()
        assert {name: outputs[name] for name in before} == before
        # Pulumi exports "unknown" for what a program that went on did not get to know.
        assert bool(outputs.keys() - before) == bool(options)
    assert stack.up().outputs.keys() == {"first", "first-key", "second", "second-key"}


def test_the_command_that_the_line_names_removes_that_service_alone(
    stack: Stack, simulator: Simulator
) -> None:
    """As it is printed, in a shell, which takes the `$` of a component's child for its own."""

    def two() -> None:
        declare("good", ai_nodes=["ai-2"])
        pod = pulumi.ComponentResource("shop:ai:Pod", "pod")
        declare("failing", ResourceOptions(parent=pod))

    simulator.hold_deployments()
    with background(lambda: stack.up(two)) as up:
        eventually(lambda: len(simulator.services) == 2, up)
        for service in simulator.services:
            node_status = "active" if service.ai_nodes == ("ai-2",) else "deploy_failed"
            simulator.change_service(service.id, status=node_status)
        failed = up.exception(timeout=30)
    assert isinstance(failed, Failed)
    (line,) = failed.reasons
    assert "pulumi destroy" in do_what_is_said(stack, line)
    assert stack.ids() == pulumi_ids(simulator)
    assert [service.ai_nodes for service in simulator.services] == [("ai-2",)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the CLI in /proc")
def test_a_stop_during_four_waits_keeps_all_ids(stack: Stack, simulator: Simulator) -> None:
    """One line for each says that it is kept, billed and what then; the next up goes on."""

    def four() -> None:
        for node in _NODES[:4]:
            declare(node, ai_nodes=[node])

    why = "the operation was cancelled (last status 'deployming')"
    simulator.hold_deployments()
    for number, plugins in (
        (signal.SIGINT, False),
        (signal.SIGTERM, False),
        (signal.SIGTERM, True),  # to every process, as CI systems cancel
    ):
        polls = len(simulator.calls("DescribeModelService"))
        with background(lambda: stack.up(four, parallel=16)) as up:
            eventually(lambda: len(simulator.calls("DescribeModelService")) > polls + 20, up)  # noqa: B023
            failed, took_s = stop_cli(up, number, plugins=plugins)
        told = (number.name, plugins)
        assert took_s < 30.0, told  # else an hour
        assert stack.ids() == pulumi_ids(simulator), told
        assert len(stack.ids()) == 4
        assert "Traceback" not in failed.output, told
        for resource in stack.resources():
            name = resource["urn"].rpartition("::")[2]
            assert failed.log.reasons(name) == [not_active(resource, why)], told
            assert resource["outputs"]["status_reason"] == why
        assert not stack.export().get("pending_operations")
    simulator.release_deployments()
    assert stack.up().changes == {"same": 1, "update": 4}
    assert mutations(simulator) == ["CreateModelService"] * 4
    assert {one["outputs"]["status"] for one in stack.resources()} == {"active"}


def test_an_update_that_ends_without_an_active_service_fails_too(tmp_path: Path) -> None:
    """A changed whitelist that makes the service pending is in the state, and up goes on."""
    with Simulator(provision_seconds=0, whitelist_groups={"group": "ai-1"}) as simulator:
        stack = Stack(tmp_path, simulator)
        brief = ResourceOptions(custom_timeouts=CustomTimeouts(update="2s"))
        declared = partial(program, brief, security_ip_group="group")
        stack.up(declared(security_ip_list=["10.0.0.1"]))
        (service,) = simulator.services
        simulator.change_service(service.id, status="updating")
        with pytest.raises(Failed) as failed:
            stack.up(declared(security_ip_list=["10.0.0.2"]))
        assert failed.value.log.reasons("model") == [
            not_active(
                stack.resource(),
                "not active within 2 s, the limit set by custom_timeouts (last status 'updating')",
            )
        ]
        simulator.change_service(service.id, status="active")
        assert stack.up().changes == {"same": 1, "update": 1}
        assert mutations(simulator) == ["CreateModelService", "ModifySecurityIps"]
        assert stack.resource()["outputs"]["security_ip_list"] == ["10.0.0.2"]


def test_a_failed_service_with_a_large_state_is_kept_whole(
    stack: Stack, simulator: Simulator
) -> None:
    """What the engine is told travels beside the answer, and is not cut there."""
    entries = [f"10.{number // 250}.{number % 250}.0/24" for number in range(1000)]
    params = {f"parameter-{number}": "x" * 100 for number in range(300)}
    simulator.fail_next_deployment("deploy_failed")
    with pytest.raises(Failed) as failed:
        stack.up(program(security_ip_list=entries, model_params=params, description="ä" * 2000))
    assert failed.value.log.failed == {"model"}
    outputs = stack.resource()["outputs"]
    assert outputs["security_ip_list"] == entries
    assert outputs["model_params"] == params
    assert outputs["description"] == "ä" * 2000
    # The program fails in the run that made the service only: a later destroy can run it.
    assert stack.destroy(run_program=True).changes["delete"] == 2
    assert simulator.services == []
    assert stack.resources() == []
