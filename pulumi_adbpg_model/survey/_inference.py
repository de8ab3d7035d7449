"""
From what was seen to the simulator's dialects: one function for each question.

The names are those of `simulate --help`; the simulator itself is not asked. A verdict is a dialect
only where the cloud did what its sentence says. What differs from the documents in another way fits
none, and what could not be seen is not told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.errors import ApiError, BusyError, TokenMismatchError
from pulumi_adbpg_model.gateway import RawAnswer
from pulumi_adbpg_model.survey._cloud import (
    NOBODY,
    WHITELIST_KEYS,
    Elements,
    bare,
    id_of,
    is_bound,
    is_deleted,
    is_forbidden,
    items_of,
    kind_of_refusal,
    model_names,
    node_of,
    nodes_of,
    number_of,
    pools_of,
    shows,
    text,
    whitelist_of,
)
from pulumi_adbpg_model.survey._evidence import Evidence, Poll, Replay

#: Why no survey can tell these.
UNTELLABLE = {
    "delete-refused-while-deploying": (
        "asking would take a second service, which could not be deleted before it is active"
    ),
    "nodes-reordered": "the survey uses one node, and in what order others sent theirs is unknown",
    "whitelist-canonical": "the survey's whitelist is 127.0.0.1 alone, which has one form",
    "whitelist-reordered": "the survey's whitelist is 127.0.0.1 alone, which has one order",
    "whitelist-deduplicated": "the survey's whitelist is 127.0.0.1 alone",
    "whitelist-default-added": "the survey's whitelist is 127.0.0.1 itself",
    "whitelist-open-default": "a service without a whitelist might be open to everybody",
    "whitelist-empty-default": "a service without a whitelist might be open to everybody",
    "modify-not-reaching": "ModifySecurityIps might change the whitelist of the database",
    "modify-slow": "ModifySecurityIps might change the whitelist of the database",
}


class Fit(Enum):
    """How what was seen stands to the documents, and to the simulator."""

    DEFAULT = "default"
    DIALECT = "dialect"
    NONE = "fits none"
    UNTOLD = "not told"


@dataclass(frozen=True)
class Verdict:
    """What one question comes to."""

    fit: Fit
    dialects: tuple[str, ...] = ()
    #: Why it is not told, or what fits none. Of our own words alone.
    why: str = ""


DEFAULT = Verdict(Fit.DEFAULT)


def dialect(*names: str) -> Verdict:
    """What was seen is this."""
    return Verdict(Fit.DIALECT, names)


def none(why: str) -> Verdict:
    """What was seen is neither documented nor a dialect."""
    return Verdict(Fit.NONE, (), why)


def untold(why: str) -> Verdict:
    """It could not be seen."""
    return Verdict(Fit.UNTOLD, (), why)


_NO_TRIAL = untold("only with --node and --model")
_NO_SERVICE = untold("there was no service to look at")
_FORBIDDEN = untold("not permitted")
_NOT_ASKED = untold("the survey ended before")

_BIND_OBJECT, _NAMESPACE = "model_serving", "adbpg-ainode"
_POOL = re.compile(r"aipool-[A-Za-z0-9]{9}")
_LINE_END = re.compile(r"\r\n?|\n")
#: A lag or a pause up to so long counts as one of a second, of two or three, of twenty.
_LITTLE_S, _SOON_S, _SHORT_S, _LONG_S = 1.2, 3.0, 10.0, 40.0
_OF_SERVICES = frozenset(
    {"AiNodes", "ApiKey", "CreateTime", "Description", "ModelName", "ModelParams", "Status"}
) | {"ModelServiceId"}
_KNOWN = {
    "DescribeModelService": _OF_SERVICES
    | {"PrivateConnectUrl", "PublicConnectUrl", "RequestId", "SecurityIpList"},
    "ListModelServices": frozenset(
        {"ModelServices", "PageNumber", "PageRecordCount", "RequestId", "TotalRecordCount"}
    ),
    "ListModelServices, an item": _OF_SERVICES
    | {"PrivateConnUrl", "PublicConnUrl", "SecurityIPList"},
    "ListSupportModels": frozenset({"ModelNames", "RequestId"}),
    "ListAINodePools": frozenset({"AINodePoolInfos", "RequestId"}),
    "ListAINodePools, a pool": frozenset({"AINodeInfos", "AINodePoolId", "NodeNum"}),
    "ListAINodePools, a node": frozenset(
        {"BindObject", "BindStatus", "CreateTime", "Namespace", "NodeName", "NodeSpec"}
    )
    | {"UpdateTime", "ZoneId"},
}

_WORDS = {
    "default": {"deployming", "active", "deleting"},
    "status-deploying": {"deploying", "active", "deleting"},
    "status-capitalised": {"Deploying", "Active", "Deleting"},
    "status-unknown-words": {"initializing", "PREPARING", "active", "Terminating"},
    "status-missing": {"active", "deleting"},
}
_FAILURES = {
    "Failed": "failure-failed",
    "CreateFailed": "failure-create-failed",
    "error": "failure-error",
    "abnormal": "failure-abnormal",
}


def objects(evidence: Evidence) -> dict[str, list[Elements]]:
    """Every object of the answers, by where it stands."""
    lists, nodes = evidence.listings(), evidence.node_lists()
    pages = [page.elements for one in lists for page in one.pages if page.elements is not None]
    models = evidence.models.elements if evidence.models else None
    return {
        "DescribeModelService": evidence.services(),
        "ListModelServices": pages,
        "ListModelServices, an item": evidence.items(),
        "ListSupportModels": [] if models is None else [models],
        "ListAINodePools": [one.elements for one in nodes if one.elements is not None],
        "ListAINodePools, a pool": [pool for one in nodes for pool in pools_of(one)],
        "ListAINodePools, a node": [node for one in nodes for node in nodes_of(one)],
    }


def unknown_fields(evidence: Evidence) -> dict[str, dict[str, object]]:
    """Elements that no document names, with one value each, by where they stand."""
    found: dict[str, dict[str, object]] = {}
    for where, shown in objects(evidence).items():
        for elements in shown:
            for key in elements.keys() - _KNOWN[where]:
                found.setdefault(where, {})[key] = elements[key]
    return found


def known_fields(where: str) -> Sequence[str]:
    """The documented elements, sorted."""
    return sorted(_KNOWN[where])


# Refusals


def unknown_service(evidence: Evidence) -> Verdict:
    """What describing a service answers that never was."""
    answer, trial = evidence.unknown_service, evidence.trial
    if answer is None:
        return _NOT_ASKED
    if is_forbidden(answer):
        return _FORBIDDEN
    shown_deleted = trial is not None and any(
        poll.described is not None and is_deleted(poll.described) for poll in trial.leaving
    )
    verdict = _of_unknown(answer)
    if shown_deleted and verdict.fit is Fit.DIALECT:
        return none("not together with how a deleted service is described")
    return verdict


def _of_unknown(answer: RawAnswer) -> Verdict:
    refusal = answer.refusal
    if refusal is None:
        return none("it is shown") if shows(answer) else dialect("describe-gone-empty")
    code, status = refusal.code or "", refusal.status
    if status == 404:
        return DEFAULT
    if status == 400 and code == "MetaDBApiCalled.Failed":
        return dialect("describe-gone-metadb")
    if status == 400 and code.endswith(".NotFound"):
        return dialect("describe-gone-400")
    if status == 400 and code and type(refusal) is ApiError:
        return dialect("describe-gone-unknown-code")
    return none("another status or code")


def deleted_service(evidence: Evidence) -> Verdict:
    """What describing a service answers that is gone."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    if trial.gone_s is None or not trial.leaving:
        return untold("the service was not seen to go")
    last = trial.leaving[-1]
    if is_forbidden(last.describe):
        return _FORBIDDEN
    if last.described is None:
        unknown = evidence.unknown_service
        same = unknown is not None and (kind_of_refusal(unknown) == kind_of_refusal(last.describe))
        return DEFAULT if same else none("not as a service that never was")
    word = (text(last.described.get("Status")) or "").lower()
    names = {"deleted": "describe-gone-terminal", "released": "describe-gone-released"}
    return dialect(names[word]) if word in names else none("another word")


