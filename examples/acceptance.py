"""
The life that `make demo` shows, in your own account: `make acceptance`, see docs/acceptance.md.

Exit codes: 0, every step was as it should be, and nothing is left; 1, not so; 2, nothing was begun;
128 + number, ended by a signal, after what was made here was deleted, or named.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, TextIO, cast

import demo
from pulumi import automation as auto
from pulumi.automation.errors import create_command_error
from rich.console import Console
from semver import VersionInfo

from pulumi_adbpg_model.clock import Deadline, SystemClock
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, printable
from pulumi_adbpg_model.errors import AdbpgModelError, ConfigurationError
from pulumi_adbpg_model.gateway import endpoint_of
from pulumi_adbpg_model.lifecycle import GRACE_S
from pulumi_adbpg_model.lifecycle.operation import format_duration
from pulumi_adbpg_model.service.validation import validate
from pulumi_adbpg_model.settings import Settings

#: How the descriptions of all services begin that any run makes.
MARK = "pulumi-adbpg-model acceptance"
#: The whole of such a description; `demo.walk` changes it once.
_DESCRIPTION = re.compile(rf"{MARK} [0-9a-f]{{8}}(, changed)?")
PREFIX = "ADBPG_ACCEPTANCE_"
#: What is asked for, by the input of the resource that it becomes.
VARIABLES = {
    "db_instance_id": f"{PREFIX}INSTANCE",
    "ai_nodes": f"{PREFIX}NODE",
    "model_name": f"{PREFIX}MODEL",
}
TYPE = "pulumi-python:dynamic/adbpg:ModelService"
ENGINE = Path(__file__).resolve().parents[1] / "tools" / "engine.py"
_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
    if hasattr(signal, name)
]


class RefusedError(Exception):
    """Nothing was begun, and the text says why."""


class StoppedError(Exception):
    """A signal came."""


class _Lasting(io.TextIOBase):
    """Standard output, and where nobody reads that any more, standard error, or nothing."""

    def __init__(self) -> None:
        self._streams: list[TextIO] = [sys.stdout, sys.stderr]
        self._terminal = sys.stdout.isatty()

    def write(self, text: str) -> int:
        while self._streams:
            try:
                self._streams[0].write(text)
                self._streams[0].flush()
                break
            except OSError:  # the pipe or the terminal is gone, but a service may be there
                gone = self._streams.pop(0)
                with open(os.devnull, "w") as nothing:  # noqa: PTH123 - what Python flushes at its end
                    os.dup2(nothing.fileno(), gone.fileno())
        return len(text)

    def isatty(self) -> bool:
        return self._terminal


def say(text: str = "", style: str = "") -> None:
    """One line, however long."""
    demo.console.print(text, markup=False, style=style, soft_wrap=True)


class Stop:
    """
    Ctrl-C and its kind: the first ends what is under way, so that the rest is only to delete.

    While that goes on, one more is asked for before it is ended, too.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.clock = SystemClock()
        self._process: subprocess.Popen[str] | None = None
        self._cleaning = False
        self._patience = 0

    def __call__(self, number: int, _frame: object) -> None:
        first, self.number = self.number is None, self.number or number
        if self._cleaning and self._patience:
            self._patience -= 1
            say("What was made here is being deleted. Once more ends that, and names what is left.")
        elif first or self._cleaning:
            say("Stopping.")
            self._end()

    def _end(self) -> None:
        self.clock.cancel.set()
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)

    def clean(self) -> SystemClock:
        """From now on only what deletes is run; the clock to do it by."""
        self._cleaning, self._patience, self.clock = True, 1, SystemClock()
        return self.clock

    def watch(self, process: subprocess.Popen[str] | None) -> None:
        """The command to be ended, or that there is none."""
        self._process = process
        if process is not None and self.clock.cancelled:  # it came while the process started
            process.send_signal(signal.SIGINT)

    def check(self) -> None:
        """
        Begin nothing after a signal, but what deletes.

        Raises:
            StoppedError: One came.
        """
        if self.number is not None and not self._cleaning:
            raise StoppedError


