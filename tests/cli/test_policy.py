"""`policy`: what the API pages say about permission, and nothing beyond it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import pulumi_adbpg_model.gateway
from pulumi_adbpg_model.cli import main

_PAGE = Path(__file__).parents[2] / "docs/security.md"
_READING = {
    "gpdb:DescribeModelService",
    "gpdb:ListAINodePools",
    "gpdb:ListModelServices",
    "gpdb:ListSupportModels",
}


def _policy(*arguments: str) -> Any:
    done = CliRunner().invoke(main, ["policy", *arguments])
    assert 0 == done.exit_code, done.output
    return json.loads(done.stdout)


def _granted(policy: Any) -> dict[str, list[str]]:
    """The resources of each action; an action stands in one statement."""
    granted: dict[str, list[str]] = {}
    for statement in policy["Statement"]:
        assert {"Effect", "Action", "Resource"} == statement.keys()
        assert "Allow" == statement["Effect"]
        resource = statement["Resource"]
        for action in statement["Action"]:
            assert action not in granted
            granted[action] = [resource] if isinstance(resource, str) else resource
    return granted


def _called() -> set[str]:
    """Every action that the gateway's source calls."""
    folder = Path(pulumi_adbpg_model.gateway.__file__).parent
    called = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "_call"
            ):
                action = node.args[0]
                assert isinstance(action, ast.Constant), "an action that is not plain to see"
                called.add("gpdb:" + str(action.value))
    return called


def test_policy_grants_what_the_gateway_calls_and_nothing_else() -> None:
    """A new call without its permission fails here, and so does a permission without its call."""
    assert len(_called()) == 7
    assert _called() == _granted(_policy()).keys()


def test_read_only_grants_nothing_that_changes_anything() -> None:
    """Creating, deleting and whitelists are left out."""
    assert _READING == _granted(_policy("--read-only", "--instance", "gp-demo")).keys()


def test_policy_names_instances_where_the_api_can() -> None:
    """Only the two lists whose pages say so are granted on everything."""
    granted = _granted(_policy("--instance", "gp-b", "--instance", "gp-a", "--instance", "gp-b"))

    wide = {name for name, resources in granted.items() if resources == ["*"]}
    assert {"gpdb:ListAINodePools", "gpdb:ListSupportModels"} == wide
    narrow = {tuple(resources) for name, resources in granted.items() if name not in wide}
    assert {("acs:gpdb:*:*:dbinstance/gp-b", "acs:gpdb:*:*:dbinstance/gp-a")} == narrow


def test_policy_without_instance_is_for_every_instance() -> None:
    """The account's instances, not the account's everything."""
    resources = _granted(_policy())["gpdb:DeleteModelService"]

    assert ["acs:gpdb:*:*:dbinstance/*"] == resources


def test_policy_names_region_and_account_where_the_pages_do() -> None:
    """The resource of most actions has no region: one that named it would never match."""
    granted = _granted(
        _policy("--instance", "gp-a", "--region", "cn-beijing", "--account-id", "1234567890123456")
    )

    assert ["acs:gpdb:cn-beijing:1234567890123456:dbinstance/gp-a"] == granted.pop(
        "gpdb:ListModelServices"
    )
    assert {"*", "acs:gpdb:*:1234567890123456:dbinstance/gp-a"} == {
        resource for resources in granted.values() for resource in resources
    }


def test_policy_is_a_policy_of_version_1() -> None:
    """The version that RAM asks for, as a text."""
    policy = _policy()

    assert {"Version", "Statement"} == policy.keys()
    assert "1" == policy["Version"]


def test_the_page_on_security_shows_this_policy() -> None:
    """The page and the command say the same."""
    text = _PAGE.read_text(encoding="utf-8")
    shown = text.partition("```json\n")[2].partition("```")[0]

    assert _policy("--instance", "gp-demo") == json.loads(shown)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--instance", ""], "Invalid value for '--instance'"),
        (["--instance", "gp-a:ms-1"], "Invalid value for '--instance'"),
        (["--account-id", "me"], "Invalid value for '--account-id'"),
        (["--region", "CN"], "Invalid value for '--region'"),
    ],
)
def test_wrong_usage_is_named(arguments: list[str], expected: str) -> None:
    """What cannot be part of a resource is refused."""
    done = CliRunner().invoke(main, ["policy", *arguments])

    assert 2 == done.exit_code
    assert expected in done.output


def test_read_only_policy_says_that_it_lets_keys_be_read() -> None:
    """In one line on stderr that names the actions and the managed policy; stdout is JSON alone."""
    done = CliRunner().invoke(main, ["policy", "--read-only", "--instance", "gp-demo"])

    (line,) = done.stderr.splitlines()
    assert "can read their API keys" in line
    for name in ("DescribeModelService", "ListModelServices"):
        assert f"gpdb:{name}" in line
        assert f"gpdb:{name}" in _granted(json.loads(done.stdout))
    assert "AliyunGPDBReadOnlyAccess" in line
    assert CliRunner().invoke(main, ["policy"]).stderr == ""
    described = " ".join(CliRunner().invoke(main, ["policy", "--help"]).stdout.split())
    assert "whoever has this policy can read the keys, with --read-only too" in described
