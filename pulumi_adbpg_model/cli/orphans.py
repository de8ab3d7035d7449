"""`orphans`: what the cloud holds and no stack does, what two hold, and the reverse."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TextIO

import click

from pulumi_adbpg_model.cli._cloud import instances_option, json_option, with_settings
from pulumi_adbpg_model.cli._output import print_json, print_table
from pulumi_adbpg_model.cli._ownership import (
    Comparison,
    Entry,
    Orphan,
    OwnedTwice,
    Stack,
    compare,
    parse,
)
from pulumi_adbpg_model.cli._streams import say
from pulumi_adbpg_model.clock import Clock, Deadline, SystemClock
from pulumi_adbpg_model.domain import Phase, printable
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.lifecycle import Operation
from pulumi_adbpg_model.settings import Settings

#: For all calls together.
_LIMIT_S = 600.0
_STDIN = "-"


class _Silent:
    """Says nothing: what is found is told at the end."""

    def progress(self, message: str) -> None:
        """Nothing."""

    note = warn = progress


@click.command()
@instances_option
@json_option
@with_settings
@click.argument(
    "stacks",
    metavar="[STACK...]",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@click.pass_context
def orphans(
    context: click.Context,
    instances: list[str],
    stacks: tuple[str, ...],
    settings: Settings,
    *,
    as_json: bool,
) -> None:
    """
    Find services that no stack owns, or more than one, and services in a stack that are gone.

    Each STACK is a file from `pulumi stack export`, or a state file of the file backend; `-`, or
    none at the end of a pipe, is stdin. Give every stack that may own a service of the instances.
    Nothing is changed.

    Exit code 1 when anything is found, and when the command fails.
    """
    if not stacks and (_is_closed(sys.stdin) or sys.stdin.isatty()):
        # Without a stack everything would be an orphan.
        raise click.UsageError("Give a STACK, or pipe `pulumi stack export` into this command.")
    read = [_read(stack) for stack in stacks or (_STDIN,)]
    clock: Clock = context.obj or SystemClock()  # the caller's own, in a test
    deadline = Deadline.after(clock, _LIMIT_S)
    operation = Operation(Gateway(settings, clock).within(deadline), clock, deadline, _Silent())
    found = compare(operation, instances, read, settings.region)
    if as_json:
        print_json(_document(found))
    else:
        _show(found, len(read), settings.region)
    if found.orphans or found.gone or found.owned_twice:
        context.exit(1)


def _is_closed(stream: TextIO | None) -> bool:
    return stream is None or stream.closed


def _read(path: str) -> Stack:
    name = "stdin" if path == _STDIN else path
    if path == _STDIN and _is_closed(sys.stdin):
        raise click.UsageError("stdin is closed: give a file in place of -.")
    try:
        content = sys.stdin.buffer.read() if path == _STDIN else Path(path).read_bytes()
    except OSError as error:
        raise OperationError(f"{name} cannot be read: {error.strerror}") from None
    return parse(content, name)


def _document(found: Comparison) -> dict[str, object]:
    return {
        "orphans": [
            {
                "id": str(orphan.service.id),
                "db_instance_id": orphan.service.id.db_instance_id,
                "model_service_id": orphan.service.id.model_service_id,
                "model_name": orphan.service.model_name,
                "ai_nodes": list(orphan.service.ai_nodes or ()),
                "status": orphan.service.status,
                "create_time": orphan.service.create_time,
                "maybe_from": [creation.urn for creation in orphan.maybe_from],
            }
            for orphan in found.orphans
        ],
        "gone": [_entry(entry) for entry in found.gone],
        "owned_twice": [
            {
                "id": str(service.id),
                "owners": [
                    _entry(owner) | {"pending_deletion": owner.pending_deletion}
                    for owner in service.owners
                ],
            }
            for service in found.owned_twice
        ],
        "unchecked": [_entry(entry) for entry in found.unchecked],
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {"id": str(entry.id), "urn": entry.urn, "region_id": entry.region}


def _show(found: Comparison, stacks: int, region: str | None) -> None:
    if found.orphans:
        _show_orphans(found.orphans, region)
    if found.gone:
        say("Gone, though a stack holds it:")
        _show_entries(found.gone)
        say("`pulumi refresh` drops it from its stack; the next `pulumi up` creates it again.\n")
    if found.owned_twice:
        _show_owned_twice(found.owned_twice)
    if found.unchecked:
        say("Not looked for, because a stack has it in another region:")
        _show_entries(found.unchecked)
        say("Ask again with --region.\n")
    if not found.orphans and not found.gone and not found.owned_twice:
        say(
            f"Nothing found: services {found.services}, owned by a stack {found.services}; "
            f"entries in {stacks} {'stack' if stacks == 1 else 'stacks'} {found.entries}, "
            f"gone 0, owned twice 0, not looked for {len(found.unchecked)}."
        )


def _show_orphans(found: tuple[Orphan, ...], region: str | None) -> None:
    say("Owned by none of the stacks; the AI nodes are billed:")
    columns = ("Service", "Model", "AI nodes", "Status")
    services = [orphan.service for orphan in found]
    print_table(
        columns,
        [(one.id, one.model_name, ", ".join(one.ai_nodes or ()), one.status) for one in services],
        empty="",
        whole=("Service",),
    )
    for orphan in found:
        for creation in orphan.maybe_from:
            urn = printable(creation.urn)
            say(
                f"{orphan.service.id} is maybe from an interrupted create of {urn}: `pulumi up` of "
                "that stack takes it back."
            )
    takeable = [one for one in services if one.phase is not Phase.FAILED]
    if takeable:
        say("To take a service over, declare it as it is, with its id:")
        for one in takeable:
            say(f'    opts=pulumi.ResourceOptions(import_="{one.id}")')
        say("For many, see `pulumi-adbpg-model import-file`.")
    say("If no other stack or person needs a service, delete it in the console, or with:")
    # That command has a region of its own, and with it an endpoint.
    place = f"--region {region} " if region else ""
    for one in services:
        instance, service = map(shlex.quote, (one.id.db_instance_id, one.id.model_service_id))
        say(
            f"    aliyun gpdb DeleteModelService {place}"
            f"--DBInstanceId {instance} --ModelServiceId {service}"
        )
    say()


def _show_owned_twice(found: tuple[OwnedTwice, ...]) -> None:
    """Safe to the letter: what a person does last, or does not do, leaves the service alive."""
    say("Owned by more than one resource; the first to be deleted takes it from the others:")
    _show_entries(tuple(owner for service in found for owner in service.owners))
    say(
        "Until all of this is done, run neither `pulumi up` nor `pulumi destroy` in these stacks: "
        "either may delete it."
    )
    for service in found:
        leaving = [owner for owner in service.owners if owner.pending_deletion]
        staying = [owner for owner in service.owners if not owner.pending_deletion]
        if leaving:
            # Its URN may be another's, too, which the program declares.
            say(
                "Drop the deletion that is pending from its state; if Pulumi asks which one, "
                f"choose {service.id} (Pending Deletion):"
            )
            _show_dropping(leaving)
        if len(staying) > 1:
            say(
                f"Choose which resource keeps {service.id}: one that its program declares. First "
                "drop the others from their states, with each of these lines but the one of that "
                "resource; only then take them out of their programs:"
            )
            _show_dropping(staying)
    say(
        "Type each line in the folder of its project; it deletes nothing in the cloud. Then "
        "export the stacks anew and run this command again.\n"
    )


def _show_dropping(owners: list[Entry]) -> None:
    for owner in owners:
        stack = shlex.quote(printable(owner.stack.rpartition("/")[2]))
        say(f"    pulumi state delete --stack {stack} {shlex.quote(printable(owner.urn))}")


def _show_entries(entries: tuple[Entry, ...]) -> None:
    rows = []
    for entry in entries:
        name = entry.urn.split("::", 3)[-1]
        if entry.pending_deletion:
            name += " (pending deletion)"
        rows.append((entry.id, entry.stack, name, entry.region))
    print_table(("Service", "Stack", "Resource", "Region"), rows, empty="", whole=("Service",))
