"""Nothing secret is shown or stored in clear, wherever it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.programs import declare, mutations, program
from tests.engine.stack import Failed, Result, Stack, is_secret

_SECRET = "made-up-access-key-secret"
_TOKEN = "made-up-security-token"


def _exporting() -> None:
    service = declare()
    pulumi.export("key", service.api_key)
    pulumi.export("greeting", service.api_key.apply(lambda key: f"Bearer {key}"))


def _stack(home: Path, simulator: Simulator, source: str) -> Stack:
    if source == "environment":
        return Stack(home, simulator)
    outside = {"ADBPG_ENDPOINT": simulator.endpoint, "ALICLOUD_REGION": "cn-hangzhou"}
    stack = Stack(home, None, environment=outside)
    stack.set_config("adbpg:accessKey", "simulator-key-id")
    stack.set_config("adbpg:secretKey", _SECRET, secret=True)
    stack.set_config("adbpg:securityToken", _TOKEN, secret=True)
    return stack


@pytest.mark.parametrize(
    ("source", "holders"),
    # The engine itself keeps the config of dynamic providers, encrypted.
    [("environment", set()), ("config", {"pulumi:providers:pulumi-python"})],
)
def test_no_secret_is_shown_or_stored_in_clear(
    tmp_path: Path, source: str, holders: set[str]
) -> None:
    """Output and state show neither API key nor credentials; ours holds the API key, encrypted."""
    with Simulator(
        provision_seconds=0, access_key_secret=_SECRET, security_token=_TOKEN
    ) as simulator:
        stack = _stack(tmp_path, simulator, source)
        results = [stack.up(_exporting)]
        (service,) = simulator.services
        simulator.change_service(service.id, description="makes the refresh show something")
        results.append(stack.refresh())
        simulator.expire_token()
        with pytest.raises(Failed) as failed:
            stack.destroy()
        outputs = [*(result.output for result in results), failed.value.output]
        key = service.api_key
        assert key is not None
        assert results[0].outputs == {"key": key, "greeting": f"Bearer {key}"}
        for secret in (key, _SECRET, _TOKEN):
            assert [text for text in outputs if secret in text] == []
            assert secret not in stack.state_text()

        exported = stack.export()  # decrypted, each secret with a mark
        (root,) = (one for one in exported["resources"] if one["type"] == "pulumi:pulumi:Stack")
        assert {name: is_secret(value) for name, value in root["outputs"].items()} == {
            "key": True,
            "greeting": True,
        }
        (resource,) = stack.resources()
        assert is_secret(resource["outputs"].pop("api_key"))
        assert key not in json.dumps(resource)
        for credential in (_SECRET, _TOKEN):
            assert {
                one["type"] for one in exported["resources"] if credential in json.dumps(one)
            } == holders


def test_changed_credentials_in_config_reach_destroy_only_with_the_program(tmp_path: Path) -> None:
    """By itself destroy uses the config of the last up; --run-program brings the present one."""
    cloud = tmp_path / "cloud.json"
    with Simulator(
        provision_seconds=0, access_key_secret=_SECRET, security_token=_TOKEN, state=cloud
    ) as simulator:
        stack = _stack(tmp_path, simulator, "config")
        stack.up(program())
        port = simulator.port
    with Simulator(
        port=port, access_key_secret="rotated", security_token=_TOKEN, state=cloud
    ) as simulator:
        stack.set_config("adbpg:secretKey", "rotated", secret=True)
        with pytest.raises(Failed, match="SignatureDoesNotMatch"):
            stack.destroy()
        assert len(stack.resources()) == 1
        stack.destroy(run_program=True)
        assert simulator.services == []
        assert stack.resources() == []


def test_api_key_is_nowhere_when_it_is_not_to_be_stored(stack: Stack, simulator: Simulator) -> None:
    """With store_api_key=False not even the decrypted state holds it; a flip changes in place."""
    created = stack.up(program(store_api_key=False))
    (service,) = simulator.services
    key = service.api_key
    assert key is not None
    simulator.clear_requests()

    def holds_key(result: Result) -> bool:
        assert key not in result.output
        assert key not in stack.state_text()
        return key in json.dumps(stack.export())

    assert not holds_key(created)
    refreshed = stack.refresh()
    assert refreshed.changes == {"same": 2}
    assert not holds_key(refreshed)

    added = stack.up(program())
    assert added.changes == {"same": 1, "update": 1}
    assert is_secret(stack.resource()["outputs"]["api_key"])

    removed = stack.up(program(store_api_key=False))
    assert removed.changes == {"same": 1, "update": 1}
    assert not holds_key(removed)
    assert mutations(simulator) == []
    assert stack.ids() == {f"gp-demo:{service.id}"}
