"""Updating a service: finish its creation, then change what can be changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, ModelServiceSpec, Phase
from pulumi_adbpg_model.lifecycle.change import change_whitelist
from pulumi_adbpg_model.lifecycle.compare import verify
from pulumi_adbpg_model.lifecycle.create import resume
from pulumi_adbpg_model.lifecycle.operation import Operation
from pulumi_adbpg_model.lifecycle.presence import require

__all__ = ["Updated", "WhitelistChange", "update"]


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
        details = require(operation, service, "update", seen=seen)
    else:
        group, entries = whitelist.group, whitelist.entries
        details = change_whitelist(operation, service, group, entries, seen=seen)
    changed = whitelist is not None
    if wait_for_active and details.phase is Phase.PENDING:
        outcome = resume(operation, service, spec, details)
        return Updated(outcome.details, outcome.reason, whitelist_changed=changed)
    if unfinished:
        verify(operation, spec, details)
    return Updated(details, details.why_not_active, whitelist_changed=changed)
