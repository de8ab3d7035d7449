"""
Client tokens: what an interrupted creation made is found again, what was deleted is left alone.

A cloud may answer a token of the past with a service that is gone, and nothing tells that from one
that does not show yet but time. So a token is of its moment, too. Where a node is held, the tokens
of the moment at which its holder was made can create nothing; one that is answered with the holder
proves that this declaration made it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

from pulumi_adbpg_model.domain import ModelServiceSpec

__all__ = ["TOKEN_S", "Tokens"]

#: For so many seconds a declaration has the same token: less than a service takes to be created
#: and deleted again.
TOKEN_S = 2.0
#: So long before a service shows as created, in seconds, its creation may have been asked for.
_LAG_S = 40.0
#: By how much the cloud's clock may be behind ours.
_SKEW_S = 6.0
#: How far back is looked where the cloud does not say when a service was created.
_RECENT_S = 300.0


@dataclass(frozen=True)
class Tokens:
    """The client tokens of one declaration: 64 hexadecimal digits each, the API's limit."""

    seed: str
    #: The token that the program gives; it is used first, as it is.
    own: str | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        organization: str,
        urn: str,
        region: str | None,
        spec: ModelServiceSpec,
        own: str | None = None,
    ) -> Tokens:
        """
        The tokens of what is declared.

        They depend on that and the time alone, so that any machine finds them again; another stack,
        resource, region or input has others.
        """
        asked = dataclasses.asdict(spec)
        declared = [organization, urn, region, asked, *([] if own is None else [own])]
        text = json.dumps(declared, sort_keys=True, separators=(",", ":"))
        return cls(hashlib.sha256(text.encode()).hexdigest(), own)

    def at(self, time_s: float) -> str:
        """The token of a moment, in seconds since 1970."""
        return self._number(int(time_s // TOKEN_S))

    def around(self, create_time: str | None, now_s: float) -> Iterator[str]:
        """
        The tokens that a service may have been created with, the likeliest first.

        Args:
            create_time: When the cloud says that it was created: ISO 8601.
            now_s: The time by which it was there.
        """
        yield from self._timed(create_time, now_s)
        yield self.seed  # what 0.1.0 asked with

    def _timed(self, create_time: str | None, now_s: float) -> Iterator[str]:
        created_s = _seconds(create_time)
        if created_s is None:  # the newest first
            last = int(now_s // TOKEN_S)
            yield from (self._number(last - step) for step in range(int(_RECENT_S // TOKEN_S) + 1))
            return
        middle, ahead = int(created_s // TOKEN_S), int(_SKEW_S // TOKEN_S)
        for step in range(int(_LAG_S // TOKEN_S) + 1):
            yield self._number(middle - step)
            if 0 < step <= ahead:
                yield self._number(middle + step)

    def _number(self, number: int) -> str:
        return hashlib.sha256(f"{self.seed}:{number}".encode()).hexdigest()


def _seconds(create_time: str | None) -> float | None:
    """Seconds since 1970; None where there is no such time. Without a zone it is UTC."""
    try:
        time = datetime.fromisoformat((create_time or "").strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
