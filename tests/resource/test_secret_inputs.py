"""Which inputs are secret is told to the engine with them; by name, and only where one is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi import Output, ResourceOptions

from pulumi_adbpg_model import ModelService, ModelServiceArgs
from tests.resource.monitoring import monitored
from tests.resource.registering import MINIMUM, declare, run

_hush = Output.secret


async def _later() -> str:
    return "later"


async def _coroutine(value: Any) -> Any:
    return value


def _declare_with_all(secret: bool) -> None:  # noqa: FBT001 - one of two programs
    make: Callable[[Any], Any] = _hush if secret else Output.from_input
    declare(
        db_instance_id=make("gp-1"),
        ai_nodes=["ai-1", make("ai-2")],
        security_ip_list=Output.all(make("10.0.0.1"), "10.0.0.2"),
        model_params={"a": [1, {"b": make(2)}]},
        description=Output.concat("a ", make("b")),
        client_token=Output.from_input("t").apply(lambda _: make("token")),
        replicas=make(1),
        store_api_key=make(True),
        resource_group_id=asyncio.ensure_future(_later()),
    )


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (
            lambda: _declare_with_all(secret=True),
            [
                "ai_nodes",
                "db_instance_id",
                "replicas",
                "security_ip_list",
                "store_api_key",
            ],
        ),
        (lambda: _declare_with_all(secret=False), None),
        (lambda: declare(description="plain", model_params={"a": [1, 0.5, None, True]}), None),
        (
            lambda: ModelService(
                "model", ModelServiceArgs(**{**MINIMUM, "model_name": _hush("Qwen3-8B")})
            ),
            ["model_name"],
        ),
        (
            lambda: ModelService(
                "model",
                {"db_instance_id": "gp-1", "model_name": "m", "ai_nodes": _hush(["ai-1"])},
            ),
            ["ai_nodes"],
        ),
        (
            lambda: declare(ai_nodes=Output.from_input("n").apply(lambda name: [_hush(name)])),
            ["ai_nodes"],
        ),
        (
            lambda: declare(opts=ResourceOptions(additional_secret_outputs=["ai_nodes", "status"])),
            ["ai_nodes"],
        ),
        (
            lambda: declare(opts=ResourceOptions(import_=_hush("gp-1:ms-1"))),  # type: ignore[arg-type]
            ["__adopt"],
        ),
        (
            lambda: ModelService.get("model", "gp-1:ms-1", region_id=_hush("cn-hangzhou")),
            ["region_id"],
        ),
        (lambda: ModelService.get("model", Output.from_input("gp-1:ms-1")), None),
        (lambda: declare(model_name=_coroutine(_hush("m"))), ["model_name"]),
        (
            lambda: declare(
                ai_nodes=["ai-1", _coroutine(_hush("ai-2"))],
                security_ip_list=_coroutine(["10.0.0.1", _hush("10.0.0.2")]),
                resource_group_id=_coroutine("rg"),
            ),
            ["ai_nodes", "security_ip_list"],
        ),
    ],
)
def test_the_names_of_secret_inputs_are_sent(
    program: Callable[[], object], told: list[str] | None
) -> None:
    """
    Of whatever makes one: an Output, one within a list or mapping, an option.

    Not of what no text shows in any case.
    """
    sent = monitored(program).inputs["model"]
    assert sent.get("__secrets") == told
    assert ("__secrets" in sent) is (told is not None)


def test_what_is_not_known_yet_may_be_a_secret() -> None:
    """In a preview, of what another resource has not got yet."""

    def program() -> None:
        unknown: Output[Any] = Output(
            resources=set(), future=_nothing(), is_known=_no(), is_secret=_yes()
        )
        declare(ai_nodes=[unknown])

    assert monitored(program).inputs["model"]["__secrets"] == ["ai_nodes"]


async def _nothing() -> Any:
    return None


async def _no() -> bool:
    return False


async def _yes() -> bool:
    return True


def test_mocks_see_nothing_of_it() -> None:
    """A user's own test compares the inputs that it declared."""
    registered = run(lambda: declare(ai_nodes=[_hush("ai-1")]))
    assert "__secrets" not in registered.requests["model"].object
    assert pulumi.runtime.is_dry_run() is False
