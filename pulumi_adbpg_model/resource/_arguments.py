"""The inputs of `ModelService` as a program writes them: an object, a dictionary or keywords."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Awaitable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict

from pulumi import (
    CustomTimeouts,
    Input,
    Output,
    ProviderResource,
    Resource,
    ResourceOptions,
    RunError,
)
from pulumi.output import Unknown

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.fields import ALWAYS_SECRET, INPUTS, MOST_EXACT
from pulumi_adbpg_model.service.state import ADOPT

#: Sequences that Pulumi does not take for lists.
_NO_LISTS = (bytes, bytearray, memoryview, range)
_OPERATIONS = ("create", "update", "delete", "read")
#: Go's duration syntax, which Pulumi uses: "1h30m", "90s", "1.5h".
_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
#: About 292 years, and how long a text of one may be.
_MOST_S, _LONG = 2**63 / 1e9, 100
_DURATION = re.compile(r"\+?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|[µμ]s|ms|s|m|h))+", re.ASCII)


class InputError(RunError, TypeError):
    """Inputs that are none. Also a `TypeError`, as Python's own; Pulumi shows it as one line."""


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
    wait_for_active: Input[bool] | None = True
    """Whether create and update wait until the service is active, and fail if it does not become
    so. Default: true."""
    security_ip_group: Input[str] | None = None
    """Name of the instance's whitelist group that belongs to this service. With it, a changed
    `security_ip_list` is set in place by ModifySecurityIps. Not `default`, the database's own."""
    store_api_key: Input[bool] | None = True
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


