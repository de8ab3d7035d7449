"""
The result: one JSON document, and the rows of a table that say the same.

`simulate --like` reads the keys at the top; the rest is for people. Every string of an answer comes
through `Shown`; times are in seconds, rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from statistics import median
from typing import Any

from pulumi_adbpg_model.gateway import RawAnswer
from pulumi_adbpg_model.survey import _inference
from pulumi_adbpg_model.survey._cloud import (
    PAGE_SIZES,
    Asked,
    Cloud,
    Elements,
    bare,
    id_of,
    is_bound,
    items_of,
    model_names,
    nodes_of,
    number_of,
    pools_of,
    shows,
    text,
    whitelist_of,
)
from pulumi_adbpg_model.survey._evidence import Evidence, Poll, Replay
from pulumi_adbpg_model.survey._inference import QUESTIONS, UNTELLABLE, Fit, Verdict, shape_of
from pulumi_adbpg_model.survey._redaction import Shown, kind_of

FORMAT = 1
_FIELDS = "documented fields"
_VALUES = frozenset({"list", "map", "number", "text", "yes or no"})

Seen = dict[str, Any]


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
    document = {
        "format": FORMAT,
        "dialects": names,
        "provision_seconds": None if trial is None else _rounded(trial.active_s),
        "delete_seconds": _inference.delete_seconds(evidence),
        "made_by": f"pulumi-adbpg-model {version}",
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
    checked["models"] = list(dict.fromkeys(filter(None, catalogue))) if with_models else None
    return checked


def rows(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The table: question, what was seen, and what it fits."""
    return [
        (
            one["question"],
            (_told_shapes if one["question"] == _FIELDS else _told)(one["seen"]),
            _fits(one),
        )
        for one in document["questions"]
    ]


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
        _entry(name, seen(evidence, shown), None)
        for name, seen in (("what there is", _inventory), ("wrong parameters", _wrong))
    ]
    for name, judge in QUESTIONS.items():
        entries.append(_entry(name, _SEEN[name](evidence, shown), judge(evidence)))
    entries.append(_entry("clock and latency", _timing(cloud.asked, shown), None))
    return entries


