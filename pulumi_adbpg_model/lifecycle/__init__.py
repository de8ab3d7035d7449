"""
What a create, read, update and delete do, call by call: create until active, delete until gone,
exactly once. Knows nothing of Pulumi; talks to the cloud through `ModelServiceApi`.
"""

from __future__ import annotations

from pulumi_adbpg_model.lifecycle.adopt import adopt, differing
from pulumi_adbpg_model.lifecycle.catalogue import refuse_if_unlisted
from pulumi_adbpg_model.lifecycle.compare import warn_of_open_whitelist
from pulumi_adbpg_model.lifecycle.create import Tokens, create, create_or_adopt, deleted_outside
from pulumi_adbpg_model.lifecycle.delete import delete
from pulumi_adbpg_model.lifecycle.nodes import no_successor, refuse_if_held
from pulumi_adbpg_model.lifecycle.operation import (
    BEING_DELETED,
    Memory,
    ModelServiceApi,
    Operation,
    OwnedError,
    Ownership,
    Reporter,
    Standing,
    how_to_take_over,
)
from pulumi_adbpg_model.lifecycle.presence import (
    GRACE_S,
    GoneError,
    find_or_prove_gone,
    glance,
    inventory,
    refresh,
)
from pulumi_adbpg_model.lifecycle.update import Updated, WhitelistChange, resume, update
from pulumi_adbpg_model.lifecycle.wait import Created, Outcome, wait_until_active

__all__ = [
    "BEING_DELETED",
    "GRACE_S",
    "Created",
    "GoneError",
    "Memory",
    "ModelServiceApi",
    "Operation",
    "Outcome",
    "OwnedError",
    "Ownership",
    "Reporter",
    "Standing",
    "Tokens",
    "Updated",
    "WhitelistChange",
    "adopt",
    "create",
    "create_or_adopt",
    "delete",
    "deleted_outside",
    "differing",
    "find_or_prove_gone",
    "glance",
    "how_to_take_over",
    "inventory",
    "no_successor",
    "refresh",
    "refuse_if_held",
    "refuse_if_unlisted",
    "resume",
    "update",
    "wait_until_active",
    "warn_of_open_whitelist",
]
