"""
The life of a model service in under half a minute: `make demo`.

A simulated cloud and the real `pulumi` engine: preview, up, up again, a service that somebody else
deletes, a changed input, and destroy. Every step is checked, by asking the cloud over its API; the
exit code is 1 if one is not as it should be. acceptance.py walks the same steps in a real account.
"""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from rich.console import Console

from pulumi_adbpg_model.clock import Clock, Deadline, SystemClock
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, Phase
from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.lifecycle import GRACE_S, Operation, delete, find_or_prove_gone
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator

PROJECT = Path(__file__).resolve().parents[1]
NAME, STACK = "adbpg-model-services", "life"
PASSPHRASE = "life"  # noqa: S105 - of a state that lasts for as long as the run
PROVISION_SECONDS = 2.0
#: Nobody: the service is never called.
WHITELIST = "127.0.0.1"
#: How long a deletion may take, in seconds.
DELETE_S = 1200.0
#: For the last event of a command that has ended, in seconds.
EVENTS_S = 10.0

console = Console(highlight=False)


class StepError(Exception):
    """A step is not as it should be."""


def check(condition: object, complaint: str) -> None:
    """Stop unless the condition holds."""
    if not condition:
        raise StepError(complaint)


@dataclass(frozen=True)
class Place:
    """Where the service lives, and how it is known."""

    instance: str
    node: str
    model: str
    #: How the descriptions of the services begin that are made here, and no others.
    mark: str


@dataclass(frozen=True)
class Cloud:
    """What the cloud holds, asked over the API alone, as the package's own commands ask."""

    place: Place
    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    #: The services that were there before.
    others: Collection[ModelServiceId] = ()
    longest_poll_s: float | None = None

    @property
    def gateway(self) -> Gateway:
        """What calls."""
        return Gateway(self.settings, self.clock)

    def services(self) -> list[ModelServiceDetails]:
        """
        Those that were made here and are still there, described.

        Raises:
            AdbpgModelError: The cloud cannot be asked, or contradicts itself for long.
        """
        found = []
        for listed in self.gateway.list_model_services(self.place.instance):
            if self._is_of_here(listed) and not listed.is_deleted:
                described = self.find(listed.id)  # either answer may lag behind
                if described is not None and self._is_of_here(described):
                    found.append(described)
        return found

    def _is_of_here(self, service: ModelServiceDetails) -> bool:
        """By what the cloud tells of it; what it leaves out says nothing."""
        return (
            service.id not in self.others
            and (not service.description or self.has_mark(service))
            and (not service.ai_nodes or self.place.node in service.ai_nodes)
        )

    def has_mark(self, service: ModelServiceDetails) -> bool:
        """Whether its description proves that it was made here."""
        return (service.description or "").strip().startswith(self.place.mark)

    def find(self, service: ModelServiceId) -> ModelServiceDetails | None:
        """
        The service as it is now, or None with proof that it is gone.

        Raises:
            AdbpgModelError: Neither is to be had.
        """
        return find_or_prove_gone(self._operation(), service, any_code=True)

    def delete(self, service: ModelServiceId) -> None:
        """Delete a service by the API, past Pulumi, until there is proof that it is gone."""
        delete(self._operation(), service)

    def _operation(self) -> Operation:
        deadline = Deadline.after(self.clock, DELETE_S)
        return Operation(self.gateway, self.clock, deadline, _Lines(), self.longest_poll_s)


class _Lines:
    """What the deletion says, in lines."""

    def progress(self, message: str) -> None:
        console.print(f"    {message}", markup=False, style="dim", soft_wrap=True)

    note = warn = progress


def run_project() -> None:
    """The program of the root project."""
    runpy.run_path(str(PROJECT / "__main__.py"))


