"""Taking over an existing service with `ResourceOptions(import_=…)`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pulumi import Alias, CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, mutations, place, program, pulumi_ids
from tests.engine.support.stack import Failed, Program, Stack


def test_adoption_creates_nothing_and_outlives_the_option(
    stack: Stack, simulator: Simulator
) -> None:
    """The service is in the state as it is in the cloud; dropping `import_` changes nothing."""
    id_ = place(simulator, description="placed", security_ip_list=("10.0.0.1",))
    (service,) = simulator.services
    declared: dict[str, Any] = {"description": "placed", "security_ip_list": ["10.0.0.1"]}
    adopting = program(ResourceOptions(import_=id_), **declared)
    previewed = stack.preview(adopting)
    assert previewed.changes == {"create": 2}
    assert "warning: " not in previewed.output  # the node is held by the service itself
    assert mutations(simulator) == []
    done = stack.up(adopting)
    assert done.changes == {"create": 2}
    assert f"{id_} is taken over; nothing was created" in done.output
    assert mutations(simulator) == []
    assert stack.ids() == {id_}
    outputs = stack.resource()["outputs"]
    assert outputs["model_service_id"] == service.id
    assert outputs["private_connect_url"] == service.private_connect_url
    assert stack.up(program(**declared)).changes == {"same": 2}
    stack.destroy()
    assert mutations(simulator) == ["DeleteModelService"]
    assert simulator.services == []


def test_adoption_fails_in_one_line_and_changes_nothing(stack: Stack, simulator: Simulator) -> None:
    """A malformed id at preview; every difference; a missing service is not created instead."""
    id_ = place(simulator, description="placed", security_ip_list=("10.0.0.1",))
    before = simulator.services
    with pytest.raises(Failed) as malformed:
        stack.preview(program(ResourceOptions(import_="ms-gone")))
    assert malformed.value.reasons == {
        "import_ must be '<db_instance_id>:<model_service_id>', such as gp-abc:ms-123, got "
        "'ms-gone'"
    }
    assert simulator.requests == []

    def two() -> None:
        declare(
            "differs",
            ResourceOptions(import_=id_),
            db_instance_id="gp-other",
            model_name="Qwen3-8B",
            ai_nodes=["ai-2", "ai-1"],
            description="declared",
            security_ip_list=["10.0.0.1", "10.0.0.2"],
        )
        declare("missing", ResourceOptions(import_="gp-demo:ms-gone"), ai_nodes=["ai-3"])

    with pytest.raises(Failed) as failed:
        stack.up(two, continue_on_error=True)
    assert failed.value.log.reasons("differs") == [
        f"import of {id_} failed: the declaration differs from the service: "
        "db_instance_id is declared 'gp-other', the id says 'gp-demo'; "
        "model_name is declared 'Qwen3-8B', the service runs 'Qwen3-Embedding-8B'; "
        "ai_nodes are declared ['ai-1', 'ai-2'], the service is on ['ai-1']; "
        "description is not as the service has it; "
        "security_ip_list is declared ['10.0.0.1', '10.0.0.2'], the service admits ['10.0.0.1']. "
        "Declare what is there, then run the command again. `pulumi-adbpg-model list --instance "
        "gp-demo --json` shows what is not said here."
    ]
    assert failed.value.log.reasons("missing") == [
        "import of gp-demo:ms-gone failed: there is no such model service. Correct the id in "
        "import_, or remove import_ to create a new service."
    ]
    assert "Traceback" not in failed.value.output
    assert mutations(simulator) == []
    assert simulator.services == before
    assert stack.ids() == set()


def test_a_service_that_turns_out_to_differ_is_not_deleted(
    stack: Stack, simulator: Simulator
) -> None:
    """Not by the `up` that the line advises, nor after a refresh, nor by another edit."""
    simulator.hold_deployments()
    id_ = place(simulator, description="placed", security_ip_list=("10.1.1.1",))

    def taking(*entries: str, options: ResourceOptions | None = None, **inputs: Any) -> Program:
        timeouts = CustomTimeouts(create="1s", update="5s")
        opts = ResourceOptions(import_=id_, custom_timeouts=timeouts)
        opts = ResourceOptions.merge(opts, options)
        return program(opts, security_ip_list=list(entries), **inputs)

    with pytest.raises(Failed) as failed:  # taken over all the same, since nothing was compared
        stack.up(taking("10.9.9.9"))
    assert f"model service {id_} is not active: not active within 1 s" in failed.value.output
    assert "Run `pulumi up` again to go on waiting" in failed.value.output
    simulator.change_service(id_.split(":")[1], status="active")
    replacing = taking("10.9.9.9", options=ResourceOptions(replace_on_changes=["*"]))
    with pytest.raises(Failed, match="the program declares it, but it was not compared"):
        stack.up(replacing)

    def renamed() -> None:
        alias = ResourceOptions(aliases=[Alias(name="model")], replace_on_changes=["*"])
        opts = ResourceOptions.merge(ResourceOptions(import_=id_), alias)
        declare("renamed", opts, security_ip_list=["10.9.9.9"])

    with pytest.raises(Failed, match="the program declares it, but it was not compared"):
        stack.up(renamed)
    assert stack.ids() == {id_} == pulumi_ids(simulator)
    again: list[tuple[Program, dict[str, Any]]] = [
        (taking("10.9.9.9"), {}),
        (taking("10.9.9.9"), {"refresh": True}),
        (taking("10.1.1.1", description="edited"), {}),
    ]
    previewed = stack.preview(taking("10.9.9.9"))
    assert previewed.changes == {"same": 1, "update": 1}
    assert "`pulumi up` compares it with what is declared" in previewed.output
    for edited, options in again:
        with pytest.raises(Failed, match="the declaration differs from the service"):
            stack.up(edited, **options)
        assert stack.ids() == {id_} == pulumi_ids(simulator)
    assert stack.up(taking("10.1.1.1")).changes == {"same": 1, "update": 1}
    assert stack.resource()["outputs"]["status"] == "active"
    assert stack.up(taking("10.1.1.1"), refresh=True).changes == {"same": 2}
    assert mutations(simulator) == []


def test_what_is_not_compared_yet_can_be_destroyed_or_given_up(
    stack: Stack, simulator: Simulator
) -> None:
    """By a destroy, which runs the program, and by the command that the line names."""
    simulator.hold_deployments()
    id_ = place(simulator)
    opts = ResourceOptions(import_=id_, custom_timeouts=CustomTimeouts(create="1s"))
    with pytest.raises(Failed) as failed:
        stack.up(program(opts))
    (reason,) = failed.value.reasons
    (command,) = re.findall("`(pulumi state delete [^`]*)`", reason)
    done = stack.type("sh", "-c", f"{command} --yes --stack dev")
    assert done.returncode == 0, done.stderr
    assert stack.ids() == set()
    assert pulumi_ids(simulator) == {id_}
    with pytest.raises(Failed):
        stack.up(program(opts))
    assert stack.destroy(run_program=True).changes["delete"] == 2
    assert simulator.services == []
