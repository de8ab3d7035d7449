"""Where credentials come from, in these tests: services that answer as told, and files."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.gateway.raw import RawServer, answer, certificate, raw_server
from tests.gateway.support import SECRET, TOKEN

#: In everything that a source works with and nobody may see.
MARK = "MARKED-made-up"


def key(*, seconds: float = 3600, **fields: Any) -> dict[str, Any]:
    """Credentials that a simulator with the token takes, as such services give them."""
    end = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return {
        "Code": "Success",
        "AccessKeyId": "simulator-key-id",
        "AccessKeySecret": SECRET,
        "SecurityToken": TOKEN,
        "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **fields,
    }


def refusal(status: str) -> tuple[bytes, str]:
    """An answer with that status, and much that is nobody's business."""
    return json.dumps({"Code": MARK, "Message": f"{MARK} {TOKEN}"}).encode(), status


class Vault:
    """A service that gives credentials; its answers are taken in turn, the last one for ever."""

    def __init__(self, *answers: dict[str, Any] | bytes | tuple[bytes, str]) -> None:
        self.answers = list(answers)
        self.server: RawServer

    def __call__(self, connection: socket.socket) -> None:
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, tuple):
            answer(given[0], status=given[1])(connection)
        elif isinstance(given, bytes):
            answer(given)(connection)
        else:
            answer(json.dumps(given).encode())(connection)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.port}"


@contextmanager
def vault(*answers: Any, tls: Path | None = None) -> Iterator[Vault]:
    """A running one; with a folder for its certificate, over TLS."""
    running = Vault(*answers)
    context = certificate(tls, "127.0.0.1")[0] if tls is not None else None
    with raw_server(running, context) as running.server:
        yield running


def cli_file(home: Path, *profiles: dict[str, Any], current: str = "mine") -> None:
    """Write `~/.aliyun/config.json`; a profile without a name is the current one."""
    (home / ".aliyun").mkdir(exist_ok=True)
    named = [{"name": "mine", **profile} for profile in profiles]
    text = json.dumps({"current": current, "profiles": named, "meta": MARK})
    (home / ".aliyun" / "config.json").write_text(text)


def ini_file(home: Path, text: str) -> None:
    """Write `~/.alibabacloud/credentials.ini`."""
    (home / ".alibabacloud").mkdir(exist_ok=True)
    (home / ".alibabacloud" / "credentials.ini").write_text(text)


#: What to write into a home, or set, and in which of our words the failure is told.
Case = tuple[str, Callable[[Path], dict[str, str]], str]


def _cli(**profile: Any) -> Callable[[Path], dict[str, str]]:
    def prepare(home: Path) -> dict[str, str]:
        cli_file(home, profile)
        return {"ALICLOUD_PROFILE": "mine"}

    return prepare


def _ini(text: str) -> Callable[[Path], dict[str, str]]:
    def prepare(home: Path) -> dict[str, str]:
        ini_file(home, text)
        return {}

    return prepare


def _text(name: str, text: str, **settings: str) -> Callable[[Path], dict[str, str]]:
    def prepare(home: Path) -> dict[str, str]:
        file = home / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return {setting: value.format(home=home) for setting, value in settings.items()}

    return prepare


def _helper(body: str) -> Callable[[Path], dict[str, str]]:
    def prepare(home: Path) -> dict[str, str]:
        script = home / "helper"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o700)
        return _cli(mode="External", process_command=str(script))(home)

    return prepare


_AK = {"access_key_id": "id", "access_key_secret": MARK}
_SSO = {
    "cloud_sso_sign_in_url": "https://127.0.0.1:9/x",
    "cloud_sso_account_id": "1",
    "cloud_sso_access_config": "ac",
    "access_token": MARK,
}
_OIDC = {
    "ALIBABA_CLOUD_ROLE_ARN": f"acs:ram::1:role/{MARK}",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": MARK,
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "{home}/token",
}


def _pipe(home: Path) -> dict[str, str]:
    os.mkfifo(home / "token")
    return {name: value.format(home=home) for name, value in _OIDC.items()}


def _folder(home: Path) -> dict[str, str]:
    (home / ".aliyun" / "config.json").mkdir(parents=True)
    return {}


def _two_profiles(home: Path) -> dict[str, str]:
    cli_file(home, {"mode": "AK", **_AK}, {"mode": "AK", **_AK})
    return {}


def _binary(home: Path) -> dict[str, str]:
    (home / ".aliyun").mkdir()
    (home / ".aliyun" / "config.json").write_bytes(b"{\xff" + MARK.encode())
    return {}


