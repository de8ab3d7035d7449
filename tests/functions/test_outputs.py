"""The `_output` twins, and both kinds of function under Pulumi's mocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pulumi
import pytest
from pulumi import Output
from pulumi.output import UNKNOWN
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime import test as as_program

import pulumi_adbpg_model as adbpg
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import place
from tests.gateway.support import INSTANCE, Answer, stub

#: Every twin for an instance, a service id or a region, whichever it takes first.
_TWINS: list[tuple[Callable[..., Output[Any]], str]] = [
    (adbpg.get_model_services_output, INSTANCE),
    (adbpg.get_ai_node_pools_output, INSTANCE),
    (adbpg.get_supported_models_output, "cn-hangzhou"),
    (adbpg.get_api_key_output, ""),
]
_each_twin = pytest.mark.parametrize(
    ("twin", "argument"), _TWINS, ids=[twin.__name__ for twin, _ in _TWINS]
)


def _seen(make: Callable[[], Output[Any]]) -> tuple[Any, bool, bool]:
    """Value, whether it is known, whether it is secret."""

    async def seen() -> tuple[Any, bool, bool]:
        output = make()
        return await output.future(), await output.is_known(), await output.is_secret()

    loop = asyncio.new_event_loop()  # not `asyncio.run`, which takes away the thread's own loop
    try:
        return loop.run_until_complete(seen())
    finally:
        loop.close()


def test_attributes_are_lifted(cloud: Simulator) -> None:
    """Fields and properties of a result are Outputs of their own."""
    id_ = place(cloud)
    found = _seen(
        lambda: Output.all(
            adbpg.get_model_services_output(Output.from_input(INSTANCE)).services[0].id,
            adbpg.get_ai_node_pools_output(INSTANCE).free_node_names[0],
            adbpg.get_supported_models_output().model_names[0],
        )
    )
    assert found == ([id_, "ai-2", "Qwen3-Embedding-8B"], True, False)


def test_the_api_key_is_a_secret(cloud: Simulator) -> None:
    """As a whole and by its field, though nothing that was given is one."""
    id_ = place(cloud)
    key = cloud.services[0].api_key
    assert _seen(lambda: adbpg.get_api_key(id_).api_key) == (key, True, True)
    assert _seen(lambda: Output.from_input({"a": [adbpg.get_api_key(id_).api_key]})) == (
        {"a": [key]},
        True,
        True,
    )
    assert _seen(lambda: adbpg.get_api_key_output(id_).api_key) == (key, True, True)
    assert _seen(lambda: adbpg.get_api_key_output(id_))[1:] == (True, True)


@_each_twin
def test_secret_inputs_make_a_secret(
    twin: Callable[..., Output[Any]], argument: str, cloud: Simulator
) -> None:
    """Whatever is asked with a secret is one."""
    given = argument or place(cloud)
    assert _seen(lambda: twin(Output.secret(given)))[1:] == (True, True)


@_each_twin
def test_unknown_inputs_call_nothing(
    twin: Callable[..., Output[Any]], argument: str, cloud: Simulator
) -> None:
    """At preview, what waits for another resource stays unknown; a key is secret even then."""
    value, known, secret = _seen(lambda: twin(Output.from_input(UNKNOWN)))
    assert (value, known) == (None, False)
    assert secret is (not argument)
    assert cloud.requests == []


def test_64_calls_wait_for_the_cloud_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are held until all are there: neither the event loop nor a small pool stops them."""
    together = threading.Barrier(64, timeout=8)

    def answer(_: object) -> Answer:
        with suppress(threading.BrokenBarrierError):
            together.wait()
        return Answer({"ModelNames": {"modelNames": ["m"]}})

    with stub(answer) as slow:
        monkeypatch.setenv("ADBPG_ENDPOINT", f"http://127.0.0.1:{slow.port}")
        monkeypatch.setenv("ALICLOUD_ACCESS_KEY", "made-up-id")
        monkeypatch.setenv("ALICLOUD_SECRET_KEY", "made-up-secret")
        ask = adbpg.get_supported_models_output
        _seen(lambda: Output.all(*(ask() for _ in range(64))))
    assert not together.broken


def test_a_failure_is_a_run_error(cloud: Simulator) -> None:
    """The Output fails with the one line that the plain function raises."""
    with pytest.raises(pulumi.RunError, match=r"^get_model_services: ListModelServices of"):
        _seen(lambda: adbpg.get_model_services_output("gp-else"))


def test_an_output_given_to_a_plain_function_is_told(cloud: Simulator) -> None:
    """With the name of the twin that takes it."""
    with pytest.raises(pulumi.RunError, match="call get_model_services_output instead"):
        _seen(lambda: adbpg.get_model_services(Output.from_input(INSTANCE)))  # type: ignore[arg-type, return-value]


