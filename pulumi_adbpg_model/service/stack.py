"""
What the stack's state holds at this moment, as `pulumi stack export` tells.

A provider is told of one resource at a time, and never of what the program has no more. Values of
secrets are not read: they stay encrypted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.service import state

#: Versions of a state whose resources stand where this package looks for them.
_VERSIONS = range(1, 5)
#: What a state of version 4 may need, as far as it moves no resource.
_FEATURES = frozenset(
    {
        "byteString",
        "extensionParameterization",
        "hooks",
        "refreshBeforeUpdate",
        "replaceWith",
        "snippets-prototype",
        "taint",
        "views",
    }
)

_TIMEOUT_S = 10.0
#: How far above this process the CLI is: a shell that launches, and a virtual environment's.
_GENERATIONS = 4
_KEEPING = (("retainOnDelete", "retain_on_delete"), ("protect", "protect"))
#: How long an answer is used: many resources may ask at once, and one again and again.
_FRESH_S = 3.0


_UPDATE = "Use a newer release of pulumi-adbpg-model."


@dataclass(frozen=True)
class StackEntry:
    """What the state holds of a service."""

    service: ModelServiceId
    #: The program's own; None without one, empty where it is encrypted.
    client_token: str | None = field(default=None, repr=False)
    #: The option that keeps the service where it is.
    kept_by: str | None = None
    #: Whether it is deleted, and its successor not made yet.
    replaced: bool = False
    #: What `import_` named; empty where it is encrypted.
    imported: str | None = None
    #: None where it is encrypted.
    model: str | None = None


class UnknownFormatError(ValueError):
    """A state is newer than this package: what it holds is not known."""


def check_format(document: Mapping[str, Any]) -> None:
    """
    Refuse a state that says of itself that it must not be read by those who do not know its form.

    Args:
        document: An export, or a state file of the file backend.

    Raises:
        UnknownFormatError: Its version, or a feature that it needs, is not known.
        TypeError, KeyError: It says nothing of the kind.
    """
    version, features = document["version"], document.get("features") or []
    if type(version) is not int or not isinstance(features, list):
        raise TypeError("no version")
    if version not in _VERSIONS:
        raise UnknownFormatError(
            f"its version is {version}, and known are {_VERSIONS[0]} to {_VERSIONS[-1]}."
            + (f" {_UPDATE}" if version > _VERSIONS[-1] else "")
        )
    unknown = sorted(str(feature) for feature in features if feature not in _FEATURES)
    if unknown:
        raise UnknownFormatError(f"it needs {', '.join(unknown)}, not known here. {_UPDATE}")


def export(organization: str, urn: str, *, timeout_s: float = _TIMEOUT_S) -> str | None:
    """
    The export of the stack that is being operated on; None when it cannot be had.

    Args:
        organization: The stack's; empty where it is not known.
        urn: Of one of its resources, which names project and stack.
        timeout_s: How long the CLI may take, in seconds.
    """
    engine = _engine()
    cli = shutil.which("pulumi") or (engine and engine / "exe")
    stack, _, rest = urn.removeprefix("urn:pulumi:").partition("::")
    project = rest.partition("::")[0]
    if cli is None or not organization:
        return None
    # Old states in files and buckets know no projects.
    for name in (f"{organization}/{project}/{stack}", stack):
        try:
            ran = subprocess.run(  # noqa: S603 - the program that runs this one
                [cli, "stack", "export", "--stack", name, "--non-interactive"],
                env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
                cwd=engine and engine / "cwd",  # what a relative backend URL is relative to
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=timeout_s,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            break
        if ran.returncode == 0:
            return ran.stdout.decode(errors="replace")
        if organization != "organization":  # what the backends of one's own call it
            break
    return None


def _engine() -> Path | None:
    """What /proc says of the CLI that runs this process, where there is such a thing."""
    process = Path("/proc") / str(os.getppid())
    for _ in range(_GENERATIONS):
        try:
            if (process / "exe").readlink().name == "pulumi":
                return process
            after_name = (process / "stat").read_text(errors="replace").rpartition(")")[2]
        except OSError:
            break
        process = process.with_name(after_name.split()[1])
    return None


class StackState:
    """The services in the stack's state, looked up when they are needed. Threads share it."""

    def __init__(self, clock: Clock, read: Callable[[str, str], str | None]) -> None:
        self._clock = clock
        #: As `export` does.
        self._read = read
        self._lock = threading.Lock()
        self._place: tuple[str, str] | None = None
        self._known: set[ModelServiceId] = set()
        self._had_any_before = False
        self._answer: tuple[float, Mapping[str, StackEntry]] | None = None
        self._failed = False

    def is_of(self, organization: str, urn: str) -> None:
        """Tell which stack it is, as one of its resources knows."""
        self._place = self._place or (organization, urn)

    def knows(self, service: ModelServiceId, *, before: bool = True) -> None:
        """
        Tell of a service that is in it: an export without any such is another stack's. One that is
        not from an earlier run may not be in it yet.
        """
        self._known.add(service)
        self._had_any_before |= before

    def services(self) -> Mapping[str, StackEntry] | None:
        """The service of each resource, by URN; None when that cannot be had."""
        with self._lock:
            now = self._clock.monotonic()
            fresh = self._answer is not None and now - self._answer[0] < _FRESH_S
            if self._place is None or self._failed or fresh:
                return self._answer[1] if self._answer else None
            with tracing.span("stack export"):
                text = self._read(*self._place)
            found = None if text is None else _services(text)
            if found is not None and self._had_any_before:
                ids = {held.service for held in found.values()}
                found = found if ids & self._known else None
            self._failed = found is None  # once is enough: others wait for it
            self._answer = None if found is None else (self._clock.monotonic(), found)
            return found


def _services(text: str) -> Mapping[str, StackEntry] | None:
    try:
        document = json.loads(text)
        check_format({"version": _VERSIONS[-1], **document})
        resources = document["deployment"].get("resources") or []
        found = {one["urn"]: _held(one) for one in resources if not one.get("delete")}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return {urn: held for urn, held in found.items() if held is not None}


def _held(resource: Mapping[str, Any]) -> StackEntry | None:
    outputs = resource.get("outputs") or {}
    if not state.is_managed(resource):
        return None
    try:
        service = ModelServiceId.parse(resource.get("id"))
    except ValueError:
        return None
    token, imported = outputs.get("client_token"), outputs.get(state.ADOPT)
    model = outputs.get("model_name")
    kept_by = [option for key, option in _KEEPING if resource.get(key) is True]
    return StackEntry(
        service,
        token if token is None or isinstance(token, str) else "",
        kept_by[0] if kept_by else None,
        replaced=resource.get("pendingReplacement") is True,
        imported=imported if imported is None or isinstance(imported, str) else "",
        model=model if isinstance(model, str) else None,
    )
