"""Renamed, imported, claimed twice: each live service has one owner, whose service lives."""

from __future__ import annotations

import pulumi
import pytest
from pulumi import ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.owning import (
    alias_advised,
    declaring,
    do_what_is_said,
    in_order,
    name_each_other,
    owned,
    previewed,
    refused,
    svc,
    urn,
)
from tests.engine.support.programs import declare, mutations, place, pulumi_ids
from tests.engine.support.stack import Failed, Program, Stack


def _taking(id_: str) -> ResourceOptions:
    return ResourceOptions(import_=id_)


def test_a_new_name_is_refused_with_the_alias_that_keeps_the_service(
    stack: Stack, simulator: Simulator
) -> None:
    """
    Preview and up say the same: first the alias, which works, then the removal; no import.

    That others depend on it makes no difference: they are made, and not declared yet.
    """
    stack.up(in_order(svc("alpha", 1), svc("gamma", 2)))
    owners = owned(stack, simulator)
    simulator.clear_requests()
    renamed = in_order(svc("beta", 1), svc("gamma", 2))
    warned = previewed(stack, renamed).told("beta", "warning", "error")
    reason = refused(stack, renamed, "beta")

    for text in (reason, " ".join(warned)):
        assert alias_advised(text) == urn("alpha")
        assert f"`pulumi destroy --target {urn('alpha')}`" in text.replace("'", "")
        assert text.index("aliases=") < text.index("pulumi destroy --target")
        assert "import_" not in text
        assert "up --target" not in text
    assert owned(stack, simulator) == owners

    aliased = svc("beta", 1, ResourceOptions(aliases=[alias_advised(reason)]))
    assert stack.up(in_order(aliased, svc("gamma", 2))).changes == {"same": 3}
    assert owned(stack, simulator) == {"beta": owners["alpha"], "gamma": owners["gamma"]}
    assert "DeleteModelService" not in mutations(simulator)


def test_an_import_under_a_new_name_takes_the_service_from_the_old_one(
    stack: Stack, simulator: Simulator
) -> None:
    """The former owner's deletion makes no call and says so; without the option all stays."""
    stack.up(declaring(svc("alpha", 1), svc("gamma", 2)))
    ids = owned(stack, simulator)
    simulator.clear_requests()

    def renamed(*, imports: bool = True) -> None:
        svc("beta", 1, _taking(ids["alpha"]) if imports else None)()
        pod = pulumi.ComponentResource("shop:ai:Pod", "pod")
        into = ResourceOptions(parent=pod, import_=ids["gamma"] if imports else None)
        svc("gamma", 2, into)()

    moved = stack.up(renamed)
    after = {"beta": ids["alpha"], "gamma": ids["gamma"]}
    assert mutations(simulator) == []
    assert owned(stack, simulator) == after
    for name, id_ in ids.items():
        said = [line.text for line in moved.log.lines if line.urn == urn(name)]
        assert any(id_ in text and "is deleted" not in text for text in said), said
    assert stack.up(lambda: renamed(imports=False)).changes == {"same": 4}
    assert owned(stack, simulator) == after
    stack.destroy()
    assert owned(stack, simulator) == {}


def test_a_new_name_with_the_same_client_token_takes_the_service_along(
    stack: Stack, simulator: Simulator
) -> None:
    """The cloud answers the token with the service: the new resource owns it, the old lets go."""
    stack.up(svc("alpha", 1, client_token="made-up-token"))
    (id_,) = stack.ids()
    renamed = stack.up(svc("beta", 1, client_token="made-up-token"))

    assert owned(stack, simulator) == {"beta": id_}
    assert "earlier run of this declaration" not in renamed.output
    assert "DeleteModelService" not in mutations(simulator)


def test_one_service_is_not_taken_over_twice(stack: Stack, simulator: Simulator) -> None:
    """Two resources with one `import_` fail at preview, naming both; either alone takes it over."""
    id_ = place(simulator)
    both = declaring(svc("alpha", 1, _taking(id_)), svc("beta", 1, _taking(id_)))
    with pytest.raises(Failed) as failed:
        stack.preview(both)
    assert name_each_other(failed.value.log, "alpha", "beta")

    with pytest.raises(Failed):
        stack.up(both)
    assert pulumi_ids(simulator) == {id_}
    assert len(stack.resources()) <= 1

    stack.up(svc("beta", 1, _taking(id_)))
    assert owned(stack, simulator) == {"beta": id_}
    assert mutations(simulator) == []


def test_one_client_token_is_not_used_twice(stack: Stack, simulator: Simulator) -> None:
    """Two resources with one token fail at preview, naming both but not the token."""
    token = "made-up-token"
    names = ("alpha", "beta")
    both = declaring(*(svc(name, 1, client_token=token) for name in names))
    with pytest.raises(Failed) as failed:
        stack.preview(both)
    assert name_each_other(failed.value.log, "alpha", "beta")
    assert all(token not in line.text for line in failed.value.log.lines)
    assert mutations(simulator) == []

    with pytest.raises(Failed):
        stack.up(both)
    assert len(owned(stack, simulator)) <= 1


