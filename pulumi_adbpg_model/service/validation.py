"""
Every rule that the API documents for its inputs, checked before anything is called.

All failures are reported at once, each naming property, rule and value, but for the value of a
secret. Unknown values, known only after other resources exist, are passed over and come back when
they are known. Rules that no document gives are left to the cloud.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi_adbpg_model.domain import ModelServiceId, is_id_part, parse_network
from pulumi_adbpg_model.service.state import ADOPT, ALWAYS_SECRET, INPUTS, MOST_EXACT, is_hidden
from pulumi_adbpg_model.settings import is_region

__all__ = ["Failure", "validate"]

_REQUIRED = ("db_instance_id", "model_name", "ai_nodes")
_MAX_WHITELIST = 1000
_MAX_TOKEN = 64


@dataclass(frozen=True)
class Failure:
    """
    One broken rule. `property` is the input; the reason names the entry, if one is meant.

    Without a property where its value is a secret: the engine shows that of a named one.
    """

    property: str
    reason: str
    #: What of the reason shows the value, at its end.
    _shown: str = field(default="", repr=False, compare=False)

    def without_value(self) -> Failure:
        """The same, of a secret."""
        return Failure("", self.reason.removesuffix(self._shown))


def validate(
    news: Mapping[str, Any],
    is_unknown: Callable[[Any], bool],
    secret: Collection[str] = ALWAYS_SECRET,
) -> list[Failure]:
    """
    Check the inputs of one resource.

    Never raises, whatever it is given. Whole numbers may come as floats (`2.0`).

    Args:
        news: The inputs; None and absent mean the same.
        is_unknown: Tells a value that is not known yet.
        secret: Names of inputs whose values are not to be shown.
    """
    failures = [
        Failure(name, f"{name} is required") for name in _REQUIRED if news.get(name) is None
    ]
    for name, value in news.items():
        if value is None or is_unknown(value):
            continue
        if name in _RULES:
            found = _RULES[name](name, value, is_unknown)
            failures += [one.without_value() for one in found] if name in secret else found
        elif not is_hidden(name):
            known = ", ".join(INPUTS)
            failures.append(Failure(name, f"{name} is not an input; the inputs are {known}"))
    return failures


_Rule = Callable[[str, Any, Callable[[Any], bool]], "list[Failure]"]


def _input_of(label: str) -> str:
    return label.partition("[")[0].partition(".")[0]


def _failure(name: str, rule: str, value: Any) -> list[Failure]:
    shown = repr(value)
    shown = shown if len(shown) <= 100 else shown[:99] + "…"
    got = f", got {shown}"
    return [Failure(_input_of(name), f"{name} {rule}{got}", got)]


def _text(name: str, value: Any, _: Callable[[Any], bool]) -> list[Failure]:
    if not isinstance(value, str):
        return _failure(name, "must be a string", value)
    return []


def _filled(name: str, value: Any, _: Callable[[Any], bool]) -> list[Failure]:
    if not isinstance(value, str) or not value.strip():
        return _failure(name, "must be a non-empty string", value)
    return []


def _boolean(name: str, value: Any, _: Callable[[Any], bool]) -> list[Failure]:
    return [] if isinstance(value, bool) else _failure(name, "must be true or false", value)


def _ai_nodes(name: str, value: Any, is_unknown: Callable[[Any], bool]) -> list[Failure]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return _failure(name, "must be a list of AI node names", value)
    if not value:
        return _failure(name, "must name at least one AI node", value)
    failures: list[Failure] = []
    seen: set[str] = set()
    for index, node in enumerate(value):
        if is_unknown(node):
            continue
        found = _filled(f"{name}[{index}]", node, is_unknown)
        failures += found
        if not found and node.strip() in seen:
            failures += _failure(f"{name}[{index}]", "must not repeat an AI node", node)
        if not found:
            seen.add(node.strip())
    return failures


def _security_ip_list(name: str, value: Any, is_unknown: Callable[[Any], bool]) -> list[Failure]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return _failure(name, "must be a list of IPv4 addresses and CIDR blocks", value)
    failures: list[Failure] = []
    if len(value) > _MAX_WHITELIST:
        rule = f"{name} must have at most {_MAX_WHITELIST} entries, got {len(value)}"
        failures.append(Failure(name, rule))
    rule = "must be an IPv4 address, a CIDR block with a prefix of 1 to 32, or 0.0.0.0/0"
    for index, entry in enumerate(value):
        if is_unknown(entry):
            continue
        try:
            parse_network(entry if isinstance(entry, str) else "")
        except ValueError:
            failures += _failure(f"{name}[{index}]", rule, entry)
    return failures


def _model_params(name: str, value: Any, is_unknown: Callable[[Any], bool]) -> list[Failure]:
    if not isinstance(value, Mapping):
        return _failure(name, "must be a mapping", value)
    return _failure(name, _EXACT, value) if _holds_inexact(value, is_unknown) else []


#: The program refuses others before they are sent; a transform may put some in after that.
_EXACT = "must have finite numbers, and whole ones of at most 2**53 either way"


def _holds_inexact(value: Any, is_unknown: Callable[[Any], bool]) -> bool:
    if is_unknown(value) or isinstance(value, bool):
        return False
    if isinstance(value, Mapping):
        return any(_holds_inexact(item, is_unknown) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_holds_inexact(item, is_unknown) for item in value)
    return isinstance(value, (int, float)) and not (
        math.isfinite(value) and (value % 1 != 0 or abs(value) <= MOST_EXACT)
    )


def _replicas(name: str, value: Any, _: Callable[[Any], bool]) -> list[Failure]:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < 1:
        return _failure(name, "must be a whole number of at least 1", value)
    return _failure(name, "must be at most 2**53", value) if value > MOST_EXACT else []


def _inference_engine(name: str, value: Any, _: Callable[[Any], bool]) -> list[Failure]:
    return [] if value == "vllm" else _failure(name, "must be 'vllm'", value)


def _client_token(name: str, value: Any, _: Callable[[Any], bool]) -> list[Failure]:
    fits = isinstance(value, str) and 1 <= len(value) <= _MAX_TOKEN
    if not fits or not all(" " <= character <= "~" for character in value):
        return _failure(name, f"must be 1 to {_MAX_TOKEN} printable ASCII characters", value)
    return []


def _region_id(name: str, value: Any, _: Callable[[Any], bool]) -> list[Failure]:
    if not isinstance(value, str) or not is_region(value):
        return _failure(name, "must be a region id such as cn-hangzhou", value)
    return []


def _db_instance_id(name: str, value: Any, is_unknown: Callable[[Any], bool]) -> list[Failure]:
    found = _filled(name, value, is_unknown)
    if not found and not is_id_part(value):  # else the service's own id could not be read back
        rule = "must be an instance id such as gp-abc, without spaces and colons"
        return _failure(name, rule, value)
    return found


def _security_ip_group(name: str, value: Any, is_unknown: Callable[[Any], bool]) -> list[Failure]:
    found = _filled(name, value, is_unknown)
    if not found and value.strip().lower() == "default":
        rule = "must not be the group 'default', which guards the database itself"
        return _failure(name, rule, value)
    return found


def _adopt(_name: str, value: Any, _: Callable[[Any], bool]) -> list[Failure]:
    try:
        ModelServiceId.parse(value)
    except ValueError as error:
        return [Failure("", f"import_ {error}", f", got {value!r}")]
    return []


_RULES: dict[str, _Rule] = {
    "db_instance_id": _db_instance_id,
    "model_name": _filled,
    "ai_nodes": _ai_nodes,
    "description": _text,
    "security_ip_list": _security_ip_list,
    "model_params": _model_params,
    "resource_group_id": _filled,
    "client_token": _client_token,
    "replicas": _replicas,
    "inference_engine": _inference_engine,
    "enable_public_connection": _boolean,
    "region_id": _region_id,
    "wait_for_active": _boolean,
    "security_ip_group": _security_ip_group,
    "store_api_key": _boolean,
    ADOPT: _adopt,
}
