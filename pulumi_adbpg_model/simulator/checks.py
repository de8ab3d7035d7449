"""Refuses at once what a test cannot mean, in place of starting with it and failing later.

Boundary: types and forms of what tests and options hand over, one function for each form. What
comes over the wire is read in `parameters`, and refused as the cloud does. A wrong type is a
TypeError and a wrong value a ValueError; both name the argument and the rule.
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

_ID = re.compile(r"[^\s:/]+")
_MAX_PORT = 65535
_MAX_SECONDS = 1e12
_SHOWN = 200
_REGION = re.compile(r"[a-z]+(-[a-z0-9]+)+")


def text(what: str, value: Any) -> str:
    """A text of any kind."""
    if not isinstance(value, str):
        msg = f"{what} must be a string, got {_kind(value)}"
        raise TypeError(msg)
    return value


def name(what: str, value: Any) -> str:
    """A text that is not empty, in one line, with no white space around it."""
    text(what, value)
    if not value or value != value.strip() or not value.isprintable():
        msg = (
            f"{what} must be a name in one line, with no white space around it, got "
            f"{_begun(repr(value))}"
        )
        raise ValueError(msg)
    return str(value)


def instance_id(what: str, value: Any) -> str:
    """One half of the id that Pulumi shows."""
    if _ID.fullmatch(text(what, value)) is None:
        msg = f"{what} must be an id without white space, colons and slashes, got {value!r}"
        raise ValueError(msg)
    return str(value)


def region(what: str, value: Any) -> str:
    """The id of a region."""
    if _REGION.fullmatch(text(what, value)) is None:
        msg = f"{what} must be a region id such as cn-hangzhou, got {value!r}"
        raise ValueError(msg)
    return str(value)


def credential(what: str, value: Any) -> str:
    """Part of an access key. It is never shown: it may be a real one by mistake."""
    text(what, value)
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        msg = f"{what} must be ASCII characters without white space, and not empty"
        raise ValueError(msg)
    return str(value)


def texts(what: str, value: Any) -> list[str]:
    """Texts, in their order. A string is none: its letters would be taken for them."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        msg = f"{what} must be a list of strings, got {_kind(value)}"
        raise TypeError(msg)
    return [text(f"each of {what}", one) for one in value]


def names(what: str, value: Any) -> list[str]:
    """Names, in their order, none of them twice. A set has no order."""
    if isinstance(value, AbstractSet):
        msg = f"{what} must be a list of strings, got {_kind(value)}"
        raise TypeError(msg)
    found = [name(f"each of {what}", one) for one in texts(what, value)]
    twice = sorted(one for one, times in Counter(found).items() if times > 1)
    if twice:
        msg = f"{what} must name each once, got twice: {_begun(', '.join(twice))}"
        raise ValueError(msg)
    return found


def groups(what: str, value: Any) -> dict[str, str]:
    """Names of whitelist groups, each with the name of a node."""
    if not isinstance(value, Mapping):
        msg = f"{what} must map names of groups to names of nodes, got {_kind(value)}"
        raise TypeError(msg)
    return {
        name(f"each group of {what}", group): name(f"each node of {what}", node)
        for group, node in value.items()
    }


def mapping(what: str, value: Any) -> dict[str, Any]:
    """A mapping with strings for keys."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        msg = f"{what} must map strings to values, got {_kind(value)}"
        raise TypeError(msg)
    return dict(value)


def flag(what: str, value: Any) -> bool:
    """True or false, and nothing that only counts as one of them."""
    if not isinstance(value, bool):
        msg = f"{what} must be True or False, got {_kind(value)}"
        raise TypeError(msg)
    return value


def seconds(what: str, value: Any) -> float:
    """A finite number of seconds, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        msg = f"{what} must be a number of seconds, got {_kind(value)}"
        raise TypeError(msg)
    if not 0 <= value < math.inf or value > _MAX_SECONDS:
        msg = f"{what} must be a finite number of seconds, 0 or more, got {value!r:.40}"
        raise ValueError(msg)
    return value


def whole(what: str, value: Any) -> int:
    """A whole number; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        msg = f"{what} must be a whole number, got {_kind(value)}"
        raise TypeError(msg)
    return value


def count(what: str, value: Any) -> int:
    """A whole number of at least 1."""
    if whole(what, value) < 1:
        msg = f"{what} must be at least 1, got {value}"
        raise ValueError(msg)
    return int(value)


def port(what: str, value: Any) -> int:
    """The number of a port; 0 is any that is free."""
    if not 0 <= whole(what, value) <= _MAX_PORT:
        msg = f"{what} must be from 0 to {_MAX_PORT}, got {value}"
        raise ValueError(msg)
    return int(value)


def function(what: str, value: Any) -> Callable[..., Any]:
    """What can be called."""
    if not callable(value):
        msg = f"{what} must be a function, got {_kind(value)}"
        raise TypeError(msg)
    found: Callable[..., Any] = value
    return found


def path(what: str, value: Any) -> str:
    """The path of a file, be it there or not."""
    given = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(given, str):
        msg = f"{what} must be the path of a file, got {_kind(value)}"
        raise TypeError(msg)
    if not given or "\0" in given:
        msg = f"{what} must be the path of a file, got {given!r}"
        raise ValueError(msg)
    return given


def file(what: str, value: Any) -> Path:
    """The path of a file that is there, or could be made."""
    given = path(what, value)
    found = Path(given)
    if not found.resolve().parent.is_dir():
        msg = f"{what} must be in a folder that exists, got {given}"
        raise ValueError(msg)
    # It is replaced as a whole, which a device or a pipe would not outlive.
    if given.endswith(os.sep) or (found.exists() and not stat.S_ISREG(found.stat().st_mode)):
        msg = f"{what} must be a regular file, or a new one, got {given}"
        raise ValueError(msg)
    return found


def known(what: str, value: Any, known_names: Iterable[str]) -> str:
    """One of the names that there are."""
    names_ = list(known_names)
    if text(what, value) not in names_:
        msg = f"unknown {what} {value}; known: {', '.join(names_)}"
        raise ValueError(msg)
    return str(value)


def _begun(text_: str) -> str:
    """A text, or the beginning of one that is too long to be shown."""
    return text_ if len(text_) <= _SHOWN else f"{text_[:_SHOWN]}…"


def _kind(value: Any) -> str:
    # Not the value: it may be a secret in the wrong place. A string for a list is a slip to show.
    return "None" if value is None else f"a value of type {type(value).__name__}"
