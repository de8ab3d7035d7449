"""The `ModelService` resource: what a program declares. Runs in the program, calls no API."""

# No postponed annotations: Pulumi reads those of the class for each resource that is declared, and
# would compile each text anew.
import json
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, overload
from weakref import WeakKeyDictionary

import pulumi
from pulumi import Alias, Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.settings import SETTINGS, get_monitor

from pulumi_adbpg_model.fields import DEFAULTS
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.resource._arguments import (
    ModelServiceArgs,
    ModelServiceArgsDict,
    check_name,
    check_options,
    check_timeouts,
    checked_id,
    checked_inputs,
    properties_of,
)
from pulumi_adbpg_model.service import state

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["ModelService", "ModelServiceArgs", "ModelServiceArgsDict"]


_STACK = "pulumi:pulumi:Stack"
#: The tokens, because a client token of one's own may be a secret.
_SECRET_OUTPUTS = ["api_key", state.TOKENS]


class _Number:
    """
    How many services the program of a run has made by the time that it is asked.

    Where that matters: also their names, what they are to take over, and that the engine does one
    thing at a time.
    """

    _of_runs: ClassVar["WeakKeyDictionary[Any, _Number]"] = WeakKeyDictionary()

    def __init__(self) -> None:
        self.so_far = 0
        self.names: list[str] = []
        #: The names as one text, by how many there are: Pulumi takes its time for each item of a
        #: list, and mostly all are made before the first is sent.
        self._texts: dict[int, str] = {}
        self.wanted: list[tuple[str, list[str]]] = []

    @classmethod
    def of_run(cls) -> "_Number | None":
        """The one of this program's run; None where there is no engine, as in tests with mocks."""
        monitor = get_monitor()
        if not isinstance(monitor, ResourceMonitorStub):
            return None
        return cls._of_runs.setdefault(monitor, cls())

    def __await__(self) -> Generator[Any, None, Any]:
        """What is sent with a resource, when it is sent: most others are made by then."""
        yield from ()
        one_by_one = SETTINGS.parallel == 1
        if self.so_far == 1 and not self.wanted and not one_by_one:
            return self.so_far
        if self.so_far not in self._texts:
            self._texts = {self.so_far: json.dumps(self.names)}
        return {
            "number": self.so_far,
            "names": self._texts[self.so_far],
            "wanted": self.wanted,
            "one_by_one": one_by_one,
        }


def _names(name: str, opts: ResourceOptions) -> list[str]:
    """What the resource is called, and was: the type of its parent, and its name."""
    parent = opts.parent.pulumi_resource_type if opts.parent is not None else ""
    names = state.names_of(name, "" if parent == _STACK else parent)[:1]
    for alias in opts.aliases or ():
        if isinstance(alias, str):
            names += state.names_of(alias.rpartition("::")[2], None)
        elif isinstance(alias, Alias):
            names += state.names_of(alias.name if isinstance(alias.name, str) else name, None)
    return names


class ModelService(Resource, module="adbpg", name="ModelService"):
    """
    A model served on AI nodes of an AnalyticDB for PostgreSQL instance.

    Every input is an output too; those that were left unset resolve to what the cloud shows, or to
    None. `custom_timeouts` default to create 60 min, update 10 min, delete 20 min; a replacement
    always deletes before it creates, because a node hosts one model. To take over an existing
    service, pass its id as `ResourceOptions(import_="gp-…:ms-…")`.

    Outputs that every active service has are typed without None, as in generated SDKs, so that they
    fit wherever a text does; their documentation says when they are None all the same.

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
    region_id: Output[str]
    """The region in use; None when only an endpoint is configured."""
    wait_for_active: Output[bool | None]
    """As declared."""
    security_ip_group: Output[str | None]
    """As declared."""
    store_api_key: Output[bool | None]
    """As declared."""
    model_service_id: Output[str]
    """Id of the service within its instance, such as `ms-…`."""
    request_id: Output[str]
    """Request id of the CreateModelService call; None for a service that was taken over."""
    status: Output[str]
    """The cloud's own status word, such as `active`."""
    status_reason: Output[str | None]
    """Why the service is not active, in one line; None when it is."""
    create_time: Output[str]
    """When the service was created: ISO 8601, UTC."""
    private_connect_url: Output[str]
    """Address inside the VPC, scheme included; None until the service is active."""
    public_connect_url: Output[str | None]
    """Public address, scheme included; None without one, and until the service is active."""
    api_key: Output[str]
    """Key to call the service with; a secret. None until the service is active, and with
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
            InputError: An input is not known, an option would mean nothing, or a custom timeout is
                no duration. Every other rule is checked at preview.
        """
        check_name(resource_name)
        props = properties_of(resource_name, args, inputs)
        check_options(resource_name, opts)
        opts = ResourceOptions.merge(
            opts,
            ResourceOptions(delete_before_replace=True, additional_secret_outputs=_SECRET_OUTPUTS),
        )
        check_timeouts(resource_name, opts)
        # The engine cannot import a dynamic resource: the provider takes it over in `create`.
        adopt, opts.import_ = opts.import_, None
        if adopt is not None:  # each property is an output that Pulumi keeps track of
            props[state.ADOPT] = adopt
        props, late = checked_inputs(resource_name, props, opts.additional_secret_outputs)
        number = _Number.of_run()
        if late is not None and number is not None:  # in front: see there
            props = {state.SECRETS: late, **props}
        props[state.ORGANIZATION] = pulumi.get_organization()
        if opts.id is not None:
            opts.id = checked_id(resource_name, opts.id)
        else:
            if number is not None:
                number.so_far += 1
                names = _names(resource_name, opts)
                number.names += names
                wanted = state.wanted_of(adopt, props["client_token"])
                number.wanted += [(key, names) for key in wanted]
                props[state.NUMBER] = number
            for name, default in DEFAULTS.items():
                props[name] = default if props[name] is None else props[name]
        props |= dict.fromkeys(state.OUTPUTS)
        super().__init__(ModelServiceProvider(), resource_name, props, opts)

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
            InputError: `id` is no id; one that is an Output fails the run as soon as it is known,
                and if it is a secret, because ids are stored in clear.
            Exception: In the engine, when the service does not exist.
        """
        check_name(resource_name)
        check_options(resource_name, opts)
        given: object = id
        if given is None:  # which Pulumi would take for a declaration
            checked_id(resource_name, given)
        opts = ResourceOptions.merge(opts, ResourceOptions(id=id))
        # A look-up has an id in place of the required inputs, which no overload describes.
        declare: Any = ModelService
        service: ModelService = declare(resource_name, opts=opts, region_id=region_id)
        return service
