"""What a declaration registers: inputs, hidden inputs, and options."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from pulumi import ResourceOptions

from pulumi_adbpg_model import ModelService, ModelServiceArgs, ModelServiceArgsDict
from tests.resource.registering import MINIMUM, Registered, declare, run

_EVERYTHING: dict[str, Any] = {
    "db_instance_id": "gp-1",
    "model_name": "Qwen3-8B",
    "ai_nodes": ["ai-1", "ai-2"],
    "description": "für alle",
    "security_ip_list": ["10.0.0.1"],
    "model_params": {"a": {"b": [1, 2]}},
    "resource_group_id": "rg-1",
    "client_token": "token",
    "replicas": 2,
    "inference_engine": "vllm",
    "enable_public_connection": False,
    "region_id": "cn-hangzhou",
    "wait_for_active": False,
    "security_ip_group": "models",
    "store_api_key": False,
}
_DEFAULTS = {"wait_for_active": True, "store_api_key": True}
_HIDDEN = {
    "__urn": "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::model",
    "__organization": "acme",
    "__provider": (
        "gASVOwAAAAAAAACMG3B1bHVtaV9hZGJwZ19tb2RlbC5wcm92aWRlcpSMFE1vZGVsU2VydmljZVByb3ZpZGVylJOU"
        "KYGULg=="
    ),
}
_OUTPUTS = {
    "model_service_id",
    "request_id",
    "status",
    "status_reason",
    "create_time",
    "private_connect_url",
    "public_connect_url",
    "api_key",
}


def test_inputs_are_registered_under_their_own_names() -> None:
    """Every input reaches the engine as the user wrote it, with the hidden ones."""
    registered = run(lambda: declare(**_EVERYTHING))

    assert {**_EVERYTHING, **_HIDDEN} == registered.inputs["model"]


def test_inputs_that_are_not_set_are_not_sent() -> None:
    """A minimal declaration sends three inputs and the two defaults, and no more."""
    registered = run(declare)

    assert {**MINIMUM, **_DEFAULTS, **_HIDDEN} == registered.inputs["model"]


@pytest.mark.parametrize("name", ["wait_for_active", "store_api_key"])
def test_default_is_true_however_it_is_left_unset(name: str) -> None:
    """Left out, None and the args object's default all mean true; false stays false."""
    args: Any = {**MINIMUM, name: None}

    def program() -> None:
        declare("none", **{name: None})
        declare("false", **{name: False})
        ModelService("dict", args)
        ModelService("args", ModelServiceArgs(**MINIMUM))
        ModelService("args-none", ModelServiceArgs(**args))

    registered = run(program)

    assert {"none": True, "false": False, "dict": True, "args": True, "args-none": True} == {
        key: inputs[name] for key, inputs in registered.inputs.items()
    }
    assert getattr(ModelServiceArgs(**MINIMUM), name) is True


def test_outputs_of_other_resources_are_inputs() -> None:
    """Outputs, whole or inside lists and mappings, are resolved on the way."""
    registered = run(
        lambda: declare(
            db_instance_id=pulumi.Output.from_input("gp-2"),
            ai_nodes=["ai-1", pulumi.Output.from_input("ai-2")],
            model_params={"a": pulumi.Output.from_input(1)},
        )
    )

    assert ("gp-2", ["ai-1", "ai-2"], {"a": 1}) == tuple(
        registered.inputs["model"][name] for name in ("db_instance_id", "ai_nodes", "model_params")
    )


def test_every_output_is_seeded() -> None:
    """All inputs and outputs are attributes, also those that nothing sets."""
    seen: list[ModelService] = []

    run(lambda: seen.append(declare()))

    for name in (*_EVERYTHING, *_OUTPUTS):
        assert isinstance(getattr(seen[0], name), pulumi.Output), name


def test_outputs_resolve_to_what_the_engine_answers() -> None:
    """Attributes hold the state's values; an unset input holds what the cloud shows."""
    seen: dict[str, Any] = {}

    def program() -> None:
        service = declare()
        for name in ("id", "status", "api_key", "security_ip_list", "create_time", "replicas"):
            getattr(service, name).apply(lambda value, name=name: seen.setdefault(name, value))

    run(
        program,
        {"status": "active", "api_key": "sk-made-up", "security_ip_list": ["127.0.0.1"]},
    )

    assert {
        "id": "gp-1:ms-1",
        "status": "active",
        "api_key": "sk-made-up",
        "security_ip_list": ["127.0.0.1"],
        "create_time": None,
        "replicas": None,
    } == seen


def _as_keywords() -> ModelService:
    return ModelService("model", **_EVERYTHING)  # type: ignore[arg-type,unused-ignore]


def _as_args() -> ModelService:
    return ModelService("model", ModelServiceArgs(**_EVERYTHING))


def _as_dict() -> ModelService:
    args: ModelServiceArgsDict = {**_EVERYTHING}  # type: ignore[typeddict-item,unused-ignore]
    return ModelService("model", args)


@pytest.mark.parametrize("spelled", [_as_args, _as_dict])
def test_every_spelling_registers_the_same(spelled: Any) -> None:
    """Args object and dictionary are keywords by another name."""
    expected, actual = run(_as_keywords), run(spelled)

    assert expected.requests["model"].object == actual.requests["model"].object
    assert expected.inputs == actual.inputs


def test_args_with_options_are_positional() -> None:
    """As generated SDKs do, options follow the args."""
    registered = run(
        lambda: ModelService("model", ModelServiceArgs(**MINIMUM), ResourceOptions(protect=True))
    )

    assert registered.requests["model"].protect


