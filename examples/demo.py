"""
The life of a model service in under a minute: `make demo`.

A simulated cloud and the real `pulumi` engine: preview, up, up again, a drift and its mending, and
destroy. Every step is checked; the exit code is 1 if one is not as it should be.
"""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from rich.console import Console

from pulumi_adbpg_model.testing import Simulator

PROJECT = Path(__file__).parent / "embedding"
PROVISION_SECONDS = 4.0

console = Console(highlight=False)


class StepError(Exception):
    """A step is not as it should be."""


def check(condition: object, complaint: str) -> None:
    """Stop the demo unless the condition holds."""
    if not condition:
        raise StepError(complaint)


def run_example() -> None:
    """The program of the example project."""
    runpy.run_path(str(PROJECT / "__main__.py"))


def create_stack(home: Path, simulator: Simulator) -> auto.Stack:
    """A stack of the example project, with its state in `home` and the simulator for a cloud."""
    state = home / "state"
    state.mkdir()
    environment = {
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "demo",
        "PULUMI_PYTHON_CMD": sys.executable,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **simulator.environment(),
    }
    work = home / "project"
    work.mkdir()
    (work / "Pulumi.yaml").write_text((PROJECT / "Pulumi.yaml").read_text())
    stack = auto.create_or_select_stack(
        stack_name="demo",
        project_name="embedding",
        program=run_example,
        opts=auto.LocalWorkspaceOptions(work_dir=str(work), env_vars=environment),
    )
    for key, value in {
        "dbInstanceId": "gp-demo",
        "aiNode": "ai-1",
        "adbpg:maxPollInterval": "0.5",
    }.items():
        stack.set_config(key, auto.ConfigValue(value))
    return stack


def run(title: str, command: Callable[..., Any]) -> Any:
    """Run one command of the CLI, showing its output as it comes."""
    console.print(f"\n[bold cyan]{title}")
    return command(
        on_output=lambda line: console.print(line, markup=False, style="dim", soft_wrap=True)
    )


def changes_of(result: Any) -> dict[str, int]:
    """What a command did, by kind, the unchanged left out."""
    done = result.summary.resource_changes or {}
    return {kind: count for kind, count in done.items() if kind != "same"}


def walk(stack: auto.Stack, simulator: Simulator) -> None:
    """Go through the life of the service, checking state and cloud after every step."""
    run("1. pulumi preview: what would happen", stack.preview)
    check(not simulator.mutations, "a preview changed the cloud")

    run("2. pulumi up: create it, and wait until it is active", stack.up)
    check(len(simulator.services) == 1, "up did not create exactly one service")
    created = simulator.services[0]
    check(created.status == "active", "up returned before the service was active")
    outputs = stack.outputs()
    check(outputs["apiKey"].secret, "the API key is not a secret")
    check(outputs["url"].value == created.private_connect_url, "the address is not the service's")

    simulator.clear_requests()
    again = run("3. pulumi up again: nothing to do", stack.up)
    check(not changes_of(again), "a second up made changes")
    check(not simulator.mutations, "a second up changed the cloud")

    console.print("\n[bold magenta]Somebody opens the whitelist to the whole world.")
    simulator.change_service(created.id, security_ip_list=("0.0.0.0/0",))
    drift = run("4. pulumi refresh: see what drifted", stack.refresh)
    check(changes_of(drift) == {"update": 1}, "refresh did not see the drift")

    mended = run("5. pulumi up: mend it, by deleting first, then creating", stack.up)
    check(changes_of(mended) == {"replace": 1}, "up did not replace the service")
    check(len(simulator.services) == 1, "there is not exactly one service after the replacement")
    check(simulator.services[0].security_ip_list == ("10.0.0.0/8",), "the drift is still there")

    run("6. pulumi destroy: remove it", stack.destroy)
    check(not simulator.services, f"services are left over: {simulator.services}")


def main() -> int:
    """Run the demo; returns the exit code."""
    if "ADBPG_ENGINE" not in os.environ:
        console.print("Run it as `make demo`: that finds or builds the Pulumi engine first.")
        return 2
    engine = Path(os.environ["ADBPG_ENGINE"])
    os.environ["PATH"] = f"{engine.parent}{os.pathsep}{os.environ['PATH']}"
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as home,
        Simulator(provision_seconds=PROVISION_SECONDS) as simulator,
    ):
        console.print(f"[bold]A simulated cloud is listening on {simulator.endpoint}")
        try:
            walk(create_stack(Path(home), simulator), simulator)
        except (StepError, auto.CommandError) as error:
            console.print(f"\n[bold red]The demo failed: {error}")
            return 1
        took = time.monotonic() - started
        console.print(
            f"\n[bold green]The cloud is empty: no model service is left ({took:.0f} s in all)."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
