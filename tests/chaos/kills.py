"""
The kill matrix: SIGKILL in the middle of an operation on the real engine, then the plain next
commands, then a look at what is left.

A killed CLI leaves the stack's lock, so `pulumi cancel` comes first. Then:

- `pulumi up`. If the cloud ignores client tokens, it may refuse a create because the node is held;
  then what the error says is done, to the letter.
- or `pulumi destroy`. It does not know of a service whose creation was interrupted: the engine only
  names the resource and keeps it as a pending operation. The documented way is `up`, `destroy`.
"""

from __future__ import annotations

import itertools
import random
import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from pulumi import ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.on_engine import warned
from tests.chaos.sigkill import Sessions, Victim, comes
from tests.chaos.verdict import Verdict, judge
from tests.engine.support.programs import NODE, URN, program, pulumi_ids
from tests.engine.support.stack import Failed, Program, Result, Stack

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


_MUTATIONS = {
    "create": "CreateModelService",
    "replace-delete": "DeleteModelService",
    "replace-create": "CreateModelService",
    "whitelist": "ModifySecurityIps",
    "delete": "DeleteModelService",
}
_GROUP = "group"
#: What the program declares before and after the change. A delete starts from the latter.
_INPUTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "create": ({}, {}),
    "replace-delete": ({"description": "old"}, {"description": "new"}),
    "replace-create": ({"description": "old"}, {"description": "new"}),
    "whitelist": (
        {"security_ip_list": ["10.0.0.1"], "security_ip_group": _GROUP},
        {"security_ip_list": ["10.0.0.2"], "security_ip_group": _GROUP},
    ),
    "delete": ({}, {}),
}
_TAKE_OVER = re.compile(r'opts=ResourceOptions\(import_="([^"]+)"\)')
#: How long a deletion takes that is struck while it is waited for.
_SLOW_S = 2.0
#: In points at random moments, so that there is something to hit.
_SHORT_S = 0.1
#: Enough for a survivor to repeat a call whose connection broke.
_RETRY_S = 1.5
#: A survivor ends by itself within this time; it has had a part of it before.
_LINGER_S = 10.0


def run(point: Point, home: Path) -> Verdict:
    """Play one point in an empty folder."""
    return _Run(point, home).play()


