"""
Record the stacks that this version writes, for the versions to come.

    python -m tests.engine.upgrades.record 0.1.0

Needs the Pulumi CLI on the PATH. Each release has a folder with its program and, for each stack,
what a user would have: the backend's folder, the stack's settings, and the simulated cloud's
contents. A release gets a copy of the newest program; one that is recorded stays as it is.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.sigkill import Sessions
from tests.engine.support.programs import place
from tests.engine.support.running import background, eventually
from tests.engine.support.stack import PROJECT, STACK, Failed, Stack

HERE = Path(__file__).parent
#: The folders of all releases, oldest first.
RELEASES = sorted(
    (path.name for path in HERE.glob("v*_*_*")),
    key=lambda name: [int(number) for number in name[1:].split("_")],
)
CLOUD = "cloud.json"
#: What a user's files are, relative to the home of a `Stack`.
_KEPT = (
    "state/.pulumi/meta.yaml",
    f"state/.pulumi/stacks/{PROJECT}/{STACK}.json",
    f"project/Pulumi.{STACK}.yaml",
)
#: Where in which file something was declared: nothing reads it, and it names this machine.
_PLACES = ("sourcePosition", "stackTrace")


def load(release: str) -> Any:
    """The program of a release, by the name of its folder."""
    return importlib.import_module(f"{__package__}.{release}.program")


def simulator_of(program: Any, state: Path) -> Simulator:
    """The cloud that a release's stacks live in, not started yet."""
    return Simulator(
        nodes=program.NODES,
        whitelist_groups=program.WHITELIST_GROUPS,
        provision_seconds=0,
        state=state,
    )


def _settled(program: Any, stack: Stack, simulator: Simulator) -> None:
    id_ = place(simulator, ai_nodes=("ai-5",))
    stack.up(lambda: program.settled(adopted=id_))
    stack.up(program.settled, replace=[stack.resource("replaced")["urn"]])


def _troubled(program: Any, stack: Stack, simulator: Simulator) -> None:
    simulator.hold_deployments()
    simulator.inject("unavailable", "DescribeModelService", times=None)
    urn = "urn:pulumi:{}::{}::pulumi-python:dynamic/adbpg:ModelService::{}"
    with suppress(Failed):
        stack.up(program.troubled, target=[urn.format(STACK, PROJECT, "unseen")])
    simulator.clear_faults()
    simulator.fail_next_deployment()
    rest = [urn.format(STACK, PROJECT, name) for name in ("pending", "unwaited")]
    with suppress(Failed):
        stack.up(target=[urn.format(STACK, PROJECT, "failed")])
    (failed,) = (one for one in simulator.services if one.ai_nodes == ("ai-3",))
    simulator.fail_service(failed.id)
    with suppress(Failed):
        stack.up(target=[urn.format(STACK, PROJECT, "failed"), *rest])


def _killed(program: Any, stack: Stack, simulator: Simulator) -> None:
    simulator.hold_deployments()
    sessions = Sessions(stack.home)
    killable = Stack(stack.home, simulator, command=sessions.command())
    with background(lambda: killable.up(program.killed)) as up:
        eventually(lambda: simulator.calls("DescribeModelService"), up)
        sessions.kill(up, "everything")
    stack.cancel()


_STACKS: dict[str, Callable[[Any, Stack, Simulator], None]] = {
    "settled": _settled,
    "troubled": _troubled,
    "killed": _killed,
}


def record(version: str) -> None:
    """Write the folder of a release, once: what was published is not written anew."""
    name = "v" + version.replace(".", "_")
    folder = HERE / name
    if folder.exists():
        sys.exit(f"{folder.name} is there already: what a release wrote does not change.")
    folder.mkdir()
    (folder / "__init__.py").write_text(f'"""Stacks written by release {version}."""\n')
    shutil.copyfile(HERE / RELEASES[-1] / "program.py", folder / "program.py")
    program = load(name)
    for title, write in _STACKS.items():
        with tempfile.TemporaryDirectory() as temporary:
            home = Path(temporary)
            with simulator_of(program, home / CLOUD) as simulator:
                write(program, Stack(home, simulator, passphrase=True), simulator)
            for path in (*_KEPT, CLOUD):
                target = folder / title / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(_portable((home / path).read_text(encoding="utf-8"), path))


def _portable(text: str, path: str) -> str:
    if not path.endswith(".json"):
        return text
    return json.dumps(_without_places(json.loads(text)), indent=1) + "\n"


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_places(one) for key, one in value.items() if key not in _PLACES}
    return [_without_places(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.fullmatch(r"\d+\.\d+\.\d+", sys.argv[1]):
        sys.exit(__doc__)
    record(sys.argv[1])
