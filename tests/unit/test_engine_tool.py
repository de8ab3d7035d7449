"""tools/engine.py: Pulumi's installer where it can be reached, or else quickly something else."""

from __future__ import annotations

import importlib.util
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.raw import certificate, raw_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the site serves a shell script")

_TOOL = Path(__file__).parents[2] / "tools/engine.py"
_SITE = "get.pulumi.com"
#: As Pulumi's own: told where to install and which version, it leaves shell profiles alone.
_SCRIPT = """#!/bin/sh
[ "$*" = "--no-edit-path --install-root $3 --version 3.274.1" ] || exit 1
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho v3.274.1\\n' > "$3/bin/pulumi"
chmod +x "$3/bin/pulumi"
"""


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("engine_tool", _TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["engine_tool"] = module  # where its dataclasses look for it
    spec.loader.exec_module(module)
    return module


@contextmanager
def _site(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Pulumi's site, behind a proxy, with a certificate that is trusted here."""
    context, trusted = certificate(folder, _SITE)

    def respond(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.recv(65536)
            body = script.encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            inside.sendall(head.encode() + body)

    with raw_server(respond) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        yield proxy.requests


def test_pulumis_installer_is_used_where_it_can_be_reached(
    tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The SDK runs the script that the site serves, for the version that go.mod names."""
    with _site(tmp_path, _SCRIPT, monkeypatch) as requests, (tmp_path / "log").open("w") as log:
        assert tool.install("v3.274.1", tmp_path / "new/bin", log) == ""
    assert all(request.startswith(f"CONNECT {_SITE}:443 ") for request in requests)
    assert (tmp_path / "new/bin/pulumi").is_file()
    assert capsys.readouterr().err == "Installing the Pulumi engine v3.274.1, once.\n"


@pytest.mark.parametrize(
    ("script", "bound_s", "failure"),
    [
        ("#!/bin/sh\nexit 3\n", 20.0, "failed"),
        ("#!/bin/sh\nsleep 60\n", 1.0, "did not end within 1 s"),
    ],
)
def test_an_installer_that_fails_or_hangs_is_given_up(
    tool: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    bound_s: float,
    failure: str,
) -> None:
    """Bounded in time, with all that it started."""
    began = time.monotonic()
    with _site(tmp_path, script, monkeypatch), (tmp_path / "log").open("w") as log:
        assert tool.install("v3.274.1", tmp_path / "new/bin", log, bound_s=bound_s) == failure
    assert time.monotonic() - began < 15.0
    assert not (tmp_path / "new/bin/pulumi").exists()


def test_a_machine_without_a_way_to_the_site_is_told_so_at_once(
    tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that refuses, and one that never answers, cost seconds, not minutes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port, within_s in ((1, 5.0), (silent.getsockname()[1], 10.0)):
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            began = time.monotonic()
            with (tmp_path / "log").open("w") as log:
                told = tool.install("v3.274.1", tmp_path / "new/bin", log, reach_s=0.5)
            assert told == "cannot be reached"
            assert time.monotonic() - began < within_s