class _Mocks(Mocks):
    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, args: MockCallArgs) -> Any:
        self.calls.append((args.token, args.args))
        return self.answers.get(args.token.rpartition(":")[2], {})

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", args.inputs


def test_mocks_are_asked_instead_of_the_cloud() -> None:
    """With Pulumi's token and the arguments by name; the answer is the fields by name."""
    mocks = _Mocks(
        {
            "getModelServices": {"services": [{"id": "gp-1:ms-1", "ai_nodes": ["a"]}]},
            "getSupportedModels": {"model_names": ["m"]},
            "getAiNodePools": {"pools": [{"id": "p", "nodes": [{"name": "a", "bound": False}]}]},
            "getApiKey": {"api_key": "sk-mocked"},
        }
    )

    def program() -> Output[Any]:
        set_mocks(mocks)
        (service,) = adbpg.get_model_services("gp-1", "cn-beijing").services
        assert (service.id, service.ai_nodes, service.status) == ("gp-1:ms-1", ("a",), None)
        assert adbpg.get_supported_models().model_names == ("m",)
        assert adbpg.get_ai_node_pools("gp-1").free_node_names == ("a",)
        plain = adbpg.get_api_key("gp-1:ms-1").api_key
        node = adbpg.get_ai_node_pools_output(Output.from_input("gp-1")).free_node_names[0]
        key = adbpg.get_api_key_output("gp-1:ms-1").api_key

        async def check(all_: list[Any]) -> None:
            assert all_ == ["a", "sk-mocked", "sk-mocked"]
            assert [await plain.is_secret(), await key.is_secret()] == [True, True]
            mocks.calls.append(("checked", {}))

        return Output.all(node, plain, key).apply(check)

    as_program(program)()  # type: ignore[no-untyped-call]
    assert mocks.calls[0] == (
        "adbpg:index:getModelServices",
        {"db_instance_id": "gp-1", "region_id": "cn-beijing"},
    )
    assert [token for token, _ in mocks.calls].count("adbpg:index:getApiKey") == 2
    assert mocks.calls[-1] == ("checked", {})


def test_what_mocks_leave_out_keeps_its_type() -> None:
    """A list is empty, a flag is off."""
    mocks = _Mocks(
        {
            "getModelServices": {"services": [{"id": "gp-1:ms-1"}]},
            "getAiNodePools": {"pools": [{"nodes": [{"name": "a"}]}]},
        }
    )

    def program() -> None:
        set_mocks(mocks)
        (service,) = adbpg.get_model_services("gp-1").services
        assert service.ai_nodes == ()
        (node,) = adbpg.get_ai_node_pools("gp-1").nodes
        assert node.bound is False

    as_program(program)()  # type: ignore[no-untyped-call]


def test_mocks_that_answer_nothing_give_empty_results() -> None:
    """As with any Pulumi package: what a mock leaves out is not there."""

    def program() -> None:
        set_mocks(_Mocks({}))
        assert adbpg.get_model_services("gp-1").ids == ()
        assert adbpg.get_ai_node_pools("gp-1").nodes == ()
        assert adbpg.get_supported_models("cn-beijing").region_id == "cn-beijing"
        assert isinstance(adbpg.get_api_key("gp-1:ms-1").api_key, Output)

    as_program(program)()  # type: ignore[no-untyped-call]


@_each_twin
def test_a_secret_argument_is_shown_in_no_error(
    twin: Callable[..., Output[Any]], argument: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the rule that it breaks nor by a refusal, also where the cloud repeats it."""
    told = "hush-1 of HUSH-2 in hush-3, %22hush-1%22"
    given = {"": "hush-1:hush-2", "cn-hangzhou": "hush-3"}.get(argument, "hush-1")
    with stub(lambda _: Answer({"Code": "Forbidden.RAM", "Message": told}, 403)) as server:
        monkeypatch.setenv("ADBPG_ENDPOINT", f"http://127.0.0.1:{server.port}")
        for name in ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY"):
            monkeypatch.setenv(name, "made-up")
        monkeypatch.setenv("ALICLOUD_REGION", "cn-hangzhou")
        for secret in (given, "hush:1:hush", "Hush 1"):
            with pytest.raises(pulumi.RunError) as refused:
                _seen(partial(_asked, twin, secret))
            for part in {secret, *secret.split(":")} if secret == given else {secret}:
                assert part.lower() not in str(refused.value).lower()
        shown = given if argument else "gp-1:ms-1"
        with pytest.raises(pulumi.RunError, match="failed: hush-1 of HUSH-2"):
            _seen(lambda: twin(Output.from_input(shown)))


def _asked(twin: Callable[..., Output[Any]], secret: str) -> Output[Any]:
    return twin(Output.secret(secret))
