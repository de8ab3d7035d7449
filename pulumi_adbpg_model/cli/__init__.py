"""
The console script `pulumi-adbpg-model`. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 Ctrl-C.

One module for each command or family of commands; `_cloud` has the options that say where to call,
`_stack` reads the configuration of the selected stack, `_given` has types of arguments, `_output`
prints tables and JSON. Only `survey` with a node changes anything anywhere, and takes it back.
"""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Any

import click

from pulumi_adbpg_model.cli._streams import escape_unwritable, say, writable
from pulumi_adbpg_model.domain import printable
from pulumi_adbpg_model.errors import AdbpgModelError

__all__ = ["main"]

#: Module and name of each command: a command loads what it needs, and not what the others do.
_COMMANDS = {
    "api-key": ("listing", "api_key"),
    "doctor": ("doctor", "doctor"),
    "import-file": ("import_file", "import_file"),
    "list": ("listing", "list_services"),
    "models": ("listing", "models"),
    "nodes": ("listing", "nodes"),
    "orphans": ("orphans", "orphans"),
    "policy": ("policy", "policy"),
    "simulate": ("simulate", "simulate"),
    "survey": ("survey", "survey"),
}


#: What a shell makes of a process that SIGINT ended.
_INTERRUPTED = 130


class _Commands(click.Group):
    """Turns errors, the package's own and the system's, into failures of the command: one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        escape_unwritable()
        try:
            return self._invoke(ctx)
        except click.ClickException as error:
            # It quotes what was typed. Click declares the attribute final.
            vars(error).update(message=writable(error.message, sys.stderr))
            raise
        except KeyboardInterrupt:
            say("\nAborted!", err=True)  # the terminal has left ^C on the line
            ctx.exit(_INTERRUPTED)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AdbpgModelError as error:
            raise click.ClickException(printable(str(error))) from None  # it quotes the cloud
        except OSError as error:
            if error.errno == errno.EPIPE:  # `| head`: click ends in silence
                raise
            raise click.ClickException(error.strerror or type(error).__name__) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pulumi-adbpg-model")
def main() -> None:
    """Tools around AnalyticDB for PostgreSQL model services managed with Pulumi."""
