"""What comes out of the gateway is ours: no SDK type, no secret, no URL."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryPolicyContext
from hypothesis import given
from hypothesis import strategies as st
from requests import exceptions as transport

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    ApiError,
    ConfigurationError,
    TransportError,
)
from pulumi_adbpg_model.gateway import Gateway, RetryPolicy
from pulumi_adbpg_model.gateway._errors import translate
from pulumi_adbpg_model.service.redaction import SecretValues
from pulumi_adbpg_model.settings import Endpoint, Settings
from pulumi_adbpg_model.settings.identity import StaticKey
from tests.gateway.support import (
    ACTIONS,
    INSTANCE,
    SECRET,
    TOKEN,
    Answer,
    gateway_for,
    settings_for,
    stub,
)
from tests.lifecycle.fakes import FakeClock

_HOST = "gpdb.aliyuncs.com"
_URL = "https://gpdb.aliyuncs.com/?SecurityIPList=10.9.8.7"
_SERVICE = ModelServiceId(INSTANCE, "ms-1")
_CHECK = "Check the region, the endpoint, the network and the proxy settings."


def _wrapped(cause: Exception) -> UnretryableException:
    """What the SDK makes of a broken connection."""
    return UnretryableException(RetryPolicyContext(exception=cause))


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (
            transport.SSLError(_URL),
            f"the TLS connection to gpdb.aliyuncs.com is not trusted. {_CHECK}",
        ),
        (transport.ProxyError(_URL), f"the proxy to gpdb.aliyuncs.com does not answer. {_CHECK}"),
        (
            transport.ConnectTimeout(_URL),
            f"gpdb.aliyuncs.com does not accept connections in time. {_CHECK}",
        ),
        (transport.ReadTimeout(_URL), f"gpdb.aliyuncs.com does not answer in time. {_CHECK}"),
        (
            transport.ConnectionError(_URL),
            f"gpdb.aliyuncs.com cannot be reached or drops the connection. {_CHECK}",
        ),
        (
            transport.ChunkedEncodingError(_URL),
            f"the connection to gpdb.aliyuncs.com broke. {_CHECK}",
        ),
        (ValueError(_URL), f"the answer of gpdb.aliyuncs.com is not JSON. {_CHECK}"),
        (
            AttributeError(_URL),
            f"the answer of gpdb.aliyuncs.com has an unexpected shape. {_CHECK}",
        ),
        (KeyError(_URL), f"gpdb.aliyuncs.com gives no usable answer. {_CHECK}"),
    ],
)
def test_a_broken_call_is_told_in_our_words_alone(cause: Exception, text: str) -> None:
    """None of the SDK's own text, with the URL, is passed on; what to check is."""
    error = translate(_wrapped(cause), "Act", "on it", _HOST, str)
    assert str(error) == f"Act on it failed: {text}"
    assert type(error) is TransportError


@pytest.mark.parametrize("cause", [transport.ReadTimeout(_URL), ValueError(_URL)])
def test_a_bare_exception_is_told_too(cause: Exception) -> None:
    """What the SDK does not wrap is translated all the same."""
    assert _URL not in str(translate(cause, "Act", "on it", _HOST, str))


def test_what_no_text_may_show_is_found_however_the_cloud_breaks_its_lines() -> None:
    """A text of several lines is told in one, so it is looked for in that one."""
    secrets = SecretValues()
    secrets.learn({"description": "for the merger\nwith ACME"}, ())
    answer = ClientException(
        code="InvalidParameter", message="'for the  merger\r\n\twith ACME' is not allowed"
    )
    answer.data = {"Code": answer.code, "Message": answer.message}
    error = translate(answer, "Act", "it", _HOST, secrets.hide_all)
    assert str(error).startswith("Act it failed: '[secret]' is not allowed (code=InvalidParameter")
    assert "merger" not in repr(error)


