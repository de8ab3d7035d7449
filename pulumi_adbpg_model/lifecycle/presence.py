"""
Whether a model service is there. Only proof says that it is not.

A describe that finds nothing may mean the service, the instance, the region or the key, or an
outage behind the API. The proof of absence is a complete ListModelServices of an instance that is
visible from here, without the service in it. Everything else raises.
"""

from __future__ import annotations

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import InstanceNotFoundError, NotFoundError, OperationError
from pulumi_adbpg_model.lifecycle.operation import Operation

__all__ = ["find", "is_proven_gone", "read"]

#: How long describe and list may contradict each other before `read` gives up.
_DISAGREEMENT_S = 15.0


def find(operation: Operation, service: ModelServiceId) -> ModelServiceDetails | None:
    """
    Describe the service; None when the cloud says it is not there, which is no proof.

    Raises:
        AdbpgModelError: Any other failure.
    """
    try:
        return operation.api.describe_model_service(
            service, budget_s=operation.deadline.remaining_s
        )
    except InstanceNotFoundError:
        raise
    except NotFoundError:
        return None


def is_proven_gone(operation: Operation, service: ModelServiceId) -> bool:
    """
    Whether a complete list of the instance lacks the service.

    Raises:
        AdbpgModelError: The list could not be had, so nothing is proved either way.
    """
    services = operation.api.list_model_services(
        service.db_instance_id, budget_s=operation.deadline.remaining_s
    )
    return all(other.id != service for other in services)


def read(operation: Operation, service: ModelServiceId) -> ModelServiceDetails | None:
    """
    The service as it is now, or None with proof that it is gone.

    Raises:
        InstanceNotFoundError: The instance is not visible; says how to drop the state by hand.
        OperationError: Describe does not know a service that the list shows.
        AdbpgModelError: A call failed.
    """
    try:
        while True:
            details = find(operation, service)
            if details is not None:
                return details
            if is_proven_gone(operation, service):
                return None
            if operation.over or operation.deadline.waited_s >= _DISAGREEMENT_S:
                raise OperationError(
                    f"DescribeModelService does not know {service}, but ListModelServices shows "
                    "it. The state is kept; run the command again later."
                )
            operation.pause()
    except InstanceNotFoundError as error:
        error.hint = (
            f"{error.hint} The state is kept. If the instance was deleted with its services, drop "
            "the resource from the state by hand: pulumi state delete <urn>."
        )
        raise
