"""
Which values no text may show, and texts without them.

What a program marks as secret is known by name (`state.SECRETS`): its values are taken out of
whatever this process says. Description, model parameters and client token are treated as secrets
always: no text of ours shows them in the first place, and the cloud's words go without them.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload
from urllib.parse import quote, quote_plus

from pulumi_adbpg_model.errors import AdbpgModelError, OperationError, one_line
from pulumi_adbpg_model.fields import ALWAYS_SECRET, whole_numbers

#: What stands in place of a secret, as in Pulumi's own texts. Not `*`, which means anything in
#: the target of a command.
HIDDEN = "[secret]"
#: A shorter value is hidden between quotation marks only: it would be found in every sentence.
_SHORTEST = 3
#: A longer one is hidden within words and numbers, too.
_LONG = 8
#: The engine shows URNs, and commands name them; and what is hidden already is.
_KEPT = r"(?P<kept>urn:pulumi:[^\s'\"`]+|\[secret\])"
#: How much of a value at the end of a text that was cut off gives it away.
_TELLING = 4
#: Where a word begins: also after a character that is percent-encoded.
_BEFORE, _AFTER = r"(?:(?<![^\W_])|(?<=%[0-9A-Fa-f]{2}))", r"(?![^\W_])"

#: What is looked for in texts, and the same in lower case.
_Sought = tuple[tuple[str, str], ...]


class SecretValues:
    """
    The secret values of all resources that a process was told of, since texts about one name what
    another declares. Threads share it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: set[tuple[bool, str]] = set()
        #: How values may stand in texts, and whether the program marked one of them.
        self._forms: dict[str, bool] = {}
        #: The marked ones, and all. They are put in order when texts are looked at: rarely.
        self._in_order: dict[bool, _Sought] = {}

    def learn(self, properties: Mapping[str, Any], names: Iterable[str]) -> None:
        """Remember the secret values in inputs or outputs; `names` are those of marked ones."""
        # What no text of ours shows need not be looked for in them.
        marked = frozenset(names).difference(ALWAYS_SECRET)
        given = {
            (name in marked, value)
            for name in {*marked, *ALWAYS_SECRET, "api_key"}
            for value in _values(properties.get(name))
        }
        if given <= self._seen:
            return
        with self._lock:
            for marks, value in given - self._seen:
                for form in _forms(value):
                    self._forms[form] = marks or self._forms.get(form, False)
            self._seen |= given
            self._in_order = {}

    def _longest_first(self, *, marked: bool) -> _Sought:
        """How the marked values, or all, may stand in texts, each with itself in lower case."""
        with self._lock:
            if marked not in self._in_order:
                forms = [form for form, marks in self._forms.items() if marks or not marked]
                forms.sort(key=len, reverse=True)
                self._in_order[marked] = tuple((form, form.lower()) for form in forms)
            return self._in_order[marked]

    @overload
    def hide(self, text: str) -> str: ...

    @overload
    def hide(self, text: str | None) -> str | None: ...

    def hide(self, text: str | None) -> str | None:
        """A text of ours, if there is one, without what the program marked as secret."""
        return None if text is None else _without(text, self._longest_first(marked=True))

    def hide_all(self, text: str) -> str:
        """The cloud's own words without any secret."""
        return _without(text, self._longest_first(marked=False))

    def hide_in_error(self, error: AdbpgModelError) -> AdbpgModelError:
        """The error itself, if there is nothing to hide in its text; else one without."""
        text = str(error)
        hidden = self.hide(text)
        return error if hidden == text else OperationError(hidden)


def _values(value: Any) -> Iterator[str]:
    """The texts that tell a value, or a part of it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(whole_numbers(value))
    elif isinstance(value, Mapping):
        yield from _as_json(value)
        for key, item in value.items():
            yield from _values(key)
            yield from _values(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _values(item)


def _as_json(value: Mapping[str, Any]) -> Iterator[str]:
    for separators in ((",", ":"), (", ", ": ")):
        try:
            yield json.dumps(whole_numbers(value), separators=separators)
        except (TypeError, ValueError):  # what is not known yet, or no JSON
            return


def _forms(value: str) -> set[str]:
    """How a value may stand in a text: as it is, in one line, or encoded in one of some ways."""
    bare = value.strip()
    once = quote(bare, safe="~")
    escaped = {json.dumps(bare)[1:-1], json.dumps(bare, ensure_ascii=False)[1:-1], repr(bare)[1:-1]}
    encoded = {once, quote(once, safe="~"), quote(bare), quote_plus(bare)}
    texts = {bare, " ".join(bare.split()), one_line(bare), *escaped, *encoded}
    return {text for text in texts if text}


def _without(text: str, forms: _Sought) -> str:
    if "…" in text and forms:
        text = _ends_without(text, forms)
    lower = text.lower()
    there = [form for form, lowered in forms if lowered in lower]
    if not there:
        return text
    found = re.compile("|".join([_KEPT, *map(_pattern, there)]), re.IGNORECASE)
    return found.sub(lambda match: match["kept"] or HIDDEN, text)


def _pattern(form: str) -> str:
    escaped = re.escape(form)
    if len(form) < _SHORTEST:
        return rf"(?<=['\"]){escaped}(?=['\"])"
    return escaped if len(form) >= _LONG else f"{_BEFORE}{escaped}{_AFTER}"


def _ends_without(text: str, forms: _Sought) -> str:
    """Where a text was cut off, the beginning of a secret may be left."""
    parts = text.split("…")
    for index, part in enumerate(parts[:-1]):
        end = part.lower()
        tail = end[-_TELLING:]
        left = max((_left_of(lowered, end) for _, lowered in forms if tail in lowered), default=0)
        if left:
            parts[index] = f"{part[:-left]}{HIDDEN}"
    return "…".join(parts)


def _left_of(form: str, part: str) -> int:
    """How much of the beginning of a secret the end of a text is; 0 where that tells nothing."""
    sizes = range(min(len(form), len(part)), _TELLING - 1, -1)
    return next((size for size in sizes if part.endswith(form[:size])), 0)