def properties_of(resource_name: str, args: object, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """
    The inputs as a property bag that has every input, None where it is not set.

    Raises:
        InputError: They are given in two ways at once, in no known way, or have unknown names.
    """
    if args is not None and keywords:
        raise InputError(
            f"ModelService {resource_name!r} takes its inputs either as args or as keywords, not "
            "as both"
        )
    if isinstance(args, ModelServiceArgs):
        given: dict[str, Any] = {field.name: getattr(args, field.name) for field in fields(args)}
    elif args is None or isinstance(args, Mapping):
        given = dict(keywords if args is None else args)
    else:
        raise InputError(
            f"ModelService {resource_name!r} takes its inputs as keywords, ModelServiceArgs or a "
            f"dictionary, not as {type(args).__name__}; resource options are given as opts="
        )
    for name in given:
        if name not in INPUTS:
            import difflib  # noqa: PLC0415 - not for every program

            near = difflib.get_close_matches(name, INPUTS, n=1)
            guess = f"; did you mean {near[0]!r}?" if near else "."
            raise InputError(
                f"ModelService {resource_name!r} has no input {name!r}{guess} Its inputs are "
                f"{', '.join(INPUTS)}."
            )
    return dict.fromkeys(INPUTS) | given


def check_name(resource_name: object) -> None:
    """Raise `InputError` where the name of a resource is no text, or empty."""
    if not isinstance(resource_name, str) or not resource_name:
        raise InputError(
            "ModelService takes the resource's name in the stack first, a non-empty string, not "
            f"{_shown(resource_name)}"
        )


def check_options(resource_name: str, opts: object) -> None:
    """
    Check what `opts` are, and those of them that would be passed over without a word.

    What a component passes down to its children is none of these: it may be meant for others.

    Raises:
        InputError: They are no resource options, or name a provider.
    """
    if opts is None:
        return
    if not isinstance(opts, ResourceOptions):
        raise InputError(
            f"ModelService {resource_name!r} takes opts as pulumi.ResourceOptions, not as "
            f"{type(opts).__name__}"
        )
    if opts.parent is not None and not isinstance(opts.parent, Resource):
        raise InputError(
            f"ModelService {resource_name!r} takes a resource as opts.parent, not "
            f"{_shown(opts.parent)}"
        )
    several: Any = opts.providers or ()
    if isinstance(several, Mapping):
        several = several.values()
    elif isinstance(several, ProviderResource):
        several = [several]
    for given in (opts.provider, *several):
        # A dynamic resource has one of its own package at most, which says nothing of the cloud.
        if given is None or getattr(given, "package", None) == "pulumi-python":
            continue
        whose = f"of {given.package!r}" if isinstance(given, ProviderResource) else _shown(given)
        raise InputError(
            f"ModelService {resource_name!r} takes no provider, got one {whose} in opts: its "
            "account and region would mean nothing here. Leave it out, and set region_id; the "
            "account is that of the stack's configuration or the environment, so another account "
            "is another stack."
        )


def checked_id(resource_name: str, id_: object) -> Any:
    """
    The id of a service to look up, checked as soon as it is known.

    Raises:
        InputError: It is no id. For an Output, that fails instead.
    """

    def check(value: object) -> str:
        try:
            return str(ModelServiceId.parse(value))
        except ValueError as error:
            raise InputError(f"ModelService {resource_name!r}: id {error}") from None

    def refuse_secret(told: list[Any]) -> str:
        value, is_secret = told
        if is_secret:
            raise InputError(
                f"ModelService {resource_name!r}: id is a secret, but ids are shown, and stored in "
                "clear. If it may be, give pulumi.Output.unsecret(id)."
            )
        return check(value)

    if not isinstance(id_, Output) and not inspect.isawaitable(id_):
        return check(id_)
    output: Output[Any] = Output.from_input(id_)
    return Output.all(Output.unsecret(output), output.is_secret()).apply(refuse_secret)


class LateInputs:
    """
    What shows of a resource's inputs only when it is registered, by when their outputs are known.

    Pulumi awaits it as if it were a property; the first, so that nothing is passed on before.
    """

    def __init__(
        self, resource_name: str, outputs: Mapping[str, list[Output[Any]]], marked: Sequence[str]
    ) -> None:
        self._resource_name = resource_name
        #: Those that an input is, or is made of, by its name.
        self._outputs = outputs
        #: Inputs of which it is known already that they are secret.
        self._marked = marked

    def __await__(self) -> Generator[Any, None, list[str] | None]:
        """
        The names of the inputs that are secret, or hold what is, beside those that always may be;
        None without any.

        Raises:
            InputError: An input is of what Pulumi cannot pass on as it is.
        """
        return self._secret_names().__await__()

    async def _secret_names(self) -> list[str] | None:
        found = set(self._marked)
        faults: list[str] = []
        for name, outputs in self._outputs.items():
            pending = list(outputs)
            while pending:
                output = pending.pop()
                if await output.is_secret():
                    found.add(name)
                if await output.is_known():
                    faults += _faults(name, await output.future(), pending, [])
        _refuse(self._resource_name, faults)
        return sorted(found.difference(ALWAYS_SECRET)) or None


def checked_inputs(
    resource_name: str, properties: Mapping[str, Any], secret_outputs: Sequence[str] | None
) -> tuple[dict[str, Any], LateInputs | None]:
    """
    Check that Pulumi can pass on the inputs as they are, as far as they are known.

    A coroutine or a future can be awaited once, and does not say whether it is a secret. And where
    a part of `model_params` is one, Pulumi may leave other parts in clear in the outputs. So an
    output takes the place of such an input.

    Returns:
        The inputs to pass on, and what shows of them later; None where nothing can: no input is
        secret, also by `additional_secret_outputs`, or holds an output.

    Raises:
        InputError: They hold other than texts, numbers, booleans, lists and mappings by text, or
            numbers that JSON does not have or the wire changes; names each, not its value.
    """
    passed, faults = dict(properties), []
    outputs: dict[str, list[Output[Any]]] = {}
    for name, value in properties.items():
        if value is None or value is True or value is False:
            continue
        late: list[Output[Any]] = []
        awaited: list[Awaitable[Any]] = []
        found = list(_faults(name, value, late, awaited))
        if awaited or (late and name == "model_params" and not isinstance(value, Output)):
            late = [Output.from_input(value)]
            passed[name] = late[0]  # whose value is looked at once it is known
        else:
            faults += found
        if late:
            outputs[name] = late
    _refuse(resource_name, faults)
    marked = [name for name in secret_outputs or () if name in INPUTS]
    return passed, LateInputs(resource_name, outputs, marked) if outputs or marked else None


def _refuse(resource_name: str, faults: Sequence[str]) -> None:
    if faults:
        told = "; ".join(dict.fromkeys(faults))
        raise InputError(f"ModelService {resource_name!r}: {told}")


def _faults(
    name: str, value: object, late: list[Output[Any]], awaited: list[Awaitable[Any]]
) -> Iterator[str]:
    """
    What Pulumi cannot pass on, one phrase each.

    The outputs in the value go to `late`, what else is awaited to `awaited`.
    """
    label = "import_" if name == ADOPT else name
    try:
        found = list(_unfit(value, late, awaited))
    except RecursionError:
        found = ["must not hold itself, or so many levels"]
    for rule in found:
        yield f"{label} {rule}"


def _unfit(value: object, late: list[Output[Any]], awaited: list[Awaitable[Any]]) -> Iterator[str]:
    if isinstance(value, (str, int, float)):
        yield from _unfit_scalar(value)
    elif isinstance(value, Output):
        late.append(value)
    elif isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                yield f"must have strings as the keys of its mappings, not {type(key).__name__}"
            else:
                yield from _unfit_scalar(key)
            yield from _unfit(value[key], late, awaited)
    elif isinstance(value, Sequence) and not isinstance(value, _NO_LISTS):
        for item in value:
            yield from _unfit(item, late, awaited)
    elif isinstance(value, Awaitable):
        awaited.append(value)
    elif value is not None and not isinstance(value, (Unknown, Resource)):
        kinds = "strings, numbers, booleans, lists and mappings"
        yield f"must be made of {kinds}, not of {type(value).__name__}"


def _unfit_scalar(value: str | float) -> Iterator[str]:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield "must be Unicode text: it holds half of a surrogate pair"
    elif abs(value) > MOST_EXACT and value % 1 == 0:
        yield "must have whole numbers of at most 2**53 either way: Pulumi bends larger ones"
    elif not math.isfinite(value):
        yield "must have finite numbers, neither nan nor inf"


def check_timeouts(resource_name: str, opts: ResourceOptions) -> None:
    """
    Check `custom_timeouts`, which go to the engine, not to the provider.

    Raises:
        InputError: They are of another type, or not all durations above zero; names each.
    """
    timeouts: object = opts.custom_timeouts
    if timeouts is None:
        return
    if isinstance(timeouts, CustomTimeouts):
        given = {name: getattr(timeouts, name) for name in _OPERATIONS}
        given = {name: value for name, value in given.items() if value is not None}
    elif isinstance(timeouts, dict):  # Pulumi takes one too
        given = timeouts
    else:
        raise InputError(
            f"ModelService {resource_name!r} takes custom_timeouts as pulumi.CustomTimeouts, not "
            f"as {type(timeouts).__name__}"
        )
    wrong = [
        f"{name}={_shown(value)}"
        for name, value in given.items()
        if name not in _OPERATIONS or not _is_duration(value)
    ]
    if wrong:
        raise InputError(
            f"ModelService {resource_name!r}: custom_timeouts must be durations above zero, such "
            f"as '30m' or '1h30m', for {', '.join(_OPERATIONS)}; got {', '.join(wrong)}"
        )


def _is_duration(value: object) -> bool:
    if not isinstance(value, str) or not _DURATION.fullmatch(value) or len(value) > _LONG:
        return False
    parts = re.findall(r"([\d.]+)([a-zµμ]+)", value)
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    return 0 < seconds < _MOST_S


def _shown(value: object) -> str:
    """A wrong value as an error shows it; the repr of an Output would be an address in memory."""
    return "an Output" if isinstance(value, Output) else repr(value)
