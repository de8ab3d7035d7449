"""
Updating a service: finish its creation, then change what can be changed in place.

That is its whitelist, through the instance's group that the user names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, ModelServiceSpec, Phase
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.fields import same_whitelist
from pulumi_adbpg_model.lifecycle.compare import verify
from pulumi_adbpg_model.lifecycle.operation import Operation
from pulumi_adbpg_model.lifecycle.presence import GoneError, refresh
from pulumi_adbpg_model.lifecycle.wait import Outcome, wait_until_active

#: How long a changed whitelist may take to show at the service.
_SETTLE_S = 30.0


@dataclass(frozen=True)
class WhitelistChange:
    """A new whitelist, and the instance's group through which it is set."""

    group: str
    entries: Sequence[str]


@dataclass(frozen=True)
class Updated:
    """
    What came of an update. `details` is the last that was seen, `reason` why it is not active.

    `whitelist_changed` is False also when a wanted change was not made, because the service did
    not become active first.
    """

    details: ModelServiceDetails | None
    reason: str | None
    whitelist_changed: bool


def update(
    operation: Operation,
    service: ModelServiceId,
    spec: ModelServiceSpec,
    *,
    unfinished: bool,
    wait_for_active: bool,
    last: ModelServiceDetails | None,
    whitelist: WhitelistChange | None,
) -> Updated:
    """
    Bring a service to what is declared now, as far as that goes in place.

    Args:
        operation: Its deadline bounds everything together.
        service: The service.
        spec: What is declared.
        unfinished: Whether its creation is still to be waited for, before anything else.
        wait_for_active: Whether to wait when a change makes the service pending again.
        last: What an earlier run saw of it; None when it never saw anything.
        whitelist: The change of the whitelist, if there is one.

    Raises:
        OperationError: The service is gone, or the whitelist's group does not reach it.
        AdbpgModelError: A call failed.
    """
    if unfinished:
        # What is about to be changed is compared after the change.
        outcome = resume(operation, service, None if whitelist else spec, last)
        active = outcome.details is not None and outcome.details.phase is Phase.ACTIVE
        if whitelist is None or not active:
            return Updated(outcome.details, outcome.reason, whitelist_changed=False)
        last = outcome.details
    seen = last is not None
    if whitelist is None:
        details = _refresh_existing(operation, service, "update", seen=seen)
    else:
        details = change_whitelist(operation, service, whitelist, seen=seen)
    changed = whitelist is not None
    if wait_for_active and details.phase is Phase.PENDING:
        outcome = resume(operation, service, spec, details)
        return Updated(outcome.details, outcome.reason, whitelist_changed=changed)
    if unfinished:
        verify(operation, spec, details)
    return Updated(details, details.why_not_active, whitelist_changed=changed)


def resume(
    operation: Operation,
    service: ModelServiceId,
    spec: ModelServiceSpec | None,
    last: ModelServiceDetails | None,
    *,
    wait_for_active: bool = True,
) -> Outcome:
    """
    Go on waiting for a service that an earlier run, or try, left unfinished.

    Args:
        operation: Its deadline bounds the wait.
        service: The service.
        spec: What was asked for; None leaves the comparison to the caller.
        last: What was seen of it then; None when it never showed.
        wait_for_active: Whether to wait, or to return once the cloud shows the service.

    Raises:
        GoneError: It is proven gone.
    """
    outcome = wait_until_active(operation, service, only_seen=not wait_for_active, last=last)
    if outcome.gone:
        raise _gone("update", service, seen=last is not None or outcome.details is not None)
    if spec is not None:
        verify(operation, spec, outcome.details)
    return outcome


def change_whitelist(
    operation: Operation, service: ModelServiceId, change: WhitelistChange, *, seen: bool = True
) -> ModelServiceDetails:
    """
    Set the named group of the instance, then see that the service shows the new list.

    A cloud that shows no list at all is told of by a warning.

    Raises:
        OperationError: The service is gone, or the group's list does not reach it, or a cancel
            came before the change.
        AdbpgModelError: A call failed.
    """
    instance, group, entries = service.db_instance_id, change.group, change.entries
    operation.stop_if_cancelled("ModifySecurityIps", f"for {service}")
    operation.retry_while_busy(lambda: operation.api.modify_security_ips(instance, group, entries))
    settle = Deadline.after(operation.clock, _SETTLE_S)
    while True:
        details = _refresh_existing(operation, service, "change of security_ip_list", seen=seen)
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
                f"{instance} was set {wanted}, but {service} still {shown}. "
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


def _refresh_existing(
    operation: Operation, service: ModelServiceId, purpose: str, *, seen: bool
) -> ModelServiceDetails:
    """`refresh` of a service that has to be there."""
    details = refresh(operation, service, seen=seen)
    if details is None:
        raise _gone(purpose, service, seen=seen)
    return details


def _gone(purpose: str, service: ModelServiceId, *, seen: bool) -> GoneError:
    """The error for a service of the state that is proven not to be there."""
    if not seen:  # the next `up` finds that out before it begins
        return GoneError(
            f"{purpose} failed: model service {service} never showed, and is not there. Run "
            "`pulumi up` again to create another in its place."
        )
    return GoneError(
        f"{purpose} failed: model service {service} is gone. Run `pulumi refresh`, then `pulumi "
        "up` to create it again."
    )
