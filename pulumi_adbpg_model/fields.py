"""
The inputs of a model service, each said once: `FIELDS`, at the end.

Validation, comparison, state and the request to the cloud read that table. A new input is a row of
it, with `later=True`, a line in each typed class of `resource`, which a test holds against it, and
one in the docs. What reads the API by itself follows: the simulator, and tests that freeze names.
Above it stand the rules on values, when two of them mean the same, and how they are sent. Standard
library only: every program loads this.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple


class _Unknown:
    """The class of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


#: Stands for a value, or a part of one, that is known only after other resources exist.
UNKNOWN: Final = _Unknown()

#: Whole numbers beyond it, either way, may be changed on Pulumi's wire, where all are doubles.
MOST_EXACT = 2**53
_MAX_WHITELIST = 1000
_MAX_TOKEN = 64


def is_id_part(text: str) -> bool:
    """Whether this can be one half of a composite id."""
    # Whatever the cloud hands out: a narrower rule could make a service that exists undeletable.
    return re.fullmatch(r"[^\s:]+", text) is not None


def is_region(text: str) -> bool:
    """Whether this is formed like a region id, such as `cn-hangzhou`."""
    return re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", text) is not None


def parse_network(entry: str) -> ipaddress.IPv4Network:
    """
    Read one whitelist entry as the API documents it: an IPv4 address, a CIDR block with a prefix
    of 1 to 32 (host bits may be set), or `0.0.0.0/0`.

    Raises:
        ValueError: It is none of these.
    """
    text = entry.strip()
    address, slash, prefix = text.partition("/")
    if slash and not (prefix.isascii() and prefix.isdigit()):
        raise ValueError(entry)
    network = ipaddress.IPv4Network(text, strict=False)
    if network.prefixlen == 0 and address != "0.0.0.0":  # noqa: S104 - compared, not bound
        raise ValueError(entry)
    return network


