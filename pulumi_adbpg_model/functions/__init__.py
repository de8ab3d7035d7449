"""
Functions that ask the cloud, for use in programs: each returns a frozen result.

The twin that ends in `_output` takes Inputs and returns an Output: unknown inputs make an unknown
result, without a call; secret ones a secret. Region, endpoint and credentials are those of the
resource. Under `pulumi.runtime.set_mocks` a function asks the mocks' `call` instead of the cloud.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi import Input, Output

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.functions._calling import call, hiding, mocked, refuse
from pulumi_adbpg_model.functions._results import (
    GetAiNodePoolsNodeResult,
    GetAiNodePoolsPoolResult,
    GetAiNodePoolsResult,
    GetApiKeyResult,
    GetModelServicesResult,
    GetModelServicesServiceResult,
    GetSupportedModelsResult,
)
from pulumi_adbpg_model.lifecycle import inventory

if TYPE_CHECKING:
    from pulumi_adbpg_model.gateway import Gateway

__all__ = [
    "GetAiNodePoolsNodeResult",
    "GetAiNodePoolsPoolResult",
    "GetAiNodePoolsResult",
    "GetApiKeyResult",
    "GetModelServicesResult",
    "GetModelServicesServiceResult",
    "GetSupportedModelsResult",
    "get_ai_node_pools",
    "get_ai_node_pools_output",
    "get_api_key",
    "get_api_key_output",
    "get_model_services",
    "get_model_services_output",
    "get_supported_models",
    "get_supported_models_output",
]

_T = TypeVar("_T")
#: Not asyncio's own, which has few: the calls of one program would wait for each other.
_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="adbpg-function")


def get_model_services(db_instance_id: str, region_id: str | None = None) -> GetModelServicesResult:
    """
    List the model services of an instance, whoever created them. The list is complete.

    Args:
        db_instance_id: Id of the instance, such as `gp-abc`.
        region_id: Its region; unset: from config or environment.

    Raises:
        pulumi.RunError: An argument is malformed, there are no credentials or no region, the
            instance is not visible, or the cloud cannot be asked.

    API page: https://www.alibabacloud.com/help/en/analyticdb/analyticdb-for-postgresql/
    developer-reference/api-gpdb-2016-05-03-listmodelservices
    """

    def read(gateway: Gateway) -> dict[str, Any]:
        services = [found.public_fields for found in inventory(gateway, db_instance_id)]
        return {"region_id": gateway.region, "services": services}

    given = {"db_instance_id": db_instance_id, "region_id": region_id}
    found = call("get_model_services", given, read)
    services = (
        _made(GetModelServicesServiceResult, {"ai_nodes": (), **item})
        for item in found.get("services") or ()
    )
    return GetModelServicesResult(
        db_instance_id, found.get("region_id") or region_id, tuple(services)
    )


def get_model_services_output(
    db_instance_id: Input[str], region_id: Input[str | None] = None
) -> Output[GetModelServicesResult]:
    """`get_model_services` for Inputs."""
    return _output(get_model_services, db_instance_id=db_instance_id, region_id=region_id)


def get_supported_models(region_id: str | None = None) -> GetSupportedModelsResult:
    """
    List the models that a region can deploy.

    Args:
        region_id: The region; unset: from config or environment.

    Raises:
        pulumi.RunError: The region is malformed, there are no credentials or no region, or the
            cloud cannot be asked.

    API page: https://www.alibabacloud.com/help/en/analyticdb/analyticdb-for-postgresql/
    developer-reference/api-gpdb-2016-05-03-listsupportmodels
    """

    def read(gateway: Gateway) -> dict[str, Any]:
        return {"region_id": gateway.region, "model_names": gateway.list_supported_models()}

    found = call("get_supported_models", {"region_id": region_id}, read)
    return GetSupportedModelsResult(
        found.get("region_id") or region_id, tuple(found.get("model_names") or ())
    )


def get_supported_models_output(
    region_id: Input[str | None] = None,
) -> Output[GetSupportedModelsResult]:
    """`get_supported_models` for Inputs."""
    return _output(get_supported_models, region_id=region_id)


def get_ai_node_pools(db_instance_id: str, region_id: str | None = None) -> GetAiNodePoolsResult:
    """
    List the AI nodes of an instance, by pool, and which of them are free.

    Args:
        db_instance_id: Id of the instance, such as `gp-abc`.
        region_id: Its region; unset: from config or environment.

    Raises:
        pulumi.RunError: An argument is malformed, there are no credentials or no region, the
            instance is not visible, or the cloud cannot be asked.

    API page: https://www.alibabacloud.com/help/en/analyticdb/analyticdb-for-postgresql/
    developer-reference/api-gpdb-2016-05-03-listainodepools
    """

    def read(gateway: Gateway) -> dict[str, Any]:
        nodes = gateway.list_ai_nodes(db_instance_id)
        pools = [
            {"id": pool_id, "nodes": list(map(asdict, members))}
            for pool_id, members in groupby(nodes, key=lambda node: node.pool_id)
        ]
        return {"region_id": gateway.region, "pools": pools}

    given = {"db_instance_id": db_instance_id, "region_id": region_id}
    found = call("get_ai_node_pools", given, read)
    pools = tuple(
        GetAiNodePoolsPoolResult(
            pool.get("id"),
            tuple(
                _made(GetAiNodePoolsNodeResult, {"bound": False, **node})
                for node in pool.get("nodes") or ()
            ),
        )
        for pool in found.get("pools") or ()
    )
    return GetAiNodePoolsResult(db_instance_id, found.get("region_id") or region_id, pools)


def get_ai_node_pools_output(
    db_instance_id: Input[str], region_id: Input[str | None] = None
) -> Output[GetAiNodePoolsResult]:
    """`get_ai_node_pools` for Inputs."""
    return _output(get_ai_node_pools, db_instance_id=db_instance_id, region_id=region_id)


def get_api_key(id: str, region_id: str | None = None) -> GetApiKeyResult:  # noqa: A002 - Pulumi's
    """
    Read the API key of a model service.

    The `api_key` of the result is a secret Output. Nothing else that is made of the result, such as
    its repr, a dictionary or an export of the whole, holds the key.

    Args:
        id: Pulumi id of the service, `<db_instance_id>:<model_service_id>`.
        region_id: Region of the instance; unset: from config or environment.

    Raises:
        pulumi.RunError: An argument is malformed, there are no credentials or no region, the
            service does not exist or has no key yet, or the cloud cannot be asked.

    API page: https://www.alibabacloud.com/help/en/analyticdb/analyticdb-for-postgresql/
    developer-reference/api-gpdb-2016-05-03-describemodelservice
    """

    def read(gateway: Gateway) -> dict[str, Any]:
        details = gateway.describe_model_service(ModelServiceId.parse(id))
        if details.api_key is None:
            reason = f"model service {id} has no API key: {details.why_no_api_key}"
            raise refuse("get_api_key", reason)
        return {"api_key": details.api_key}

    found = call("get_api_key", {"id": id, "region_id": region_id}, read)
    # Mocks may leave it out, as they may any output.
    return GetApiKeyResult(id, found.get("api_key"))


def get_api_key_output(
    id: Input[str],  # noqa: A002 - the name that every Pulumi resource uses
    region_id: Input[str | None] = None,
) -> Output[GetApiKeyResult]:
    """`get_api_key` for Inputs. The Output is secret, and so is its `api_key`."""
    return Output.secret(_output(get_api_key, id=id, region_id=region_id))


def _output(function: Callable[..., _T], **inputs: Any) -> Output[_T]:
    given = {name: Output.from_input(value) for name, value in inputs.items()}

    async def ask_elsewhere(arguments: dict[str, Any]) -> _T:
        secret = {name: arguments[name] for name in given if await given[name].is_secret()}
        # In a thread: Pulumi's event loop has other resources to serve meanwhile.
        asked = partial(copy_context().run, hiding, secret, partial(function, **arguments))
        return await asyncio.get_running_loop().run_in_executor(_threads, asked)

    def ask(arguments: dict[str, Any]) -> Any:
        if mocked():
            return function(**arguments)  # the mocks belong to the test's own thread
        return ask_elsewhere(arguments)

    return Output.all(**given).apply(ask)


def _made(cls: type[_T], fields: dict[str, Any]) -> _T:
    """A result of fields by name; mocks may leave any out."""
    given = {name: fields.get(name) for name in cls.__annotations__}
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return cls(**{**given, **lists})
