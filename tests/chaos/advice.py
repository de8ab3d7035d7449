"""What an error says to do, as a machine reads it; what comes of doing it is judged elsewhere."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "alias",
    "correct",
    "declare",
    "delete",
    "destroy target",
    "import",
    "no import",
    "node",
    "refresh",
    "state delete",
    "take out",
    "token",
    "untaint",
    "up",
]

_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("alias", r"aliases=\[\s*[\"']([^\"']+)[\"']"),
    ("correct", r"Correct (what the cloud complains of|the id in import_)"),
    ("declare", r"Declare (what is there)"),
    (
        "delete",
        r"import of (\S+) failed: .*Delete it and|model service (\S+?),.* delete that service",
    ),
    ("destroy target", r"`pulumi destroy --target ([^`]+)`"),
    ("import", r"import_=\"([^\"]+)\""),
    ("no import", r"(?i:remove) (import_)"),
    ("node", r"(?i:choose) (?:a free|another|other|a different|free) (?:AI )?(nodes?)"),
    ("refresh", r"(`pulumi refresh`)"),
    ("state delete", r"`pulumi state delete ([^`]+)`"),
    ("take out", r"(?i:take) '([^']+)' (?:or '[^']+' )?out of the program"),
    ("token", r"another (client_token)"),
    ("untaint", r"(`pulumi state untaint)"),
    ("up", r"((?i:run) `pulumi up`|(?i:run) the command again|next `pulumi up`)"),
)


@dataclass(frozen=True)
class Advice:
    """One thing to do. `urn` is what the error was about, `value` a URN or an id."""

    kind: Kind
    urn: str
    value: str
    text: str


def advice_in(urn: str, text: str) -> list[Advice]:
    """All that an error says to do, in its order; `urn` is what it is about."""
    found: list[tuple[int, Advice]] = []
    for kind, pattern in _PATTERNS:
        for match in re.finditer(pattern, text):
            value = next(group for group in match.groups() if group)
            if kind in ("destroy target", "state delete"):
                value = urn if value == "<urn>" else shlex.split(value)[0]
            found.append((match.end(), Advice(kind, urn, value, text)))
    return [advice for _, advice in sorted(found, key=lambda one: one[0])]
