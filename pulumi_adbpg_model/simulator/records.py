"""What the simulator lets tests look at: services and recorded requests, as frozen snapshots.

Decision: snapshots hold the simulator's truth in Python names, before any dialect bends it for
the wire. Secrets are kept (a test may need them) but masked in every repr, because reprs end up
in assertion messages and CI logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ACTIONS = (
    "CreateModelService",
    "DescribeModelService",
    "DeleteModelService",
    "ListModelServices",
    "ListSupportModels",
    "ListAINodePools",
    "ModifySecurityIps",
    "GetCallerIdentity",  # of STS
)
MUTATIONS = ("CreateModelService", "DeleteModelService", "ModifySecurityIps")

_SECRET_HEADERS = ("authorization", "x-acs-security-token")
MASK = "********"


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers without what signs a request."""
    return {name: MASK if name in _SECRET_HEADERS else text for name, text in headers.items()}


@dataclass(frozen=True)
class SimulatedService:
    """A model service as the simulated cloud knows it at one moment."""

    id: str
    instance_id: str
    model_name: str
    ai_nodes: tuple[str, ...]
    description: str | None
    security_ip_list: tuple[str, ...]
    model_params: Mapping[str, Any]
    replicas: int
    inference_engine: str
    enable_public_connection: bool
    resource_group_id: str | None
    client_token: str | None
    status: str
    create_time: str
    private_connect_url: str | None
    public_connect_url: str | None
    api_key: str | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """Name the service, never its key."""
        return (
            f"SimulatedService(id={self.id!r}, model_name={self.model_name!r}, "
            f"ai_nodes={self.ai_nodes!r}, security_ip_list={self.security_ip_list!r}, "
            f"status={self.status!r}, api_key={MASK if self.api_key else None!r})"
        )


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived, and how it was answered (None: not at all).

    Header names are in lower case. `response_code` is the error code of a refusal.
    """

    action: str
    query: Mapping[str, str]
    body: Mapping[str, str]
    headers: Mapping[str, str]
    time: float
    response_status: int | None
    response_code: str | None
    fault: str | None = None
    path: str = "/"

    @property
    def parameters(self) -> dict[str, str]:
        """Query and body together, as the cloud reads them."""
        return {**self.query, **self.body}

    def __repr__(self) -> str:
        """Show the request with its credentials masked."""
        return (
            f"RecordedRequest(action={self.action!r}, query={dict(self.query)!r}, "
            f"body={dict(self.body)!r}, headers={masked(self.headers)!r}, time={self.time!r}, "
            f"response_status={self.response_status!r}, response_code={self.response_code!r}, "
            f"fault={self.fault!r}, path={self.path!r})"
        )
