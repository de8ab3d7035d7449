"""Client tokens: the same for the same declaration, another one for any other."""

from __future__ import annotations

import dataclasses
import string
from typing import Any

import pytest
from hypothesis import given

from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.lifecycle.tokens import first_token, next_token
from pulumi_adbpg_model.state import spec_from
from tests.unit.values import FULL, SERVICE, as_floats, declarations

_SPEC = spec_from(FULL)
_URN = "urn:pulumi:dev::demo::pulumi-python:dynamic/adbpg:ModelService::embed"

#: Another value for every field of a spec.
_OTHER: dict[str, Any] = {
    "db_instance_id": "gp-other",
    "model_name": "other",
    "ai_nodes": ("ai-1",),
    "description": "other",
    "security_ip_list": ("10.0.0.1",),
    "model_params": {"max_len": 8, "nested": {"stops": [1, 3]}},
    "resource_group_id": "rg-2",
    "replicas": 3,
    "inference_engine": "other",
    "enable_public_connection": False,
}


def _token(**changed: Any) -> str:
    return first_token("org", _URN, "cn-hangzhou", dataclasses.replace(_SPEC, **changed))


def test_first_token_is_frozen() -> None:
    """A token must not change between releases: an interrupted create would be repeated."""
    spec = ModelServiceSpec("gp-demo", "Qwen3-Embedding-8B", ("ai-1",))
    expected = "bc1dc10e874086858e42f3e6c8434f701d6200de9ad8305c79de27b445954db3"
    assert expected == first_token("org", _URN, "cn-hangzhou", spec)


def test_next_token_is_frozen() -> None:
    """The token after a dead service must not change between releases either."""
    expected = "e272b95e8fecb98a7169e11c97d6b51359388830d045b1521bdc943b91a1b278"
    assert expected == next_token("t", SERVICE)


@given(declarations)
def test_first_token_is_64_hex_digits(inputs: dict[str, Any]) -> None:
    """Any declaration gives a token that fits the API's limit of 64 ASCII characters."""
    token = first_token("org", _URN, None, spec_from(inputs))
    assert len(token) == 64
    assert set(token) <= set(string.hexdigits.lower())


@given(declarations)
def test_first_token_is_equal_for_equal_declarations(inputs: dict[str, Any]) -> None:
    """The token survives the wire, which turns numbers to floats, and any order of keys."""
    again = dict(reversed(as_floats(inputs).items()))
    one = first_token("org", _URN, "cn-hangzhou", spec_from(inputs))
    assert one == first_token("org", _URN, "cn-hangzhou", spec_from(again))


@given(declarations, declarations)
def test_first_token_differs_when_the_request_differs(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Two requests share a token exactly when they are the same."""
    specs = spec_from(one), spec_from(other)
    tokens = [first_token("org", _URN, None, spec) for spec in specs]
    assert (repr(specs[0]) == repr(specs[1])) == (tokens[0] == tokens[1])


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(ModelServiceSpec)])
def test_first_token_differs_when_a_field_differs(name: str) -> None:
    """Each field of the request is part of the token, also when it is left out."""
    optional = name not in ("db_instance_id", "model_name", "ai_nodes")
    changed = [_OTHER[name], *([None] if optional else [])]
    tokens = {_token(), *(_token(**{name: value}) for value in changed)}
    assert len(tokens) == len(changed) + 1


def test_first_token_tells_true_from_one() -> None:
    """A flag and a number in the model parameters are different requests."""
    assert _token(model_params={"a": True}) != _token(model_params={"a": 1})


@pytest.mark.parametrize(
    ("organization", "urn", "region"),
    [
        ("other", _URN, "cn-hangzhou"),
        ("org", _URN + "2", "cn-hangzhou"),
        ("org", _URN, "cn-beijing"),
        ("org", _URN, None),
    ],
)
def test_first_token_differs_by_owner_and_place(
    organization: str, urn: str, region: str | None
) -> None:
    """Another organization, resource or region gives another token for the same request."""
    assert _token() != first_token(organization, urn, region, _SPEC)


def test_next_token_makes_a_chain_that_never_repeats() -> None:
    """Each dead service leads to another token of the same form, always the same one."""
    chain = [_token()]
    for number in range(5):
        chain.append(next_token(chain[-1], ModelServiceId("gp-demo", f"ms-{number}")))
    assert len(set(chain)) == 6
    assert {64} == {len(token) for token in chain}
    assert next_token("t", SERVICE) == next_token("t", SERVICE)
    assert next_token("t", SERVICE) != next_token("t", ModelServiceId("gp-demo", "ms-2"))