def stack_environment(home: Path) -> dict[str, str]:
    """What the CLI needs for its state to be in `home` alone."""
    return {
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_BACKEND_URL": (home / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_PYTHON_CMD": sys.executable,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def create_stack(
    home: Path,
    place: Place,
    environment: Mapping[str, str],
    config: Mapping[str, str] | None = None,
    command: auto.PulumiCommand | None = None,
) -> auto.Stack:
    """
    A stack of the root project.

    Args:
        home: A folder for its project and state.
        place: What its configuration says.
        environment: Variables that lead to the cloud, unless the process has them.
        config: More configuration.
        command: The CLI; None: the one on the PATH.
    """
    for name in ("project", "state"):
        (home / name).mkdir()
    # `pulumi destroy` by hand needs the environment that has the package.
    options = {"virtualenv": sys.prefix} if sys.prefix != sys.base_prefix else None
    settings = {
        f"{NAME}:dbInstanceId": place.instance,
        f"{NAME}:modelName": place.model,
        f"{NAME}:aiNodes": [place.node],
        f"{NAME}:securityIpList": [WHITELIST],
        f"{NAME}:description": place.mark,
        **(config or {}),
    }
    workspace = auto.LocalWorkspace(
        work_dir=str(home / "project"),
        program=run_project,
        env_vars={**stack_environment(home), **environment},
        project_settings=auto.ProjectSettings(
            name=NAME, runtime=auto.ProjectRuntimeInfo("python", options)
        ),
        stack_settings={STACK: auto.StackSettings(config=settings)},
        pulumi_command=command,
    )
    workspace.create_stack(STACK)
    return _Stack(STACK, workspace)


class _Stack(auto.Stack):
    """Reads no history, which the base class asks the CLI for after each command."""

    def __init__(self, name: str, workspace: auto.Workspace) -> None:
        self.name, self.workspace = name, workspace

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:  # noqa: ARG002, FBT001, FBT002
        return auto.UpdateSummary("", datetime.now(timezone.utc), "", {}, {}, "")


@dataclass(frozen=True)
class Ran:
    """What a command of the CLI did."""

    #: How many resources changed, by kind.
    changes: Mapping[str, int]
    #: The kinds in the order in which they began.
    order: Sequence[str]
    #: The stack's outputs after `pulumi up`.
    outputs: auto.OutputMap


def run(title: str, command: Callable[..., Any]) -> Ran:
    """Run one command of the CLI, showing its output as it comes."""
    console.print(f"\n[bold cyan]{title}")
    counts: dict[str, int] = {}
    order: list[str] = []
    ended = threading.Event()

    def take(event: auto.EngineEvent) -> None:
        if event.resource_pre_event is not None:
            order.append(event.resource_pre_event.metadata.op.value)
        if event.summary_event is not None:
            changes = event.summary_event.resource_changes
            counts.update({auto.OpType(kind).value: count for kind, count in changes.items()})
        if event.cancel_event is not None:
            ended.set()

    result = command(
        on_output=lambda line: console.print(line, markup=False, style="dim", soft_wrap=True),
        on_event=take,
    )
    check(ended.wait(EVENTS_S), "the engine did not tell what it did")  # may come after the end
    changes = {kind: count for kind, count in counts.items() if kind != "same" and count}
    return Ran(changes, order, getattr(result, "outputs", {}))


def walk(stack: auto.Stack, cloud: Cloud) -> None:
    """
    Go through the life of the service, checking state and cloud after every step.

    Raises:
        StepError: Something is not as it should be.
        auto.CommandError: A command of the CLI failed.
        AdbpgModelError: The cloud could not be asked.
    """
    run("1. pulumi preview: what would happen", stack.preview)
    check(not cloud.services(), "a preview changed the cloud")

    first = _one(cloud, run("2. pulumi up: create it, and wait until it is active", stack.up))

    again = run("3. pulumi up again: nothing to do", stack.up)
    check(not again.changes, f"a second up made changes: {again.changes}")
    check(_one(cloud, again).id == first.id, "a second up changed the cloud")

    console.print("\n[bold magenta]Somebody deletes the service, past Pulumi: DeleteModelService.")
    cloud.delete(first.id)
    changes = run("4. pulumi refresh: see that it is gone", stack.refresh).changes
    check(changes.get("delete") == 1, f"refresh did not see that the service is gone: {changes}")

    created = run("5. pulumi up: create it again", stack.up)
    changes = created.changes
    check(changes.get("create") == 1, f"up did not create the service again: {changes}")
    second = _one(cloud, created)
    check(second.id != first.id, "the service that was deleted is there again")

    console.print("\n[bold magenta]The program changes: another description.")
    stack.set_config("description", auto.ConfigValue(f"{cloud.place.mark}, changed"))
    replaced = run("6. pulumi up: replace it, by deleting first, then creating", stack.up)
    changes = replaced.changes
    check(changes == {"replace": 1}, f"up did not replace the service: {changes}")
    began = [kind for kind in replaced.order if kind in ("delete-replaced", "create-replacement")]
    check(began == ["delete-replaced", "create-replacement"], f"not deleted first: {began}")
    check(_one(cloud, replaced).id != second.id, "up did not replace the service")

    run("7. pulumi destroy: remove it", stack.destroy)
    check(not cloud.services(), "destroy left a service")


def _one(cloud: Cloud, up: Ran) -> ModelServiceDetails:
    """The one service that there is, active, and as the stack's outputs say."""
    looking = Deadline.after(cloud.clock, GRACE_S)
    services = cloud.services()
    while not services and not looking.expired and not cloud.clock.cancelled:
        cloud.clock.sleep(1)  # the list may not show yet what Pulumi has seen
        services = cloud.services()
    check(len(services) == 1, f"there is not one service, but {[str(one.id) for one in services]}")
    (service,) = services
    check(service.phase is Phase.ACTIVE, f"{service.id} is not active, but {service.status!r}")
    outputs = up.outputs
    check(outputs["id"].value == str(service.id), "the id in the state is not the service's")
    url = outputs["privateConnectUrl"].value
    check(url and url == service.private_connect_url, "the address is not the service's")
    check(outputs["apiKey"].secret, "the API key is not a secret")
    check(outputs["apiKey"].value == service.api_key, "the API key is not the service's")
    return service


def free_node(simulator: Simulator, instance: str) -> str:
    """A node of the instance that nothing holds."""
    settings = Settings.resolve(lambda _: None, simulator.environment())
    nodes = Gateway(settings, SystemClock()).list_ai_nodes(instance)
    return next(node.name for node in nodes if not node.bound)


def demonstrate(home: Path, simulator: Simulator, instance: str = "gp-demo") -> None:
    """Walk with a simulated cloud. Raises as `walk` does."""
    node = free_node(simulator, instance)
    place = Place(instance, node, "Qwen3-Embedding-8B", "pulumi-adbpg-model demo")
    settings = Settings.resolve(lambda _: None, simulator.environment())
    config = {"adbpg:maxPollInterval": "0.5"}
    stack = create_stack(home, place, simulator.environment(), config)
    walk(stack, Cloud(place, settings, longest_poll_s=0.5))


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
            demonstrate(Path(home), simulator)
        except (StepError, auto.CommandError, AdbpgModelError) as error:
            console.print(f"\n[bold red]The demo failed: {error}")
            return 1
        took = time.monotonic() - started
        console.print(
            f"\n[bold green]The cloud is empty: no model service is left ({took:.0f} s in all)."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
