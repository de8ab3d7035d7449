"""Dialects: plausible ways for the real cloud to differ from its pages, switched on by name.

Decision: the documents leave much unsaid, so each doubt that a client must survive is a dialect.
Adding one takes a sentence in `table`, a test of its name in the module for the place that it
bends (and its name in `remembers_deleted`, where deleted services still show), and a test; the
rest of the simulator asks places, never names.
Inside: `table`; `describing`, `reading` (words and forms), `lists`, `nodes`, `deletion`,
`creation`.
"""

from __future__ import annotations

from collections.abc import Iterable

from .creation import Creation
from .deletion import Deletion
from .describing import Describing
from .lists import Lists
from .nodes import Nodes
from .reading import Reading
from .table import DIALECTS, EXCLUSIVE, clashing

__all__ = ["DIALECTS", "EXCLUSIVE", "Dialects", "clashing"]


class Dialects:
    """The dialects in force, asked by place."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = frozenset(names)
        unknown = sorted(self.names - DIALECTS.keys())
        if unknown:
            msg = f"unknown dialect {', '.join(unknown)}; known: {', '.join(sorted(DIALECTS))}"
            raise ValueError(msg)
        clash = clashing(self.names)
        if clash:
            msg = f"dialects that exclude each other: {', '.join(clash)}"
            raise ValueError(msg)
        self.creation = Creation(self.names)
        self.deletion = Deletion(self.names)
        self.describing = Describing(self.names)
        self.lists = Lists(self.names)
        self.nodes = Nodes(self.names)
        self.reading = Reading(self.names)

    def remembers_deleted(self) -> bool:
        """Does anything in force need the services that are gone?"""
        return bool(
            self.names
            & {
                "describe-gone-terminal",
                "describe-gone-released",
                "list-keeps-deleted",
                "busy-after-delete",
                "nodes-bound-after-delete",
            }
        )