def unknown_instance(evidence: Evidence) -> Verdict:
    """What an instance answers that there is not."""
    answers = [one for one in evidence.unknown_instance.values() if not is_forbidden(one)]
    if not answers:
        return _FORBIDDEN if evidence.unknown_instance else _NOT_ASKED
    codes = {one.refusal.code if one.refusal else None for one in answers}
    statuses = {one.refusal.status if one.refusal else None for one in answers}
    if statuses == {404} and codes == {"InvalidDBInstanceId.NotFound"}:
        return DEFAULT
    if statuses == {404} and codes == {"Forbidden.InstanceNotFound"}:
        return dialect("instance-404-forbidden")
    return none("another status or code")


# Being seen


def appearing(evidence: Evidence) -> Verdict:
    """How long a new service is not shown."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    described = any(not is_forbidden(poll.describe) for poll in trial.alive)
    first = first_shown(evidence) if described else first_listed(evidence)
    if first is None:
        return untold("the service was not seen")
    if first == trial.alive[0].at:
        return DEFAULT
    if first <= _SOON_S:
        return dialect("invisible-after-create")
    return dialect("invisible-20s") if 10 < first <= _LONG_S else none("another time")


def _early_list(poll: Poll) -> bool:
    return poll.listed is not None


def first_shown(evidence: Evidence) -> float | None:
    """When Describe first showed the service, in seconds since the create."""
    return _first(evidence, lambda poll: poll.described is not None)


def first_listed(evidence: Evidence) -> float | None:
    """When List first showed the service, in seconds since the create."""
    return _first(evidence, _early_list)


def _first(evidence: Evidence, shows_it: Callable[[Poll], bool]) -> float | None:
    polls = evidence.trial.alive if evidence.trial else []
    return next((poll.at for poll in polls if shows_it(poll)), None)


def flapping(evidence: Evidence) -> Verdict:
    """Whether Describe loses a service that is there."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    polls = [poll for poll in trial.alive if not is_forbidden(poll.describe)]
    shown = [index for index, poll in enumerate(polls) if poll.described is not None]
    if len(shown) < 2:
        return untold("it was not described often enough")
    since = polls[shown[0] : shown[-1] + 1]
    lost = sum(poll.described is None for poll in since)
    if not lost:
        return DEFAULT
    every_third = len(since) / 5 <= lost <= len(since) / 2
    return dialect("describe-flaps") if every_third else none("lost now and then")


