"""Signatures: the real client passes, and every way of signing wrongly is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
import requests

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Raw, Refuse, Sdk, Start

READ = "ListSupportModels"


def test_the_vendors_client_passes(sdk: Sdk, simulator: Simulator) -> None:
    """A request that the SDK signed is accepted."""
    assert sdk.models()["ModelNames"]["modelNames"]
    assert simulator.requests[0].response_status == 200


def test_no_authorization(raw: Raw) -> None:
    """An unsigned request is refused."""
    assert raw.refused(READ, late_headers={"Authorization": None}) == (400, "MissingAccessKeyId")


def test_unknown_access_key(raw: Raw) -> None:
    """Another access key is not found."""
    raw.key_id = "someone-else"
    assert raw.refused(READ) == (404, "InvalidAccessKeyId.NotFound")


def test_wrong_secret(raw: Raw) -> None:
    """A signature made with another secret is refused, without naming any secret."""
    raw.key_secret = "wrong-secret"

    response = raw.call(READ)
    assert (response.status_code, response.json()["Code"]) == (400, "SignatureDoesNotMatch")
    assert "secret" not in response.text.replace("simulator.", "").lower()


def test_a_changed_query_is_refused(simulator: Simulator, raw: Raw) -> None:
    """What was signed is what counts: a parameter added later breaks the signature."""
    host = f"http://127.0.0.1:{simulator.port}/"
    good = raw.call(READ, {"RegionId": "a"})
    forged = requests.post(host, params={"RegionId": "b"}, headers=good.request.headers, timeout=5)
    assert (forged.status_code, forged.json()["Code"]) == (400, "SignatureDoesNotMatch")


def test_a_changed_body_is_refused(raw: Raw) -> None:
    """The body is covered through its hash."""
    refused = raw.refused(READ, body="ClientToken=a", sent_body="ClientToken=b")
    assert refused == (400, "SignatureDoesNotMatch")


def test_a_changed_signed_header_is_refused(raw: Raw) -> None:
    """A header that was signed cannot be changed on the way."""
    refused = raw.refused("ListModelServices", late_headers={"x-acs-action": READ})
    assert refused == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic abc",
        "ACS3-HMAC-SHA256 Credential=simulator-key-id",
        "ACS3-HMAC-SHA256 Credential=simulator-key-id,SignedHeaders=host,Signature=xyz",
        "ACS3-HMAC-SHA256 Credential=simulator-key-id,SignedHeaders=x-acs-date;host,Signature="
        + "0" * 64,
        "ACS3-HMAC-SM3 Credential=simulator-key-id,SignedHeaders=host,Signature=" + "0" * 64,
    ],
)
def test_a_malformed_authorization_is_refused(raw: Raw, authorization: str) -> None:
    """An Authorization header of another form is refused as such."""
    refused = raw.refused(READ, late_headers={"Authorization": authorization})
    assert refused == (400, "IncompleteSignature")


def test_an_unsigned_acs_header_is_refused(raw: Raw) -> None:
    """Every x-acs- header must be covered."""
    refused = raw.refused(READ, late_headers={"x-acs-extra": "1"})
    assert refused == (400, "IncompleteSignature")


@pytest.mark.parametrize("name", ["x-acs-signature-nonce", "x-acs-content-sha256", "x-acs-date"])
def test_a_request_without_a_needed_header_is_refused(raw: Raw, name: str) -> None:
    """Nonce, date and body hash must be there and signed."""
    raw.headers[name] = None
    assert raw.refused(READ) == (400, "IncompleteSignature")


def test_an_old_or_future_date_is_refused(raw: Raw, clock: FakeClock) -> None:
    """The date must be within fifteen minutes of the simulator's clock, both ways."""
    clock.advance(14 * 60)
    assert raw.call(READ).status_code == 200
    clock.advance(2 * 60)
    assert raw.refused(READ) == (400, "InvalidTimeStamp.Expired")
    clock.advance(-32 * 60)
    assert raw.refused(READ) == (400, "InvalidTimeStamp.Expired")


def test_dates_are_checked_against_a_clock_of_their_own(
    start: Start, connect_raw: type[Raw], clock: FakeClock
) -> None:
    """The cloud's time may move by hours while requests carry the real time, and back."""
    signing = FakeClock()
    raw = connect_raw(start(signing_clock=signing))
    clock.advance(6 * 60 * 60)
    assert raw.call(READ).status_code == 200
    assert raw.simulator.requests[-1].time == clock.now
    signing.advance(16 * 60)
    assert raw.refused(READ) == (400, "InvalidTimeStamp.Expired")


