"""The documented rules of every input, one good and one bad value at a time."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pulumi_adbpg_model.fields import ALWAYS_SECRET, INPUTS, UNKNOWN
from pulumi_adbpg_model.service.validation import Failure, validate
from tests.service.values import FULL, MINIMAL

_NETWORK = "must be an IPv4 address, a CIDR block with a prefix of 1 to 32, or 0.0.0.0/0"
_TOKEN = "must be 1 to 64 printable ASCII characters"
_INSTANCE = "must be an instance id such as gp-abc, without spaces and colons"


def _validate(**inputs: Any) -> list[Failure]:
    return validate(MINIMAL | inputs)


@pytest.mark.parametrize("news", [MINIMAL, FULL], ids=["minimal", "full"])
def test_validate_accepts_a_declaration(news: dict[str, Any]) -> None:
    """The required inputs alone pass, and so does every input at once."""
    assert validate(news) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db_instance_id", "gp-bp1A_9"),
        ("model_name", "Qwen3-Embedding-8B"),
        ("ai_nodes", ["ai-1"]),
        ("ai_nodes", ("ai-1", "ai-2")),
        ("description", ""),
        ("description", "向量\nmodel"),
        ("security_ip_list", []),
        ("security_ip_list", ["127.0.0.1"]),
        ("security_ip_list", ["10.23.12.24/24", "10.0.0.0/1", "10.0.0.0/32", "0.0.0.0/0"]),
        ("security_ip_list", [" 10.0.0.1 ", "10.0.0.1"]),
        ("security_ip_list", ["10.0.0.1"] * 1000),
        ("model_params", {}),
        ("model_params", {"a": {"b": [1, None]}}),
        ("model_params", {"a": [2.0**53, -(2**53), 0.1, 1e-300, True]}),
        ("resource_group_id", "rg-1"),
        ("client_token", " "),
        ("client_token", "~" * 64),
        ("replicas", 1),
        ("replicas", 2.0),
        ("inference_engine", "vllm"),
        ("enable_public_connection", False),
        ("region_id", "cn-hangzhou"),
        ("wait_for_active", False),
        ("security_ip_group", "ms_1"),
        ("store_api_key", False),
        ("__urn", 1),
        ("__organization", object()),
        ("__provider", object()),
        ("__adopt", "gp-demo:ms-1"),
    ],
)
def test_validate_accepts_a_good_value(name: str, value: Any) -> None:
    """A value that the rule allows, also at its limit, makes no failure."""
    assert _validate(**{name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("db_instance_id", "", "db_instance_id must be a non-empty string, got ''"),
        ("db_instance_id", 1.0, "db_instance_id must be a non-empty string, got 1.0"),
        ("db_instance_id", "gp:1", f"db_instance_id {_INSTANCE}, got 'gp:1'"),
        ("db_instance_id", "gp 1", f"db_instance_id {_INSTANCE}, got 'gp 1'"),
        ("db_instance_id", " gp-1", f"db_instance_id {_INSTANCE}, got ' gp-1'"),
        ("model_name", "  ", "model_name must be a non-empty string, got '  '"),
        ("model_name", ["m"], "model_name must be a non-empty string, got ['m']"),
        ("ai_nodes", "ai-1", "ai_nodes must be a list of AI node names, got 'ai-1'"),
        ("ai_nodes", {"a": 1}, "ai_nodes must be a list of AI node names, got {'a': 1}"),
        ("ai_nodes", [], "ai_nodes must name at least one AI node, got []"),
        ("ai_nodes", ["ai-1", ""], "ai_nodes[1] must be a non-empty string, got ''"),
        ("ai_nodes", [None], "ai_nodes[0] must be a non-empty string, got None"),
        ("ai_nodes", ["a", "b", "a"], "ai_nodes[2] must not repeat an AI node, got 'a'"),
        ("ai_nodes", ["a", "a "], "ai_nodes[1] must not repeat an AI node, got 'a '"),
        ("description", 1, "description must be a string"),
        (
            "security_ip_list",
            "10.0.0.1",
            "security_ip_list must be a list of IPv4 addresses and CIDR blocks, got '10.0.0.1'",
        ),
        (
            "security_ip_list",
            ["10.0.0.1"] * 1001,
            "security_ip_list must have at most 1000 entries, got 1001",
        ),
        ("security_ip_list", ["10.0.0.0/0"], f"security_ip_list[0] {_NETWORK}, got '10.0.0.0/0'"),
        ("security_ip_list", ["10.0.0.0/33"], f"security_ip_list[0] {_NETWORK}, got '10.0.0.0/33'"),
        ("security_ip_list", ["1.1.1.1", "::1"], f"security_ip_list[1] {_NETWORK}, got '::1'"),
        ("security_ip_list", ["1.1.1.1,2.2.2.2"],
         f"security_ip_list[0] {_NETWORK}, got '1.1.1.1,2.2.2.2'"),
        ("security_ip_list", [None], f"security_ip_list[0] {_NETWORK}, got None"),
        ("security_ip_list", [""], f"security_ip_list[0] {_NETWORK}, got ''"),
        ("model_params", [], "model_params must be a mapping"),
        ("model_params", "{}", "model_params must be a mapping"),
        ("resource_group_id", "", "resource_group_id must be a non-empty string, got ''"),
        ("client_token", "", f"client_token {_TOKEN}"),
        ("client_token", "a" * 65, f"client_token {_TOKEN}"),
        ("client_token", "é", f"client_token {_TOKEN}"),
        ("client_token", "a\n", f"client_token {_TOKEN}"),
        ("client_token", "\x7f", f"client_token {_TOKEN}"),
        ("client_token", 1, f"client_token {_TOKEN}"),
        ("replicas", 0, "replicas must be a whole number of at least 1, got 0"),
        ("replicas", -1.0, "replicas must be a whole number of at least 1, got -1.0"),
        ("replicas", 1.5, "replicas must be a whole number of at least 1, got 1.5"),
        ("replicas", True, "replicas must be a whole number of at least 1, got True"),
        ("replicas", "1", "replicas must be a whole number of at least 1, got '1'"),
        ("replicas", float("inf"), "replicas must be a whole number of at least 1, got inf"),
        ("replicas", 2.0**60, f"replicas must be at most 2**53, got {2.0**60}"),
        ("inference_engine", "VLLM", "inference_engine must be 'vllm', got 'VLLM'"),
        ("enable_public_connection", 1, "enable_public_connection must be true or false, got 1"),
        ("region_id", "Hangzhou",
         "region_id must be a region id such as cn-hangzhou, got 'Hangzhou'"),
        ("region_id", 1, "region_id must be a region id such as cn-hangzhou, got 1"),
        ("wait_for_active", "no", "wait_for_active must be true or false, got 'no'"),
        ("security_ip_group", "", "security_ip_group must be a non-empty string, got ''"),
        (
            "security_ip_group",
            "Default",
            "security_ip_group must not be the group 'default', which guards the database itself, "
            "got 'Default'",
        ),
        ("store_api_key", 0.0, "store_api_key must be true or false, got 0.0"),
    ],
)  # fmt: skip
def test_validate_refuses_a_bad_value(name: str, value: Any, reason: str) -> None:
    """
    A broken rule is one failure at its input, that names property, rule and value.

    Of what may be a secret, the engine is not told the property, whose value it would show.
    """
    shown = "" if name in ALWAYS_SECRET else name
    assert [Failure(shown, reason)] == _validate(**{name: value})


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), 2.0**53 + 2, -(2**54)]
)
@pytest.mark.parametrize("wrap", [lambda x: {"a": x}, lambda x: {"a": [1, {"b": (0.5, x)}]}])
def test_validate_refuses_numbers_that_would_not_arrive_as_they_are(value: Any, wrap: Any) -> None:
    """At any depth of the model parameters, whose values are not shown."""
    rule = "must have finite numbers, and whole ones of at most 2**53 either way"
    assert [Failure("", f"model_params {rule}")] == _validate(model_params=wrap(value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db_instance_id", "hush:hush"),
        ("model_name", ["hush"]),
        ("ai_nodes", "hush"),
        ("ai_nodes", ["hush", "hush"]),
        ("security_ip_list", ["10.0.0.1", "hush"]),
        ("resource_group_id", ["hush"]),
        ("replicas", "hush"),
        ("inference_engine", "hush"),
        ("enable_public_connection", "hush"),
        ("region_id", "hush-Hush"),
        ("wait_for_active", "hush"),
        ("security_ip_group", ["hush"]),
        ("store_api_key", "hush"),
        ("__adopt", "hush"),
    ],
)
def test_validate_shows_no_value_of_what_is_secret(name: str, value: Any) -> None:
    """Marked as one, an input is named by the reason alone; else its value is shown."""
    (failure,) = validate(MINIMAL | {name: value}, {name})
    assert failure.property == ""
    assert re.match(r"(?!__)\w+(\[1\])? must ", failure.reason)
    assert "hush" not in f"{failure} {failure.reason}".lower()
    (shown,) = validate(MINIMAL | {name: value})
    assert "hush" in shown.reason.lower()


@pytest.mark.parametrize("name", ["db_instance_id", "model_name", "ai_nodes"])
@pytest.mark.parametrize("news", [{}, {"name": None}], ids=["absent", "None"])
def test_validate_requires_an_input(name: str, news: dict[str, Any]) -> None:
    """A required input is missed when it is absent, and just so when it is None."""
    given = {key: value for key, value in MINIMAL.items() if key != name}
    given |= dict.fromkeys([name] if news else [])
    assert [Failure(name, f"{name} is required")] == validate(given)


def test_validate_takes_none_for_absent() -> None:
    """Every optional input may be None."""
    optional = dict.fromkeys([name for name in INPUTS if name not in MINIMAL])
    assert _validate(**optional) == []


@pytest.mark.parametrize("name", [*INPUTS, "__adopt"])
def test_validate_passes_over_an_unknown(name: str) -> None:
    """A value that is not known yet breaks no rule, also of a required input."""
    assert _validate(**{name: UNKNOWN}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ai_nodes", [UNKNOWN]),
        ("ai_nodes", ["ai-1", UNKNOWN, UNKNOWN]),
        ("security_ip_list", [UNKNOWN, "10.0.0.1"]),
        ("model_params", {"a": [UNKNOWN]}),
    ],
)
def test_validate_passes_over_an_unknown_inside(name: str, value: Any) -> None:
    """Unknown entries of a list or mapping are passed over."""
    assert _validate(**{name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ai_nodes", [UNKNOWN, ""], "ai_nodes[1] must be a non-empty string, got ''"),
        ("security_ip_list", [UNKNOWN, "x"], f"security_ip_list[1] {_NETWORK}, got 'x'"),
        (
            "security_ip_list",
            [UNKNOWN] * 1001,
            "security_ip_list must have at most 1000 entries, got 1001",
        ),
    ],
)
def test_validate_checks_what_is_known_beside_an_unknown(
    name: str, value: Any, reason: str
) -> None:
    """An unknown entry hides neither the others' failures nor the length of its list."""
    assert [Failure(name, reason)] == _validate(**{name: value})


