"""The `ModelService` resource: what a program declares. Runs in the program, calls no API."""

# No postponed annotations: Pulumi reads those of the class for each resource that is declared, and
# would compile each text anew.
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from pulumi.resource import create_urn

from pulumi_adbpg_model import state
from pulumi_adbpg_model.arguments import ModelServiceArgs, ModelServiceArgsDict, properties_of
from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.provider import ModelServiceProvider

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["ModelService"]


#: The tokens, because a client token of one's own may be a secret.
_SECRET_OUTPUTS = ["api_key", state.TOKENS]


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
        **inputs: "Unpack[ModelServiceArgsDict]",
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
            InputError: An input is not known. Every other rule is checked at preview.
            pulumi.RunError: Raised in the program, when this run created or updated the service
                and it did not become active; its state is kept.
        """
        props = properties_of(resource_name, args, inputs)
        opts = ResourceOptions.merge(
            opts,
            ResourceOptions(delete_before_replace=True, additional_secret_outputs=_SECRET_OUTPUTS),
        )
        # The engine cannot import a dynamic resource: the provider takes it over in `create`.
        adopt, opts.import_ = opts.import_, None
        hidden = {state.ADOPT: adopt, state.TIMEOUTS: _timeouts(opts)}
        # Each property is an output that Pulumi keeps track of, so none for nothing.
        props |= {name: value for name, value in hidden.items() if value is not None}
        props[state.ORGANIZATION] = pulumi.get_organization()
        props[state.URN] = self._urn_of(resource_name, opts)
        if opts.id is None:
            for name, default in state.DEFAULTS.items():
                props[name] = default if props[name] is None else props[name]
        props |= dict.fromkeys((*state.OUTPUTS, state.WRITTEN))
        started = time.time()
        super().__init__(ModelServiceProvider(), resource_name, props, opts)
        if opts.id is None:
            self._require_active(started)

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
    ) -> "ModelService":
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

    def _urn_of(self, resource_name: str, opts: ResourceOptions) -> Input[str]:
        type_ = f"pulumi-python:{self._resource_type_name}"
        if opts.parent is None:
            return (
                f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{type_}::{resource_name}"
            )
        urn: Any = create_urn(resource_name, type_, opts.parent)
        # Its value alone: a dependency on the parent would be one on all children, so on itself.
        value: Output[str] = Output.from_input(urn.future())
        return value

    def _require_active(self, started: float) -> None:
        """Let the program fail, in one line, on a service that this run waited for in vain."""

        def check(status: str | None) -> Input[None]:
            if _is_fine(status):  # as nearly always: no more outputs for that
                return None
            return Output.all(
                id=self.id,
                status=status,
                reason=self.status_reason,
                waits=self.wait_for_active,
                written=getattr(self, state.WRITTEN),
            ).apply(lambda seen: _raise_unless_active(seen, started))

        ready = self.status.apply(check)

        # Not by `Output.all`, which would make six outputs of each.
        private, public, key = self.private_connect_url, self.public_connect_url, self.api_key
        self.private_connect_url = ready.apply(lambda _: private)
        self.public_connect_url = ready.apply(lambda _: public)
        # The other way round, so that it is a secret also while it is not known.
        self.api_key = key.apply(lambda text: ready.apply(lambda _: text))


def _timeouts(opts: ResourceOptions) -> dict[str, str] | None:
    custom = opts.custom_timeouts
    if custom is None:
        return None
    named = {name: getattr(custom, name, None) for name in state.TIMEOUT_NAMES}
    return {name: text for name, text in named.items() if text} or None


def _is_fine(status: str | None) -> bool:
    # With mocks there is no status, and nothing was waited for.
    return status is None or phase_of(status) is Phase.ACTIVE


def _raise_unless_active(seen: dict[str, Any], started: float) -> None:
    if _is_fine(seen["status"]) or seen["waits"] is False:
        return
    # Left as an earlier run had it: a destroy that runs the program, or another resource's target.
    if seen["written"] is not None and seen["written"] < started:
        return
    then = (
        "The next `pulumi up` replaces it"
        if phase_of(seen["status"]) is Phase.FAILED
        else "Run `pulumi up` again to go on waiting"
    )
    kept = (
        "It is kept in the state and its AI nodes stay billed"
        if seen["status"] != state.UNSEEN
        else "It may exist and be billed, so it is kept in the state"
    )
    raise pulumi.RunError(
        f"model service {seen['id']} is not active: {seen['reason'] or seen['status']}. {kept}. "
        f"{then}; `pulumi destroy` removes it."
    )