def test_a_service_of_a_resource_that_is_still_declared_is_not_taken_over(
    stack: Stack, simulator: Simulator
) -> None:
    """Whichever is declared first, both are named; removing either leaves one owner."""
    alpha, beta = svc("alpha", 1), svc("beta", 1)
    stack.up(alpha)
    (id_,) = stack.ids()
    simulator.clear_requests()
    taking_alpha, taking_beta = svc("alpha", 1, _taking(id_)), svc("beta", 1, _taking(id_))

    def fails(program: Program) -> None:
        with pytest.raises(Failed) as failed:
            stack.up(program)
        assert name_each_other(failed.value.log, "alpha", "beta")
        assert pulumi_ids(simulator) == stack.ids() == {id_}

    assert name_each_other(previewed(stack, in_order(alpha, taking_beta)), "alpha", "beta")
    fails(in_order(alpha, taking_beta))
    stack.up(taking_beta)  # beta owns it from here on
    assert owned(stack, simulator) == {"beta": id_}
    fails(in_order(taking_alpha, beta))
    stack.up(beta)
    assert owned(stack, simulator) == {"beta": id_}
    fails(in_order(taking_alpha, beta))  # without the option, too
    stack.up(taking_alpha)
    assert owned(stack, simulator) == {"alpha": id_}
    assert mutations(simulator) == []


def test_an_import_that_stays_in_the_program_survives_replacements(
    stack: Stack, simulator: Simulator
) -> None:
    """What was adopted is replaced time and again by one new service, in two runs if need be."""
    taking = _taking(place(simulator))
    stack.up(svc("alpha", 1, taking))
    simulator.clear_requests()
    replaced = stack.up(svc("alpha", 1, taking, description="first"))
    assert replaced.changes == {"replace": 1, "same": 1}
    assert mutations(simulator) == ["DeleteModelService", "CreateModelService"]
    assert [service.description for service in simulator.services] == ["first"]
    assert list(owned(stack, simulator)) == ["alpha"]
    simulator.inject("forbidden", "CreateModelService")
    refused(stack, svc("alpha", 1, taking, description="second"), "alpha")
    assert owned(stack, simulator) == {}
    stack.up()
    assert list(owned(stack, simulator)) == ["alpha"]
    assert stack.up(svc("alpha", 1, description="second")).changes == {"same": 2}


def test_a_changed_import_is_an_error_that_says_what_to_do(
    stack: Stack, simulator: Simulator
) -> None:
    """It shows at preview and changes nothing; doing what it says leads to the other service."""
    first, second = place(simulator), place(simulator, ai_nodes=("ai-2",))
    stack.up(svc("alpha", 1, _taking(first)))
    simulator.clear_requests()
    reasons = set()
    for node in (1, 2):  # `import_` alone, or the node as well
        changed = svc("alpha", node, _taking(second))
        with pytest.raises(Failed) as failed:
            stack.preview(changed)
        (reason,) = set(failed.value.log.reasons("alpha"))
        assert second in reason

        assert refused(stack, changed, "alpha") == reason
        assert mutations(simulator) == []
        assert (stack.ids(), pulumi_ids(simulator)) == ({first}, {first, second})
        reasons.add(reason)

    (reason,) = reasons  # one text, so that it is enough to follow it once
    command = do_what_is_said(stack, reason)
    stack.up(svc("alpha", 2, _taking(second)))
    assert stack.ids() == {second}
    given_up = "state delete" in command  # the service is kept then, by nobody
    assert pulumi_ids(simulator) == ({first, second} if given_up else {second})
    assert "CreateModelService" not in mutations(simulator)


def test_what_is_renamed_with_an_alias_and_replaced_at_once_is_deleted(
    stack: Stack, simulator: Simulator
) -> None:
    """The engine deletes it under the name that it had, while the new name owns it."""
    stack.up(declaring(svc("alpha", 1), svc("gamma", 2)))
    before = set(owned(stack, simulator).values())
    described = svc("beta", 1, ResourceOptions(aliases=[urn("alpha")]), description="new")
    moved = svc("delta", 3, ResourceOptions(aliases=[urn("gamma")]))
    stack.up(declaring(described, moved))
    after = owned(stack, simulator)
    assert set(after) == {"beta", "delta"}
    assert before.isdisjoint(after.values())
    assert stack.up().changes == {"same": 3}


def test_a_former_name_that_is_left_in_the_state_deletes_nothing(
    stack: Stack, simulator: Simulator
) -> None:
    """A target leaves it there, as an interruption does. Of two that go at once, one deletes."""
    stack.up(svc("alpha", 1))
    (id_,) = stack.ids()
    taking_over = svc("beta", 1, ResourceOptions(import_=id_))
    stack.up(taking_over, target=[urn("beta")])
    assert [one["id"] for one in stack.resources()] == [id_, id_]
    simulator.clear_requests()
    left = stack.destroy(target=[urn("alpha")])
    assert f"{id_} is resource 'beta' ({urn('beta')}) of this stack too: it is left alone" in (
        left.output
    )
    assert mutations(simulator) == []
    assert owned(stack, simulator) == {"beta": id_}

    stack.up(svc("gamma", 1, ResourceOptions(import_=id_)), target=[urn("gamma")])
    stack.destroy()
    assert mutations(simulator) == ["DeleteModelService"]
    assert owned(stack, simulator) == {}


