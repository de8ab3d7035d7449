"""
A stand-in for the executor of Pulumi Deployments, and for a hosted CI runner.

For every operation: a fresh clone of the repository, a fresh virtual environment with what
requirements.txt says, a fresh home of the CLI. Only the backend lasts, and what pip installed for
the first operation is linked into the environments of the next.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.engine.support.pages import ROOT
from tests.engine.support.stack import engine_environment

_OPERATE = Path(__file__).with_name("operate.py")
_PATIENCE_S = 60.0
#: What is outside of site-packages, or of this installation alone.
_NOT_PACKED = re.compile(r"^\.\./|__pycache__|\.pth$|/(INSTALLER|REQUESTED|direct_url\.json)$")


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder, as nobody in particular."""
    person = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *person, "-C", str(folder), *arguments], check=True, capture_output=True)


def wheelhouse(folder: Path, package: str) -> None:
    """
    Put wheels of a package, found here as source, and of all that it needs into a folder.

    They are packed from what is installed, so that no network is needed, and the versions are the
    pinned ones.
    """
    folder.mkdir()
    ours = distribution(package)
    name = package.replace("-", "_")
    code = {f"{name}/{one.relative_to(ROOT / name)}": one for one in (ROOT / name).rglob("*")}
    _pack(ours, folder, code)
    done: set[str] = set()
    todo = [(ours, "")]
    while todo:
        found, extra = todo.pop()
        for line in found.requires or ():
            needed = Requirement(line)
            if needed.name not in done and (
                needed.marker is None or needed.marker.evaluate({"extra": extra})
            ):
                done.add(needed.name)
                other = distribution(needed.name)
                todo += [(other, one) for one in ("", *needed.extras)]
                _pack(other, folder, {})


def _pack(found: Distribution, folder: Path, code: Mapping[str, Path]) -> None:
    """Make a wheel of an installed distribution's files, and of more code."""
    installed = {str(path): Path(path.locate()) for path in found.files or ()}
    name = re.sub(r"[-_.]+", "_", found.name).lower()
    with zipfile.ZipFile(folder / f"{name}-{found.version}-py3-none-any.whl", "w") as wheel:
        for path, source in {**installed, **code}.items():
            if path.endswith("/RECORD"):
                wheel.writestr(path, "")  # pip makes its own of what it installs
            elif not _NOT_PACKED.search(path) and source.is_file():
                wheel.write(source, path)


@dataclass
class Running:
    """An operation under way."""

    process: subprocess.Popen[str]

    def until(self, condition: Callable[[], object]) -> None:
        """Return once the condition holds; fail when the operation ends before."""
        give_up = time.monotonic() + _PATIENCE_S
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < give_up, "what the test waits for does not happen"
            time.sleep(0.02)

    def terminate(self) -> None:
        """SIGTERM for the CLI, as from an executor that is told to stop."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [pid for one in threads for pid in (one / "children").read_text().split()]
        (cli,) = (pid for pid in children if Path(f"/proc/{pid}/comm").read_text() == "pulumi\n")
        os.kill(int(cli), signal.SIGTERM)

    def end(self) -> tuple[int, str]:
        """Wait for the end: exit code, and all that was printed."""
        out, _ = self.process.communicate(timeout=_PATIENCE_S)
        return self.process.returncode, out


class Executor:
    """Runs operations on the stack `dev` of a git repository."""

    def __init__(
        self, home: Path, repository: Path, wheels: Path, cloud: Mapping[str, str]
    ) -> None:
        self._home = home
        self._repository = repository
        self._wheels = wheels
        self._cloud = cloud
        self._runs = 0
        self._packages = home

    def environment(self, run: Path) -> dict[str, str]:
        """All that a run sees: PATH, the backend, and the credentials."""
        shared = engine_environment(self._home)
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(run),
            "PULUMI_HOME": str(run / "pulumi-home"),
            "PULUMI_PYTHON_CMD": str(run / "clone/venv/bin/python"),
            "STACK": "dev",
        }
        return {**shared, **own, **self._cloud}

    def checkout(self) -> Path:
        """A fresh clone with a fresh environment: where an operation runs."""
        self._runs += 1
        run = self._home / f"run-{self._runs}"
        clone = run / "clone"
        run.mkdir()
        git(run, "clone", "--quiet", self._repository.as_uri(), str(clone))
        environment = clone / "venv"
        assert not environment.exists()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        packages = environment / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
        if self._runs == 1:
            self._install(clone)
            self._packages = packages
        else:  # what pip would install again, which takes as long as an operation
            shutil.copytree(self._packages, packages, copy_function=os.link, dirs_exist_ok=True)
        return run

    def _install(self, clone: Path) -> None:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--isolated",
            "--python",
            str(clone / "venv/bin/python"),
        ]
        options = ["--quiet", "--no-compile", "--no-index", "--find-links", str(self._wheels)]
        subprocess.run(
            [*pip, "install", *options, "--requirement", "requirements.txt"], cwd=clone, check=True
        )

    @contextmanager
    def start(self, operation: str, run: Path | None = None) -> Iterator[Running]:
        """
        Begin an operation; it is stopped when the block is left before its end.

        Args:
            operation: Such as `up`.
            run: A checkout in which something was done already; without it, a fresh one.
        """
        run = run or self.checkout()
        python = run / "clone/venv/bin/python"
        with subprocess.Popen(
            [python, _OPERATE, operation],
            cwd=run / "clone",
            env=self.environment(run),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield Running(process)
            finally:
                process.kill()

    def run(self, operation: str, run: Path | None = None) -> str:
        """Run an operation that must go well; what it printed."""
        with self.start(operation, run) as running:
            code, output = running.end()
        assert code == 0, output
        return output
