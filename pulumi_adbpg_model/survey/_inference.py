"""
From what was seen to the simulator's dialects: one function for each question.

The names are those of `simulate --help`; the simulator itself is not asked. A verdict is a dialect
only where the cloud did what its sentence says. What differs from the documents in another way fits
none, and what could not be seen is not told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pulumi_adbpg_model.errors import ApiError, BusyError, TokenMismatchError
from pulumi_adbpg_model.gateway import RawAnswer
from pulumi_adbpg_model.survey._cloud import (
    NOBODY,
    WHITELIST_KEYS,
    Elements,
    Listing,
    bare,
    id_of,
    is_bound,
    is_deleted,
    is_forbidden,
    items_of,
    kind_of_refusal,
    model_names,
    number_of,
    shows,
    text,
    whitelist_of,
)
from pulumi_adbpg_model.survey._evidence import (
    Evidence,
    Replay,
    Trial,
    is_failure,
    of_trial,
    shape_of,
)

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


def _alike(
    found: Iterable[object],
    documented: object,
    dialects: Mapping[Any, str],
    *,
    nothing: str,
    other: str,
) -> Verdict:
    """What it is if all that was found is one value."""
    values = set(found)
    if not values:
        return untold(nothing)
    if values == {documented}:
        return DEFAULT
    name = dialects.get(values.pop()) if len(values) == 1 else None
    return dialect(name) if name else none(other)


_NOT_ASKED = untold("the survey ended before")
_FORBIDDEN = untold("not permitted")
_NO_SERVICE = "there was no service to look at"
_NOT_SEEN_TO_GO = untold("the service was not seen to go")
#: What the survey of a cloud without a service of its own cannot tell.
NO_TRIAL = untold("only with --node and --model")
_TRIAL = of_trial(NO_TRIAL)

_POOL = re.compile(r"aipool-[A-Za-z0-9]{9}")
_LINE_END = re.compile(r"\r\n?|\n")
#: A lag or a pause up to so long counts as one of a second, of two or three, of twenty.
_LITTLE_S, _SOON_S, _SHORT_S, _LONG_S = 1.2, 3.0, 10.0, 40.0

_OF_SERVICES = frozenset(
    {
        "AiNodes", "ApiKey", "CreateTime", "Description", "ModelName", "ModelParams",
        "ModelServiceId", "Status",
    }
)  # fmt: skip
#: The documented elements, by where they stand.
KNOWN_FIELDS = {
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
        {
            "BindObject", "BindStatus", "CreateTime", "Namespace", "NodeName", "NodeSpec",
            "UpdateTime", "ZoneId",
        }
    ),
}  # fmt: skip

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


def unknown_fields(evidence: Evidence) -> dict[str, dict[str, object]]:
    """Elements that no document names, with one value each, by where they stand."""
    found: dict[str, dict[str, object]] = {}
    for where, shown in evidence.objects().items():
        for elements in shown:
            for key in elements.keys() - KNOWN_FIELDS[where]:
                found.setdefault(where, {})[key] = elements[key]
    return found


# Refusals


def unknown_service(evidence: Evidence) -> Verdict:
    """What describing a service answers that never was."""
    answer, trial = evidence.unknown_service, evidence.trial
    if answer is None:
        return _NOT_ASKED
    if is_forbidden(answer):
        return _FORBIDDEN
    verdict = _of_unknown(answer)
    shown = [poll.described for poll in trial.leaving if poll.described] if trial else []
    if verdict.fit is Fit.DIALECT and any(map(is_deleted, shown)):
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


@_TRIAL
def deleted_service(trial: Trial) -> Verdict:
    """What describing a service answers that is gone."""
    if trial.gone_s is None or not trial.leaving:
        return _NOT_SEEN_TO_GO
    last = trial.leaving[-1]
    if is_forbidden(last.describe):
        return _FORBIDDEN
    if last.described is None:
        unknown = last.unknown
        same = unknown is not None and kind_of_refusal(unknown) == kind_of_refusal(last.describe)
        return DEFAULT if same else none("not as a service that never was")
    word = (text(last.described.get("Status")) or "").lower()
    names = {"deleted": "describe-gone-terminal", "released": "describe-gone-released"}
    return dialect(names[word]) if word in names else none("another word")


def unknown_instance(evidence: Evidence) -> Verdict:
    """What an instance answers that there is not."""
    answers = [one for one in evidence.unknown_instance.values() if not is_forbidden(one)]
    if not answers:
        return _FORBIDDEN if evidence.unknown_instance else _NOT_ASKED
    return _alike(
        map(kind_of_refusal, answers),
        (404, "InvalidDBInstanceId.NotFound"),
        {(404, "Forbidden.InstanceNotFound"): "instance-404-forbidden"},
        nothing="",
        other="another status or code",
    )


# Being seen


@_TRIAL
def appearing(trial: Trial) -> Verdict:
    """How long a new service is not shown."""
    described = any(not is_forbidden(poll.describe) for poll in trial.alive)
    first_s = trial.described_s if described else trial.listed_s
    if first_s is None:
        return untold("the service was not seen")
    if first_s == trial.alive[0].at:
        return DEFAULT
    if first_s <= _SOON_S:
        return dialect("invisible-after-create")
    return dialect("invisible-20s") if _SHORT_S < first_s <= _LONG_S else none("another time")


@_TRIAL
def flapping(trial: Trial) -> Verdict:
    """Whether Describe loses a service that is there."""
    polls = [poll for poll in trial.alive if not is_forbidden(poll.describe)]
    shown = [index for index, poll in enumerate(polls) if poll.described is not None]
    if len(shown) < 2:
        return untold("it was not described often enough")
    since = shown[-1] - shown[0] + 1
    lost = since - len(shown)
    if not lost:
        return DEFAULT
    every_third = since / 5 <= lost <= since / 2
    return dialect("describe-flaps") if every_third else none("lost now and then")


@_TRIAL
def stale_list(trial: Trial) -> Verdict:
    """Whether List is behind Describe."""
    lag_s = trial.list_lag_s
    if lag_s is None:
        return untold("the service was not seen in both")
    if lag_s <= _LITTLE_S:
        return DEFAULT
    return dialect("list-stale") if lag_s <= _SHORT_S else none("List is behind for longer")


# Words


def status_words(evidence: Evidence) -> Verdict:
    """The words of Describe for being deployed, active, deleted."""
    shown = [text(one.get("Status")) for one in evidence.services() if not is_deleted(one)]
    if not shown:
        return untold(_NO_SERVICE)
    missing = None in shown
    words = {word for word in shown if word and not is_failure(word)}
    fitting = [
        name
        for name, known in _WORDS.items()
        if words <= known and (not missing or name == "status-missing")
    ]
    if not fitting:
        return none("other words")
    # That no service went without a status tells nothing, unless one was seen being deployed.
    if len(fitting) > 1:
        return untold("no word was seen that would tell")
    return DEFAULT if fitting == ["default"] else dialect(fitting[0])


def failure_words(evidence: Evidence) -> Verdict:
    """The word of Describe for a deployment that failed."""
    words = (text(one.get("Status")) or "" for one in evidence.services())
    failed = {word for word in words if is_failure(word)}
    if "Deploy_failed" in failed:  # as every word may be, with "status-capitalised"
        failed = failed - {"Deploy_failed"} | {"deploy_failed"}
    return _alike(
        failed, "deploy_failed", _FAILURES, nothing="no deployment failed", other="other words"
    )


def listed_words(evidence: Evidence) -> Verdict:
    """Whether List says in which state a service is."""
    pairs = [(text(one.get("Status")), text(item.get("Status"))) for one, item in _pairs(evidence)]
    if not pairs:
        return untold("no service was seen both listed and described")
    listed = {item for _, item in pairs}
    if all(one == item for one, item in pairs):
        return DEFAULT
    if listed <= {"success", "fail"}:
        return dialect("list-status-success")
    # A list that is behind shows each word a while later, and perhaps Describe does not any more.
    described = {text(one.get("Status")) for one in evidence.services()}
    return DEFAULT if listed <= described else none("other words than Describe")


def _pairs(evidence: Evidence) -> Iterator[tuple[Elements, Elements]]:
    for service_id, answer in evidence.described.items():
        item = evidence.listing.item(service_id) if evidence.listing else None
        if item is not None and answer.elements is not None and shows(answer):
            yield answer.elements, item
    for poll in evidence.trial.polls if evidence.trial else ():
        if poll.described is not None and poll.listed is not None:
            yield poll.described, poll.listed


# Client tokens


@_TRIAL
def tokens(trial: Trial) -> Verdict:
    """What a ClientToken does that was used before."""
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
        return _NOT_SEEN_TO_GO
    if after.service_id == made:
        return DEFAULT
    forgets = after.service_id is not None
    return dialect("tokens-forget-dead") if forgets else none("refused once the service is gone")


def _makes(replay: Replay, made: str | None) -> bool:
    """Whether a replay makes another service, or would if the node were free."""
    other = replay.service_id not in (None, made)
    return other or isinstance(replay.answer.refusal, BusyError)


@_TRIAL
def other_parameters(trial: Trial) -> Verdict:
    """What a ClientToken does that was used before, with other parameters."""
    asked, at_once = trial.other_parameters, trial.replay_at_once
    if asked is None or at_once is None:
        return _NOT_ASKED
    if at_once.service_id != trial.service_id:
        return untold("the token counts for nothing")
    mismatch = isinstance(asked.answer.refusal, TokenMismatchError)
    return DEFAULT if mismatch else none("not refused as IdempotentParameterMismatch")


@_TRIAL
def second_create(trial: Trial) -> Verdict:
    """What a create on a node that is held answers."""
    asked = trial.second_create
    if asked is None:
        return _NOT_ASKED
    refused = isinstance(asked.answer.refusal, BusyError)
    return DEFAULT if refused else none("not refused with OperationDenied")


# Deleting


@_TRIAL
def deletion(trial: Trial) -> Verdict:
    """How long a deletion takes, and when it shows."""
    delete_s = trial.delete_s
    if delete_s is None:
        return _NOT_SEEN_TO_GO
    if trial.unseen_s > _SHORT_S:
        return none("it does not show for longer")
    late = ["delete-seen-late"] if trial.unseen_s > 0 else []
    slow = ["slow-delete"] if 1.4 <= delete_s <= 2.6 else []
    return dialect(*late, *slow) if late or slow else DEFAULT


@_TRIAL
def deleting_again(trial: Trial) -> Verdict:
    """What deleting answers for what is being deleted."""
    again = [] if trial.delete_again is None else [trial.delete_again]
    return _busy_or_not(again, "delete-again-refused", nothing="it was gone at once")


def deleting_deploying(evidence: Evidence) -> Verdict:
    """What deleting answers for what is being deployed, where that came to be asked."""
    name = "delete-refused-while-deploying"
    answers = evidence.trial.deletes_while_deploying if evidence.trial else []
    return _busy_or_not(answers, name, nothing=UNTELLABLE[name])


def _busy_or_not(answers: Iterable[RawAnswer], name: str, *, nothing: str) -> Verdict:
    return _alike(
        ["" if one.refusal is None else type(one.refusal).__name__ for one in answers],
        "",
        {BusyError.__name__: name},
        nothing=nothing,
        other="another refusal",
    )


@_TRIAL
def deleting_gone(trial: Trial) -> Verdict:
    """What deleting answers for what is not there."""
    answers = [one for one in (trial.delete_unknown, trial.delete_gone) if one is not None]
    if not answers:
        return _NOT_ASKED
    return _alike(
        ["accepted" if one.refusal is None else str(one.refusal.status) for one in answers],
        "404",
        {"accepted": "delete-of-gone-succeeds"},
        nothing="",
        other="another status, or different ones",
    )


@_TRIAL
def busy_after(trial: Trial) -> Verdict:
    """Whether an instance is busy with what is gone."""
    if not trial.replays_after:
        return _NOT_SEEN_TO_GO
    busy = [one for one in trial.replays_after if _is_busy(one)]
    if not busy:
        return DEFAULT
    return dialect("busy-after-delete") if busy[-1].at <= _SHORT_S else none("busy for longer")


def _is_busy(replay: Replay) -> bool:
    """Whether it is refused for the state of the instance, not of the node."""
    refusal = replay.answer.refusal
    code = (refusal.code or "") if refusal else ""
    of_state = "Status" in code or "State" in code
    return isinstance(refusal, BusyError) and (of_state or not replay.node_bound)


@_TRIAL
def bound_after(trial: Trial) -> Verdict:
    """Whether a node is bound by what is gone."""
    bound_s = trial.bound_s
    if bound_s is None:
        return _NOT_SEEN_TO_GO
    if bound_s <= 0:
        return DEFAULT
    return dialect("nodes-bound-after-delete") if bound_s <= _SHORT_S else none("bound for longer")


# Lists


def list_order(evidence: Evidence) -> Verdict:
    """Whether the oldest is first."""
    before = {id_of(item) for item in evidence.listing.items} if evidence.listing else set()
    orders = (_order(one, evidence.trial, before) for one in evidence.listings())
    return _alike(
        [one for one in orders if one is not None],
        "oldest first",
        {"newest first": "list-reordered"},
        nothing="there were no two services of different age",
        other="neither by age",
    )


def _order(listing: Listing, trial: Trial | None, before: Collection[str | None]) -> str | None:
    """Of a list with services of different age: those from before, the trial's, and replays'."""
    times = [text(item.get("CreateTime")) for item in listing.items]
    known: Sequence[Any] = [time for time in times if time is not None]
    if not known and trial is not None:
        ids = map(id_of, listing.items)
        known = [0 if one in before else 1 if one == trial.service_id else 2 for one in ids]
    if len(known) < len(times) or len(set(known)) < 2:
        return None
    orders = {"oldest first": sorted(known), "newest first": sorted(known, reverse=True)}
    return next((order for order, by_age in orders.items() if known == by_age), "neither")


def list_pages(evidence: Evidence) -> Verdict:
    """Whether a page has as many services as were asked for."""
    known = len(evidence.listing.items) if evidence.listing else 0
    counts = {
        size: len(items_of(page))
        for size, page in evidence.pages.items()
        if page.elements is not None
    }
    if not counts:
        return _FORBIDDEN if evidence.pages else _NOT_ASKED
    if known <= min(counts):
        return untold("there were too few services for a second page")
    if all(count == min(size, known) for size, count in counts.items()):
        return DEFAULT
    return dialect("list-paged-at-20") if set(counts.values()) == {20} else none("other sizes")


def list_total(evidence: Evidence) -> Verdict:
    """Whether a list tells how many there are."""
    shown = evidence.objects()["ListModelServices"]
    if not shown:
        return _FORBIDDEN if evidence.listing else _NOT_ASKED
    key = "TotalRecordCount"
    return _alike(
        [shape_of(one, key) if number_of(one, key) is None else "number" for one in shown],
        "number",
        {"absent": "list-without-total"},
        nothing="",
        other="no number",
    )


def empty_list(evidence: Evidence) -> Verdict:
    """How a list without a service is shown."""
    shapes = []
    for one in evidence.empty_lists():
        shape = "list" if one.get("ModelServices") == [] else shape_of(one, "ModelServices")
        zero = number_of(one, "TotalRecordCount") == 0
        shapes.append("null of none" if shape == "null" and zero else shape)
    return _alike(
        shapes,
        "list",
        {"null of none": "list-null-when-empty"},
        nothing="there was a service each time",
        other="in another way",
    )


def keeping_deleted(evidence: Evidence) -> Verdict:
    """Whether a list goes on showing what is deleted."""
    trial = evidence.trial
    if trial is not None and trial.agreed_s is not None:
        kept = trial.leaving[-1].listed is not None
        return dialect("list-keeps-deleted") if kept else DEFAULT
    if any(map(is_deleted, evidence.items())):
        return dialect("list-keeps-deleted")
    return NO_TRIAL if trial is None else _NOT_SEEN_TO_GO


# Texts, names, whitelists, fields


@_TRIAL
def description(trial: Trial) -> Verdict:
    """What becomes of white space and line ends in a description."""
    seen = trial.descriptions
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
                found = [name for name in (first, second) if name]
                return dialect(*found) if found else DEFAULT
    return none("changed in another way")


def names(evidence: Evidence) -> Verdict:
    """Whether names come with white space around them."""
    found = [name for node in evidence.all_nodes() if (name := text(node.get("NodeName")))]
    found += model_names(evidence.models) if evidence.models else []
    return _alike(
        ["bare" if name == name.strip() else "padded" for name in found],
        "bare",
        {"padded": "names-padded"},
        nothing="there was no name to look at",
        other="some of them",
    )


def model_case(evidence: Evidence) -> Verdict:
    """How a service's model is written."""
    catalogue = {*map(str.strip, model_names(evidence.models))} if evidence.models else set()
    cases = []
    for shown in {name for one in evidence.views() if (name := bare(one.get("ModelName")))}:
        alike = [name for name in catalogue if name.casefold() == shown.casefold()]
        for name in alike if len(alike) == 1 else ():
            if name.lower() != name != name.upper():
                known = {name: "as listed", name.lower(): "lower", name.upper(): "upper"}
                cases.append(known.get(shown, "otherwise"))
    return _alike(
        cases,
        "as listed",
        {"lower": "model-lower-case", "upper": "model-upper-case"},
        nothing="no service showed a model with large and small letters",
        other="in another way",
    )


