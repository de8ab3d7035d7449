"""
Stdout and stderr as they are here: a terminal or not, any encoding, or closed.

What an encoding does not have is escaped, so that no output ends half-way.
"""

from __future__ import annotations

import codecs
import io
import sys
from typing import TextIO

import click

#: Ways to meet what cannot be encoded that end in an error. Others were chosen, and are left alone.
_FAILING = ("strict", "surrogateescape")


def escape_unwritable() -> None:
    """Let stdout and stderr escape what their encoding does not have, unless told otherwise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _FAILING:
            stream.reconfigure(errors="backslashreplace")


def writes_unicode(stream: TextIO | None) -> bool:
    """Whether the stream's encoding has every character."""
    return codecs.lookup(_encoding(stream)).name.startswith("utf")


def writable(text: str, stream: TextIO | None) -> str:
    r"""The text as the stream can write it: `\xe9` for an é that its encoding does not have."""
    encoding = _encoding(stream)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal, whatever the environment says; not if there is none."""
    return stream is not None and not stream.closed and stream.isatty()


def say(text: str = "", *, nl: bool = True, err: bool = False) -> None:
    """Print a text. Not by click's choice of a stream: it writes UTF-8 where ASCII is asked for."""
    stream = sys.stderr if err else sys.stdout
    if stream is not None:
        click.echo(writable(text, stream), file=stream, nl=nl)


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "utf-8"