def test_secrets_in_the_clouds_reason_are_masked() -> None:
    """The cloud's signature error repeats signed headers, the session token among them."""
    message = f"Signature mismatch. x-acs-security-token:{TOKEN} key:{SECRET}. Recommend: check"
    body = {"Code": "SignatureDoesNotMatch", "Message": message, "RequestId": "r"}
    with stub(lambda _: Answer(body, 400)) as cloud:
        gateway = Gateway(settings_for(cloud.port, token=TOKEN), FakeClock())
        with pytest.raises(AccessError) as caught:
            gateway.list_ai_nodes(INSTANCE)
        assert cloud.headers[0]["x-acs-security-token"] == TOKEN
    assert "x-acs-security-token:**** key:****. Recommend: check" in str(caught.value)
    assert TOKEN not in repr(caught.value)


@pytest.mark.parametrize("times", [1, 2])
def test_secrets_in_a_percent_encoded_reason_are_masked(times: int) -> None:
    """A string to sign holds the token encoded, once or twice; tokens are full of such signs."""
    token = "CAIS+abc/def==~1"
    shown = token
    for _ in range(times):
        shown = quote(shown, safe="~")
    message = f"the string to sign is POST&%2F&SecurityToken%3D{shown}%26Timestamp"
    body = {"Code": f"SignatureDoesNotMatch.{token}", "Message": message, "RequestId": "r"}
    with stub(lambda _: Answer(body, 400)) as cloud:
        gateway = Gateway(settings_for(cloud.port, token=token), FakeClock())
        with pytest.raises(ApiError) as caught:
            gateway.list_ai_nodes(INSTANCE)
    assert "SecurityToken%3D****%26Timestamp (code=SignatureDoesNotMatch.****," in str(caught.value)


def test_a_secret_cut_by_the_length_limit_does_not_show_in_part() -> None:
    """Masking comes before shortening."""
    body = {"Code": "SignatureDoesNotMatch", "Message": "x" * 250 + SECRET}
    with stub(lambda _: Answer(body, 400)) as cloud, pytest.raises(AccessError) as caught:
        gateway_for(cloud).list_ai_nodes(INSTANCE)
    assert SECRET[:4] not in str(caught.value)


@pytest.mark.parametrize("action", ACTIONS)
def test_settings_without_a_host_are_a_configuration_error(action: str) -> None:
    """Neither region nor endpoint: told before anything is called."""
    settings = Settings(None, None, StaticKey("here", "made-up", "made-up"))
    with pytest.raises(ConfigurationError):
        ACTIONS[action](Gateway(settings, FakeClock()), _SERVICE)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("host", ["127.0.0.1:1", "127.0.0.1:99999", "[", "a b", "127.0.0.1:x"])
def test_no_foreign_exception_leaves_the_gateway(action: str, host: str) -> None:
    """Wherever the call goes wrong, what is raised is one of ours."""
    settings = Settings(None, Endpoint(host, "http"), StaticKey("here", "made-up", "made-up"))
    gateway = Gateway(settings, FakeClock(), RetryPolicy(attempts=1))
    with pytest.raises(AdbpgModelError):
        ACTIONS[action](gateway, _SERVICE)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Code",
                    "Message",
                    "RequestId",
                    "ModelServiceId",
                    "ModelServices",
                    "TotalRecordCount",
                    "Status",
                    "AiNodes",
                    "SecurityIpList",
                    "AINodePoolInfos",
                    "AINodeInfos",
                    "NodeName",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def test_any_json_at_any_status_is_read_or_raised_as_ours() -> None:
    """No answer of the cloud, however odd, brings out anything but a result or our error."""
    body: object = None
    status = 200
    with stub(lambda _: Answer(body, status)) as cloud:
        gateway = gateway_for(cloud, policy=RetryPolicy(attempts=1))

        @given(_JSON, st.sampled_from([200, 400, 404, 500]), st.sampled_from(sorted(ACTIONS)))
        def check(content: object, code: int, action: str) -> None:
            nonlocal body, status
            body, status = content, code
            try:
                ACTIONS[action](gateway, _SERVICE)
            except AdbpgModelError as error:
                told = str(error)
            else:
                told = ""
            assert told.startswith(f"{action} ") or (told, code) == ("", 200)

        check()


def test_an_error_of_the_sdk_itself_is_ours_too() -> None:
    """An error that the SDK raises by itself has no answer in it, and is told all the same."""
    error = translate(
        ClientException(code="ParameterMissing", message="m"), "Act", "it", _HOST, str
    )
    assert isinstance(error, ApiError)
    assert str(error).startswith("Act it failed: ")
