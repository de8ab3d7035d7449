"""Taking over a service that exists, so that Pulumi manages it from now on."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, ModelServiceSpec, Phase
from pulumi_adbpg_model.errors import AdbpgModelError, OperationError
from pulumi_adbpg_model.lifecycle.compare import differences, verify, where_it_shows
from pulumi_adbpg_model.lifecycle.operation import Operation
from pulumi_adbpg_model.lifecycle.presence import GoneError, find_or_prove_gone
from pulumi_adbpg_model.lifecycle.wait import Created, wait_until_active


class UnfitError(OperationError):
    """A service that is there cannot be taken over as it is."""


def adopt(
    operation: Operation, service: ModelServiceId, spec: ModelServiceSpec, *, wait_for_active: bool
) -> Created:
    """
    Take over an existing service, having created nothing.

    Raises:
        GoneError: It does not exist, or not for long.
        OperationError: It has failed, or differs from what is declared; the text lists every
            difference.
        AdbpgModelError: A call failed.
    """
    details = find_or_prove_gone(operation, service)
    if details is None:
        raise _nothing_to_adopt(service)
    whose = operation.owners.claim(operation.urn, service, existed=True)
    try:
        _check(operation, service, spec, details)
        outcome = wait_until_active(operation, service, only_seen=not wait_for_active, last=details)
        if outcome.gone:
            raise _nothing_to_adopt(service)
        _check(operation, service, spec, outcome.details or details)  # now that everything shows
    except AdbpgModelError:
        operation.owners.release(operation.urn, service)
        raise
    if outcome.details is not None and outcome.details.phase is Phase.ACTIVE:
        operation.report.note(f"{service} is taken over; nothing was created")
    elif not wait_for_active:
        operation.report.note(f"{service} is compared in full once it is active; nothing created")
    verify(operation, spec, outcome.details)
    if whose is not None:
        operation.report.note(whose)
    return Created(service, None, outcome, None)


def _check(
    operation: Operation,
    service: ModelServiceId,
    spec: ModelServiceSpec,
    details: ModelServiceDetails,
) -> None:
    if details.phase is Phase.FAILED:
        raise UnfitError(
            f"import of {service} failed: its deployment failed, status {details.status!r}. "
            "Delete it and remove import_ to create a new service."
        )
    if details.phase is Phase.LEAVING:
        raise GoneError(
            f"import of {service} failed: {details.why_not_active}. Remove import_ to create a new "
            "service once it is gone."
        )
    found = differences(service, spec, details, operation.secret_inputs)
    if found:
        raise differing(service, found)


def differing(service: ModelServiceId, found: Sequence[str]) -> UnfitError:
    """The error for a service that is not as declared: one phrase for each difference."""
    return UnfitError(
        f"import of {service} failed: the declaration differs from the service: "
        f"{'; '.join(found)}. Declare what is there, then run the command again."
        f"{where_it_shows(service, found)}"
    )


def _nothing_to_adopt(service: ModelServiceId) -> GoneError:
    return GoneError(
        f"import of {service} failed: there is no such model service. Correct the id in "
        "import_, or remove import_ to create a new service."
    )