def stale_list(evidence: Evidence) -> Verdict:
    """Whether List is behind Describe."""
    if evidence.trial is None:
        return _NO_TRIAL
    described, listed = first_shown(evidence), first_listed(evidence)
    if described is None or listed is None:
        return untold("the service was not seen in both")
    lag = listed - described
    if lag <= _LITTLE_S:
        return DEFAULT
    return dialect("list-stale") if lag <= _SHORT_S else none("List is behind for longer")


# Words


def status_words(evidence: Evidence) -> Verdict:
    """The words of Describe for being deployed, active, deleted."""
    shown = [one for one in evidence.services() if not is_deleted(one)]
    if not shown:
        return _NO_SERVICE
    words = {word for one in shown if (word := text(one.get("Status")))}
    words = {word for word in words if not is_failure(word)}
    missing = any(text(one.get("Status")) is None for one in shown)
    fitting = [
        name
        for name, known in _WORDS.items()
        if words <= known and (not missing or name == "status-missing")
    ]
    if not fitting:
        return none("other words")
    if missing:
        return dialect("status-missing")
    # That no service went without a status tells nothing, unless one was seen being deployed.
    if len(fitting) > 1:
        return untold("no word was seen that would tell")
    return DEFAULT if fitting == ["default"] else dialect(fitting[0])


def is_failure(word: str) -> bool:
    return phase_of(word) is Phase.FAILED or "abnormal" in word.lower()


