"""Who holds an AI node, for how long that is waited for, and what is said of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    Phase,
)
from pulumi_adbpg_model.errors import (
    ApiError,
    ConfigurationError,
    OperationError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.operation import Operation, Standing
from pulumi_adbpg_model.lifecycle.presence import DISAGREEMENT_S, is_contradicted

#: A service, and which of the nodes it is on.
Held = tuple[ModelServiceDetails, str]

#: Seconds spent on a look around that an operation can do without.
_LOOK_S = 5.0


def list_or_none(operation: Operation, db_instance_id: str) -> Sequence[ModelServiceDetails] | None:
    """
    What the instance holds; None when it cannot be listed: it only helps.

    Raises:
        ConfigurationError: There are no credentials, for any call.
    """
    api = operation.api.within(operation.deadline.at_most(_LOOK_S))
    try:
        return api.list_model_services(db_instance_id)
    except (ApiError, TransportError):
        return None


def list_existing(operation: Operation, db_instance_id: str) -> Sequence[ModelServiceDetails]:
    """What may hold nodes, apart from the dead; nothing when it cannot be listed."""
    try:
        shown = list_or_none(operation, db_instance_id) or ()
    except ConfigurationError:
        return ()
    # A list that lags behind may show once more what this run, or anybody, deleted.
    deleted = operation.memory.deleted
    return [one for one in shown if one.id not in deleted and not one.is_deleted]


def _list_nodes(operation: Operation, db_instance_id: str) -> Sequence[AiNode] | None:
    """The nodes of the instance; None when they cannot be listed: it only helps."""
    api = operation.api.within(operation.deadline.at_most(_LOOK_S))
    try:
        return api.list_ai_nodes(db_instance_id)
    except (ApiError, ConfigurationError, TransportError):
        return None


def _holders_of(
    services: Iterable[ModelServiceDetails], ai_nodes: Collection[str]
) -> Iterator[Held]:
    for service in services:
        for node in service.ai_nodes or ():
            if node in ai_nodes:
                yield service, node


def holder_of(services: Iterable[ModelServiceDetails], ai_nodes: Collection[str]) -> Held | None:
    """The first service that sits on one of the nodes, with that node."""
    return next(_holders_of(services, ai_nodes), None)


def is_worth_waiting(
    operation: Operation, holder: ModelServiceId, wait_s: float, waited_s: float
) -> bool:
    """Whether to wait on for a holder: for as long as given, or since it may be gone already."""
    if operation.over:
        return False
    return waited_s < wait_s or (waited_s < DISAGREEMENT_S and is_contradicted(operation, holder))


def refuse_if_held(
    operation: Operation,
    service: ModelServiceId,
    db_instance_id: str,
    ai_nodes: Collection[str],
    own_nodes: Collection[str],
) -> None:
    """
    Refuse to delete a service for another on nodes that are not to be had.

    Args:
        operation: What to look with.
        service: The service that is to be deleted.
        db_instance_id: The instance of the other.
        ai_nodes: The nodes of the other.
        own_nodes: Those of the service.

    Raises:
        OperationError: A node is held, and not about to be free.
    """
    began_s = operation.clock.monotonic()
    freed = own_nodes if db_instance_id == service.db_instance_id else ()
    while True:
        others = [one for one in list_existing(operation, db_instance_id) if one.id != service]
        staying = _staying(operation, others, ai_nodes)
        waited_s = operation.clock.monotonic() - began_s
        if staying is not None:
            held, standing = staying
            why = f"{taken_by(held)}. {standing.advice}"
            waits = is_worth_waiting(operation, held[0].id, standing.wait_s, waited_s)
        else:
            taken = _bound(operation, others, db_instance_id, set(ai_nodes).difference(freed))
            if taken is None:
                return
            why = taken
            waits = waited_s < DISAGREEMENT_S and not operation.over  # it may be free already
        if not waits:
            raise no_successor(service, why)
        operation.pause()


def no_successor(service: ModelServiceId, why: str) -> OperationError:
    """The error for a service that is kept, since what is to replace it cannot be created."""
    return OperationError(
        f"delete of model service {service} was not sent, since what replaces it cannot be "
        f"created: {why}"
    )


def _staying(
    operation: Operation, services: Iterable[ModelServiceDetails], ai_nodes: Collection[str]
) -> tuple[Held, Standing] | None:
    """The first holder that is not about to leave, with its node, and how it stands."""
    for holder, node in _holders_of(services, ai_nodes):
        if holder.phase is not Phase.LEAVING:
            standing = operation.owners.standing(operation.urn, holder.id, node)
            if not standing.leaves:
                return (holder, node), standing
    return None


def taken_by(held: Held) -> str:
    """That a node is held: a sentence without its stop."""
    holder, node = held
    return f"AI node {node} is held by model service {holder.id}, which runs {holder.model_name}"


def _hidden(
    operation: Operation, services: Iterable[ModelServiceDetails], node: str
) -> dict[ModelServiceId, Standing]:
    """How services stand that do not show their nodes, and may be on that one."""
    return {
        service.id: operation.owners.standing(operation.urn, service.id, node)
        for service in services
        if not service.ai_nodes
    }


def who_may_hold(
    operation: Operation, services: Iterable[ModelServiceDetails], ai_nodes: Sequence[str]
) -> str | None:
    """Which services may hold nodes though they do not show it; None where there is none."""
    return _who_may_hold(ai_nodes, _hidden(operation, services, ai_nodes[0]))


def _who_may_hold(ai_nodes: Sequence[str], hidden: dict[ModelServiceId, Standing]) -> str | None:
    wanted = ", ".join(ai_nodes)
    unowned = [str(id_) for id_, standing in hidden.items() if standing.unowned]
    if unowned:
        return (
            f"These services of the instance do not show their AI nodes, one may hold {wanted}: "
            f"{', '.join(unowned)}. To take one over, declare it with "
            f'opts=ResourceOptions(import_="{unowned[0]}"), if no other stack has it; else '
            "choose a free node."
        )
    for id_, standing in hidden.items():
        return (
            f"Model service {id_} does not show its AI nodes, it may hold {wanted}. "
            f"{'If it stays there, choose a free node.' if standing.leaves else standing.advice}"
        )
    return None


def _bound(
    operation: Operation,
    services: Sequence[ModelServiceDetails],
    db_instance_id: str,
    ai_nodes: Collection[str],
) -> str | None:
    """What to say of nodes that are taken, though no service shows that it is on them."""
    there = [service for service in services if service.phase is not Phase.LEAVING]
    if not ai_nodes or all(service.ai_nodes for service in there):
        return None
    nodes = _list_nodes(operation, db_instance_id) or ()
    taken = sorted({node.name for node in nodes if node.bound}.intersection(ai_nodes))
    hidden = _hidden(operation, there, taken[0]) if taken else {}
    if not hidden or any(standing.leaves for standing in hidden.values()):
        return None
    return f"AI node {taken[0]} is taken. {_who_may_hold(taken, hidden)}"


def free_nodes(operation: Operation, db_instance_id: str) -> str:
    """What could be used instead, as a sentence; empty when it cannot be told."""
    nodes = _list_nodes(operation, db_instance_id)
    if nodes is None:
        return ""
    free = sorted(node.name for node in nodes if not node.bound)
    return f"Free AI nodes of the instance: {', '.join(free) or 'none'}. "
