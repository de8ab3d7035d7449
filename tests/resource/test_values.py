"""Values that cannot reach the provider as they are: refused in one line, and not shown."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
from functools import partial
from typing import Any

import pulumi
import pytest
from pulumi import Output, RunError

from pulumi_adbpg_model.resource._arguments import InputError
from tests.resource.monitoring import monitored
from tests.resource.registering import declare, run

_MADE_OF = "must be made of strings, numbers, booleans, lists and mappings, not of"
_EXACT = "must have whole numbers of at most 2**53 either way: Pulumi bends larger ones"
_FINITE = "must have finite numbers, neither nan nor inf"
_KEYS = "must have strings as the keys of its mappings, not"


class _Colour(enum.Enum):
    RED = "red"


def _endless() -> list[Any]:
    itself: list[Any] = []
    itself.append(itself)
    return itself


_UNFIT = [
    (float("nan"), _FINITE),
    (float("inf"), _FINITE),
    (-float("inf"), _FINITE),
    (2**53 + 1, _EXACT),
    (-(2**53) - 1, _EXACT),
    (10**400, _EXACT),
    (1e20, _EXACT),
    ({"hush"}, f"{_MADE_OF} set"),
    (frozenset(), f"{_MADE_OF} frozenset"),
    (b"hush", f"{_MADE_OF} bytes"),
    (bytearray(b"hush"), f"{_MADE_OF} bytearray"),
    (range(3), f"{_MADE_OF} range"),
    (dt.date(2026, 11, 29), f"{_MADE_OF} date"),
    (decimal.Decimal(1), f"{_MADE_OF} Decimal"),
    (1j, f"{_MADE_OF} complex"),
    (object(), f"{_MADE_OF} object"),
    (_Colour.RED, f"{_MADE_OF} _Colour"),
    (pulumi.StringAsset("hush"), f"{_MADE_OF} StringAsset"),
    ({1: "hush"}, f"{_KEYS} int"),
    ({None: 1}, f"{_KEYS} NoneType"),
    ("hush\ud800", "must be Unicode text: it holds half of a surrogate pair"),
    ({"hush\ud800": 1}, "must be Unicode text: it holds half of a surrogate pair"),
    (_endless(), "must not hold itself, or so many levels"),
]


@pytest.mark.parametrize(("value", "rule"), _UNFIT)
@pytest.mark.parametrize("name", ["model_params", "ai_nodes", "description"])
def test_what_pulumi_cannot_pass_on_is_refused(name: str, value: Any, rule: str) -> None:
    """At any depth of any input; Pulumi would show a traceback, with the value, or bend it."""
    for wrapped in (value, [value], {"a": [{"b": (0, value)}]}):
        with pytest.raises(InputError) as refused:
            run(lambda wrapped=wrapped: declare(**{name: wrapped}))  # type: ignore[misc]
        assert str(refused.value) == f"ModelService 'model': {name} {rule}"


@pytest.mark.parametrize(("value", "rule"), _UNFIT[:-1])
def test_what_shows_later_is_refused_then(value: Any, rule: str) -> None:
    """An output is known when the resource is registered, which is not then."""
    names = ["model_params"] if isinstance(value, dict) else ["model_params", "replicas"]

    def later(name: str) -> None:
        given = {"a": [value]} if name == "model_params" else value
        inputs: Any = {name: Output.from_input(1).apply(lambda _: given)}
        declare(**inputs)

    for name in names:
        with pytest.raises(RunError) as refused:
            monitored(partial(later, name))
        assert str(refused.value) == f"ModelService 'model': {name} {rule}"


def test_everything_is_refused_at_once() -> None:
    """Each input by its name."""
    with pytest.raises(InputError) as refused:
        run(lambda: declare(ai_nodes={"ai-1"}, replicas=2**60, model_params={"a": b""}))
    assert str(refused.value) == (
        f"ModelService 'model': ai_nodes {_MADE_OF} set; model_params {_MADE_OF} bytes; "
        f"replicas {_EXACT}"
    )


def test_what_pulumi_passes_on_is_taken() -> None:
    """The limits, and what else it knows: a resource stands for its id."""

    def program() -> None:
        instance = declare("instance")
        declare(
            db_instance_id=instance,
            description="für alle \U0001f600",
            model_params={"a": [2**53, -(2**53), 0.1, 1e-300, True, None, ("x",)], "b": {}},
        )

    sent = monitored(program).inputs["model"]
    assert sent["db_instance_id"] == "gp-1:ms-1"
    assert sent["model_params"]["a"][:2] == [2.0**53, -(2.0**53)]