def failure_words(evidence: Evidence) -> Verdict:
    """The word of Describe for a deployment that failed."""
    words = {text(one.get("Status")) or "" for one in evidence.services()}
    failed = {word for word in words if is_failure(word)}
    if not failed:
        return untold("no deployment failed")
    if failed <= {"deploy_failed", "Deploy_failed"}:
        return DEFAULT
    names = {_FAILURES.get(word) for word in failed}
    (name, *more) = names
    return none("other words") if name is None or more else dialect(name)


def listed_words(evidence: Evidence) -> Verdict:
    """Whether List says in which state a service is."""
    pairs = list(_pairs(evidence))
    if not pairs:
        return untold("no service was seen both listed and described")
    listed = {text(item.get("Status")) for _, item in pairs}
    if all(text(one.get("Status")) == text(item.get("Status")) for one, item in pairs):
        return DEFAULT
    if listed <= {"success", "fail"}:
        return dialect("list-status-success")
    # A list that is behind shows each word a while later.
    described = {text(one.get("Status")) for one, _ in pairs}
    return DEFAULT if listed <= described else none("other words than Describe")


def _pairs(evidence: Evidence) -> Iterable[tuple[Elements, Elements]]:
    for service_id, answer in evidence.described.items():
        item = evidence.listing.item(service_id) if evidence.listing else None
        if item is not None and answer.elements is not None and shows(answer):
            yield answer.elements, item
    trial = evidence.trial
    for poll in (*trial.alive, *trial.leaving) if trial else ():
        if poll.described is not None and poll.listed is not None:
            yield poll.described, poll.listed


# Client tokens


def tokens(evidence: Evidence) -> Verdict:
    """What a ClientToken does that was used before."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    at_once, later, after = trial.replay_at_once, trial.replay_later, trial.replay_after
    if at_once is None or at_once.answer.in_doubt:
        return _NOT_ASKED
    made = trial.service_id
    if at_once.service_id != made:
        return dialect("tokens-ignored") if _makes(at_once, made) else none("it is refused")
    if later is None:
        return _NOT_ASKED
    if later.service_id != made:
        return dialect("tokens-forgotten") if _makes(later, made) else none("refused after a while")
    if after is None:
        return untold("the service was not seen to go")
    if after.service_id == made:
        return DEFAULT
    forgets = after.service_id is not None
    return dialect("tokens-forget-dead") if forgets else none("refused once the service is gone")


def _makes(replay: Replay, made: str | None) -> bool:
    """Whether a replay makes another service, or would if the node were free."""
    other = replay.service_id not in (None, made)
    return other or isinstance(replay.answer.refusal, BusyError)


def other_parameters(evidence: Evidence) -> Verdict:
    """What a ClientToken does that was used before, with other parameters."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    asked, at_once = trial.other_parameters, trial.replay_at_once
    if asked is None or at_once is None:
        return _NOT_ASKED
    if at_once.service_id != trial.service_id:
        return untold("the token counts for nothing")
    mismatch = isinstance(asked.answer.refusal, TokenMismatchError)
    return DEFAULT if mismatch else none("not refused as IdempotentParameterMismatch")


