"""
What a survey has made in the cloud, and taking it away again.

Decision: nothing is forgotten before it is proven gone. Each create is doubtful from before it is
sent until its answer says what it made; each id is kept until Describe and List agree. An id that a
create answers is believed, but not against what reads show: another's service is not deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    ConfigurationError,
    OperationError,
    RenewalError,
    TransportError,
)
from pulumi_adbpg_model.gateway import RawAnswer
from pulumi_adbpg_model.survey._cloud import (
    Cloud,
    Elements,
    admits_others,
    id_of,
    is_absent,
    is_bound,
    is_deleted,
    is_forbidden,
    is_marked,
    node_names,
    node_of,
    shows,
    text,
)
from pulumi_adbpg_model.survey._stopping import StoppableClock

#: A new service may stay unseen for so long; until then, not to see it proves nothing.
UNSEEN_S = 45.0
_DELETE_AGAIN_S = 60.0
#: Between two looks, as time passes; then the last again and again.
_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 15.0)


@dataclass(frozen=True)
class Left:
    """A service that is there still, or may be."""

    service_id: str
    #: Whether the cloud has accepted its deletion.
    accepted: bool
    #: Whether its description is hidden, so that nothing shows whose it is.
    unmarked: bool
    #: Whether the survey is not sure to have made it, and so has not deleted it.
    maybe: bool = False


@dataclass(frozen=True)
class _Create:
    node: str
    model: str
    description: str
    token: str
    replicas: int | None
    at: float


class Ledger:
    """The services of one run."""

    def __init__(
        self,
        cloud: Cloud,
        clock: StoppableClock,
        run_mark: str,
        made: Callable[[str], None],
    ) -> None:
        """
        Make one.

        Args:
            cloud: Where they are made.
            clock: Its own.
            run_mark: What the description of each service of this run holds.
            made: Told each id at once.
        """
        self._cloud = cloud
        self._clock = clock
        self._run_mark = run_mark
        self._made = made
        #: The services that were there before.
        self.others: Collection[str] = ()
        #: What was made, by the create after which its id was learned.
        self._born: dict[str, _Create] = {}
        self._seen: set[str] = set()
        self._accepted: set[str] = set()
        self._gone: set[str] = set()
        self._maybe: set[str] = set()
        #: Whether neither Describe nor List was permitted, the last time.
        self._blind = False
        self._doubt: _Create | None = None
        self._last: _Create | None = None
        #: Whether reads have shown the description of a service of this run.
        self.marks_show: bool | None = None

    def create(
        self, node: str, model: str, description: str, token: str, replicas: int | None = None
    ) -> RawAnswer:
        """
        Send a create.

        Raises:
            OperationError: What it did is not known.
        """
        known = self._doubt
        self._last = self._doubt = _Create(
            node, model, description, token, replicas, self._clock.monotonic()
        )
        try:
            answer = self._cloud.create(node, model, description, token, replicas)
        except TransportError as error:
            if not error.in_doubt:
                self._doubt = known
            raise
        except (AccessError, ConfigurationError) as error:
            if not getattr(error, "in_doubt", False):
                self._doubt = known
            raise
        if answer.elements is not None:
            made = id_of(answer.elements) or ""
            if made not in self.others:  # else it may have made another
                self._doubt = known
            self._remember(made)
        elif not answer.in_doubt:
            self._doubt = known
        else:
            raise OperationError(
                f"what CreateModelService did for AI node {node} of instance "
                f"{self._cloud.instance} is not known: an answer was lost."
            )
        return answer

    def _remember(self, service_id: str) -> None:
        if service_id in self.others or service_id in self._born or self._last is None:
            return  # the first is somebody else's, whatever the cloud says
        self._born[service_id] = self._last
        self._made(service_id)

    def note(self, service_id: str, shown: Elements | None) -> bool:
        """Learn from a read of what a create has answered; tell whether it may be deleted."""
        if shown is None:
            return service_id not in self._maybe
        self._seen.add(service_id)
        description = _description(shown)
        self.marks_show = self._run_mark in description
        create = self._born.get(service_id)
        if create is None or self.marks_show or service_id in self._maybe:
            return service_id not in self._maybe
        # The mark may come back in part; what says something else is another's.
        others = (
            not self._run_mark.startswith(description)
            or create.node not in (node_names(shown) or [create.node])
            or admits_others(shown)
        )
        if others:
            self._maybe.add(service_id)
            self._doubt = self._doubt or create
        return service_id not in self._maybe

    def delete(self, service_id: str) -> RawAnswer:
        """Ask for a deletion."""
        answer = self._cloud.delete(service_id)
        if answer.elements is not None:
            self._accepted.add(service_id)
        return answer

    def living(self) -> list[str]:
        """What is not proven gone."""
        return [one for one in self._born if one not in self._gone]

    def clean(self, limit_s: float) -> list[Left]:
        """
        Delete all of it and wait until it is gone. Nothing is raised but what no code can catch.

        When the clock is stopped, each deletion is still asked for, once; then what is not proven
        gone counts as left.
        """
        deadline = Deadline.after(self._clock, limit_s)
        # The second time for what came late, or came back.
        for _ in range(2 if self._last else 0):
            # What was never to be seen under the id of the answer may have another.
            never = [self._born[one] for one in self._gone - self._seen]
            self._doubt = self._doubt or next(iter(never), None)
            self._quietly(lambda: self._resolve(deadline))
            for service_id in self.living():
                self._quietly(lambda one=service_id: self.remove(one, deadline))  # type: ignore[misc]
        return [
            Left(
                one,
                one in self._accepted,
                self.marks_show is False or one in self._maybe,
                one in self._maybe,
            )
            for one in self.living()
        ]

    @property
    def doubtful(self) -> bool:
        """Whether there may be a service whose id is not known."""
        return self._doubt is not None

    @staticmethod
    def _quietly(action: Callable[[], object]) -> None:
        try:
            action()
        except Exception:  # noqa: BLE001 - the others are still to be deleted, and all is told
            return

    def remove(self, service_id: str, deadline: Deadline) -> bool:
        """Delete one, again and again if need be, until it is gone; tell whether it is."""
        pauses = iter(_PAUSES_S)
        started = self._clock.monotonic()
        asked_at = started if service_id in self._accepted else None
        forbidden = False
        while True:
            now = self._clock.monotonic()
            try:
                if not self._may_delete(service_id):
                    return False
                if asked_at is None or now - asked_at >= _DELETE_AGAIN_S:
                    answer = self.delete(service_id)
                    forbidden = is_forbidden(answer)
                    asked_at = now if answer.elements is not None else None
                if self._is_gone(service_id):
                    self._gone.add(service_id)
                    return True
                hopeless = forbidden or (self._blind and service_id in self._accepted)
                if hopeless and now - started >= _DELETE_AGAIN_S:
                    return False  # no waiting gives a permission back
            except (AccessError, ConfigurationError, RenewalError):
                return False
            except AdbpgModelError:
                asked_at = None
            if self._clock.cancelled or deadline.expired:
                return False
            self._clock.sleep(next(pauses, _PAUSES_S[-1]))

    def _may_delete(self, service_id: str) -> bool:
        if service_id in self._seen:
            return service_id not in self._maybe
        described = self._cloud.describe(service_id)
        shown = described.elements if shows(described) else None
        return self.note(service_id, shown or self._cloud.listing().item(service_id))

    def _is_gone(self, service_id: str) -> bool:
        described = self._cloud.describe(service_id)
        told = not is_forbidden(described)
        if told and not says_gone(described, self._cloud.unknown):
            return False
        # One may answer as if a service were unknown, and show it the next time.
        if told and not says_gone(self._cloud.describe(service_id), self._cloud.unknown):
            return False
        listing = self._cloud.listing()
        item = listing.item(service_id)
        self._blind = listing.is_forbidden and not told
        if listing.refusal is not None and not (listing.is_forbidden and told):
            return False
        if item is not None and not is_deleted(item):
            return False
        # A deletion of what is not to be seen yet may be accepted, and do nothing.
        if service_id in self._accepted and service_id in self._seen:
            return True
        create = self._born.get(service_id)
        return create is None or self._clock.monotonic() - create.at >= UNSEEN_S

    def _resolve(self, deadline: Deadline) -> None:
        """Find out what a create did whose answer was lost, and what else has this run's mark."""
        pauses = iter(_PAUSES_S)
        while True:
            try:
                if self._look() or self._doubt is None:
                    return
            except (AccessError, ConfigurationError, RenewalError):
                return
            except AdbpgModelError:
                pass
            if self._clock.cancelled or deadline.expired:
                return
            self._clock.sleep(next(pauses, _PAUSES_S[-1]))

    def _look(self) -> bool:
        listing = self._cloud.listing()
        ours = [
            one
            for one in listing.items
            if self._run_mark in _description(one) and not is_deleted(one)
        ]
        found = [one for one in map(id_of, ours) if one is not None]
        fresh = [one for one in found if one not in self._born]
        for service_id in found:
            self._remember(service_id)
            self._gone.discard(service_id)
        doubt = self._doubt
        if doubt is None:
            return True
        if fresh:
            self._doubt = None
            return True
        if listing.refusal is not None:
            return is_forbidden(listing.pages[-1])
        new = [
            one
            for one in listing.items
            if id_of(one) not in self.others
            and id_of(one) not in self._born
            and not is_deleted(one)
            # The mark may come back in a form in which it is not known again.
            and not (_description(one) and (is_marked(one) or admits_others(one)))
            and (not node_names(one) or doubt.node in node_names(one))
        ]
        if new:
            return self._prove(doubt, [one for one in map(id_of, new) if one is not None])
        if self._clock.monotonic() - doubt.at < UNSEEN_S:
            return False
        holders = [one for one in listing.items if doubt.node in node_names(one)]
        free = holders or self.living() or not is_bound(node_of(self._cloud.nodes(), doubt.node))
        if not free:
            return False
        self._doubt = None
        return True

    def _prove(self, doubt: _Create, candidates: list[str]) -> bool:
        """
        Find ours among services without a mark: the token of its create answers its id.

        It is asked once only, for where the token counts for nothing it makes another.
        """
        self.marks_show = False
        made = None
        try:
            answer = self._cloud.create(
                doubt.node, doubt.model, doubt.description, doubt.token, doubt.replicas
            )
        except AdbpgModelError:
            pass
        else:
            made = id_of(answer.elements or {})
            self._doubt = doubt if answer.in_doubt else None
        if made not in candidates:
            self._maybe.update(candidates)
        for service_id in candidates if made is None else [made, *self._maybe]:
            self._remember(service_id)
        return True


def _description(shown: Elements) -> str:
    """A description, whatever became of its white space and capitals."""
    return " ".join((text(shown.get("Description")) or "").split()).casefold()


def says_gone(answer: RawAnswer, unknown: RawAnswer | None) -> bool:
    """Whether a describe says that a service is no more; `unknown` as for `is_absent`."""
    return is_deleted(answer.elements or {}) if shows(answer) else is_absent(answer, unknown)


def phase(shown: Elements | None) -> Phase | None:
    """What a service's status means; None when it is not shown."""
    return None if shown is None else phase_of(text(shown.get("Status")))
