"""Changing a service in place: its whitelist, through the group that the user names."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, Phase, same_whitelist
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.lifecycle.operation import Operation
from pulumi_adbpg_model.lifecycle.presence import require

__all__ = ["change_whitelist"]

#: How long a changed whitelist may take to show at the service.
_SETTLE_S = 30.0


def change_whitelist(
    operation: Operation,
    service: ModelServiceId,
    group: str,
    entries: Sequence[str],
    *,
    seen: bool = True,
) -> ModelServiceDetails:
    """
    Set the named group of the instance, then see that the service shows the new list.

    A cloud that shows no list at all is told of by a warning.

    Raises:
        OperationError: The service is gone, or the group's list does not reach it, or a cancel
            came before the change.
        AdbpgModelError: A call failed.
    """
    operation.stop_if_cancelled("ModifySecurityIps", f"for {service}")
    operation.when_not_busy(
        lambda: operation.api.modify_security_ips(service.db_instance_id, group, entries)
    )
    settle = Deadline.after(operation.clock, _SETTLE_S)
    while True:
        details = require(operation, service, "change of security_ip_list", seen=seen)
        if same_whitelist(details.security_ip_list, entries):
            return details
        if settle.expired and details.security_ip_list is None:
            operation.report.warn(
                f"{service} does not show its whitelist: whether the change of group {group!r} "
                "reached it is not known"
            )
            return details
        if settle.expired or operation.over:
            shown = f"admits {list(details.security_ip_list or ())}"
            wanted = f"to {list(entries)}"
            if "security_ip_list" in operation.secret_inputs:
                wanted, shown = "as declared", "shows another list"
            raise OperationError(
                f"change of security_ip_list failed: whitelist group {group!r} of instance "
                f"{service.db_instance_id} was set {wanted}, but {service} still {shown}. "
                f"{_advice(operation, settle, details)}"
            )
        operation.pause(settle.waited_s)


def _advice(operation: Operation, settle: Deadline, details: ModelServiceDetails) -> str:
    if operation.over and not settle.expired:
        return f"The operation {operation.ending} before it showed: run `pulumi up` again."
    if details.phase is Phase.PENDING:
        return "It is not active yet, and may not show its list: run `pulumi up` again once it is."
    return (
        "The group is probably not this service's: correct security_ip_group, or leave it out to "
        "have a change replace the service."
    )
