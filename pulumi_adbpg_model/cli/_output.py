"""What the commands print: one table, or one JSON document. Data goes to stdout, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["print_json", "print_table"]

#: Outside a terminal nothing is wrapped or cut: what reads a table there may search it.
_UNBOUNDED = 10_000


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """
    Print rows under their headings, or the sentence `empty` where there are none.

    A cell may be a `rich.text.Text` with a style; colours are off when stdout is no terminal, and
    with NO_COLOR. None is shown as a dash.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    console = Console(highlight=False)
    if not table.row_count:
        click.echo(empty)
        return
    console.print(table, width=None if console.is_terminal else _UNBOUNDED)


def print_json(value: Any) -> None:
    """Print one JSON document, indented."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return Text("-" if value is None or value == "" else str(value))
