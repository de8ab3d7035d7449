"""
One Pulumi stack on the real engine, in a folder of its own.

Programs run through the SDK's Automation API, which starts the real CLI in a child process; its
output, state file and exit code are real. Nothing of the engine is replaced.
"""

from __future__ import annotations

import atexit
import copy
import functools
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.vault import PROVIDER, vault

PROJECT = "adbpg-test"
STACK = "dev"
TYPE = "pulumi-python:dynamic/adbpg:ModelService"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|<\{%[^%]*%\}>")

_REQUEST_ID = re.compile(r"request_id=[0-9A-F-]{36}")
# What the engine says of its own, around and beside what providers say. All of it stands here, so
# that tests can be strict about our lines, and another CLI may word its own otherwise.
_LABEL = re.compile(
    r"^(Exception calling application|an unhandled error occurred|Preview failed): |^\* "
)
_OWN_OF_ENGINE = re.compile(
    r"(preview|update|refresh|destroy) (failed|canceled)$"
    r"|Resource monitor has terminated, shutting down$"
    r"|\d+ errors? occurred:$"
)
_PROBLEM = re.compile(
    r"\S+ resource '[^']*'(: property (?P<property>\S+) value .*?)? has a problem: (?P<reason>.*)"
)
_EVENTS_TIMEOUT_S = 10.0

Program = Callable[[], None]


def language_host() -> str | None:
    """Pulumi's host of Python programs, beside the CLI or on the PATH. A built CLI has none."""
    engine = shutil.which(os.environ.get("ADBPG_ENGINE", "pulumi"))
    folders = [str(Path(engine).parent)] if engine else []
    path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    return shutil.which("pulumi-language-python", path=path)