class _Run:
    """One point: its cloud, its stack, and what was seen."""

    def __init__(self, point: Point, home: Path) -> None:
        self._point = point
        self._sessions = Sessions(home)
        self._home = home
        self._story: list[str] = []
        self._verdicts: list[Verdict] = []
        #: Errors and warnings of the last command, and every id that was ever in the state.
        self._warned = ""
        self._held: set[str] = set()
        self._unclear: list[str] = []
        timed, slow = point.moment == "timed", point.moment == "polling"
        slow_delete = slow and point.operation in ("delete", "replace-delete")
        late_whitelist = slow and point.operation == "whitelist"
        self._cloud = Simulator(
            provision_seconds=_SHORT_S if timed else 0,
            delete_seconds=_SLOW_S if slow_delete else _SHORT_S if timed else 0,
            dialects=[] if point.tokens_honoured else ["tokens-ignored"],
            whitelist_groups={} if late_whitelist else {_GROUP: NODE},
        )

    def play(self) -> Verdict:
        before, after = _INPUTS[self._point.operation]
        declared = program(**after)
        session: int | None = None
        with self._cloud:
            try:
                self._stack = Stack(self._home, self._cloud, command=self._sessions.command())
                self._stack.program = declared
                if self._point.operation != "create":
                    self._do("up", program(**before))
                self._held |= self._stack.ids()
                self._cloud.clear_requests()
                session = self._kill(declared)
                if self._point.recovery == "up":
                    self._recover_by_up(declared)
                else:
                    self._recover_by_destroy(declared)
                self._survivor_ends(session)
            finally:
                if session is not None:
                    self._sessions.end(session)
        return self._verdict()

    # The kill

    def _kill(self, declared: Program) -> int:
        self._set_trap()
        with ThreadPoolExecutor(max_workers=1) as pool:
            delete = self._point.operation == "delete"
            command = pool.submit(
                self._stack.destroy if delete else lambda: self._stack.up(declared)
            )
            if not comes(self._struck, command):
                self._unclear.append(f"the moment did not come: {self._calls()}")
            elif self._point.moment == "timed":
                time.sleep(self._point.delay_ms / 1000)
            session = self._sessions.kill(command, self._point.victim)
        survivors = len(self._sessions.alive(session))
        self._story.append(f"killed after {self._calls()}; {survivors} processes live on")
        self._story.append(_ending(command))
        self._release()
        return session

    def _set_trap(self) -> None:
        moment, mutation = self._point.moment, _MUTATIONS[self._point.operation]
        if moment == "unapplied":
            self._cloud.inject("hang", mutation)
        elif moment == "unanswered":
            self._cloud.inject("hang-after", mutation)
        elif moment == "polling":
            self._cloud.hold_deployments()
        elif moment == "unsaved" and mutation == "DeleteModelService":
            # The second proof that it is gone; a replacement looks at its nodes first.
            earlier = 2 if self._point.operation == "replace-delete" else 1
            self._cloud.inject("hang-after", "ListModelServices", after=earlier)
        elif moment == "unsaved":
            # The delete of a replacement looks twice.
            earlier = 2 if self._point.operation == "replace-create" else 0
            self._cloud.inject("hang-after", "DescribeModelService", after=earlier)

    def _struck(self) -> bool:
        """Whether the moment has come."""
        calls = self._cloud.calls()
        mutation = _MUTATIONS[self._point.operation]
        asked = next((n for n, call in enumerate(calls) if call.action == mutation), len(calls))
        since = calls[asked:]
        if self._point.moment == "timed":
            return bool(since)
        if self._point.moment == "polling":
            return any(call.action == "DescribeModelService" for call in since)
        return any(call.fault for call in since)

    def _release(self) -> None:
        """Let the cloud go on as it would."""
        self._cloud.clear_faults()
        self._cloud.release_deployments()
        if self._point.operation == "whitelist" and self._cloud.services:
            self._cloud.attach_whitelist_group(self._cloud.services[0].id, _GROUP)

    # The way back

    def _recover_by_up(self, declared: Program) -> None:
        self._do("cancel")
        self._up_or_take_over(declared)
        self._survivor_goes_on()
        if self._point.operation == "delete" and self._stack.ids() - pulumi_ids(self._cloud):
            # The state has not heard of a deletion that was finished: as if by somebody else.
            self._story.append("the state names a service that is gone")
            self._do("up", refresh=True)
        self._judge(resources=1)
        again = self._do("up", declared)
        if again is None or dict(again.changes) != {"same": 2}:
            self._unclear.append(f"up again is {again and dict(again.changes)}")
        self._do("destroy")
        self._finish()

    def _recover_by_destroy(self, declared: Program) -> None:
        self._do("cancel")
        destroyed = self._do("destroy")
        self._survivor_goes_on()
        pending = self._pending()
        told = destroyed.output if destroyed else ""
        named = self._warned
        if pulumi_ids(self._cloud):
            self._story.append(f"after destroy: {pulumi_ids(self._cloud)}, pending {pending}")
            if URN in pending and f"* {URN}, interrupted while creating" in told:
                named += " " + min(pulumi_ids(self._cloud))  # one, by its resource
            self._judge(resources=0, told=named, interim=True)
            self._up_or_take_over(declared)
            self._judge(resources=1)
            self._do("destroy")
        self._finish()

    def _finish(self) -> None:
        """Nothing is left, but for what only a refresh clears."""
        if self._pending():
            self._do("refresh", clear_pending_creates=True)
        self._judge(resources=0)
        if self._pending():
            self._unclear.append(f"still pending: {self._pending()}")

    def _up_or_take_over(self, declared: Program) -> None:
        """`up`; where that is refused because the service is there, what the refusal says."""
        try:
            result = self._stack.up(declared)
            self._warned = warned(result.output)
            self._story.append(f"up: {dict(result.changes)}")
        except Failed as failed:
            self._warned = warned(failed.output)
            self._story.append(f"up failed: {failed.reasons}")
            lines = [_TAKE_OVER.search(reason) for reason in failed.reasons]
            if self._point.tokens_honoured or len(lines) != 1 or lines[0] is None:
                self._unclear += failed.reasons or [failed.output]
                return
            _, after = _INPUTS[self._point.operation]
            self._do("up", program(ResourceOptions(import_=lines[0][1]), **after))

    def _survivor_goes_on(self) -> None:
        """A host that outlived its CLI hears at last that its call failed; it may want more."""
        if self._point.victim == "cli":
            seen = len(self._cloud.calls())
            self._cloud.stop()
            self._cloud.start()
            time.sleep(_RETRY_S)
            late = [call.action for call in self._cloud.calls()[seen:]]
            self._story.append(f"the survivor called {late}")
            changes = [action for action in late if action in _MUTATIONS.values()]
            if changes:
                self._unclear.append(f"the survivor changed the cloud afterwards: {changes}")

    def _survivor_ends(self, session: int) -> None:
        """Nobody is left to end it; it does so by itself."""
        give_up = time.monotonic() + _LINGER_S
        while self._sessions.alive(session) and time.monotonic() < give_up:
            time.sleep(0.1)
        if left := self._sessions.alive(session):
            self._unclear.append(f"{len(left)} processes of the killed command live on")

    def _do(self, command: str, *arguments: Any, **options: Any) -> Result | None:
        self._warned = ""
        try:
            result: Result | None = getattr(self._stack, command)(*arguments, **options)
        except Failed as failed:
            self._warned = warned(failed.output)
            self._story.append(f"{command} failed: {failed.reasons or failed.output}")
            self._unclear += failed.reasons or [failed.output]
            return None
        if result is not None:
            self._warned = warned(result.output)
        self._story.append(f"{command}: {dict(result.changes)}" if result else command)
        return result

    # What is seen

    def _judge(self, *, resources: int, told: str | None = None, interim: bool = False) -> None:
        cloud, state = pulumi_ids(self._cloud), self._stack.ids()
        verdict = judge(
            self._point.name,
            in_cloud=cloud,
            in_state=state,
            resources=resources,
            held=self._held,
            told=self._warned if told is None else told,
        )
        self._held |= state
        self._story.append(f"cloud {sorted(cloud)}, state {sorted(state)}")
        if interim:  # only what is lost counts
            verdict = replace(verdict, converged=True)
        self._verdicts.append(verdict)

    def _pending(self) -> list[str]:
        """The resources of the operations that the state holds for interrupted."""
        operations = self._stack.export().get("pending_operations") or []
        return [operation["resource"]["urn"] for operation in operations]

    def _calls(self) -> list[str]:
        calls = self._cloud.calls()
        return [f"{one.action} ({one.fault})" if one.fault else one.action for one in calls]

    def _verdict(self) -> Verdict:
        each = self._verdicts
        return Verdict(
            self._point.name,
            converged=all(one.converged for one in each) and not self._unclear,
            duplicates=max(one.duplicates for one in each),
            orphans=max(one.orphans for one in each),
            dropped=max(one.dropped for one in each),
            unclear=tuple(self._unclear),
            story=tuple(self._story),
        )


def _ending(command: Future[Result]) -> str:
    """How the killed command ended; it may have been too fast."""
    error = command.exception()
    if error is None:
        return "it had ended"
    return f"it ended so: {' '.join(str(error).split())[:200]}"
