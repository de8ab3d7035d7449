"""
A stack with one service, run by the Python that runs this.

    python -m tests.engine.upgrades.living FOLDER ENVIRONMENT COMMAND...

FOLDER holds the stack, ENVIRONMENT is what leads to the cloud, as JSON, and each COMMAND is a
method of `Stack`, which finds the CLI on the PATH. Writes the changes of each as one JSON list.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.engine.support.programs import program
from tests.engine.support.stack import Stack


def main(home: str, environment: str, *commands: str) -> None:
    """See above."""
    stack = Stack(Path(home), None, environment=json.loads(environment))
    stack.program = program()
    changes = [getattr(stack, command)().changes for command in commands]
    sys.stdout.write(json.dumps(changes))


if __name__ == "__main__":
    main(*sys.argv[1:])