def second_create(evidence: Evidence) -> Verdict:
    """What a create on a node that is held answers."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    asked = trial.second_create
    if asked is None:
        return _NOT_ASKED
    refused = isinstance(asked.answer.refusal, BusyError)
    return DEFAULT if refused else none("not refused with OperationDenied")


# Deleting


def unseen_s(evidence: Evidence) -> float:
    """How long reads did not show that a service was being deleted, in seconds."""
    trial = evidence.trial
    if trial is None or not trial.leaving or not trial.alive:
        return 0.0
    before = next(
        (text(one.described.get("Status")) for one in reversed(trial.alive) if one.described), None
    )
    unchanged = False
    for poll in trial.leaving:
        gone = trial.gone_s is not None and poll.at >= trial.gone_s
        word = None if poll.described is None else text(poll.described.get("Status"))
        if gone or (poll.described is not None and word != before):
            return poll.at if unchanged else 0.0
        unchanged = unchanged or poll.described is not None
    return 0.0


def delete_seconds(evidence: Evidence) -> float | None:
    """How long a deletion takes, in seconds, without the time for which it does not show."""
    gone_s = evidence.trial.gone_s if evidence.trial else None
    return None if gone_s is None else round(gone_s - unseen_s(evidence), 3)


def deletion(evidence: Evidence) -> Verdict:
    """How long a deletion takes, and when it shows."""
    trial, seconds = evidence.trial, delete_seconds(evidence)
    if trial is None:
        return _NO_TRIAL
    if seconds is None:
        return untold("the service was not seen to go")
    unseen = unseen_s(evidence)
    names = []
    if unseen > 0:
        if unseen > _SHORT_S:
            return none("it does not show for longer")
        names.append("delete-seen-late")
    if 1.4 <= seconds <= 2.6:
        names.append("slow-delete")
    return dialect(*names) if names else DEFAULT


def deleting_again(evidence: Evidence) -> Verdict:
    """What deleting answers for what is being deleted."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    answer = trial.delete_again
    if answer is None:
        return untold("it was gone at once")
    if answer.refusal is None:
        return DEFAULT
    if isinstance(answer.refusal, BusyError):
        return dialect("delete-again-refused")
    return none("another refusal")


def deleting_gone(evidence: Evidence) -> Verdict:
    """What deleting answers for what is not there."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    answers = [one for one in (trial.delete_unknown, trial.delete_gone) if one is not None]
    if not answers:
        return _NOT_ASKED
    if all(one.refusal is None for one in answers):
        return dialect("delete-of-gone-succeeds")
    if all(one.refusal is not None and one.refusal.status == 404 for one in answers):
        return DEFAULT
    return none("another status, or different ones")


def deleting_deploying(evidence: Evidence) -> Verdict:
    """What deleting answers for what is being deployed, where that came to be asked."""
    trial = evidence.trial
    if trial is None or not trial.deletes_while_deploying:
        return untold(UNTELLABLE["delete-refused-while-deploying"])
    refusals = [one.refusal for one in trial.deletes_while_deploying]
    if all(one is None for one in refusals):
        return DEFAULT
    if all(isinstance(one, BusyError) for one in refusals):
        return dialect("delete-refused-while-deploying")
    return none("another refusal")


def busy_after(evidence: Evidence) -> Verdict:
    """Whether an instance is busy with what is gone."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    if not trial.replays_after:
        return untold("the service was not seen to go")
    busy = [one for one in trial.replays_after if is_busy(one)]
    if not busy:
        return DEFAULT
    return dialect("busy-after-delete") if busy[-1].at <= _SHORT_S else none("busy for longer")


def is_busy(replay: Replay) -> bool:
    """Whether it is refused for the state of the instance, not of the node."""
    refusal = replay.answer.refusal
    code = (refusal.code or "") if refusal else ""
    of_state = "Status" in code or "State" in code
    return isinstance(refusal, BusyError) and (of_state or not replay.node_bound)


