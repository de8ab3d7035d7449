"""Texts without the values that are secrets, and hardly anything else."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import InvalidRequestError, OperationError
from pulumi_adbpg_model.lifecycle import Tokens
from pulumi_adbpg_model.service.redaction import SecretValues
from pulumi_adbpg_model.service.stack import StackEntry

_URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::ai-1"


def _secrets(**marked: object) -> SecretValues:
    secrets = SecretValues()
    secrets.learn(marked, marked)
    return secrets


@pytest.mark.parametrize(
    ("value", "text", "hidden"),
    [
        ("ai-1", "ai-1, AI-1 and 'ai-1'.", "[secret], [secret] and '[secret]'."),
        ("ai-1", "ai-10, fai-1", "ai-10, fai-1"),
        (" ai-1 ", "on ai-1", "on [secret]"),
        ("ai-1", f"destroy --target '{_URN}'", f"destroy --target '{_URN}'"),
        ("n", "a node n, got 'n'", "a node n, got '[secret]'"),
        ("secret", "the secret is 'secret'", "the [secret] is '[secret]'"),
        ("gp-abcdef", "gp-abcdef-master.gpdb.example", "[secret]-master.gpdb.example"),
        ("a\nb c d", "says a b c d, 'a\\nb c d'", "says [secret], '[secret]'"),
        ("half a truth", "it is half a…", "it is [secret]…"),
        ("half a truth", "it is hal…", "it is hal…"),
        (["ai-1", "ai-2"], "['ai-1', 'ai-2']", "['[secret]', '[secret]']"),
        ({"key": {"k": 8080.0}}, "8080 18080 80801", "[secret] 18080 80801"),
        ({"key": 1}, '{"key": 1} {"key":1}', "[secret] [secret]"),
        (True, "True is true, 1", "True is true, 1"),
        (None, "None", "None"),
        ("", "''", "''"),
        ("İstanbul-x", "in İSTANBUL-X, istanbul-x, İstanbul-x", None),
    ],
)
def test_a_marked_value_is_hidden(value: object, text: str, hidden: str | None) -> None:
    """As a word of its own, whatever its case, within other words when it is long."""
    secrets = _secrets(ai_nodes=value)
    once = secrets.hide(text)
    assert hidden is None or once == hidden
    assert "İstanbul-x" not in once
    assert secrets.hide(once) == once


def test_a_description_is_hidden_in_what_the_cloud_says_alone() -> None:
    """Ours does not show it, and often consists of its words."""
    secrets = _secrets(description="model service", client_token="token-7")
    told = "update of model service ms-1"
    assert secrets.hide(told) == told
    assert secrets.hide_all("the Model Service is odd") == "the [secret] is odd"
    assert secrets.hide_all("No.token-7") == "No.[secret]"


@pytest.mark.parametrize("first", ["description", "model_name"])
def test_what_is_marked_is_hidden_also_where_another_input_has_the_same_value(first: str) -> None:
    """Whichever of the two is told of first."""
    secrets = _secrets(**{first: "hush-7"})
    secrets.learn({"description": "hush-7", "model_name": "hush-7"}, ["model_name"])
    assert secrets.hide("it is hush-7") == "it is [secret]"


def test_an_error_without_a_secret_stays_what_it_is() -> None:
    """Its class tells what to do; another text is all that is left of it otherwise."""
    secrets = _secrets(ai_nodes=["ai-1"])
    error = InvalidRequestError("CreateModelService", "x", "ai-2 is odd")
    assert secrets.hide_in_error(error) is error
    other = secrets.hide_in_error(InvalidRequestError("CreateModelService", "ai-1", "it is odd"))
    assert type(other) is OperationError
    assert "ai-1" not in repr(other)


@pytest.mark.parametrize(
    "value",
    [
        ModelServiceDetails(ModelServiceId("gp-1", "ms-1"), description="hush", api_key="hush"),
        Tokens("seed", "hush"),
        StackEntry(ModelServiceId("gp-1", "ms-1"), client_token="hush"),
    ],
)
def test_no_repr_shows_what_may_be_a_secret(value: object) -> None:
    """Whoever prints one, in an assertion or a debugger."""
    assert "hush" not in repr(value)
    assert "hush" in str(vars(value))
