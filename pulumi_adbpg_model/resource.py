"""The `ModelService` resource: what a program declares. Runs in the program, calls no API."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypedDict, overload

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from pulumi.resource import create_urn

from pulumi_adbpg_model import state
from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.provider import ModelServiceProvider

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["ModelService", "ModelServiceArgs", "ModelServiceArgsDict"]


@dataclass(kw_only=True)
class ModelServiceArgs:
    """
    The inputs of `ModelService`, as one object. The rules are checked at preview.

    API page: CreateModelService, https://www.alibabacloud.com/help/en/analyticdb/
    analyticdb-for-postgresql/developer-reference/api-gpdb-2016-05-03-createmodelservice
    """

    db_instance_id: Input[str]
    """Id of the AnalyticDB for PostgreSQL instance, such as `gp-bp1…`. A change replaces."""
    model_name: Input[str]
    """Name of the model, such as `Qwen3-Embedding-8B`. A change replaces."""
    ai_nodes: Input[Sequence[Input[str]]]
    """Names of the AI nodes to deploy on, at least one, none twice; a node hosts one model. Their
    order means nothing. A change replaces."""
    description: Input[str] | None = None
    """Description of the service. A change replaces."""
    security_ip_list: Input[Sequence[Input[str]]] | None = None
    """Who may call the service: at most 1000 IPv4 addresses, CIDR blocks with a prefix of 1 to 32,
    or `0.0.0.0/0`. `127.0.0.1` admits nobody from outside. Unset or empty leaves it to the cloud.
    A change replaces, unless `security_ip_group` is set."""
    model_params: Input[Mapping[str, Any]] | None = None
    """Model parameters; the API does not support them yet. A change replaces."""
    resource_group_id: Input[str] | None = None
    """Id of the instance's resource group, such as `rg-bp67…`. A change replaces."""
    client_token: Input[str] | None = None
    """Idempotence token, 1 to 64 printable ASCII characters. Unset (recommended): derived from
    organization, URN and inputs, so an interrupted run finds its own service again. A change
    replaces."""
    replicas: Input[int] | None = None
    """Number of replicas, at least 1. A change replaces."""
    inference_engine: Input[str] | None = None
    """Inference engine; only `vllm`. A change replaces."""
    enable_public_connection: Input[bool] | None = None
    """Whether the service gets a public address too. A change replaces."""
    region_id: Input[str] | None = None
    """Region of the instance, such as `cn-hangzhou`. Unset: config `adbpg:region` or
    `alicloud:region`, or the environment. A change replaces; dropping it does not."""
    wait_for_active: Input[bool] | None = None
    """Whether create and update wait until the service is active, and the program fails if it does
    not become so. Default: true."""
    security_ip_group: Input[str] | None = None
    """Name of the instance's whitelist group that belongs to this service. With it, a changed
    `security_ip_list` is set in place by ModifySecurityIps. Not `default`, the database's own."""
    store_api_key: Input[bool] | None = None
    """Whether the API key is kept, as a secret, in state and outputs. Default: true."""


class _RequiredArgsDict(TypedDict):
    db_instance_id: Input[str]
    model_name: Input[str]
    ai_nodes: Input[Sequence[Input[str]]]


class ModelServiceArgsDict(_RequiredArgsDict, total=False):
    """The inputs of `ModelService`, as a dictionary; see `ModelServiceArgs` for each."""

    description: Input[str] | None
    security_ip_list: Input[Sequence[Input[str]]] | None
    model_params: Input[Mapping[str, Any]] | None
    resource_group_id: Input[str] | None
    client_token: Input[str] | None
    replicas: Input[int] | None
    inference_engine: Input[str] | None
    enable_public_connection: Input[bool] | None
    region_id: Input[str] | None
    wait_for_active: Input[bool] | None
    security_ip_group: Input[str] | None
    store_api_key: Input[bool] | None


