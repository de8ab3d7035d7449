"""Resource options behave as with every other Pulumi resource: timeouts, protection, changes."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import NODE, Echo, declare, mutations, program, pulumi_ids
from tests.engine.support.stack import Failed, Stack, is_secret, not_active


def test_custom_timeouts_bound_the_creation_when_it_takes_longer(
    stack: Stack, simulator: Simulator
) -> None:
    """A service that is not active by the `create` timeout fails `up`, and is kept in the state."""
    simulator.hold_deployments()
    with pytest.raises(Failed) as failed:
        stack.up(program(ResourceOptions(custom_timeouts=CustomTimeouts(create="1s"))))
    (id_,) = pulumi_ids(simulator)
    state = stack.resource()
    why = "not active within 1 s, the limit set by custom_timeouts (last status 'deployming')"
    assert failed.value.reasons == {not_active(state, why)}
    assert state["id"] == id_


def test_custom_timeouts_alone_are_no_change_and_bound_the_deletion_all_the_same(
    tmp_path: Path,
) -> None:
    """A new `delete` timeout is recorded by the engine; `destroy`, without a program, obeys it."""
    with Simulator(provision_seconds=0, delete_seconds=3600) as simulator:
        stack = Stack(tmp_path, simulator)
        opts = ResourceOptions(
            custom_timeouts=CustomTimeouts(delete="5m"), replace_on_changes=["*"]
        )
        stack.up(program(opts))
        (id_,) = pulumi_ids(simulator)
        simulator.clear_requests()
        opts.custom_timeouts = CustomTimeouts(delete="1s")
        assert stack.up(program(opts), expect_no_changes=True).changes == {"same": 2}
        assert simulator.requests == []
        with pytest.raises(Failed) as failed:
            stack.destroy()
        assert (
            f"delete of model service {id_} is not finished: it is still there after 1 s, the "
            "limit set by custom_timeouts (last status 'deleting'). It stays in the state; run the "
            "command again."
        ) in failed.value.reasons
        assert stack.ids() == {id_} == pulumi_ids(simulator)


def test_protect_refuses_destroy_and_replacement(stack: Stack, simulator: Simulator) -> None:
    """A protected service survives `destroy` and a change that would replace it."""
    stack.up(program(ResourceOptions(protect=True)))
    before = simulator.services
    simulator.clear_requests()
    with pytest.raises(Failed, match="cannot be deleted"):
        stack.destroy()
    with pytest.raises(Failed, match="marked for protection"):
        stack.up(program(ResourceOptions(protect=True), ai_nodes=["ai-2"]))
    assert mutations(simulator) == []
    assert simulator.services == before
    assert stack.ids() == pulumi_ids(simulator)


def test_ignore_changes_makes_changed_inputs_no_change(stack: Stack, simulator: Simulator) -> None:
    """Inputs named in `ignore_changes` may change in the program without effect."""
    stack.up(program(description="first"))
    (before,) = simulator.services
    simulator.clear_requests()
    ignoring = ResourceOptions(ignore_changes=["description", "ai_nodes"])
    assert stack.up(program(ignoring, description="second", ai_nodes=["ai-2"])).changes == {
        "same": 2
    }
    assert simulator.requests == []
    assert simulator.services == [before]
    assert stack.resource()["outputs"]["description"] == "first"


def test_replace_on_changes_replaces_where_an_update_would_do(tmp_path: Path) -> None:
    """A whitelist that could change in place replaces the service when the program asks for it."""
    with Simulator(provision_seconds=0, whitelist_groups={"group": NODE}) as simulator:
        stack = Stack(tmp_path, simulator)
        opts = ResourceOptions(replace_on_changes=["security_ip_list"])
        stack.up(program(opts, security_ip_list=["10.0.0.1"], security_ip_group="group"))
        (old,) = pulumi_ids(simulator)
        simulator.clear_requests()
        changed = stack.up(program(opts, security_ip_list=["10.0.0.2"], security_ip_group="group"))
        assert changed.changes == {"replace": 1, "same": 1}
        assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
        assert [one.security_ip_list for one in simulator.services] == [("10.0.0.2",)]
        assert stack.ids() == pulumi_ids(simulator)
        assert old not in stack.ids()


def test_replace_on_changes_is_quiet_when_a_whitelist_is_spelt_differently(
    tmp_path: Path,
) -> None:
    """A list that admits the same networks replaces nothing, also beside another change."""
    with Simulator(provision_seconds=0, whitelist_groups={"group": NODE}) as simulator:
        stack = Stack(tmp_path, simulator)

        def declared(entries: list[str], *, keeps: bool = True) -> None:
            declare(
                security_ip_list=entries,
                security_ip_group="group",
                store_api_key=keeps,
                opts=ResourceOptions(replace_on_changes=["security_ip_list"]),
            )

        stack.up(lambda: declared(["10.0.0.1", "10.0.0.2"]))
        before = simulator.services
        simulator.clear_requests()
        assert stack.up(lambda: declared(["10.0.0.2", "10.0.0.1"])).changes == {"same": 2}
        changed = stack.up(lambda: declared(["10.0.0.1/32", "10.0.0.2"], keeps=False))
        assert mutations(simulator) == []
        assert changed.changes == {"same": 1, "update": 1}
        assert simulator.services == before


def test_retain_on_delete_and_deleted_with_leave_the_service_in_the_cloud(
    stack: Stack, simulator: Simulator
) -> None:
    """`destroy` forgets services that are to stay or that go with their owner, without a call."""

    def declared() -> None:
        declare("retained", ResourceOptions(retain_on_delete=True))
        owner = Echo("owner", "gp-demo")
        declare("owned", ResourceOptions(deleted_with=owner), ai_nodes=["ai-2"])

    stack.up(declared)
    before = simulator.services
    assert len(before) == 2
    simulator.clear_requests()
    stack.destroy()
    assert simulator.requests == []
    assert simulator.services == before
    assert stack.ids() == set()


def test_secrets_of_the_program_are_kept_beside_the_api_key(
    stack: Stack, simulator: Simulator
) -> None:
    """A secret input, and an output declared secret, are encrypted in the state; so is the key."""

    def secretive() -> None:
        service = declare(
            description=pulumi.Output.secret("behind-the-curtain"),
            opts=ResourceOptions(additional_secret_outputs=["private_connect_url"]),
        )
        pulumi.export("description", service.description)

    done = stack.up(secretive)
    (service,) = simulator.services
    kept = ["behind-the-curtain", str(service.private_connect_url), str(service.api_key)]
    assert service.description == "behind-the-curtain"
    assert [text for text in kept if text in stack.state_text() + done.output] == []
    outputs = stack.resource()["outputs"]
    secret = {name for name, value in outputs.items() if is_secret(value)}
    assert secret == {"description", "private_connect_url", "api_key", "__tokens"}
    assert done.outputs == {"description": "behind-the-curtain"}
