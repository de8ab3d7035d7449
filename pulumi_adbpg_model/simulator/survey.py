"""The file that `pulumi-adbpg-model survey` writes, as far as a simulator can behave like it.

Boundary: reading and refusing it. Whoever made the file may be somebody else, so texts in it are
escaped where an error shows them. A ValueError names the file, and what is wrong with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from . import checks
from .dialects import DIALECTS, clashing

_FORMAT = 1
# Hundreds of times what a survey has.
_MAX_MIB = 16
_SHOWN = 5

_T = TypeVar("_T")


@dataclass(frozen=True)
class Survey:
    """How a cloud was seen to behave; None where it was not seen."""

    path: Path = Path()
    dialects: tuple[str, ...] = ()
    provision_seconds: float | None = None
    delete_seconds: float | None = None
    models: tuple[str, ...] | None = None

    def check_beside(self, names: Iterable[str]) -> None:
        """Refuse dialects that cannot be in force beside those of the survey."""
        clash = clashing((*self.dialects, *names))
        if clash:
            seen, asked = sorted(clash, key=lambda name: name not in self.dialects)[:2]
            msg = (
                f"dialects that exclude each other: {asked}, and {seen} of survey {self.path}. "
                f"Leave {asked} out"
            )
            raise ValueError(msg)


def read(path: Path) -> Survey:
    """Return what the file says; all that a simulator does not read may be anything."""
    content = _content(path)
    version = _get(path, content, "format", checks.whole)
    if version > _FORMAT:
        msg = (
            f"survey {path} was made by a newer version of pulumi-adbpg-model: its format is "
            f"{version!r:.20}, and this version reads {_FORMAT}. Upgrade the package"
        )
        raise ValueError(msg)
    if version != _FORMAT:
        raise _no_survey(path, f"its format is {version!r:.20}, not {_FORMAT}")
    return Survey(
        path,
        dialects=_dialects(path, _get(path, content, "dialects", checks.texts)),
        provision_seconds=_get(path, content, "provision_seconds", _unless_null(checks.seconds)),
        delete_seconds=_get(path, content, "delete_seconds", _unless_null(checks.seconds)),
        models=_get(path, content, "models", _unless_null(_models)),
    )


def _content(path: Path) -> dict[str, Any]:
    most = _MAX_MIB * 1024 * 1024
    try:
        with path.open("rb") as file:
            written = file.read(most + 1)
    except OSError as error:
        msg = f"survey {path} cannot be read: {error.strerror or type(error).__name__}"
        raise ValueError(msg) from None
    if len(written) > most:
        raise _no_survey(path, f"it is larger than {_MAX_MIB} MiB")
    try:
        content = json.loads(written)
    except (ValueError, RecursionError):  # texts in UTF-8, UTF-16 and UTF-32 are read
        raise _no_survey(path, "it is not JSON") from None
    if not isinstance(content, dict):
        raise _no_survey(path, "it is not a JSON object")
    return content


def _get(path: Path, content: dict[str, Any], key: str, check: Callable[[str, Any], _T]) -> _T:
    if key not in content:
        raise _no_survey(path, f'it has no "{key}"')
    try:
        return check(f'"{key}"', content[key])
    except (TypeError, ValueError) as error:
        raise _no_survey(path, str(error)) from None


def _unless_null(check: Callable[[str, Any], _T]) -> Callable[[str, Any], _T | None]:
    return lambda what, value: None if value is None else check(what, value)


def _models(what: str, value: Any) -> tuple[str, ...]:
    return tuple(checks.names(what, value))


def _dialects(path: Path, names: list[str]) -> tuple[str, ...]:
    unknown = sorted(set(names) - DIALECTS.keys())
    if unknown:
        shown = ", ".join(f"{name!r:.60}" for name in unknown[:_SHOWN])
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        msg = (
            f"survey {path} names dialects that this version of pulumi-adbpg-model does not have: "
            f"{shown}{more}. Upgrade the package if a newer version made the survey"
        )
        raise ValueError(msg)
    clash = clashing(names)
    if clash:
        msg = f"survey {path} names dialects that exclude each other: {', '.join(clash)}"
        raise ValueError(msg)
    return tuple(names)


def _no_survey(path: Path, why: str) -> ValueError:
    return ValueError(f"{path} is not a survey that `pulumi-adbpg-model survey` wrote: {why}")