@_TRIAL
def whitelist_form(trial: Trial) -> Verdict:
    """How the whitelist 127.0.0.1 comes back."""
    return _alike(
        [found for one in trial.views if (found := text(whitelist_of(one)))],
        NOBODY,
        {f"{NOBODY}/32": "whitelist-slash-32"},
        nothing="no whitelist was shown",
        other="in another way",
    )


def whitelist_commas(evidence: Evidence) -> Verdict:
    """What stands between the entries of a whitelist."""
    shown = [text(whitelist_of(one)) or "" for one in evidence.views()]
    return _alike(
        [found for one in shown for found in re.findall(r"\s*,\s*", one)],
        ",",
        {", ": "whitelist-spaced"},
        nothing="no service had a whitelist of two entries",
        other="some of them",
    )


def fields(evidence: Evidence) -> Verdict:
    """How what is known of a service is shown: with its value, or how it is left out."""
    shapes = {
        shape_of(one, key)
        for one in evidence.views()
        for key in ("AiNodes", "CreateTime", "ModelName", _whitelist_key(one))
    }
    return _alike(
        shapes,
        "value",
        {"absent": "fields-missing", "null": "fields-null", "empty": "fields-empty"},
        nothing=_NO_SERVICE,
        other="some with a value, some without",
    )


