"""IP whitelists: their text form, their limits, and the three ways to edit one.

Addresses are taken literally and kept as sent: no spaces around commas (none are documented),
host bits allowed (the pages' own example has them), no reordering.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from .errors import invalid_parameter

DEFAULT_WHITELIST = ("127.0.0.1",)
_MAX_ADDRESSES = 1000


def addresses(text: str) -> tuple[str, ...]:
    """Split a whitelist, refusing what is not IPv4, a CIDR of 1..32, or 0.0.0.0/0."""
    entries = tuple(text.split(","))
    _check_count(entries)
    for entry in entries:
        address, slash, prefix = entry.partition("/")
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise invalid_parameter("SecurityIPList", f"{entry!r} is not an IPv4 entry") from None
        if slash and entry != "0.0.0.0/0" and not _is_prefix(prefix):
            raise invalid_parameter("SecurityIPList", f"the prefix of {entry!r} is not in 1..32")
    return entries


def edited(old: Sequence[str], entries: Sequence[str], mode: str) -> list[str]:
    """Cover, append to or delete from a whitelist; emptying it leaves it closed, not open."""
    if mode == "cover":
        return list(entries)
    if mode == "append":
        new = list(dict.fromkeys([*old, *entries]))
        _check_count(new)
        return new
    return [entry for entry in old if entry not in entries] or list(DEFAULT_WHITELIST)


def _check_count(entries: Sequence[str]) -> None:
    if len(entries) > _MAX_ADDRESSES:
        raise invalid_parameter("SecurityIPList", f"more than {_MAX_ADDRESSES} entries")


def _is_prefix(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,2}", text) is not None and 1 <= int(text) <= 32
