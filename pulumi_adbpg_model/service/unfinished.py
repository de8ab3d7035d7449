"""
What is said of a service that is there but not as it was waited for, or not taken over yet.

One line each: what it is, that it is kept and billed, what goes on, and what removes it. Whoever
follows it to the letter must lose nothing, so a command names that one resource.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, Phase, phase_of
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.service import state

Properties = Mapping[str, Any]


def why_unfinished(
    urn: str,
    service: ModelServiceId,
    details: ModelServiceDetails | None,
    outs: Properties,
    inputs: Properties,
) -> str | None:
    """Why an operation on a service that is there has to fail; None if it is as waited for."""
    if details is not None and (details.phase is Phase.ACTIVE or not state.waits(inputs)):
        return None
    status = outs["status"]
    reason = outs.get("status_reason") or status
    remove = how_to_give_up(urn) if state.is_taking_over(outs) else how_to_remove(urn)
    return unfinished(service, status, reason, remove, seen=details is not None)


def unfinished(
    service: ModelServiceId, status: str | None, reason: str, remove: str, *, seen: bool
) -> str:
    """One line: what is not as it was waited for, that it is kept and billed, and what then."""
    then = (
        "The next `pulumi up` replaces it"
        if phase_of(status) in (Phase.FAILED, Phase.LEAVING)
        else "Run `pulumi up` again to go on waiting"
    )
    kept = (
        "It is kept in the state and its AI nodes stay billed"
        if seen
        else "It may exist and be billed, so it is kept in the state"
    )
    line = " ".join(reason.split()).rstrip(".")
    return f"model service {service} is not active: {line}. {kept}. {then}; {remove}."


def what_up_does(
    service: ModelServiceId, olds: Properties, found: str | None, *, replaces: bool
) -> str:
    """
    One line for a preview in which the status decides: that found by now, which is empty when the
    service is gone; None without news.
    """
    status = olds.get("status")
    told = f"{status!r}"
    if found is not None and found != status:
        told = f"{found!r} by now, not {status!r}" if found else "not there"
    then = "keeps it" if phase_of(found) is Phase.ACTIVE else "goes on waiting for it"
    if state.is_taking_over(olds):
        then = "compares it with what is declared"
    elif replaces:
        then = "replaces it"
    return f"{service} is {told}: `pulumi up` {then}"


def other_import(urn: str, service: ModelServiceId, adopted: str) -> OperationError:
    """The error for an `import_` that names another service than the resource has."""
    return OperationError(
        f"import_ names model service {adopted}, but this resource has {service}. To keep that "
        f"one, remove import_. To have it manage {adopted} instead, give up {service} first: "
        f"`pulumi state delete {shlex.quote(urn)}` leaves it as it is, billed, and then "
        "`pulumi up` takes the other over."
    )


def how_to_remove(urn: str) -> str:
    """How to delete that service alone."""
    destroy = on_target("destroy", urn)
    return f"{destroy} removes it" if destroy else "take it out of the program to remove it"


def on_target(command: str, urn: str) -> str | None:
    """A command for that resource alone; None where the target, in which `*` stands for anything,
    might be another.
    """
    if not urn or "*" in urn:
        return None
    return f"`pulumi {command} --target {shlex.quote(urn)}`"


def how_to_give_up(urn: str) -> str:
    """How to leave a service, which may be somebody else's, as it is."""
    return f"`pulumi state delete {shlex.quote(urn)}` gives it up"
