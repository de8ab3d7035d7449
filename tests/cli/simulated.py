"""The command `simulate` as a process of its own, and the vendor's client to talk to it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from alibabacloud_gpdb20160503 import models
from alibabacloud_gpdb20160503.client import Client
from alibabacloud_tea_openapi.models import Config

if TYPE_CHECKING:
    from typing_extensions import Self

_PATIENCE_S = 20.0


class Simulated:
    """A context manager around `python -m pulumi_adbpg_model simulate …`."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pulumi_adbpg_model", "simulate", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )
        if self._process.stdout is None:
            raise AssertionError("no pipe")
        self.line = self._process.stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def port(self) -> int:
        """The port that the line names."""
        match = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", self.line)
        if match is None:
            raise AssertionError(f"unexpected first line {self.line!r}")
        return int(match[1])

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Send a signal; exit code and what was printed after the first line."""
        self._process.send_signal(number)
        out, err = self._process.communicate(timeout=_PATIENCE_S)
        return self._process.returncode, out, err

    def client(self, secret: str = "simulator-key-secret") -> Client:  # noqa: S107 - made up
        """The vendor's own client."""
        return Client(
            Config(
                endpoint=f"127.0.0.1:{self.port}",
                protocol="http",
                region_id="cn-hangzhou",
                access_key_id="simulator-key-id",
                access_key_secret=secret,
            )
        )


def create(client: Client, node: str = "ai-1", instance: str = "gp-demo") -> str:
    """Create a service; its id."""
    request = models.CreateModelServiceRequest(
        dbinstance_id=instance, model_name="Qwen3-8B", ai_nodes=[node]
    )
    return str(client.create_model_service(request).body.model_service_id)


def describe(client: Client, service_id: str, instance: str = "gp-demo") -> Any:
    """Describe a service; the answer as the client gives it."""
    request = models.DescribeModelServiceRequest(
        dbinstance_id=instance, model_service_id=service_id
    )
    return client.describe_model_service(request).body
