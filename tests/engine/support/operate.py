"""
One Pulumi operation on the project in the current folder: `python operate.py up`.

Run by the Python of an environment made for this one operation. It stands for the language host:
what else it does is what `pulumi <operation> --stack dev` does.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import yaml
from pulumi import automation


def _program() -> None:
    runpy.run_path(str(Path("__main__.py").resolve()))


def _main(operation: str) -> int:
    stack = automation.select_stack(
        "dev",
        project_name=yaml.safe_load(Path("Pulumi.yaml").read_text(encoding="utf-8"))["name"],
        program=_program,
        opts=automation.LocalWorkspaceOptions(work_dir=str(Path.cwd())),
    )
    commands: dict[str, Callable[..., object]] = {
        "up": stack.up,
        "refresh": stack.refresh,
        "destroy": stack.destroy,
    }
    try:
        commands[operation](on_output=print, color="never")
    except automation.CommandError as error:
        sys.stderr.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
