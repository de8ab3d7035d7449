"""
The fault matrix: every way for a call to go wrong, at every call of every operation.

A point says which operation is under way, which action goes wrong in it, how, how often, and from
which of its calls on. `run` plays it in a `World`, mends the cloud, runs the plain command again
and judges what is left. What has to hold:

- The operation succeeds, or fails with clear errors, after a bounded number of calls.
- A service whose id was stored stays in the state until it is gone. Nothing is doubled.
- What a retry can mend is mended: the user sees nothing of one fault, or of three in a row.
- After the fault, the same command converges, and a destroy leaves nothing.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pulumi_adbpg_model.lifecycle.operation import poll_delay
from tests.chaos.clarity import why_unclear
from tests.chaos.commands import Ran
from tests.chaos.injection import EXPIRY, TOKENS, Fault
from tests.chaos.operations import OPERATIONS
from tests.chaos.verdict import Verdict, judge
from tests.chaos.world import World

_ATTEMPTS = 7
#: How long in a row a wait bears with a cloud that gives no answer, and the longest that one call
#: with its retries may then still take.
_OUTAGE_S = 120.0
_CALL_S = 90.0
#: Beyond this, an operation that waits to its very end polls too often for a quick sample.
_LONG_S = 300.0
#: The least that the retries of one call take, with the pause before the next poll.
_SPENT_S = (0.5 + 1 + 2 + 4 + 8 + 15) / 2 + 2

#: Faults that are one error to the provider, which tests/gateway/test_faults.py shows of each. A
#: retry can mend these. The cloud cannot be reached at all for the first.
_PASSING_KINDS = (
    ("refused",),
    ("reset-before", "hang", "html-502", "html-200", "redirect"),
    ("reset-after", "hang-after", "truncated-json", "wrong-shape", "empty-200"),
    ("internal-error", "unavailable"),
    ("internal-error-after",),
    ("throttled", "throttled-retry-after"),
)
_PASSING = tuple(itertools.chain(*_PASSING_KINDS))
#: The cloud says that something is not there, which a wait has to see through.
_ABSENT = ("not-found-404", "instance-not-found")
#: An operation waits for the instance, until its own timeout.
_BUSY = ("busy",)
#: A person has to mend these.
_LASTING_KINDS = (("clock-skew", "forbidden", "expired-token"), ("quota",))
_LASTING = tuple(itertools.chain(*_LASTING_KINDS))
_KINDS = (
    *_PASSING_KINDS,
    *((fault,) for fault in (*_ABSENT, *_BUSY)),
    *_LASTING_KINDS,
    (EXPIRY,),
)
#: These can hold for the whole account, so that no call contradicts another.
_EVERYWHERE = ("instance-not-found", "forbidden", "unavailable")
FAULTS = (*_PASSING, *_ABSENT, *_BUSY, *_LASTING)

#: Said of a create of which nobody knows whether there is a service now.
_DOUBT = "Whether it was applied is not known"
_SECRETS = ("simulator-key-secret", *TOKENS)


@dataclass(frozen=True)
class Point:
    """One fault in one operation; its name is enough to run it again."""

    operation: str
    #: None: every action.
    action: str | None
    fault: str
    #: How often in a row; None: until the operation has ended.
    times: int | None
    #: How many calls of the action go well before; of `token-expires`, how many seconds.
    after: int = 0

    @property
    def name(self) -> str:
        """For example `replace: DeleteModelService: reset-after, 3 times, at call 1`."""
        often = {None: "for ever", 1: "once"}.get(self.times, f"{self.times} times")
        if self.fault == EXPIRY:
            return f"{self.operation}: {self.fault} after {self.after} s"
        action = self.action or "every action"
        return f"{self.operation}: {action}: {self.fault}, {often}, at call {self.after + 1}"

    def __str__(self) -> str:
        return self.name


def points() -> list[Point]:
    """The whole matrix."""
    return [*_struck(), *_struck_all(), *_expiring()]


def sample() -> list[Point]:
    """A part: every kind of fault in every operation and in every action, and every fault."""
    chosen: dict[Point, None] = {}
    aspects: tuple[Callable[[Point], object], ...] = (
        lambda point: (point.operation, kind_of(point.fault)),
        lambda point: (point.action, kind_of(point.fault)),
        lambda point: point.fault,
    )
    for aspect in aspects:
        covered = {aspect(point) for point in chosen}
        groups: dict[object, list[Point]] = {}
        for point in points():
            groups.setdefault(aspect(point), []).append(point)
        for number, (value, group) in enumerate(groups.items()):
            quick = [point for point in group if not _is_slow(point)]
            if value not in covered:
                chosen[quick[number % len(quick)]] = None
    return list(chosen)


def kind_of(fault: str) -> int:
    """Of faults that are one error to the provider the same number."""
    return next(number for number, kind in enumerate(_KINDS) if fault in kind)


def _is_slow(point: Point) -> bool:
    """Whether it would be real seconds of silence, or hundreds of polls until a timeout."""
    if point.action and point.times is None and point.fault in (*_ABSENT, *_BUSY):
        return OPERATIONS[point.operation].limit_s > _LONG_S
    return point.fault.startswith("hang") and point.times != 1


def _struck() -> Iterator[Point]:
    for operation in OPERATIONS.values():
        for action, calls in operation.calls.items():
            for fault in FAULTS:
                for times in (1, 3, None):
                    if operation.always and operation.always[1] == action and times is None:
                        continue  # the situation's own fault would never come
                    for after in sorted({0, 1, calls - 1} & set(range(calls))):
                        silent = fault.startswith("hang") and times is None
                        if silent and after > 0:
                            continue  # each call costs real seconds
                        # A wait calls on and on, so there one call's attempts and one more do.
                        often = _ATTEMPTS + 1 if silent and calls > 1 else times
                        yield Point(operation.name, action, fault, often, after)


def _struck_all() -> Iterator[Point]:
    """Nothing is to be had at all: as with another account's key, or in another region."""
    for operation in OPERATIONS:
        for fault in _EVERYWHERE:
            yield Point(operation, None, fault, None)


