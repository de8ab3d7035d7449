"""Nothing secret is shown or stored in clear, wherever it comes from."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import NODE, declare, mutations, place, program
from tests.engine.support.stack import Failed, Program, Result, Stack, is_secret

_SECRET = "made-up-access-key-secret"
_TOKEN = "made-up-security-token"


#: Calls in which the engine passes on the stack's config.
_CONFIGURING = {"Run", "GetDeploymentInfo", "CheckConfig", "DiffConfig", "Configure"}


def _method(message: dict[str, Any]) -> str:
    return str(message["method"]).rpartition("/")[2]


def _bags(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The properties that a traced call carries, either way."""
    halves = [message.get("request") or {}, message.get("response") or {}]
    names = ("properties", "olds", "news", "inputs", "object", "oldInputs")
    return [half[name] for half in halves for name in names if isinstance(half.get(name), dict)]


def _exporting(entries: Sequence[str] = ("10.0.0.1",)) -> None:
    service = declare(security_ip_list=list(entries), security_ip_group="models")
    pulumi.export("key", service.api_key)
    pulumi.export("greeting", service.api_key.apply(lambda key: f"Bearer {key}"))


def _configured(home: Path, simulator: Simulator) -> Stack:
    """A stack whose configuration has the credentials."""
    outside = {"ADBPG_ENDPOINT": simulator.endpoint, "ALICLOUD_REGION": "cn-hangzhou"}
    stack = Stack(home, None, environment=outside)
    stack.set_config("adbpg:accessKey", "simulator-key-id")
    stack.set_config("adbpg:secretKey", _SECRET, secret=True)
    stack.set_config("adbpg:securityToken", _TOKEN, secret=True)
    return stack


