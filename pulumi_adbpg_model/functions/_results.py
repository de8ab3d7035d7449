"""What the functions return: frozen values. None, where allowed: the cloud does not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from pulumi import Output, RunError


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
    """The kind of thing that holds it, in the cloud's own words, such as `model_serving`."""
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


class _Hidden:
    """
    A text that tells nothing in whatever its holder is turned into: a repr, a dictionary, JSON.

    It has no attributes to list, and cannot be pickled: what Pulumi or a cache stores of it would
    be in clear.
    """

    __slots__ = ("__dict__", "_text")

    def __init__(self, text: str | None) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "[secret]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> _Hidden:
        return self

    def __deepcopy__(self, _memo: object) -> _Hidden:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        msg = "an API key is not pickled: call get_api_key where it is needed"
        raise TypeError(msg)

    def secret(self) -> Output[str]:
        """
        The text as a secret Output.

        Raises:
            pulumi.RunError: There is no event loop, which Pulumi has for programs.
        """
        try:
            return Output.secret(self._text)  # type: ignore[arg-type]  # mocks may leave it out
        except RuntimeError:
            raise RunError(
                "get_api_key: api_key is a pulumi.Output, which there is in the main thread of a "
                "Pulumi program alone; elsewhere, run `pulumi-adbpg-model api-key ID`"
            ) from None


@dataclass(frozen=True, init=False, repr=False)
class GetApiKeyResult:
    """The API key of a model service, as a secret. Nothing that is made of the whole shows it."""

    id: str
    """As asked for."""
    # Private, because `pulumi.export` of a whole result writes every public field into the state.
    _api_key: _Hidden

    def __init__(self, id: str, api_key: str | None) -> None:  # noqa: A002 - Pulumi's
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "_api_key", _Hidden(api_key))

    @property
    def api_key(self) -> Output[str]:
        """
        The key, a secret.

        Raises:
            pulumi.RunError: This is not the main thread of a Pulumi program.
        """
        return self._api_key.secret()

    def __repr__(self) -> str:
        return f"GetApiKeyResult(id={self.id!r}, api_key=[secret])"
