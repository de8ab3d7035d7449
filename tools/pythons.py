"""
Find the other Pythons of this machine, with the package's dependencies, for the upgrade tests.

    python tools/pythons.py          the oldest and the newest supported Python of this machine
    python tools/pythons.py --all    every one

The one that runs this is left out.

Prints the path of an interpreter per line, or nothing where there is no other Python. Looked for
are python3.10 and newer on the PATH, and what pyenv has installed. Each gets an environment of its
own in a cache of this user, once, with the pinned dependencies and without the package itself:
whoever runs it puts a clone on the PYTHONPATH.

The paths go to stdout, everything else to stderr. Needs nothing but Python 3.10.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine import EngineError, cache_directory, lock, run_patiently, say

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
SUPPORTED = ((3, 10), (3, 11), (3, 12), (3, 13), (3, 14))

Version = tuple[int, int]


def dependencies() -> list[str]:
    """What pyproject.toml says the package needs."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return re.findall(r'^ +"([^"]+)"', listed[1], re.MULTILINE) if listed else []


def others() -> dict[Version, str]:
    """The interpreters of other supported versions, oldest first."""
    found = {}
    for version in SUPPORTED:
        if version != sys.version_info[:2]:
            runs = (command for command in candidates(version) if runs_as(command, version))
            command = next(runs, None)
            if command is not None:
                found[version] = command
    return found


def candidates(version: Version) -> Iterator[str]:
    """Where a Python of this version may be."""
    name = "python{}.{}".format(*version)
    on_path = shutil.which(name)
    if on_path:
        yield on_path
    # Its commands on the PATH run the chosen version alone, whichever others there are.
    pyenv = os.environ.get("PYENV_ROOT")
    if pyenv:
        yield from map(str, sorted(Path(pyenv, "versions").glob(f"*/bin/{name}")))


def runs_as(command: str, version: Version) -> bool:
    """Whether the command is a Python of this version that can make environments."""
    code = "import ensurepip, sys; print(sys.version_info[:2])"
    try:
        done = subprocess.run([command, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.strip() == str(version)


def prepare(version: Version, command: str) -> Path:
    """An interpreter with the dependencies; another process that makes it is waited for."""
    name = "{}.{}".format(*version)
    wanted = dependencies()
    contents = "\n".join(wanted).encode() + CONSTRAINTS.read_bytes()
    home = cache_directory() / "pythons" / f"{name}-{hashlib.sha256(contents).hexdigest()[:12]}"
    python = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    home.mkdir(parents=True, exist_ok=True)
    with lock(home / "lock", f"installing the dependencies for Python {name}"):
        if not (home / "venv" / python).is_file():
            say(f"Installing the dependencies for Python {name}, once (about a minute).")
            with (
                tempfile.TemporaryDirectory(prefix="making-", dir=home) as temporary,
                (home / "pip.log").open("w", encoding="utf-8") as log,
            ):
                staging = Path(temporary, "venv")
                run_patiently([command, "-m", "venv", str(staging)], log, attempts=1)
                pinned = {
                    "PIP_CONSTRAINT": str(CONSTRAINTS),
                    "PIP_BUILD_CONSTRAINT": str(CONSTRAINTS),
                    "PIP_USE_PEP517": "1",
                    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                }
                run_patiently(
                    [str(staging / python), "-m", "pip", "install", "--quiet", *wanted],
                    log,
                    environment={**os.environ, **pinned},
                )
                staging.rename(home / "venv")  # complete, or not there at all
    return home / "venv" / python


def main() -> int:
    """Print the interpreters; returns the exit code."""
    parser = argparse.ArgumentParser(description="Find the other Pythons of this machine.")
    parser.add_argument("--all", action="store_true", help="those between the two as well")
    wants_all = parser.parse_args().all
    try:
        found = list(others().items())
        if not found:
            versions = ", ".join("python{}.{}".format(*version) for version in SUPPORTED)
            say(f"There is no other Python here: put one of {versions} on the PATH.")
        for version, command in found if wants_all else dict((*found[:1], *found[-1:])).items():
            print(prepare(version, command), flush=True)
    except (EngineError, OSError) as error:
        say(f"No other Python: {str(error).rstrip('.')}.")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
