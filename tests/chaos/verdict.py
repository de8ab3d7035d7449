"""What a run through trouble came to, and the sum of many."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class Verdict:
    """One point: something was killed, broken or odd, and the next plain commands were run."""

    point: str
    #: Whether state and cloud ended as declared, or what an error said to do led there.
    converged: bool
    #: Services of ours beyond one for a resource, in the cloud at once.
    duplicates: int = 0
    #: Services that are billed, and that neither the state nor the last error or warning names.
    orphans: int = 0
    #: Services that the state named once and no more, though they are there.
    dropped: int = 0
    #: Services that a state names, and that another resource took away.
    lost: int = 0
    #: Services that two resources hold.
    owned_twice: int = 0
    #: Errors that do not say in one line what failed and what to do next.
    unclear: tuple[str, ...] = ()
    #: What happened, for a person who looks into a point that went wrong.
    story: tuple[str, ...] = field(default=(), repr=False)

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled or unclear."""
        missed = self.duplicates or self.orphans or self.dropped or self.lost or self.owned_twice
        return self.converged and not (missed or self.unclear)


def judge(
    point: str,
    *,
    in_cloud: Iterable[str],
    in_state: Iterable[str],
    resources: int,
    held: Iterable[str] = (),
    told: str = "",
    unclear: Sequence[str] = (),
    story: Sequence[str] = (),
) -> Verdict:
    """
    Compare the cloud with the state, after the commands that should have mended everything.

    Args:
        point: Its name; enough to run it again.
        in_cloud: The ids of all services of ours there, as Pulumi writes them.
        in_state: The ids that the state holds.
        resources: How many services are declared in the end: 0 after a destroy.
        held: The ids that the state held at any time before.
        told: The errors and warnings of the last command: a service whose id stands in them is
            named.
        unclear: Errors that were not clear.
        story: What happened, line by line.
    """
    cloud, state = set(in_cloud), set(in_state)
    return Verdict(
        point,
        converged=cloud == state and len(state) == resources,
        duplicates=max(0, len(cloud) - max(resources, 1)),  # a single one left is an orphan
        orphans=sum(not is_named(id_, told) for id_ in cloud - state),
        dropped=len((set(held) & cloud) - state),
        unclear=tuple(unclear),
        story=tuple(story),
    )


def is_named(id_: str, told: str) -> bool:
    """Whether a text names an id; a longer one that begins or ends alike is another."""
    return bool(re.search(rf"(?<![\w:-]){re.escape(id_)}(?![\w-])", told))


class Sum(NamedTuple):
    """Figures of many points, as one row of the table."""

    points: int
    converged: int
    duplicates: int
    orphans: int
    dropped: int
    lost: int
    owned_twice: int
    unclear: int


def summed(verdicts: Sequence[Verdict]) -> Sum:
    """Add up verdicts."""
    return Sum(
        points=len(verdicts),
        converged=sum(verdict.converged for verdict in verdicts),
        duplicates=sum(verdict.duplicates for verdict in verdicts),
        orphans=sum(verdict.orphans for verdict in verdicts),
        dropped=sum(verdict.dropped for verdict in verdicts),
        lost=sum(verdict.lost for verdict in verdicts),
        owned_twice=sum(verdict.owned_twice for verdict in verdicts),
        unclear=sum(len(verdict.unclear) for verdict in verdicts),
    )
