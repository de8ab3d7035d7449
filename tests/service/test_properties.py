"""Rules that hold for every declaration: validation and the way through state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.fields import INPUTS, UNKNOWN, whole_numbers
from pulumi_adbpg_model.service.state import (
    declared_inputs,
    declared_names,
    outputs,
    spec_from,
)
from pulumi_adbpg_model.service.validation import validate
from tests.service.values import (
    MINIMAL,
    as_floats,
    declarations,
    json_values,
    live,
    networks,
)

_keys = st.sampled_from([*INPUTS, "__adopt", "__organization"]) | st.text(max_size=10)
_anything = st.recursive(
    json_values | st.just(UNKNOWN) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)
_statuses = st.sampled_from(["active", "deployming", "deploy_failed", "deleting", "unknown"])


def _state(inputs: Mapping[str, Any], status: str = "active") -> dict[str, Any]:
    """The state after a create, as it comes back over the wire."""
    service = ModelServiceId(str(inputs["db_instance_id"]), "ms-1")
    region = inputs.get("region_id") or "cn-beijing"
    details = live(status=status)
    known = {"region_id": region, "request_id": "r"}
    outs = outputs(inputs, known, service, details, "wait")
    floats: dict[str, Any] = as_floats(outs)
    return floats


@given(st.dictionaries(_keys, _anything, max_size=4))
def test_validate_is_total(news: dict[str, Any]) -> None:
    """Whatever is declared, the answer is a list of failures that name known or given keys."""
    failures = validate(news)
    assert {failure.property for failure in failures} <= {*INPUTS, "", *news}
    assert all(failure.reason for failure in failures)


@given(st.text(max_size=12))
def test_validate_accepts_no_instance_whose_services_have_unreadable_ids(instance: str) -> None:
    """An instance id that passes makes service ids that delete and read can take apart."""
    if not validate(MINIMAL | {"db_instance_id": instance}):
        service = ModelServiceId(instance, "ms-1")
        assert service == ModelServiceId.parse(str(service))


@given(st.lists(networks | st.text(max_size=12), max_size=4))
def test_validate_accepts_a_whitelist_that_spec_keeps(entries: list[str]) -> None:
    """A whitelist that passes is asked for as it was written."""
    inputs = MINIMAL | {"security_ip_list": entries}
    if not validate(inputs):
        assert tuple(entries) == spec_from(inputs).security_ip_list


@given(declarations, _statuses)
def test_declared_inputs_round_trip_through_state(inputs: dict[str, Any], status: str) -> None:
    """State gives back exactly the inputs behind it, so a refresh shows no false drift."""
    state = _state(inputs, status)
    assert as_floats(inputs) == declared_inputs(state)
    assert frozenset(inputs) == declared_names(state)


@given(json_values)
def test_whole_numbers_is_idempotent_and_undoes_the_wire(value: Any) -> None:
    """Turning numbers back twice is turning them back once, and what they were before the wire."""
    once = whole_numbers(value)
    assert repr(once) == repr(whole_numbers(once))
    assert repr(once) == repr(whole_numbers(as_floats(value)))
