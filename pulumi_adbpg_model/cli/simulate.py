"""`simulate`: a simulated cloud on a loopback port."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pulumi_adbpg_model.cli._given import EXISTING_FILE, FILE, TEXT
from pulumi_adbpg_model.cli._streams import say
from pulumi_adbpg_model.simulator import DIALECTS, Simulator, checks, clashing, serve_forever


def _checked(check: Callable[[str, Any], Any]) -> Callable[..., Any]:
    """Callback of an option that the simulator checks: what it refuses is wrong usage."""

    def callback(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        try:
            return value if value is None else check("it", value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _names(_context: click.Context, _parameter: click.Parameter, value: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    if not all(names) or len(set(names)) != len(names):
        raise click.BadParameter("must be names separated by commas, none empty, none twice")
    return names


def _state(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    if str(value) == "-":
        raise click.BadParameter("must be a file: the state is read and written, again and again")
    path: Path | None = _checked(checks.file)(_context, _parameter, value)
    return path


def _groups(
    _context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]
) -> dict[str, str]:
    groups: dict[str, str] = {}
    for text in value:
        group, equals, node = text.partition("=")
        if not (group and equals and node):
            raise click.BadParameter(f"must be GROUP=NODE, got {text!r}")
        if group in groups:
            raise click.BadParameter(f"group {group} is given twice")
        groups[group] = node
    return groups


def _dialects(
    _context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    clash = clashing(value)
    if clash:
        raise click.BadParameter(f"these exclude each other: {', '.join(clash)}")
    return value


def _explained() -> str:
    lines = ["\b", "Dialects:"]
    for name, sentence in DIALECTS.items():
        wrapped = textwrap.wrap(sentence, 70, break_on_hyphens=False)
        lines += [f"  {name}", *(f"      {line}" for line in wrapped)]
    return "\n".join(lines)


@click.command(epilog=_explained())
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port on 127.0.0.1; 0 picks a free one.",
)
@click.option(
    "--provision-seconds",
    type=click.FloatRange(min=0),
    callback=_checked(checks.seconds),
    show_default="1, or the survey's",
    help="How long a new service takes to become active.",
)
@click.option(
    "--delete-seconds",
    type=click.FloatRange(min=0),
    callback=_checked(checks.seconds),
    show_default="0, or the survey's",
    help="How long a deletion takes.",
)
@click.option(
    "--instance",
    type=TEXT,
    default="gp-demo",
    show_default=True,
    callback=_checked(checks.instance_id),
    help="Id of the simulated instance.",
)
@click.option(
    "--nodes",
    default="ai-1,ai-2,ai-3,ai-4",
    show_default=True,
    callback=_names,
    help="Names of its AI nodes, separated by commas.",
)
@click.option(
    "--region",
    type=TEXT,
    default="cn-hangzhou",
    show_default=True,
    callback=_checked(checks.region),
    help="Region of the simulated cloud.",
)
@click.option(
    "--access-key-id",
    type=TEXT,
    default="simulator-key-id",
    show_default=True,
    callback=_checked(checks.credential),
    help="The access key id that is accepted.",
)
@click.option(
    "--access-key-secret",
    type=TEXT,
    default="simulator-key-secret",
    show_default=True,
    callback=_checked(checks.credential),
    help="Its secret; made up, never a real one.",
)
@click.option(
    "--state",
    type=FILE,
    callback=_state,
    metavar="FILE",
    help="File that keeps the simulated cloud over a restart; one simulator at a time has it.",
)
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice(sorted(DIALECTS)),
    callback=_dialects,
    metavar="NAME",
    help="A way in which the real cloud may behave, see below; may be repeated.",
)
@click.option(
    "--like",
    type=EXISTING_FILE,
    metavar="FILE",
    help="Behave as the cloud of which `survey` wrote FILE. Durations given here win; dialects are "
    "added.",
)
@click.option(
    "--whitelist-group",
    "whitelist_groups",
    multiple=True,
    metavar="GROUP=NODE",
    callback=_groups,
    help="A whitelist group that governs the service on a node; may be repeated.",
)
def simulate(
    port: int,
    provision_seconds: float | None,
    delete_seconds: float | None,
    instance: str,
    nodes: list[str],
    region: str,
    access_key_id: str,
    access_key_secret: str,
    state: Path | None,
    dialects: tuple[str, ...],
    like: Path | None,
    whitelist_groups: dict[str, str],
) -> None:
    """
    Serve a simulated cloud on loopback until SIGTERM or Ctrl-C.

    Prints one line, `listening on http://127.0.0.1:PORT`, when it is ready. Point the provider at
    it with the variable ADBPG_ENDPOINT, or config adbpg:endpoint.
    """
    try:
        simulator = Simulator(
            instance=instance,
            nodes=nodes,
            region=region,
            provision_seconds=provision_seconds,
            delete_seconds=delete_seconds,
            access_key_id=access_key_id,
            access_key_secret=access_key_secret,
            port=port,
            state=state,
            dialects=dialects,
            like=like,
            whitelist_groups=whitelist_groups,
        )
        serve_forever(simulator, say)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"the simulator cannot start: {_told(error)}") from None


def _told(error: Exception) -> str:
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
