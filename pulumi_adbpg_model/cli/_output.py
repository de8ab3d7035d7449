"""What the commands print: one table, or one JSON document. Data goes to stdout, nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Console, ConsoleDimensions
from rich.table import Table
from rich.text import Text

from pulumi_adbpg_model.cli._streams import is_terminal, say, writable, writes_unicode
from pulumi_adbpg_model.domain import printable

#: Outside a terminal nothing is wrapped or cut: what reads a table there may search it.
_UNBOUNDED = 10_000
#: Of no consequence, but rich takes a width without a height for none.
_HEIGHT = 25
#: Least width of a column that is folded, and what stands between two.
_FOLDED, _GAP = 8, 3
#: SIMPLE_HEAD for streams that have no other lines.
_ASCII_HEAD = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    empty: str,
    whole: Collection[str] = (),
    err: bool = False,
) -> None:
    """
    Print rows under their headings, or the sentence `empty` where there are none.

    A cell may be a `rich.text.Text` with a style; colours are off when stdout is no terminal, and
    with NO_COLOR. None is shown as a dash. Columns named in `whole` are broken by a terminal too
    narrow for them, and by nothing else. With `err` all of it goes to stderr.
    """
    stream = sys.stderr if err else sys.stdout
    if not (cells := [[_cell(value, stream) for value in row] for row in rows]):
        say(empty, err=err)
        return
    console = Console(highlight=False, stderr=err)
    lines = box.SIMPLE_HEAD if writes_unicode(stream) else _ASCII_HEAD
    table = Table(box=lines, pad_edge=False)
    least = 0
    for name, *column in zip(columns, *cells, strict=True):
        table.add_column(name, overflow="fold", no_wrap=name in whole)
        width = max((cell.cell_len for cell in column), default=0)
        least += max(len(name), width if name in whole else min(width, _FOLDED)) + _GAP
    for row in cells:
        table.add_row(*row)
    # In less, rich cuts ids and leaves out columns: rather let the terminal wrap the lines. What
    # rich takes for a terminal may be a pipe (FORCE_COLOR), and it knows no width of a dumb one.
    width = max(console.width, least) if is_terminal(stream) else _UNBOUNDED
    console.size = ConsoleDimensions(width, _HEIGHT)
    console.print(table)


def print_json(value: Any) -> None:
    """Print one JSON document, indented."""
    # Who reads JSON takes it for UTF-8.
    document = json.dumps(value, indent=2, ensure_ascii=not writes_unicode(sys.stdout))
    # What a terminal might obey, json leaves in part; in a document all of it stands in strings.
    say("\n".join(map(_escaped, document.split("\n"))))


def _escaped(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def _cell(value: object, stream: TextIO | None) -> Text:
    if isinstance(value, Text):
        return Text(_shown(value.plain, stream), value.style)
    return Text("-" if value is None or value == "" else _shown(str(value), stream))


def _shown(text: str, stream: TextIO | None) -> str:
    return writable(printable(text), stream)
