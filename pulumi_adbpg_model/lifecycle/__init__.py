"""
What a create, read, update and delete do, call by call: create until active, delete until gone,
exactly once. Knows nothing of Pulumi; talks to the cloud through `ModelServiceApi`.
"""

from __future__ import annotations

from pulumi_adbpg_model.lifecycle.adopt import adopt, create_or_adopt, differing
from pulumi_adbpg_model.lifecycle.change import change_whitelist
from pulumi_adbpg_model.lifecycle.compare import warn_of_open_whitelist
from pulumi_adbpg_model.lifecycle.create import Created, create, deleted_outside, resume
from pulumi_adbpg_model.lifecycle.delete import delete
from pulumi_adbpg_model.lifecycle.inventory import inventory
from pulumi_adbpg_model.lifecycle.nodes import refuse_if_held
from pulumi_adbpg_model.lifecycle.operation import (
    BEING_DELETED,
    ModelServiceApi,
    Operation,
    OwnedError,
    Ownership,
    Reporter,
    Standing,
    how_to_take_over,
    no_successor,
)
from pulumi_adbpg_model.lifecycle.presence import GRACE_S, GoneError, glance, look, read
from pulumi_adbpg_model.lifecycle.tokens import Tokens
from pulumi_adbpg_model.lifecycle.update import Updated, WhitelistChange, update
from pulumi_adbpg_model.lifecycle.wait import Outcome, wait_until_active

__all__ = [
    "BEING_DELETED",
    "GRACE_S",
    "Created",
    "GoneError",
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
    "change_whitelist",
    "create",
    "create_or_adopt",
    "delete",
    "deleted_outside",
    "differing",
    "glance",
    "how_to_take_over",
    "inventory",
    "look",
    "no_successor",
    "read",
    "refuse_if_held",
    "resume",
    "update",
    "wait_until_active",
    "warn_of_open_whitelist",
]
