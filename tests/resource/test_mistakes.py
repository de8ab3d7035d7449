"""Mistakes in a declaration that Python itself can tell, and services that are not active."""

from __future__ import annotations

import time
from typing import Any

import pulumi
import pytest

from pulumi_adbpg_model import ModelService, ModelServiceArgs
from pulumi_adbpg_model.arguments import InputError
from tests.resource.registering import MINIMUM, Registered, declare, run

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
        ("__urn", "ModelService 'model' has no input '__urn'."),
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


def _outcome(outputs: dict[str, Any], **inputs: Any) -> tuple[list[str], str | None]:
    """What of the key was seen by the program, and the error that ended it."""
    seen: list[str] = []

    def program() -> None:
        declare(**inputs).api_key.apply(lambda key: seen.append(str(key)))

    try:
        run(program, outputs)
    except pulumi.RunError as error:
        return seen, str(error)
    return seen, None


def test_program_fails_when_the_service_is_not_active_in_time() -> None:
    """One line says what is billed, how to resume and how to remove; nothing resolves."""
    outcome = _outcome({"status": "deployming", "status_reason": "not active within 5 s"})

    assert (
        [],
        "model service gp-1:ms-1 is not active: not active within 5 s. It is kept in the state and "
        "its AI nodes stay billed. Run `pulumi up` again to go on waiting; `pulumi destroy` "
        "removes it.",
    ) == outcome


def test_program_fails_when_the_service_was_never_seen() -> None:
    """Of a service that the cloud never showed, no more is said than is known."""
    _, error = _outcome({"status": "unknown", "status_reason": "its status could not be read"})

    assert (
        "model service gp-1:ms-1 is not active: its status could not be read. It may exist and be "
        "billed, so it is kept in the state. Run `pulumi up` again to go on waiting; `pulumi "
        "destroy` removes it."
    ) == error


def test_program_fails_when_the_state_was_written_after_the_declaration() -> None:
    """What this very run waited for in vain, it fails for."""
    later = time.time() + 3600

    _, error = _outcome({"status": "deployming", "__written": later})

    assert str(error).startswith("model service gp-1:ms-1 is not active: deployming. It is kept")


def test_program_fails_when_the_deployment_failed() -> None:
    """A failed service is replaced next time, and says so."""
    outcome = _outcome({"status": "deploy_failed"})

    assert (
        [],
        "model service gp-1:ms-1 is not active: deploy_failed. It is kept in the state and its AI "
        "nodes stay billed. The next `pulumi up` replaces it; `pulumi destroy` removes it.",
    ) == outcome


@pytest.mark.parametrize(
    ("outputs", "inputs"),
    [
        pytest.param({"status": "Active"}, {}, id="active"),
        pytest.param({"status": "deployming"}, {"wait_for_active": False}, id="nobody waits"),
        pytest.param({}, {}, id="mocks of a user, who knows of no status"),
        pytest.param({"status": "deployming", "__written": 1e9}, {}, id="left by an earlier run"),
        pytest.param({"status": "failed", "__written": 1e9}, {}, id="failed in an earlier run"),
    ],
)
def test_program_goes_on(outputs: dict[str, Any], inputs: dict[str, Any]) -> None:
    """Without a wait that was in vain, outputs resolve."""
    assert (["sk-made-up"], None) == _outcome({**outputs, "api_key": "sk-made-up"}, **inputs)


def test_program_goes_on_at_preview() -> None:
    """What is not known yet is no failure."""
    assert "model" in run(declare, {"status": "deployming"}, preview=True).inputs


def _got(**options: Any) -> Registered:
    return run(lambda: ModelService.get("model", "gp-1:ms-9", **options), {"status": "deployming"})


def test_get_reads_and_registers_nothing() -> None:
    """`.get` sends the id to be read; the status of what others manage fails no program."""
    registered = _got(region_id="cn-beijing")

    request = registered.requests["model"]
    assert "ReadResourceRequest" == type(request).__name__
    assert ("gp-1:ms-9", "pulumi-python:dynamic/adbpg:ModelService") == (request.id, request.type)
    assert ["__tokens", "api_key"] == sorted(request.additionalSecretOutputs)
    assert "cn-beijing" == registered.inputs["model"]["region_id"]
    unset = {*MINIMUM, "wait_for_active", "store_api_key"}
    assert unset.isdisjoint(registered.inputs["model"])


def test_get_keeps_the_options_of_the_caller() -> None:
    """Options of a look-up are used, and the object is not changed."""
    opts = pulumi.ResourceOptions(version="1.2.3")

    assert "1.2.3" == _got(opts=opts).requests["model"].version
    assert opts.id is None