def whole_numbers(value: Any) -> Any:
    """Turn 2.0 back into 2, at any depth: every number comes over the wire as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole_numbers(item) for item in value]
    return value


# Rules: what the API documents, and no more. Parts that are not known yet are passed over.

#: Where in the value, the rule that it breaks, and how the value is shown.
Fault = tuple[str, str, str]


def _fault(rule: str, value: Any, where: str = "") -> Fault:
    shown = repr(value)
    shown = shown if len(shown) <= 100 else shown[:99] + "…"
    return where, rule, f", got {shown}"


def _text(value: Any) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield _fault("must be a string", value)


def _filled(value: Any, where: str = "") -> Iterator[Fault]:
    if not _is_filled(value):
        yield _fault("must be a non-empty string", value, where)


def _is_filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _boolean(value: Any) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield _fault("must be true or false", value)


def _whole(value: Any) -> Iterator[Fault]:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < 1:
        yield _fault("must be a whole number of at least 1", value)
    elif value > MOST_EXACT:
        yield _fault("must be at most 2**53", value)


def _instance(value: Any) -> Iterator[Fault]:
    yield from _filled(value)
    # Else the service's own id could not be read back.
    if _is_filled(value) and not is_id_part(value):
        yield _fault("must be an instance id such as gp-abc, without spaces and colons", value)


def _nodes(value: Any) -> Iterator[Fault]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        yield _fault("must be a list of AI node names", value)
        return
    if not value:
        yield _fault("must name at least one AI node", value)
    seen: set[str] = set()
    for index, node in enumerate(value):
        if node is UNKNOWN:
            continue
        yield from _filled(node, f"[{index}]")
        if _is_filled(node):
            if node.strip() in seen:
                yield _fault("must not repeat an AI node", node, f"[{index}]")
            seen.add(node.strip())


def _whitelist(value: Any) -> Iterator[Fault]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        yield _fault("must be a list of IPv4 addresses and CIDR blocks", value)
        return
    if len(value) > _MAX_WHITELIST:
        yield "", f"must have at most {_MAX_WHITELIST} entries, got {len(value)}", ""
    rule = "must be an IPv4 address, a CIDR block with a prefix of 1 to 32, or 0.0.0.0/0"
    for index, entry in enumerate(value):
        if entry is UNKNOWN:
            continue
        try:
            parse_network(entry if isinstance(entry, str) else "")
        except ValueError:
            yield _fault(rule, entry, f"[{index}]")


def _parameters(value: Any) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield _fault("must be a mapping", value)
    elif _holds_inexact(value):
        # The program refuses these before they are sent; a transform may put some in after that.
        rule = "must have finite numbers, and whole ones of at most 2**53 either way"
        yield _fault(rule, value)


def _holds_inexact(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_inexact, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_inexact, value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return not math.isfinite(value) or (value % 1 == 0 and abs(value) > MOST_EXACT)


def _token(value: Any) -> Iterator[Fault]:
    fits = isinstance(value, str) and 1 <= len(value) <= _MAX_TOKEN
    if not fits or not all(" " <= character <= "~" for character in value):
        yield _fault(f"must be 1 to {_MAX_TOKEN} printable ASCII characters", value)


def _engine(value: Any) -> Iterator[Fault]:
    if value != "vllm":
        yield _fault("must be 'vllm'", value)


def _region(value: Any) -> Iterator[Fault]:
    if not isinstance(value, str) or not is_region(value):
        yield _fault("must be a region id such as cn-hangzhou", value)


def _group(value: Any) -> Iterator[Fault]:
    yield from _filled(value)
    if _is_filled(value) and value.strip().lower() == "default":
        yield _fault("must not be the group 'default', which guards the database itself", value)


# When two values mean the same to the cloud. Old states may hold anything.


def same_text(one: str | None, other: str | None) -> bool:
    """
    Whether two texts say the same; nothing at all counts as an empty one.

    A cloud may change line ends and white space around a text, as files and editors do.
    """
    return _bare(one) == _bare(other)


def same_model_name(one: str | None, other: str | None) -> bool:
    """Whether two names mean the same model; their case means nothing either."""
    return _bare(one).casefold() == _bare(other).casefold()


def _bare(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def same_nodes(one: Iterable[str] | None, other: Iterable[str] | None) -> bool:
    """Whether two node lists name the same nodes; their order means nothing."""
    return {name.strip() for name in one or ()} == {name.strip() for name in other or ()}


_NOBODY = ipaddress.IPv4Network("127.0.0.1")


def _networks(entries: Iterable[str] | None) -> frozenset[ipaddress.IPv4Network | str]:
    found: set[ipaddress.IPv4Network | str] = set()
    for entry in entries or ():
        try:
            found.add(parse_network(entry))
        except ValueError:  # a form we do not know still compares with itself
            found.add(entry.strip())
    if len(found) > 1:
        found.discard(_NOBODY)
    return frozenset(found)


def same_whitelist(one: Sequence[str] | None, other: Sequence[str] | None) -> bool:
    """
    Whether two IP lists admit the same networks; order, spaces and host bits mean nothing.

    `127.0.0.1` admits nobody: it counts only when it stands alone.
    """
    return _networks(one) == _networks(other)


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other)


def _texts(same: Callable[[str | None, str | None], bool]) -> Callable[[Any, Any], bool]:
    def compare(one: Any, other: Any) -> bool:
        are_texts = all(value is None or isinstance(value, str) for value in (one, other))
        return same(one, other) if are_texts else _equal(one, other)

    return compare


def _same_json(one: Any, other: Any) -> bool:
    return _as_json(one or None) == _as_json(other or None)


def _as_json(value: Any) -> str:
    """JSON text, which tells true from 1 as Python does not."""
    return json.dumps(whole_numbers(value), sort_keys=True, default=repr)


def _same_if_set(one: Any, other: Any) -> bool:
    """Of the region: the output is the one in use, and dropping the input moves nothing."""
    return one is None or other is None or _equal(one, other)


# How values are asked for, and sent.


def _stripped(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in names)


def _entries(value: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(value or ())


def _in_order(value: Any) -> Any:
    """Mappings sorted by key, at any depth: the wire shuffles them, and one client token has to
    come with one request.
    """
    if isinstance(value, Mapping):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_in_order(item) for item in value]
    return whole_numbers(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def comma_separated(entries: Iterable[str]) -> str:
    """A list as the cloud's whitelists have it."""
    return ",".join(_stripped(entries))


