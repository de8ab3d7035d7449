"""`survey`: what a cloud does that the documents leave open."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from pulumi_adbpg_model import survey as surveying
from pulumi_adbpg_model.cli._cloud import Place, instance_option, json_option, place_options
from pulumi_adbpg_model.cli._given import OUTPUT, TEXT
from pulumi_adbpg_model.cli._output import print_json, print_table
from pulumi_adbpg_model.cli._signals import Signals
from pulumi_adbpg_model.cli._streams import is_terminal, say
from pulumi_adbpg_model.clock import Deadline, SystemClock
from pulumi_adbpg_model.domain import printable
from pulumi_adbpg_model.errors import (
    InstanceNotFoundError,
    OperationError,
    text_of,
)
from pulumi_adbpg_model.fields import is_id_part
from pulumi_adbpg_model.gateway import Gateway

_FILE = Path("survey.json")
_STDOUT = Path("-")
_INTERRUPTED = 130
#: What a line has in place of an id that is not known.
_PLACEHOLDER = "ID"
#: Creates of a trial: the first, perhaps again with a plain description, and five besides.
_CREATES = 7


def _service(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value == _PLACEHOLDER:
        raise click.BadParameter(f"{value} stands for the id of the service: put that in its place")
    if value is not None and not is_id_part(value):
        raise click.BadParameter(f"must be the id of a model service such as ms-123, got {value!r}")
    return value


@click.command()
@instance_option
@click.option(
    "--node", type=TEXT, metavar="NAME", help="A free AI node; creates one service on it."
)
@click.option("--model", type=TEXT, metavar="NAME", help="The model of that service.")
@click.option(
    "--timeout",
    "timeout_min",
    type=click.IntRange(2, 24 * 60),
    default=60,
    show_default=True,
    metavar="MINUTES",
    help="How long the service may take to become active.",
)
@click.option("--yes", is_flag=True, help="Do not ask before the service is created.")
@click.option(
    "--out",
    type=OUTPUT,
    default=_FILE,
    show_default=True,
    help="File to write, which must not exist. - is stdout; then the table goes to stderr.",
)
@json_option
@click.option(
    "--model-names", is_flag=True, help="Write the names of the catalogue, which are else counted."
)
@click.option(
    "--remove",
    "removed",
    metavar="ID",
    callback=_service,
    help="Delete a service that a survey has left, and do nothing else.",
)
@click.option(
    "--unmarked",
    is_flag=True,
    help="With --remove: also if the cloud does not show the description by which it is known, or "
    "if it admits more than 127.0.0.1 by now.",
)
@place_options
@click.pass_context
def survey(
    context: click.Context,
    place: Place,
    instance: str,
    node: str | None,
    model: str | None,
    timeout_min: int,
    out: Path,
    removed: str | None,
    *,
    yes: bool,
    as_json: bool,
    model_names: bool,
    unmarked: bool,
) -> None:
    """
    Ask a cloud what the documents leave open, and write what it said.

    Without --node and --model it only reads. With both it creates one model service, which admits
    nobody, follows it until it is active or has failed, and deletes it; before that it says what
    it will do, and asks. The file holds no id, name, address, key or account: see
    docs/commands.md.

    Exit code 130 after Ctrl-C, if all that was created is deleted.
    """
    run = _Run(context, place, instance, timeout_min * 60.0)
    if removed is not None:
        if node or model:
            raise click.UsageError("--remove goes without --node and --model")
        run.remove(removed, unmarked=unmarked)
        return
    if unmarked:
        raise click.UsageError("--unmarked goes with --remove")
    if (node is None) != (model is None):
        raise click.UsageError("--node and --model go together: give both, or neither")
    if node is not None and not yes and not is_terminal(sys.stdin):
        raise click.UsageError(
            "a service would be created, and there is no terminal to ask on: give --yes"
        )
    target = None if out == _STDOUT else out
    if target is not None:
        _check_writable(target)
    trial = None if node is None or model is None else (node.strip(), model.strip())
    run.survey(trial, yes=yes, target=target, with_models=model_names)
    try:
        run.show(target, as_json=as_json)
    except KeyboardInterrupt:
        if not run.code:
            raise  # else it says more than that somebody was impatient
    if run.code:
        context.exit(run.code)


class _Run:
    """One run of the command."""

    def __init__(
        self, context: click.Context, place: Place, instance: str, timeout_s: float
    ) -> None:
        self._place = place
        self._instance = instance
        self._timeout_s = timeout_s
        #: How long to look that something is deleted: it may have to become active first.
        self._limit_min = round((timeout_s + surveying.DELETION_S) / 60)
        # The caller's own clock, in a test.
        self._clock = surveying.StoppableClock(context.obj or SystemClock())
        self._trial: tuple[str, str] | None = None
        self._life: surveying.Life | None = None
        #: Whether there is more to tell than that it cannot begin.
        self._began = False
        self._ended: str | None = None
        self._document: dict[str, Any] | None = None
        self._written = False
        self.code = 0

    def _connect(self) -> None:
        configuration = self._place.configuration()
        if configuration.note:
            _tell(configuration.note)
        settings = self._settings = self._place.resolve(configuration)
        self._cloud = surveying.Cloud(Gateway(settings, self._clock), self._clock, self._instance)
        self._evidence = surveying.Evidence(settings.region, self._instance)

    # Surveying

    def survey(
        self,
        trial: tuple[str, str] | None,
        *,
        yes: bool,
        target: Path | None,
        with_models: bool,
    ) -> None:
        """Ask all questions; what was made is deleted or told, and the file written."""
        self._connect()
        self._trial = trial
        with Signals(self._clock.stop) as signals:
            problem: BaseException | None = None
            try:
                self._ask(signals, yes=yes)
            except click.exceptions.Exit:
                raise
            except click.Abort:  # at the question
                _tell("\nNothing was created or written.")
                raise click.exceptions.Exit(_INTERRUPTED) from None
            except BaseException as error:  # noqa: BLE001 - whatever it is, what was made must go
                problem = error
            signals.protect(
                "No more waiting: what is not seen to go is told, with the line that deletes it."
            )
            stopped = self._clock.cancelled
            self._clock.resume()
            left = self._clean()
            self._judge(problem, stopped=stopped, left=left)
            if self._began:
                self._write(target, with_models=with_models)

    def _ask(self, signals: Signals, *, yes: bool) -> None:
        cloud, evidence, trial = self._cloud, self._evidence, self._trial
        evidence.models = cloud.models()
        evidence.nodes = cloud.nodes()
        evidence.listing = cloud.listing()
        unknown = evidence.listing.refusal
        if isinstance(unknown, InstanceNotFoundError):
            raise unknown
        if trial is not None:
            surveying.check(evidence, *trial)
        left = surveying.left_over(evidence)
        if left:
            what = "a service" if len(left) == 1 else f"{len(left)} services"
            _tell(f"A survey has left {what}, unless it is running now. This deletes what is left:")
            for service_id in left:
                _tell(f"    {self._line(service_id)}")
            if trial is not None:
                raise OperationError(
                    "nothing was created: delete what another survey has left, with each line "
                    "above, or wait for its end."
                )
        if trial is not None:
            self._announce(*trial)
            if not yes and not click.confirm("Create it?", err=True):
                _tell("Nothing was created or written.")
                raise click.exceptions.Exit(1)
        self._began = True
        surveying.look(cloud, evidence)
        if trial is not None:
            node, model = trial
            signals.protect("Stopping; what was created is deleted first.")
            self._life = surveying.Life(
                cloud,
                self._clock,
                evidence,
                node=node,
                model=model,
                timeout_s=self._timeout_s,
                made=self._made,
                say=_tell,
            )
            self._life.run()

    def _announce(self, node: str, model: str) -> None:
        minutes = round(self._timeout_s / 60)
        _tell(
            f"This creates one model service, {model} on AI node {node} of instance "
            f"{self._instance}, follows it until it is active or has failed, and deletes it.\n"
            "- Whitelist: 127.0.0.1 alone, which admits nobody.\n"
            "- Cost: the node is billed whether it has a service or not; no price of a service "
            "of its own is known.\n"
            f"- Requests to create: at most {_CREATES}, repeated while the instance is busy or "
            "does not answer. Only the\n  first should create anything: the others repeat its "
            "client token, or name the node that it\n  holds. What one creates all the same is "
            "deleted too.\n"
            f"- Time: at most {minutes} minutes until it is active (--timeout), at least one; then "
            f"{round(surveying.DELETION_S / 60)} until it is gone, and as long\n"
            "  again to delete what should not have been created. Ctrl-C deletes it at once."
        )

    def _made(self, service_id: str) -> None:
        _tell(
            f"Created {self._instance}:{service_id}. It is deleted at the end; should this process "
            f"be killed before, this line deletes it:\n    {self._line(service_id)}",
            urgent=True,
        )

    def _clean(self) -> list[surveying.Left]:
        if self._life is None:
            return []
        ledger = self._life.ledger
        if ledger.living() or ledger.doubtful:
            _tell(
                "Looking that all that was created is deleted, for at most "
                f"{self._limit_min} minutes. Ctrl-C ends the waiting."
            )
        return ledger.clean(self._limit_min * 60.0)

    def _judge(
        self, problem: BaseException | None, *, stopped: bool, left: list[surveying.Left]
    ) -> None:
        if stopped or isinstance(problem, (KeyboardInterrupt, surveying.Interrupted)):
            self._ended, self.code = "interrupted", _INTERRUPTED
        elif problem is not None:
            _tell(f"Error: {text_of(problem)}")
            self._ended, self.code = type(problem).__name__, 1
        if self._life is None:
            return
        for one in left:
            self._tell_left(one)
            self.code = 1
        if self._life.ledger.doubtful:
            self._tell_unknown()
            self.code = 1
        if not left and not self._life.ledger.doubtful and self._ended is not None:
            _tell("Nothing of it is left in the cloud.")

    def _tell_left(self, left: surveying.Left) -> None:
        name = f"{self._instance}:{left.service_id}"
        line = self._line(left.service_id, unmarked=left.unmarked)
        if left.maybe:
            told = (
                f"{name} may be the survey's: the cloud does not tell whose it is. If nobody else "
                f"made it on AI node {self._node()}, delete it"
            )
        elif left.accepted:
            told = f"The deletion of {name} is accepted, but it was not seen to go. See to it"
        else:
            told = f"{name} is left; delete it"
        _tell(f"{told}:\n    {line}", urgent=True)

    def _tell_unknown(self) -> None:
        _tell(
            "Whether a service was created that is not named here is not known: an answer was "
            f"lost, or wrong. It would be on AI node {self._node()} of instance "
            f"{self._instance}, and its description would begin with {surveying.MARK!r}. This "
            "tells what a survey has left, with the line that deletes it:\n"
            f"    {self._command('survey')} --out -\n"
            "Where the cloud shows no descriptions, this lists the services:\n"
            f"    {self._command('list')}\n"
            "and with the id of the one that nobody else has created, this deletes it:\n"
            f"    {self._line(_PLACEHOLDER, unmarked=True)}",
            urgent=True,
        )

    def _node(self) -> str:
        return printable(self._trial[0]) if self._trial else ""

    def _line(self, service_id: str, *, unmarked: bool = False) -> str:
        """The line that deletes a service of a survey."""
        more = ("--remove", service_id, *(("--unmarked",) if unmarked else ()))
        return self._command("survey", *more)

    def _command(self, name: str, *more: str) -> str:
        place, settings = self._place, self._settings
        endpoint = settings.endpoint
        # Also what comes from an environment or a stack that may be another by then.
        given = {
            "--region": settings.region,
            "--endpoint": endpoint and f"{endpoint.protocol}://{endpoint.host}",
            "--profile": place.profile,
            "--stack": place.stack,
        }
        options = [part for key, value in given.items() if value for part in (key, value)]
        options += ["--no-stack"] if place.no_stack else []
        return shlex.join(
            ["pulumi-adbpg-model", name, "--instance", self._instance, *more, *options]
        )

    # Showing

    def _write(self, target: Path | None, *, with_models: bool) -> None:
        self._document = surveying.report(
            self._evidence,
            self._cloud,
            version=version("pulumi-adbpg-model"),
            private=self._trial or (),
            with_models=with_models,
            ended=self._ended,
        )
        if target is not None:
            self._written = _write(target, self._document)
            # It may have taken an hour: what is not in the file is printed.
            self.code = self.code if self._written else 1

    def show(self, target: Path | None, *, as_json: bool) -> None:
        """Print the table or the JSON."""
        document = self._document
        if document is None:
            return  # nothing was learned
        in_file = target is not None and self._written
        as_json = as_json or (target is not None and not in_file)
        if target is None or as_json:
            print_json(document)
        if not as_json:
            print_table(
                ("Question", "Seen", "Fits"),
                surveying.rows(document),
                empty="",
                whole=("Question",),
                err=target is None,
            )
            found = ", ".join(document["dialects"]) or "none but the documented behaviour"
            say(f"Dialects of the simulator: {found}.", err=target is None)
        if in_file:
            models = " and the models" if document["models"] else ""
            _tell(
                f"{'Written' if self._ended is None else 'What was seen is written'} to {target}. "
                "Attach it to an issue of this project: it names nothing of yours but the region"
                f"{models}.\nThis simulates the cloud that it tells of:\n"
                f"    {shlex.join(('pulumi-adbpg-model', 'simulate', '--like', str(target)))}"
            )

    # Removing

    def remove(self, service_id: str, *, unmarked: bool) -> None:
        """
        Delete a service that a survey has made.

        Raises:
            AdbpgModelError: It is not the survey's, or is not gone in time.
        """
        self._connect()
        cloud, clock, name = self._cloud, self._clock, f"{self._instance}:{service_id}"
        deadline = Deadline.after(clock, surveying.UNSEEN_S)
        while True:
            described = cloud.describe(service_id)
            listing = cloud.listing()
            if described.refusal is not None and listing.refusal is not None:
                raise listing.refusal
            shown = described.elements if surveying.shows(described) else listing.item(service_id)
            if shown is not None:
                break
            if deadline.expired:
                say(f"{name} is not there, or not any more.")
                return
            clock.sleep(3.0)
        item = listing.item(service_id) or {}
        self._check_ours(service_id, (shown, item), unmarked=unmarked)
        _tell(f"Deleting {name}, and waiting at most {self._limit_min} minutes until it is gone.")
        ledger = surveying.Ledger(cloud, clock, surveying.MARK, lambda _: None)
        if not ledger.remove(service_id, Deadline.after(clock, self._limit_min * 60.0)):
            answer = cloud.delete(service_id)
            if answer.refusal is not None:
                raise answer.refusal
            raise OperationError(f"the deletion of {name} is accepted, but it is not gone yet.")
        say(f"{name} is deleted.")

    def _check_ours(
        self, service_id: str, shown: tuple[Mapping[str, Any], ...], *, unmarked: bool
    ) -> None:
        """See that a survey has made a service, as Describe and List show it."""
        name = f"{self._instance}:{service_id}"
        line = self._line(service_id, unmarked=True)
        if any(map(surveying.is_marked, shown)):
            if any(map(surveying.admits_others, shown)) and not unmarked:
                raise OperationError(
                    f"a survey has made {name}, but it admits more than 127.0.0.1 by now, so "
                    f"somebody may use it. If nobody does, delete it with: {line}"
                )
            return
        described_as = next(filter(None, (one.get("Description") for one in shown)), None)
        telling = described_as or surveying.whitelist_of(shown[0])
        if telling and not surveying.admits_nobody(shown[0]):
            raise OperationError(f"{name} was not made by a survey, so it is not deleted.")
        if not unmarked:
            what = "another description" if described_as else "no description"
            raise OperationError(
                f"the cloud shows {what} of {name}, so nothing tells whether a survey has made "
                f"it. If a survey has printed this id, delete it with: {line}"
            )


def _tell(text: str, *, urgent: bool = False) -> None:
    """
    Say something on stderr, which may be gone: what is to be deleted is deleted all the same.

    What is urgent goes to stdout then.
    """
    try:
        for line in text.splitlines():
            say(printable(line), err=True)
    except (OSError, ValueError):
        lost = True
    else:
        lost = sys.stderr is None
    if lost and urgent:
        with contextlib.suppress(OSError, ValueError):
            for line in text.splitlines():
                say(printable(line))


def _check_writable(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise click.UsageError(f"{path} is no regular file: name a new one, or - for stdout")
    if path.exists():
        raise click.UsageError(f"{path} exists already: remove it, or name another with --out")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None


def _write(path: Path, document: dict[str, Any]) -> bool:
    """Write the file whole or not at all, for its owner alone; tell whether it is there."""
    text = json.dumps(document, indent=2, ensure_ascii=True)
    draft: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        draft = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
        if path.exists():  # by now; it may be another survey's
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        draft.replace(path)
    except OSError as error:
        if draft is not None:
            draft.unlink(missing_ok=True)
        _tell(f"Error: {path} cannot be written: {error.strerror}. This is what it would hold:")
        return False
    return True