def bound_after(evidence: Evidence) -> Verdict:
    """Whether a node is bound by what is gone."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    bound = bound_s(evidence)
    if bound is None:
        return untold("the service was not seen to go")
    if bound <= 0:
        return DEFAULT
    return dialect("nodes-bound-after-delete") if bound <= _SHORT_S else none("bound for longer")


def bound_s(evidence: Evidence) -> float | None:
    """How long a node was bound by what was gone, in seconds."""
    trial = evidence.trial
    if trial is None or trial.gone_s is None:
        return None
    polls = [one for one in trial.leaving if one.at >= trial.gone_s and not one.blurred]
    polls = [one for one in polls if one.nodes.refusal is None]
    free = next((one.at for one in polls if not is_bound(node_of(one.nodes, trial.node))), None)
    if free is not None:
        return free - trial.gone_s
    return polls[-1].at - trial.gone_s if polls else None


# Lists


def list_order(evidence: Evidence) -> Verdict:
    """Whether the oldest is first."""
    orders = set()
    for listing in evidence.listings():
        times = [text(item.get("CreateTime")) for item in listing.items]
        known = [time for time in times if time is not None]
        if len(known) == len(times) and len(set(known)) > 1:
            orders.add("old" if known == sorted(known) else "")
            if known == sorted(known, reverse=True):
                orders.add("new")
        trial = evidence.trial
        ids = [id_of(item) for item in listing.items]
        if not any(known) and trial is not None and trial.service_id in ids and len(ids) > 1:
            at = ids.index(trial.service_id)
            orders.add({0: "new", len(ids) - 1: "old"}.get(at, ""))
    orders.discard("") if "new" in orders else None
    if not orders:
        return untold("there were no two services of different age")
    if orders == {"old"}:
        return DEFAULT
    return dialect("list-reordered") if orders == {"new"} else none("neither by age")


def list_pages(evidence: Evidence) -> Verdict:
    """Whether a page has as many services as were asked for."""
    known = len(evidence.listing.items) if evidence.listing else 0
    answers = {size: page for size, page in evidence.pages.items() if page.elements is not None}
    if not answers:
        return _FORBIDDEN if evidence.pages else _NOT_ASKED
    if known <= min(answers):
        return untold("there were too few services for a second page")
    counts = {size: len(items_of(page)) for size, page in answers.items()}
    if all(count == min(size, known) for size, count in counts.items()):
        return DEFAULT
    if all(count == 20 for count in counts.values()):
        return dialect("list-paged-at-20")
    return none("other sizes")


def list_total(evidence: Evidence) -> Verdict:
    """Whether a list tells how many there are."""
    pages = [page.elements for one in evidence.listings() for page in one.pages]
    shown = [one for one in pages if one is not None]
    if not shown:
        return _FORBIDDEN if pages else _NOT_ASKED
    if all("TotalRecordCount" not in one for one in shown):
        return dialect("list-without-total")
    good = all(number_of(one, "TotalRecordCount") is not None for one in shown)
    return DEFAULT if good else none("no number")


def empty_list(evidence: Evidence) -> Verdict:
    """How a list without a service is shown."""
    pages = [one.pages[0].elements for one in evidence.listings() if one.pages]
    empty = [one for one in pages if one is not None and not one.get("ModelServices")]
    if not empty:
        return untold("there was a service each time")
    if all(one.get("ModelServices") == [] for one in empty):
        return DEFAULT
    null = all("ModelServices" in one and one["ModelServices"] is None for one in empty)
    zero = all(number_of(one, "TotalRecordCount") == 0 for one in empty)
    return dialect("list-null-when-empty") if null and zero else none("in another way")


def keeping_deleted(evidence: Evidence) -> Verdict:
    """Whether a list goes on showing what is deleted."""
    trial = evidence.trial
    if trial is not None and trial.agreed_s is not None:
        kept = trial.leaving[-1].listed is not None
        return dialect("list-keeps-deleted") if kept else DEFAULT
    if any(map(is_deleted, evidence.items())):
        return dialect("list-keeps-deleted")
    return _NO_TRIAL if trial is None else untold("the service was not seen to go")


# Texts, names, whitelists, fields


def description(evidence: Evidence) -> Verdict:
    """What becomes of white space and line ends in a description."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    seen = seen_descriptions(evidence)
    if not seen:
        return untold("no description was shown")
    if trial.plain:
        return none("one with line ends is refused")
    sent = trial.sent_description
    around = {"": sent, "description-stripped": sent.strip(), "description-padded": f" {sent}\n"}
    ends = {"": None, "description-lf": "\n", "description-crlf": "\r\n"}
    for first, given in around.items():
        for second, end in ends.items():
            # Line ends are made alike last, those that were added too.
            shown = given if end is None else _LINE_END.sub(end, given)
            if seen == {shown}:
                names = [name for name in (first, second) if name]
                return dialect(*names) if names else DEFAULT
    return none("changed in another way")


