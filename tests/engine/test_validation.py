"""What is wrong with inputs or configuration shows at preview, all at once, before any call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pulumi_adbpg_model import ModelService
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import program
from tests.engine.support.stack import Failed, Stack

_IPS = "must be an IPv4 address, a CIDR block with a prefix of 1 to 32, or 0.0.0.0/0"

#: Inputs, and for each broken rule its property with what is said about it.
_BAD: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (
        {
            "db_instance_id": "gp:demo",
            "model_name": " ",
            "ai_nodes": ["ai-1", "", "ai-1"],
            "description": ["a", "list"],
            "security_ip_list": ["10.0.0.1", "10.0.0.0/33", "example.com", "::1", "10.0.0.1/0"],
            "model_params": "dtype=half",
            "resource_group_id": "",
            "client_token": "t" * 65,
            "replicas": 0,
            "inference_engine": "tgi",
            "enable_public_connection": "yes",
            "region_id": "Hangzhou",
            "wait_for_active": "no",
            "security_ip_group": "",
            "store_api_key": 1,
        },
        [
            (
                "db_instance_id",
                "db_instance_id must be an instance id such as gp-abc, without spaces and colons, "
                "got 'gp:demo'",
            ),
            ("model_name", "model_name must be a non-empty string, got ' '"),
            ("ai_nodes", "ai_nodes[1] must be a non-empty string, got ''"),
            ("ai_nodes", "ai_nodes[2] must not repeat an AI node, got 'ai-1'"),
            ("", "description must be a string"),
            ("security_ip_list", f"security_ip_list[1] {_IPS}, got '10.0.0.0/33'"),
            ("security_ip_list", f"security_ip_list[2] {_IPS}, got 'example.com'"),
            ("security_ip_list", f"security_ip_list[3] {_IPS}, got '::1'"),
            ("security_ip_list", f"security_ip_list[4] {_IPS}, got '10.0.0.1/0'"),
            ("", "model_params must be a mapping"),
            ("resource_group_id", "resource_group_id must be a non-empty string, got ''"),
            ("", "client_token must be 1 to 64 printable ASCII characters"),
            ("replicas", "replicas must be a whole number of at least 1, got 0"),
            ("inference_engine", "inference_engine must be 'vllm', got 'tgi'"),
            (
                "enable_public_connection",
                "enable_public_connection must be true or false, got 'yes'",
            ),
            ("region_id", "region_id must be a region id such as cn-hangzhou, got 'Hangzhou'"),
            ("wait_for_active", "wait_for_active must be true or false, got 'no'"),
            ("security_ip_group", "security_ip_group must be a non-empty string, got ''"),
            ("store_api_key", "store_api_key must be true or false, got 1"),
        ],
    ),
    (
        {"ai_nodes": "ai-1", "security_ip_list": "10.0.0.1", "replicas": True},
        [
            ("ai_nodes", "ai_nodes must be a list of AI node names, got 'ai-1'"),
            (
                "security_ip_list",
                "security_ip_list must be a list of IPv4 addresses and CIDR blocks, got '10.0.0.1'",
            ),
            ("replicas", "replicas must be a whole number of at least 1, got True"),
        ],
    ),
    (
        {
            "ai_nodes": [],
            "security_ip_list": ["10.0.0.1"] * 1001,
            "replicas": 1.5,
        },
        [
            ("ai_nodes", "ai_nodes must name at least one AI node, got []"),
            ("security_ip_list", "security_ip_list must have at most 1000 entries, got 1001"),
            ("replicas", "replicas must be a whole number of at least 1, got 1.5"),
        ],
    ),
]


@pytest.mark.parametrize(("inputs", "failures"), _BAD, ids=["rules", "types", "limits"])
def test_preview_names_property_rule_and_value_of_everything_that_is_wrong(
    stack: Stack,
    simulator: Simulator,
    inputs: dict[str, Any],
    failures: list[tuple[str, str]],
) -> None:
    """Every broken rule of a resource is one line of one preview, and nothing is called."""
    with pytest.raises(Failed) as failed:
        stack.preview(program(**inputs))
    assert sorted(failed.value.log.problems("model")) == sorted(failures)
    assert "Traceback" not in failed.value.output
    assert simulator.requests == []


def test_preview_names_what_is_missing(stack: Stack, simulator: Simulator) -> None:
    """Each required input that is not given is named."""

    def empty() -> None:
        declare: Any = ModelService
        declare("model", {})

    with pytest.raises(Failed) as failed:
        stack.preview(empty)
    assert failed.value.log.problems("model") == [
        ("db_instance_id", "db_instance_id is required"),
        ("model_name", "model_name is required"),
        ("ai_nodes", "ai_nodes is required"),
    ]
    assert "Traceback" not in failed.value.output
    assert simulator.requests == []


def test_preview_names_every_malformed_setting(tmp_path: Path) -> None:
    """Malformed configuration is one line that lists all of it, without the values of keys."""
    with Simulator() as simulator:
        stack = Stack(
            tmp_path,
            simulator,
            config={
                "adbpg:endpoint": "http://gpdb.example.com",
                "adbpg:region": "Mars",
                "adbpg:parallel": "0",
                "adbpg:maxPollInterval": "often",
                "adbpg:accessKey": "half-a-key",
            },
        )
        with pytest.raises(Failed) as failed:
            stack.preview(program())
        assert failed.value.log.reasons("model") == [
            "config adbpg:region must be a region id such as cn-hangzhou, got 'Mars'; "
            "config adbpg:endpoint: plain http is accepted for loopback addresses only; use https, "
            "got 'http://gpdb.example.com'; "
            "config adbpg:accessKey is set but adbpg:secretKey is not: they go together; "
            "config adbpg:maxPollInterval must be a number of seconds above 0, got 'often'; "
            "config adbpg:parallel must be a whole number from 1 to 999999, got '0'"
        ]
        assert "half-a-key" not in failed.value.output
        assert "Traceback" not in failed.value.output
        assert simulator.requests == []


def test_an_unknown_input_fails_the_program_with_the_one_that_was_meant(
    stack: Stack, simulator: Simulator
) -> None:
    """A mistyped input stops the program at once, with a guess."""
    with pytest.raises(Failed) as failed:
        stack.preview(program(ai_node=["ai-1"]))
    (line,) = failed.value.reasons
    assert line.startswith("ModelService 'model'")
    assert "has no input 'ai_node'; did you mean 'ai_nodes'?" in line
    assert "Traceback" not in failed.value.output
    assert simulator.requests == []
