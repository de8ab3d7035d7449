"""Dialects of DeleteModelService and of what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_adbpg_model.simulator.state import DELETING, DEPLOYING

SLOW_DELETE_SECONDS = 2.0
SEEN_LATE_SECONDS = 1.0
BUSY_SECONDS = 2.0
BOUND_SECONDS = 2.0


@dataclass(frozen=True)
class Deletion:
    """How a service goes, and how its nodes and instance take it."""

    names: frozenset[str]

    def seconds(self, configured: float) -> float:
        """Return the time that a delete takes."""
        slow = SLOW_DELETE_SECONDS if "slow-delete" in self.names else 0.0
        return max(configured, slow) + self.unseen_seconds()

    def unseen_seconds(self) -> float:
        """Return the time for which reads do not show that a service is being deleted."""
        return SEEN_LATE_SECONDS if "delete-seen-late" in self.names else 0.0

    def refuses(self, status: str) -> bool:
        """Is deleting a service in this status refused?"""
        if status == DEPLOYING:
            return "delete-refused-while-deploying" in self.names
        return status == DELETING and "delete-again-refused" in self.names

    def of_gone_succeeds(self) -> bool:
        """Does deleting an unknown service succeed?"""
        return "delete-of-gone-succeeds" in self.names

    def keeps_busy(self, gone_seconds: float) -> bool:
        """Is an instance busy with a service that is gone for so long?"""
        return "busy-after-delete" in self.names and gone_seconds < BUSY_SECONDS

    def keeps_bound(self, gone_seconds: float) -> bool:
        """Are the nodes of a service still bound when it is gone for so long?"""
        return "nodes-bound-after-delete" in self.names and gone_seconds < BOUND_SECONDS
