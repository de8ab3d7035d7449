"""Mistakes in a declaration that Python itself can tell."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi import ResourceOptions

from pulumi_adbpg_model import ModelService, ModelServiceArgs
from pulumi_adbpg_model.resource._arguments import InputError
from tests.resource.registering import MINIMUM, declare, run

_KNOWN = (
    "Its inputs are db_instance_id, model_name, ai_nodes, description, security_ip_list, "
    "model_params, resource_group_id, client_token, replicas, inference_engine, "
    "enable_public_connection, region_id, wait_for_active, security_ip_group, store_api_key."
)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ("modelname", "ModelService 'model' has no input 'modelname'; did you mean 'model_name'?"),
        (
            "security_iplist",
            "ModelService 'model' has no input 'security_iplist'; did you mean 'security_ip_list'?",
        ),
        ("zzz", "ModelService 'model' has no input 'zzz'."),
        ("api_key", "ModelService 'model' has no input 'api_key'; did you mean 'store_api_key'?"),
        ("__adopt", "ModelService 'model' has no input '__adopt'."),
    ],
)
def test_unknown_keyword_is_refused_with_the_nearest_name(wrong: str, expected: str) -> None:
    """A misspelled input is named, with the one that was probably meant, and all there are."""
    with pytest.raises(TypeError) as refused:
        run(lambda: declare(**{wrong: "x"}))

    assert f"{expected} {_KNOWN}" == str(refused.value)


def test_unknown_key_of_a_dictionary_is_refused() -> None:
    """A dictionary is checked like keywords."""
    args: Any = {**MINIMUM, "modelname": "x"}

    with pytest.raises(TypeError, match="no input 'modelname'; did you mean 'model_name'"):
        run(lambda: ModelService("model", args))


def test_args_and_keywords_together_are_refused() -> None:
    """Which of the two would win is not left to guess."""
    make: Any = ModelService

    with pytest.raises(TypeError) as refused:
        run(lambda: make("model", ModelServiceArgs(**MINIMUM), replicas=2))

    assert (
        "ModelService 'model' takes its inputs either as args or as keywords, not as both"
    ) == str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        pytest.param(pulumi.ResourceOptions(protect=True), "ResourceOptions", id="options"),
        pytest.param("gp-1", "str", id="text"),
        pytest.param(["gp-1"], "list", id="list"),
        pytest.param(ModelServiceArgs, "type", id="class"),
    ],
)
def test_anything_else_in_place_of_args_is_refused(wrong: object, shown: str) -> None:
    """A positional argument that holds no inputs is refused with what it may be."""
    make: Any = ModelService

    with pytest.raises(TypeError) as refused:
        run(lambda: make("model", wrong))

    assert (
        "ModelService 'model' takes its inputs as keywords, ModelServiceArgs or a dictionary, not "
        f"as {shown}; resource options are given as opts="
    ) == str(refused.value)


@pytest.mark.parametrize(
    "mistaken",
    [
        pytest.param(lambda make: make("model", modelname="x"), id="unknown keyword"),
        pytest.param(lambda make: make("model", {"modelname": "x"}), id="unknown key"),
        pytest.param(lambda make: make("model", "gp-1"), id="wrong positional"),
        pytest.param(lambda make: make("model", {**MINIMUM}, replicas=2), id="both ways"),
    ],
)
def test_mistake_is_an_error_of_python_and_of_pulumi(mistaken: Any) -> None:
    """A program catches it as a TypeError, and Pulumi shows it without a traceback."""
    with pytest.raises(InputError) as refused:
        run(lambda: mistaken(ModelService))

    assert isinstance(refused.value, TypeError)
    assert isinstance(refused.value, pulumi.RunError)


def test_missing_inputs_are_left_to_the_preview() -> None:
    """The provider reports all that is missing at once, so nothing is raised here."""
    make: Any = ModelService

    assert "model" in run(lambda: make("model")).inputs


@pytest.mark.parametrize(
    ("name", "shown"), [(None, "None"), ("", "''"), (42, "42"), (["model"], "['model']")]
)
def test_a_name_that_is_none_is_refused(name: Any, shown: str) -> None:
    """Declared or looked up."""
    for make in (lambda: declare(name), lambda: ModelService.get(name, "gp-1:ms-1")):
        with pytest.raises(InputError) as refused:
            run(make)
        assert (
            "ModelService takes the resource's name in the stack first, a non-empty string, not "
            f"{shown}"
        ) == str(refused.value)


def _refusals(opts: Any) -> set[str]:
    """What a declaration and a look-up with these options say."""
    found = set()
    ways: list[Callable[[], object]] = [
        lambda: declare(opts=opts),
        lambda: ModelService("model", ModelServiceArgs(**MINIMUM), opts),
        lambda: ModelService.get("model", "gp-1:ms-1", opts=opts),
    ]
    for make in ways:
        with pytest.raises(InputError) as refused:
            make()
        found.add(str(refused.value))
    return found


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        pytest.param({"protect": True}, "dict", id="dictionary"),
        pytest.param("protect", "str", id="text"),
        pytest.param(ResourceOptions, "type", id="class"),
    ],
)
def test_options_that_are_none_are_refused(wrong: Any, shown: str) -> None:
    """In one line that says what they may be."""
    expected = f"ModelService 'model' takes opts as pulumi.ResourceOptions, not as {shown}"
    assert _refusals(wrong) == {expected}


def test_a_provider_in_the_options_is_refused() -> None:
    """Its account and region would be passed over without a word, however it is given."""

    def program() -> None:
        provider = pulumi.ProviderResource("alicloud", "beijing", {"region": "cn-beijing"})
        other = pulumi.ProviderResource("aws", "us", {})
        mistaken: Any = "alicloud"
        told = set()
        for opts in (
            ResourceOptions(provider=provider),
            ResourceOptions(providers=[provider]),
            ResourceOptions(providers=[other, provider]),
            ResourceOptions(providers={"alicloud": provider}),
            ResourceOptions.merge(None, ResourceOptions(providers=[provider])),
            ResourceOptions(provider=other),
            ResourceOptions(provider=mistaken),
        ):
            (text,) = _refusals(opts)
            assert text.startswith("ModelService 'model' takes no provider, got one ")
            assert text.endswith("another account is another stack.")
            assert "set region_id" in text
            told.add(text.partition("got one ")[2].partition(" in opts")[0])
        assert told == {"of 'alicloud'", "of 'aws'", "'alicloud'"}

    assert set(run(program).requests) >= {"beijing", "us"}


def test_providers_of_a_component_are_no_mistake() -> None:
    """They are for others of its children; nor is one of the dynamic resources' own package."""

    def program() -> None:
        provider = pulumi.ProviderResource("alicloud", "beijing", {"region": "cn-beijing"})
        component = pulumi.ComponentResource(
            "test:index:Search", "search", {}, ResourceOptions(providers=[provider])
        )
        declare("child", opts=ResourceOptions(parent=component))
        own = pulumi.ProviderResource("pulumi-python", "own", {})
        declare("own-provider", opts=ResourceOptions(provider=own))

    assert {"child", "own-provider"} <= set(run(program).requests)


