"""
What a change of inputs means: nothing, an update in place, or a replacement.

Only the whitelist can change in place, and only with the whitelist group named; the service itself
has no modify call. Values are equal when the cloud means the same by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.fields import FIELDS, UNKNOWN, Field
from pulumi_adbpg_model.service.state import UNSEEN, declared_names, is_taking_over, waits


@dataclass(frozen=True)
class Change:
    """
    The verdict. `changed` are the inputs that differ, `replaces` what forces a replacement: some of
    them, or the status; `resume` means that the service is not active, or not taken over,
    yet and waited for.
    """

    changed: tuple[str, ...]
    replaces: tuple[str, ...]
    resume: bool


def compare(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Change:
    """
    Compare old outputs with new inputs.

    A service that is not taken over yet is never replaced, which would delete it: the update
    compares it with what is declared.

    An input that the program never set is not managed and never differs. A service that has failed,
    or is being deleted, is replaced whatever the inputs say. What is `UNKNOWN`, or holds it, counts
    as different.
    """
    declared = declared_names(olds)
    changed = [field for field in FIELDS if _differs(field, olds, news, declared)]
    names = tuple(field.name for field in changed)
    if is_taking_over(olds):
        return Change(names, (), resume=True)
    replaces = [field.name for field in changed if not _in_place(field, news)]
    phase = phase_of(olds.get("status"))
    if phase in (Phase.FAILED, Phase.LEAVING):
        replaces.append("status")
    resume = phase is not Phase.ACTIVE and waits(news)
    return Change(names, tuple(replaces), resume)


def rests_on_status(change: Change, olds: Mapping[str, Any]) -> bool:
    """Whether the status in the state decides, which may be old, or not be known at all."""
    never_seen = not change.replaces and olds.get("status") == UNSEEN
    return change.replaces == ("status",) or (never_seen and not is_taking_over(olds))


def with_status(change: Change, olds: Mapping[str, Any], found: str | None) -> Change:
    """
    The verdict of one that rests on the status, once a look has found that by now: empty when the
    service is gone; None without news. Nothing is replaced for a status that is not so any more.
    """
    if found is None or found == olds.get("status"):
        return change
    gone = found == "" or phase_of(found) in (Phase.FAILED, Phase.LEAVING)
    return replace(change, replaces=("status",) if gone else ())


def keep_spelling(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """
    New inputs, with texts and lists spelt as in the old inputs where they mean the same.

    The engine compares texts where it decides by itself, for `replace_on_changes` among others.
    """
    kept = dict(news)
    for field in FIELDS:
        old, new = olds.get(field.name), news.get(field.name)
        # Neither anything unknown nor what an earlier program may have put there by mistake.
        texts = isinstance(old, str) and isinstance(new, str)
        if (texts or (_are_texts(old) and _are_texts(new))) and field.same(old, new):
            kept[field.name] = old
    return kept


def _differs(
    field: Field, olds: Mapping[str, Any], news: Mapping[str, Any], declared: frozenset[str]
) -> bool:
    # Absent and set to the default are the same.
    old, new = (
        field.default if bag.get(field.name) is None else bag[field.name] for bag in (olds, news)
    )
    if holds_unknown(new):
        return True
    if new is None and field.name not in declared:
        return False
    return not field.same(old, new)


def _in_place(field: Field, news: Mapping[str, Any]) -> bool:
    if field.change == "through its group":  # which cannot be emptied
        entries = news.get(field.name)
        return bool(news.get("security_ip_group")) and (holds_unknown(entries) or bool(entries))
    return field.change == "in place"


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, str) for x in value)


def holds_unknown(value: Any) -> bool:
    """Whether a value is `UNKNOWN`, or a part of it."""
    if isinstance(value, Mapping):
        return any(map(holds_unknown, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(holds_unknown, value))
    return value is UNKNOWN