#: Sources that work with nothing but files of the home.
BROKEN_FILES: list[Case] = [
    ("ini without a header", _ini(f"access_key_secret = {MARK}\n"), "see line 1"),
    ("ini with a broken line", _ini(f"[default]\n{MARK}\n"), "is no credentials file"),
    (
        "ini of no type",
        _ini(f"[default]\ntype = {MARK}\n"),
        "section 'default' of ~/.alibabacloud/credentials.ini has no type that is known",
    ),
    (
        "ini without a secret",
        _ini("[default]\ntype = access_key\naccess_key_id = i\n"),
        "(type access_key) has no access_key_secret",
    ),
    (
        "ini with a key pair that is not there",
        _ini(f"[default]\ntype = rsa_key_pair\npublic_key_id = {MARK}\nprivate_key_file = /none\n"),
        "(type rsa_key_pair): a file that it needs does not exist",
    ),
    ("no json", _text(".aliyun/config.json", f"{{{MARK}"), "~/.aliyun/config.json is no file of"),
    (
        "json of another shape",
        _text(".aliyun/config.json", f'{{"profiles": ["{MARK}"]}}', ALICLOUD_PROFILE="mine"),
        "~/.aliyun/config.json is no file of CLI profiles",
    ),
    (
        "another profile",
        lambda home: {**_cli(mode="AK", **_AK)(home), "ALICLOUD_PROFILE": "theirs"},
        "~/.aliyun/config.json has no profile 'theirs'",
    ),
    ("strange mode", _cli(mode=MARK), "profile 'mine' of ~/.aliyun/config.json has no mode"),
    (
        "no secret",
        _cli(mode="AK", access_key_id=MARK),
        "profile 'mine' of ~/.aliyun/config.json (mode AK) has no access_key_secret",
    ),
    (
        "white space in a secret",
        _cli(mode="AK", access_key_id="id", access_key_secret=f"{MARK}\n"),
        "the access key secret holds white space",
    ),
    (
        "session over",
        _cli(mode="CloudSSO", cloud_sso_access_token_expire=1, **_SSO),
        "(mode CloudSSO): its session is over: log in anew",
    ),
    (
        "session that is not there",
        _cli(mode="CloudSSO", cloud_sso_access_token_expire=2**40, **_SSO),
        "(mode CloudSSO): 127.0.0.1 cannot be reached",
    ),
    (
        "token that is not there",
        _cli(mode="OIDC", ram_role_arn=MARK, oidc_provider_arn=MARK, oidc_token_file="/none"),
        "(mode OIDC): the file does not exist",
    ),
    (
        "source profile that is not there",
        _cli(mode="ChainableRamRoleArn", ram_role_arn=MARK, source_profile=MARK),
        "builds on a profile that does not exist",
    ),
    (
        "helper that fails",
        _helper(f"echo {MARK}; echo {MARK} >&2; exit 3"),
        "(mode External): its command fails, or prints no credentials",
    ),
    (
        "helper that prints something",
        _helper(f'echo \'{{"mode": "{MARK}"}}\''),
        "(mode External): its command fails, or prints no credentials",
    ),
    (
        "helper that is not there",
        _cli(mode="External", process_command=f"/none/{MARK}"),
        "(mode External): its command fails",
    ),
    (
        "oidc token with a line end",
        _text("token", f"{MARK}\n", **_OIDC),
        "token: the file holds white space",
    ),
    (
        "two profiles of one name",
        _two_profiles,
        "~/.aliyun/config.json has two profiles of one name",
    ),
    (
        "a mode that is looked at later",
        lambda home: {**_cli(mode="EcsRamRole")(home), "ALICLOUD_CREDENTIALS_URI": MARK},
        "it names one of mode EcsRamRole, and environment ALICLOUD_CREDENTIALS_URI is set, too",
    ),
    (
        "a section beside another source",
        lambda home: {
            **_ini("[default]\n")(home),
            "ALIBABA_CLOUD_PROFILE": "default",
            "ALICLOUD_ECS_ROLE_NAME": MARK,
        },
        "it names a section of a file of the SDKs, and environment ALICLOUD_ECS_ROLE_NAME is",
    ),
    (
        "a source profile of another type",
        _cli(mode="ChainableRamRoleArn", ram_role_arn=MARK, source_profile=[MARK]),
        "builds on a profile that does not exist",
    ),
    (
        "a home that is too long",
        lambda home: {"ALIBABA_CLOUD_PROFILE": "p", "HOME": f"/{MARK * 30}"},
        "~/.alibabacloud/credentials.ini: the file cannot be read",
    ),
    (
        "a proxy that is none",
        lambda home: {**_text("token", "t", **_OIDC)(home), "HTTPS_PROXY": f"ftp://u:{MARK}@p"},
        "HTTPS_PROXY names no http proxy",
    ),
    ("a pipe for a token", _pipe, "token: it is no file"),
    ("a folder of profiles", _folder, "~/.aliyun/config.json: it is no file"),
    ("a huge file", _text(".aliyun/config.json", MARK * 10**5), "json: the file is too large"),
    ("a binary file", _binary, "~/.aliyun/config.json: the file is not UTF-8"),
    (
        "fields of other types",
        _cli(mode=[MARK], access_key_id={MARK: 1}),
        "profile 'mine' of ~/.aliyun/config.json has no mode that is known",
    ),
    (
        "a key of another type",
        _cli(mode="AK", access_key_id=[MARK], access_key_secret={MARK: 1}),
        "the access key id is no text",
    ),
    ("no oidc token", _text("other", "", **_OIDC), "token: the file does not exist"),
    ("empty oidc token", _text("token", "", **_OIDC), "token: the file is empty"),
    (
        "no home of credentials",
        lambda home: {"ALICLOUD_CREDENTIALS_URI": f"http://[{MARK}"},
        "the credentials URI",
    ),
    (
        "no service of credentials",
        lambda home: {"ALICLOUD_CREDENTIALS_URI": f"http://127.0.0.1:9/{MARK}?{MARK}={MARK}"},
        "the credentials URI: 127.0.0.1 cannot be reached",
    ),
]