def seen_descriptions(evidence: Evidence) -> set[str]:
    """The descriptions that reads showed for the survey's service."""
    trial = evidence.trial
    polls = (*trial.alive, *trial.leaving) if trial else ()
    shown = [one for poll in polls for one in (poll.described, poll.listed) if one is not None]
    return {found for one in shown if (found := text(one.get("Description")))}


def names(evidence: Evidence) -> Verdict:
    """Whether names come with white space around them."""
    found = [name for one in evidence.node_lists() for node in nodes_of(one)
             if (name := text(node.get("NodeName")))]  # fmt: skip
    found += model_names(evidence.models) if evidence.models else []
    if not found:
        return untold("there was no name to look at")
    padded = [name != name.strip() for name in found]
    if not any(padded):
        return DEFAULT
    return dialect("names-padded") if all(padded) else none("some of them")


def model_case(evidence: Evidence) -> Verdict:
    """How a service's model is written."""
    catalogue = (
        {name.strip() for name in model_names(evidence.models)} if evidence.models else set()
    )
    pairs = set()
    for one in (*evidence.services(), *evidence.items()):
        shown = bare(one.get("ModelName"))
        alike = [name for name in catalogue if shown and name.casefold() == shown.casefold()]
        if shown and len(alike) == 1:
            pairs.add((alike[0], shown))
    telling = {(name, shown) for name, shown in pairs if name.lower() != name != name.upper()}
    if not telling:
        return untold("no service showed a model with large and small letters")
    if all(name == shown for name, shown in telling):
        return DEFAULT
    if all(name.lower() == shown for name, shown in telling):
        return dialect("model-lower-case")
    if all(name.upper() == shown for name, shown in telling):
        return dialect("model-upper-case")
    return none("in another way")


def whitelist_form(evidence: Evidence) -> Verdict:
    """How the whitelist 127.0.0.1 comes back."""
    trial = evidence.trial
    if trial is None:
        return _NO_TRIAL
    polls = (*trial.alive, *trial.leaving)
    shown = [one for poll in polls for one in (poll.described, poll.listed) if one is not None]
    seen = {found for one in shown if (found := text(whitelist_of(one)))}
    if not seen:
        return untold("no whitelist was shown")
    if seen == {NOBODY}:
        return DEFAULT
    return dialect("whitelist-slash-32") if seen == {f"{NOBODY}/32"} else none("in another way")


def whitelist_commas(evidence: Evidence) -> Verdict:
    """What stands between the entries of a whitelist."""
    shown = [whitelist_of(one) for one in (*evidence.services(), *evidence.items())]
    several = [one for one in shown if isinstance(one, str) and "," in one]
    if not several:
        return untold("no service had a whitelist of two entries")
    if all(one.count(", ") == one.count(",") for one in several):
        return dialect("whitelist-spaced")
    return DEFAULT if not any(" " in one for one in several) else none("some of them")


def fields(evidence: Evidence) -> Verdict:
    """How what is known of a service is shown: with its value, or how it is left out."""
    shapes = {
        shape_of(one, key)
        for one in (*evidence.services(), *evidence.items())
        for key in ("AiNodes", "CreateTime", "ModelName", _whitelist_key(one))
    }
    if not shapes:
        return _NO_SERVICE
    (shape, *more) = shapes
    verdicts = {
        "value": DEFAULT,
        "absent": dialect("fields-missing"),
        "null": dialect("fields-null"),
        "empty": dialect("fields-empty"),
    }
    return none("some with a value, some without") if more else verdicts[shape]


def _whitelist_key(elements: Elements) -> str:
    return next((key for key in WHITELIST_KEYS if key in elements), WHITELIST_KEYS[0])


def shape_of(elements: Elements, key: str) -> str:
    """How an element comes: absent, null, empty, or with a value."""
    if key not in elements:
        return "absent"
    value = elements[key]
    if value is None:
        return "null"
    return "empty" if value in ("", [], {}) else "value"


def extra_fields(evidence: Evidence) -> Verdict:
    """Whether reads have elements that no document names."""
    if not any(objects(evidence).values()):
        return _NOT_ASKED
    return dialect("fields-extra") if unknown_fields(evidence) else DEFAULT


