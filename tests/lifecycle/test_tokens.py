"""Client tokens: the same for the same declaration, another for any other."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.lifecycle.tokens import first_token, next_token

_FULL = ModelServiceSpec(
    "gp-demo",
    "Qwen3-8B",
    ("ai-1", "ai-2"),
    description="d",
    security_ip_list=("10.0.0.1",),
    model_params={"a": {"b": 1}},
    resource_group_id="rg-1",
    replicas=2,
    inference_engine="vllm",
    enable_public_connection=True,
)
_CHANGES: dict[str, object] = {
    "db_instance_id": "gp-other",
    "model_name": "Qwen3-32B",
    "ai_nodes": ("ai-1",),
    "description": "e",
    "security_ip_list": ("10.0.0.2",),
    "model_params": {"a": {"b": 2}},
    "resource_group_id": None,
    "replicas": 3,
    "inference_engine": None,
    "enable_public_connection": False,
}


def test_first_token_is_frozen() -> None:
    """A release must not change tokens: a create interrupted before it would be sent anew after."""
    first = first_token("org", "urn:1", "cn-hangzhou", _FULL)
    assert first == "d824ca21141a47d22c47addc042ca3e0ef66207378c9056ac17d6d430a994c09"
    second = next_token(first, ModelServiceId("gp-demo", "ms-1"))
    assert second == "1d2791e2142c6ec7095d4fafa9675998e7169323f4c8b9339e123705b659c165"


def test_first_token_depends_on_every_field_of_the_spec() -> None:
    """A change of any parameter gives another token, as the cloud demands."""
    assert {f.name for f in dataclasses.fields(ModelServiceSpec)} == _CHANGES.keys()
    tokens = {first_token("org", "urn:1", "cn-hangzhou", _FULL)}
    for name, value in _CHANGES.items():
        changed = dataclasses.replace(_FULL, **{name: value})  # type: ignore[arg-type]
        tokens.add(first_token("org", "urn:1", "cn-hangzhou", changed))
    assert 1 + len(_CHANGES) == len(tokens)


@pytest.mark.parametrize(
    ("organization", "urn", "region"),
    [
        ("other", "urn:1", "cn-hangzhou"),
        ("org", "urn:2", "cn-hangzhou"),
        ("org", "urn:1", "cn-beijing"),
        ("org", "urn:1", None),
        ("orgurn:1", "", "cn-hangzhou"),
    ],
)
def test_first_token_depends_on_organization_urn_and_region(
    organization: str, urn: str, region: str | None
) -> None:
    """Another stack, resource or region never replays this one's service."""
    assert first_token("org", "urn:1", "cn-hangzhou", _FULL) != first_token(
        organization, urn, region, _FULL
    )


def test_first_token_ignores_the_order_of_model_params() -> None:
    """A mapping has no order, so its order changes nothing."""
    one = dataclasses.replace(_FULL, model_params={"a": 1, "b": 2})
    other = dataclasses.replace(_FULL, model_params={"b": 2, "a": 1})
    assert first_token("org", "urn:1", None, one) == first_token("org", "urn:1", None, other)


@given(st.text(), st.text(), st.text(), st.text(min_size=1))
def test_tokens_fit_the_api_whatever_goes_in(
    organization: str, urn: str, name: str, service: str
) -> None:
    """Both kinds of token are 64 ASCII characters, the API's limit, and repeatable."""
    spec = ModelServiceSpec("gp-demo", name, ("ai-1",))
    dead = ModelServiceId("gp-demo", service)
    first = first_token(organization, urn, "cn-hangzhou", spec)
    second = next_token(first, dead)
    assert (len(first), first.isascii()) == (64, True)
    assert (len(second), second.isascii()) == (64, True)
    assert first == first_token(organization, urn, "cn-hangzhou", spec)
    assert second == next_token(first, dead)
    assert first != second


def test_next_token_depends_on_the_dead_id() -> None:
    """Each dead service leads to a token of its own."""
    dead = ModelServiceId("gp-demo", "ms-1")
    assert next_token("t", dead) != next_token("t", ModelServiceId("gp-demo", "ms-2"))
    assert next_token("t", dead) != next_token("u", dead)
