"""What the functions return: frozen values. None, where allowed: the cloud does not say."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "GetAiNodePoolsNodeResult",
    "GetAiNodePoolsPoolResult",
    "GetAiNodePoolsResult",
    "GetApiKeyResult",
    "GetModelServicesResult",
    "GetModelServicesServiceResult",
    "GetSupportedModelsResult",
]


@dataclass(frozen=True)
class GetModelServicesServiceResult:
    """A model service as ListModelServices shows it, without its API key."""

    id: str
    """Pulumi id, `<db_instance_id>:<model_service_id>`, as `get_api_key` and `import_` take it."""
    model_service_id: str
    """Id within the instance, such as `ms-…`."""
    model_name: str | None
    """Name of the model."""
    status: str | None
    """The cloud's own status word, such as `active`."""
    description: str | None
    """Description of the service."""
    ai_nodes: tuple[str, ...]
    """Names of the AI nodes that it runs on; empty when the cloud shows none."""
    security_ip_list: tuple[str, ...] | None
    """Who may call the service."""
    create_time: str | None
    """When it was created: ISO 8601, UTC."""
    private_connect_url: str | None
    """Address inside the VPC, scheme included."""
    public_connect_url: str | None
    """Public address, scheme included."""


@dataclass(frozen=True)
class GetModelServicesResult:
    """The model services of an instance."""

    db_instance_id: str
    """As asked for."""
    region_id: str | None
    """The region in use; None when only an endpoint is configured."""
    services: tuple[GetModelServicesServiceResult, ...]
    """Every service, whatever its status, in the order of the cloud."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The Pulumi ids of all services."""
        return tuple(service.id for service in self.services)


@dataclass(frozen=True)
class GetSupportedModelsResult:
    """The models that a region can deploy."""

    region_id: str | None
    """The region in use; None when only an endpoint is configured."""
    model_names: tuple[str, ...]
    """Their names, as `model_name` takes them, in the order of the cloud."""


@dataclass(frozen=True)
class GetAiNodePoolsNodeResult:
    """An AI node."""

    name: str
    """Its name, as `ai_nodes` takes it."""
    spec: str | None
    """Its specification, such as `ADB.AIMedium.2`."""
    bound: bool
    """Whether something holds it; a node hosts one model."""
    bound_to: str | None
    """What holds it, in the cloud's own words, which need not be the id of a service."""
    zone_id: str | None
    """Its zone."""
    create_time: str | None
    """When it was added: ISO 8601, UTC."""


@dataclass(frozen=True)
class GetAiNodePoolsPoolResult:
    """A pool of AI nodes."""

    id: str | None
    """Id of the pool."""
    nodes: tuple[GetAiNodePoolsNodeResult, ...]
    """Its nodes, in the order of the cloud."""


@dataclass(frozen=True)
class GetAiNodePoolsResult:
    """The AI nodes of an instance, by pool."""

    db_instance_id: str
    """As asked for."""
    region_id: str | None
    """The region in use; None when only an endpoint is configured."""
    pools: tuple[GetAiNodePoolsPoolResult, ...]
    """Every pool that has nodes."""

    @property
    def nodes(self) -> tuple[GetAiNodePoolsNodeResult, ...]:
        """The nodes of all pools."""
        return tuple(node for pool in self.pools for node in pool.nodes)

    @property
    def free_node_names(self) -> tuple[str, ...]:
        """The names of the nodes that nothing holds."""
        return tuple(node.name for node in self.nodes if not node.bound)


class _Masked(str):
    """A text whose repr tells nothing, wherever its holder's fields are shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True, repr=False)
class GetApiKeyResult:
    """The API key of a model service. Its repr masks the key."""

    id: str
    """As asked for."""
    # Private, because `pulumi.export` of a whole result writes every public field into the state.
    _api_key: str

    def __post_init__(self) -> None:
        if self._api_key is not None:  # as mocks may leave it
            object.__setattr__(self, "_api_key", _Masked(self._api_key))

    @property
    def api_key(self) -> str:
        """The key, in clear: what Pulumi stores should come from `get_api_key_output` instead."""
        return self._api_key and str(self._api_key)

    def __repr__(self) -> str:
        return f"GetApiKeyResult(id={self.id!r}, api_key=[secret])"
