"""
What of the cloud's strings a report may hold: words that name a state or a code, and forms.

By construction: the report copies no string of an answer but through `Shown`. A word is kept when
it looks like one, and no id, name or text that was in an answer is in it. A net over the finished
report takes out what came through all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pulumi_adbpg_model.survey._cloud import Asked

_WORD = re.compile(r"[A-Za-z][A-Za-z._-]{0,39}")
#: Beginnings of ids and addresses that the documents show.
_PREFIXES = ("aipool-", "ainp-", "ai-", "gp-", "ms-", "mx-", "sk-", "http://", "https://")
#: Elements whose value is a word for a state.
_WORDS_IN = frozenset({"BindStatus", "Status"})
#: What documents and dialects say anyway.
_DOCUMENTED = frozenset(
    {
        "127.0.0.1", "ModelService", "active", "adbpg-ainode", "bound", "deleted", "deleting",
        "deploying", "deployming", "fail", "failed", "model_serving", "success", "unbound",
    }
)  # fmt: skip
_SHORTEST, _SHORTEST_TELLING, _LONG = 3, 6, 16
_HIDDEN = "(hidden)"


class Word(str):
    """A string that may be shown, whatever is in it."""

    __slots__ = ()


class Shown:
    """What may be shown of the strings of these answers."""

    def __init__(self, asked: Iterable[Asked], private: Iterable[str]) -> None:
        """
        Read all answers.

        Args:
            asked: The answers.
            private: What else must not be shown: ids and names that were given.
        """
        found = {one for one in private if one}
        for one in asked:
            for text in _strings(one.answer.elements or {}):
                found.update({text, text.strip()})
        # Of an id, what is behind its beginning tells as much.
        found |= {
            one[len(start) :] for one in found for start in _PREFIXES if one.startswith(start)
        }
        self._private = {one.casefold() for one in found - _DOCUMENTED if len(one) >= _SHORTEST}
        self._telling = list(filter(_is_telling, self._private))

    def word(self, value: object) -> Word:
        """A status or a code, if it is a word; else its form."""
        if not isinstance(value, str) or value == "":
            return Word(_kind(value))
        if value in _DOCUMENTED:
            return Word(value)
        is_id = value.startswith(_PREFIXES)
        if _WORD.fullmatch(value) and not is_id and not self._is_private(value):
            return Word(value)
        return self.form(value)

    def form(self, value: object) -> Word:
        """How an id, a name or an address is made, without itself."""
        if not isinstance(value, str) or value == "":
            return Word(_kind(value))
        prefix = next((one for one in _PREFIXES if value.startswith(one)), None)
        if prefix is not None:
            return Word(f"{prefix}* ({len(value) - len(prefix)} more)")
        return Word(f"text of {len(value)}")

    def names(self, values: Iterable[str]) -> list[str]:
        """Names of elements, numbered where one is no word."""
        return [
            word if word == name else f"field-{number}"
            for number, name in enumerate(sorted(values), 1)
            for word in [self.word(name)]
        ]

    def _is_private(self, value: str) -> bool:
        folded = value.casefold()
        return any(one in folded for one in self._private)

    def checked(self, document: Any) -> Any:
        """The finished report without any string of an answer that is none of the words."""
        if isinstance(document, dict):
            return {key: self.checked(value) for key, value in document.items()}
        if isinstance(document, list):
            return [self.checked(one) for one in document]
        if isinstance(document, str) and not isinstance(document, Word):
            folded = document.casefold()
            if any(one in folded for one in self._telling):
                return _HIDDEN
        return document


def _is_telling(text: str) -> bool:
    """Whether no sentence of ours has this by chance."""
    return len(text) >= _LONG or (len(text) >= _SHORTEST_TELLING and not text.isalpha())


def _kind(value: object) -> str:
    kinds = {bool: "yes or no", int: "number", float: "number", str: "empty text"}
    if value is None:
        return "nothing"
    return kinds.get(type(value), "list" if isinstance(value, list) else "map")


def kind_of(value: object) -> str:
    """The type of an element."""
    return "text" if isinstance(value, str) and value else _kind(value)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key in _WORDS_IN and isinstance(item, str):
                continue
            if isinstance(item, Mapping) and key != "ModelNames":
                yield from item  # keys within a value are values, too
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
