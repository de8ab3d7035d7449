"""
What a change of inputs means: nothing, an update in place, or a replacement.

Only the whitelist can change in place, and only with the whitelist group named; the service itself
has no modify call. Values are equal when the cloud means the same by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.service.state import (
    DEFAULTS,
    INPUTS,
    declared_names,
    is_taking_over,
    same_value,
    waits,
)

__all__ = ["Change", "compare", "keep_spelling"]

#: Settings of this package alone: a change is recorded without a call to the cloud.
_LOCAL = ("wait_for_active", "security_ip_group", "store_api_key")
#: What may mean the same in another spelling, order or form.
_TEXTS = ("model_name", "description")
_LISTS = ("ai_nodes", "security_ip_list")


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


def compare(
    olds: Mapping[str, Any], news: Mapping[str, Any], is_unknown: Callable[[Any], bool]
) -> Change:
    """
    Compare old outputs with new inputs.

    A service that is not taken over yet is never replaced, which would delete it: the update
    compares it with what is declared.

    An input that the program never set is not managed and never differs. A service that has failed,
    or is being deleted, is replaced whatever the inputs say. An unknown value counts as different.
    """
    declared = declared_names(olds)
    changed = tuple(name for name in INPUTS if _differs(name, olds, news, declared, is_unknown))
    if is_taking_over(olds):
        return Change(changed, (), resume=True)
    replaces = [name for name in changed if not _in_place(name, news, is_unknown)]
    phase = phase_of(olds.get("status"))
    if phase in (Phase.FAILED, Phase.LEAVING):
        replaces.append("status")
    resume = phase is not Phase.ACTIVE and waits(news)
    return Change(changed, tuple(replaces), resume)


def keep_spelling(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """
    New inputs, with texts and lists spelt as in the old inputs where they mean the same.

    The engine compares texts where it decides by itself, for `replace_on_changes` among others.
    """
    kept = dict(news)
    for name in (*_TEXTS, *_LISTS):
        old, new = olds.get(name), news.get(name)
        # Neither anything unknown nor what an earlier program may have put there by mistake.
        fits = _is_text if name in _TEXTS else _are_texts
        if fits(old) and fits(new) and same_value(name, old, new):
            kept[name] = old
    return kept


def _differs(
    name: str,
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    declared: frozenset[str],
    is_unknown: Callable[[Any], bool],
) -> bool:
    old, new = olds.get(name), news.get(name)
    if _holds_unknown(new, is_unknown):
        return True
    if name in DEFAULTS:  # absent and set to the default are the same
        default = DEFAULTS[name]
        return bool((default if old is None else old) != (default if new is None else new))
    if name == "region_id":  # the output is the region in use; dropping the input moves nothing
        return new is not None and old is not None and new != old
    if new is None and name not in declared:
        return False
    return not same_value(name, old, new)


def _in_place(name: str, news: Mapping[str, Any], is_unknown: Callable[[Any], bool]) -> bool:
    if name in _LOCAL:
        return True
    if name == "security_ip_list":
        entries = news.get("security_ip_list")
        known = not _holds_unknown(entries, is_unknown)
        return bool(news.get("security_ip_group")) and (not known or bool(entries))
    return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, str) for x in value)


def _holds_unknown(value: Any, is_unknown: Callable[[Any], bool]) -> bool:
    if is_unknown(value):
        return True
    if isinstance(value, Mapping):
        return any(_holds_unknown(item, is_unknown) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_holds_unknown(item, is_unknown) for item in value)
    return False
