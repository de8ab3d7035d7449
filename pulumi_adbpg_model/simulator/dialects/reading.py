"""Dialects of the values in reads: words for a status, texts, names, whitelists, fields."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_adbpg_model.simulator.state import ACTIVE, DELETED, DELETING, DEPLOYING

_ALWAYS = "127.0.0.1"
_LINE_END = re.compile(r"\r\n?|\n")
_FAILED = ("fail", "error", "abnormal")
_FAILURE_WORDS = {
    "failure-failed": "Failed",
    "failure-create-failed": "CreateFailed",
    "failure-error": "error",
    "failure-abnormal": "abnormal",
}
# By the keys of Describe and List, the two pages' spellings both.
_EMPTY: dict[str, Any] = {
    "Description": "",
    "AiNodes": [],
    "ModelName": "",
    "ModelParams": {},
    "CreateTime": "",
    "PublicConnectUrl": "",
    "PublicConnUrl": "",
    "SecurityIpList": "",
    "SecurityIPList": "",
}
_EXTRA: dict[str, Any] = {
    "NewText": "text",
    "NewNumber": 1.5,
    "NewFlag": True,
    "NewNothing": None,
    "NewList": [1, "two", {"three": [None]}],
    "NewMap": {"key": {"deeper": [0]}},
}


@dataclass(frozen=True)
class Reading:
    """How the truth is put into an answer."""

    names: frozenset[str]

    def status(self, status: str, *, deployed: float) -> str | None:
        """Return the word for a status, None if it is left out; `deployed` is a share of 1."""
        if _failed(status):
            for name, word in _FAILURE_WORDS.items():
                if name in self.names:
                    return word
        if status == DELETED and "describe-gone-released" in self.names:
            return "Released"
        if status == DEPLOYING and "status-missing" in self.names:
            return None
        if "status-unknown-words" in self.names:
            early = "initializing" if deployed < 0.5 else "PREPARING"
            return {DEPLOYING: early, ACTIVE: ACTIVE, DELETING: "Terminating"}.get(status, status)
        bent = self.names & {"status-deploying", "status-capitalised"}
        if bent and status == DEPLOYING:
            status = "deploying"
        return status.capitalize() if "status-capitalised" in self.names else status

    def listed_status(self, status: str, *, deployed: float) -> str | None:
        """Return the word for a status in a list."""
        if "list-status-success" in self.names:
            return "fail" if _failed(status) else "success"
        return self.status(status, deployed=deployed)

    def description(self, text: str | None) -> str | None:
        """Return a description as reads write it; none stays none."""
        if not text:
            return text
        if "description-stripped" in self.names:
            text = text.strip()
        if "description-padded" in self.names:
            text = f" {text}\n"
        if "description-lf" in self.names:
            text = _LINE_END.sub("\n", text)
        if "description-crlf" in self.names:
            text = _LINE_END.sub("\r\n", text)
        return text

    def name(self, name: str) -> str:
        """Return the name of a model or an AI node as reads write it."""
        return f" {name} " if "names-padded" in self.names else name

    def model(self, name: str) -> str:
        """Return the name of a service's model."""
        if "model-lower-case" in self.names:
            name = name.lower()
        if "model-upper-case" in self.names:
            name = name.upper()
        return self.name(name)

    def nodes(self, nodes: Sequence[str]) -> list[str]:
        """Return a service's AI nodes in the order of reads."""
        ordered = sorted(nodes, reverse=True) if "nodes-reordered" in self.names else nodes
        return [self.name(node) for node in ordered]

    def whitelist(self, entries: Sequence[str]) -> str:
        """Return a whitelist as reads write it."""
        shown = list(entries)
        if "whitelist-canonical" in self.names:
            networks = sorted({ipaddress.IPv4Network(entry, strict=False) for entry in shown})
            shown = [str(net).removesuffix("/32") for net in networks]
        if "whitelist-deduplicated" in self.names:
            shown = list(dict.fromkeys(shown))
        if "whitelist-reordered" in self.names:
            shown = sorted(shown, reverse=True)
        if "whitelist-default-added" in self.names and _ALWAYS not in entries:
            shown = [_ALWAYS, *shown]
        if "whitelist-slash-32" in self.names:
            shown = [entry if "/" in entry else f"{entry}/32" for entry in shown]
        return (", " if "whitelist-spaced" in self.names else ",").join(shown)

    def fields(self, elements: Mapping[str, Any]) -> dict[str, Any]:
        """Return a service's elements with what is left out, null, empty or unknown."""
        kept = {
            key: value
            for key, value in elements.items()
            if value is not None and not (key in _EMPTY and "fields-missing" in self.names)
        }
        if "fields-null" in self.names:
            kept |= {key: None for key in elements if key in _EMPTY}
        if "fields-empty" in self.names:
            kept |= {key: value for key, value in _EMPTY.items() if key in elements}
        return self.extended(kept)

    def extended(self, elements: Mapping[str, Any]) -> dict[str, Any]:
        """Return elements with what no document knows, if so."""
        return {**elements, **_EXTRA} if "fields-extra" in self.names else dict(elements)


def _failed(status: str) -> bool:
    return any(word in status.lower() for word in _FAILED)
