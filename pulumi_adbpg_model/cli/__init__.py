"""
The console script `pulumi-adbpg-model`. Exit codes: 0 done, 1 failed, 2 wrong usage.

One module for each command or family of commands; `_cloud` has the options that say where to call,
`_output` prints tables and JSON. No command but `simulate` changes anything anywhere.
"""

from __future__ import annotations

import errno
from typing import Any

import click

from pulumi_adbpg_model.cli._output import printable
from pulumi_adbpg_model.cli.doctor import doctor
from pulumi_adbpg_model.cli.import_file import import_file
from pulumi_adbpg_model.cli.listing import api_key, list_services, models, nodes
from pulumi_adbpg_model.cli.orphans import orphans
from pulumi_adbpg_model.cli.policy import policy
from pulumi_adbpg_model.cli.simulate import simulate
from pulumi_adbpg_model.errors import AdbpgModelError

__all__ = ["main"]


class _Commands(click.Group):
    """Turns errors, the package's own and the system's, into failures of the command: one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AdbpgModelError as error:
            raise click.ClickException(printable(str(error))) from None  # it quotes the cloud
        except OSError as error:
            if error.errno == errno.EPIPE:  # `| head`: click ends in silence
                raise
            raise click.ClickException(error.strerror or type(error).__name__) from None
        except UnicodeEncodeError as error:
            told = f"stdout takes {error.encoding} only: set PYTHONIOENCODING=utf-8"
            raise click.ClickException(told) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pulumi-adbpg-model")
def main() -> None:
    """Tools around AnalyticDB for PostgreSQL model services managed with Pulumi."""


for _command in (
    simulate,
    import_file,
    orphans,
    doctor,
    policy,
    list_services,
    models,
    nodes,
    api_key,
):
    main.add_command(_command)
