"""
What makes an error clear to the person who reads it, as rules that a machine can check.

An error is clear when it

1. is one line of printable text that ends with a full stop, and no longer than a person reads;
2. shows nothing of the program: no traceback, no Python type name, no repr of an object;
3. shows no URL with a query, which holds parameters and a signature;
4. shows no credential: no secret that is given, no API key, no signature;
5. names the model service or the instance;
6. says what to do next: after what failed, a clause starts with a verb that asks for something,
   or with the command that does it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from tests.chaos.commands import INSTANCE

_LONGEST = 1200
#: The answer's own fields, whose words are the cloud's: `InternalError` is no Python type there.
_DETAILS = re.compile(r"\((?:code|status|request_id)=[^)]*\)")
_PYTHON = re.compile(
    r"Traceback|\bFile \"|\bline \d+, in\b|<class |<function | object at 0x|\bNoneType\b"
    r"|\b[A-Za-z_.]*[a-z](?:Error|Exception|Warning|Timeout)\b|ConnectionPool|\berrno\b",
    re.IGNORECASE,
)
_URL_WITH_QUERY = re.compile(r"https?://\S*\?")
_CREDENTIAL = re.compile(r"\bsk-[0-9a-f]{8,}|Signature=|\b[0-9a-f]{64}\b|\bBearer ", re.IGNORECASE)
_VERBS = (
    "ask check choose correct declare delete drop fetch free leave look raise remove run set take "
    "wait"
)
_ASKS = re.compile(
    rf"(?:^|[.;:,] )(?:(?:and|else|or|then|to [^,.;]+,) )*(?:(?:{'|'.join(_VERBS.split())})\b"
    r"|(?:the next )?`pulumi [a-z])",
    re.IGNORECASE,
)


def why_unclear(
    error: str, *, secrets: Collection[str] = (), names: Collection[str] = (INSTANCE,)
) -> str | None:
    """
    Which rule an error breaks, as a phrase; None when it is clear.

    Args:
        error: What the person reads.
        secrets: Values that must not appear in it.
        names: It has to name one of these; an id of a service holds its instance's.
    """
    own = _DETAILS.sub("", error)
    _, _, rest = own.partition(". ")
    rules = (
        (bool(error.strip()), "it is empty"),
        (error == error.strip() and error.isprintable(), "it is not one line"),
        (len(error) <= _LONGEST, "it is too long"),
        (error.endswith("."), "it does not end with a full stop"),
        (not _PYTHON.search(own), "it shows the program's insides"),
        (not _URL_WITH_QUERY.search(error), "it shows a URL with a query"),
        (not _CREDENTIAL.search(error), "it may show a credential"),
        (all(secret not in error for secret in secrets), "it shows a secret"),
        (any(name in error for name in names), "it names no resource"),
        (bool(_ASKS.search(rest)), "it does not say what to do next"),
    )
    return next((broken for kept, broken in rules if not kept), None)


def is_clear(
    error: str, *, secrets: Collection[str] = (), names: Collection[str] = (INSTANCE,)
) -> bool:
    """Whether an error keeps all the rules."""
    return why_unclear(error, secrets=secrets, names=names) is None
