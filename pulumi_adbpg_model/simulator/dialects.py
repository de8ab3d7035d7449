"""Dialects: plausible ways for the real cloud to differ from its pages, switched on by name.

Decision: the documents leave much unsaid, so each doubt that a client must survive is a dialect.
Adding one takes a line in `DIALECTS` and a test of its name in the `Dialects` method for the
place that it bends; every method is called from exactly one place in `cloud` or `pages`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

DIALECTS: dict[str, str] = {
    "tokens-ignored": "ClientToken is accepted and has no effect: each create makes a service.",
    "status-capitalised": "Status words are Deploying, Active, Deleting.",
    "status-deploying": "A service being provisioned is 'deploying', not 'deployming'.",
    "nodes-reordered": "AiNodes come back in the reverse of sorted order, not as sent.",
    "whitelist-canonical": (
        "Whitelists come back with host bits cleared, /32 dropped, sorted, de-duplicated."
    ),
    "describe-gone-400": "Describing an unknown service answers 400 with the same code.",
    "describe-gone-empty": "Describing an unknown service answers 200 with only a RequestId.",
    "slow-delete": "Deleting takes two seconds, with status 'deleting' meanwhile.",
    "invisible-after-create": "For a second after its creation, no read shows a service.",
    "delete-refused-while-deploying": (
        "Deleting a service that is not active yet answers OperationDenied.DBInstanceStatus."
    ),
    "list-status-success": "List shows 'success' or 'fail' as its page says, not the state.",
}

_SLOW_DELETE_SECONDS = 2.0
_INVISIBLE_SECONDS = 1.0


class Dialects:
    """The dialects in force, asked by place."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = frozenset(names)
        unknown = sorted(self.names - DIALECTS.keys())
        if unknown:
            msg = f"unknown dialect {', '.join(unknown)}; known: {', '.join(sorted(DIALECTS))}"
            raise ValueError(msg)

    def honours_token(self) -> bool:
        """Creating: does a ClientToken count?"""
        return "tokens-ignored" not in self.names

    def status_word(self, status: str) -> str:
        """Reading: the word on the wire for a status."""
        bent = self.names & {"status-deploying", "status-capitalised"}
        if bent and status == "deployming":
            status = "deploying"
        return status.capitalize() if "status-capitalised" in self.names else status

    def list_status(self, status: str) -> str:
        """Listing: the word on the wire for a status."""
        if "list-status-success" in self.names:
            return "fail" if "fail" in status else "success"
        return self.status_word(status)

    def nodes(self, nodes: Sequence[str]) -> list[str]:
        """Reading: the order of the AI nodes."""
        if "nodes-reordered" in self.names:
            return sorted(nodes, reverse=True)
        return list(nodes)

    def whitelist(self, entries: Sequence[str]) -> list[str]:
        """Reading: the form of a whitelist."""
        if "whitelist-canonical" not in self.names:
            return list(entries)
        networks = sorted({ipaddress.IPv4Network(entry, strict=False) for entry in entries})
        return [str(net).removesuffix("/32") for net in networks]

    def gone_status(self) -> int:
        """Describing an unknown service: the HTTP status of the answer."""
        if "describe-gone-empty" in self.names:
            return 200
        return 400 if "describe-gone-400" in self.names else 404

    def delete_seconds(self, configured: float) -> float:
        """Deleting: how long it takes."""
        return max(configured, _SLOW_DELETE_SECONDS if "slow-delete" in self.names else 0.0)

    def refuses_delete(self, status: str) -> bool:
        """Deleting: is a service in this status refused?"""
        return "delete-refused-while-deploying" in self.names and status == "deployming"

    def hides(self, age_seconds: float) -> bool:
        """Reading: is a service of this age not shown yet?"""
        return "invisible-after-create" in self.names and age_seconds < _INVISIBLE_SECONDS
