"""
The result: one JSON document, and the rows of a table that say the same.

`simulate --like` reads the keys at the top; the rest is for people. Every string of an answer comes
through `Shown`; times are in seconds, rounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from statistics import median
from typing import Any

from pulumi_adbpg_model.gateway import RawAnswer
from pulumi_adbpg_model.survey import _inference
from pulumi_adbpg_model.survey._cloud import (
    NOBODY,
    Asked,
    Cloud,
    Elements,
    bare,
    id_of,
    is_bound,
    items_of,
    model_names,
    node_of,
    nodes_of,
    number_of,
    pools_of,
    shows,
    text,
    whitelist_of,
)
from pulumi_adbpg_model.survey._evidence import (
    Evidence,
    Poll,
    Replay,
    Trial,
    is_failure,
    of_trial,
    shape_of,
)
from pulumi_adbpg_model.survey._inference import KNOWN_FIELDS, UNTELLABLE, Verdict
from pulumi_adbpg_model.survey._redaction import Shown, Word, kind_of

FORMAT = 1
_FIELDS = "documented fields"
_LINE_ENDS = {"\r\n": "CR LF", "\n": "LF", "\r": "CR"}
_VALUES = frozenset({"list", "map", "number", "text", "yes or no"})

Seen = dict[str, Any]
_TRIAL = of_trial(dict[str, Any]())


def report(
    evidence: Evidence,
    cloud: Cloud,
    *,
    version: str,
    private: Iterable[str],
    with_models: bool,
    ended: str | None,
) -> dict[str, Any]:
    """
    Make the document.

    Args:
        evidence: What was seen.
        cloud: Who has all answers.
        version: Of this package.
        private: What must not be shown: ids and names that were given.
        with_models: Whether the names of the catalogue are shown.
        ended: Why the survey ended before its end, in our own words; None: it did not.
    """
    shown = Shown(cloud.asked, [*private, evidence.instance])
    questions = _questions(evidence, cloud, shown)
    trial = evidence.trial
    names = sorted({name for one in questions for name in one["dialects"]})
    catalogue = [bare(name) for name in model_names(evidence.models)] if evidence.models else []
    # No simulator takes another, and no terminal should.
    models = dict.fromkeys(name for name in catalogue if name and name.isprintable())
    document = {
        "format": FORMAT,
        "dialects": names,
        "provision_seconds": None if trial is None else _rounded(trial.active_s),
        "delete_seconds": None if trial is None else trial.delete_s,
        "made_by": Word(f"pulumi-adbpg-model {version}"),
        "date": datetime.fromtimestamp(cloud.clock.time(), timezone.utc).date().isoformat(),
        "region": evidence.region,
        "complete": ended is None,
        "ended": ended,
        "with_a_service": trial is not None and trial.service_id is not None,
        "questions": questions,
        "cannot_be_told": {
            name: why for name, why in sorted(UNTELLABLE.items()) if name not in names
        },
    }
    checked: dict[str, Any] = shown.checked(document)
    checked["region"] = evidence.region
    checked["models"] = list(models) if with_models else None
    return checked


def rows(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The table: question, what was seen, and what it fits. What needs a service is one row."""
    open_ = [one for one in document["questions"] if one["why"] == _inference.NO_TRIAL.why]
    found = [
        (
            one["question"],
            (_told_shapes if one["question"] == _FIELDS else _told)(one["seen"]),
            _fits(one),
        )
        for one in document["questions"]
        if one not in open_
    ]
    if open_:
        names = ", ".join(one["question"] for one in open_)
        found.append((f"{len(open_)} more", names, _fits(open_[0])))
    return found


def _fits(one: dict[str, Any]) -> str:
    if one["fits"] is None:
        return ""
    if one["dialects"]:
        return ", ".join(one["dialects"])
    return f"{one['fits']}: {one['why']}" if one["why"] else str(one["fits"])