class ModelService(Resource, module="adbpg", name="ModelService"):
    """
    A model served on AI nodes of an AnalyticDB for PostgreSQL instance.

    Every input is an output too; those that were left unset resolve to what the cloud shows, or to
    None. `custom_timeouts` default to create 60 min, update 10 min, delete 20 min; a replacement
    always deletes before it creates, because a node hosts one model. To take over an existing
    service, pass its id as `ResourceOptions(import_="gp-…:ms-…")`.

    The API page is CreateModelService: https://www.alibabacloud.com/help/en/analyticdb/
    analyticdb-for-postgresql/developer-reference/api-gpdb-2016-05-03-createmodelservice
    """

    db_instance_id: Output[str]
    """Id of the instance."""
    model_name: Output[str]
    """Name of the model."""
    ai_nodes: Output[Sequence[str]]
    """Names of the AI nodes."""
    description: Output[str | None]
    """Description of the service."""
    security_ip_list: Output[Sequence[str] | None]
    """Who may call the service."""
    model_params: Output[Mapping[str, Any] | None]
    """Model parameters, as declared; the API does not show them."""
    resource_group_id: Output[str | None]
    """Id of the resource group, as declared; the API does not show it."""
    client_token: Output[str | None]
    """Idempotence token, as declared."""
    replicas: Output[int | None]
    """Number of replicas, as declared; the API does not show it."""
    inference_engine: Output[str | None]
    """Inference engine, as declared; the API does not show it."""
    enable_public_connection: Output[bool | None]
    """Whether a public address was asked for, as declared."""
    region_id: Output[str | None]
    """The region in use; None when only an endpoint is configured."""
    wait_for_active: Output[bool | None]
    """As declared."""
    security_ip_group: Output[str | None]
    """As declared."""
    store_api_key: Output[bool | None]
    """As declared."""
    model_service_id: Output[str]
    """Id of the service within its instance, such as `ms-…`."""
    request_id: Output[str | None]
    """Request id of the CreateModelService call; None for a service that was taken over."""
    status: Output[str]
    """The cloud's own status word, such as `active`."""
    status_reason: Output[str | None]
    """Why the service is not active, in one line; None when it is."""
    create_time: Output[str | None]
    """When the service was created: ISO 8601, UTC."""
    private_connect_url: Output[str | None]
    """Address inside the VPC, scheme included. Resolves once the service is active."""
    public_connect_url: Output[str | None]
    """Public address, scheme included; None without one. Resolves once the service is active."""
    api_key: Output[str | None]
    """Key to call the service with; a secret. Resolves once the service is active; None with
    `store_api_key=False`."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: ModelServiceArgs | ModelServiceArgsDict,
        opts: ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        *,
        opts: ResourceOptions | None = None,
        **inputs: Unpack[ModelServiceArgsDict],
    ) -> None: ...

    def __init__(
        self,
        resource_name: str,
        args: ModelServiceArgs | ModelServiceArgsDict | None = None,
        opts: ResourceOptions | None = None,
        **inputs: Any,
    ) -> None:
        """
        Declare a model service.

        Args:
            resource_name: Its name in the stack.
            args: The inputs as one object or dictionary, instead of keywords.
            opts: Pulumi's resource options.
            **inputs: The inputs as keywords; `ModelServiceArgs` documents each.

        Raises:
            TypeError: An input is not known. Every other rule is checked at preview.
            pulumi.RunError: Raised in the program, once the service is known not to be active in
                time; its state is kept.
        """
        props = _properties(args, inputs)
        opts = ResourceOptions.merge(
            opts,
            ResourceOptions(delete_before_replace=True, additional_secret_outputs=["api_key"]),
        )
        # The engine cannot import a dynamic resource: the provider takes it over in `create`.
        props[state.ADOPT], opts.import_ = opts.import_, None
        props[state.TIMEOUTS] = _timeouts(opts)
        props[state.ORGANIZATION] = pulumi.get_organization()
        type_ = f"pulumi-python:{self._resource_type_name}"
        urn = create_urn(resource_name, type_, opts.parent)
        # Its value alone: a dependency on the parent would be one on all children, so on itself.
        props[state.URN] = Output.from_input(urn.future())
        props |= dict.fromkeys(state.OUTPUTS)
        super().__init__(ModelServiceProvider(), resource_name, props, opts)
        if opts.id is None:
            self._require_active()

    def __init_subclass__(
        cls, module: str = "adbpg", name: str = "ModelService", **kwargs: Any
    ) -> None:
        """Keep the resource type in subclasses, so that deriving one replaces nothing."""
        super().__init_subclass__(module=module, name=name, **kwargs)

    @staticmethod
    def get(
        resource_name: str,
        id: Input[str],  # noqa: A002 - the name that every Pulumi resource uses
        *,
        region_id: Input[str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> ModelService:
        """
        Read an existing model service without managing it.

        Args:
            resource_name: Its name in the stack.
            id: `<db_instance_id>:<model_service_id>`, such as `gp-abc:ms-123`.
            region_id: Region of the instance; unset: from config or environment.
            opts: Pulumi's resource options.

        Raises:
            Exception: In the engine, when the service does not exist.
        """
        opts = ResourceOptions.merge(opts, ResourceOptions(id=id))
        # A look-up has an id in place of the required inputs, which no overload describes.
        declare: Any = ModelService
        service: ModelService = declare(resource_name, opts=opts, region_id=region_id)
        return service

    def _require_active(self) -> None:
        """Let the program fail, in one line, on a service that it waits for in vain."""
        ready = Output.all(
            id=self.id, status=self.status, reason=self.status_reason, waits=self.wait_for_active
        ).apply(_raise_unless_active)
        for name in ("private_connect_url", "public_connect_url", "api_key"):
            value: Output[Any] = getattr(self, name)
            setattr(self, name, Output.all(ready, value).apply(lambda both: both[1]))


def _properties(
    args: ModelServiceArgs | ModelServiceArgsDict | None, inputs: dict[str, Any]
) -> dict[str, Any]:
    if args is not None and inputs:
        raise TypeError("ModelService takes its inputs either as args or as keywords, not as both")
    if isinstance(args, ModelServiceArgs):
        given = {field.name: getattr(args, field.name) for field in fields(args)}
    else:
        given = dict(inputs if args is None else args)
    for name in given:
        if name not in state.INPUTS:
            near = difflib.get_close_matches(name, state.INPUTS, n=1)
            guess = f"; did you mean {near[0]!r}?" if near else "."
            known = ", ".join(state.INPUTS)
            raise TypeError(f"ModelService has no input {name!r}{guess} Its inputs are {known}.")
    # All of them, also the unset ones: only keys that are there become outputs.
    return dict.fromkeys(state.INPUTS) | given


def _timeouts(opts: ResourceOptions) -> dict[str, str] | None:
    custom = opts.custom_timeouts
    if custom is None:
        return None
    named = {name: getattr(custom, name, None) for name in ("create", "update", "delete", "read")}
    return {name: text for name, text in named.items() if text} or None


def _raise_unless_active(seen: dict[str, Any]) -> None:
    # With mocks there is no status, and nothing was waited for.
    if seen["status"] is None or seen["waits"] is False:
        return
    phase = phase_of(seen["status"])
    if phase is Phase.ACTIVE:
        return
    then = (
        "The next `pulumi up` replaces it"
        if phase is Phase.FAILED
        else "Run `pulumi up` again to go on waiting"
    )
    raise pulumi.RunError(
        f"model service {seen['id']} is not active: {seen['reason'] or seen['status']}. It is kept "
        f"in the state and its AI nodes stay billed. {then}; `pulumi destroy` removes it."
    )