def _entry(name: str, seen: Seen, verdict: Verdict | None) -> dict[str, Any]:
    return {
        "question": name,
        "seen": {key: value for key, value in seen.items() if value is not None},
        "fits": None if verdict is None else verdict.fit.value,
        "dialects": [] if verdict is None else sorted(verdict.dialects),
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


def _runs(polls: Iterable[tuple[float, str]]) -> list[Seen]:
    """What was seen one after the other, each with the time at which it was first seen."""
    found: list[Seen] = []
    for at, what in polls:
        if not found or found[-1]["is"] != what:
            found.append({"at": _rounded(at), "is": what})
    return found


def _words_over_time(
    polls: Iterable[Poll], shown: Shown, of: Callable[[Poll], Elements | None]
) -> list[Seen]:
    return _runs((poll.at, _status(of(poll), shown)) for poll in polls)


def _status(elements: Elements | None, shown: Shown) -> str:
    if elements is None:
        return "not shown"
    return shown.word(elements.get("Status")) if "Status" in elements else "no Status"


# What was seen, question by question


def _inventory(evidence: Evidence, shown: Shown) -> Seen:
    nodes = [] if evidence.nodes is None else list(nodes_of(evidence.nodes))
    listing = evidence.listing
    return {
        "models": len(model_names(evidence.models)) if evidence.models else None,
        "ListSupportModels": _refused(evidence.models, shown),
        "pools": len(pools_of(evidence.nodes)) if evidence.nodes else None,
        "nodes": len(nodes) if evidence.nodes else None,
        "nodes that are bound": sum(map(is_bound, nodes)) if evidence.nodes else None,
        "ListAINodePools": _refused(evidence.nodes, shown),
        "services": len(listing.items) if listing else None,
        "ListModelServices": _refused(listing.pages[-1], shown) if listing else None,
        "statuses": sorted({_status(one, shown) for one in (listing.items if listing else ())}),
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


def _deleted_service(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    if trial is None or trial.gone_s is None:
        return {}
    last = trial.leaving[-1]
    return {
        "DescribeModelService": _refused(last.describe, shown),
        "Status": None if last.described is None else _status(last.described, shown),
    }


def _appearing(evidence: Evidence, _shown: Shown) -> Seen:
    trial = evidence.trial
    bound = None
    for poll in trial.alive if trial else ():
        node = [
            one for one in nodes_of(poll.nodes) if trial and bare(one.get("NodeName")) == trial.node
        ]
        if node and is_bound(node[0]):
            bound = poll.at
            break
    return {
        "described after": _rounded(_inference.first_shown(evidence)),
        "listed after": _rounded(_inference.first_listed(evidence)),
        "node bound after": _rounded(bound),
    }


def _flapping(evidence: Evidence, _shown: Shown) -> Seen:
    polls = evidence.trial.alive if evidence.trial else []
    shown = [poll.described is not None for poll in polls]
    since = shown[shown.index(True) :] if True in shown else []
    return {"described": len(since), "not shown": since.count(False)} if since else {}


def _behind(evidence: Evidence, _shown: Shown) -> Seen:
    described, listed = _inference.first_shown(evidence), _inference.first_listed(evidence)
    return {
        "seconds": None if described is None or listed is None else _rounded(listed - described)
    }


def _status_words(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    others = {_status(one.elements, shown) for one in evidence.described.values() if shows(one)}
    seen: Seen = {"services that were there": sorted(others) or None}
    if trial is not None:
        seen |= {
            "until active": _words_over_time(trial.alive, shown, lambda poll: poll.described),
            "after the delete": _words_over_time(trial.leaving, shown, lambda poll: poll.described),
            "active after": _rounded(trial.active_s),
            "ended": trial.ended,
        }
    return seen


def _failure_words(evidence: Evidence, shown: Shown) -> Seen:
    words = {_status(one, shown) for one in evidence.services()}
    return {"words": sorted(word for word in words if _inference.is_failure(word)) or None}


def _listed_words(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    seen: Seen = {"words": sorted({_status(one, shown) for one in evidence.items()})}
    if trial is not None:
        seen |= {
            "until active": _words_over_time(trial.alive, shown, lambda poll: poll.listed),
            "after the delete": _words_over_time(trial.leaving, shown, lambda poll: poll.listed),
        }
    return seen


def _tokens(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    if trial is None:
        return {}
    later = trial.replay_later
    return {
        "at once": _replayed(trial.replay_at_once, trial.service_id, shown),
        "while it lives": _replayed(later, trial.service_id, shown),
        "while it lives, after": None if later is None else _rounded(later.at),
        "once it is gone": _replayed(trial.replay_after, trial.service_id, shown),
    }


def _other_parameters(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    return {"answer": trial and _replayed(trial.other_parameters, trial.service_id, shown)}


def _second_create(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    return {"answer": trial and _replayed(trial.second_create, trial.service_id, shown)}


def _deletion(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    if trial is None:
        return {}
    return {
        "delete": _refused(trial.delete, shown),
        "does not show for": _rounded(_inference.unseen_s(evidence)),
        "described as gone after": _rounded(trial.gone_s),
        "all agree after": _rounded(trial.agreed_s),
    }


def _deleting_again(evidence: Evidence, shown: Shown) -> Seen:
    return {"answer": evidence.trial and _refused(evidence.trial.delete_again, shown)}


def _deleting_gone(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    return {
        "of one that never was": trial and _refused(trial.delete_unknown, shown),
        "of one that is gone": trial and _refused(trial.delete_gone, shown),
    }


def _deleting_deploying(evidence: Evidence, shown: Shown) -> Seen:
    answers = evidence.trial.deletes_while_deploying if evidence.trial else []
    return {"answers": [_refused(one, shown) for one in answers] or None}


def _busy_after(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    if trial is None or not trial.replays_after:
        return {}
    found = ((one.at, _replayed(one, trial.service_id, shown) or "") for one in trial.replays_after)
    return {"creates": _runs(found)}


def _bound_after(evidence: Evidence, _shown: Shown) -> Seen:
    return {"bound for": _rounded(_inference.bound_s(evidence))}


def _keeping_deleted(evidence: Evidence, shown: Shown) -> Seen:
    trial = evidence.trial
    if trial is None or trial.agreed_s is None:
        return {}
    return {"listed as": _status(trial.leaving[-1].listed, shown)}


def _list_order(evidence: Evidence, _shown: Shown) -> Seen:
    return {"services": max((len(one.items) for one in evidence.listings()), default=None)}


def _list_pages(evidence: Evidence, shown: Shown) -> Seen:
    sizes = {
        f"page of {size}": len(items_of(page))
        if page.elements is not None
        else _refused(page, shown)
        for size, page in evidence.pages.items()
        if size in PAGE_SIZES
    }
    past = evidence.page_past_end
    return {**sizes, "page past the end": past and _page(past, shown)}


def _page(page: RawAnswer, shown: Shown) -> str | None:
    if page.elements is None:
        return _refused(page, shown)
    return f"{len(items_of(page))} services"


def _list_total(evidence: Evidence, _shown: Shown) -> Seen:
    page = evidence.listing.pages[0].elements if evidence.listing else None
    if page is None:
        return {}
    return {
        "TotalRecordCount": shape_of(page, "TotalRecordCount"),
        "type": kind_of(page.get("TotalRecordCount")),
        "is right": number_of(page, "TotalRecordCount")
        == (len(evidence.listing.items) if evidence.listing else 0),
    }


def _empty_list(evidence: Evidence, _shown: Shown) -> Seen:
    pages = [one.pages[0].elements for one in evidence.listings() if one.pages]
    empty = [one for one in pages if one is not None and not one.get("ModelServices")]
    return {"ModelServices": sorted({shape_of(one, "ModelServices") for one in empty}) or None}


def _description(evidence: Evidence, _shown: Shown) -> Seen:
    trial = evidence.trial
    seen = _inference.seen_descriptions(evidence)
    if trial is None:
        return {}
    return {
        "with line ends": "refused" if trial.plain else "accepted",
        "sent, characters": len(trial.sent_description),
        "shown, characters": sorted(map(len, seen)),
        "shown in front": sorted({len(one) - len(one.lstrip()) for one in seen}),
        "shown behind": sorted({len(one) - len(one.rstrip()) for one in seen}),
        "line ends shown": sorted(
            {end for one in seen for end, has in _line_ends(one).items() if has}
        ),
    }


def _line_ends(shown: str) -> dict[str, bool]:
    rest = shown.replace("\r\n", "")
    return {"CR LF": rest != shown, "LF": "\n" in rest, "CR": "\r" in rest}


def _names(evidence: Evidence, shown: Shown) -> Seen:
    nodes = [] if evidence.nodes is None else list(nodes_of(evidence.nodes))
    found = [name for one in nodes if (name := text(one.get("NodeName")))]
    return {
        "nodes": sorted({shown.form(name.strip()) for name in found}) or None,
        "with white space around": any(name != name.strip() for name in found),
    }


def _model_case(evidence: Evidence, _shown: Shown) -> Seen:
    catalogue = (
        {name.strip() for name in model_names(evidence.models)} if evidence.models else set()
    )
    shown = {bare(one.get("ModelName")) for one in (*evidence.services(), *evidence.items())}
    return {"as in the catalogue": shown <= catalogue if shown - {None} else None}


def _whitelist(evidence: Evidence, _shown: Shown) -> Seen:
    trial = evidence.trial
    polls = (*trial.alive, *trial.leaving) if trial else ()
    shown = [one for poll in polls for one in (poll.described, poll.listed) if one is not None]
    found = {str(value) for one in shown if (value := text(whitelist_of(one)))}
    known = {"127.0.0.1": "as sent", "127.0.0.1/32": "with /32"}
    return {"shown": sorted({known.get(one, "otherwise") for one in found}) or None}


def _commas(evidence: Evidence, _shown: Shown) -> Seen:
    shown = {
        id_of(one): found
        for one in (*evidence.services(), *evidence.items())
        if (found := text(whitelist_of(one))) and "," in found
    }
    spaced = sum(", " in one for one in shown.values())
    return {"services with several entries": len(shown), "with a space": spaced}


def _fields(evidence: Evidence, _shown: Shown) -> Seen:
    """Each documented element of a service: how it came, and as which types."""
    found: Seen = {}
    for where in ("DescribeModelService", "ListModelServices, an item", "ListAINodePools, a node",
                  "ListAINodePools, a pool"):  # fmt: skip
        shown = _inference.objects(evidence)[where]
        if shown:
            found[where] = {
                key: sorted(
                    {
                        kind_of(one[key]) if shape_of(one, key) == "value" else shape_of(one, key)
                        for one in shown
                    }
                )
                for key in _inference.known_fields(where)
                if key != "RequestId"
            }
    return found


def _extra(evidence: Evidence, shown: Shown) -> Seen:
    return {
        where: dict(
            zip(shown.names(found), (kind_of(found[key]) for key in sorted(found)), strict=True)
        )
        for where, found in _inference.unknown_fields(evidence).items()
    }


def _bind_object(evidence: Evidence, shown: Shown) -> Seen:
    found = {
        _named(node.get("BindObject"), {"model_serving", "ModelService"}, shown)
        for one in evidence.node_lists()
        for node in nodes_of(one)
        if is_bound(node)
    }
    return {"BindObject": sorted(found) or None}


def _named(value: object, known: set[str], shown: Shown) -> str:
    return value if isinstance(value, str) and value in known else shown.form(value)


def _namespace(evidence: Evidence, shown: Shown) -> Seen:
    nodes = [node for one in evidence.node_lists() for node in nodes_of(one)]
    found = {
        "the id of the instance"
        if node.get("Namespace") == evidence.instance
        else _named(node.get("Namespace"), {"adbpg-ainode"}, shown)
        for node in nodes
    }
    return {"Namespace": sorted(found) or None}


def _pool(evidence: Evidence, shown: Shown) -> Seen:
    pools = [pool for one in evidence.node_lists() for pool in pools_of(one)]
    found = {
        "ainp- and the id of the instance"
        if one.get("AINodePoolId") == f"ainp-{evidence.instance}"
        else shown.form(one.get("AINodePoolId"))
        for one in pools
    }
    return {
        "AINodePoolId": sorted(found) or None,
        "NodeNum": sorted({kind_of(one.get("NodeNum")) for one in pools}) or None,
    }


def _timing(asked: Iterable[Asked], _shown: Shown) -> Seen:
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


_SEEN: dict[str, Callable[[Evidence, Shown], Seen]] = {
    "unknown instance": _unknown_instance,
    "unknown service": _unknown_service,
    "deleted service": _deleted_service,
    "until it is shown": _appearing,
    "describe, again and again": _flapping,
    "list behind describe": _behind,
    "status words": _status_words,
    "failure words": _failure_words,
    "status in the list": _listed_words,
    "token replayed": _tokens,
    "token, other parameters": _other_parameters,
    "create on a held node": _second_create,
    "deleting": _deletion,
    "deleting again": _deleting_again,
    "deleting what is gone": _deleting_gone,
    "deleting while deployed": _deleting_deploying,
    "instance after deletion": _busy_after,
    "node after deletion": _bound_after,
    "list after deletion": _keeping_deleted,
    "order of the list": _list_order,
    "pages of the list": _list_pages,
    "total of the list": _list_total,
    "empty list": _empty_list,
    "description": _description,
    "names": _names,
    "case of the model": _model_case,
    "whitelist": _whitelist,
    "commas of whitelists": _commas,
    _FIELDS: _fields,
    "unknown fields": _extra,
    "what holds a node": _bind_object,
    "namespace of a node": _namespace,
    "pool of nodes": _pool,
}

__all__ = ["FORMAT", "Fit", "report", "rows"]