def bind_object(evidence: Evidence) -> Verdict:
    """What is said to hold a node."""
    found = {
        text(node.get("BindObject"))
        for one in evidence.node_lists()
        for node in nodes_of(one)
        if is_bound(node)
    }
    if not found:
        return untold("no node was bound")
    if found == {_BIND_OBJECT}:
        return DEFAULT
    same = found == {"ModelService"}
    return dialect("nodes-bind-object-service") if same else none("something else")


def namespace(evidence: Evidence) -> Verdict:
    """The namespace of a node."""
    nodes = [node for one in evidence.node_lists() for node in nodes_of(one)]
    found = {text(node.get("Namespace")) for node in nodes}
    if not found:
        return untold("there was no node")
    if found == {_NAMESPACE}:
        return DEFAULT
    same = found == {evidence.instance}
    return dialect("nodes-namespace-instance") if same else none("something else")


def pool(evidence: Evidence) -> Verdict:
    """The id of a pool of nodes."""
    found = {text(one.get("AINodePoolId")) for nodes in evidence.node_lists()
             for one in pools_of(nodes)}  # fmt: skip
    if not found:
        return untold("there was no pool")
    if all(one is not None and _POOL.fullmatch(one) for one in found):
        return DEFAULT
    same = found == {f"ainp-{evidence.instance}"}
    return dialect("nodes-pool-of-instance") if same else none("another form")


#: Every question that has a verdict, in the order of the report, by its name.
QUESTIONS: dict[str, Callable[[Evidence], Verdict]] = {
    "unknown instance": unknown_instance,
    "unknown service": unknown_service,
    "deleted service": deleted_service,
    "until it is shown": appearing,
    "describe, again and again": flapping,
    "list behind describe": stale_list,
    "status words": status_words,
    "failure words": failure_words,
    "status in the list": listed_words,
    "token replayed": tokens,
    "token, other parameters": other_parameters,
    "create on a held node": second_create,
    "deleting": deletion,
    "deleting again": deleting_again,
    "deleting what is gone": deleting_gone,
    "deleting while deployed": deleting_deploying,
    "instance after deletion": busy_after,
    "node after deletion": bound_after,
    "list after deletion": keeping_deleted,
    "order of the list": list_order,
    "pages of the list": list_pages,
    "total of the list": list_total,
    "empty list": empty_list,
    "description": description,
    "names": names,
    "case of the model": model_case,
    "whitelist": whitelist_form,
    "commas of whitelists": whitelist_commas,
    "documented fields": fields,
    "unknown fields": extra_fields,
    "what holds a node": bind_object,
    "namespace of a node": namespace,
    "pool of nodes": pool,
}

#: The dialects that a survey tells, where the cloud gives it the occasion.
TELLABLE = frozenset(
    {
        "busy-after-delete", "delete-again-refused", "delete-of-gone-succeeds", "delete-seen-late",
        "describe-flaps", "describe-gone-400", "describe-gone-empty", "describe-gone-metadb",
        "describe-gone-released", "describe-gone-terminal", "describe-gone-unknown-code",
        "description-crlf", "description-lf", "description-padded", "description-stripped",
        "failure-abnormal", "failure-create-failed", "failure-error", "failure-failed",
        "fields-empty", "fields-extra", "fields-missing", "fields-null", "instance-404-forbidden",
        "invisible-20s", "invisible-after-create", "list-keeps-deleted", "list-null-when-empty",
        "list-paged-at-20", "list-reordered", "list-stale", "list-status-success",
        "list-without-total", "model-lower-case", "model-upper-case", "names-padded",
        "nodes-bind-object-service", "nodes-bound-after-delete", "nodes-namespace-instance",
        "nodes-pool-of-instance", "slow-delete", "status-capitalised", "status-deploying",
        "status-missing", "status-unknown-words", "tokens-forget-dead", "tokens-forgotten",
        "tokens-ignored", "whitelist-slash-32", "whitelist-spaced",
    }
)  # fmt: skip
