"""The configuration of the stack that is selected here, as `pulumi config` tells."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pulumi_adbpg_model.errors import ConfigurationError

#: For one run of the CLI; of a configuration with secrets there are three.
_TIMEOUT_S = 20.0
#: What the CLI takes for a project, in each folder from the current one upwards.
_PROJECTS = ("Pulumi.json", "Pulumi.yaml", "Pulumi.yml")
#: All that is kept of what the CLI prints.
_NAMESPACES = ("adbpg:", "alicloud:")
_NAME = re.compile(r"([\w.-]{1,100}/){0,2}[\w.-]{1,100}", re.ASCII)
#: Exit codes of the CLI.
_NOT_LOGGED_IN, _NO_SUCH_STACK = 3, 6
_LOG_IN = ("pulumi is not logged in", "run `pulumi login`")


class UnreadableError(ConfigurationError):
    """A stack's configuration cannot be read. No text of the CLI is in it: it may hold secrets."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(f"{reason}. {advice}")
        self.reason = reason
        self.advice = advice


@dataclass(frozen=True)
class Configuration:
    """What a stack's configuration says, secrets in clear; the repr shows no value."""

    #: In one line, whose it is, or why there is none; empty where nobody expects any.
    note: str = ""
    #: What to do for there to be one; empty where nothing is to be done.
    advice: str = ""
    #: Text by key, such as `adbpg:region`; of a value that is an object, its JSON.
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: The keys of those that are secrets.
    secret: Collection[str] = ()

    def hide(self, text: str) -> str:
        """A text without the values of secrets, and without the texts in one that is an object."""
        for value in sorted(self._hidden(), key=len, reverse=True):
            text = text.replace(value, "[secret]")
        return text

    def _hidden(self) -> Iterator[str]:
        for key in self.secret:
            yield self.values[key]
            with contextlib.suppress(ValueError, RecursionError):
                yield from _texts(json.loads(self.values[key]))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _texts(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in _texts(item))


#: Of no stack.
NO_CONFIGURATION = Configuration()


def read_configuration(stack: str | None, *, timeout_s: float = _TIMEOUT_S) -> Configuration:
    """
    Ask the CLI on the PATH. Outside a project it is not asked.

    Where nobody can say which stack is selected, there is no configuration, and the note says so if
    any stack has one. A stack that is known has to be read: without its region and its credentials,
    the command might go to another account.

    Args:
        stack: The stack; None: the one that is selected.
        timeout_s: How long one run of the CLI may take.

    Raises:
        UnreadableError: The stack's configuration cannot be read, or there is no project for
            `stack`.
    """
    project = _project()
    if project is None:
        if stack is None:
            return NO_CONFIGURATION
        raise UnreadableError(
            f"--stack {stack}: there is no Pulumi project in this folder or above it",
            "Change to the folder of the stack's project, or leave out --stack",
        )
    named = stack or os.environ.get("PULUMI_STACK") or None
    cli = shutil.which("pulumi")
    if cli is None:
        why, advice = "there is no pulumi on the PATH", "put the Pulumi CLI on the PATH"
        if named is None:
            return _of_no_stack(project, why, advice)
        raise _unreadable(f"of stack {named}", why, advice)
    if named is None:
        command = "pulumi stack --show-name"
        ran = _run(cli, command.split()[1:], timeout_s)
        if _is_not_logged_in(ran):
            return _of_no_stack(project, *_LOG_IN)
        if "no stack selected" in ran.told:
            return _of_no_stack(project, "no stack is selected", "run `pulumi stack select`")
        named = ran.printed.strip()
        if ran.code != 0 or not _NAME.fullmatch(named):
            raise _unreadable("of the selected stack", *_why(ran, command))
    values, secret = _values(cli, named, timeout_s)
    note = f"Using the configuration of stack {named} of {project}"
    if _has_environments(project, named):
        note += "; variables that its ESC environments set count under `pulumi env run` only"
    return Configuration(f"{note}.", values=values, secret=secret)


@dataclass(frozen=True)
class _Ran:
    """One run of the CLI. What it wrote may hold secrets: it is looked into, and never shown."""

    #: None where it has none.
    code: int | None
    printed: str = field(default="", repr=False)
    told: str = field(default="", repr=False)
    #: Why there is no exit code.
    trouble: str = ""


