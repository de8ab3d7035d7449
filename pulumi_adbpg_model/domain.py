"""
The vocabulary: identifiers, what is asked for, what the cloud shows, and when two values are equal.

Standard library only. Wire names stay in `gateway`, Pulumi's property bags in `state`.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "UNKNOWN_STATUS",
    "AiNode",
    "Caller",
    "ModelServiceDetails",
    "ModelServiceId",
    "ModelServiceSpec",
    "Phase",
    "Submission",
    "is_id_part",
    "parse_network",
    "phase_of",
    "printable",
    "same_model_name",
    "same_nodes",
    "same_text",
    "same_whitelist",
]

#: Whatever the cloud hands out: a narrower rule could make a service that exists undeletable.
_ID_PART = re.compile(r"[^\s:]+")


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


def is_id_part(text: str) -> bool:
    """Whether this can be one half of a composite id."""
    return _ID_PART.fullmatch(text) is not None


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
    model_params: Mapping[str, Any] | None = None
    resource_group_id: str | None = None
    replicas: int | None = None
    inference_engine: str | None = None
    enable_public_connection: bool | None = None


@dataclass(frozen=True)
class Submission:
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


@dataclass(frozen=True)
class Caller:
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
    #: What holds it, in the cloud's own words; the API pages do not say what stands there.
    bound_to: str | None = None
    zone_id: str | None = None
    create_time: str | None = None


def same_text(one: str | None, other: str | None) -> bool:
    """
    Whether two texts say the same; nothing at all counts as an empty one.

    A cloud may change line ends and white space around a text, as files and editors do.
    """
    return _bare(one) == _bare(other)


def same_model_name(one: str | None, other: str | None) -> bool:
    """Whether two names mean the same model; their case means nothing either."""
    return _bare(one).casefold() == _bare(other).casefold()


def _bare(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def same_nodes(one: Iterable[str] | None, other: Iterable[str] | None) -> bool:
    """Whether two node lists name the same nodes; their order means nothing."""
    return {name.strip() for name in one or ()} == {name.strip() for name in other or ()}


def parse_network(entry: str) -> ipaddress.IPv4Network:
    """
    Read one whitelist entry as the API documents it: an IPv4 address, a CIDR block with a prefix
    of 1 to 32 (host bits may be set), or `0.0.0.0/0`.

    Raises:
        ValueError: It is none of these.
    """
    text = entry.strip()
    address, slash, prefix = text.partition("/")
    if slash and not (prefix.isascii() and prefix.isdigit()):
        raise ValueError(entry)
    network = ipaddress.IPv4Network(text, strict=False)
    if network.prefixlen == 0 and address != "0.0.0.0":  # noqa: S104 - compared, not bound
        raise ValueError(entry)
    return network


_NOBODY = ipaddress.IPv4Network("127.0.0.1")


def _networks(entries: Iterable[str] | None) -> frozenset[ipaddress.IPv4Network | str]:
    found: set[ipaddress.IPv4Network | str] = set()
    for entry in entries or ():
        try:
            found.add(parse_network(entry))
        except ValueError:  # a form we do not know still compares with itself
            found.add(entry.strip())
    if len(found) > 1:
        found.discard(_NOBODY)
    return frozenset(found)


def same_whitelist(one: Sequence[str] | None, other: Sequence[str] | None) -> bool:
    """
    Whether two IP lists admit the same networks; order, spaces and host bits mean nothing.

    `127.0.0.1` admits nobody: it counts only when it stands alone.
    """
    return _networks(one) == _networks(other)
