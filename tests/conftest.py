"""What every test needs: a clean environment, a network of loopback only, a simulated cloud."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from pulumi_adbpg_model.testing import Simulator

settings.register_profile("default", deadline=None, print_blob=True)
settings.load_profile("default")

_PREFIXES = (
    "ALIBABA_CLOUD_",
    "ALIBABACLOUD_",
    "ALICLOUD_",
    "ADBPG_",
    "OTEL_",
    "PULUMI_",
    "TRACEPARENT",
    "TRACESTATE",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_KEPT = ("ADBPG_ENGINE", "ADBPG_REQUIRE_ENGINE", "ADBPG_REQUIRE_BROWSER")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting, credential or proxy of the machine reaches a test."""
    for name in list(os.environ):
        ours = name.startswith(_PREFIXES) and name not in _KEPT
        if ours or name.lower() in _PROXIES or name == "DEBUG":
            monkeypatch.delenv(name)
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to any other machine fails at once, with the address in the error."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise ConnectionRefusedError(f"tests may not connect to {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A cloud in which a new service is active at once."""
    with Simulator(provision_seconds=0) as running:
        yield running