def _project() -> Path | None:
    folder = Path(os.environ.get("PWD", ""))  # may lead here by a link: the CLI goes by it, too
    try:
        if not (folder.is_absolute() and _is_here(folder)):
            folder = Path.cwd()
    except FileNotFoundError:
        return None  # it was removed
    for place in (folder, *folder.parents):
        for name in _PROJECTS:
            if os.path.isfile(place / name):  # noqa: PTH113 - that of Path raises without access
                return place / name
    return None


def _is_here(folder: Path) -> bool:
    try:
        return folder.samefile(os.curdir)
    except OSError:
        return False


def _has_environments(project: Path, stack: str) -> bool:
    name = stack.rpartition("/")[2]
    try:
        text = project.with_name(f"Pulumi.{name}.yaml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return re.search("^environment:", text, re.MULTILINE) is not None


def _values(cli: str, stack: str, timeout_s: float) -> tuple[Mapping[str, str], Collection[str]]:
    """The values by key, and the keys of secrets."""
    secret: list[str] = []
    options = ["config", "--json", f"--stack={stack}"]
    ran = _run(cli, [*options, "--open"], timeout_s)
    found = _parsed(ran)
    if found is not None and None in found.values():
        # Only for a secret of ours: that takes the stack's passphrase, or somebody's key.
        secret = [key for key, value in found.items() if value is None]
        ran = _run(cli, [*options, "--show-secrets"], timeout_s)
        found = _parsed(ran)
    if found is None or None in found.values():
        command = f"pulumi config --stack {shlex.quote(stack)}"
        raise _unreadable(f"of stack {stack}", *_why(ran, command))
    return {key: value for key, value in found.items() if value is not None}, secret


def _parsed(ran: _Ran) -> Mapping[str, str | None] | None:
    """The values of the keys that are kept, None for one that is not shown; None: it failed."""
    if ran.code != 0:
        return None
    try:
        found = {
            key: entry.get("value")
            for key, entry in json.loads(ran.printed).items()
            if key.startswith(_NAMESPACES)
        }
    except (ValueError, AttributeError, RecursionError):
        return None
    fits = all(value is None or isinstance(value, str) for value in found.values())
    return found if fits else None


def _run(cli: str, command: list[str], timeout_s: float) -> _Ran:
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own CLI
            [cli, *command, "--non-interactive", "--color=never"],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,  # ours may be the export of a stack
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # no terminal to ask at, and one group with what it starts
        )
    except OSError:
        return _Ran(None, trouble="pulumi does not run")
    with process:
        try:
            printed, told = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _end(process)
            return _Ran(None, trouble=f"pulumi did not answer within {timeout_s:g} s")
        except BaseException:  # Ctrl-C, which does not reach another session
            _end(process)
            raise
    return _Ran(process.returncode, printed.decode(errors="replace"), told.decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(OSError):  # ended just now
            os.killpg(process.pid, signal.SIGKILL)


def _is_not_logged_in(ran: _Ran) -> bool:
    return ran.code == _NOT_LOGGED_IN or "PULUMI_ACCESS_TOKEN must be set" in ran.told


def _why(ran: _Ran, command: str) -> tuple[str, str]:
    """Why it failed, and what helps: by exit code and words that are known; none is repeated."""
    if ran.code is None:
        return ran.trouble, f"see whether `{command}` works"
    if _is_not_logged_in(ran):
        return _LOG_IN
    if ran.code == _NO_SUCH_STACK or "no stack named" in ran.told:
        return "there is no such stack", "`pulumi stack ls` lists those there are"
    if "incorrect passphrase" in ran.told:
        return "the passphrase is wrong", "correct PULUMI_CONFIG_PASSPHRASE"
    if "PULUMI_CONFIG_PASSPHRASE" in ran.told:
        help_ = "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"
        return "the passphrase is not set", help_
    if ran.code == 0:
        return "pulumi answers in a form that is not known", "try another Pulumi CLI"
    return f"pulumi ended with exit code {ran.code}", f"`{command}` shows why"


def _of_no_stack(project: Path, why: str, advice: str) -> Configuration:
    if not any(project.parent.glob("Pulumi.*.*")):
        return NO_CONFIGURATION  # there is no stack that anything was set for
    note = f"Using the configuration of no stack of {project}: {why}."
    return Configuration(note, f"{advice}, or give --no-stack")


def _unreadable(whose: str, why: str, advice: str) -> UnreadableError:
    return UnreadableError(
        f"the configuration {whose} cannot be read: {why}",
        f"{advice[0].upper()}{advice[1:]}. With --no-stack, options and environment alone say "
        "where to call, and as whom",
    )