def _expiring() -> Iterator[Point]:
    for operation, seconds in (
        ("create", (1, 20)),
        ("resume", (1, 20)),
        ("take over", (1, 20)),
        ("replace", (1, 5, 30)),
        ("delete", (1, 5)),
    ):
        for after in seconds:
            yield Point(operation, "DescribeModelService", EXPIRY, None, after)


def run(point: Point) -> Verdict:
    """Play a point, and judge it."""
    random.seed(point.name)  # the pauses between attempts are random
    return _Run(point).verdict()


class _Run:
    """One play. What goes against the rules is collected, not raised."""

    def __init__(self, point: Point) -> None:
        self.point = point
        self.operation = OPERATIONS[point.operation]
        self.problems: list[str] = []
        self.unclear: list[str] = []
        self.story: list[str] = []
        self.warned = ""
        #: Every id that was ever in the state.
        self.held: set[str] = set()
        self.verdicts: list[Verdict] = []

    def verdict(self) -> Verdict:
        token = TOKENS[0] if self.point.fault == EXPIRY else None
        with self.operation.world(token) as world:
            self.world = world
            self.operation.prepare(world)
            self._strike()
            self._mend()
            return self._settle()

    def _strike(self) -> None:
        world, operation, point = self.world, self.operation, self.point
        before, there = world.ids(), world.in_cloud
        world.simulator.clear_requests()
        began = world.clock.monotonic()
        fault = Fault(world, point.fault, point.action, point.times, point.after)
        fault.arm()
        if operation.always:
            world.simulator.inject(*operation.always, None)
        ran = self._ran("under the fault", operation.act)
        taken = world.clock.monotonic() - began
        fault.lift()
        self._note_calls(taken)
        self._expect(fault.struck, "the fault never struck")
        self._expect(
            taken <= operation.limit_s + _CALL_S, f"it took {taken:.0f} s, beyond all limits"
        )
        self._count(point.action)
        if point.fault in _PASSING and (point.times == 1 or self._bears_three()):
            errors = "; ".join(ran.errors)
            self._expect(ran.did == operation.did, f"a retry should have helped: {errors}")
            if not operation.always:
                self._expect(ran.well, f"a retry should have helped: {errors}")
        self._look(ran, before, there)

    def _bears_three(self) -> bool:
        """A minute out of reach is too long for one call; three bad answers are not."""
        return self.point.times == 3 and self.point.fault != "refused"

    def _note_calls(self, taken: float) -> None:
        counted = Counter(call.action for call in self.world.simulator.requests)
        self.calls = counted
        calls = ", ".join(f"{action} {count}" for action, count in sorted(counted.items()))
        self.story.append(f"  after {taken:.0f} s and {calls or 'no call that arrived'}")

    def _count(self, action: str | None) -> None:
        """The bound of the calls of the action that goes wrong."""
        if action is None:
            for each in self.operation.calls:
                self._count(each)
            return
        plain, fault = self.operation.calls[action], self.point.fault
        polled = _polls(self.operation.limit_s)
        if fault in _PASSING:
            # Every call that is made at all is tried so often; a wait calls on for a while.
            bound = _ATTEMPTS * (plain + 1 + int(_OUTAGE_S / _SPENT_S)) + _polls(200.0)
        elif fault in (*_ABSENT, *_BUSY):
            bound = plain + polled
        else:
            bound = plain + _polls(200.0)
        self._expect(self.calls[action] <= bound, f"{self.calls[action]} calls, over {bound}")

    def _look(self, ran: Ran, before: set[str], there: set[str]) -> None:
        """Right after the fault: what is in the state, in the cloud, and told."""
        world = self.world
        ids, cloud = world.ids(), world.in_cloud
        answered = {
            call.parameters["ClientToken"]
            for call in world.simulator.calls("CreateModelService")
            if call.response_status == 200 and call.fault is None
        }
        if answered:
            self._expect(ids == cloud or self._waits_to_go(), "an id that was answered is lost")
        # What is not taken over is as it was; a create of which nothing is known says so.
        excused = (there - before) | (cloud if _DOUBT in ran.warned else set())
        self._judge(1, " ".join([ran.warned, *excused]))
        kept = world.kept
        if not ran.well and kept is not None and kept != self.kept_before:
            in_part = kept.init_errors == tuple(ran.errors)
            self._expect(in_part, "a failed command changed the state")

    def _waits_to_go(self) -> bool:
        return self.operation.removes

    def _mend(self) -> None:
        """The plain command again, the cloud being well."""
        ran = self._ran("again", self.operation.act)
        self._expect(ran.well, "the command fails though the fault is gone")
        if self.operation.removes:
            self._expect(not self.world.ids() and not self.world.in_cloud, "something is left")

    def _settle(self) -> Verdict:
        """What is declared is there once, and goes when it is not declared any more."""
        world, inputs = self.world, dict(self.operation.inputs)
        self._expect(self._ran("up", lambda one: one.up(**inputs)).well, "up fails")
        self._judge(1, self.warned)
        for service in world.simulator.services:
            self._expect(service.status == "active", f"{service.id} is {service.status}")
            name = inputs.get("model_name", "Qwen3-Embedding-8B")
            self._expect(service.model_name == name, f"{service.id} runs {service.model_name}")
            entries = tuple(inputs.get("security_ip_list", service.security_ip_list))
            self._expect(service.security_ip_list == entries, f"admits {service.security_ip_list}")
        self._expect(self._ran("up", lambda one: one.up(**inputs)).did == "same", "up is not idle")
        self._expect(self._ran("destroy", World.destroy).well, "destroy fails")
        self._judge(0, self.warned)
        under_fault, *settled = self.verdicts
        each = (under_fault, *settled)
        return Verdict(
            self.point.name,
            converged=all(one.converged for one in settled) and not self.problems,
            duplicates=sum(one.duplicates for one in each),
            orphans=sum(one.orphans for one in each),
            dropped=sum(one.dropped for one in each),
            unclear=tuple(self.unclear),
            story=(*self.story, *(f"PROBLEM: {problem}" for problem in self.problems)),
        )

    def _judge(self, resources: int, told: str) -> None:
        verdict = judge(
            self.point.name,
            in_cloud=self.world.in_cloud,
            in_state=self.world.ids(),
            resources=resources,
            held=self.held,
            told=told,
        )
        self.verdicts.append(verdict)
        self.story.append(f"  {verdict!r}")

    def _ran(self, when: str, command: Callable[[World], Ran]) -> Ran:
        self.kept_before = self.world.kept
        self.held |= self.world.ids()
        ran = command(self.world)
        self.warned = ran.warned
        self.story += [f"{when}: {ran.did}", *(f"  {error}" for error in ran.errors)]
        for error in ran.errors:
            broken = why_unclear(error, secrets=_SECRETS)
            if broken is not None:
                self.unclear.append(f"{broken}: {error}")
        return ran

    def _expect(self, holds: object, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def _polls(seconds: float) -> int:
    """How many polls fit into a wait, with one at either end."""
    waited, count = 0.0, 2
    while waited < seconds:
        waited += poll_delay(waited)
        count += 1
    return count
