"""
The life of one service: created, followed until it is active or has failed, deleted.

Boundary: in what order what is asked. What was made is the ledger's, what it means `_inference`'s.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import Phase
from pulumi_adbpg_model.errors import (
    AccessError,
    ApiError,
    BusyError,
    NotFoundError,
    OperationError,
    QuotaError,
    first_of,
)
from pulumi_adbpg_model.gateway import RawAnswer
from pulumi_adbpg_model.survey._cloud import (
    MARK,
    Cloud,
    bare,
    id_of,
    is_bound,
    is_deleted,
    is_forbidden,
    is_marked,
    model_names,
    node_names,
    node_of,
    nodes_of,
    shows,
    text,
)
from pulumi_adbpg_model.survey._evidence import Evidence, Poll, Replay, Trial, is_failure
from pulumi_adbpg_model.survey._ledger import Ledger, phase, says_gone
from pulumi_adbpg_model.survey._stopping import StoppableClock

#: A cloud may keep a token for a minute.
_OLD_TOKEN_S = 65.0
#: So many describes at least while it is there: one in three may answer as if it were unknown.
_LEAST_POLLS = 9
#: How long the list is given to show what Describe shows.
_LIST_BEHIND_S = 8.0
#: How long a deletion is followed.
DELETION_S = 900.0
#: How long an instance or a node may be busy with what is gone.
_BUSY_S = 120.0


class Interrupted(Exception):  # noqa: N818 - it is no error
    """The user wants to stop."""


class Life:
    """One trial."""

    def __init__(
        self,
        cloud: Cloud,
        clock: StoppableClock,
        evidence: Evidence,
        *,
        node: str,
        model: str,
        timeout_s: float,
        made: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        """
        Make one; it calls nothing yet.

        Args:
            cloud: The instance.
            clock: Its own; a stop ends the trial between two calls.
            evidence: Takes what is seen. Models, nodes and list are there already.
            node: An AI node that nothing holds.
            model: A model of the catalogue.
            timeout_s: How long to wait until the service is active, in seconds.
            made: Told the id of each service at once.
            say: Told what happens.
        """
        self._cloud = cloud
        self._clock = clock
        self._say = say
        self._timeout_s = timeout_s
        self._evidence = evidence
        self._run = f"{MARK} {secrets.token_hex(6)}"
        # Line ends and white space of every kind: what comes back tells what becomes of them.
        described = f"  {self._run}\r\nof this cloud,\nat home\rthere  "
        self.trial = evidence.trial = Trial(node, model, described)
        self.ledger = Ledger(cloud, clock, self._run, made)
        self._token = f"survey-{secrets.token_hex(16)}"
        self._created_at = 0.0

    def run(self) -> None:
        """
        Do all of it but for taking away what is left, which is the ledger's to do.

        Raises:
            Interrupted: The user wants to stop.
            AdbpgModelError: It cannot go on.
        """
        trial, evidence = self.trial, self._evidence
        trial.delete_unknown = self._cloud.delete(f"ms-survey{secrets.token_hex(8)}")
        if is_forbidden(trial.delete_unknown):
            raise OperationError(
                "DeleteModelService is not permitted, so nothing was created: what cannot be "
                "deleted is not made. See `pulumi-adbpg-model policy`."
            )
        # The user may have thought for an hour before saying yes.
        evidence.nodes, evidence.listing = self._cloud.nodes(), self._cloud.listing()
        check(evidence, trial.node, trial.model)
        self.ledger.others = frozenset(filter(None, map(id_of, evidence.listing.items)))
        self._go_on()
        self._create()
        self._follow()
        self._delete()

    def _go_on(self) -> None:
        if self._clock.cancelled:
            raise Interrupted

    def _send(self, token: str, replicas: int | None = None) -> RawAnswer:
        trial = self.trial
        return self.ledger.create(trial.node, trial.model, trial.sent_description, token, replicas)

    def _create(self) -> None:
        trial = self.trial
        self._created_at = self._clock.monotonic()
        answer = self._send(self._token)
        if answer.refusal is not None and _of_the_description(answer.refusal):
            self._go_on()
            trial.plain, trial.sent_description = True, self._run
            self._token = f"survey-{secrets.token_hex(16)}"
            self._created_at = self._clock.monotonic()
            answer = self._send(self._token)
        if answer.refusal is not None:
            raise answer.refusal
        trial.service_id = id_of(answer.elements or {})
        if trial.service_id in self.ledger.others:
            trial.service_id = None
            raise OperationError("the cloud answers a new create with a service that was there.")
        self._go_on()

    def _replay(self, token: str, replicas: int | None = None) -> Replay:
        """Send a create that should make nothing; what it makes all the same is deleted."""
        bound = is_bound(node_of(self._cloud.nodes(), self.trial.node))
        self._go_on()
        at = self._clock.monotonic() - self._created_at
        replay = Replay(at, self._send(token, replicas), bound)
        made = replay.service_id
        # Never one that was there before, whatever the cloud answers with.
        if made != self.trial.service_id and made in self.ledger.living():
            self._drop(made)
        self._go_on()
        return replay

    def _drop(self, service_id: str) -> None:
        """Ask at once for the deletion of an extra service. The ledger follows it."""
        described = self._cloud.describe(service_id)
        if not self.ledger.note(service_id, described.elements if shows(described) else None):
            return
        self._say("The cloud made another service of what should make none: it is deleted too.")
        answer = self.ledger.delete(service_id)
        if phase(described.elements) is Phase.PENDING:
            self.trial.deletes_while_deploying.append(answer)

    def _poll(self, service_id: str, started: float) -> Poll:
        at = self._clock.monotonic() - started
        describe = self._cloud.describe(service_id)
        poll = Poll(
            at,
            describe,
            self._cloud.listing(),
            self._cloud.nodes(),
            service_id,
            self._cloud.unknown,
        )
        if is_forbidden(describe) and poll.listing.is_forbidden and describe.refusal is not None:
            raise describe.refusal  # nothing tells of it any more
        if not self.ledger.note(service_id, poll.described or poll.listed):
            raise OperationError(
                f"the cloud says that a create has made {service_id}, and shows another's "
                "description of it."
            )
        self._go_on()
        return poll

    def _follow(self) -> None:
        trial, clock = self.trial, self._clock
        deadline = Deadline.after(clock, self._timeout_s)
        last, ended_at = "", None
        service_id = trial.service_id or ""
        while True:
            poll = self._poll(service_id, self._created_at)
            trial.alive.append(poll)
            last = self._tell(poll, last)
            if trial.replay_at_once is None:
                trial.replay_at_once = self._replay(self._token)
                trial.other_parameters = self._replay(self._token, replicas=2)
                trial.second_create = self._replay(f"survey-{secrets.token_hex(16)}")
            age = clock.monotonic() - self._created_at
            if age >= _OLD_TOKEN_S and trial.replay_later is None:
                trial.replay_later = self._replay(self._token)
            if trial.ended is None:
                trial.ended = _end(poll, self._timeout_s if deadline.expired else None)
                if trial.ended == "active":
                    trial.active_s = poll.at
                ended_at = age if trial.ended else None
            settled = _is_settled(trial.alive)
            seen_enough = settled or age >= self._timeout_s
            is_over = ended_at is not None and trial.replay_later is not None
            behind_s = age - (ended_at or 0.0)
            if is_over and seen_enough and (_agrees(poll) or behind_s >= _LIST_BEHIND_S):
                return
            clock.sleep(1.0 if is_over and seen_enough else _pause(age, settled=settled))
            self._go_on()

    def _tell(self, poll: Poll, last: str) -> str:
        shown = poll.described or poll.listed
        word = "not shown" if shown is None else "shown"
        now = phase(shown)
        if shown is not None and now is not None:
            word = {Phase.ACTIVE: "active", Phase.FAILED: "failed"}.get(now, "not active yet")
        if word != last:
            self._say(f"After {poll.at:.0f} s the service is {word}.")
        return word

    def _delete(self) -> None:
        trial, clock = self.trial, self._clock
        service_id = trial.service_id or ""
        answer = trial.delete = self.ledger.delete(service_id)
        deadline = Deadline.after(clock, self._timeout_s)
        while answer.refusal is not None:
            if isinstance(answer.refusal, (AccessError, NotFoundError)) or deadline.expired:
                raise answer.refusal
            self._go_on()
            clock.sleep(5.0)
            answer = self.ledger.delete(service_id)
        self._go_on()
        self._say("Its deletion is accepted.")
        self._follow_deletion(service_id, clock.monotonic())
        trial.delete_gone = self.ledger.delete(service_id)

    def _follow_deletion(self, service_id: str, started: float) -> None:
        trial, clock = self.trial, self._clock
        deadline = Deadline.after(clock, DELETION_S)
        blurred = False
        while True:
            poll = self._poll(service_id, started)
            poll.blurred = blurred
            trial.leaving.append(poll)
            if trial.delete_again is None and not poll.describe_says_gone:
                trial.delete_again = self.ledger.delete(service_id)
                self._go_on()
            if trial.gone_s is None and poll.describe_says_gone:
                # One may answer as if a service were unknown, and show it the next time.
                again = self._cloud.describe(service_id)
                if says_gone(again, self._cloud.unknown) or is_forbidden(again):
                    trial.gone_s = poll.at
                else:
                    poll.describe = again
                self._go_on()
            if trial.gone_s is not None and self._is_replay_due(trial.gone_s + started):
                replay = self._replay(self._token)
                replay.at = clock.monotonic() - started - trial.gone_s
                trial.replays_after.append(replay)
                blurred = blurred or replay.service_id not in (None, service_id)
            free = blurred or not is_bound(node_of(poll.nodes, trial.node))
            waits = trial.gone_s is None or self._is_replay_due(trial.gone_s + started)
            if poll.list_says_gone and free and not waits:
                trial.agreed_s = poll.at
                self._say(f"After {poll.at:.0f} s it is gone.")
                return
            if deadline.expired:
                raise OperationError(
                    "the reads of the cloud do not agree that the service is gone."
                )
            # What follows a deletion may last for two seconds only.
            clock.sleep(0.5 if poll.at < 8 else 1.0 if poll.at < 120 else 5.0)
            self._go_on()

    def _is_replay_due(self, gone_at: float) -> bool:
        """Whether the token is to be replayed, again while something is busy with what is gone."""
        last = self.trial.replay_after
        if last is None:
            return True
        busy = isinstance(last.answer.refusal, BusyError)
        return busy and self._clock.monotonic() - gone_at < _BUSY_S


def check(evidence: Evidence, node: str, model: str) -> None:
    """
    See that a trial can begin.

    Args:
        evidence: With models, nodes and list.
        node: Name of the AI node.
        model: Name of the model.

    Raises:
        AdbpgModelError: It cannot; the text says why.
    """
    asked = (evidence.models, evidence.nodes, *(evidence.listing.pages if evidence.listing else ()))
    for answer in asked:
        if answer is not None and answer.refusal is not None:
            raise answer.refusal
    nodes, listing = evidence.nodes, evidence.listing
    found = None if nodes is None else node_of(nodes, node)
    where = f"instance {evidence.instance}"
    living = [one for one in (listing.items if listing else ()) if not is_deleted(one)]
    held = {name: id_of(one) for one in living for name in node_names(one)}
    names = [(bare(one.get("NodeName")), is_bound(one)) for one in nodes_of(nodes)] if nodes else []
    free = first_of(name for name, bound in names if name and not bound and name not in held)
    if found is None:
        raise OperationError(f"{where} has no AI node {node!r}. Free nodes: {free}.")
    if is_bound(found) or node in held:
        by = f" by {held[node]}" if held.get(node) else ""
        raise OperationError(f"AI node {node} of {where} is held{by}. Free nodes: {free}.")
    known = [bare(name) for name in model_names(evidence.models)] if evidence.models else []
    if model not in known:
        models = first_of(name for name in known if name)
        raise OperationError(f"the catalogue has no model {model!r}. Its models: {models}.")


def left_over(evidence: Evidence) -> list[str]:
    """The services that an earlier survey has left, by their mark."""
    items = evidence.listing.items if evidence.listing else []
    marked = [one for one in items if is_marked(one) and not is_deleted(one)]
    return [one for one in map(id_of, marked) if one is not None]


def _of_the_description(refusal: ApiError) -> bool:
    """Whether a create may have been refused for its description."""
    other = (AccessError, BusyError, QuotaError)
    return (refusal.status or 0) in range(400, 500) and not (
        isinstance(refusal, other) or refusal.retryable
    )


def _end(poll: Poll, timeout_s: float | None) -> str | None:
    """How the deployment has ended, if it has."""
    shown = poll.described or (poll.listed if is_forbidden(poll.describe) else None)
    if phase(shown) is Phase.ACTIVE:
        return "active"
    if is_failure(text((shown or {}).get("Status")) or ""):
        return "failed"
    return None if timeout_s is None else "neither"


def _is_settled(polls: list[Poll]) -> bool:
    """Whether nothing is to be expected any more of how a new service comes to be seen."""
    shown = [poll for poll in polls if poll.described is not None or is_forbidden(poll.describe)]
    both = [poll for poll in shown if poll.listed is not None]
    return len(both) >= 2 and len(shown) >= _LEAST_POLLS - _LEAST_POLLS // 3


def _agrees(poll: Poll) -> bool:
    """Whether the list shows the status that Describe shows."""
    described, listed = poll.described or {}, poll.listed or {}
    return described.get("Status") == listed.get("Status")


def _pause(age: float, *, settled: bool) -> float:
    """Dense at first: a service that is not seen for a second is told from one that is for 20."""
    if age < 3:
        return 0.5
    if age < 8 or (age < 40 and not settled):
        return 1.0
    return 5.0
