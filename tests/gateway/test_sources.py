"""Every source of credentials at its boundary: what it gives, and what is told when it does not."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.provider import URLCredentialsProvider
from click.testing import CliRunner
from Tea.exceptions import RetryError

from pulumi_adbpg_model.cli import main
from pulumi_adbpg_model.errors import ConfigurationError, RenewalError
from pulumi_adbpg_model.gateway import Gateway, RetryPolicy
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.raw import answer, raw_server
from tests.gateway.support import INSTANCE, SECRET, TOKEN
from tests.gateway.vault import (
    BROKEN_FILES,
    MARK,
    Case,
    cli_file,
    ini_file,
    key,
    refusal,
    vault,
)
from tests.lifecycle.fakes import FakeClock

_ARN = "acs:ram::1234567890123456:role/deployer"
_STS = "ALIBABA_CLOUD_ENDPOINT_STS"
_COMMANDS = (
    ["models"],
    ["list", "--instance", INSTANCE],
    ["list", "--instance", INSTANCE, "--json"],
    ["nodes", "--instance", INSTANCE],
    ["api-key", f"{INSTANCE}:ms-1"],
    ["import-file", "--instance", INSTANCE, "--without-api-keys"],
    ["orphans", "--instance", INSTANCE, "--json"],
)
_NO_RESOURCES = '{"version": 3, "deployment": {"manifest": {}}}'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and none of this machine's settings."""
    for name in list(os.environ):
        if name.startswith(("ALI", "ADBPG_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    return tmp_path


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """A cloud that takes the credentials of a vault."""
    with Simulator(security_token=TOKEN) as running:
        yield running


def _gateway(cloud: Simulator, settings: Mapping[str, str], clock: FakeClock) -> Gateway:
    """Names with a colon are config, the others variables."""
    environ = {**os.environ, **settings, "ADBPG_ENDPOINT": cloud.endpoint}
    resolved = Settings.resolve(settings.get, environ, "cn-hangzhou")
    return Gateway(resolved, clock, RetryPolicy(attempts=2))


def _refused(cloud: Simulator, settings: Mapping[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _gateway(cloud, settings, FakeClock()).list_model_services(INSTANCE)
    assert MARK not in repr(caught.value)
    assert cloud.requests == []
    return str(caught.value)


def _assert_silent(text: str) -> None:
    for secret in (MARK, SECRET, TOKEN, "OIDCToken", "SecurityToken=", "Signature"):
        assert secret not in text


@pytest.mark.parametrize(
    ("case", "command"),
    [*zip(BROKEN_FILES, cycle(_COMMANDS))],
    ids=[name for name, _, _ in BROKEN_FILES],
)
def test_a_source_that_does_not_work_is_told_in_our_words(
    cloud: Simulator,
    home: Path,
    case: Case,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Source, kind, host or file: by the gateway and by the commands in turn, with all logs on."""
    caplog.set_level(logging.DEBUG)
    _, prepare, told = case
    settings = prepare(home)
    for name in settings.keys() & {"HOME", "HTTPS_PROXY"}:
        monkeypatch.setenv(name, settings[name])
    said = _refused(cloud, settings)
    assert told in said
    for name, value in {**settings, "ADBPG_ENDPOINT": cloud.endpoint}.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, command, input=_NO_RESOURCES)
    assert result.exit_code == 1
    assert told in result.output
    said += result.output
    out, err = capfd.readouterr()
    _assert_silent(said + caplog.text + out + err)
    assert cloud.requests == []


@pytest.mark.parametrize("case", BROKEN_FILES[::9], ids=[name for name, _, _ in BROKEN_FILES[::9]])
def test_doctor_tells_of_a_source_that_does_not_work(
    cloud: Simulator, home: Path, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the row of the credentials."""
    _, prepare, told = case
    for name, value in {**prepare(home), **cloud.environment()}.items():
        if not name.endswith(("_KEY", "_TOKEN")):
            monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, ["doctor", "--json"])
    (found,) = [
        one for one in json.loads(result.stdout)["findings"] if one["what"] == "credentials"
    ]
    assert told in found["text"]
    assert found["status"] == "problem"
    _assert_silent(result.output)


def _oidc(home: Path, host: str) -> dict[str, str]:
    (home / "token").write_text(f"{MARK}.token")
    fields = {
        "roleArn": _ARN,
        "oidcProviderArn": "provider",
        "oidcTokenFile": str(home / "token"),
    }
    return {"alicloud:assumeRoleWithOidc": json.dumps(fields), _STS: host}


def _assumed(_home: Path, host: str) -> dict[str, str]:
    return {
        "alicloud:assumeRole": json.dumps({"roleArn": _ARN, "externalId": MARK}),
        "alicloud:accessKey": "id",
        "alicloud:secretKey": MARK,
        _STS: host,
    }


def _uri(_home: Path, host: str) -> dict[str, str]:
    return {"alicloud:credentialsUri": f"http://{host}/{MARK}?pass={MARK}"}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (refusal("400 Bad Request"), "answers with status 400"),
        (refusal("503 Busy"), "answers with status 503"),
        ((b"", f"302 Found\r\nlocation: http://127.0.0.1:9/{MARK}"), "answers with a redirect"),
        (f"<html>{MARK}".encode(), "holds no usable credentials"),
        (json.dumps({"AccessKeyId": MARK}).encode(), "holds no usable credentials"),
        (json.dumps({"Credentials": {"AccessKeySecret": MARK}}).encode(), "holds no usable"),
        (json.dumps([MARK]).encode(), "holds no usable credentials"),
        (
            json.dumps(
                {"Code": "Success", "AccessKeyId": "i", "AccessKeySecret": MARK}
                | {"SecurityToken": MARK, "Expiration": MARK}
            ).encode(),
            "holds no usable credentials",
        ),
    ],
)
@pytest.mark.parametrize("source", [_oidc, _assumed, _uri])
def test_a_service_that_answers_oddly_is_told_by_its_host(
    cloud: Simulator,
    home: Path,
    source: Any,
    given: Any,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """None of what was sent, and none of what came back, is told."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SSL_CERT_FILE", str(home / "certificate.pem"))
    with vault(given, tls=None if source is _uri else home) as service:
        said = _refused(cloud, source(home, service.host))
        assert service.server.requests != []
    assert f"127.0.0.1:{service.server.port} " in said or "127.0.0.1 " in said
    assert kind in said
    out, err = capfd.readouterr()
    _assert_silent(said + caplog.text + out + err)


@pytest.mark.parametrize("source", [_oidc, _assumed, _uri])
def test_a_service_that_gives_credentials_is_used(
    cloud: Simulator, home: Path, source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Roles are assumed at the address that is set for STS; a first failure may pass."""
    monkeypatch.setenv("SSL_CERT_FILE", str(home / "certificate.pem"))
    given = key()
    body = given if source is _uri else {"Credentials": given}
    with vault(refusal("503 Busy"), body, tls=None if source is _uri else home) as service:
        clock = FakeClock()
        gateway = _gateway(cloud, source(home, service.host), clock)
        assert gateway.list_model_services(INSTANCE) == []
        assert gateway.list_ai_nodes(INSTANCE) != []
    assert len(service.server.requests) == 2
    assert clock.sleeps == [1.0]
    first_line = service.server.requests[-1].split("\n")[0]
    if source is _assumed:
        for part in ("Action=AssumeRole&", f"ExternalId={MARK}", "RoleSessionName=pulumi-adbpg"):
            assert part in first_line
    if source is _oidc:
        assert f"OIDCToken={MARK}.token" in first_line


def test_a_role_of_the_ecs_instance_is_not_looked_for_where_it_is_forbidden(
    cloud: Simulator,
) -> None:
    """The chain ends before it, and says what it looked at."""
    said = _refused(cloud, {})
    assert said.endswith(
        "Of the last: ~/.aliyun/config.json: the file does not exist; "
        "~/.alibabacloud/credentials.ini: the file does not exist"
    )


def test_a_profile_with_a_role_beside_a_key_is_refused(cloud: Simulator, home: Path) -> None:
    """pulumi-alicloud would assume that role with the key; who calls is not guessed."""
    role = {"mode": "RamRoleArn", "ram_role_arn": _ARN, "access_key_id": "i"}
    cli_file(home, {**role, "access_key_secret": MARK})
    key_of_it = {"ALICLOUD_ACCESS_KEY": "id", "ALICLOUD_SECRET_KEY": MARK}
    said = _refused(cloud, {**key_of_it, "ALICLOUD_PROFILE": "mine"})
    assert "environment ALICLOUD_PROFILE names a profile with a RAM role, too" in said


def test_an_empty_profile_takes_no_key_from_the_environment(cloud: Simulator, home: Path) -> None:
    """The library would: a profile that is named is that, or nothing."""
    cli_file(home, {"mode": "AK", "access_key_id": "", "access_key_secret": ""})
    said = _refused(cloud, {"adbpg:profile": "mine", "ALIBABA_CLOUD_ACCESS_KEY_ID": "other"})
    assert said == (
        "the credentials of config adbpg:profile do not work: profile 'mine' of "
        "~/.aliyun/config.json (mode AK) has no access_key_id and no access_key_secret"
    )


@pytest.mark.parametrize("file", ["{home}/shared.json", "~/shared.json"])
def test_a_profile_is_looked_for_in_the_file_that_is_named(
    cloud: Simulator, home: Path, file: str
) -> None:
    """In JSON as the CLI writes it, or as a section of an SDK's file."""
    sts = {"name": "team", "mode": "StsToken", "sts_token": TOKEN}
    given = {**sts, "access_key_id": "simulator-key-id", "access_key_secret": SECRET}
    (home / "shared.json").write_text(json.dumps({"profiles": [given]}))
    settings = {
        "alicloud:profile": "team",
        "alicloud:sharedCredentialsFile": file.format(home=home),
    }
    assert _gateway(cloud, settings, FakeClock()).list_model_services(INSTANCE) == []
    (home / "shared.json").write_text("[team]\ntype = oidc_role_arn\n")
    assert "section 'team' of " in _refused_after(cloud, settings)


def _refused_after(cloud: Simulator, settings: Mapping[str, str]) -> str:
    cloud.clear_requests()
    return _refused(cloud, settings)


def test_a_failed_renewal_is_borne_while_the_credentials_still_do(
    cloud: Simulator, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Those in hand are used; the source is asked again after a pause, not at each call."""
    caplog.set_level(logging.DEBUG)
    clock = FakeClock()
    with vault(key(seconds=600), refusal("503 Busy")) as service:
        gateway = _gateway(cloud, _uri(Path(), service.host), clock)
        for _ in range(5):
            assert gateway.list_model_services(INSTANCE) == []
        assert len(service.server.requests) == 1
        clock.sleep(300.0)  # half of what they have
        for _ in range(5):
            assert gateway.list_model_services(INSTANCE) == []
        assert len(service.server.requests) == 2
        clock.sleep(10.0)
        assert gateway.list_model_services(INSTANCE) == []
        assert len(service.server.requests) == 3
        cloud.expire_token()
        with pytest.raises(RenewalError) as caught:
            gateway.list_model_services(INSTANCE)
        clock.sleep(10.0)
        service.answers = [key()]
        with pytest.raises(Exception, match="InvalidSecurityToken") as refused:
            gateway.list_model_services(INSTANCE)
    assert str(caught.value) == (
        "ListModelServices of instance gp-demo failed: the credentials have expired and could not "
        "be renewed: the credentials URI: 127.0.0.1 answers with status 503. See that the source "
        "of the credentials answers, then run the command again."
    )
    assert not caught.value.in_doubt
    assert caught.value.retryable
    assert "could not be renewed" not in str(refused.value)
    out, err = capfd.readouterr()
    _assert_silent(str(caught.value) + caplog.text + out + err)


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_counts_where_credentials_are_fetched(
    cloud: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """For STS as for the cloud; plain http never goes through a proxy, whatever is set."""
    monkeypatch.setenv("SSL_CERT_FILE", str(home / "certificate.pem"))
    with raw_server(answer(b"", status="403 No")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with vault(key()) as service:
            assert _gateway(cloud, _uri(home, service.host), FakeClock()).list_ai_nodes(INSTANCE)
        assert proxy.requests == []
        with vault({"Credentials": key()}, tls=home) as sts:
            said = _refused_after(cloud, _oidc(home, sts.host))
            assert sts.server.requests == []
            monkeypatch.setenv(variable, "127.0.0.1")
            assert _gateway(cloud, _oidc(home, sts.host), FakeClock()).list_ai_nodes(INSTANCE)
    assert f"the proxy to {sts.host} does not answer" in said
    assert [line.split()[0] for line in proxy.requests] == ["CONNECT", "CONNECT"]  # one again


def _hanging(_connection: socket.socket) -> None:
    time.sleep(2.0)  # longer than anybody waits for it here


def test_many_at_once_ask_a_source_that_fails_once(cloud: Simulator) -> None:
    """Each would wait for its own question otherwise, one after the other."""
    with vault(refusal("400 No")) as service:
        settings = {**_uri(Path(), service.host)}
        gateway = _gateway(cloud, settings, FakeClock())
        told: list[str] = []

        def ask() -> None:
            with pytest.raises(ConfigurationError) as caught:
                gateway.list_model_services(INSTANCE)
            told.append(str(caught.value))

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(service.server.requests) == 1
    assert len(told) == 12
    assert len(set(told)) == 1


def test_a_cancel_ends_the_waiting_for_a_source(cloud: Simulator) -> None:
    """Ctrl-C, while a source does not answer at all."""
    with raw_server(_hanging) as server:
        clock = FakeClock()
        gateway = _gateway(cloud, _uri(Path(), f"127.0.0.1:{server.port}"), clock)
        clock.cancelled = True
        began = time.monotonic()
        with pytest.raises(ConfigurationError, match="its answer was not waited for"):
            gateway.list_model_services(INSTANCE)
        assert time.monotonic() - began < 5.0  # the library would wait twice as long


@pytest.mark.parametrize(
    "second", [key(seconds=300), {**key(), "Expiration": "2020-01-01T00:00:00Z"}]
)
def test_a_source_that_gives_nothing_newer_has_not_renewed(
    cloud: Simulator, second: dict[str, Any]
) -> None:
    """The library keeps back what it has, and says nothing: it is told once the cloud refuses."""
    clock = FakeClock()
    with vault(key(seconds=600), second) as service:
        gateway = _gateway(cloud, _uri(Path(), service.host), clock)
        assert gateway.list_model_services(INSTANCE) == []
        clock.sleep(300.0)
        assert gateway.list_model_services(INSTANCE) == []
        cloud.expire_token()
        with pytest.raises(RenewalError, match="could not be renewed: the credentials URI: it"):
            gateway.list_model_services(INSTANCE)


@pytest.mark.parametrize(("seconds", "asked"), [(600, 4), (7200, 1)])
def test_credentials_are_asked_for_as_rarely_as_they_need(
    cloud: Simulator, seconds: float, asked: int
) -> None:
    """Not with each call: after half of what they have left, or a quarter of an hour before."""
    clock = FakeClock()
    with vault(key(seconds=seconds)) as service:
        gateway = _gateway(cloud, _uri(Path(), service.host), clock)
        for _ in range(200):
            assert gateway.list_ai_nodes(INSTANCE)
            clock.sleep(5.0)
    assert len(service.server.requests) in (asked, asked + 1)


def test_a_helper_runs_once_for_what_does_not_end_soon(cloud: Simulator, home: Path) -> None:
    """It may ask its user for a code; and its file is left as it is."""
    given = {
        "mode": "StsToken",
        "access_key_id": "simulator-key-id",
        "access_key_secret": SECRET,
        "sts_token": TOKEN,
        "expiration": key()["Expiration"],
    }
    script = home / "helper"
    script.write_text(f"#!/bin/sh\necho run >> {home}/runs\necho '{json.dumps(given)}'\n")
    script.chmod(0o700)
    cli_file(home, {"mode": "External", "process_command": str(script)})
    before = (home / ".aliyun" / "config.json").read_text()
    clock = FakeClock()
    gateway = _gateway(cloud, {"ALICLOUD_PROFILE": "mine"}, clock)
    for _ in range(10):
        assert gateway.list_model_services(INSTANCE) == []
        clock.sleep(60.0)
    assert (home / "runs").read_text() == "run\n"
    assert (home / ".aliyun" / "config.json").read_text() == before


def test_a_role_of_a_profile_is_assumed_at_the_address_that_is_set(
    cloud: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own key, also where another role is to be assumed: not one after the other."""
    monkeypatch.setenv("SSL_CERT_FILE", str(home / "certificate.pem"))
    cli_file(
        home,
        {
            "mode": "RamRoleArn",
            "ram_role_arn": f"{_ARN}-of-profile",
            "access_key_id": "raw-id",
            "access_key_secret": MARK,
        },
    )
    profile = {"alicloud:profile": "mine"}
    with vault({"Credentials": key()}, tls=home) as sts:
        settings = {**profile, _STS: sts.host}
        assert _gateway(cloud, settings, FakeClock()).list_model_services(INSTANCE) == []
        both = {**settings, "alicloud:assumeRole": json.dumps({"roleArn": _ARN})}
        assert _gateway(cloud, both, FakeClock()).list_model_services(INSTANCE) == []
        # A key beside it, too: then that one, since whose role it is to be is said.
        third = {**both, "alicloud:accessKey": "raw-id", "alicloud:secretKey": MARK}
        assert _gateway(cloud, third, FakeClock()).list_model_services(INSTANCE) == []
    lines = [request.split("\n")[0] for request in sts.server.requests]
    assert ["of-profile" in line for line in lines] == [True, False, False]
    assert all("AccessKeyId=raw-id" in line for line in lines)


_ROLE_FIELDS = f"role_arn = {_ARN}\nrole_session_name = mine\n"


@pytest.mark.parametrize(
    ("section", "sent"),
    [
        (
            f"type = ram_role_arn\naccess_key_id = raw-id\naccess_key_secret = {MARK}\n",
            "AccessKeyId=raw-id&",
        ),
        (
            "type = oidc_role_arn\noidc_provider_arn = p\noidc_token_file_path = ~/token\n",
            f"OIDCToken={MARK}.token",
        ),
    ],
)
def test_a_role_of_a_section_is_assumed(
    cloud: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch, section: str, sent: str
) -> None:
    """Its fields have other names than those of a profile."""
    monkeypatch.setenv("SSL_CERT_FILE", str(home / "certificate.pem"))
    (home / "token").write_text(f"{MARK}.token")
    ini_file(home, f"[team]\n{section}{_ROLE_FIELDS}")
    with vault({"Credentials": key()}, tls=home) as sts:
        settings = {"ALIBABA_CLOUD_PROFILE": "team", _STS: sts.host}
        assert _gateway(cloud, settings, FakeClock()).list_model_services(INSTANCE) == []
    (first_line,) = [request.split("\n")[0] for request in sts.server.requests]
    for part in (sent, "RoleSessionName=mine&", "DurationSeconds=3600&", "deployer"):
        assert part in f"{first_line}&"


def test_a_known_code_of_sts_is_told(
    cloud: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to do; nothing else of the answer is."""
    monkeypatch.setenv("SSL_CERT_FILE", str(home / "certificate.pem"))
    body = json.dumps({"Code": "EntityNotExist.Role", "Message": MARK}).encode()
    with vault((body, "404 Not Found"), tls=home) as sts:
        said = _refused(cloud, _oidc(home, sts.host))
    assert said.endswith("answers with status 404 (code=EntityNotExist.Role)")


def test_others_of_the_process_keep_the_library_as_it_is() -> None:
    """Another provider in the host gets the library's own transport, and its own errors."""
    neighbour = URLCredentialsProvider(uri="http://127.0.0.1:9/x")
    with pytest.raises(RetryError):
        neighbour.get_credentials()
    with vault(refusal("503 Busy")) as service:
        neighbour = URLCredentialsProvider(uri=f"http://{service.host}/x")
        with pytest.raises(CredentialException, match="http_code=503"):
            neighbour.get_credentials()
