"""
Draw docs/images/up.svg: `pulumi up` while it waits, as a terminal shows it.

    ADBPG_ENGINE=$(python tools/engine.py) python tools/picture.py

The example rag runs on the real engine against a simulated cloud. What the CLI writes to a terminal
of its own is kept, and drawn as it stood in the middle of the wait.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import runpy
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from pulumi_adbpg_model.testing import Simulator

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "examples/rag"
PICTURE = ROOT / "docs/images/up.svg"
COLUMNS, ROWS = 148, 30
PROVISION_SECONDS = 20.0
#: Drawn is the first moment at which two services have waited for so long.
MOMENT = re.compile(r"'deployming': 1\d s of")
CONFIG = {
    "dbInstanceId": "gp-demo",
    "embeddingNode": "ai-1",
    "rerankerNode": "ai-3",
    "applicationIps[0]": "10.0.0.0/8",
}
#: Readable on its own dark ground, so on a page of either colour.
THEME = TerminalTheme(
    (22, 27, 34),
    (201, 209, 217),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
    [
        (110, 118, 129),
        (255, 161, 152),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (240, 246, 252),
    ],
)

_STEP = re.compile(
    r"\x1b\[(?P<up>\d+)A|(?P<colour>\x1b\[[\d;]*m)|\x1b\[[?\d;]*[A-Za-z]|(?P<end>\n)"
    r"|(?P<start>\r)|(?P<text>[^\x1b\r\n]+)"
)


class Terminal(auto.PulumiCommand):
    """The CLI, with a terminal of its own for `pulumi up`."""

    written = ""

    def run(self, args: list[str], cwd: str, env: Mapping[str, str], *rest: Any) -> Any:
        """Run a command as the Automation API asks for it."""
        if args[0] != "up":
            return super().run(args, cwd, env, *rest)
        screen, tty = pty.openpty()
        fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {**os.environ, **env, "TERM": "xterm-256color"}
        with subprocess.Popen(
            [self.command, *args, "--color=always"],
            cwd=cwd,
            env=environment,
            stdin=tty,
            stdout=tty,
            stderr=tty,
            start_new_session=True,
        ) as command:
            os.close(tty)
            self.written = _read(screen)
        return auto.CommandResult("", "", command.returncode)


def _read(screen: int) -> str:
    pieces: list[bytes] = []
    while True:
        try:
            piece = os.read(screen, 65536)
        except OSError:  # how Linux tells that nobody writes any more
            piece = b""
        if not piece:
            return b"".join(pieces).decode()
        pieces.append(piece)


def lines_at_the_moment(written: str) -> list[str]:
    """
    The lines on the screen when the moment came, with their colours.

    The CLI moves the cursor up, and writes every line anew: no more of a terminal is needed.
    """
    lines, row, anew = [""], 0, True
    for step in _STEP.finditer(written):
        if step["text"] or step["colour"]:
            lines[row] = step[0] if anew else lines[row] + step[0]
            anew = False
        elif step["up"]:
            if sum(bool(MOMENT.search(line)) for line in lines) == 2:
                return lines
            row -= int(step["up"])
        elif step["end"]:
            row += 1
            lines += [""] * (row == len(lines))
        anew = anew or bool(step["start"] or step["end"])
    raise SystemExit("The moment to be drawn did not come.")


def draw(lines: list[str]) -> str:
    """The lines as an SVG that needs nothing from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, crop=True)
    drawn = console.export_svg(title="pulumi up", theme=THEME, unique_id="up")
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("Fira Code", "ui-monospace, Menlo, Consolas")
    return "\n".join(line.rstrip() for line in drawn.splitlines() if line.strip()) + "\n"


def program() -> None:
    """The program of the example."""
    runpy.run_path(str(PROJECT / "__main__.py"))


def up(home: Path, simulator: Simulator, terminal: Terminal) -> None:
    """One `pulumi up` of the example, with its state in `home`."""
    (home / "state").mkdir()
    environment = {
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_BACKEND_URL": (home / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "picture",
        "PULUMI_PYTHON_CMD": sys.executable,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **simulator.environment(),
    }
    stack = auto.create_or_select_stack(
        "dev",
        project_name="rag",
        program=program,
        opts=auto.LocalWorkspaceOptions(env_vars=environment, pulumi_command=terminal),
    )
    for key, value in CONFIG.items():
        stack.set_config(key, auto.ConfigValue(value), path="[" in key)
    stack.up()


def main() -> None:
    """Run the example and draw it."""
    engine = Path(os.environ["ADBPG_ENGINE"])
    os.environ["PATH"] = f"{engine.parent}{os.pathsep}{os.environ['PATH']}"
    terminal = Terminal()
    terminal.command = str(engine)
    with (
        tempfile.TemporaryDirectory() as home,
        Simulator(provision_seconds=PROVISION_SECONDS) as simulator,
    ):
        up(Path(home), simulator, terminal)
    PICTURE.write_text(draw(lines_at_the_moment(terminal.written)), encoding="utf-8")


if __name__ == "__main__":
    main()