def test_a_parent_that_is_no_resource_is_refused() -> None:
    """Not with an error from within."""
    parent: Any = "search"
    (text,) = _refusals(ResourceOptions(parent=parent))
    assert text == "ModelService 'model' takes a resource as opts.parent, not 'search'"


_ID = (
    "ModelService 'model': id must be '<db_instance_id>:<model_service_id>', such as "
    "gp-abc:ms-123, got "
)


def _why(id_: Any) -> str:
    """What a program that looks up this id fails with, once it is run."""
    text = ""
    try:
        run(lambda: ModelService.get("model", id_))
    except InputError as error:
        text = str(error)
    return text


@pytest.fixture
def _collected() -> Iterator[None]:
    """Asyncio would tell of what failed in the middle of another test."""
    yield
    run(lambda: None)  # Pulumi keeps it until then
    gc.collect()


@pytest.mark.usefixtures("_collected")
def test_an_id_that_is_none_is_refused() -> None:
    """Before anything is asked; inside an Output as soon as it is known."""
    for wrong in (None, "", 42, True, "ms-1", " gp-1:ms-1 ", "gp-1: ms-1", ["gp-1:ms-1"]):
        expected = f"{_ID}{wrong!r}"
        assert [expected] * 2 == [_why(wrong), _why(pulumi.Output.from_input(wrong))]


@pytest.mark.usefixtures("_collected")
def test_a_secret_id_is_refused_without_being_shown() -> None:
    """Pulumi stores ids in clear."""
    for secret in ("gp-1:ms-1", "made-up"):
        assert _why(pulumi.Output.secret(secret)) == (
            "ModelService 'model': id is a secret, but ids are shown, and stored in clear. If it "
            "may be, give pulumi.Output.unsecret(id)."
        )

    def unsecret() -> None:
        ModelService.get("model", pulumi.Output.unsecret(pulumi.Output.secret("gp-1:ms-1")))

    assert run(unsecret).requests["model"].id == "gp-1:ms-1"
