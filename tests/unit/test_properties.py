"""Rules that hold for every declaration: validation, comparison and the way through state."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.domain import ModelServiceId, Phase, phase_of
from pulumi_adbpg_model.fields import INPUTS, UNKNOWN, whole_numbers
from pulumi_adbpg_model.service.comparison import compare
from pulumi_adbpg_model.service.state import (
    declared_inputs,
    declared_names,
    outputs,
    spec_from,
)
from pulumi_adbpg_model.service.validation import validate
from tests.unit.values import (
    MINIMAL,
    SERVICE,
    as_floats,
    declarations,
    json_values,
    live,
    networks,
)

#: What may stand in `replaces`: every input but those that change in place without a condition.
_MAY_REPLACE = {
    "db_instance_id", "model_name", "ai_nodes", "description", "security_ip_list", "model_params",
    "resource_group_id", "client_token", "replicas", "inference_engine",
    "enable_public_connection", "region_id", "status",
}  # fmt: skip

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


@given(st.sampled_from(INPUTS), _anything)
def test_validate_finds_the_same_again_in_what_check_passes_on(name: str, value: Any) -> None:
    """Checked inputs, with their whole numbers turned back, pass or fail as before."""
    news = MINIMAL | {name: value}
    once = validate(news)
    again = validate(whole_numbers(news))
    assert once == validate(news)
    assert [failure.property for failure in once] == [failure.property for failure in again]


@given(declarations)
def test_validate_accepts_valid_declarations_also_over_the_wire(inputs: dict[str, Any]) -> None:
    """A valid declaration passes, and still does with every number a float."""
    assert validate(inputs) == []
    assert validate(as_floats(inputs)) == []


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


@given(declarations)
def test_compare_finds_no_change_in_the_same_declaration(inputs: dict[str, Any]) -> None:
    """What was just created differs in nothing, as typed and with every number a float."""
    state = _state(inputs)
    assert _verdict(state, inputs) == ((), (), False)
    assert _verdict(state, as_floats(inputs)) == ((), (), False)


@given(declarations, st.randoms(use_true_random=False))
def test_compare_finds_no_change_in_reordered_lists(inputs: dict[str, Any], random: Random) -> None:
    """The order of nodes and of whitelist entries means nothing."""
    shuffled = dict(inputs)
    for name in ("ai_nodes", "security_ip_list"):
        if name in inputs:
            shuffled[name] = random.sample(inputs[name], len(inputs[name]))
    assert _verdict(_state(inputs), shuffled) == ((), (), False)


@given(declarations, declarations, _statuses)
def test_compare_replaces_only_within_the_documented_set(
    old: dict[str, Any], new: dict[str, Any], status: str
) -> None:
    """Whatever changes, replacements come from the documented set, and from what changed."""
    changed, replaces, resume = _verdict(_state(old, status), new)
    assert set(replaces) <= _MAY_REPLACE & {*changed, "status"}
    assert ("status" in replaces) == (phase_of(status) in (Phase.FAILED, Phase.LEAVING))
    assert resume == (status != "active" and new.get("wait_for_active") is not False)
    if new.get("security_ip_group") and new.get("security_ip_list"):
        assert "security_ip_list" not in replaces


@given(declarations, declarations)
def test_compare_replaces_whenever_the_request_differs_in_what_cannot_change(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    """An input that is set to another value and cannot change in place is always a replacement."""
    _, replaces, _ = _verdict(_state(old), new)
    for name in ("model_name", "resource_group_id", "client_token", "replicas"):
        assert (old.get(name) != new.get(name)) == (name in replaces)


@given(declarations, _statuses)
def test_declared_inputs_round_trip_through_state(inputs: dict[str, Any], status: str) -> None:
    """State gives back exactly the inputs behind it, so a refresh shows no false drift."""
    state = _state(inputs, status)
    assert as_floats(inputs) == declared_inputs(state)
    assert frozenset(inputs) == declared_names(state)


@given(declarations)
def test_outputs_are_stable_under_refresh(inputs: dict[str, Any]) -> None:
    """A second refresh of an unchanged service gives what the first one gave."""

    def refreshed(outs: dict[str, Any]) -> dict[str, Any]:
        return outputs(declared_inputs(outs), outs, SERVICE, live(), None, live_wins=True)

    once = refreshed(_state(inputs))
    assert once == refreshed(as_floats(once))


@given(json_values)
def test_whole_numbers_is_idempotent_and_undoes_the_wire(value: Any) -> None:
    """Turning numbers back twice is turning them back once, and what they were before the wire."""
    once = whole_numbers(value)
    assert repr(once) == repr(whole_numbers(once))
    assert repr(once) == repr(whole_numbers(as_floats(value)))


def _verdict(
    state: Mapping[str, Any], news: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    change = compare(state, news)
    return change.changed, change.replaces, change.resume
