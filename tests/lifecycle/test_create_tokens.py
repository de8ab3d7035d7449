"""Client tokens: the same for the same declaration at the same time, another for any other."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulumi_adbpg_model import domain
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.fields import FIELDS, SENT, Field
from pulumi_adbpg_model.gateway import _wire
from pulumi_adbpg_model.lifecycle import Tokens
from pulumi_adbpg_model.lifecycle.create import TOKEN_S

_URN = "urn:pulumi:dev::demo::pulumi-python:dynamic/adbpg:ModelService::embed"
_SPEC = ModelServiceSpec(
    "gp-demo",
    "Qwen3-8B",
    ("ai-1", "ai-2"),
    description="d",
    security_ip_list=("10.0.0.1",),
    others={
        "model_params": {"a": {"b": 1}},
        "resource_group_id": "rg-1",
        "replicas": 2,
        "inference_engine": "vllm",
        "enable_public_connection": True,
    },
)
#: Another value for every field of a spec.
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
#: 2026-03-21T08:00:00Z, at which a token begins.
_EIGHT_S = 1774080000.0
_SEED = Tokens("5eed")
#: Moments of which a clock can tell.
_moments = st.floats(0, 4e9, allow_nan=False)


def _tokens(**changed: object) -> Tokens:
    own = {name: value for name, value in changed.items() if name not in _SPEC.others}
    others = {name: changed.get(name, value) for name, value in _SPEC.others.items()}
    spec = dataclasses.replace(_SPEC, **own, others=others)  # type: ignore[arg-type]
    return Tokens.of("org", _URN, "cn-hangzhou", spec)


def _zoned(seconds: float, hours: float = 0.0) -> str:
    zone = timezone(timedelta(hours=hours))
    return datetime.fromtimestamp(seconds, zone).isoformat(timespec="seconds")


def test_tokens_are_frozen() -> None:
    """A release must not change them: what a run left before it would not be found after."""
    tokens = Tokens.of("org", _URN, "cn-hangzhou", _SPEC)
    assert tokens.seed == "5cd9b0882482deee6150a78686bead2cb2a73098ace53afeb9967d17ba2ca4aa"
    assert tokens.at(_EIGHT_S) == "cfce3de38c79b751e9634bd70c4f802d817c82a6d436be86720d395595bf76ce"
    owned = Tokens.of("org", _URN, "cn-hangzhou", _SPEC, "mine")
    assert owned.own == "mine"
    assert owned.at(_EIGHT_S) == "2629b8435a297aebee1386c54d4365e18887d253269062645586932e556328d6"


def test_an_input_that_a_release_adds_changes_the_tokens_of_those_who_set_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else no interrupted run would be found again after an upgrade."""
    before = _tokens()
    added = Field("max_model_len", lambda _value: (), wire="MaxModelLen", later=True)
    monkeypatch.setattr(domain, "SENT", (*SENT, added))
    assert _tokens() == before
    monkeypatch.setattr(_wire, "FIELDS", (*FIELDS, added))
    assert "MaxModelLen" not in _wire.create_query(_SPEC)
    others = {**_SPEC.others, "max_model_len": 8}
    asked = dataclasses.replace(_SPEC, others=others)
    assert Tokens.of("org", _URN, "cn-hangzhou", asked) != before
    assert _wire.create_query(asked)["MaxModelLen"] == 8


def test_tokens_depend_on_every_field_of_the_spec() -> None:
    """A change of any parameter gives another token, as the cloud demands."""
    assert _SPEC.inputs.keys() == _CHANGES.keys()
    changed = {_tokens(**{name: value}).at(0.0) for name, value in _CHANGES.items()}
    assert len(changed | {_tokens().at(0.0)}) == 1 + len(_CHANGES)


@pytest.mark.parametrize(
    ("organization", "urn", "region", "own"),
    [
        ("other", _URN, "cn-hangzhou", None),
        ("org", f"{_URN}2", "cn-hangzhou", None),
        ("org", _URN, "cn-beijing", None),
        ("org", _URN, None, None),
        (f"org{_URN}", "", "cn-hangzhou", None),
        ("org", _URN, "cn-hangzhou", "mine"),
        ("org", _URN, "cn-hangzhou", ""),
    ],
)
def test_tokens_depend_on_the_stack_the_resource_the_region_and_a_token_of_ones_own(
    organization: str, urn: str, region: str | None, own: str | None
) -> None:
    """Another one never finds this one's service."""
    other = Tokens.of(organization, urn, region, _SPEC, own)
    assert _tokens().at(0.0) != other.at(0.0)


