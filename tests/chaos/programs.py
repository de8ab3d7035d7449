"""What a person does to a program: each edit gives the program that is there afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tests.chaos.commands import INSTANCE
from tests.chaos.stacks import Declared

Program = tuple[Declared, ...]

NODES = [f"ai-{number}" for number in range(1, 9)]
MODELS = ["Qwen3-Embedding-8B", "Qwen3-8B"]


def service(name: str, node: str) -> Declared:
    """The smallest declaration."""
    inputs = {"db_instance_id": INSTANCE, "model_name": MODELS[0], "ai_nodes": [node]}
    return Declared(name, inputs)


def named(program: Program, name: str) -> Declared:
    """The resource of that name."""
    return next(one for one in program if one.name == name)


def without(program: Program, name: str) -> Program:
    """The program without a resource."""
    return tuple(one for one in program if one.name != name)


def changed(program: Program, name: str, change: Callable[[Declared], Declared]) -> Program:
    """The program with one resource changed, at its place."""
    return tuple(change(one) if one.name == name else one for one in program)


def with_inputs(declared: Declared, inputs: dict[str, Any]) -> Declared:
    """With other inputs; None takes one away."""
    merged = {**declared.inputs, **inputs}
    return replace(
        declared, inputs={name: value for name, value in merged.items() if value is not None}
    )


def renamed(declared: Declared, name: str, stack: str, *, alias: bool) -> Declared:
    """Under another name, with its former one as an alias or without."""
    aliases = (declared.urn(stack),) if alias else ()
    return replace(declared, name=name, aliases=aliases)


def shifted(program: Program) -> Program:
    """Everybody moves to the node of the next, the last to one that nobody has."""
    taken = [_nodes(one) for one in program]
    free = [node for node in NODES if [node] not in taken]
    return _placed(program, [*taken[1:], free[:1]] if free else [*taken[1:], taken[0]])


def swapped(program: Program, one: str, other: str) -> Program:
    """Two change places."""
    nodes = {each.name: _nodes(each) for each in program}
    nodes[one], nodes[other] = nodes[other], nodes[one]
    return _placed(program, [nodes[each.name] for each in program])


def onto_node_of(program: Program, gone: str, name: str) -> Program:
    """One is taken out, and another goes where it was."""
    nodes = _nodes(named(program, gone))
    rest = without(program, gone)
    return changed(rest, name, lambda one: with_inputs(one, {"ai_nodes": nodes}))


def _nodes(declared: Declared) -> list[str]:
    nodes: list[str] = declared.inputs["ai_nodes"]
    return nodes


def _placed(program: Program, places: Iterable[list[str]]) -> Program:
    return tuple(
        with_inputs(one, {"ai_nodes": nodes}) for one, nodes in zip(program, places, strict=True)
    )
