"""`import-file`: services that exist, as a file for `pulumi import --file` and a program."""

from __future__ import annotations

import functools
import json
import os
import shlex
import sys
from pathlib import Path

import click

from pulumi_adbpg_model import lifecycle
from pulumi_adbpg_model.cli import _importing
from pulumi_adbpg_model.cli._cloud import instances_option, with_settings
from pulumi_adbpg_model.cli._given import OUTPUT, TEXT
from pulumi_adbpg_model.cli._streams import is_terminal, say, writes_unicode
from pulumi_adbpg_model.clock import Deadline, SystemClock
from pulumi_adbpg_model.domain import printable
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings

#: For all calls together, in seconds; a service that is deleted meanwhile takes some.
_LIMIT_S = 600.0


def _out(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    return None if value == Path("-") else value


def _template(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        _importing.check_name_template(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


class _Notes:
    """
    Says on stderr, as Python comments, what is no data.

    With the file on stdout, the program is on stderr: together they are still a program.
    """

    def progress(self, message: str) -> None:
        """Drop it."""

    def note(self, message: str) -> None:
        say(f"# {printable(message)}", err=True)

    warn = note


@click.command("import-file")
@instances_option
@click.option(
    "--service",
    "services",
    multiple=True,
    type=TEXT,
    metavar="ID",
    help="Id of a service to take over, such as ms-123 or gp-abc:ms-123; may be repeated. "
    "Default: every active service.",
)
@click.option(
    "--name-template",
    default=_importing.DEFAULT_NAME,
    show_default=True,
    callback=_template,
    metavar="NAME",
    help=f"Name of each resource, from {', '.join(map('{{{}}}'.format, _importing.PLACEHOLDERS))}; "
    "a name that comes twice gets a number.",
)
@click.option(
    "--out",
    type=OUTPUT,
    callback=_out,
    help="File to write, which must not exist; then the program goes to stdout. Default, as with "
    "-: the file goes to stdout.",
)
@click.option(
    "--without-api-keys",
    is_flag=True,
    help="Leave out the API keys, and declare store_api_key=False.",
)
@functools.partial(with_settings, say=_Notes().note)
def import_file(
    settings: Settings,
    instances: list[str],
    services: tuple[str, ...],
    name_template: str,
    out: Path | None,
    without_api_keys: bool,  # noqa: FBT001 - click passes options by name
) -> None:
    """
    Write the file for `pulumi import --file` that takes over model services, and the program.

    Then: pulumi import --file FILE --generate-code=false. Without that option Pulumi imports, too,
    but ends with an error, since a dynamic provider has no schema.

    The file goes to stdout and the Python program that declares the services to stderr, or with
    --out the file there and the program to stdout. The file holds the API keys in clear, so it is
    not shown on a terminal. Needs Pulumi CLI 3.254 or newer.
    """
    if out is None and not without_api_keys and is_terminal(sys.stdout):
        raise click.UsageError(
            "the file holds API keys, which are not shown on a terminal: redirect stdout, or give "
            "--out FILE, or --without-api-keys"
        )
    clock, notes = SystemClock(), _Notes()
    deadline = Deadline.after(clock, _LIMIT_S)
    operation = lifecycle.Operation(
        Gateway(settings, clock).within(deadline), clock, deadline, notes
    )
    found = _importing.find(operation, instances, services, notes.note)
    imports = _importing.plan(
        found,
        name_template=name_template,
        region=settings.region,
        store_api_key=not without_api_keys,
        undeclared=notes.note,
    )
    if not imports:
        notes.note(f"There is no service to take over in {' and '.join(instances)}.")
    text = json.dumps(_importing.file_of(imports), indent=2)
    if out is None:
        say(text)
    else:
        _write(out, text)
    if any("api_key" in one.outputs for one in imports):
        notes.note(
            "The file holds API keys in clear: delete it once it is imported. With "
            "--without-api-keys it holds none."
        )
    if imports and out is not None:
        # Protected, as Pulumi imports by itself: an `up` without the program deletes nothing.
        notes.note(f"Next: pulumi import --file {shlex.quote(str(out))} --generate-code=false")
        notes.note("Then add this program to yours; its `pulumi up` ends the import's protection.")
    program = _importing.source_of(imports)
    if not writes_unicode(sys.stderr if out is None else sys.stdout):
        # Python takes it for UTF-8; what is escaped here stands in string literals.
        program = program.encode("ascii", "backslashreplace").decode()
    say(program, nl=False, err=out is None)


def _write(path: Path, text: str) -> None:
    """Write a new file that only its owner may read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if not path.is_file():
            told = f"{path} is no regular file: name a new one, or leave out --out for stdout"
            raise click.ClickException(told) from None
        raise click.ClickException(f"{path} exists already: remove it, or name another") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except BaseException as error:  # Ctrl-C too: half a file is of no use
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            told = f"{path} cannot be written: {error.strerror}"
            raise click.ClickException(told) from None
        raise
