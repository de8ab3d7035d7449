"""Which services can be taken over, and which cannot and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import Any

from pulumi_adbpg_model import lifecycle
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, Phase
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.service.validation import Failure, validate

Note = Callable[[str], None]


def find(
    operation: lifecycle.Operation,
    instances: Sequence[str],
    chosen: Collection[str],
    left_out: Note,
) -> list[ModelServiceDetails]:
    """
    The services that can be taken over, the oldest of each instance first.

    Args:
        operation: Its deadline bounds all calls.
        instances: Ids of the instances to look in, each once.
        chosen: Ids of services, with or without their instance; none: every service.
        left_out: Told of each service that cannot be taken over, and why.

    Raises:
        OperationError: A chosen service is not there, or cannot be taken over.
        AdbpgModelError: A call failed.
    """
    listed = [
        service
        for instance in instances
        for service in sorted(operation.api.list_model_services(instance), key=_age)
    ]
    names = {name for service in listed for name in _names(service.id)}
    for missing in sorted(set(chosen) - names):
        raise OperationError(
            f"import of {missing} failed: {' and '.join(instances)} has no such model service. "
            "Correct the id, or leave out --service to take all."
        )
    found = []
    for shown in listed:
        if chosen and not _names(shown.id) & set(chosen):
            continue
        details = _completed(lifecycle.find_or_prove_gone(operation, shown.id), shown)
        problem = _problem(details)
        if details is not None and problem is None:
            found.append(details)
        elif chosen:
            raise OperationError(f"import of {shown.id} failed: {problem}.")
        else:
            left_out(f"{shown.id} is left out: {problem}.")
    return found


def placement(details: ModelServiceDetails) -> dict[str, Any]:
    """The inputs without which there is no declaration."""
    return {
        "db_instance_id": details.id.db_instance_id,
        "model_name": details.model_name or None,
        "ai_nodes": list(details.ai_nodes or ()) or None,
    }


def broken_rules(inputs: dict[str, Any]) -> list[Failure]:
    """What a preview of these inputs would complain of."""
    return validate(inputs)


def _age(details: ModelServiceDetails) -> tuple[str, str]:
    return details.create_time or "", details.id.model_service_id


def _names(service: ModelServiceId) -> set[str]:
    return {str(service), service.model_service_id}


def _completed(
    details: ModelServiceDetails | None, listed: ModelServiceDetails
) -> ModelServiceDetails | None:
    """What describe shows, and where it is silent, what the list shows; never the list's status."""
    if details is None:
        return None
    silent = {
        field.name: getattr(listed, field.name)
        for field in dataclasses.fields(details)
        if field.name != "status" and getattr(details, field.name) is None
    }
    return dataclasses.replace(details, **silent)


def _problem(details: ModelServiceDetails | None) -> str | None:
    """Why a service cannot be taken over, and what to do; None when it can."""
    if details is None:
        return "it is gone"
    if details.phase is Phase.FAILED:
        # Pulumi would replace it at the next up, and nobody asked for that.
        return f"{details.why_not_active}; delete it, and let Pulumi create a new one"
    if details.phase is Phase.LEAVING:
        return str(details.why_not_active)
    if details.phase is Phase.PENDING:
        # Until then the cloud may show its nodes and whitelist in part.
        return f"it is not active, status {details.status!r}; run the command again once it is"
    unfit = [failure.reason for failure in broken_rules(placement(details))]
    if unfit:
        return (
            f"the cloud does not show its model and AI nodes ({'; '.join(unfit)}); declare them in "
            f"a program, with import_={str(details.id)!r} in its ResourceOptions"
        )
    return None
