"""docs/operations.md as what it is for: a person follows a section, block by block."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import DOCS
from tests.engine.support.programs import pulumi_ids
from tests.engine.support.stack import STACK, Failed, Stack

PAGE = DOCS / "operations.md"
#: The program that all procedures begin with.
_PROGRAM = re.compile(r"^```python\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
_BLOCK = re.compile(r"^```(?P<kind>text|console|diff)\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
_PROJECT = "name: search\nruntime: python\n"
#: The command line's options, as the Automation API spells them.
_OPTIONS: dict[str, dict[str, Any]] = {
    "--yes": {},
    "--clear-pending-creates": {"clear_pending_creates": True},
}


@dataclass(frozen=True)
class Block:
    """A code block: `text` is what is seen at first, `console` and `diff` are to be done."""

    kind: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Its lines; one that begins with two spaces goes on from the one before."""
        return self.text.rstrip("\n").replace("\n  ", " ").splitlines()


def sections() -> dict[str, list[Block]]:
    """The blocks of each section, by its title."""
    _, *parts = re.split(r"^## (.+)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        title: [Block(match["kind"], match["text"]) for match in _BLOCK.finditer(text)]
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def assert_printed(lines: Iterable[str], output: str) -> None:
    """Each line, with anything in place of `…`, was printed as a line of its own."""
    # Trees have branches, and the Automation API names the stream.
    printed = {line.strip(" \t│").removeprefix("stderr: ") for line in output.splitlines()}
    for line in lines:
        pattern = re.compile(".*".join(re.escape(part) for part in line.split("…")))
        assert any(pattern.fullmatch(one) for one in printed), f"not printed: {line}\n{output}"


class Person:
    """Follows sections on one stack. The program is a file, edited as the page shows."""

    def __init__(
        self, home: Path, simulator: Simulator, stack: Callable[[Path], Stack] | None = None
    ) -> None:
        self.simulator = simulator
        folder = home / "program"
        folder.mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text(_PROJECT)
        program = _PROGRAM.search(PAGE.read_text(encoding="utf-8"))
        assert program is not None
        self._program = folder / "__main__.py"
        self._program.write_text(program["text"], encoding="utf-8")
        self.stack = stack(folder) if stack else Stack(home, simulator, project=folder)
        # Under the names that the page uses, which are the cloud's own.
        environment = self.stack.environment
        for old, new in (
            ("ALICLOUD_ACCESS_KEY", "ALIBABA_CLOUD_ACCESS_KEY_ID"),
            ("ALICLOUD_SECRET_KEY", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
            ("ALICLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN"),
        ):
            if old in environment:
                environment[new] = environment.pop(old)
        #: What the person knows for `export NAME=…`.
        self.secrets: dict[str, str] = {}
        #: What the last command of the package printed.
        self.printed = ""

    def declare(self, *arguments: str) -> None:
        """Give the service these arguments, such as `replicas=2`, in place of others so named."""
        self._edit([f"+    {argument}," for argument in arguments])

    def fails(self, command: Callable[[], object]) -> str:
        """Run what is to fail; returns all that was printed."""
        try:
            command()
        except Failed as error:
            return error.output
        raise AssertionError("it does not fail")

    def follow(self, title: str, seen: str | None = None) -> None:
        """See what the section shows, if there is an output to look at, then do what it says."""
        for block in sections()[title]:
            if block.kind == "text":
                assert seen is not None, "what the person sees is not looked at"
                assert_printed(block.lines, seen)
            elif block.kind == "diff":
                self._edit(block.lines)
            else:
                self._type(block.lines)

    def _edit(self, lines: Iterable[str]) -> None:
        """Apply the lines of a diff within the arguments of the service."""
        program = self._program.read_text(encoding="utf-8").splitlines()
        at = program.index(")")
        for line in lines:
            text = self._filled(line[1:], pulumi_ids(self.simulator))
            name = re.match(r" *\w+=", text)
            assert name is not None
            assert line[0] in "+-"
            same = [one for one in program if one == text or one.startswith(name[0])]
            if line[0] == "-":
                assert text in program, f"the program has no line {text}"
            for one in same:
                at = program.index(one)
                program.remove(one)
            if line[0] == "+":
                program.insert(at, text)
        self._program.write_text("\n".join(program) + "\n", encoding="utf-8")

    def _type(self, lines: list[str]) -> None:
        """Type each command, and compare what is printed with the lines that follow it."""
        assert lines[0].startswith("$ ")
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            shown = lines[start + 1 : end]
            fails = any(line.startswith("error: ") for line in shown)
            assert_printed(shown, self._run(lines[start][2:], fails=fails))

    def _run(self, command: str, *, fails: bool) -> str:
        words = shlex.split(command)
        if "|" in words or "--preview-only" in words:
            return self.shell(command, fails=fails)
        assert not fails, "no other command is shown to fail"
        if words[0] == "export":
            for name in (word.removesuffix("=…") for word in words[1:]):
                self.stack.environment[name] = self.secrets[name]
            return ""
        if words[0] == "pulumi-adbpg-model":
            done = self.stack.type(sys.executable, "-m", "pulumi_adbpg_model", *words[1:])
            self.printed = done.stdout
            return done.stdout
        assert words[0] == "pulumi"
        if "…" in command:
            urns = [resource["urn"] for resource in self.stack.resources()]
            words = [self._filled(word, urns) for word in words]
        if words[1] in ("up", "refresh", "destroy"):
            options = {}
            if words[2] == "--target":
                options["target"] = [words.pop(3)]
                del words[2]
            options |= {key: value for word in words[2:] for key, value in _OPTIONS[word].items()}
            return str(getattr(self.stack, words[1])(**options).output)
        done = self.stack.type(*words, "--stack", STACK)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, command: str, *, fails: bool = False) -> str:
        """Type a line that only a shell understands; returns what it prints."""
        own = f"{shlex.quote(sys.executable)} -m pulumi_adbpg_model "
        command = command.replace("pulumi-adbpg-model ", own)
        if command.startswith("pulumi "):
            command += f" --stack {STACK}"
        done = self.stack.type("sh", "-c", command)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    @staticmethod
    def _filled(text: str, known: Iterable[str]) -> str:
        """The text, with an id or URN that has a `…` in it replaced by the one that it means."""
        for shown in re.findall(r"[\w:-]*…[\w:-]*", text):
            pattern = re.compile(".*".join(re.escape(part) for part in shown.split("…")))
            (meant,) = (one for one in known if pattern.fullmatch(one))
            text = text.replace(shown, meant)
        return text
