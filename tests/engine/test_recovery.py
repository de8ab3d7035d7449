"""Ways back: from a failed service, a used-up client token, and an empty whitelist."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi import CustomTimeouts, Output, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, mutations, program, pulumi_ids
from tests.engine.support.stack import Failed, Program, Stack


def test_destroy_that_runs_the_program_removes_a_failed_service(
    stack: Stack, simulator: Simulator
) -> None:
    """The program fails in the run that made the service only: a later destroy can run it."""
    simulator.fail_next_deployment()
    with pytest.raises(Failed, match="is not active: the deployment failed"):
        stack.up(program())
    assert stack.ids() == pulumi_ids(simulator)

    stack.destroy(run_program=True)

    assert simulator.services == []
    assert stack.resources() == []


def test_preview_says_what_becomes_of_a_service_that_is_not_active(
    stack: Stack, simulator: Simulator
) -> None:
    """A replacement without a changed input is explained in the resource's row."""
    simulator.fail_next_deployment()
    with pytest.raises(Failed):
        stack.up(program())
    (id_,) = stack.ids()

    previewed = stack.preview()

    assert f"{id_} is 'deploy_failed': `pulumi up` replaces it" in previewed.output
    assert previewed.changes == {"replace": 1, "same": 1}


def test_replacement_works_with_a_client_token_of_ones_own(
    stack: Stack, simulator: Simulator
) -> None:
    """The cloud would refuse the token for another request: one derived from it is sent instead."""
    stack.up(program(client_token="mine", description="old"))
    simulator.clear_requests()

    replaced = stack.up(program(client_token="mine", description="new"))

    assert replaced.changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    assert [service.description for service in simulator.services] == ["new"]
    assert stack.ids() == pulumi_ids(simulator)
    assert stack.up().changes == {"same": 2}


def test_a_second_resource_with_a_used_client_token_is_refused(
    stack: Stack, simulator: Simulator
) -> None:
    """Without a deletion the refusal stands, and says what to do."""
    stack.up(program(client_token="mine"))
    (service,) = simulator.services

    def two() -> None:
        declare(client_token="mine")
        declare("second", ai_nodes=["ai-2"], client_token="mine")

    with pytest.raises(Failed) as failed:
        stack.up(two)

    assert simulator.services == [service]
    (reason,) = failed.value.reasons
    # Whichever of the two the engine has checked first: by the cloud, or before it is asked.
    by_the_cloud = "code=IdempotentParameterMismatch" in reason
    assert by_the_cloud or reason.startswith("client_token is the one of resource 'model' (")
    assert "Set another client_token, or leave it out to have one derived" in reason


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_whitelist_is_left_to_the_cloud(
    stack: Stack, simulator: Simulator, empty: list[str] | None
) -> None:
    """The cloud's own list is no drift from an empty one."""
    stack.up(program(security_ip_list=empty))
    (service,) = simulator.services
    assert service.security_ip_list == ("127.0.0.1",)

    assert stack.refresh().changes == {"same": 2}
    assert stack.up().changes == {"same": 2}

    assert simulator.services == [service]


def test_refresh_tells_of_a_whitelist_opened_outside_that_is_not_declared(
    stack: Stack, simulator: Simulator
) -> None:
    """What the program does not manage is not mended, but not passed over in silence either."""
    stack.up(program())
    (service,) = simulator.services
    simulator.change_service(service.id, security_ip_list=("0.0.0.0/0",))

    refreshed = stack.refresh()

    assert f"gp-demo:{service.id} admits 0.0.0.0/0, though security_ip_list is not set" in (
        refreshed.output
    )


def test_repeated_replacement_asks_for_no_dead_service(stack: Stack, simulator: Simulator) -> None:
    """However often a service was replaced, one create makes its successor."""
    stack.up(program())
    for _ in range(2):
        simulator.clear_requests()
        stack.up(replace=[stack.resource()["urn"]])
        assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    assert stack.ids() == pulumi_ids(simulator)


@pytest.mark.parametrize("late_status", ["active", "deploy_failed"])
def test_whitelist_changed_while_the_service_is_deployed_is_not_forgotten(
    tmp_path: Path, late_status: str
) -> None:
    """A change that could not be made yet is made by a later up, with or after the service."""
    with Simulator(provision_seconds=0, whitelist_groups={"group": "ai-1"}) as simulator:
        simulator.hold_deployments()
        stack = Stack(tmp_path, simulator)

        def declared(entry: str) -> Program:
            limits = CustomTimeouts(create="1s", update="1s")
            return program(
                ResourceOptions(custom_timeouts=limits),
                security_ip_list=[entry],
                security_ip_group="group",
            )

        for entry in ("10.0.0.1", "10.0.0.2"):
            with pytest.raises(Failed, match="not active within 1 s"):
                stack.up(declared(entry))
        (service,) = simulator.services
        simulator.release_deployments()
        simulator.change_service(service.id, status=late_status)

        if late_status == "deploy_failed":
            with pytest.raises(Failed, match="the deployment failed"):
                stack.up()
        mended = stack.up()

        assert {"same": 1, "update" if late_status == "active" else "replace": 1} == mended.changes
        assert [one.security_ip_list for one in simulator.services] == [("10.0.0.2",)]
        assert stack.resource()["outputs"]["security_ip_list"] == ["10.0.0.2"]
        assert stack.ids() == pulumi_ids(simulator)
        assert stack.up().changes == {"same": 2}


def test_a_secret_client_token_is_nowhere_in_clear(stack: Stack, simulator: Simulator) -> None:
    """Neither the input nor the chain of tokens shows it, and a replacement still works."""
    secret = "made-up-secret-token"

    def declared(description: str) -> Program:
        def run() -> None:
            declare(client_token=Output.secret(secret), description=description)

        return run

    created = stack.up(declared("old"))
    replaced = stack.up(declared("new"))

    assert replaced.changes == {"replace": 1, "same": 1}
    assert secret not in created.output + replaced.output + stack.state_text()
    assert stack.refresh().changes == {"same": 2}
    assert stack.ids() == pulumi_ids(simulator)
