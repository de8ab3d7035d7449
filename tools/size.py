"""
How large the package is, and which of its files one create crosses.

    python tools/size.py [FOLDER]    a clone, by default this one

Lines are those of Python files. The command line is what only commands need, wherever a release
kept it. A create is made against the simulator; what runs of a file counts, not what is imported.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import FrameType
from typing import Any

from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from pulumi.runtime.proto import provider_pb2

PACKAGE = "pulumi_adbpg_model"
#: What belongs to the command line, also where it stood beside it.
COMMANDS = ("cli", "diagnosis", "importing", "ownership", "permissions", "probe", "__main__")
TESTING = ("simulator", "testing", "pytest_plugin")
_STARTS = 7
_URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::model"
_PROPERTIES = {
    "__organization": "acme",
    "db_instance_id": "gp-demo",
    "model_name": "Qwen3-Embedding-8B",
    "ai_nodes": ["ai-1"],
}


def lines(folder: Path) -> int:
    """The lines of all Python files in a folder."""
    return sum(len(file.read_bytes().splitlines()) for file in folder.rglob("*.py"))


def rooms(package: Path) -> dict[str, int]:
    """Lines by entry of the package's top level."""
    found: dict[str, int] = {}
    for entry in sorted(package.iterdir()):
        if entry.is_dir() and entry.name != "__pycache__":
            found[entry.name] = lines(entry)
        elif entry.suffix == ".py":
            found[entry.stem] = len(entry.read_bytes().splitlines())
    return found


def crossed_by_a_create(package: Path) -> list[str]:
    """The files of the package, but for the simulator's, that run in one create, in order."""
    provider = importlib.import_module(f"{PACKAGE}.provider").ModelServiceProvider()
    simulator = importlib.import_module(f"{PACKAGE}.testing").Simulator(provision_seconds=0)
    seen: dict[str, None] = {}

    def profile(frame: FrameType, event: str, _arg: Any) -> None:
        file = Path(frame.f_code.co_filename)
        # A module that is loaded on the way is not crossed.
        if event == "call" and frame.f_code.co_name != "<module>" and package in file.parents:
            name = file.relative_to(package).as_posix()
            if not name.startswith(TESTING):
                seen[name] = None

    with simulator:
        os.environ.update(simulator.environment())
        os.environ["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true"
        provider.configure(ConfigureRequest(Config({}, "shop")))
        sys.setprofile(profile)
        try:
            _serve(provider, provider_pb2.CreateRequest(urn=_URN), _Context())
        finally:
            sys.setprofile(None)
        if not simulator.services:
            raise SystemExit("the create failed")
    return list(seen)


class _Context:
    def set_trailing_metadata(self, _metadata: object) -> None:
        """Take what nobody reads here."""


def _serve(provider: ResourceProvider, request: object, context: object) -> None:  # noqa: ARG001
    """Call as Pulumi's host does: the package finds `request` and `context` in this frame."""
    provider.create(_PROPERTIES)


def import_ms(root: Path, code: str) -> float:
    """Milliseconds of CPU that an import takes in a fresh interpreter, the least of some."""
    timed = f"import time; t = time.process_time(); {code}; print((time.process_time() - t) * 1000)"
    command = [sys.executable, "-c", timed]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return min(
        float(subprocess.check_output(command, cwd=root, env=environment, text=True))
        for _ in range(_STARTS)
    )


def main() -> None:
    """Print it all."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    sys.path.insert(0, str(root))
    package = root / PACKAGE
    found = rooms(package)
    for name, size in found.items():
        print(f"{size:7,}  {name}")
    own = sum(size for name, size in found.items() if name not in (*COMMANDS, *TESTING))
    print(f"{own:7,}  lines of the package, without command line and simulator")
    print(f"{lines(root / 'tests'):7,}  lines of tests")
    print(f"{sum(1 for _ in (root / 'docs/architecture.md').open('rb')):7,}  docs/architecture.md")
    crossed = crossed_by_a_create(package)
    deep = sum(name.startswith("lifecycle/") for name in crossed)
    print(f"{len(crossed):7,}  files that a create crosses, {deep} of them in lifecycle:")
    print(textwrap.fill(", ".join(crossed), 100, initial_indent=" " * 9, subsequent_indent=" " * 9))
    with_pulumi = import_ms(root, f"from {PACKAGE} import ModelService")
    alone = import_ms(root, "import pulumi, pulumi.dynamic")
    print(f"{with_pulumi / alone:7.2f}  import of ModelService, as a multiple of Pulumi's own")


if __name__ == "__main__":
    main()
