"""
Credentials from every source. The library reads variables at import, so they are also tried in a
process of its own each; the rest of a machine's settings is kept away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.settings.identity import CREDENTIAL_SOURCES
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import Answer, Stub, stub

_PROGRAM = textwrap.dedent(
    """
    import os, sys
    from pulumi_adbpg_model.clock import SystemClock
    from pulumi_adbpg_model.errors import AdbpgModelError
    from pulumi_adbpg_model.gateway import Gateway
    from pulumi_adbpg_model.settings import Settings

    config = dict(pair.split("=", 1) for pair in sys.argv[1:])
    settings = Settings.resolve(config.get, os.environ, region_required=False)
    try:
        print("services:", Gateway(settings, SystemClock()).list_model_services("gp-demo"))
    except AdbpgModelError as error:
        print(f"{type(error).__name__}: {error}")
    """
)
_PROFILES: list[dict[str, Any]] = [
    {
        "name": "default",
        "mode": "AK",
        "access_key_id": "simulator-key-id",
        "access_key_secret": "simulator-key-secret",
    },
    {
        "name": "session",
        "mode": "StsToken",
        "access_key_id": "simulator-key-id",
        "access_key_secret": "simulator-key-secret",
        "sts_token": "made-up-token",
    },
    {"name": "empty", "mode": "AK", "access_key_id": "", "access_key_secret": ""},
    {"name": "strange", "mode": "Strange"},
]


def _run(
    home: Path, cloud: Simulator | Stub, *config: str, env: Mapping[str, str] | None = None
) -> str:
    """What the program says in that home, with nothing else of this machine's settings."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *config],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], **_environment(home, cloud, env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def _said(
    home: Path, cloud: Simulator | Stub, *config: str, env: Mapping[str, str] | None = None
) -> str:
    """What the program says, without a process for it."""
    given = dict(pair.split("=", 1) for pair in config)
    environment = _environment(home, cloud, env or {})
    settings = Settings.resolve(given.get, environment, region_required=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        try:
            services = Gateway(settings, SystemClock()).list_model_services("gp-demo")
        except AdbpgModelError as error:
            return f"{type(error).__name__}: {error}"
    return f"services: {services}"


def _environment(home: Path, cloud: Simulator | Stub, more: Mapping[str, str]) -> dict[str, str]:
    return {
        "HOME": str(home),
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
        "ADBPG_ENDPOINT": f"http://127.0.0.1:{cloud.port}",
        **more,
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a file of CLI profiles."""
    (tmp_path / ".aliyun").mkdir()
    text = json.dumps({"current": "default", "profiles": _PROFILES})
    (tmp_path / ".aliyun" / "config.json").write_text(text)
    return tmp_path


def test_missing_credentials_name_every_place_that_was_looked_in(
    simulator: Simulator, tmp_path: Path
) -> None:
    """With no credentials anywhere the error lists all sources, and no call is made."""
    said = _said(tmp_path, simulator, env={"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"})

    assert said.startswith("ConfigurationError: no Alibaba Cloud credentials were found. Looked in")
    assert [source for source in CREDENTIAL_SOURCES if source not in said] == []
    assert simulator.requests == []


@pytest.mark.parametrize(
    ("config", "env"),
    [
        (["adbpg:profile=default"], {}),
        (["alicloud:profile=default"], {}),
        ([], {"ALICLOUD_PROFILE": "default"}),
        ([], {}),
        (["adbpg:accessKey=simulator-key-id", "adbpg:secretKey=simulator-key-secret"], {}),
        (
            [],
            {
                "ALICLOUD_ACCESS_KEY": "simulator-key-id",
                "ALICLOUD_SECRET_KEY": "simulator-key-secret",
            },
        ),
        (
            [],
            {
                "ALIBABA_CLOUD_ACCESS_KEY_ID": "simulator-key-id",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "simulator-key-secret",
            },
        ),
    ],
)
def test_credentials_of_every_source_sign_accepted_calls(
    simulator: Simulator, home: Path, config: list[str], env: dict[str, str]
) -> None:
    """Config, both families of variables, named profiles and the current one all work."""
    tried = [_said, _run] if env else [_said]
    for say in tried:
        assert say(home, simulator, *config, env=env) == "services: []"


def test_a_profile_with_a_session_token_works(home: Path) -> None:
    """Temporary credentials of a profile are sent with their token."""
    with Simulator(security_token="made-up-token") as simulator:
        assert _said(home, simulator, "adbpg:profile=session") == "services: []"


@pytest.mark.parametrize("config", [["adbpg:profile=session"], []], ids=["profile", "chain"])
def test_a_token_that_settings_never_saw_is_masked_too(home: Path, config: list[str]) -> None:
    """A signature error repeats signed headers: the session token of a profile must not show."""
    session = json.dumps({"current": "session", "profiles": _PROFILES})
    (home / ".aliyun" / "config.json").write_text(session)

    def answer(_: dict[str, str]) -> Answer:
        sent = cloud.headers[-1]["x-acs-security-token"]
        return Answer({"Code": "SignatureDoesNotMatch", "Message": f"signed: {sent} end"}, 400)

    with stub(answer) as cloud:
        said = _said(home, cloud, *config)
        assert cloud.headers[-1]["x-acs-security-token"] == "made-up-token"

    assert "AccessError: ListModelServices of instance gp-demo failed: signed: **** end (" in said


def test_the_chain_itself_reads_alibaba_cloud_profile(simulator: Simulator, home: Path) -> None:
    """The variable picks the profile of the chain, where the current one would not work."""
    current = json.dumps({"current": "empty", "profiles": _PROFILES})
    (home / ".aliyun" / "config.json").write_text(current)

    said = _said(home, simulator, env={"ALIBABA_CLOUD_PROFILE": "default"})
    without = _said(home, simulator)

    assert said == "services: []"
    assert without.startswith("ConfigurationError: no Alibaba Cloud credentials were found.")


def test_a_section_of_the_credentials_file_is_picked_by_alibaba_cloud_profile(
    simulator: Simulator, tmp_path: Path
) -> None:
    """A name that is no CLI profile is looked for in the chain's own file."""
    (tmp_path / ".alibabacloud").mkdir()
    (tmp_path / ".alibabacloud" / "credentials.ini").write_text(
        "[team]\nenable = true\ntype = access_key\naccess_key_id = simulator-key-id\n"
        "access_key_secret = simulator-key-secret\n"
    )

    assert _run(tmp_path, simulator, env={"ALIBABA_CLOUD_PROFILE": "team"}) == "services: []"
