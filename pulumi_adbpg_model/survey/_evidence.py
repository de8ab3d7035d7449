"""What a survey has seen: answers as they came, with their times. Nothing here is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.gateway import RawAnswer
from pulumi_adbpg_model.survey._cloud import (
    Elements,
    Listing,
    id_of,
    is_absent,
    is_bound,
    is_deleted,
    is_forbidden,
    node_of,
    nodes_of,
    pools_of,
    shows,
    text,
)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass
class Poll:
    """Describe, list and nodes, one after the other."""

    #: Seconds since the create, or since the delete was accepted.
    at: float
    describe: RawAnswer
    listing: Listing
    nodes: RawAnswer
    service_id: str
    #: What a service answers that never was.
    unknown: RawAnswer | None = None
    #: Whether another service of the survey may hold the node by now.
    blurred: bool = False

    @property
    def described(self) -> Elements | None:
        """The service as Describe shows it, also as a deleted one."""
        return self.describe.elements if shows(self.describe) else None

    @property
    def listed(self) -> Elements | None:
        """The service as List shows it."""
        return self.listing.item(self.service_id)

    @property
    def describe_says_gone(self) -> bool:
        """Whether Describe says that the service is no more; List, where it is not permitted."""
        if is_forbidden(self.describe):
            return self.list_says_gone
        shown = self.described
        return is_absent(self.describe, self.unknown) if shown is None else is_deleted(shown)

    @property
    def list_says_gone(self) -> bool:
        """Whether List says so."""
        shown = self.listed
        return self.listing.refusal is None and (shown is None or is_deleted(shown))


@dataclass
class Replay:
    """A create that should create nothing."""

    #: Seconds since the first create; after the deletion, since the service was gone.
    at: float
    answer: RawAnswer
    #: Whether the node was bound just before.
    node_bound: bool = False

    @property
    def service_id(self) -> str | None:
        """What it answers with."""
        return id_of(self.answer.elements or {})


@dataclass
class Trial:
    """What became of one service."""

    node: str
    model: str
    sent_description: str
    service_id: str | None = None
    #: Whether the first description was refused.
    plain: bool = False
    alive: list[Poll] = field(default_factory=list)
    active_s: float | None = None
    ended: str | None = None
    replay_at_once: Replay | None = None
    other_parameters: Replay | None = None
    replay_later: Replay | None = None
    second_create: Replay | None = None
    delete_unknown: RawAnswer | None = None
    delete: RawAnswer | None = None
    leaving: list[Poll] = field(default_factory=list)
    delete_again: RawAnswer | None = None
    #: Seconds from the accepted delete until Describe said for good that it is gone.
    gone_s: float | None = None
    agreed_s: float | None = None
    replays_after: list[Replay] = field(default_factory=list)
    delete_gone: RawAnswer | None = None
    #: Answers to the first delete of a service that was being deployed.
    deletes_while_deploying: list[RawAnswer] = field(default_factory=list)

    @property
    def replay_after(self) -> Replay | None:
        """The one that was not refused because something had to be waited for."""
        return self.replays_after[-1] if self.replays_after else None

    @property
    def polls(self) -> list[Poll]:
        """All of them."""
        return [*self.alive, *self.leaving]

    @property
    def views(self) -> list[Elements]:
        """The service as Describe and List have shown it, again and again."""
        views = (one for poll in self.polls for one in (poll.described, poll.listed))
        return [one for one in views if one is not None]

    @property
    def described_s(self) -> float | None:
        """When Describe first showed the service, in seconds since the create."""
        return next((poll.at for poll in self.alive if poll.described is not None), None)

    @property
    def listed_s(self) -> float | None:
        """When List first showed the service, in seconds since the create."""
        return next((poll.at for poll in self.alive if poll.listed is not None), None)

    @property
    def list_lag_s(self) -> float | None:
        """By how much List was later than Describe, in seconds."""
        described_s, listed_s = self.described_s, self.listed_s
        return None if described_s is None or listed_s is None else listed_s - described_s

    @property
    def unseen_s(self) -> float:
        """How long reads did not show that the service was being deleted, in seconds."""
        if not self.alive:
            return 0.0
        before = next(
            (text(one.described.get("Status")) for one in reversed(self.alive) if one.described),
            None,
        )
        unchanged = False
        for poll in self.leaving:
            gone = self.gone_s is not None and poll.at >= self.gone_s
            word = None if poll.described is None else text(poll.described.get("Status"))
            if gone or (poll.described is not None and word != before):
                return poll.at if unchanged else 0.0
            unchanged = unchanged or poll.described is not None
        return 0.0

    @property
    def delete_s(self) -> float | None:
        """How long the deletion took, in seconds, without the time for which it did not show."""
        return None if self.gone_s is None else round(self.gone_s - self.unseen_s, 3)

    @property
    def bound_s(self) -> float | None:
        """How long the node was bound by what was gone, in seconds."""
        if self.gone_s is None:
            return None
        polls = [one for one in self.leaving if one.at >= self.gone_s and not one.blurred]
        polls = [one for one in polls if one.nodes.refusal is None]
        free = next((one for one in polls if not is_bound(node_of(one.nodes, self.node))), None)
        last = free or (polls[-1] if polls else None)
        return None if last is None else last.at - self.gone_s

    @property
    def descriptions(self) -> set[str]:
        """What reads showed as its description."""
        return {found for one in self.views if (found := text(one.get("Description")))}


@dataclass
class Evidence:
    """Answers, question by question; None where a question was not come to."""

    region: str | None
    instance: str
    models: RawAnswer | None = None
    nodes: RawAnswer | None = None
    listing: Listing | None = None
    #: By the size that was asked for.
    pages: dict[int, RawAnswer] = field(default_factory=dict)
    page_past_end: RawAnswer | None = None
    described: dict[str, RawAnswer] = field(default_factory=dict)
    unknown_instance: dict[str, RawAnswer] = field(default_factory=dict)
    unknown_service: RawAnswer | None = None
    wrong: dict[str, RawAnswer] = field(default_factory=dict)
    trial: Trial | None = None

    def services(self) -> list[Elements]:
        """Every service as Describe has shown it, again and again."""
        found = [one.elements for one in self.described.values() if shows(one)]
        found += [poll.described for poll in self._polls()]
        return [one for one in found if one is not None]

    def items(self) -> list[Elements]:
        """Every item of a list, again and again."""
        return [item for listing in self.listings() for item in listing.items]

    def views(self) -> list[Elements]:
        """Every service as Describe and List have shown it."""
        return [*self.services(), *self.items()]

    def listings(self) -> list[Listing]:
        """Every list."""
        found = [self.listing] if self.listing else []
        return found + [poll.listing for poll in self._polls()]

    def empty_lists(self) -> list[Elements]:
        """Every list without a service."""
        firsts = (one.pages[0].elements for one in self.listings() if one.pages)
        return [one for one in firsts if one is not None and not one.get("ModelServices")]

    def node_lists(self) -> list[RawAnswer]:
        """Every answer of ListAINodePools."""
        found = [self.nodes] if self.nodes else []
        return found + [poll.nodes for poll in self._polls()]

    def all_pools(self) -> list[Elements]:
        """Every pool, again and again."""
        return [pool for one in self.node_lists() for pool in pools_of(one)]

    def all_nodes(self) -> list[Elements]:
        """Every node, again and again."""
        return [node for one in self.node_lists() for node in nodes_of(one)]

    def objects(self) -> dict[str, list[Elements]]:
        """Every object of the answers, by where it stands."""
        pages = [page for one in self.listings() for page in one.pages]
        models = [self.models] if self.models else []
        return {
            "DescribeModelService": self.services(),
            "ListModelServices": _elements(pages),
            "ListModelServices, an item": self.items(),
            "ListSupportModels": _elements(models),
            "ListAINodePools": _elements(self.node_lists()),
            "ListAINodePools, a pool": self.all_pools(),
            "ListAINodePools, a node": self.all_nodes(),
        }

    def _polls(self) -> list[Poll]:
        return self.trial.polls if self.trial else []


def of_trial(
    without: _T,
) -> Callable[[Callable[Concatenate[Trial, _P], _T]], Callable[Concatenate[Evidence, _P], _T]]:
    """Let a function of a trial be asked with all evidence; `without`, where there is no trial."""

    def decorate(
        function: Callable[Concatenate[Trial, _P], _T],
    ) -> Callable[Concatenate[Evidence, _P], _T]:
        def asked(evidence: Evidence, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
            trial = evidence.trial
            return without if trial is None else function(trial, *args, **kwargs)

        return asked

    return decorate


def shape_of(elements: Elements, key: str) -> str:
    """How an element comes: absent, null, empty, or with a value."""
    if key not in elements:
        return "absent"
    value = elements[key]
    if value is None:
        return "null"
    return "empty" if value in ("", [], {}) else "value"


def is_failure(word: str) -> bool:
    """Whether a status says, or may well say, that a deployment has failed."""
    return phase_of(word) is Phase.FAILED or "abnormal" in word.lower()


def _elements(answers: Iterable[RawAnswer]) -> list[Elements]:
    return [one.elements for one in answers if one.elements is not None]