def engine_environment(home: Path) -> dict[str, str]:
    """What the CLI needs to run alone: local state, our Python, no look outside."""
    state = home / "state"
    state.mkdir(parents=True, exist_ok=True)
    return {
        "PULUMI_HOME": str(home / "pulumi-home"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_PYTHON_CMD": sys.executable,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
    }


@dataclass(frozen=True)
class Line:
    """A lasting line of the event log: in whose row it stands, its severity, and what it says."""

    urn: str
    severity: str
    text: str

    @property
    def name(self) -> str:
        """The resource's name; of the stack's own row, the stack's."""
        return self.urn.rpartition("::")[2]


class EventLog:
    """What the engine told of one command, as `--event-log` writes it."""

    def __init__(self) -> None:
        self.events: list[auto.EngineEvent] = []
        self.lines: list[Line] = []
        #: Names of the resources of which an operation failed.
        self.failed: set[str] = set()
        #: URNs of all rows, by what is done to the resource.
        self.rows: dict[str, set[str]] = {}
        self.changes: dict[str, int] = {}
        self._ended = threading.Event()

    def take(self, event: auto.EngineEvent) -> None:
        """Take the next event."""
        self.events.append(event)
        told = event.diagnostic_event
        if told is not None and not told.ephemeral:
            texts = (text.strip() for text in _plain(told.message).splitlines())
            self.lines += [Line(told.urn or "", told.severity, text) for text in texts if text]
        if event.resource_pre_event is not None:
            metadata = event.resource_pre_event.metadata
            self.rows.setdefault(metadata.op.value, set()).add(metadata.urn)
        if event.res_op_failed_event is not None:
            self.failed.add(event.res_op_failed_event.metadata.urn.rpartition("::")[2])
        if event.summary_event is not None:
            changes = event.summary_event.resource_changes
            # Look-ups are no changes.
            self.changes = {str(op): count for op, count in changes.items() if op != "read"}
        if event.cancel_event is not None:
            self._ended.set()

    def wait(self) -> None:
        """Wait for the last event, which may come after the command's end."""
        self._ended.wait(_EVENTS_TIMEOUT_S)

    def told(self, name: str, *severities: str) -> list[str]:
        """The lines in the row of a resource, or those of some severities."""
        return [
            line.text
            for line in self.lines
            if line.name == name and (not severities or line.severity in severities)
        ]

    def reasons(self, name: str | None = None) -> list[str]:
        """What errors say, all or those in the row of a resource, without the engine's words."""
        return [reason for _, reason in self.problems(name)]

    def problems(self, name: str | None = None) -> list[tuple[str, str]]:
        """The same, each with the property that it is about, empty where it is about none."""
        found = []
        for line in self.lines:
            text = _LABEL.sub("", line.text)
            if line.severity == "error" and name in (None, line.name):
                problem = _PROBLEM.fullmatch(text)
                text = problem["reason"] if problem else text
                if not _OWN_OF_ENGINE.match(text):
                    property_ = problem["property"] if problem else None
                    found.append((property_ or "", _REQUEST_ID.sub("request_id=…", text)))
        return found


class Failed(AssertionError):  # noqa: N818 - an outcome, not a mistake
    """A command of the CLI failed; `output` is all that it printed."""

    def __init__(self, command: str, output: str, log: EventLog) -> None:
        super().__init__(f"pulumi {command} failed:\n{output}")
        self.output = output
        self.log = log

    @property
    def reasons(self) -> set[str]:
        """What the errors say; those of an inline program, which the engine prints twice, once."""
        return set(self.log.reasons()) or {
            line.strip().removeprefix("error: ")
            for line in self.output.splitlines()
            if line.strip().removeprefix("stderr: ").startswith("error: ")
        }


class Result:
    """A command that went well."""

    def __init__(
        self, output: str, log: EventLog, read_outputs: Callable[[], Mapping[str, Any]]
    ) -> None:
        self.output = output
        self.log = log
        self.changes: Mapping[str, int] = log.changes
        self._read_outputs = read_outputs

    @functools.cached_property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs, secrets in clear; as they are when they are first asked for."""
        return self._read_outputs()


@functools.cache
def _cli() -> auto.PulumiCommand:
    """The CLI, which is asked for its version once."""
    return auto.PulumiCommand()


@functools.cache
def _empty_stack(
    project: str, stack: str, secrets_provider: str
) -> tuple[Path, auto.StackSettings]:
    """
    The backend's folder and the stack's settings as `pulumi stack init` leaves them.

    The CLI makes each empty stack once for a run of the tests: it takes half as long as an `up`.
    """
    home = Path(tempfile.mkdtemp(prefix="adbpg-stack-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    workspace = auto.LocalWorkspace(
        work_dir=str(home),
        project_settings=auto.ProjectSettings(name=project, runtime="python"),
        env_vars=engine_environment(home) | vault(),
        secrets_provider=secrets_provider,
        pulumi_command=_cli(),
    )
    workspace.create_stack(stack)
    return home / "state", workspace.stack_settings(stack)


class _LeanStack(auto.Stack):
    """Leaves out what the Automation API asks the CLI for before and after the commands."""

    def __init__(self, name: str, workspace: auto.LocalWorkspace) -> None:
        self.name = name
        self.workspace = workspace

    def outputs(self) -> Any:
        return {}

    def info(self, show_secrets: bool = True) -> Any:  # noqa: FBT001, FBT002 - its form
        return object()


class Stack:
    """
    Runs commands on one stack; the program may change between them.

    Polls come every 0.05 s, so that nothing waits for the schedule's two seconds.
    """

    def __init__(
        self,
        home: Path,
        simulator: Simulator | None,
        *,
        environment: Mapping[str, str] | None = None,
        config: Mapping[str, str | list[str]] | None = None,
        project: Path | None = None,
        command: auto.PulumiCommand | None = None,
        stack: str = STACK,
        passphrase: bool = False,
    ) -> None:
        """
        With `project`, its Pulumi.yaml and __main__.py run; with `command`, another CLI.

        The key of secrets is in a vault, or else made of a passphrase, which takes longer.
        """
        self.environment = engine_environment(home) | vault()
        if simulator is not None:
            self.environment |= simulator.environment()
        self.environment |= environment or {}
        self.home = home
        self.program: Program = lambda: None
        self._state = home / "state" / ".pulumi" / "stacks"
        work = home / "project"
        work.mkdir(parents=True, exist_ok=True)
        settings: auto.ProjectSettings | None = auto.ProjectSettings(name=PROJECT, runtime="python")
        name = PROJECT
        if project is not None:
            text = (project / "Pulumi.yaml").read_text()
            (work / "Pulumi.yaml").write_text(text)
            settings, name = None, yaml.safe_load(text)["name"]
            self.program = functools.partial(_run_file, project / "__main__.py")
        self._state /= f"{name}/{stack}.json"
        settled = {"adbpg:maxPollInterval": "0.05", **(config or {})}
        settings_of_stack = None
        if new := not self._state.exists():
            provider = "passphrase" if passphrase else PROVIDER
            state, empty = _empty_stack(name, stack, provider)
            shutil.copytree(state, home / "state", dirs_exist_ok=True)
            own = copy.copy(empty)
            own.config = settled
            settings_of_stack = {stack: own}
        workspace = auto.LocalWorkspace(
            work_dir=str(work),
            program=self._run_program,
            project_settings=settings,
            env_vars=self.environment,
            pulumi_command=command or _cli(),
            stack_settings=settings_of_stack,
        )
        self._stack = _LeanStack(stack, workspace)
        if not new:
            there = workspace.stack_settings(stack).config or {}
            for key, value in settled.items():
                if there.get(key) != value:
                    self.set_config(key, str(value))

    def _run_program(self) -> None:
        self.program()  # the one of the moment

    def set_config(self, key: str, value: str, *, secret: bool = False) -> None:
        """`pulumi config set`."""
        self._stack.set_config(key, auto.ConfigValue(value=value, secret=secret))

    def remove_config(self, key: str) -> None:
        """`pulumi config rm`."""
        self._stack.remove_config(key)

    def preview(self, program: Program | None = None, **options: Any) -> Result:
        """`pulumi preview`."""
        return self._run("preview", self._stack.preview, program, options)

    def up(self, program: Program | None = None, **options: Any) -> Result:
        """`pulumi up --yes`."""
        return self._run("up", self._stack.up, program, options)

    def refresh(self, program: Program | None = None, **options: Any) -> Result:
        """`pulumi refresh --yes`."""
        return self._run("refresh", self._stack.refresh, program, options)

    def destroy(self, **options: Any) -> Result:
        """`pulumi destroy --yes`."""
        return self._run("destroy", self._stack.destroy, None, options)

    def cancel(self) -> None:
        """`pulumi cancel --yes`: drop the lock that a killed command left."""
        self._stack.cancel()

    def type(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Any other command, in the project's folder."""
        return subprocess.run(
            words,
            cwd=self.home / "project",
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The deployment that the state holds, as `pulumi stack export` prints it."""
        if show_secrets:
            return dict(self._stack.export_stack().deployment or {})
        checkpoint = json.loads(self._state.read_text(encoding="utf-8"))["checkpoint"]
        return dict(checkpoint.get("latest") or {})

    def state_text(self) -> str:
        """Everything in the state's folder, as text."""
        files = (path for path in (self.home / "state").rglob("*") if path.is_file())
        return "\n".join(path.read_text(errors="replace") for path in files)

    def resources(self, *, show_secrets: bool = False) -> list[dict[str, Any]]:
        """The model services in the state."""
        found = self.export(show_secrets=show_secrets).get("resources") or []
        return [resource for resource in found if resource["type"] == TYPE]

    def resource(self, name: str = "model", *, show_secrets: bool = False) -> dict[str, Any]:
        """One of them, by its name; ciphertexts differ each time that the state is written."""
        found = self.resources(show_secrets=show_secrets)
        return {resource["urn"].rsplit("::", 1)[1]: resource for resource in found}[name]

    def ids(self) -> set[str]:
        """The ids of the services in the state."""
        return {resource["id"] for resource in self.resources()}

    def outputs(self) -> dict[str, Any]:
        """`pulumi stack output --show-secrets`."""
        shown = ("--json", "--show-secrets", "--stack", self._stack.name)
        printed = self.type("pulumi", "stack", "output", *shown)
        assert printed.returncode == 0, printed.stderr
        return dict(json.loads(printed.stdout))

    def _run(
        self, name: str, command: Any, program: Program | None, options: dict[str, Any]
    ) -> Result:
        if program is not None:
            self.program = program
        lines: list[str] = []
        log = EventLog()
        options.setdefault("color", "never")
        try:
            command(on_output=lines.append, on_event=log.take, **options)
        except auto.CommandError as error:
            if "code: -9" not in str(error):  # a killed one writes no end
                log.wait()
            raise Failed(name, _plain(str(error)), log) from None
        log.wait()
        return Result(_plain("\n".join(lines)), log, self.outputs)


def _run_file(program: Path) -> None:
    runpy.run_path(str(program))


def not_active(resource: Mapping[str, Any], why: str, *, replaced: bool = False) -> str:
    """The line about a service of the state that was waited for in vain."""
    then = (
        "The next `pulumi up` replaces it" if replaced else "Run `pulumi up` again to go on waiting"
    )
    return (
        f"model service {resource['id']} is not active: {why}. It is kept in the state and its AI "
        f"nodes stay billed. {then}; `pulumi destroy --target {shlex.quote(resource['urn'])}` "
        "removes it."
    )


def is_secret(value: object) -> bool:
    """Whether a value in the exported state is encrypted."""
    return isinstance(value, dict) and _SECRET in json.dumps(value)


def _plain(text: str) -> str:
    return _TERMINAL_CODES.sub("", text)
