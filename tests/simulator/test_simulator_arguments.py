"""What a test cannot mean is refused where it says it, not met later or never."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest

from pulumi_adbpg_model.simulator.records import ACTIONS
from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import Raw, Sdk

_TYPES: list[dict[str, Any]] = [
    *({name: "ai-1"} for name in ("nodes", "models", "dialects")),
    *({name: b"ai-1"} for name in ("nodes", "models", "dialects")),
    *({name: {"ai-1": 1}} for name in ("nodes", "models", "dialects")),
    *({name: 5} for name in ("nodes", "models", "dialects", "instance", "region")),
    *({name: None} for name in ("nodes", "dialects", "instance", "region", "port", "clock")),
    *({name: [5]} for name in ("nodes", "models", "dialects", "state", "whitelist_groups", "like")),
    *({name: "1"} for name in ("provision_seconds", "delete_seconds", "port", "clock")),
    *({name: True} for name in ("provision_seconds", "delete_seconds", "port")),
    *({name: b"key"} for name in ("access_key_id", "access_key_secret", "security_token")),
    *({name: b"file"} for name in ("state", "like")),
    *({name: None} for name in ("access_key_id", "access_key_secret")),
    {"port": 80.0},
    {"whitelist_groups": "group"},
    {"whitelist_groups": {"group": 1}},
    {"whitelist_groups": {1: "ai-1"}},
    {"clock": time.time()},
    {"signing_clock": 0},
]
_VALUES: list[dict[str, Any]] = [
    *({name: value} for name in ("provision_seconds", "delete_seconds") for value in (-1, -0.1)),
    *({name: math.nan} for name in ("provision_seconds", "delete_seconds")),
    *({name: math.inf} for name in ("provision_seconds", "delete_seconds")),
    *({"port": value} for value in (-1, 65536)),
    *({name: ""} for name in ("instance", "region", "access_key_id", "access_key_secret", "state")),
    *({name: " x"} for name in ("instance", "region", "access_key_id", "security_token")),
    *({name: "x\n"} for name in ("instance", "region", "access_key_secret", "security_token")),
    *({name: [""]} for name in ("nodes", "models")),
    *({name: [" ai-1"]} for name in ("nodes", "models")),
    *({name: ["ai-1", "ai-1"]} for name in ("nodes", "models")),
    {"instance": "gp-demo:ms-1"},
    {"region": "Hangzhou"},
    {"access_key_secret": "schl\xfcssel"},
    {"security_token": ""},
    {"dialects": [""]},
    {"whitelist_groups": {"": "ai-1"}},
    {"whitelist_groups": {"group": ""}},
    *({"like": value} for value in ("", "a\0b")),
    {"state": "/"},
    {"state": "no/such/folder/cloud.json"},
    {"state": "/dev/null"},
]


def _id(arguments: dict[str, Any]) -> str:
    ((name, value),) = arguments.items()
    return f"{name}={type(value).__name__}"


@pytest.mark.parametrize("arguments", _TYPES, ids=_id)
def test_a_wrong_type_is_refused(arguments: dict[str, Any]) -> None:
    """By name, before anything is started."""
    ((name, _),) = arguments.items()
    with pytest.raises(TypeError, match=rf"^(each (group |node )?of )?{name} must "):
        Simulator(**arguments)


@pytest.mark.parametrize("arguments", _VALUES, ids=_id)
def test_a_wrong_value_is_refused(arguments: dict[str, Any]) -> None:
    """By name and with the rule; what may be a secret is not shown."""
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=rf"^(each (group |node )?of )?{name}|unknown") as refused:
        Simulator(**arguments)
    if name in ("access_key_id", "access_key_secret", "security_token") and value.strip():
        assert value.strip() not in str(refused.value)


def test_a_folder_is_no_state_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^state must be a regular file, or a new one, got /"):
        Simulator(state=tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_what_is_meant_is_taken(tmp_path: Path) -> None:
    """Any iterable of names, none too; whole seconds; a path as a string."""
    with Simulator(
        nodes=(f"ai-{number}" for number in range(2)),  # type: ignore[arg-type]
        models=[],
        dialects=frozenset({"status-capitalised"}),
        provision_seconds=0,
        delete_seconds=0.5,
        state=str(tmp_path / "cloud.json"),
        whitelist_groups=None,
        security_token=None,
        like=None,
    ) as simulator:
        assert simulator.port > 0


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (("typo",), ValueError, "unknown fault typo; known: .*reset-before"),
        ((None,), TypeError, "fault must be a string, got None"),
        (("quota", "CreateModelservice"), ValueError, "unknown action CreateModelservice; known: "),
        (("quota", ""), ValueError, "unknown action ; known: .*ModifySecurityIps"),
        (("quota", ["CreateModelService"]), TypeError, "action must be a string"),
        (("quota", None, 0), ValueError, "times must be at least 1"),
        (("quota", None, -1), ValueError, "times must be at least 1"),
        (("quota", None, True), TypeError, "times must be a whole number"),
        (("quota", None, 1.0), TypeError, "times must be a whole number"),
        (("quota", None, "1"), TypeError, "times must be a whole number"),
        (("quota", None, 1, -1), ValueError, "after at least 0"),
        (("quota", None, 1, False), TypeError, "after must be a whole number"),
        (("quota", None, 1, None), TypeError, "after must be a whole number"),
        (("quota", None, None, "1"), TypeError, "after must be a whole number"),
    ],
)
def test_a_fault_that_would_never_strike_is_refused(
    simulator: Simulator, sdk: Sdk, arguments: Any, error: type[Exception], told: str
) -> None:
    """A typing error must not make a test pass."""
    with pytest.raises(error, match=told):
        simulator.inject(*arguments)
    sdk.models()
    assert None is simulator.requests[-1].fault


def test_every_action_has_its_name(simulator: Simulator, raw: Raw) -> None:
    """Those that may be named are those that are answered."""
    for action in ACTIONS:
        assert b"InvalidAction.NotFound" not in raw.call(action).content
    assert list(ACTIONS) == [call.action for call in simulator.requests]


def test_only_calls_that_exist_are_asked_for(simulator: Simulator, sdk: Sdk) -> None:
    """Else `calls(…) == []` would hold for every name."""
    sdk.models()
    assert 1 == len(simulator.calls("ListSupportModels")) == len(simulator.calls())
    assert [] == [call for action in ACTIONS[:4] for call in simulator.calls(action)]
    with pytest.raises(ValueError, match="unknown action ListSupportedModels; known: Create"):
        simulator.calls("ListSupportedModels")
    with pytest.raises(TypeError, match="action must be a string"):
        simulator.calls(5)  # type: ignore[arg-type]


def test_services_go_by_the_id_that_pulumi_shows(simulator: Simulator, sdk: Sdk) -> None:
    """As well as by the API's own; the instance in it has to be right."""
    simulator.add_instance("gp-other", [])
    own = sdk.create("ai-1")
    shown = f"gp-demo:{own}"

    assert simulator.service(own) == simulator.service(shown)
    assert "so" == simulator.change_service(shown, description="so").description
    simulator.attach_whitelist_group(shown, "mine")
    sdk.modify("10.0.0.9", "mine")
    assert ("10.0.0.9",) == simulator.service(shown).security_ip_list
    assert "deploy_failed" == simulator.fail_service(shown).status
    for wrong in (f"gp-other:{own}", f":{own}", f"gp-demo:{own}:", f"x:gp-demo:{own}", ""):
        for method in (simulator.service, simulator.fail_service, simulator.remove_service):
            with pytest.raises(KeyError, match="no model service"):
                method(wrong)
    with pytest.raises(TypeError, match="service_id must be a string"):
        simulator.service(None)  # type: ignore[arg-type]
    simulator.remove_service(shown)
    assert [] == simulator.services


