"""How a function calls: arguments are checked, settings resolved, the cloud or mocks asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi
from pulumi.runtime import get_config, invoke
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.service.validation import validate
from pulumi_adbpg_model.settings import Settings

if TYPE_CHECKING:
    from pulumi_adbpg_model.gateway import Gateway

_T = TypeVar("_T")

#: A function is told by its name, and by its token where users mock it.
_TOKENS = {
    "get_model_services": "adbpg:index:getModelServices",
    "get_supported_models": "adbpg:index:getSupportedModels",
    "get_ai_node_pools": "adbpg:index:getAiNodePools",
    "get_api_key": "adbpg:index:getApiKey",
}

#: No further attempt starts after so many seconds, because a preview waits for the answer.
_RETRYING_S = 20.0


def refuse(function: str, reason: str) -> pulumi.RunError:
    """The error that a program sees: Pulumi shows a RunError as its one line, without a trace."""
    return pulumi.RunError(f"{function}: {reason}")


def call(
    function: str,
    arguments: Mapping[str, Any],
    read: Callable[[Gateway], dict[str, Any]],
) -> dict[str, Any]:
    """
    The fields that `read` makes of the cloud's answer, or that the mocks of a unit test return.

    Raises:
        pulumi.RunError: An argument or the configuration is wrong, or the call failed.
    """
    _check(function, arguments)
    if mocked():
        given = {name: value for name, value in arguments.items() if value is not None}
        return dict(invoke(_TOKENS[function], given).value or {})
    try:
        settings = Settings.resolve(get_config, os.environ, arguments["region_id"])
        # Here, so that a program which calls no function does not load the cloud's SDK.
        from pulumi_adbpg_model.gateway import Gateway, RetryPolicy  # noqa: PLC0415

        with tracing.operation(function):
            return read(Gateway(settings, SystemClock(), RetryPolicy(seconds=_RETRYING_S)))
    except AdbpgModelError as error:
        raise refuse(function, str(error)) from error


def hiding(secret: Mapping[str, Any], ask: Callable[[], _T]) -> _T:
    """What `ask` returns; the error that it raises does not show the secret arguments."""
    try:
        return ask()
    except pulumi.RunError as error:
        if not secret:
            raise
        from pulumi_adbpg_model.service.redaction import SecretValues  # noqa: PLC0415 - not for every program

        values = SecretValues()
        # An id is also told in parts.
        values.learn(
            {name: [value, *str(value).split(":")] for name, value in secret.items()}, secret
        )
        raise pulumi.RunError(values.hide(str(error))) from None


def mocked() -> bool:
    """Whether this is a unit test under `pulumi.runtime.set_mocks`."""
    return isinstance(get_monitor(), MockMonitor)


def _check(function: str, arguments: Mapping[str, Any]) -> None:
    for name, value in arguments.items():
        if isinstance(value, pulumi.Output):
            raise refuse(function, f"{name} is an Output: call {function}_output instead")
    # The rules of the resource's inputs; what it requires beyond these is not asked for here.
    problems = [
        failure.reason
        for failure in validate({name: value for name, value in arguments.items() if name != "id"})
        if failure.property in arguments
    ]
    if "id" in arguments:
        try:
            ModelServiceId.parse(arguments["id"])
        except ValueError as error:
            problems.append(f"id {error}")
    if problems:
        raise refuse(function, "; ".join(problems))