def _joined(entries: Iterable[str]) -> str | None:
    return comma_separated(entries) or None


def _as_it_is(value: Any) -> Any:
    return value


class Field(NamedTuple):  # which every program is quicker to load than a dataclass
    """All that the package knows of one input."""

    name: str
    #: What is wrong with a value.
    rule: Callable[[Any], Iterable[Fault]]
    required: bool = False
    #: The parameter of CreateModelService; None for a setting of this package alone.
    wire: str | None = None
    in_body: bool = False
    #: What a change means; through its group only where `security_ip_group` is set.
    change: Literal["replaces", "in place", "through its group"] = "replaces"
    #: Whether two values mean the same.
    same: Callable[[Any, Any], bool] = _equal
    #: What one that is not set resolves to, where it is not the cloud that decides.
    default: Any = None
    #: Whether the cloud shows it, as the attribute of `ModelServiceDetails` with that name.
    shown: bool = False
    #: Whether a release after 0.1.0 has added it.
    later: bool = False
    #: Whether no text shows its value, be it marked as secret or not.
    secret: bool = False
    #: From an input to what is asked for, and from that to the parameter.
    asked: Callable[[Any], Any] = whole_numbers
    sent: Callable[[Any], Any] = _as_it_is


#: In the order of the documentation.
FIELDS = (
    Field("db_instance_id", _instance, required=True, wire="DBInstanceId"),
    Field("model_name", _filled, required=True, wire="ModelName", shown=True,
          same=_texts(same_model_name), asked=str.strip),
    Field("ai_nodes", _nodes, required=True, wire="AiNodes", shown=True,
          same=same_nodes, asked=_stripped, sent=_json),
    Field("description", _text, wire="Description", shown=True, secret=True,
          same=_texts(same_text)),
    Field("security_ip_list", _whitelist, wire="SecurityIPList", shown=True,
          same=same_whitelist, change="through its group", asked=_entries, sent=_joined),
    Field("model_params", _parameters, wire="ModelParams", secret=True,
          same=_same_json, asked=_in_order, sent=_json),
    Field("resource_group_id", _filled, wire="ResourceGroupId", in_body=True),
    Field("client_token", _token, wire="ClientToken", in_body=True, secret=True),
    Field("replicas", _whole, wire="Replicas"),
    Field("inference_engine", _engine, wire="InferenceEngine"),
    Field("enable_public_connection", _boolean, wire="EnablePublicConnection"),
    Field("region_id", _region, same=_same_if_set),
    Field("wait_for_active", _boolean, change="in place", default=True),
    Field("security_ip_group", _group, change="in place"),
    Field("store_api_key", _boolean, change="in place", default=True),
)  # fmt: skip

FIELD_OF = {field.name: field for field in FIELDS}
INPUTS = tuple(FIELD_OF)
DEFAULTS = {field.name: field.default for field in FIELDS if field.default is not None}
ALWAYS_SECRET = tuple(field.name for field in FIELDS if field.secret)
#: What CreateModelService is asked for. A client token is of the call.
SENT = tuple(field for field in FIELDS if field.wire and field.name != "client_token")


def same_value(name: str, one: Any, other: Any) -> bool:
    """Whether two values of an input mean the same to the cloud."""
    return FIELD_OF[name].same(one, other)
