"""A page of the documentation as what it is for: a person types in a shell what it shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.pages import SHOWN_ID, blocks
from tests.engine.support.stack import engine_environment
from tests.engine.support.vault import PROVIDER, vault

_PROJECT = "name: search\nruntime: python\n"
_CONFIG = "config:\n  adbpg:maxPollInterval: 0.05\n"
#: In place of Pulumi's host for Python programs, which comes with a release of the CLI only. The
#: engine asks for one even to import a file; this one runs programs as the Automation API does.
_LANGUAGE_HOST = """\
#!{python}
import runpy, signal
from concurrent.futures import ThreadPoolExecutor
import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

signal.signal(signal.SIGINT, signal.SIG_DFL)  # how the engine ends it
class Host(LanguageServer):
    def InstallDependencies(self, request, context):
        return iter(())  # `pulumi new` asks for it; what is needed is there

server = grpc.server(ThreadPoolExecutor(4))
host = Host(lambda: runpy.run_path("__main__.py", run_name="__main__"))
language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
"""


def language_host(folder: Path) -> None:
    """Put a host of Python programs into a folder that is to be on the PATH."""
    folder.mkdir()
    path = folder / "pulumi-language-python"
    path.write_text(_LANGUAGE_HOST.format(python=sys.executable))
    path.chmod(0o755)


class Terminal:
    """
    A shell in a Pulumi project named `search`, with an empty program and the stack `dev`.

    Commands, pipes and exit codes are real.
    """

    def __init__(self, home: Path, simulator: Simulator) -> None:
        self.folder = home / "project"
        self.folder.mkdir()
        self._state = home / "state/.pulumi/stacks/search/dev.json"
        (self.folder / "Pulumi.yaml").write_text(_PROJECT)
        (self.folder / "__main__.py").write_text("")
        commands = home / "commands"
        language_host(commands)
        path = [str(commands), str(Path(sys.executable).parent), os.environ["PATH"]]
        self._environment = {
            **os.environ,
            **engine_environment(home),
            **vault(),
            **simulator.environment(),
            "PATH": os.pathsep.join(path),
            "PULUMI_OPTION_SKIP_PREVIEW": "true",  # which saves half of the time
        }
        for stack in ("dev", "prod"):
            (self.folder / f"Pulumi.{stack}.yaml").write_text(_CONFIG)
        self.run(f"pulumi stack init dev --secrets-provider {PROVIDER}")

    def resources(self) -> list[dict[str, Any]]:
        """What the state of `dev` holds, from the backend's own file."""
        deployment = json.loads(self._state.read_text(encoding="utf-8"))["checkpoint"]["latest"]
        return list((deployment or {}).get("resources") or ())

    def run(self, command: str, *, fails: bool = False) -> str:
        """Run a command line; what it printed, on stdout and stderr."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"{command}\n{done.stdout}"
        return done.stdout

    def follow(self, page: Path, title: str, service_id: str = SHOWN_ID) -> None:
        """Write each file of a section and type its commands, comparing what is printed."""
        for block in blocks(page, "", title):
            kind, _, rest = block.mark.partition(":")
            content = block.text.replace(SHOWN_ID, service_id)
            if kind == "file":
                (self.folder / rest.strip()).write_text(content, encoding="utf-8")
            else:
                assert kind == "typed", block.place
                self._type(content, fails=rest.strip() == "fails")

    def _type(self, text: str, *, fails: bool) -> None:
        _, *typed = re.split(r"^\$ ", text, flags=re.MULTILINE)
        for part in typed:
            command, _, expected = part.partition("\n")
            printed = {_plain(line) for line in self.run(command, fails=fails).splitlines()}
            for line in map(_plain, expected.splitlines()):
                pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
                assert any(map(pattern.fullmatch, printed)), f"not printed: {line}\n{printed}"


def _plain(line: str) -> str:
    return " ".join(line.split())