def test_a_malformed_date_is_refused(raw: Raw) -> None:
    """A date of another form counts as expired."""
    raw.headers["x-acs-date"] = "yesterday"
    assert raw.refused(READ) == (400, "InvalidTimeStamp.Expired")


def test_a_nonce_serves_once(raw: Raw) -> None:
    """A second request with a nonce is a replay."""
    raw.headers["x-acs-signature-nonce"] = "once"
    assert raw.call(READ).status_code == 200
    assert raw.refused(READ) == (400, "SignatureNonceUsed")


def test_a_nonce_is_forgotten_once_its_date_would_be_refused(raw: Raw, clock: FakeClock) -> None:
    """Memory of nonces is bounded: after half an hour they are free again."""
    raw.headers["x-acs-signature-nonce"] = "again"
    raw.call(READ)
    clock.advance(31 * 60)
    raw.headers["x-acs-date"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(clock()))
    assert raw.call(READ).status_code == 200


def test_an_empty_nonce_is_refused(raw: Raw) -> None:
    """A nonce that is signed but empty protects from nothing."""
    raw.headers["x-acs-signature-nonce"] = ""
    assert raw.refused(READ) == (400, "IncompleteSignature")


def test_a_badly_signed_request_does_not_burn_its_nonce(raw: Raw) -> None:
    """Only accepted requests use up a nonce, so nobody can burn another's."""
    raw.headers["x-acs-signature-nonce"] = "mine"
    raw.key_secret = "wrong"
    raw.call(READ)
    raw.key_secret = "simulator-key-secret"
    assert raw.call(READ).status_code == 200


def test_a_refused_request_changes_nothing(simulator: Simulator, raw: Raw) -> None:
    """A create that is signed wrongly makes no service."""
    raw.key_secret = "wrong"
    raw.call(
        "CreateModelService",
        {"DBInstanceId": "gp-demo", "ModelName": "Qwen3-Embedding-8B", "AiNodes": '["ai-1"]'},
    )
    assert simulator.services == []


def test_a_security_token_is_required_and_compared(
    start: Start, connect: type[Sdk], refusal: Refuse
) -> None:
    """With an STS token set, it must come along and be the right one."""
    simulator = start(security_token="sts-token")

    assert connect(simulator, security_token="sts-token").models()["RequestId"]
    assert refusal(connect(simulator).models).pair == (400, "MissingSecurityToken")
    wrong = connect(simulator, security_token="other")
    assert refusal(wrong.models).pair == (400, "InvalidSecurityToken.Malformed")


def test_a_security_token_can_expire(start: Start, connect: type[Sdk], refusal: Refuse) -> None:
    """After expire_token the same token is refused as expired, every time."""
    simulator = start(security_token="sts-token")
    sdk = connect(simulator, security_token="sts-token")
    sdk.models()
    simulator.expire_token()

    assert refusal(sdk.models).pair == (400, "InvalidSecurityToken.Expired")
    assert refusal(sdk.models).pair == (400, "InvalidSecurityToken.Expired")


def test_a_token_that_nobody_asked_for_is_refused(
    simulator: Simulator, connect: type[Sdk], refusal: Refuse
) -> None:
    """A permanent key takes no STS token, and has none to expire."""
    sdk = connect(simulator, security_token="sts-token")
    refused = refusal(sdk.models)
    assert refused.pair == (400, "InvalidSecurityToken.MismatchWithAccessKey")
    with pytest.raises(ValueError, match="no security token"):
        simulator.expire_token()


def test_the_signature_follows_the_public_description(raw: Raw) -> None:
    """A signature computed here, step by step, without any SDK, is accepted."""
    sha = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": f"127.0.0.1:{raw.simulator.port}",
        "x-acs-action": READ,
        "x-acs-content-sha256": sha,
        "x-acs-date": str(raw.call(READ).request.headers["x-acs-date"]),
        "x-acs-signature-nonce": base64.b16encode(b"by hand").decode(),
        "x-acs-version": "2016-05-03",
    }
    names = ";".join(headers)
    canonical = "\n".join(
        [
            "POST",
            "/",
            "RegionId=a%20%2A~%2F",
            *(f"{name}:{value}" for name, value in headers.items()),
            "",
            names,
            sha,
        ]
    )
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(b"simulator-key-secret", text.encode(), hashlib.sha256).hexdigest()
    authorization = (
        f"ACS3-HMAC-SHA256 Credential=simulator-key-id,SignedHeaders={names},Signature={signature}"
    )
    response = raw.call(
        READ, {"RegionId": "a *~/"}, late_headers={**headers, "Authorization": authorization}
    )
    assert response.status_code == 200
