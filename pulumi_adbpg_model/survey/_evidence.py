"""What a survey has seen: answers as they came, with their times. Nothing here is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from pulumi_adbpg_model.gateway import RawAnswer
from pulumi_adbpg_model.survey._cloud import (
    Elements,
    Listing,
    id_of,
    is_absent,
    is_deleted,
    is_forbidden,
    shows,
)


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
    create: RawAnswer | None = None
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
        if self.trial is not None:
            polls = (*self.trial.alive, *self.trial.leaving)
            found += [poll.described for poll in polls]
        return [one for one in found if one is not None]

    def items(self) -> list[Elements]:
        """Every item of a list, again and again."""
        return [item for listing in self.listings() for item in listing.items]

    def listings(self) -> list[Listing]:
        """Every list."""
        found = [self.listing] if self.listing else []
        if self.trial is not None:
            found += [poll.listing for poll in (*self.trial.alive, *self.trial.leaving)]
        return found

    def node_lists(self) -> list[RawAnswer]:
        """Every answer of ListAINodePools."""
        found = [self.nodes] if self.nodes else []
        if self.trial is not None:
            found += [poll.nodes for poll in (*self.trial.alive, *self.trial.leaving)]
        return found
