"""Dialects of ListModelServices: order, pages, age, and what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

STALE_SECONDS = 3.0
_LARGEST_PAGE = 20

_T = TypeVar("_T")


@dataclass(frozen=True)
class Lists:
    """What a list shows."""

    names: frozenset[str]

    def age_seconds(self) -> float:
        """Return how old that is what a list shows."""
        return STALE_SECONDS if "list-stale" in self.names else 0.0

    def keeps_deleted(self) -> bool:
        """Do deleted services stay listed?"""
        return "list-keeps-deleted" in self.names

    def order(self, oldest_first: Sequence[_T]) -> list[_T]:
        """Return the services in the order of the list."""
        services = list(oldest_first)
        return services[::-1] if "list-reordered" in self.names else services

    def page_size(self, asked: int) -> int:
        """Return the size of page that is given."""
        return min(asked, _LARGEST_PAGE) if "list-paged-at-20" in self.names else asked

    def elements(self, elements: dict[str, Any]) -> dict[str, Any]:
        """Return the answer with what is left out or null."""
        if "list-without-total" in self.names:
            return {key: value for key, value in elements.items() if key != "TotalRecordCount"}
        if "list-null-when-empty" in self.names and not elements["TotalRecordCount"]:
            return {**elements, "ModelServices": None}
        return elements