def test_tokens_tell_true_from_one() -> None:
    """A flag and a number in the model parameters are different requests."""
    assert _tokens(model_params={"a": True}) != _tokens(model_params={"a": 1})


def test_tokens_ignore_the_order_of_model_params() -> None:
    """A mapping has no order, so its order changes nothing."""
    assert _tokens(model_params={"a": 1, "b": 2}) == _tokens(model_params={"b": 2, "a": 1})


@given(st.text(), st.text(), st.text(), st.none() | st.text(), _moments)
def test_a_token_fits_the_api_whatever_goes_in(
    organization: str, urn: str, name: str, own: str | None, now_s: float
) -> None:
    """64 hexadecimal digits, the API's limit, and the same ones each time."""
    spec = ModelServiceSpec("gp-demo", name, ("ai-1",))
    token = Tokens.of(organization, urn, "cn-hangzhou", spec, own).at(now_s)
    assert len(token) == 64
    assert set(token) <= set("0123456789abcdef")
    assert token == Tokens.of(organization, urn, "cn-hangzhou", spec, own).at(now_s)


@given(_moments, st.floats(0, 10))
@example(_EIGHT_S, 1.999)
@example(_EIGHT_S, 2.0)
def test_a_token_lasts_from_one_even_second_to_the_next(now_s: float, later_s: float) -> None:
    """A machine with another start, or another process, has the same ones."""
    same = now_s // TOKEN_S == (now_s + later_s) // TOKEN_S
    assert (_SEED.at(now_s) == _SEED.at(now_s + later_s)) == same


@given(
    created_s=st.integers(10_000, 4_000_000_000),
    before_s=st.floats(-6, 40, allow_nan=False),
    days=st.integers(0, 1000),
    hours=st.sampled_from([0, 8, -3.5, 14, -12]),
)
@example(created_s=1_774_080_001, before_s=-6.0, days=0, hours=8)
@example(created_s=1_774_080_000, before_s=40.0, days=0, hours=8)
def test_a_service_is_found_by_the_time_of_its_creation(
    created_s: int, before_s: float, days: int, hours: float
) -> None:
    """Asked for up to 40 s before, or 6 s after where the clocks differ; at any later time."""
    asked = _SEED.at(created_s - before_s)
    now_s = created_s + days * 86400.0
    assert asked in list(_SEED.around(_zoned(created_s, hours), now_s))


def test_the_likeliest_tokens_come_first() -> None:
    """That of the very second, those around it, of which the past goes on, and that of 0.1.0."""
    around = list(_SEED.around(_zoned(_EIGHT_S), _EIGHT_S + 1e6))
    steps = [0, -2, 2, -4, 4, -6, 6, *range(-8, -42, -2)]
    assert around == [*(_SEED.at(_EIGHT_S + step) for step in steps), _SEED.seed]
    assert len(set(around)) == len(around)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-21T08:00:00Z",
        "2026-03-21T08:00Z",
        " 2026-03-21 08:00:00 ",
        "2026-03-21T08:00:00.000Z",
        "2026-03-21T08:00:00+00:00",
        "2026-03-21T16:00:00+08:00",
        "2026-03-20T20:00:00-12:00",
    ],
)
def test_the_time_of_a_creation_may_be_written_in_many_ways(written: str) -> None:
    """ISO 8601, in any zone; without one it is UTC, as the page says."""
    assert next(_SEED.around(written, 0.0)) == _SEED.at(_EIGHT_S)


@pytest.mark.parametrize("written", [None, "", "soon", "2026-13-01T00:00:00Z", "1774080000000"])
def test_where_the_time_of_a_creation_is_not_told_the_last_minutes_are_looked_through(
    written: str | None,
) -> None:
    """The newest first, beginning with that of the moment."""
    around = list(_SEED.around(written, _EIGHT_S + 1.0))
    assert around == [*(_SEED.at(_EIGHT_S - step) for step in range(0, 302, 2)), _SEED.seed]