class _Listener:
    """Runs commands and keeps all that they show: stdout, stderr and the event log."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.texts: list[str] = []
        self.events: list[Any] = []

    def run(self, command: str, *arguments: Program, **options: Any) -> Result:
        done: Result = getattr(self._stack, command)(
            *arguments, on_error=self.texts.append, **options
        )
        self._listen(done)
        return done

    def fail(self, command: str, *arguments: Program) -> None:
        with pytest.raises(Failed) as failed:
            self.run(command, *arguments)
        self._listen(failed.value)

    def _listen(self, ended: Result | Failed) -> None:
        self.texts.append(ended.output)
        self.events += ended.log.events

    def everything(self) -> list[str]:
        return [*self.texts, *(json.dumps(event, default=vars) for event in self.events)]


@pytest.mark.timeout(300)  # many commands of the CLI, on a machine that may be busy
def test_no_secret_is_shown_or_stored_in_clear(tmp_path: Path) -> None:
    """
    Output, event log and state show neither API key nor credentials, whatever fails.

    The credentials are the environment's, which the engine does not mask, as it does those of
    config. Ours holds the API key, encrypted.
    """
    with Simulator(
        provision_seconds=0,
        access_key_secret=_SECRET,
        security_token=_TOKEN,
        whitelist_groups={"models": NODE},
    ) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.environment["DEBUG"] = "sdk"  # the SDK's transport would print signed headers
        listener = _Listener(stack)
        simulator.inject("forbidden", "CreateModelService")
        listener.fail("up", _exporting)
        outputs = listener.run("up", _exporting).outputs
        (service,) = simulator.services
        key = service.api_key
        assert key is not None
        assert outputs == {"key": key, "greeting": f"Bearer {key}"}
        simulator.change_service(service.id, description="makes the refresh show something")
        listener.run("refresh")
        listener.run("preview", functools.partial(_exporting, ["10.0.0.2"]))
        simulator.inject("quota", "ModifySecurityIps")
        listener.fail("up", functools.partial(_exporting, ["10.0.0.2"]))
        listener.run("up", functools.partial(_exporting, ["10.0.0.2"]))
        simulator.expire_token()
        listener.fail("refresh")
        listener.fail("destroy")

        shown = listener.everything()
        assert len(listener.events) > 50
        assert any("InvalidSecurityToken.Expired" in text for text in shown)
        for secret in (key, _SECRET, _TOKEN):
            assert [text for text in shown if secret in text] == []
            assert secret not in stack.state_text()

        exported = stack.export(show_secrets=True)  # decrypted, each secret with a mark
        (root,) = (one for one in exported["resources"] if one["type"] == "pulumi:pulumi:Stack")
        assert {name: is_secret(value) for name, value in root["outputs"].items()} == {
            "key": True,
            "greeting": True,
        }
        (resource,) = stack.resources(show_secrets=True)
        assert is_secret(resource["outputs"].pop("api_key"))
        assert key not in json.dumps(resource)
        for credential in (_SECRET, _TOKEN):
            assert credential not in json.dumps(exported)


def test_credentials_in_config_are_not_shown_and_traced_only_by_the_engine(
    tmp_path: Path,
) -> None:
    """
    Neither in output, event log nor state.

    PULUMI_DEBUG_GRPC and -v=9 show every value, encrypted or not in the state: that is the engine.

    What we add to them, errors and lines in the rows, holds none; nor does a service whose key is
    not stored.
    """
    trace = tmp_path / "grpc.json"
    with Simulator(
        provision_seconds=0, access_key_secret=_SECRET, security_token=_TOKEN
    ) as simulator:
        stack = _configured(tmp_path, simulator)
        stack.environment["PULUMI_DEBUG_GRPC"] = str(trace)
        lines: list[str] = []
        verbose = {"log_to_std_err": True, "log_verbosity": 9, "on_error": lines.append}

        def two() -> None:
            declare("stored")
            declare("keyless", ai_nodes=["ai-2"], store_api_key=False)

        created = stack.up(two, **verbose)
        keys = {one.ai_nodes: str(one.api_key) for one in simulator.services}
        simulator.expire_token()
        with pytest.raises(Failed) as failed:
            stack.destroy(**verbose)
        exported = stack.export(show_secrets=True)

    events = [*created.log.events, *failed.value.log.events]
    shown = [created.output, *(json.dumps(event, default=vars) for event in events)]
    assert any("InvalidSecurityToken.Expired" in text for text in shown)
    for secret in (*keys.values(), _SECRET, _TOKEN):
        assert [text for text in shown if secret in text] == []
        assert secret not in stack.state_text()
    for credential in (_SECRET, _TOKEN):  # the engine keeps the config of dynamic providers
        holders = {one["type"] for one in exported["resources"] if credential in json.dumps(one)}
        assert holders == {"pulumi:providers:pulumi-python"}

    assert len(lines) > 100
    messages = [json.loads(line) for line in trace.read_text().splitlines()]
    assert {_method(message) for message in messages} >= {"Create", "Delete", "RegisterResource"}
    for credential in (_SECRET, _TOKEN):
        assert {_method(one) for one in messages if credential in json.dumps(one)} <= _CONFIGURING
        assert [
            line for line in lines if credential in line and "property for RPC[" not in line
        ] == []
    stored, keyless = keys["ai-1",], keys["ai-2",]
    holding = {_method(one) for one in messages if stored in json.dumps(one)}
    assert holding == {"Create", "RegisterResource", "Delete"}
    assert [one for one in (*map(json.dumps, messages), *lines) if keyless in one] == []
    for message in messages:
        for properties in _bags(message):
            properties.pop("api_key", None)
        assert stored not in json.dumps(message)
    # Newer CLIs hide secrets here.
    assert [line for line in lines if stored in line and "property for RPC[" not in line] == []


def test_changed_credentials_in_config_reach_destroy_only_with_the_program(tmp_path: Path) -> None:
    """By itself destroy uses the config of the last up; --run-program brings the present one."""
    cloud = tmp_path / "cloud.json"
    with Simulator(
        provision_seconds=0, access_key_secret=_SECRET, security_token=_TOKEN, state=cloud
    ) as simulator:
        stack = _configured(tmp_path, simulator)
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
        return key in json.dumps(stack.export(show_secrets=True))

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


def _secretive(shown: str = "", **others: Any) -> Program:
    """A program of which every input is a secret, but for the one that is shown."""

    def run() -> None:
        hush = pulumi.Output.secret
        inputs = {
            "db_instance_id": "gp-quiet",
            "model_name": pulumi.Output.concat(hush("Qwen3"), "-8B"),
            "ai_nodes": ["hush-1"],
            "description": "hush",
            "security_ip_list": pulumi.Output.all(hush("10.66.6.6")),
            "security_ip_group": "hush_group",
            "model_params": {"key": [hush("hush")]},
            "client_token": "hush-token",
        }
        inputs |= others
        declare(**{name: _as(inputs[name], secret=name != shown) for name in inputs})

    return run


def _as(value: Any, *, secret: bool) -> Any:
    made = isinstance(value, (dict, pulumi.Output))
    return pulumi.Output.secret(value) if secret and not made else value


def test_secret_inputs_are_shown_and_stored_in_clear_nowhere(tmp_path: Path) -> None:
    """By us or by the engine, whatever fails; the instance is in the id, which is no secret."""
    with Simulator(provision_seconds=0, whitelist_groups={"hush_group": "hush-1"}) as simulator:
        simulator.add_instance("gp-quiet", ["hush-1"])
        stack = Stack(tmp_path, simulator)
        listener = _Listener(stack)

        listener.fail("preview", _secretive(ai_nodes="hush-1", client_token="hush\n", replicas=0))
        told = [line for text in listener.texts for line in text.splitlines() if "problem" in line]
        assert [line for line in told if "client_token must be 1 to 64 printable" in line] != []
        assert [line for line in told if "property" in line] == []
        listener.run("preview", _secretive(ai_nodes=["hush-1", "hush-9"]))
        simulator.inject("quota", "CreateModelService")
        listener.fail("up", _secretive())
        listener.run("up", _secretive())
        resource = stack.resource()
        assert "__secrets" not in resource["outputs"]
        assert resource["inputs"]["__secrets"] == [
            "ai_nodes",
            "db_instance_id",
            "model_name",
            "security_ip_group",
            "security_ip_list",
        ]
        # Which are secret alone is no change.
        same = listener.run("preview", _secretive("db_instance_id"))
        assert same.changes == {"same": 2}

        simulator.inject("quota", "ModifySecurityIps")
        listener.fail("up", _secretive(security_ip_list=["10.66.6.60"]))
        (service,) = simulator.services
        simulator.change_service(service.id, description="hush!")
        refreshed = listener.run("refresh")
        assert refreshed.changes == {"same": 1, "update": 1}
        assert stack.resource()["inputs"]["__secrets"] == resource["inputs"]["__secrets"]
        simulator.inject("forbidden", "DeleteModelService")
        listener.fail("destroy")
        shown, stored = listener.everything(), stack.state_text()

    for mark in ("hush", "10.66.6.6"):
        assert [text for text in shown if mark in text] == []
        assert mark not in stored
    lines = [event for event in listener.events if event.diagnostic_event is not None]
    assert [one for one in lines if "gp-quiet" in one.diagnostic_event.message] == []
    assert any("[secret]:ms-" in one.diagnostic_event.message for one in lines)


def test_a_service_that_a_secret_id_took_over_can_be_destroyed(tmp_path: Path) -> None:
    """And parameters that become secrets beside others are in clear nowhere, inputs or outputs."""
    with Simulator(provision_seconds=0) as simulator:
        stack = Stack(tmp_path, simulator)
        id_ = place(simulator)

        def params(hidden: Any) -> dict[str, Any]:
            hush = pulumi.Output.secret
            return {"n": hidden(77177), "x": hush("q"), "s": {"deep": hidden("hush-deep")}}

        def run(hidden: Any) -> None:
            given: Any = pulumi.Output.secret(id_)
            opts = pulumi.ResourceOptions(import_=given)
            declare(opts=opts)
            declare("other", ai_nodes=["ai-2"], model_params=params(hidden))

        assert stack.up(lambda: run(lambda value: value)).changes == {"create": 3}
        assert stack.up(lambda: run(pulumi.Output.secret)).changes == {"same": 3}
        assert "hush-deep" not in stack.state_text()
        assert "77177" not in stack.state_text()
        stack.destroy()
        assert simulator.services == []
