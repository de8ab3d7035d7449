"""The commands on the real engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.commands import Ran
from tests.engine.support.programs import program
from tests.engine.support.stack import TYPE, Failed, Result, Stack


class EngineCommands:
    """See `Commands`: one stack in a folder of its own."""

    def __init__(self, home: Path, simulator: Simulator) -> None:
        self.simulator = simulator
        # As in World: what is counted is the life of a service. An odd cloud is waited for long.
        config = {"adbpg:preflight": "false", "adbpg:maxPollInterval": "0.5"}
        self.stack = Stack(home, simulator, config=config)

    def up(self, *, timeouts: Mapping[str, str] | None = None, **inputs: Any) -> Ran:
        """See `Commands`."""
        limits = CustomTimeouts(**timeouts) if timeouts else None
        self.stack.program = program(ResourceOptions(custom_timeouts=limits), **inputs)
        return _ran(self.stack.up)

    def refresh(self) -> Ran:
        """See `Commands`."""
        return _ran(self.stack.refresh)

    def destroy(self) -> Ran:
        """See `Commands`."""
        return _ran(self.stack.destroy)

    def ids(self) -> set[str]:
        """See `Commands`."""
        return self.stack.ids()

    def key(self) -> str | None:
        """See `Commands`."""
        for resource in self.stack.export(show_secrets=True).get("resources") or ():
            if resource["type"] == TYPE:
                secret = resource["outputs"].get("api_key")
                return secret and str(json.loads(secret["plaintext"]))
        return None

    def later(self, seconds: float) -> None:
        """See `Commands`; here time really passes."""
        time.sleep(seconds)


def _ran(command: Callable[[], Result]) -> Ran:
    try:
        done = command()
    except Failed as error:
        return Ran("failed", sorted(error.reasons), error.output, warned(error.output))
    # The stack itself, which never changes here, is always among the same or the deleted.
    changes = dict(done.changes)
    for own in ("same", "delete", "create"):
        if changes.get(own):
            changes[own] -= 1
            break
    others = [name for name, count in changes.items() if count]
    return Ran(others[0] if others else "same", (), done.output, warned(done.output))


def warned(output: str) -> str:
    """Of what the CLI printed, the lines of errors and warnings."""
    lines = (line.strip() for line in output.splitlines())
    return "\n".join(line for line in lines if line.startswith(("error: ", "warning: ")))
