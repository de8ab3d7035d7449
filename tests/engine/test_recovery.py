"""Ways back: from a failed service, a used-up client token, and an empty whitelist."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.programs import declare, mutations, program, pulumi_ids
from tests.engine.stack import Failed, Stack


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
    assert "code=IdempotentParameterMismatch" in reason


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
