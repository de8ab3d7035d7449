"""
The inputs of a resource against the rules of `fields`, before anything is called.

All failures are reported at once, each naming property, rule and value, but for the value of a
secret. Values that are known only after other resources exist are passed over, and come back when
they are known. Rules that no document gives are left to the cloud.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.fields import ALWAYS_SECRET, FIELD_OF, FIELDS, INPUTS, UNKNOWN, Fault
from pulumi_adbpg_model.service.state import ADOPT, is_hidden


@dataclass(frozen=True)
class Failure:
    """
    One broken rule. `property` is the input; the reason names the entry, if one is meant.

    Without a property where its value is a secret: the engine shows that of a named one.
    """

    property: str
    reason: str


def validate(news: Mapping[str, Any], secret: Collection[str] = ALWAYS_SECRET) -> list[Failure]:
    """
    Check the inputs of one resource.

    Never raises, whatever it is given. Whole numbers may come as floats (`2.0`).

    Args:
        news: The inputs; None and absent mean the same. `UNKNOWN` stands for what is not known yet.
        secret: Names of inputs whose values are not to be shown.
    """
    failures = [
        Failure(field.name, f"{field.name} is required")
        for field in FIELDS
        if field.required and news.get(field.name) is None
    ]
    for name, value in news.items():
        if value is None or value is UNKNOWN:
            continue
        if name in FIELD_OF:
            faults = FIELD_OF[name].rule(value)
            failures += _failures(name, name, faults, hidden=name in secret)
        elif name == ADOPT:  # an option, not a property
            failures += _failures("", "import_", _unfit_id(value), hidden=name in secret)
        elif not is_hidden(name):
            known = ", ".join(INPUTS)
            failures.append(Failure(name, f"{name} is not an input; the inputs are {known}"))
    return failures


def _failures(name: str, label: str, faults: Iterable[Fault], *, hidden: bool) -> Iterator[Failure]:
    for where, rule, got in faults:
        reason = f"{label}{where} {rule}"
        yield Failure("", reason) if hidden else Failure(name, f"{reason}{got}")


def _unfit_id(value: Any) -> Iterator[Fault]:
    try:
        ModelServiceId.parse(value)
    except ValueError as error:
        got = f", got {value!r}"
        yield "", str(error).removesuffix(got), got