def _told(value: object) -> str:
    """A value of the document as a table has it."""
    if isinstance(value, dict):
        if value.keys() == {"at", "is"}:
            return f"{value['is']} at {value['at']} s"
        return "; ".join(f"{key}: {_told(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_told, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def _told_shapes(seen: Seen) -> str:
    """The elements that do not always come with a value of one type; the file has the others."""
    return "; ".join(
        f"{where}: {len(elements)}"
        + "".join(
            f", {key} {' or '.join(shapes)}"
            for key, shapes in elements.items()
            if len(shapes) > 1 or not _VALUES.issuperset(shapes)
        )
        for where, elements in seen.items()
    )


def _questions(evidence: Evidence, cloud: Cloud, shown: Shown) -> list[dict[str, Any]]:
    entries = [
        _entry(name, seen(evidence, shown), judge and judge(evidence))
        for name, (seen, judge) in _QUESTIONS.items()
    ]
    return [*entries, _entry("clock and latency", _timing(cloud.asked), None)]


def _entry(name: str, seen: Seen, verdict: Verdict | None) -> dict[str, Any]:
    return {
        "question": name,
        "seen": {key: value for key, value in seen.items() if value is not None},
        "fits": None if verdict is None else verdict.fit.value,
        # Ours, though a service may be described by one.
        "dialects": [] if verdict is None else sorted(map(Word, verdict.dialects)),
        "why": "" if verdict is None else verdict.why,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _refused(answer: RawAnswer | None, shown: Shown) -> str | None:
    """A refusal by status and code; `200` for a success."""
    if answer is None:
        return None
    refusal = answer.refusal
    if refusal is None:
        return "200"
    code = shown.word(refusal.code) if refusal.code else "no code"
    return f"{refusal.status or 'no status'} {code}"


def _replayed(replay: Replay | None, made: str | None, shown: Shown) -> str | None:
    if replay is None:
        return None
    if replay.service_id is None:
        return _refused(replay.answer, shown)
    return "the same service" if replay.service_id == made else "another service"


def _runs(found: Iterable[tuple[float, str]]) -> list[Seen]:
    """What was seen one after the other, each with the time at which it was first seen."""
    runs: list[Seen] = []
    for at, what in found:
        if not runs or runs[-1]["is"] != what:
            runs.append({"at": _rounded(at), "is": what})
    return runs


def _words_over_time(trial: Trial, shown: Shown, of: Callable[[Poll], Elements | None]) -> Seen:
    return {
        name: _runs((poll.at, _status(of(poll), shown)) for poll in polls)
        for name, polls in (("until active", trial.alive), ("after the delete", trial.leaving))
    }


def _among(found: Iterable[object], known: Mapping[str, str], shown: Shown) -> list[str] | None:
    """Each value once, in words of ours where it is known, else by its form."""
    told = {known.get(str(one)) or shown.form(one) for one in found}
    return sorted(told) or None


def _status(elements: Elements | None, shown: Shown) -> str:
    if elements is None:
        return "not shown"
    return shown.word(elements.get("Status")) if "Status" in elements else "no Status"


# What was seen, question by question


def _inventory(evidence: Evidence, shown: Shown) -> Seen:
    models, nodes, listing = evidence.models, evidence.nodes, evidence.listing
    found = None if nodes is None else list(nodes_of(nodes))
    services = listing.items if listing else []
    return {
        "models": len(model_names(models)) if models else None,
        "ListSupportModels": _refused(models, shown),
        "pools": len(pools_of(nodes)) if nodes else None,
        "nodes": None if found is None else len(found),
        "nodes that are bound": None if found is None else sum(map(is_bound, found)),
        "ListAINodePools": _refused(nodes, shown),
        "services": len(services) if listing else None,
        "ListModelServices": _refused(listing.pages[-1], shown) if listing else None,
        "statuses": sorted({_status(one, shown) for one in services}),
    }


def _wrong(evidence: Evidence, shown: Shown) -> Seen:
    return {name: _refused(answer, shown) for name, answer in evidence.wrong.items()}


def _unknown_instance(evidence: Evidence, shown: Shown) -> Seen:
    return {name: _refused(answer, shown) for name, answer in evidence.unknown_instance.items()}


def _unknown_service(evidence: Evidence, shown: Shown) -> Seen:
    answer = evidence.unknown_service
    return {
        "DescribeModelService": _refused(answer, shown),
        "describes something": None if answer is None or answer.refusal else shows(answer),
    }


@_TRIAL
def _deleted_service(trial: Trial, shown: Shown) -> Seen:
    if trial.gone_s is None:
        return {}
    last = trial.leaving[-1]
    return {
        "DescribeModelService": _refused(last.describe, shown),
        "Status": None if last.described is None else _status(last.described, shown),
    }


@_TRIAL
def _appearing(trial: Trial, _shown: Shown) -> Seen:
    bound = (one.at for one in trial.alive if is_bound(node_of(one.nodes, trial.node)))
    return {
        "described after": _rounded(trial.described_s),
        "listed after": _rounded(trial.listed_s),
        "node bound after": _rounded(next(bound, None)),
    }


@_TRIAL
def _flapping(trial: Trial, _shown: Shown) -> Seen:
    shown = [poll.described is not None for poll in trial.alive]
    since = shown[shown.index(True) :] if True in shown else []
    return {"described": len(since), "not shown": since.count(False)} if since else {}


@_TRIAL
def _behind(trial: Trial, _shown: Shown) -> Seen:
    return {"seconds": _rounded(trial.list_lag_s)}


def _status_words(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    others = {_status(one.elements, shown) for one in evidence.described.values() if shows(one)}
    seen: Seen = {"services that were there": sorted(others) or None}
    if trial is not None:
        seen |= {
            **_words_over_time(trial, shown, lambda poll: poll.described),
            "active after": _rounded(trial.active_s),
            "ended": trial.ended,
        }
    return seen


def _failure_words(evidence: Evidence, shown: Shown) -> Seen:
    words = {_status(one, shown) for one in evidence.services()}
    return {"words": sorted(filter(is_failure, words)) or None}


def _listed_words(evidence: Evidence, shown: Shown) -> Seen:
    seen: Seen = {"words": sorted({_status(one, shown) for one in evidence.items()})}
    if evidence.trial is not None:
        seen |= _words_over_time(evidence.trial, shown, lambda poll: poll.listed)
    return seen


@_TRIAL
def _tokens(trial: Trial, shown: Shown) -> Seen:
    later = trial.replay_later
    return {
        "at once": _replayed(trial.replay_at_once, trial.service_id, shown),
        "while it lives": _replayed(later, trial.service_id, shown),
        "while it lives, after": None if later is None else _rounded(later.at),
        "once it is gone": _replayed(trial.replay_after, trial.service_id, shown),
    }


@_TRIAL
def _other_parameters(trial: Trial, shown: Shown) -> Seen:
    return {"answer": _replayed(trial.other_parameters, trial.service_id, shown)}


@_TRIAL
def _second_create(trial: Trial, shown: Shown) -> Seen:
    return {"answer": _replayed(trial.second_create, trial.service_id, shown)}


@_TRIAL
def _deletion(trial: Trial, shown: Shown) -> Seen:
    return {
        "delete": _refused(trial.delete, shown),
        "does not show for": _rounded(trial.unseen_s),
        "described as gone after": _rounded(trial.gone_s),
        "all agree after": _rounded(trial.agreed_s),
    }


@_TRIAL
def _deleting_again(trial: Trial, shown: Shown) -> Seen:
    return {"answer": _refused(trial.delete_again, shown)}


@_TRIAL
def _deleting_gone(trial: Trial, shown: Shown) -> Seen:
    return {
        "of one that never was": _refused(trial.delete_unknown, shown),
        "of one that is gone": _refused(trial.delete_gone, shown),
    }


@_TRIAL
def _deleting_deploying(trial: Trial, shown: Shown) -> Seen:
    return {"answers": [_refused(one, shown) for one in trial.deletes_while_deploying] or None}


@_TRIAL
def _busy_after(trial: Trial, shown: Shown) -> Seen:
    found = ((one.at, _replayed(one, trial.service_id, shown) or "") for one in trial.replays_after)
    return {"creates": _runs(found) or None}


@_TRIAL
def _bound_after(trial: Trial, _shown: Shown) -> Seen:
    return {"bound for": _rounded(trial.bound_s)}


@_TRIAL
def _keeping_deleted(trial: Trial, shown: Shown) -> Seen:
    if trial.agreed_s is None:
        return {}
    return {"listed as": _status(trial.leaving[-1].listed, shown)}


def _list_order(evidence: Evidence, _shown: Shown) -> Seen:
    return {"services": max((len(one.items) for one in evidence.listings()), default=None)}


def _list_pages(evidence: Evidence, shown: Shown) -> Seen:
    sizes = {
        f"page of {size}": _refused(page, shown) if page.refusal else len(items_of(page))
        for size, page in evidence.pages.items()
    }
    past = evidence.page_past_end
    if past is None:
        return sizes
    told = _refused(past, shown) if past.refusal else f"{len(items_of(past))} services"
    return {**sizes, "page past the end": told}


def _list_total(evidence: Evidence, _shown: Shown) -> Seen:
    listing = evidence.listing
    page = listing.pages[0].elements if listing else None
    if listing is None or page is None:
        return {}
    key = "TotalRecordCount"
    return {
        key: shape_of(page, key),
        "type": kind_of(page.get(key)),
        "is right": number_of(page, key) == len(listing.items),
    }


def _empty_list(evidence: Evidence, _shown: Shown) -> Seen:
    shapes = {shape_of(one, "ModelServices") for one in evidence.empty_lists()}
    return {"ModelServices": sorted(shapes) or None}


@_TRIAL
def _description(trial: Trial, _shown: Shown) -> Seen:
    seen = trial.descriptions
    return {
        "with line ends": "refused" if trial.plain else "accepted",
        "sent, characters": len(trial.sent_description),
        "shown, characters": sorted(map(len, seen)),
        "shown in front": sorted({len(one) - len(one.lstrip()) for one in seen}),
        "shown behind": sorted({len(one) - len(one.rstrip()) for one in seen}),
        "line ends shown": sorted(
            {_LINE_ENDS[end] for one in seen for end in re.findall(r"\r\n|\r|\n", one)}
        ),
    }


def _names(evidence: Evidence, shown: Shown) -> Seen:
    nodes = [] if evidence.nodes is None else list(nodes_of(evidence.nodes))
    found = [name for one in nodes if (name := text(one.get("NodeName")))]
    return {
        "nodes": sorted({shown.form(name.strip()) for name in found}) or None,
        "with white space around": any(name != name.strip() for name in found),
    }


def _model_case(evidence: Evidence, _shown: Shown) -> Seen:
    catalogue = {*map(str.strip, model_names(evidence.models))} if evidence.models else set()
    shown = {name for one in evidence.views() if (name := bare(one.get("ModelName")))}
    return {"as in the catalogue": shown <= catalogue if shown else None}


@_TRIAL
def _whitelist(trial: Trial, _shown: Shown) -> Seen:
    found = {value for one in trial.views if (value := text(whitelist_of(one)))}
    known = {NOBODY: "as sent", f"{NOBODY}/32": "with /32"}
    return {"shown": sorted({known.get(one, "otherwise") for one in found}) or None}


def _commas(evidence: Evidence, _shown: Shown) -> Seen:
    shown = {
        id_of(one): found
        for one in evidence.views()
        if (found := text(whitelist_of(one))) and "," in found
    }
    spaced = sum(", " in one for one in shown.values())
    return {"services with several entries": len(shown), "with a space": spaced}


def _fields(evidence: Evidence, _shown: Shown) -> Seen:
    """Each documented element of a service: how it came, and as which types."""

    def kind(elements: Elements, key: str) -> str:
        shape = shape_of(elements, key)
        return kind_of(elements[key]) if shape == "value" else shape

    objects = evidence.objects()
    return {
        where: {
            key: sorted({kind(one, key) for one in objects[where]})
            for key in sorted(KNOWN_FIELDS[where] - {"RequestId"})
        }
        for where in ("DescribeModelService", "ListModelServices, an item",
                      "ListAINodePools, a node", "ListAINodePools, a pool")
        if objects[where]
    }  # fmt: skip


def _extra(evidence: Evidence, shown: Shown) -> Seen:
    return {
        where: dict(
            zip(shown.names(found), (kind_of(found[key]) for key in sorted(found)), strict=True)
        )
        for where, found in _inference.unknown_fields(evidence).items()
    }


def _bind_object(evidence: Evidence, shown: Shown) -> Seen:
    known = {"model_serving": "model_serving", "ModelService": "ModelService"}
    found = [node.get("BindObject") for node in evidence.all_nodes() if is_bound(node)]
    return {"BindObject": _among(found, known, shown)}


def _namespace(evidence: Evidence, shown: Shown) -> Seen:
    known = {"adbpg-ainode": "adbpg-ainode", evidence.instance: "the id of the instance"}
    found = [node.get("Namespace") for node in evidence.all_nodes()]
    return {"Namespace": _among(found, known, shown)}


def _pool(evidence: Evidence, shown: Shown) -> Seen:
    known = {f"ainp-{evidence.instance}": "ainp- and the id of the instance"}
    pools = evidence.all_pools()
    return {
        "AINodePoolId": _among((one.get("AINodePoolId") for one in pools), known, shown),
        "NodeNum": sorted({kind_of(one.get("NodeNum")) for one in pools}) or None,
    }


def _timing(asked: Iterable[Asked]) -> Seen:
    latencies: dict[str, list[float]] = {}
    ahead = []
    for one in asked:
        latencies.setdefault(one.action, []).append(one.answer.seconds)
        if one.answer.ahead_s is not None:
            ahead.append(one.answer.ahead_s)
    return {
        "this machine is ahead by": round(median(ahead)) if ahead else None,
        **{
            action: {
                "calls": len(times),
                "usual": _rounded(median(times)),
                "longest": _rounded(max(times)),
            }
            for action, times in sorted(latencies.items())
        },
    }


#: What was seen, and what it comes to, by the question; in this order.
_QUESTIONS: dict[
    str, tuple[Callable[[Evidence, Shown], Seen], Callable[[Evidence], Verdict] | None]
] = {
    "what there is": (_inventory, None),
    "wrong parameters": (_wrong, None),
    "unknown instance": (_unknown_instance, _inference.unknown_instance),
    "unknown service": (_unknown_service, _inference.unknown_service),
    "deleted service": (_deleted_service, _inference.deleted_service),
    "until it is shown": (_appearing, _inference.appearing),
    "describe, again and again": (_flapping, _inference.flapping),
    "list behind describe": (_behind, _inference.stale_list),
    "status words": (_status_words, _inference.status_words),
    "failure words": (_failure_words, _inference.failure_words),
    "status in the list": (_listed_words, _inference.listed_words),
    "token replayed": (_tokens, _inference.tokens),
    "token, other parameters": (_other_parameters, _inference.other_parameters),
    "create on a held node": (_second_create, _inference.second_create),
    "deleting": (_deletion, _inference.deletion),
    "deleting again": (_deleting_again, _inference.deleting_again),
    "deleting what is gone": (_deleting_gone, _inference.deleting_gone),
    "deleting while deployed": (_deleting_deploying, _inference.deleting_deploying),
    "instance after deletion": (_busy_after, _inference.busy_after),
    "node after deletion": (_bound_after, _inference.bound_after),
    "list after deletion": (_keeping_deleted, _inference.keeping_deleted),
    "order of the list": (_list_order, _inference.list_order),
    "pages of the list": (_list_pages, _inference.list_pages),
    "total of the list": (_list_total, _inference.list_total),
    "empty list": (_empty_list, _inference.empty_list),
    "description": (_description, _inference.description),
    "names": (_names, _inference.names),
    "case of the model": (_model_case, _inference.model_case),
    "whitelist": (_whitelist, _inference.whitelist_form),
    "commas of whitelists": (_commas, _inference.whitelist_commas),
    _FIELDS: (_fields, _inference.fields),
    "unknown fields": (_extra, _inference.extra_fields),
    "what holds a node": (_bind_object, _inference.bind_object),
    "namespace of a node": (_namespace, _inference.namespace),
    "pool of nodes": (_pool, _inference.pool),
}
