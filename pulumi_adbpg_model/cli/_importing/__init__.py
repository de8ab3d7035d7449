"""
Import files: live services as `pulumi import --file` takes them, and the program that fits them.

The engine cannot ask a Python dynamic resource for its state by id alone, but from CLI 3.254 on it
takes a state that the file brings along. Each entry is what `create` would have written, so that
`pulumi up` of the program has nothing to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from pulumi_adbpg_model.cli._importing._naming import (
    DEFAULT_NAME,
    PLACEHOLDERS,
    check_name_template,
    resource_name,
    unique,
    variable_name,
)
from pulumi_adbpg_model.cli._importing._services import Note, broken_rules, find, placement
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.fields import DEFAULTS, INPUTS
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.service import state

__all__ = [
    "DEFAULT_NAME",
    "PLACEHOLDERS",
    "Import",
    "check_name_template",
    "file_of",
    "find",
    "plan",
    "source_of",
]

#: How Pulumi's state tells a secret from an object. https://www.pulumi.com/docs/iac/concepts/secrets/
_SECRET_MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
_IMPORT_LINE = "from pulumi_adbpg_model import ModelService\n"
#: The width at which the usual formatters break a list.
_WIDTH = 88


@dataclass(frozen=True)
class Import:
    """A service to take over: the resource's name, the variable for it, and its state."""

    id: ModelServiceId
    name: str
    variable: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(repr=False)


def plan(
    services: Iterable[ModelServiceDetails],
    *,
    name_template: str = DEFAULT_NAME,
    region: str | None,
    store_api_key: bool = True,
    undeclared: Note,
) -> list[Import]:
    """
    Give each service a name, a variable, and the inputs and outputs of a resource.

    Args:
        services: What `find` gave.
        name_template: A name with placeholders; a name that comes twice gets a number.
        region: The region in use; None when only an endpoint is set.
        store_api_key: Whether the API key is part of the outputs, and of the state later.
        undeclared: Told of each value that the cloud shows but the resource does not take.
    """
    imports: list[Import] = []
    names: set[str] = set()
    variables: set[str] = set()
    for details in services:
        declared = _inputs(details, region, undeclared)
        inputs = {**DEFAULTS, **declared, "store_api_key": store_api_key}
        outputs = state.outputs(inputs, {"region_id": region}, details.id, details, None)
        name = unique(resource_name(details, name_template), "-", names)
        variable = unique(variable_name(name), "_", variables)
        imports.append(Import(details.id, name, variable, inputs, outputs))
    return imports


def file_of(imports: Iterable[Import]) -> dict[str, Any]:
    """The document for `pulumi import --file`; API keys in it are marked as secrets, but clear."""
    provider = {"__provider": serialize_provider(ModelServiceProvider())}
    return {
        "resources": [
            {
                "type": state.TYPE,
                "name": one.name,
                "id": str(one.id),
                "inputs": {**one.inputs, **provider},
                "outputs": {**_with_secrets(one.outputs), **provider},
            }
            for one in imports
        ]
    }


def source_of(imports: Sequence[Import]) -> str:
    """The Python program that declares these resources; empty without any."""
    return "\n".join([_IMPORT_LINE, *map(_statement, imports)]) if imports else ""


def _inputs(details: ModelServiceDetails, region: str | None, undeclared: Note) -> dict[str, Any]:
    shown = {
        "description": details.description,
        "security_ip_list": list(details.security_ip_list or ()),
        "region_id": region,
    }
    inputs = placement(details) | {name: value for name, value in shown.items() if value}
    for failure in broken_rules(inputs):
        if inputs.pop(failure.property, None) is not None:
            undeclared(f"{details.id}: {failure.property} is not declared: {failure.reason}.")
    return inputs


def _with_secrets(outputs: Mapping[str, Any]) -> dict[str, Any]:
    if "api_key" not in outputs:
        return dict(outputs)
    return {**outputs, "api_key": {**_SECRET_MARK, "plaintext": json.dumps(outputs["api_key"])}}


def _statement(one: Import) -> str:
    lines = [f"{one.variable} = ModelService(", f"    {_literal(one.name)},"]
    for name in INPUTS:
        value = one.inputs.get(name)
        if value is None or value == DEFAULTS.get(name):
            continue
        line = f"    {name}={_literal(value)},"
        if isinstance(value, list) and len(line) > _WIDTH:
            line = "\n".join(
                [f"    {name}=[", *(f"        {_literal(item)}," for item in value), "    ],"]
            )
        lines.append(line)
    return "\n".join([*lines, ")\n"])


def _literal(value: Any) -> str:
    """A Python literal; strings in double quotes where that needs no escapes, as formatters do."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    text = repr(value)
    if isinstance(value, str) and text[0] == "'" and '"' not in value:
        return f'"{text[1:-1]}"'
    return text
