"""`custom_timeouts`: durations, checked in the program, for the engine alone."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model import ModelService
from pulumi_adbpg_model.resource._arguments import InputError, check_timeouts
from tests.resource.registering import declare, run

_OPERATIONS = ("create", "update", "delete", "read")
_RULE = (
    "ModelService 'model': custom_timeouts must be durations above zero, such as '30m' or "
    "'1h30m', for create, update, delete, read; got "
)


def _options(**durations: Any) -> ResourceOptions:
    return ResourceOptions(custom_timeouts=CustomTimeouts(**durations))


def _refusal(opts: ResourceOptions) -> str | None:
    try:
        check_timeouts("model", opts)
    except InputError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "value",
    [
        None, "30m", "90s", "1h30m", "1h0m1s", "0h1s", "1.5h", ".5m", "1.s", "1m1ms", "300ms",
        "5us", "5µs", "5\u03bcs", "8ns", "+5m",
    ],
)  # fmt: skip
def test_duration_is_accepted(value: str | None) -> None:
    """Numbers with Go's units, above zero together, and nothing at all, for every operation."""
    assert _refusal(_options(**dict.fromkeys(_OPERATIONS, value))) is None


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "soon", "30", "m", ".", ".m", "30 m", " 5m", "5m ", "5m\n", "5m,", "1h30", "30M",
        "1d", "1e3s", "-5m", "++5m", "٣m", "0s", "0h0m", "0.0m", 5, 5.0, 0, True, b"5m", ["5m"],
    ],
)  # fmt: skip
def test_anything_else_is_refused(value: object) -> None:
    """What is no duration from end to end, or none above zero, is shown for every operation."""
    shown = ", ".join(f"{operation}={value!r}" for operation in _OPERATIONS)
    assert f"{_RULE}{shown}" == _refusal(_options(**dict.fromkeys(_OPERATIONS, value)))


@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4))
def test_duration_is_accepted_unless_it_is_nothing(parts: list[int]) -> None:
    """A duration of hours, minutes, seconds and milliseconds passes as soon as one is not zero."""
    text = "".join(f"{part}{unit}" for part, unit in zip(parts, ("h", "m", "s", "ms"), strict=True))
    assert (_refusal(_options(delete=text)) is None) == any(parts)


def test_an_output_is_refused_without_its_address() -> None:
    """The engine takes plain text alone."""

    def program() -> None:
        secret: Any = pulumi.Output.secret("5m")
        for opts in (_options(create=secret), _mistaken({"create": secret})):
            assert f"{_RULE}create=an Output" == _refusal(opts)

    run(program)


def test_all_wrong_durations_are_named_at_once() -> None:
    """Each by its operation, in one line, and none that is right or not set."""
    opts = _options(create="soon", update="5m", read="0s")

    assert f"{_RULE}create='soon', read='0s'" == _refusal(opts)


def _mistaken(timeouts: Any) -> ResourceOptions:
    return ResourceOptions(custom_timeouts=timeouts)


@pytest.mark.parametrize(
    ("opts", "expected"),
    [
        pytest.param(_options(create="soon"), f"{_RULE}create='soon'", id="no duration"),
        pytest.param(
            _mistaken({"create": "5m", "delete": None, "creat": "5m"}),
            f"{_RULE}delete=None, creat='5m'",
            id="dictionary",
        ),
        pytest.param(
            _mistaken("5m"),
            "ModelService 'model' takes custom_timeouts as pulumi.CustomTimeouts, not as str",
            id="text",
        ),
    ],
)
def test_wrong_timeouts_end_the_program_in_one_line(opts: ResourceOptions, expected: str) -> None:
    """A declaration and a look-up are refused alike, also where options were merged before."""
    merged = ResourceOptions.merge(opts, ResourceOptions(protect=True))

    for one in (opts, merged):
        for program in (
            lambda one=one: declare(opts=one),
            lambda one=one: ModelService.get("model", "gp-1:ms-9", opts=one),
        ):
            with pytest.raises(InputError) as refused:
                run(program)
            assert expected == str(refused.value)


def test_timeouts_reach_the_engine_and_no_input() -> None:
    """They are options of the request, in either form that Pulumi takes; none is set by itself."""
    timeouts = {"create": "1h30m", "delete": "5m"}

    registered = run(
        lambda: [
            declare("set", opts=_options(**timeouts)),
            declare("dictionary", opts=_mistaken(timeouts)),
            declare("unset"),
        ]
    )

    for name in ("set", "dictionary"):
        sent = registered.requests[name].customTimeouts
        assert timeouts == {field.name: value for field, value in sent.ListFields()}
    assert not registered.requests["unset"].HasField("customTimeouts")
    assert registered.inputs["unset"] == registered.inputs["set"]
