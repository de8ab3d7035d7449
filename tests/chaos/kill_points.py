"""The points of the kill matrix: what is under way, when death comes, and what is done next."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Literal, get_args

from tests.chaos.killing import Victim

__all__ = ["Moment", "Operation", "Point", "Recovery", "points"]

#: What is under way. A replacement deletes first, and creates then: both can be struck.
Operation = Literal["create", "replace-delete", "replace-create", "whitelist", "delete"]
#: The request hangs unapplied; it was applied, but hangs; the wait for its effect; the answer that
#: shows the effect hangs; or a random while after the first request that changes the cloud.
Moment = Literal["unapplied", "unanswered", "polling", "unsaved", "timed"]
Recovery = Literal["up", "destroy"]

_MAX_DELAY_MS = 300


@dataclass(frozen=True)
class Point:
    """One run; its name is enough to run it again."""

    operation: Operation
    moment: Moment
    recovery: Recovery
    victim: Victim = "everything"
    tokens_honoured: bool = True
    delay_ms: int = 0

    @property
    def name(self) -> str:
        """For example `create, unanswered, cli dies, up, tokens ignored`."""
        moment = f"{self.delay_ms} ms in" if self.moment == "timed" else self.moment
        tokens = "honoured" if self.tokens_honoured else "ignored"
        return f"{self.operation}, {moment}, {self.victim} dies, {self.recovery}, tokens {tokens}"

    def __str__(self) -> str:
        """See `name`."""
        return self.name


def points(seed: int, timed: int) -> list[Point]:
    """The whole matrix, and so many points at random moments."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    operations: tuple[Operation, ...] = get_args(Operation)
    moments: list[Moment] = [moment for moment in get_args(Moment) if moment != "timed"]
    recoveries: tuple[Recovery, ...] = get_args(Recovery)
    victims: tuple[Victim, ...] = get_args(Victim)
    tokens = (True, False)
    named = itertools.product(operations, moments, recoveries, victims, tokens)
    # A replacement starts with its delete, so one of its names is enough where time decides.
    starts = [operation for operation in operations if operation != "replace-create"]
    return [
        *(Point(*values) for values in named),
        *(
            Point(
                chance.choice(starts),
                "timed",
                chance.choice(recoveries),
                chance.choice(victims),
                chance.choice(tokens),
                chance.randrange(_MAX_DELAY_MS),
            )
            for _ in range(timed)
        ),
    ]