def test_what_the_program_imports_outlives_a_failure_before_it(
    stack: Stack, simulator: Simulator
) -> None:
    """The former name is deleted before the new one is declared; the next `up` takes it over."""
    stack.up(declaring(svc("alpha", 1), svc("gamma", 3)))
    ids = owned(stack, simulator)

    def program() -> None:
        pod = pulumi.ComponentResource("shop:ai:Pod", "pod")
        renamed = svc("beta", 1, _taking(ids["alpha"]))
        into_pod = svc("gamma", 3, ResourceOptions(parent=pod, import_=ids["gamma"]))
        in_order(svc("first", 2), renamed, into_pod)()

    simulator.inject("forbidden", "CreateModelService", times=1)
    with pytest.raises(Failed) as failed:
        stack.up(program, continue_on_error=True)
    for name, id_ in ids.items():
        told = [
            line.text
            for line in failed.value.log.lines
            if line.urn == urn(name) and line.severity == "warning"
        ]
        taken_over = id_ in stack.ids()  # CLI 3.259 goes on with what depends on the failed one
        left = f"{id_} is in no state until another resource of the program takes it over"
        assert told == ([] if taken_over else [f"{left}: it is left alone"])
        assert id_ in pulumi_ids(simulator)
    stack.up(program)
    after = owned(stack, simulator)
    assert (after["beta"], after["gamma"]) == (ids["alpha"], ids["gamma"])


def test_what_depends_on_a_replaced_one_is_replaced_with_it(
    stack: Stack, simulator: Simulator
) -> None:
    """The engine deletes it before it is declared: what itself wants is not another's wish."""
    taking = _taking(place(simulator, ai_nodes=("ai-2",)))

    def program(model_name: str, renamed: dict[str, str]) -> None:
        first = declare("first", ai_nodes=["ai-1"], model_name=model_name)
        group = first.model_service_id.apply(lambda id_: f"rg-{id_}")
        declare("imported", taking, ai_nodes=["ai-2"], resource_group_id=group)
        # Led to its service by a token of its own, under the same name and under another.
        for number, name in enumerate(("token", "aliased"), 3):
            aliases = [urn(name)] if name in renamed else None
            declare(
                renamed.get(name, name),
                ResourceOptions(aliases=aliases),
                ai_nodes=[f"ai-{number}"],
                resource_group_id=group,
                client_token=name,
            )

    stack.up(lambda: program("Qwen3-Embedding-8B", {}))
    before = set(owned(stack, simulator).values())
    stack.up(lambda: program("Qwen3-Embedding-4B", {"aliased": "renamed"}))
    after = owned(stack, simulator)
    assert set(after) == {"first", "imported", "token", "renamed"}
    assert before.isdisjoint(after.values())


def test_a_token_that_moves_to_what_exists_leaves_no_service_behind(
    stack: Stack, simulator: Simulator
) -> None:
    """What has a service already takes none over, so that the one of the former is deleted."""
    stack.up(declaring(svc("alpha", 1, client_token="t"), svc("beta", 2)))
    program = in_order(svc("first", 3), svc("beta", 2, client_token="t"))
    simulator.inject("forbidden", "CreateModelService", times=1)
    with pytest.raises(Failed):
        stack.up(program, continue_on_error=True)
    stack.up(program)
    assert set(owned(stack, simulator)) == {"first", "beta"}


def test_a_deletion_that_is_left_over_is_made_up_for(stack: Stack, simulator: Simulator) -> None:
    """What takes its place is there already, on the node that was wanted."""

    def moved(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        args.opts.delete_before_replace = False
        return pulumi.ResourceTransformationResult(args.props, args.opts)

    options = ResourceOptions(transformations=[moved])
    stack.up(svc("alpha", 1, options))
    simulator.inject("forbidden", "DeleteModelService", times=1)
    with pytest.raises(Failed):
        stack.up(svc("alpha", 2, options))
    assert len(stack.ids()) == 2
    stack.up(svc("alpha", 2, options))
    assert len(owned(stack, simulator)) == 1


def test_a_program_that_breaks_off_is_not_taken_for_the_whole_program(
    stack: Stack, simulator: Simulator
) -> None:
    """What it has not declared may still own the service of what is replaced; else it is told."""
    stack.up(svc("alpha", 1))
    (id_,) = stack.ids()
    imported = ResourceOptions(import_=id_)
    stack.up(svc("beta", 1, imported), target=[urn("beta")])

    def broken() -> None:
        svc("beta", 2, imported)()
        message = "before alpha is declared"
        raise RuntimeError(message)

    with pytest.raises(Failed) as failed:
        stack.up(broken)
    (told,) = {one for one in failed.value.log.reasons("beta") if "was not sent" in one}
    assert pulumi_ids(simulator) == {id_}
    do_what_is_said(stack, told)
    assert owned(stack, simulator) == {"beta": id_}
    stack.up(svc("beta", 2, imported))
    assert id_ not in owned(stack, simulator).values()
