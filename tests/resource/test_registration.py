"""What a declaration registers, and a look-up reads: inputs, hidden inputs, options, outputs."""

from __future__ import annotations

import pickle
from typing import Any

import pulumi
import pytest
from pulumi import ResourceOptions

from pulumi_adbpg_model import ModelService, ModelServiceArgs, ModelServiceArgsDict
from tests.provider.dynamic_host import NEWER_PROVIDER, PROVIDER
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
    "__organization": "acme",
    "__provider": {4: PROVIDER, 5: NEWER_PROVIDER}[pickle.DEFAULT_PROTOCOL],
}
#: All that a minimal declaration sends.
_MINIMAL = {**MINIMUM, **_DEFAULTS, **_HIDDEN}
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
    """A minimal declaration sends three inputs, two defaults and the hidden ones, and no more."""
    registered = run(declare)

    assert _MINIMAL == registered.inputs["model"]
    assert set(_MINIMAL) == set(registered.requests["model"].object)


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


@pytest.mark.parametrize("status", ["active", "Deployming", "deploy_failed", "unknown", None])
def test_connection_resolves_to_what_is_stored_whatever_the_status(status: str | None) -> None:
    """Addresses and key are outputs like any other, with nothing to wait for; the key is secret."""
    addresses = {
        "private_connect_url": "http://a.example",
        "public_connect_url": "http://b.example",
    }
    key = pulumi.runtime.rpc.wrap_rpc_secret("sk-made-up")
    seen: dict[str, tuple[object, bool, bool]] = {}

    async def look(service: ModelService) -> None:
        for name in (*addresses, "api_key"):
            output = getattr(service, name)
            seen[name] = await output.future(), await output.is_known(), await output.is_secret()

    def program() -> None:
        looked: pulumi.Output[None] = pulumi.Output.from_input(look(declare()))
        assert looked is not None

    expected = {name: (address, True, False) for name, address in addresses.items()}
    for preview in (False, True):
        seen.clear()
        run(program, {"status": status, **addresses, "api_key": key}, preview=preview)
        assert {**expected, "api_key": ("sk-made-up", True, True)} == seen

    run(program, {"status": status})
    assert dict.fromkeys(seen, (None, True, False)) == seen


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
    assert {**_MINIMAL, "__adopt": "gp-1:ms-7"} == registered.inputs["model"]


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


def test_type_stays_in_a_subclass() -> None:
    """Deriving from the resource changes neither its type nor its provider."""

    class Tuned(ModelService):
        """A user's own."""

    registered: Registered = run(lambda: Tuned("model", **MINIMUM))  # type: ignore[arg-type,unused-ignore]

    assert "pulumi-python:dynamic/adbpg:ModelService" == registered.requests["model"].type
    assert _MINIMAL == registered.inputs["model"]


def _got(**options: Any) -> Registered:
    return run(lambda: ModelService.get("model", "gp-1:ms-9", **options))


def test_get_reads_and_registers_nothing() -> None:
    """`.get` sends the id to be read, and no input but the region that it is given."""
    registered = _got(region_id="cn-beijing")

    request = registered.requests["model"]
    assert "ReadResourceRequest" == type(request).__name__
    assert ("gp-1:ms-9", "pulumi-python:dynamic/adbpg:ModelService") == (request.id, request.type)
    assert ["__tokens", "api_key"] == sorted(request.additionalSecretOutputs)
    assert {**_HIDDEN, "region_id": "cn-beijing"} == registered.inputs["model"]


def test_get_keeps_the_options_of_the_caller() -> None:
    """Options of a look-up are used, and the object is not changed."""
    opts = ResourceOptions(version="1.2.3")

    assert "1.2.3" == _got(opts=opts).requests["model"].version
    assert opts.id is None