def _whitelist_key(elements: Elements) -> str:
    return next((key for key in WHITELIST_KEYS if key in elements), WHITELIST_KEYS[0])


def extra_fields(evidence: Evidence) -> Verdict:
    """Whether reads have elements that no document names."""
    if not any(evidence.objects().values()):
        return _NOT_ASKED
    return dialect("fields-extra") if unknown_fields(evidence) else DEFAULT


def bind_object(evidence: Evidence) -> Verdict:
    """What is said to hold a node."""
    return _alike(
        [text(node.get("BindObject")) for node in evidence.all_nodes() if is_bound(node)],
        "model_serving",
        {"ModelService": "nodes-bind-object-service"},
        nothing="no node was bound",
        other="something else",
    )


def namespace(evidence: Evidence) -> Verdict:
    """The namespace of a node."""
    return _alike(
        [text(node.get("Namespace")) for node in evidence.all_nodes()],
        "adbpg-ainode",
        {evidence.instance: "nodes-namespace-instance"},
        nothing="there was no node",
        other="something else",
    )


def pool(evidence: Evidence) -> Verdict:
    """The id of a pool of nodes."""
    found = [text(one.get("AINodePoolId")) or "" for one in evidence.all_pools()]
    return _alike(
        ["documented" if _POOL.fullmatch(one) else one for one in found],
        "documented",
        {f"ainp-{evidence.instance}": "nodes-pool-of-instance"},
        nothing="there was no pool",
        other="another form",
    )