class Cli(auto.PulumiCommand):
    """
    The CLI out of the reach of Ctrl-C, which `Stop` passes on.

    It takes one for a wish, and a second, such as ours beside that of the terminal, for an order to
    let go of everything.
    """

    def __init__(self, engine: Path, stop: Stop) -> None:
        """
        The CLI at a path, which is asked for its version.

        Raises:
            RefusedError: It tells none.
        """
        # The base class would run whatever `pulumi` there is on the PATH.
        self.command, self.version = str(engine), _version_of(engine)
        self.stop = stop
        #: The ids of all services that creates were answered with.
        self.answered: list[str] = []

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> auto.CommandResult:
        """See the base class. Where output is shown, standard error is, too."""
        self.stop.check()
        on_error = on_error or on_output
        out: list[str] = []
        err: list[str] = []
        with subprocess.Popen(
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            self.stop.watch(process)
            streams = ((process.stdout, out, on_output), (process.stderr, err, on_error))
            readers = [threading.Thread(target=_read, args=each) for each in streams]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            code = process.wait()
        self.stop.watch(None)
        self.answered += [one for one in created_in(out) if one not in self.answered]
        if code != 0:
            if on_output is not None:
                out, err = ["shown above"], ["shown above"]
            raise create_command_error(auto.CommandResult("\n".join(out), "\n".join(err), code))
        return auto.CommandResult("\n".join(out), "\n".join(err), code)


def created_in(output: Sequence[str]) -> list[str]:
    """The ids of the services that the CLI's output tells of when their create is answered."""
    found = re.findall(r"CreateModelService answers with (gp-\S+:ms-\S+)", "\n".join(output))
    return list(dict.fromkeys(found))


def _version_of(engine: Path) -> VersionInfo:
    """
    The version that the CLI tells.

    Raises:
        RefusedError: It tells none.
    """
    try:
        told = subprocess.run(
            [str(engine), "version"],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            capture_output=True,
            text=True,
            check=True,
        )
        return VersionInfo.parse(told.stdout.strip().removeprefix("v"))
    except (OSError, ValueError, subprocess.CalledProcessError):
        raise RefusedError(
            f"{engine} is no Pulumi CLI that runs: `pulumi version` tells no version. Install the "
            "CLI (pulumi.com/docs/install), or let ADBPG_ENGINE name another one."
        ) from None


def _read(stream: IO[str], kept: list[str], show: Callable[[str], Any] | None) -> None:
    for line in stream:
        kept.append(line.rstrip())
        if show is not None:
            show(line.rstrip())


def place_of(environ: Mapping[str, str]) -> demo.Place:
    """
    Where the environment says that the service shall live.

    Raises:
        RefusedError: It does not, or not in a form that any cloud knows.
    """
    given = {name: environ.get(variable, "").strip() for name, variable in VARIABLES.items()}
    missing = [VARIABLES[name] for name, value in given.items() if not value]
    if missing:
        raise RefusedError(
            "make acceptance plays the demo in your own account, on one AI node that is free. It "
            "needs the variables\n"
            f"{PREFIX}INSTANCE=gp-…, {PREFIX}NODE=ai-… and {PREFIX}MODEL=…, beside region and "
            "credentials (docs/configuration.md).\n"
            f"Not set: {', '.join(missing)}. What it does, what it costs and how long it takes: "
            "docs/acceptance.md."
        )
    wrong = validate({**given, "ai_nodes": [given["ai_nodes"]]})
    if wrong:
        raise RefusedError(
            "\n".join(
                f"{VARIABLES.get(failure.property.partition('[')[0], failure.property)}: "
                f"{failure.reason}"
                for failure in wrong
            )
        )
    mark = f"{MARK} {secrets.token_hex(4)}"
    return demo.Place(given["db_instance_id"], given["ai_nodes"], given["model_name"], mark)


def made_by_a_run(service: ModelServiceDetails) -> bool:
    """Whether its whole description is one that a run gives: another one may begin like it."""
    return _DESCRIPTION.fullmatch((service.description or "").strip()) is not None


def looked_at(cloud: demo.Cloud) -> demo.Cloud:
    """
    The same cloud, with what is there before anything is begun.

    Raises:
        RefusedError: Instance, node or model does not fit, or an earlier run left something.
        AdbpgModelError: The cloud cannot be asked.
    """
    place, gateway = cloud.place, cloud.gateway
    services = [one for one in gateway.list_model_services(place.instance) if not one.is_deleted]
    nodes = {node.name: node for node in gateway.list_ai_nodes(place.instance)}
    models = gateway.list_supported_models()
    left = [one for one in services if made_by_a_run(one)]
    holders = [one for one in services if place.node in (one.ai_nodes or ()) and one not in left]
    problems = [
        f"An earlier run left {one.id}, or another one is at work. If none is, delete it:\n"
        f"    {removal(one.id)}"
        for one in left
    ] + [
        f"AI node {place.node} is held by model service {one.id}: choose a free node."
        for one in holders
    ]
    if place.node not in nodes:
        problems.append(
            f"Instance {place.instance} has no AI node {place.node}; it has "
            f"{printable(', '.join(nodes)) or 'none'}."
        )
    elif nodes[place.node].bound and not holders and not left:
        problems.append(f"AI node {place.node} is bound: choose a free node.")
    if place.model not in models:
        problems.append(
            f"The region does not list the model {place.model}: `pulumi-adbpg-model models` shows "
            "those that it lists."
        )
    if problems:
        raise RefusedError("\n".join(problems))
    return replace(cloud, others={one.id for one in services})


def find_engine() -> Path:
    """
    The Pulumi CLI, which is fetched if there is none, and put first on the PATH.

    Raises:
        RefusedError: There is none to be had.
    """
    found = subprocess.run(
        [sys.executable, str(ENGINE)], stdout=subprocess.PIPE, text=True, check=False
    )
    if found.returncode != 0:
        raise RefusedError("There is no Pulumi CLI, and none could be fetched: see above.")
    engine = Path(found.stdout.strip())
    os.environ["PATH"] = f"{engine.parent}{os.pathsep}{os.environ['PATH']}"
    return engine


def explain(cloud: demo.Cloud, home: Path) -> None:
    """Say what will happen, what it may cost and how long it may take."""
    place, settings = cloud.place, cloud.settings
    who = printable(cloud.gateway.find_credentials())
    say(
        f"The life of a model service, on instance {place.instance} at "
        f"{endpoint_of(settings)}, with {who}:"
    )
    say(
        f"- On AI node {place.node}, a service that runs {place.model} is created three times and "
        "deleted three times, twice by Pulumi and once past it."
    )
    say(f"- Its whitelist is {demo.WHITELIST}: nobody can call it. Nothing else is touched.")
    say(
        "- The node is billed as it is anyway, with and without a service. A service has no price "
        "of its own that we know of: docs/costs.md."
    )
    say(
        "- How long a deployment takes is not documented. Each is given an hour, each deletion 20 "
        "minutes: four hours at most. Ctrl-C ends it at any time, and deletes what is there."
    )
    say(f"- Until the end, the stack's state is in {home}.")


def ask() -> None:
    """
    Have a person agree.

    Raises:
        RefusedError: Nobody does, or nobody is there.
    """
    if not sys.stdin.isatty():
        raise RefusedError(
            "There is no terminal to ask on, so nothing was begun. To agree beforehand: "
            'make acceptance ACCEPTANCE="--yes"'
        )
    try:
        agreed = input("Go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        agreed = False
    if not agreed:
        raise RefusedError("Nothing was begun.")


def play(home: Path, cli: Cli, cloud: demo.Cloud) -> int:
    """Walk, and delete what is left in the end, whatever happened; returns the exit code."""
    started = time.monotonic()
    stop = cli.stop
    for number in _SIGNALS:
        # Under nohup SIGHUP is to be ignored. A shell has all in the background ignore SIGINT.
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
    cloud = replace(cloud, clock=stop.clock)
    stack: auto.Stack | None = None
    walked = False
    try:
        stack = demo.create_stack(home, cloud.place, {}, command=cli)
        demo.walk(stack, cloud)
        walked = True
    except StoppedError:
        pass
    except (demo.StepError, auto.CommandError, AdbpgModelError) as error:
        if stop.number is None:
            say(f"\nFailed: {printable(' '.join(str(error).split()))}", "red")
    finally:
        tidy = clean_up(home, cli, stack, replace(cloud, clock=stop.clean()), walked=walked)
    took = format_duration(time.monotonic() - started)
    if tidy:
        say(f"\nNothing is left in the cloud ({took} in all).", "bold green" if walked else "bold")
    if stop.number is not None:
        return 128 + stop.number
    return 0 if walked and tidy else 1


def clean_up(
    home: Path, cli: Cli, stack: auto.Stack | None, cloud: demo.Cloud, *, walked: bool
) -> bool:
    """Delete what is left, by Pulumi, and past it; whether nothing is. What is left is named."""
    owned: list[str] = []
    destroyed = walked or stack is None
    if stack is not None and not walked:
        _unlock(stack)
        try:
            owned = _in_state(home, cli)
            demo.run("At the end, pulumi destroy: remove what is left", stack.destroy)
            destroyed = True
        except (auto.CommandError, demo.StepError):
            _unlock(stack)
            with suppress(auto.CommandError):
                owned = _in_state(home, cli)
    left: list[ModelServiceDetails] = []
    unseen = ""
    try:
        left = _delete_past_pulumi(cloud, () if destroyed else owned, patient=not (walked or owned))
    except AdbpgModelError as error:
        unseen = printable(str(error))
    if destroyed:
        shutil.rmtree(home, ignore_errors=True)
    else:
        _say_what_pulumi_left(home, cli, owned, gone=not (owned or left or unseen))
    for service in left:
        if destroyed or str(service.id) not in owned:
            _name(service, cloud)
    if unseen:
        _say_how_to_look(cloud, unseen, cli.answered)
    return destroyed and not left and not unseen


def _say_what_pulumi_left(home: Path, cli: Cli, owned: Sequence[str], *, gone: bool) -> None:
    """Where a destroy failed: what the state has, as far as it can be read."""
    if gone:
        say(
            "\nNothing is left in the cloud, but Pulumi can neither destroy nor read its state.",
            "red",
        )
        say(f"To remove that, too:\n    {shlex.join(['rm', '-r', str(home)])}")
        return
    say("\nPulumi could not remove everything.", "red")
    if owned:
        say("Left, and holding the node:")
    for one in owned:
        say(f"  {one}")
    say(f"The state is kept in {home}. To delete it, in a shell with the same variables:")
    say(f"    {destruction(home, Path(cli.command))}")


def _say_how_to_look(cloud: demo.Cloud, unseen: str, answered: Sequence[str]) -> None:
    """Where the cloud cannot be asked: what to do when it can."""
    instance = cloud.place.instance
    look = [sys.executable, "-m", "pulumi_adbpg_model", "list", "--no-stack", "--json"]
    say(f"\nWhether anything else is left could not be seen: {unseen}", "red")
    say(f"Later, this lists the services; this run's are described as {cloud.place.mark!r}:")
    say(f"    {shlex.join([*look, '--instance', instance])}")
    if answered:
        say("The last that was created is deleted by this, if it is still there:")
    else:
        say("And this deletes one, with its id at the end:")
    say(f"    {removal((answered or [f'{instance}:ms-…'])[-1])}")


def _name(service: ModelServiceDetails, cloud: demo.Cloud) -> None:
    """Say of a service that is in no state that it is left."""
    if cloud.has_mark(service):
        say(f"\nLeft, and in no state: {service.id}. To delete it, with the same variables:", "red")
        say(f"    {removal(service.id)}")
    else:
        say(
            f"\nLeft, and without a description that tells whose it is: {service.id}. It came "
            "during this run. If nobody else made it, delete it in the console.",
            "red",
        )


def _unlock(stack: auto.Stack) -> None:
    """Drop the lock of a command that was killed; none of this stack is running."""
    with suppress(auto.CommandError):
        stack.cancel()


def _in_state(home: Path, cli: Cli) -> list[str]:
    """The ids of the services in the state, whose secrets stay as they are."""
    words = ["stack", "export", "--stack", demo.STACK]
    exported = cli.run(words, str(home / "project"), demo.stack_environment(home)).stdout
    resources = (json.loads(exported).get("deployment") or {}).get("resources") or ()
    return [one["id"] for one in resources if one["type"] == TYPE and one.get("id")]


def _delete_past_pulumi(
    cloud: demo.Cloud, owned: Sequence[str], *, patient: bool
) -> list[ModelServiceDetails]:
    """
    Delete what no state has any more and shows the mark of this run; what is still there then.

    Args:
        cloud: What to look at.
        owned: What Pulumi is to delete.
        patient: Whether something may still show up: a create may be under way whose id is unknown.
    """
    until = Deadline.after(cloud.clock, GRACE_S if patient else 0)
    found = cloud.services()
    if not found and not until.expired:
        say(f"Looking for up to {GRACE_S:.0f} s whether a service still shows up.")
    while not found and not until.expired and not cloud.clock.cancelled:
        cloud.clock.sleep(5)
        found = cloud.services()
    for service in found:
        if str(service.id) not in owned and cloud.has_mark(service):
            say(f"Still there: {service.id}. It is deleted past Pulumi.")
            try:
                cloud.delete(service.id)
            except AdbpgModelError as error:
                say(printable(str(error)))
    return cloud.services() if found else []


def destruction(home: Path, engine: Path) -> str:
    """The command that removes what the state in a folder has, then the folder."""
    variables = shlex.join(
        f"{name}={value}" for name, value in demo.stack_environment(home).items()
    )
    project = str(home / "project")
    command = [str(engine), "destroy", "--yes", "--stack", demo.STACK, "--cwd", project]
    return f"env {variables} {shlex.join(command)} && {shlex.join(['rm', '-r', str(home)])}"


def removal(service: object) -> str:
    """The command that deletes a service which a run left."""
    return shlex.join([sys.executable, str(Path(__file__).resolve()), "--remove", str(service)])


def remove(text: str) -> int:
    """
    Delete one service that a run left, and no other; returns the exit code.

    Raises:
        RefusedError: It is none.
        AdbpgModelError: It could not be deleted, or whether it is there could not be seen.
    """
    if "…" in text:
        raise RefusedError(
            f"--remove: {text} stands for an id: put the service's own in its place."
        )
    try:
        service = ModelServiceId.parse(text)
    except ValueError as error:
        raise RefusedError(f"--remove: the id {error}") from None
    settings = Settings.resolve(lambda _: None, os.environ)
    cloud = demo.Cloud(demo.Place(service.db_instance_id, "", "", MARK), settings)
    found = cloud.find(service)
    if found is None:
        say(f"{service} is not there.")
        return 0
    if not made_by_a_run(found):
        raise RefusedError(
            f"{service} is not deleted: its description is not {MARK!r} and a run's eight "
            "hexadecimal digits, so no acceptance run made it."
        )
    cloud.delete(service)
    return 0


def main() -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(description="The life of a model service in your own account.")
    parser.add_argument("--yes", action="store_true", help="do not ask before it begins")
    parser.add_argument("--remove", metavar="ID", help="delete a service that an earlier run left")
    options = parser.parse_args()
    demo.console = Console(highlight=False, file=cast("IO[str]", _Lasting()))
    try:
        if options.remove is not None:
            return remove(options.remove)
        place = place_of(os.environ)
        cloud = looked_at(demo.Cloud(place, Settings.resolve(lambda _: None, os.environ)))
        cli = Cli(find_engine(), Stop())
        home = Path(tempfile.mkdtemp(prefix="adbpg-acceptance-"))
        explain(cloud, home)
        try:
            if not options.yes:
                ask()
        except BaseException:
            home.rmdir()
            raise
    except (RefusedError, ConfigurationError) as error:
        say(str(error))
        return 2
    except AdbpgModelError as error:
        say(printable(str(error)))
        return 1 if options.remove is not None else 2
    except KeyboardInterrupt:
        say("\nNothing was begun.")
        return 130
    return play(home, cli, cloud)


if __name__ == "__main__":
    sys.exit(main())
