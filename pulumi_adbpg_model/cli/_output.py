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

from pulumi_adbpg_model.terminal import printable

__all__ = ["print_json", "print_table"]

#: Outside a terminal nothing is wrapped or cut: what reads a table there may search it.
_UNBOUNDED = 10_000
#: Least width of a column that is folded, and what stands between two.
_FOLDED, _GAP = 8, 3


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
    with NO_COLOR. None is shown as a dash. Columns named in `whole` are broken by a terminal too
    narrow for them, and by nothing else.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    cells = [[_cell(value) for value in row] for row in rows]
    least = 0
    for name, *column in zip(columns, *cells, strict=True):
        table.add_column(name, overflow="fold", no_wrap=name in whole)
        width = max((cell.cell_len for cell in column), default=0)
        least += max(len(name), width if name in whole else min(width, _FOLDED)) + _GAP
    for row in cells:
        table.add_row(*row)
    console = Console(highlight=False)
    # In less, rich cuts ids and leaves out columns: rather let the terminal wrap the lines.
    console.width = max(console.width, least) if console.is_terminal else _UNBOUNDED
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
