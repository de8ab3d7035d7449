"""What an instance holds, for those who look around: each service with a status of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pulumi_adbpg_model.domain import ModelServiceDetails
from pulumi_adbpg_model.errors import ApiError, TransportError
from pulumi_adbpg_model.lifecycle.operation import ModelServiceApi

__all__ = ["inventory"]

#: By its page, the Status in a list is that of the call.
_OF_THE_CALL = ("success", "fail")


def inventory(api: ModelServiceApi, db_instance_id: str) -> Sequence[ModelServiceDetails]:
    """
    Every service of an instance. One whose listed status is none of a service is described too;
    where that fails, it keeps the word of the list.

    Raises:
        ApiError, TransportError: The list is not to be had.
    """
    found: list[ModelServiceDetails] = []
    answers = True
    for service in api.list_model_services(db_instance_id):
        status = service.status
        if answers and (not status or status.strip().lower() in _OF_THE_CALL):
            try:
                status = api.describe_model_service(service.id).status or status
            except (ApiError, TransportError) as error:
                answers = not error.retryable  # tried for long, as each of the others would be
        found.append(replace(service, status=status))
    return found
