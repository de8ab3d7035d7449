"""Whether a model can still be deployed, before a service is deleted for another with it."""

from __future__ import annotations

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import ApiError, ConfigurationError, TransportError, first_of
from pulumi_adbpg_model.fields import same_model_name
from pulumi_adbpg_model.lifecycle.nodes import no_successor
from pulumi_adbpg_model.lifecycle.operation import Operation

#: Seconds spent on a look that a deletion can do without.
_LOOK_S = 5.0


def refuse_if_unlisted(
    operation: Operation,
    service: ModelServiceId,
    model: str,
    *,
    known: bool = True,
    first: str | None = None,
    destroy: str | None = None,
) -> None:
    """
    Refuse to delete a service for another with a model that the cloud lists no more, or never did.

    An empty catalogue, or none, says nothing; nor does the case of a name.

    Args:
        operation: What to look with: its API is the one of the other's region.
        service: The service that is to be deleted.
        model: The model of the other; that of the service where it is not known yet.
        known: Whether it is known.
        first: The command that replaces the service alone, where it would be deleted together with
            something that it depends on, before the program has declared it anew.
        destroy: The command that deletes the service alone, where it can be said.

    Raises:
        OperationError: The catalogue has other models alone.
    """
    api = operation.api.within(operation.deadline.at_most(_LOOK_S))
    try:
        listed = api.list_supported_models()
    except (ApiError, ConfigurationError, TransportError):
        return
    if not listed or any(same_model_name(model, one) for one in listed):
        return
    told = f"ListSupportModels does not list model {model.strip()!r}"
    if not known:
        told = f"its model_name is not known yet, and {told}, which the service runs"
    told = f"{told}. It lists {first_of(listed)}."
    together = (
        "It was to go together with a resource that it depends on, before the program is asked: "
        f"once that names a listed model as plain text, run {first}, then `pulumi up`. "
    )
    how = f"run {destroy}" if destroy else "take the resource out of the program"
    raise no_successor(
        service,
        f"{told} Declare one of these, or undo what replaces the service, such as a changed input, "
        f"--replace or a taint (`pulumi state untaint`). {together if first else ''}To be "
        f"rid of the service, {how}. Only if "
        "the model is known to be deployed without being listed, switch this look off with "
        "adbpg:preflight: false.",
    )
