"""Resource options behave as with every other Pulumi resource: timeouts, protection, changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import Echo, declare, mutations, program, pulumi_ids
from tests.engine.support.stack import Failed, Program, Stack


def test_custom_timeouts_alone_are_no_change_and_bound_the_deletion_all_the_same(
    tmp_path: Path,
) -> None:
    """New timeouts are recorded by the engine; `destroy`, without a program, obeys them."""
    with Simulator(provision_seconds=0, delete_seconds=3600) as simulator:
        stack = Stack(tmp_path, simulator)
        opts = ResourceOptions(
            custom_timeouts=CustomTimeouts(create="5m", update="5m", delete="5m"),
            replace_on_changes=["*"],
        )
        stack.up(program(opts))
        (id_,) = pulumi_ids(simulator)
        simulator.clear_requests()
        opts.custom_timeouts = CustomTimeouts(create="9m", update="9m", delete="1s")
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


def _five(
    whitelist: Sequence[str], *, node: str = "ai-1", keeps: bool = True, **ignored: Any
) -> Program:
    """A service for each option."""

    def run() -> None:
        declare("protected", ResourceOptions(protect=True), ai_nodes=[node])
        named = ["description", "replicas", "model_params.max_model_len"]
        first: dict[str, Any] = {"description": "first", "model_params": {"max_model_len": 1}}
        ignoring = ResourceOptions(ignore_changes=named)
        declare("ignoring", ignoring, ai_nodes=["ai-2"], **(first | ignored))
        declare(
            "replaced",
            ResourceOptions(replace_on_changes=["security_ip_list"]),
            ai_nodes=["ai-3"],
            security_ip_list=list(whitelist),
            security_ip_group="group",
            store_api_key=keeps,
        )
        declare("retained", ResourceOptions(retain_on_delete=True), ai_nodes=["ai-4"])
        gone = ResourceOptions(deleted_with=Echo("owner", "gp-demo"))
        declare("owned", gone, ai_nodes=["ai-5"])

    return run


def test_options_do_what_they_say(tmp_path: Path) -> None:
    """One stack; what each option does is told where it is shown."""
    nodes = [f"ai-{number}" for number in range(1, 7)]
    with Simulator(
        nodes=nodes, provision_seconds=0, whitelist_groups={"group": "ai-3"}
    ) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(_five(["10.0.0.1", "10.0.0.2"]))
        before = {one.id: one for one in simulator.services}
        simulator.clear_requests()

        # Inputs named in `ignore_changes` may change without effect; nor does a list with
        # `replace_on_changes` replace anything when it is only ordered differently.
        reordered = ["10.0.0.2", "10.0.0.1"]
        params = {"max_model_len": 2}
        same = stack.up(_five(reordered, description="second", replicas=2, model_params=params))
        assert same.changes == {"same": 7}
        assert simulator.requests == []
        assert stack.resource("ignoring")["outputs"]["description"] == "first"

        # The same networks in another spelling, beside another change: in place.
        respelt = stack.up(_five(["10.0.0.1/32", "10.0.0.2"], keeps=False))
        assert respelt.changes == {"same": 6, "update": 1}
        assert mutations(simulator) == []
        assert {one.id: one for one in simulator.services} == before

        # Another list, which could change in place through its group: replaced, as is asked.
        changed = stack.up(_five(["10.0.0.3"], keeps=False))
        assert changed.changes == {"replace": 1, "same": 6}
        assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
        listed = {one.security_ip_list for one in simulator.services if one.id not in before}
        assert listed == {("10.0.0.3",)}
        assert stack.ids() == pulumi_ids(simulator)
        simulator.clear_requests()

        # `protect`: neither a replacement nor a destroy.
        everything = simulator.services
        protected = stack.resource("protected")
        with pytest.raises(Failed, match="marked for protection"):
            stack.up(_five(["10.0.0.3"], node="ai-6", keeps=False))
        with pytest.raises(Failed, match="cannot be deleted"):
            stack.destroy(target=[protected["urn"]])
        assert mutations(simulator) == []
        assert simulator.services == everything
        assert stack.ids() == pulumi_ids(simulator)

        # `retain_on_delete` and `deleted_with`: forgotten without a call.
        stays = {stack.resource(name)["id"] for name in ("retained", "owned")}
        stack.destroy(exclude_protected=True)
        assert mutations(simulator) == ["DeleteModelService"] * 2
        assert stack.ids() == {protected["id"]}
        assert pulumi_ids(simulator) == {protected["id"], *stays}
