"""`doctor`: what works here and what does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import click
from rich.text import Text

from pulumi_adbpg_model.cli._checks import (
    OK,
    PROBLEM,
    UNTRIED,
    WARNING,
    Finding,
    diagnose_cloud,
    diagnose_tools,
)
from pulumi_adbpg_model.cli._cloud import Place, instance_id, json_option, place_options
from pulumi_adbpg_model.cli._output import print_json, print_table
from pulumi_adbpg_model.cli._stack import UnreadableError
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.errors import ConfigurationError

_STYLES = {OK: "green", WARNING: "yellow", PROBLEM: "bold red", UNTRIED: "dim"}


@click.command()
@click.option(
    "--instance",
    metavar="ID",
    callback=instance_id,
    help="Id of an instance to look at, such as gp-abc.",
)
@json_option
@place_options
@click.pass_context
def doctor(
    context: click.Context,
    instance: str | None,
    place: Place,
    *,
    as_json: bool,
) -> None:
    """
    Look for what may go wrong: tools, settings, clock, credentials, permissions.

    Run it with the Python of your Pulumi program. It makes read-only calls and changes nothing.
    In a folder of a Pulumi project it looks with the configuration of the selected stack.

    Exit code 1 when there is a problem.
    """
    findings = list(_findings(instance, place))
    if as_json:
        print_json({"findings": [dataclasses.asdict(finding) for finding in findings]})
    else:
        rows = [(Text(one.status, _STYLES[one.status]), one.what, _told(one)) for one in findings]
        print_table(("", "What", "Finding"), rows, empty="")
    if any(finding.status == PROBLEM for finding in findings):
        context.exit(1)


def _findings(instance: str | None, place: Place) -> Iterator[Finding]:
    yield from diagnose_tools()
    try:
        configuration = place.configuration()
    except UnreadableError as error:  # as whom else, is not guessed
        yield Finding(PROBLEM, "configuration", error.reason, error.advice)
        return
    note = configuration.note or "of no stack: options and environment"
    status = WARNING if configuration.advice else OK
    yield Finding(status, "configuration", note.rstrip("."), configuration.advice)
    try:
        settings = place.resolve(configuration)
    except ConfigurationError as error:
        fix = "set ALICLOUD_REGION or --region" if "no region" in str(error) else "correct it"
        yield Finding(PROBLEM, "settings", str(error), fix)
        return
    yield from diagnose_cloud(settings, SystemClock(), instance)


def _told(finding: Finding) -> str:
    if not finding.fix:
        return finding.text
    fix = finding.fix[0].upper() + finding.fix[1:]
    return f"{finding.text.rstrip('.')}. Fix: {fix.rstrip('.')}."
