"""
The vocabulary: identifiers, what is asked for, and what the cloud shows.

Wire names stay in `fields` and `gateway`, Pulumi's property bags in `state`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pulumi_adbpg_model.fields import SENT, is_id_part


class Phase(enum.Enum):
    """What a status word means for an operation that waits."""

    ACTIVE = "active"
    FAILED = "failed"
    LEAVING = "leaving"
    PENDING = "pending"


#: What stands for the status of a service for which the cloud says none.
UNKNOWN_STATUS = "unknown"
#: Words for a service on its way out; the API pages name none. Nothing else of it that goes, as in
#: `net_deleting`.
_LEAVING = re.compile(r"(wait.?for.?)?(delet|destroy|releas|remov|terminat|undeploy)")

#: Words for one that is no more.
_DELETED = frozenset(("deleted", "destroyed", "released", "removed", "terminated", "undeployed"))


def phase_of(status: str | None) -> Phase:
    """
    Classify the cloud's status word, whatever its case.

    Only `active` is ready. The API pages name no failure word, so any that contains `fail` or
    `error` counts as one; one such as `deleting` never becomes active. Everything else, unknown
    words too, is pending.
    """
    word = (status or "").strip().lower()
    if word == "active":
        return Phase.ACTIVE
    if "fail" in word or "error" in word:
        return Phase.FAILED
    return Phase.LEAVING if _LEAVING.match(word) else Phase.PENDING


def printable(text: str) -> str:
    """The text with a sign in place of what a terminal might obey, or break a line at."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


@dataclass(frozen=True)
class ModelServiceId:
    """The Pulumi id: `<db_instance_id>:<model_service_id>`, e.g. `gp-abc:ms-123`."""

    db_instance_id: str
    model_service_id: str

    @classmethod
    def parse(cls, text: object) -> ModelServiceId:
        """
        Split a composite id.

        Raises:
            ValueError: It is no text, or does not have exactly two well-formed parts.
        """
        parts = text.split(":") if isinstance(text, str) else []
        if len(parts) != 2 or not all(map(is_id_part, parts)):
            raise ValueError(
                f"must be '<db_instance_id>:<model_service_id>', such as gp-abc:ms-123, "
                f"got {text!r}"
            )
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.db_instance_id}:{self.model_service_id}"


@dataclass(frozen=True)
class ModelServiceSpec:
    """What CreateModelService is asked for. None and empty lists are not sent."""

    db_instance_id: str
    model_name: str
    ai_nodes: tuple[str, ...]
    description: str | None = None
    security_ip_list: tuple[str, ...] = ()
    #: The inputs that are sent, and that no operation looks at.
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """All that is sent, by the names of the inputs; None where one is not set."""
        given = {**vars(self), **self.others}
        # What a release adds must not change the client tokens of those who do not set it.
        return {
            one.name: given.get(one.name)
            for one in SENT
            if not one.later or given.get(one.name) is not None
        }


class Submission(NamedTuple):
    """The answer to CreateModelService."""

    id: ModelServiceId
    request_id: str | None


@dataclass(frozen=True)
class ModelServiceDetails:
    """A model service as Describe or List shows it. None: the cloud does not say."""

    id: ModelServiceId
    status: str | None = None
    model_name: str | None = None
    description: str | None = field(default=None, repr=False)
    ai_nodes: tuple[str, ...] | None = None
    security_ip_list: tuple[str, ...] | None = None
    create_time: str | None = None
    private_connect_url: str | None = None
    public_connect_url: str | None = None
    api_key: str | None = field(default=None, repr=False)

    @property
    def phase(self) -> Phase:
        """The meaning of `status`."""
        return phase_of(self.status)

    @property
    def is_deleted(self) -> bool:
        """Whether the cloud still shows it, but as one that is no more, in whatever word."""
        return (self.status or "").strip().lower() in _DELETED

    @property
    def why_not_active(self) -> str | None:
        """One phrase that says why it is not ready; None when it is."""
        if self.phase is Phase.ACTIVE:
            return None
        if self.phase is Phase.FAILED:
            return f"the deployment failed, status {self.status!r}"
        if self.phase is Phase.LEAVING:
            return f"it is being deleted, status {self.status!r}"
        return f"it is not active yet, status {self.status!r}"

    @property
    def why_no_api_key(self) -> str:
        """One phrase that says why it shows no key, where it shows none."""
        return self.why_not_active or "the cloud shows none for it"

    @property
    def public_fields(self) -> dict[str, Any]:
        """What may be shown of it, by the names of the outputs; `id` is the one in Pulumi."""
        return {
            "id": str(self.id),
            "model_service_id": self.id.model_service_id,
            "status": self.status,
            "model_name": self.model_name,
            "description": self.description,
            "ai_nodes": self.ai_nodes or (),
            "security_ip_list": self.security_ip_list,
            "create_time": self.create_time,
            "private_connect_url": self.private_connect_url,
            "public_connect_url": self.public_connect_url,
        }


class Caller(NamedTuple):
    """Who calls, as GetCallerIdentity of STS tells."""

    account_id: str
    #: The user or the assumed role; None when it is not told.
    arn: str | None


@dataclass(frozen=True)
class AiNode:
    """An AI node as ListAINodePools shows it."""

    name: str
    spec: str | None
    pool_id: str | None
    bound: bool
    #: The kind of thing that holds it, in the cloud's own words; the API's example: model_serving.
    bound_to: str | None = None
    zone_id: str | None = None
    create_time: str | None = None