def test_args_object_can_be_used_twice() -> None:
    """Declaring changes neither args object nor dictionary."""
    args = ModelServiceArgs(**MINIMUM)
    given: Any = dict(MINIMUM)

    def program() -> None:
        for name, one in (("a", args), ("b", args), ("c", given), ("d", given)):
            ModelService(name, one)

    registered = run(program)

    assert MINIMUM == given
    assert ModelServiceArgs(**MINIMUM) == args
    assert [MINIMUM] * 4 == [
        {key: registered.inputs[name][key] for key in MINIMUM} for name in "abcd"
    ]


def _request(**options: Any) -> Any:
    return run(lambda: declare(opts=ResourceOptions(**options))).requests["model"]


def _inputs(**options: Any) -> dict[str, Any]:
    return run(lambda: declare(opts=ResourceOptions(**options))).inputs["model"]


def test_replacement_always_deletes_first() -> None:
    """A node hosts one model, so not even the user's own option can turn the order round."""
    assert run(declare).requests["model"].deleteBeforeReplace
    assert _request(delete_before_replace=False).deleteBeforeReplace


def test_api_key_is_secret() -> None:
    """The key is a secret output, as are client tokens, beside those that the user names."""
    secret = run(declare).requests["model"].additionalSecretOutputs
    assert ["__tokens", "api_key"] == sorted(secret)
    both = _request(additional_secret_outputs=["private_connect_url"]).additionalSecretOutputs
    assert ["__tokens", "api_key", "private_connect_url"] == sorted(both)


def test_import_is_passed_to_the_provider() -> None:
    """The engine is not asked to import, which it cannot; the provider is told the id."""
    registered = run(lambda: declare(opts=ResourceOptions(import_="gp-1:ms-7")))

    assert "" == registered.requests["model"].importId
    assert "gp-1:ms-7" == registered.inputs["model"]["__adopt"]


def test_options_of_the_caller_are_not_changed() -> None:
    """One options object can be used for several resources."""
    opts = ResourceOptions(import_="gp-1:ms-7", protect=True)

    registered = run(lambda: [declare("a", opts=opts), declare("b", opts=opts)])

    assert ("gp-1:ms-7", True, None, None) == (
        opts.import_,
        opts.protect,
        opts.delete_before_replace,
        opts.additional_secret_outputs,
    )
    assert ["gp-1:ms-7"] * 2 == [registered.inputs[name]["__adopt"] for name in "ab"]


def test_custom_timeouts_are_an_input_too() -> None:
    """The host does not pass timeouts on, so they travel as an input, and as the option."""
    timeouts = pulumi.CustomTimeouts(create="30m", delete="5m")

    registered = run(lambda: declare(opts=ResourceOptions(custom_timeouts=timeouts)))

    assert {"create": "30m", "delete": "5m"} == registered.inputs["model"]["timeouts"]
    assert "30m" == registered.requests["model"].customTimeouts.create


def test_timeouts_that_say_nothing_are_left_out() -> None:
    """An empty CustomTimeouts is no input."""
    assert "timeouts" not in _inputs(custom_timeouts=pulumi.CustomTimeouts())


def test_urn_of_a_child_is_the_one_of_the_engine() -> None:
    """Inside a component the hidden URN names the component's type, as the real one does."""
    seen: list[str] = []

    def program() -> None:
        parent = pulumi.ComponentResource("acme:ai:Search", "search")
        service = declare(opts=ResourceOptions(parent=parent))
        service.urn.apply(seen.append)

    urn = "urn:pulumi:dev::shop::acme:ai:Search$pulumi-python:dynamic/adbpg:ModelService::model"
    assert urn == run(program).inputs["model"]["__urn"]
    assert [urn] == seen


def test_child_of_a_component_depends_on_nothing() -> None:
    """The URN of the parent is no dependency: through the parent's children it would be a cycle."""

    def program() -> None:
        parent = pulumi.ComponentResource("acme:ai:Search", "search")
        for name, node in (("one", "ai-1"), ("two", "ai-2")):
            declare(name, ai_nodes=[node], opts=ResourceOptions(parent=parent))

    registered = run(program)

    assert [[], []] == [list(registered.requests[name].dependencies) for name in ("one", "two")]


def test_type_stays_in_a_subclass() -> None:
    """Deriving from the resource changes neither its type nor its provider."""

    class Tuned(ModelService):
        """A user's own."""

    registered: Registered = run(lambda: Tuned("model", **MINIMUM))  # type: ignore[arg-type,unused-ignore]

    assert "pulumi-python:dynamic/adbpg:ModelService" == registered.requests["model"].type
    assert {**MINIMUM, **_DEFAULTS, **_HIDDEN} == registered.inputs["model"]


@pytest.mark.parametrize("status", ["active", None], ids=["active", "not known"])
def test_key_is_a_secret_in_a_preview(status: str | None) -> None:
    """Also while it is not known; it is known where the service is active and stays as it is."""
    key = pulumi.runtime.rpc.wrap_rpc_secret("made-up-key")
    seen: list[tuple[bool, bool]] = []

    async def look(service: ModelService) -> None:
        seen.append((await service.api_key.is_secret(), await service.api_key.is_known()))

    def program() -> None:
        looked: pulumi.Output[None] = pulumi.Output.from_input(look(declare()))
        assert looked is not None

    run(program, {"status": status, "api_key": key}, preview=True)
    assert seen == [(True, status == "active")]
