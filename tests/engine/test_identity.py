"""As whom an operation calls, in a stack: roles, renewals, and what is told when neither works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import program
from tests.engine.support.stack import Failed, Stack
from tests.gateway.support import SECRET, TOKEN
from tests.gateway.vault import MARK, key, refusal, vault

_OIDC = {
    "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1234567890123456:role/deployer",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "provider",
}


def _everything(stack: Stack, *ended: Failed) -> str:
    """All that was shown by commands that failed, and the state as it is stored."""
    events = [json.dumps(event, default=vars) for one in ended for event in one.log.events]
    return "\n".join([*(one.output for one in ended), *events, stack.state_text()])


def test_a_wait_outlasts_a_failed_renewal_and_nothing_of_it_is_shown(tmp_path: Path) -> None:
    """The service of credentials fails once it has given some, in words that nobody may see."""
    with (
        Simulator(provision_seconds=7, security_token=TOKEN) as cloud,
        vault(key(seconds=12), refusal("503 Busy")) as service,
    ):
        environment = {
            "ADBPG_ENDPOINT": cloud.endpoint,
            "ALICLOUD_REGION": "cn-hangzhou",
            "ALIBABA_CLOUD_CREDENTIALS_URI": f"http://{service.host}/{MARK}",
        }
        stack = Stack(tmp_path, None, environment=environment)
        done = stack.up(program())
        assert len(cloud.services) == 1
        assert len(service.server.requests) > 1
        assert stack.resource()["outputs"]["status"] == "active"
        with pytest.raises(Failed) as refreshed:
            stack.refresh()
        with pytest.raises(Failed) as destroyed:
            stack.destroy()
        assert len(cloud.services) == 1
        shown = done.output + _everything(stack, refreshed.value, destroyed.value)
        told = (
            "the credentials of environment ALIBABA_CLOUD_CREDENTIALS_URI do not work: the "
            "credentials URI: 127.0.0.1 answers with status 503"
        )
        assert refreshed.value.reasons == destroyed.value.reasons == {told}
        for secret in (MARK, SECRET, TOKEN):
            assert secret not in shown
        service.answers = [key()]
        stack.destroy()
        assert cloud.services == []


def test_a_role_that_cannot_be_assumed_is_told_without_its_token(tmp_path: Path) -> None:
    """With STS out of reach the library's text is the URL, with the whole OIDC token."""
    (tmp_path / "token").write_text(f"{MARK}.token")
    oidc = {**_OIDC, "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(tmp_path / "token")}
    with Simulator(provision_seconds=0) as cloud:
        stack = Stack(tmp_path, cloud)
        stack.up(program())
        keys = {
            name: stack.environment.pop(name) for name in list(stack.environment) if "KEY" in name
        }
        stack.environment |= {**oidc, "ALIBABA_CLOUD_ENDPOINT_STS": "127.0.0.1:9"}
        with pytest.raises(Failed) as refreshed:
            stack.refresh()
        with pytest.raises(Failed) as replaced:
            stack.up(program(description="another"))
        assert "127.0.0.1:9 cannot be reached" in " ".join(refreshed.value.reasons)
        assert MARK not in _everything(stack, refreshed.value, replaced.value)
        # In the configuration of the stack, with keys that are right: it is not passed over.
        stack.environment |= keys
        role = {"roleArn": _OIDC["ALIBABA_CLOUD_ROLE_ARN"], "externalId": MARK}
        stack.set_config("alicloud:assumeRole", json.dumps(role), secret=True)
        with pytest.raises(Failed) as assumed:
            stack.up(program(description="another"))
        (service,) = cloud.services
        assert service.description is None
        assert "config alicloud:assumeRole, with environment ALICLOUD_ACCESS_KEY" in " ".join(
            assumed.value.reasons
        )
        assert MARK not in _everything(stack, assumed.value)