def test_validate_refuses_an_input_that_it_does_not_know() -> None:
    """A misspelt input is refused, with the names that there are."""
    (failure,) = _validate(securityIpList=["10.0.0.1"])
    assert failure == Failure(
        "securityIpList",
        f"securityIpList is not an input; the inputs are {', '.join(INPUTS)}",
    )


def test_validate_reports_all_failures_at_once() -> None:
    """Every broken rule of every input is reported, missing inputs first."""
    failures = validate(
        {
            "db_instance_id": "gp-demo",
            "ai_nodes": ["", "a", "a"],
            "security_ip_list": ["x", *["10.0.0.1"] * 999, "y"],
            "replicas": 0,
            "other": 1,
        },
    )
    assert [(failure.property, failure.reason.split()[0]) for failure in failures] == [
        ("model_name", "model_name"),
        ("ai_nodes", "ai_nodes[0]"),
        ("ai_nodes", "ai_nodes[2]"),
        ("security_ip_list", "security_ip_list"),
        ("security_ip_list", "security_ip_list[0]"),
        ("security_ip_list", "security_ip_list[1000]"),
        ("replicas", "replicas"),
        ("other", "other"),
    ]


def test_validate_caps_the_value_that_it_shows() -> None:
    """A long value is shown by its first 99 characters."""
    (failure,) = _validate(replicas="9" * 200)
    assert failure.reason == (f"replicas must be a whole number of at least 1, got '{'9' * 98}…")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("ms-1", "'ms-1'"), ("gp-demo:", "'gp-demo:'"), (1.0, "1.0"), (["a:b"], "['a:b']")],
)
def test_validate_refuses_a_malformed_import(value: Any, shown: str) -> None:
    """An id to take over is named by the option that the user gave, not by a hidden key."""
    assert _validate(__adopt=value) == [
        Failure(
            "",
            "import_ must be '<db_instance_id>:<model_service_id>', such as gp-abc:ms-123, "
            f"got {shown}",
        )
    ]
