"""Tables and drawings that have to agree with the code, and defaults that must not move."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from typing import Any

import pytest

import pulumi_adbpg_model
from pulumi_adbpg_model import errors, functions
from pulumi_adbpg_model.fields import ALWAYS_SECRET, INPUTS
from pulumi_adbpg_model.resource import ModelService
from pulumi_adbpg_model.resource._arguments import ModelServiceArgs, ModelServiceArgsDict
from pulumi_adbpg_model.service.comparison import compare
from pulumi_adbpg_model.service.implementation import DEFAULT_TIMEOUTS_S
from pulumi_adbpg_model.service.state import OUTPUTS
from pulumi_adbpg_model.service.validation import validate
from pulumi_adbpg_model.settings import Settings
from tests.unit.values import FULL, MINIMAL


def test_package_exports_the_resource_its_arguments_and_the_functions() -> None:
    """The public names are these, sorted, and each is there."""
    resource = ["ModelService", "ModelServiceArgs", "ModelServiceArgsDict"]
    assert pulumi_adbpg_model.__all__ == sorted([*resource, *functions.__all__])
    assert {name for name in functions.__all__ if name.startswith("get_")} == {
        f"get_{what}{twin}"
        for what in ("ai_node_pools", "api_key", "model_services", "supported_models")
        for twin in ("", "_output")
    }
    assert pulumi_adbpg_model.__all__ == sorted(pulumi_adbpg_model.__all__)
    assert all(hasattr(pulumi_adbpg_model, name) for name in pulumi_adbpg_model.__all__)
    assert set(pulumi_adbpg_model.__all__) <= set(dir(pulumi_adbpg_model))


def test_nothing_that_holds_an_api_key_shows_it() -> None:
    """Answers of the cloud hold keys that nobody asked for; a repr may end up in any text."""
    found = {
        cls
        for module in pkgutil.walk_packages(pulumi_adbpg_model.__path__, "pulumi_adbpg_model.")
        if not module.name.endswith("__main__")
        for cls in vars(importlib.import_module(module.name)).values()
        if dataclasses.is_dataclass(cls) and isinstance(cls, type)
        if {"api_key", "_api_key"} & {field.name for field in dataclasses.fields(cls)}
    }
    names = {cls.__name__ for cls in found}
    assert names == {"GetApiKeyResult", "ModelServiceDetails", "Service", "SimulatedService"}
    for cls in found:
        values = {name: f"made-up {name}" for name in inspect.signature(cls).parameters}
        assert "made-up id" in repr(cls(**values))
        assert "made-up api_key" not in repr(cls(**values))


def test_errors_drawing_equals_the_classes() -> None:
    """The tree in the module's docstring names every class, each below its base."""
    drawn: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([ │├└─]*)(\w+Error)\b", line)
        if found:
            depth = len(found[1])
            above = [(other, name) for other, name in above if other < depth]
            drawn[found[2]] = above[-1][1] if above else None
            above.append((depth, found[2]))

    classes = {name: getattr(errors, name) for name in errors.__all__ if name[0].isupper()}
    actual: dict[str, str | None] = {
        name: next((base.__name__ for base in cls.__mro__[1:] if base.__name__ in classes), None)
        for name, cls in classes.items()
    }
    assert drawn == actual


def test_errors_are_all_exported() -> None:
    """Every public class of the module is in its `__all__`, beside what words an error."""
    defined = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == errors.__name__ and name[0] != "_"
    ]
    assert [*sorted(defined), "text_of"] == errors.__all__


def test_settings_defaults_are_frozen() -> None:
    """With only a region given, everything else has the documented default."""
    resolved = Settings.resolve(dict[str, str]().get, {}, "cn-hangzhou")
    assert dataclasses.asdict(resolved) == {
        "region": "cn-hangzhou",
        "endpoint": None,
        "credentials": {
            "source": "the default credential chain",
            "sources": (
                {
                    "source": "~/.aliyun/config.json",
                    "name": None,
                    "file": None,
                    "or_section": False,
                    "rivals": (),
                    "sts_host": None,
                },
                {
                    "source": "~/.alibabacloud/credentials.ini",
                    "section": "default",
                    "file": None,
                    "sts_host": None,
                },
                {"source": "the RAM role of the ECS instance", "name": None},
            ),
        },
        "passed_over": (),
        "sts": None,
        "max_poll_interval_s": None,
        "parallel": 64,
        "preflight": True,
    }


def test_default_timeouts_are_frozen() -> None:
    """Operations have the documented time when the program sets none."""
    minutes = {name: seconds / 60 for name, seconds in DEFAULT_TIMEOUTS_S.items()}
    assert minutes == {"create": 60, "update": 10, "delete": 20, "read": 5}


def test_state_names_are_frozen() -> None:
    """State of every release is read by these names: none may go or change."""
    assert INPUTS == (
        "db_instance_id", "model_name", "ai_nodes", "description", "security_ip_list",
        "model_params", "resource_group_id", "client_token", "replicas", "inference_engine",
        "enable_public_connection", "region_id", "wait_for_active", "security_ip_group",
        "store_api_key",
    )  # fmt: skip
    assert OUTPUTS == (
        "model_service_id", "request_id", "status", "status_reason", "create_time",
        "private_connect_url", "public_connect_url", "api_key",
    )  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_has_a_rule(name: str) -> None:
    """An object that is no value at all breaks exactly one rule, that of its input."""
    (failure,) = validate(MINIMAL | {name: object()})
    # The engine would show the value.
    assert failure.property == ("" if name in ALWAYS_SECRET else name)
    assert re.match(rf"{name} must be ", failure.reason)


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_has_a_diff_behaviour(name: str) -> None:
    """A changed value is seen, whichever input it is."""
    olds: dict[str, Any] = FULL | {"__declared": list(FULL), "status": "active"}
    news = FULL | {name: not FULL[name] if isinstance(FULL[name], bool) else ["other"]}
    assert (name,) == compare(olds, news).changed


def test_every_input_is_a_documented_argument() -> None:
    """`ModelServiceArgs` has the inputs in their order, each with a docstring of its own."""
    assert list(INPUTS) == [field.name for field in dataclasses.fields(ModelServiceArgs)]
    assert list(INPUTS) == _documented(ModelServiceArgs)


def test_every_input_is_a_key_of_the_arguments_dictionary() -> None:
    """`ModelServiceArgsDict` has the inputs too, with the same ones required."""
    required = {
        field.name
        for field in dataclasses.fields(ModelServiceArgs)
        if field.default is dataclasses.MISSING
    }
    keys = ModelServiceArgsDict.__required_keys__ | ModelServiceArgsDict.__optional_keys__
    assert set(INPUTS) == keys
    assert {"db_instance_id", "model_name", "ai_nodes"} == required
    assert required == set(ModelServiceArgsDict.__required_keys__)


def test_every_input_and_output_is_a_documented_attribute() -> None:
    """`ModelService` has every input and output as an attribute, each with a docstring."""
    assert [*INPUTS, *OUTPUTS] == _documented(ModelService)


def _documented(cls: type) -> list[str]:
    """The annotated names of a class that are followed by a docstring that is a sentence."""
    (definition,) = ast.parse(inspect.getsource(cls)).body
    assert isinstance(definition, ast.ClassDef)
    return [
        one.target.id
        for one, following in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
        and str(following.value.value).rstrip().endswith(".")
    ]
