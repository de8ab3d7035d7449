"""Tables and drawings that have to agree with the code, and defaults that must not move."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import pulumi_adbpg_model
from pulumi_adbpg_model import errors, functions
from pulumi_adbpg_model.fields import FIELDS, INPUTS, Field
from pulumi_adbpg_model.resource import ModelService
from pulumi_adbpg_model.resource._arguments import ModelServiceArgs, ModelServiceArgsDict
from pulumi_adbpg_model.service.comparison import compare
from pulumi_adbpg_model.service.implementation import DEFAULT_TIMEOUTS_S
from pulumi_adbpg_model.service.state import OUTPUTS
from pulumi_adbpg_model.settings import Settings
from tests.service.values import FULL


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

    public = {name: getattr(errors, name) for name in errors.__all__}
    classes = {name: each for name, each in public.items() if inspect.isclass(each)}
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
    words = ["first_of", "one_line", "text_of"]
    assert ["MOST_NAMES", *sorted(defined), *words] == errors.__all__


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


class _Bare:
    """Stands for `Input`: what it is an input of."""

    def __class_getitem__(cls, item: Any) -> Any:
        return item


_ARGUMENTS = get_type_hints(ModelServiceArgs, localns={"Input": _Bare})
_KEYS = get_type_hints(ModelServiceArgsDict, localns={"Input": _Bare})
_ATTRIBUTES = {name: get_args(hint)[0] for name, hint in ModelService.__annotations__.items()}
#: Of each broad type, a value that fits no rule on values of another one.
_OF_TYPES = {str: "text", int: 7, bool: True, Sequence: [1], Mapping: {"a": 1}}


def test_typed_classes_have_what_the_table_has() -> None:
    """In its order, each with a docstring of its own; the dictionary needs none."""
    assert list(INPUTS) == [field.name for field in dataclasses.fields(ModelServiceArgs)]
    assert list(INPUTS) == _documented(ModelServiceArgs)
    assert list(INPUTS) == list(_KEYS)
    assert [*INPUTS, *OUTPUTS] == _documented(ModelService) == list(_ATTRIBUTES)


@pytest.mark.parametrize("field", FIELDS, ids=INPUTS)
def test_typed_classes_say_of_an_input_what_its_row_says(field: Field) -> None:
    """Whether it may be left out, its default, and a type that its rule takes, and no other."""
    required = field.name in ModelServiceArgsDict.__required_keys__
    default = {one.name: one.default for one in dataclasses.fields(ModelServiceArgs)}[field.name]
    type_ = _ARGUMENTS[field.name]
    bare = type_ if required else next(one for one in get_args(type_) if one is not type(None))
    assert field.required == required == (default is dataclasses.MISSING)
    assert required or field.default == default
    assert _KEYS[field.name] == type_ == (bare if required else bare | None)
    # The output is the region in use.
    assert _ATTRIBUTES[field.name] == (bare if field.name == "region_id" else type_)
    broad = get_origin(bare) or bare
    assert isinstance(FULL[field.name], broad)
    assert list(field.rule(FULL[field.name])) == []
    others = [value for other, value in _OF_TYPES.items() if other is not broad]
    assert all(list(field.rule(value)) for value in [*others, object()])


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_has_a_diff_behaviour(name: str) -> None:
    """A changed value is seen, whichever input it is."""
    olds: dict[str, Any] = FULL | {"__declared": list(FULL), "status": "active"}
    news = FULL | {name: not FULL[name] if isinstance(FULL[name], bool) else ["other"]}
    assert (name,) == compare(olds, news).changed


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
