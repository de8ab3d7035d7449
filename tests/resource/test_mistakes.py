"""Mistakes in a declaration that Python itself can tell."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from pulumi_adbpg_model import ModelService, ModelServiceArgs
from pulumi_adbpg_model.arguments import InputError
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
