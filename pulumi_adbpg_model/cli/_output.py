"""What the commands print: one table, or one JSON document. Data goes to stdout, nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["print_json", "print_table", "printable"]

#: Outside a terminal nothing is wrapped or cut: what reads a table there may search it.
_UNBOUNDED = 10_000


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    empty: str,
    whole: Collection[str] = (),
) -> None:
    """
    Print rows under their headings, or the sentence `empty` where there are none.

    A cell may be a `rich.text.Text` with a style; colours are off when stdout is no terminal, and
    with NO_COLOR. None is shown as a dash. Columns named in `whole` are not broken at the width of
    the terminal.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in rows:
        table.add_row(*map(_cell, row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNBOUNDED
    if not table.row_count:
        click.echo(empty)
        return
    console.print(table)


def print_json(value: Any) -> None:
    """Print one JSON document, indented."""
    document = json.dumps(value, indent=2, ensure_ascii=False)
    # What a terminal might obey, json leaves in part; in a document all of it stands in strings.
    click.echo(
        "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in document)
    )


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return Text(printable(value.plain), value.style)
    return Text("-" if value is None or value == "" else printable(str(value)))


def printable(text: str) -> str:
    """The text with a sign in place of what a terminal might obey, or break a line at."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
