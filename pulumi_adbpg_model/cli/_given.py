"""Types of what is given on the command line: the empty variable of a script is no value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class _Text(click.types.StringParamType):
    """Text that is not blank."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        _refuse_blank(value, param, ctx)
        return super().convert(value, param, ctx)


class _File(click.Path):
    """The path of a file, as a `Path`. Click alone takes an empty one for the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        _refuse_blank(value, param, ctx)
        return super().convert(value, param, ctx)


def _refuse_blank(value: Any, param: click.Parameter | None, ctx: click.Context | None) -> None:
    if isinstance(value, str) and not value.strip():
        raise click.BadParameter(f"must not be blank, got {value!r}", ctx, param)


TEXT = _Text()
FILE = _File(dir_okay=False, path_type=Path)
EXISTING_FILE = _File(exists=True, dir_okay=False, path_type=Path)
#: Or `-`, stdout.
OUTPUT = _File(dir_okay=False, path_type=Path, allow_dash=True)
