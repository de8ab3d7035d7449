"""
One Pulumi stack on the real engine, in a folder of its own.

Programs run through the SDK's Automation API, which starts the real CLI in a child process; its
output, state file and exit code are real. Nothing of the engine is replaced.
"""

from __future__ import annotations

import functools
import json
import re
import runpy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto

from pulumi_adbpg_model.testing import Simulator

PROJECT = "adbpg-test"
STACK = "dev"
TYPE = "pulumi-python:dynamic/adbpg:ModelService"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|<\{%[^%]*%\}>")

_LABEL = re.compile(r"^(Exception calling application|an unhandled error occurred): ")
_REQUEST_ID = re.compile(r"request_id=[0-9A-F-]{36}")

Program = Callable[[], None]


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


class Failed(AssertionError):  # noqa: N818 - an outcome, not a mistake
    """A command of the CLI failed; `output` is all that it printed."""

    def __init__(self, command: str, output: str) -> None:
        super().__init__(f"pulumi {command} failed:\n{output}")
        self.output = output

    @property
    def errors(self) -> list[str]:
        """The lines that report an error, without their label."""
        lines = (line.strip() for line in self.output.splitlines())
        return [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]

    @property
    def reasons(self) -> set[str]:
        """
        What the errors say, without the engine's own words; request ids are shown as `…`.

        The engine prints the error of an inline program twice, once behind a label.
        """
        told = {_REQUEST_ID.sub("request_id=…", _LABEL.sub("", line)) for line in self.errors}
        return told - {"update failed", "update canceled"}


@dataclass
class Result:
    """A command that went well."""

    output: str
    changes: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


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
        config: Mapping[str, str] | None = None,
        project: Path | None = None,
        command: auto.PulumiCommand | None = None,
    ) -> None:
        """With `project`, its Pulumi.yaml and __main__.py run; with `command`, another CLI."""
        self.environment = engine_environment(home)
        if simulator is not None:
            self.environment |= simulator.environment()
        self.environment |= environment or {}
        self.home = home
        self.program: Program = lambda: None
        work = home / "project"
        work.mkdir(parents=True, exist_ok=True)
        settings: auto.ProjectSettings | None = auto.ProjectSettings(name=PROJECT, runtime="python")
        name = PROJECT
        if project is not None:
            text = (project / "Pulumi.yaml").read_text()
            (work / "Pulumi.yaml").write_text(text)
            settings, name = None, yaml.safe_load(text)["name"]
            self.program = functools.partial(_run_file, project / "__main__.py")
        self._stack = auto.create_or_select_stack(
            stack_name=STACK,
            project_name=name,
            program=self._run_program,
            opts=auto.LocalWorkspaceOptions(
                work_dir=str(work),
                project_settings=settings,
                env_vars=self.environment,
                pulumi_command=command,
            ),
        )
        for key, value in ({"adbpg:maxPollInterval": "0.05"} | dict(config or {})).items():
            self.set_config(key, value)

    def _run_program(self) -> None:
        self.program()  # the one of the moment

    def set_config(self, key: str, value: str, *, secret: bool = False) -> None:
        """`pulumi config set`; a key such as `names[0]` sets an item of a list."""
        is_path = "[" in key
        self._stack.set_config(key, auto.ConfigValue(value=value, secret=secret), path=is_path)

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

    def export(self) -> dict[str, Any]:
        """`pulumi stack export`: the state, with secrets encrypted."""
        return dict(self._stack.export_stack().deployment or {})

    def state_text(self) -> str:
        """Everything in the state's folder, as text."""
        files = (path for path in (self.home / "state").rglob("*") if path.is_file())
        return "\n".join(path.read_text(errors="replace") for path in files)

    def resources(self) -> list[dict[str, Any]]:
        """The model services in the state."""
        found = self.export().get("resources") or []
        return [resource for resource in found if resource["type"] == TYPE]

    def resource(self, name: str = "model") -> dict[str, Any]:
        """One of them, by its name."""
        named = {resource["urn"].rsplit("::", 1)[1]: resource for resource in self.resources()}
        return named[name]

    def ids(self) -> set[str]:
        """The ids of the services in the state."""
        return {resource["id"] for resource in self.resources()}

    def _run(
        self, name: str, command: Any, program: Program | None, options: dict[str, Any]
    ) -> Result:
        if program is not None:
            self.program = program
        lines: list[str] = []
        options.setdefault("color", "never")
        try:
            done = command(on_output=lines.append, **options)
        except auto.CommandError as error:
            raise Failed(name, _plain(str(error))) from None
        output = _plain("\n".join(lines))
        if name == "preview":
            return Result(output, {str(op): n for op, n in done.change_summary.items()})
        outputs = getattr(done, "outputs", None) or {}
        return Result(
            output,
            done.summary.resource_changes or {},
            {key: value.value for key, value in outputs.items()},
        )


def _run_file(program: Path) -> None:
    runpy.run_path(str(program))


def is_secret(value: object) -> bool:
    """Whether a value in the exported state is encrypted."""
    return isinstance(value, dict) and _SECRET in json.dumps(value)


def _plain(text: str) -> str:
    return _TERMINAL_CODES.sub("", text)
