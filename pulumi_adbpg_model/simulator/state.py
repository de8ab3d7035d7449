"""The simulated cloud's memory: plain records, and their JSON form for the state file.

Boundary: no rules here. Times are wall-clock seconds, so that a deployment begun before a
restart goes on after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

ACTIVE = "active"
DELETING = "deleting"
# No read shows it but where a dialect says so.
DELETED = "deleted"
# The page's own spelling.
DEPLOYING = "deployming"

_FORMAT = 1


@dataclass
class Node:
    """An AI node; which service holds it follows from the services."""

    name: str
    created_at: float
    updated_at: float


@dataclass
class Instance:
    """An instance with its AI nodes and its whitelist groups."""

    id: str
    created_at: float
    nodes: dict[str, Node] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Service:
    """A model service, and the change of status that lies ahead of it, if any."""

    id: str
    instance_id: str
    model_name: str
    ai_nodes: list[str]
    description: str | None
    whitelist: list[str]
    model_params: dict[str, Any]
    replicas: int
    inference_engine: str
    public: bool
    resource_group_id: str | None
    client_token: str | None
    created_at: float
    api_key: str = field(repr=False)
    status: str
    next_status: str | None = None
    changes_at: float = 0.0
    private_url: str | None = None
    public_url: str | None = None
    groups: list[str] = field(default_factory=list)
    # Files of older versions lack what follows.
    ready_at: float = 0.0
    status_before: str | None = None
    deleting_since: float = 0.0
    gone_at: float = 0.0
    # Each former whitelist, and until when reads show it.
    former_whitelists: list[tuple[float, list[str]]] = field(default_factory=list)


@dataclass
class Token:
    """A ClientToken that made a service: with which parameters, and which."""

    fingerprint: str
    service_id: str
    created_at: float = 0.0


@dataclass
class State:
    """Everything that outlives the process."""

    instances: dict[str, Instance] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    deleted: dict[str, Service] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the form that the state file holds."""
        return {"format": _FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> State:
        """Read what `to_json` wrote; raises on any other shape."""
        if content["format"] != _FORMAT:
            msg = f"state format {content['format']!r} is not {_FORMAT}"
            raise ValueError(msg)
        instances = {
            key: Instance(
                id=value["id"],
                created_at=value["created_at"],
                nodes={name: Node(**node) for name, node in value["nodes"].items()},
                groups=dict(value["groups"]),
            )
            for key, value in content["instances"].items()
        }
        services = {key: Service(**value) for key, value in content["services"].items()}
        tokens = {key: Token(**value) for key, value in content["tokens"].items()}
        deleted = {key: Service(**value) for key, value in content.get("deleted", {}).items()}
        return cls(instances, services, tokens, deleted)
