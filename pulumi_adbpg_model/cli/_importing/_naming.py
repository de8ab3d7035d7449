"""Names of resources and of the variables for them, made from what the cloud shows."""

from __future__ import annotations

import builtins
import keyword
import re

from pulumi_adbpg_model.domain import ModelServiceDetails

#: What a name template may hold in braces.
PLACEHOLDERS = ("model", "service_id", "node", "instance")
DEFAULT_NAME = "{model}"

#: What a program is likely to have bound already.
_TAKEN = frozenset(("pulumi", *dir(builtins)))


def check_name_template(template: str) -> None:
    """
    Refuse what makes no resource name.

    Raises:
        ValueError: Says what is wrong with it.
    """
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    for name in re.findall(r"{(.*?)}", template):
        if name not in PLACEHOLDERS:
            raise ValueError(f"{{{name}}} is no placeholder; there are {known}")
    rest = re.sub(r"{.*?}", "x", template)
    if not re.fullmatch(r"[A-Za-z0-9._-]+", rest):
        raise ValueError(f"may hold letters, digits, '.', '_', '-' and {known}, got {template!r}")


def resource_name(details: ModelServiceDetails, template: str) -> str:
    """The template with its placeholders filled: in lower case, with dashes between the words."""
    values = {
        "model": details.model_name or "",
        "service_id": details.id.model_service_id,
        "node": "-".join(details.ai_nodes or ()),
        "instance": details.id.db_instance_id,
    }
    return template.format(
        **{
            # A name in another script leaves nothing: then the placeholder's own stands for it.
            key: re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or key.replace("_", "-")
            for key, text in values.items()
        }
    )


def variable_name(name: str) -> str:
    """A variable for the resource of that name, which hides nothing that programs need."""
    variable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "service"
    if variable[0].isdigit():
        variable = f"service_{variable}"
    return f"{variable}_" if keyword.iskeyword(variable) or variable in _TAKEN else variable


def unique(wanted: str, separator: str, taken: set[str]) -> str:
    """The name, with a number behind it if it is taken; it is taken then."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}{separator}{number}"
    taken.add(name)
    return name
