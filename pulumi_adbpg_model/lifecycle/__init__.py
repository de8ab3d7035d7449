"""
What a create, read, update and delete do, call by call: create until active, delete until gone,
exactly once. Knows nothing of Pulumi; talks to the cloud through `ModelServiceApi`.
"""

from __future__ import annotations

from pulumi_adbpg_model.lifecycle.adoption import adopt
from pulumi_adbpg_model.lifecycle.change import change_whitelist
from pulumi_adbpg_model.lifecycle.creation import Created, create, resume
from pulumi_adbpg_model.lifecycle.deletion import delete
from pulumi_adbpg_model.lifecycle.operation import ModelServiceApi, Operation, Reporter
from pulumi_adbpg_model.lifecycle.presence import look, read, require
from pulumi_adbpg_model.lifecycle.timing import Clock, Deadline, SystemClock
from pulumi_adbpg_model.lifecycle.tokens import first_token
from pulumi_adbpg_model.lifecycle.waiting import Outcome, wait_until_active

__all__ = [
    "Clock",
    "Created",
    "Deadline",
    "ModelServiceApi",
    "Operation",
    "Outcome",
    "Reporter",
    "SystemClock",
    "adopt",
    "change_whitelist",
    "create",
    "delete",
    "first_token",
    "look",
    "read",
    "require",
    "resume",
    "wait_until_active",
]
