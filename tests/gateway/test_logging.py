"""What this process writes about its calls, by itself or because somebody asked: no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.gateway.raw import answer, raw_server

_SECRET = "made-up/access+key=secret"
_TOKEN = "CAIS+made/up=token=="
_PROGRAM = textwrap.dedent(
    """
    import logging, os, sys
    if "LOG_EVERYTHING" in os.environ:
        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
        logging.getLogger("pulumi_adbpg_model").setLevel(logging.DEBUG)
    from pulumi_adbpg_model.clock import SystemClock
    from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
    from pulumi_adbpg_model.errors import AdbpgModelError
    from pulumi_adbpg_model.gateway import Gateway, RetryPolicy
    from pulumi_adbpg_model.settings import Settings

    settings = Settings.resolve(lambda name: None, os.environ, region_required=False)
    gateway = Gateway(settings, SystemClock(), RetryPolicy(attempts=1))
    spec = ModelServiceSpec("gp-demo", "Qwen3-8B", ("ai-1",))
    service = gateway.create_model_service(spec, "t-1").id
    for act in (
        lambda: gateway.describe_model_service(service),
        lambda: gateway.describe_model_service(ModelServiceId("gp-demo", "ms-none")),
        lambda: gateway.list_ai_nodes("gp-none"),
        lambda: gateway.delete_model_service(service),
    ):
        try:
            act()
        except AdbpgModelError:
            logging.getLogger("pulumi_adbpg_model").debug("caught", exc_info=True)
    print("done", os.environ["DEBUG"], settings, gateway)
    """
)


def _written(home: Path, environment: Mapping[str, str]) -> str:
    """All that the program writes, to stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=Path(__file__).parents[2],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "\ndone " in f"\n{done.stdout}"
    return done.stdout + done.stderr


def _source(name: str, home: Path) -> dict[str, str]:
    """The environment that makes credentials come from there."""
    key = {"access_key_id": "simulator-key-id", "access_key_secret": _SECRET}
    if name == "variables":
        return {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "simulator-key-id",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": _SECRET,
            "ALIBABA_CLOUD_SECURITY_TOKEN": _TOKEN,
        }
    profile = {"name": "mine", "mode": "StsToken", "sts_token": _TOKEN, **key}
    (home / ".aliyun").mkdir()
    (home / ".aliyun" / "config.json").write_text(
        json.dumps({"current": "mine", "profiles": [profile]})
    )
    return {"ALICLOUD_PROFILE": "mine"} if name == "profile" else {}


@pytest.mark.parametrize("source", ["variables", "chain"])
def test_debug_in_the_environment_shows_nothing(tmp_path: Path, source: str) -> None:
    """DEBUG=sdk makes the SDK print signed headers; our calls print nothing, and leave it set."""
    with Simulator(provision_seconds=0, access_key_secret=_SECRET, security_token=_TOKEN) as cloud:
        environment = {**_source(source, tmp_path), "ADBPG_ENDPOINT": cloud.endpoint}
        written = _written(tmp_path, {**environment, "DEBUG": "sdk"})
    assert [line.split()[:2] for line in written.splitlines()] == [["done", "sdk"]]
    for secret in (_SECRET, _TOKEN):
        assert secret not in written


def test_every_logger_at_debug_shows_no_secret(tmp_path: Path) -> None:
    """With the root logger at DEBUG the HTTP library would tell each URL, with all parameters."""
    with Simulator(provision_seconds=0, access_key_secret=_SECRET, security_token=_TOKEN) as cloud:
        environment = {**_source("profile", tmp_path), "ADBPG_ENDPOINT": cloud.endpoint}
        written = _written(tmp_path, {**environment, "DEBUG": "sdk", "LOG_EVERYTHING": "1"})
        signatures = [one.headers["authorization"].rpartition("=")[2] for one in cloud.requests]
    assert "DEBUG:pulumi_adbpg_model:caught" in written  # the log is on
    assert "urllib3" not in written
    assert len(signatures) == 5
    for secret in (_SECRET, _TOKEN, "ACS3-HMAC-SHA256", "Qwen3", *signatures):
        assert secret not in written


def test_debug_in_the_environment_shows_no_call_that_fetches_credentials(tmp_path: Path) -> None:
    """The credentials library has a transport of its own, with the same habit."""
    given = {
        "Code": "Success",
        "AccessKeyId": "simulator-key-id",
        "AccessKeySecret": _SECRET,
        "SecurityToken": _TOKEN,
        "Expiration": "2999-01-01T00:00:00Z",
    }
    with (
        Simulator(provision_seconds=0, access_key_secret=_SECRET, security_token=_TOKEN) as cloud,
        raw_server(answer(json.dumps(given).encode())) as vault,
    ):
        written = _written(
            tmp_path,
            {
                "ADBPG_ENDPOINT": cloud.endpoint,
                "ALIBABA_CLOUD_CREDENTIALS_URI": f"http://127.0.0.1:{vault.port}/?pass=word-1",
                "DEBUG": "sdk",
            },
        )
    assert vault.requests != []
    for secret in (_SECRET, _TOKEN, "word-1"):
        assert secret not in written
