"""What a client token depends on, and what a state keeps, for every declaration."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.lifecycle import Tokens
from pulumi_adbpg_model.service.state import declared_inputs, declared_names, outputs, spec_from
from tests.service.values import SERVICE, as_floats, declarations, live

#: Inputs that CreateModelService is not sent, apart from the region and the token itself.
_LOCAL = ("wait_for_active", "security_ip_group", "store_api_key")
_statuses = st.sampled_from(["active", "deployming", "deploy_failed", None])


def _token(spec: ModelServiceSpec) -> str:
    return Tokens.of("acme", "urn:1", "cn-hangzhou", spec).at(0.0)


@given(declarations, declarations, st.randoms(use_true_random=False))
def test_token_depends_on_nothing_but_the_request(
    inputs: dict[str, Any], other: dict[str, Any], random: Random
) -> None:
    """Settings of the package, the wire and the order of keys change nothing."""
    same = {name: value for name, value in inputs.items() if name not in _LOCAL}
    same |= {name: other[name] for name in _LOCAL if name in other}
    shuffled = dict(random.sample(list(same.items()), len(same)))
    params = inputs.get("model_params")
    if params is not None:
        shuffled["model_params"] = dict(random.sample(list(params.items()), len(params)))

    assert _token(spec_from(inputs)) == _token(spec_from(shuffled))
    assert _token(spec_from(inputs)) == _token(spec_from(as_floats(shuffled)))


@given(declarations, st.data())
def test_token_depends_on_every_input_of_the_request(
    inputs: dict[str, Any], data: st.DataObject
) -> None:
    """Any one input exchanged makes another request, and so another token."""
    other = data.draw(declarations)
    names = sorted(other.keys() - {*_LOCAL, "region_id", "client_token"})
    name = data.draw(st.sampled_from(names))
    changed = {**inputs, name: other[name]}

    # As text, which tells true from 1 in the parameters of a model.
    differs = repr(spec_from(inputs)) != repr(spec_from(changed))
    assert (_token(spec_from(inputs)) == _token(spec_from(changed))) == (not differs)


@given(declarations, _statuses)
def test_inputs_and_outputs_round_trip_until_nothing_changes(
    inputs: dict[str, Any], status: str | None
) -> None:
    """A create, then any number of refreshes and updates of the same: inputs and state stay."""
    details = None if status is None else live(status=status)

    def written(given: dict[str, Any], known: dict[str, Any], **how: bool) -> dict[str, Any]:
        floats: dict[str, Any] = as_floats(outputs(given, known, SERVICE, details, "wait", **how))
        return floats

    first = written(inputs, {"region_id": "cn-beijing", "request_id": "r"})
    refreshed = written(declared_inputs(first), first, live_wins=True)
    again = declared_inputs(refreshed)

    assert refreshed == written(again, refreshed, live_wins=True)
    assert declared_names(refreshed) == declared_names(first)
    # What an update of the inputs that a refresh gave back writes is what is there.
    assert written(again, refreshed) == refreshed