@pytest.mark.parametrize(
    ("fields", "error", "told"),
    [
        ({"colour": "red"}, TypeError, "cannot change colour; known: ai_nodes, "),
        ({"id": "ms-2"}, TypeError, "cannot change id"),
        ({"ai_nodes": "ai-2"}, TypeError, "ai_nodes must be a list of strings"),
        ({"ai_nodes": [2]}, TypeError, "each of ai_nodes must be a string"),
        ({"ai_nodes": [""]}, ValueError, "each of ai_nodes must be a name"),
        ({"security_ip_list": 5}, TypeError, "security_ip_list must be a list of strings"),
        ({"security_ip_list": [5]}, TypeError, "each of security_ip_list must be a string"),
        ({"model_params": "{}"}, TypeError, "model_params must map"),
        ({"replicas": "2"}, TypeError, "replicas must be a whole number"),
        ({"replicas": True}, TypeError, "replicas must be a whole number"),
        ({"replicas": 0}, ValueError, "replicas must be at least 1"),
        ({"enable_public_connection": "false"}, TypeError, "must be True or False"),
        ({"model_name": None}, TypeError, "model_name must be a string"),
        ({"model_name": ""}, ValueError, "model_name must be a name"),
        ({"description": 5}, TypeError, "description must be a string"),
        ({"status": ""}, ValueError, "status must be a name"),
        ({"status": None}, TypeError, "status must be a string"),
        ({"api_key": None}, TypeError, "api_key must be a string"),
        ({"private_connect_url": 5}, TypeError, "private_connect_url must be a string"),
        ({"description": "new", "replicas": "2"}, TypeError, "replicas must be a whole number"),
    ],
)
def test_a_change_that_cannot_be_is_none(
    simulator: Simulator, sdk: Sdk, fields: dict[str, Any], error: type[Exception], told: str
) -> None:
    """The service stays as it is, in every field."""
    service_id = sdk.create("ai-1")
    before = simulator.service(service_id)
    with pytest.raises(error, match=told):
        simulator.change_service(service_id, **fields)
    assert before == simulator.service(service_id)


def test_instances_and_statuses_are_checked_too(simulator: Simulator) -> None:
    """As at the start."""
    with pytest.raises(TypeError, match="nodes must be a list of strings"):
        simulator.add_instance("gp-two", "n-1")
    with pytest.raises(ValueError, match="instance_id must be an id"):
        simulator.add_instance("gp two", ["n-1"])
    with pytest.raises(KeyError, match="no instance gp-two"):
        simulator.whitelist_groups("gp-two")
    with pytest.raises(KeyError, match="no instance gp-two"):
        simulator.remove_instance("gp-two")
    with pytest.raises(TypeError, match="status must be a string"):
        simulator.fail_next_deployment(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="status must be a name"):
        simulator.fail_next_deployment("")
