"""Services by name and node, who owns what is alive, and advice that is taken at its word."""

from __future__ import annotations

import re
from typing import Protocol

import pulumi
import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, pulumi_ids
from tests.engine.support.stack import PROJECT, STACK, TYPE, EventLog, Failed, Program, Stack

_COMMAND = re.compile(r"`(pulumi (?:destroy|state) [^`]*)`")


class Part(Protocol):
    """A program, or a part of one: what it declares depends on `after`, and is there afterwards."""

    def __call__(self, after: list[pulumi.Resource] | None = None) -> None:
        """Declare it."""
        ...


def svc(name: str, node: int, opts: pulumi.ResourceOptions | None = None, **inputs: object) -> Part:
    """A program, or a part of one, that declares a service on that node."""

    def part(after: list[pulumi.Resource] | None = None) -> None:
        waiting = pulumi.ResourceOptions(depends_on=list(after or ()))
        merged = pulumi.ResourceOptions.merge(opts, waiting)
        made = declare(name, merged, ai_nodes=[f"ai-{node}"], **inputs)
        if after is not None:
            after[:] = [made]

    return part


def declaring(*parts: Part) -> Program:
    """A program of these parts, none of which waits for another."""

    def run() -> None:
        for part in parts:
            part()

    return run


def in_order(*parts: Part) -> Program:
    """A program of these parts; the engine hears of each once it is done with the one before."""

    def run() -> None:
        after: list[pulumi.Resource] = []
        for part in parts:
            part(after)

    return run


def urn(name: str) -> str:
    """The URN of a service that no component holds."""
    return f"urn:pulumi:{STACK}::{PROJECT}::{TYPE}::{name}"


def owned(stack: Stack, simulator: Simulator) -> dict[str, str]:
    """
    The ids of the services by their resources' names.

    Each live service has exactly one owner, and each owner's service lives. What the engine
    remembers of a deleted one, in whose place nothing was made yet, is no owner.
    """
    owners = [
        (one["urn"].rpartition("::")[2], one["id"])
        for one in stack.resources()
        if not one.get("pendingReplacement")
    ]
    assert sorted(id_ for _, id_ in owners) == sorted(pulumi_ids(simulator)), owners
    assert len(dict(owners)) == len(owners), owners
    return dict(owners)


def hosted(stack: Stack, simulator: Simulator) -> dict[str, tuple[str, ...]]:
    """The nodes of the services by their resources' names, each with one owner."""
    return {
        name: simulator.service(ModelServiceId.parse(id_).model_service_id).ai_nodes
        for name, id_ in owned(stack, simulator).items()
    }


def refused(stack: Stack, program: Program, name: str, **options: object) -> str:
    """What an `up` says of the one resource for which it fails."""
    with pytest.raises(Failed) as failed:
        stack.up(program, **options)
    assert "Traceback" not in failed.value.output
    reasons = set(failed.value.log.reasons(name))
    assert len(reasons) == 1, (reasons, failed.value.output)
    return reasons.pop()


def previewed(stack: Stack, program: Program) -> EventLog:
    """What a preview tells, however it ends."""
    try:
        return stack.preview(program).log
    except Failed as failed:
        return failed.log


def name_each_other(log: EventLog, first: str, second: str) -> bool:
    """Whether a warning or an error in the row of one resource names the other."""
    return any(
        one.name == here and there in one.text and one.severity in ("warning", "error")
        for one in log.lines
        for here, there in ((first, second), (second, first))
    )


def alias_advised(text: str) -> str:
    """The URN that a text says to put into `aliases`."""
    (alias,) = set(re.findall(r'aliases=\["([^"]+)"\]', text))
    return str(alias)


def do_what_is_said(stack: Stack, text: str) -> str:
    """Run the first command that a text names, as it stands there, in a shell; unpreviewed."""
    command, *_ = _COMMAND.findall(text) or [""]
    assert command, f"no command in: {text}"
    unseen = "PULUMI_OPTION_SKIP_PREVIEW=true"  # which saves half of the time
    done = stack.type("sh", "-c", f"{unseen} {command} --yes --stack {STACK}")
    assert done.returncode == 0, done.stdout + done.stderr
    return str(command)
