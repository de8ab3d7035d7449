"""What each change of inputs means: nothing, an update in place, or a replacement."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.fields import INPUTS, UNKNOWN
from pulumi_adbpg_model.service.comparison import Change, compare, keep_spelling
from pulumi_adbpg_model.service.state import outputs
from tests.service.values import (
    FULL,
    MINIMAL,
    OLD_KEYS,
    SERVICE,
    as_floats,
    known,
    live,
)

_NOTHING = Change((), (), resume=False)
_LOCAL = ("wait_for_active", "security_ip_group", "store_api_key")

#: Another value that passes validation, for every input.
_OTHER: dict[str, Any] = {
    "db_instance_id": "gp-other",
    "model_name": "Qwen3-Reranker-8B",
    "ai_nodes": ["ai-1", "ai-3"],
    "description": "other",
    "security_ip_list": ["10.0.0.1"],
    "model_params": {"max_len": 9, "nested": {"stops": [1, 2]}},
    "resource_group_id": "rg-2",
    "client_token": "token-2",
    "replicas": 3,
    "inference_engine": "other",
    "enable_public_connection": False,
    "region_id": "cn-beijing",
    "wait_for_active": False,
    "security_ip_group": "ms_2",
    "store_api_key": False,
}


def _state(inputs: dict[str, Any], **shown: Any) -> dict[str, Any]:
    """The outputs of a service declared so, as the engine hands them back."""
    outs: dict[str, Any] = as_floats(
        outputs(inputs, known(inputs.get("__tokens")), SERVICE, live(**shown), None)
    )
    return outs


def _compare(old: dict[str, Any], new: dict[str, Any]) -> Change:
    return compare(_state(old), as_floats(new))


def test_compare_finds_nothing_when_nothing_changed() -> None:
    """The same declaration again is no change."""
    assert _compare(FULL, FULL) == _NOTHING


@pytest.mark.parametrize("name", _OTHER)
def test_compare_decides_a_changed_input(name: str) -> None:
    """The whitelist (with its group) and local settings change in place; all else replaces."""
    replaces = () if name in (*_LOCAL, "security_ip_list") else (name,)
    assert Change((name,), replaces, resume=False) == _compare(FULL, FULL | {name: _OTHER[name]})


def test_compare_covers_every_input() -> None:
    """The table above has every input."""
    assert set(INPUTS) == set(_OTHER)


@pytest.mark.parametrize(
    "name", sorted(set(FULL) - set(MINIMAL) - {"region_id", "wait_for_active", "store_api_key"})
)
def test_compare_decides_a_removed_input(name: str) -> None:
    """An input that the program no longer sets has changed, and an emptied whitelist replaces."""
    replaces = () if name in _LOCAL else (name,)
    assert Change((name,), replaces, resume=False) == _compare(FULL, FULL | {name: None})


@pytest.mark.parametrize("name", ["region_id", "wait_for_active", "store_api_key"])
def test_compare_finds_nothing_when_a_default_is_dropped(name: str) -> None:
    """Dropping a setting that equals its default, or the region in use, moves nothing."""
    assert _compare(FULL, {key: FULL[key] for key in FULL if key != name}) == _NOTHING


@pytest.mark.parametrize("name", ["region_id", "wait_for_active", "store_api_key"])
def test_compare_finds_nothing_when_a_default_is_spelt_out(name: str) -> None:
    """Setting the region in use, or a default, is no change."""
    assert _compare(MINIMAL, MINIMAL | {name: FULL[name]}) == _NOTHING


def test_compare_moves_nothing_when_the_state_knows_no_region() -> None:
    """A service made with an endpoint alone is not replaced when its region is spelt out."""
    olds = {name: value for name, value in _state(MINIMAL).items() if name != "region_id"}
    assert compare(olds, MINIMAL | {"region_id": "cn-beijing"}) == _NOTHING


@pytest.mark.parametrize("name", ["wait_for_active", "store_api_key"])
def test_compare_sees_a_flag_dropped_that_was_off(name: str) -> None:
    """Dropping a flag that was off turns it on again, in place."""
    change = _compare(MINIMAL | {name: False}, MINIMAL)
    assert Change((name,), (), resume=False) == change


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("ai_nodes", ["ai-1", "ai-2"], ["ai-2", "ai-1"]),
        ("security_ip_list", ["10.0.0.1", "10.1.2.3/16"], ["10.1.0.0/16", " 10.0.0.1/32"]),
        ("security_ip_list", [], None),
        ("security_ip_list", None, []),
        ("description", "", None),
        ("description", None, ""),
        ("description", "mine\n", "mine"),
        ("description", "a\nb", "a\r\nb "),
        ("model_name", "Qwen3-8B", "qwen3-8b"),
        ("model_params", {}, None),
        ("model_params", None, {}),
        ("model_params", {"a": 1, "b": 2}, {"b": 2.0, "a": 1}),
        ("replicas", 2, 2.0),
    ],
)
def test_compare_finds_nothing_when_values_mean_the_same(name: str, old: Any, new: Any) -> None:
    """Another order, form or way of saying nothing is no change."""
    state = _state(MINIMAL | {name: old}, description=None, security_ip_list=None)
    assert compare(state, MINIMAL | {name: new}) == _NOTHING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("description", "embeddings"),
        ("security_ip_list", ["10.1.0.0/16", "10.0.0.1"]),
    ],
)
def test_compare_finds_nothing_when_the_live_value_is_adopted(name: str, value: Any) -> None:
    """Declaring what the cloud shows already is no change."""
    assert _compare(MINIMAL, MINIMAL | {name: value}) == _NOTHING


def test_compare_leaves_undeclared_inputs_alone() -> None:
    """Values that only the cloud set, and the program never did, are not managed."""
    assert "description" in _state(MINIMAL)
    assert "security_ip_list" in _state(MINIMAL)
    assert _compare(MINIMAL, MINIMAL) == _NOTHING


def test_compare_replaces_when_an_undeclared_input_is_declared_differently() -> None:
    """A first declaration that contradicts the cloud is a change like any other."""
    change = _compare(MINIMAL, MINIMAL | {"description": "mine"})
    assert Change(("description",), ("description",), resume=False) == change


@pytest.mark.parametrize(
    ("old_group", "new_group", "entries", "changed", "replaces"),
    [
        ("g", "g", ["10.0.0.9"], ["security_ip_list"], []),
        (None, "g", ["10.0.0.9"], ["security_ip_list", "security_ip_group"], []),
        ("g", "h", ["10.0.0.9"], ["security_ip_list", "security_ip_group"], []),
        (None, None, ["10.0.0.9"], ["security_ip_list"], ["security_ip_list"]),
        ("g", None, ["10.0.0.9"], ["security_ip_list", "security_ip_group"], ["security_ip_list"]),
        ("g", "g", [], ["security_ip_list"], ["security_ip_list"]),
        ("g", "g", None, ["security_ip_list"], ["security_ip_list"]),
    ],
)
def test_compare_changes_the_whitelist_in_place_only_through_its_group(
    old_group: str | None,
    new_group: str | None,
    entries: list[str] | None,
    changed: list[str],
    replaces: list[str],
) -> None:
    """A non-empty whitelist changes in place while the new declaration names its group."""
    old = MINIMAL | {"security_ip_list": ["10.0.0.1"], "security_ip_group": old_group}
    new = MINIMAL | {"security_ip_list": entries, "security_ip_group": new_group}
    assert Change(tuple(changed), tuple(replaces), resume=False) == _compare(old, new)


@pytest.mark.parametrize("name", INPUTS)
def test_compare_counts_an_unknown_as_different(name: str) -> None:
    """A value that is not known yet may be another one, and decides as a changed one does."""
    replaces = () if name in (*_LOCAL, "security_ip_list") else (name,)
    change = compare(_state(FULL), FULL | {name: UNKNOWN})
    assert Change((name,), replaces, resume=False) == change


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ai_nodes", ["ai-1", UNKNOWN]),
        ("security_ip_list", ["10.0.0.1", UNKNOWN]),
        ("model_params", {"nested": {"stops": [1, UNKNOWN]}}),
    ],
)
def test_compare_counts_an_unknown_inside_as_different(name: str, value: Any) -> None:
    """An unknown entry at any depth makes the whole input different."""
    assert (name,) == compare(_state(FULL), FULL | {name: value}).changed


@pytest.mark.parametrize("status", ["failed", "Deploy_Failed", "ERROR", "deleting", "Released"])
@pytest.mark.parametrize(("waits", "resume"), [(None, True), (True, True), (False, False)])
def test_compare_replaces_a_service_that_has_failed_or_goes_away(
    *, status: str, waits: bool | None, resume: bool
) -> None:
    """Though no input changed. Should a look find it active, an update goes on with it."""
    inputs = FULL | {"wait_for_active": waits}
    change = compare(_state(inputs, status=status), inputs)
    assert Change((), ("status",), resume=resume) == change


def test_compare_never_replaces_what_is_not_taken_over_yet() -> None:
    """It may be somebody else's: whatever it is, the update compares it."""
    olds = _state(FULL | {"__tokens": []}, status="deleting")
    change = compare(olds, FULL | {"model_name": "other"})
    assert Change(("model_name",), (), resume=True) == change


@pytest.mark.parametrize("status", ["deployming", "modifying", "unknown", None])
@pytest.mark.parametrize(("waits", "resume"), [(None, True), (True, True), (False, False)])
def test_compare_resumes_a_pending_service_that_is_waited_for(
    *, status: str | None, waits: bool | None, resume: bool
) -> None:
    """A service that is not active yet is waited for again, unless the program opts out."""
    inputs = MINIMAL | {"wait_for_active": waits}
    change = compare(_state(inputs, status=status), inputs)
    assert Change((), (), resume=resume) == change


def test_compare_resumes_beside_a_change_in_place() -> None:
    """A pending service whose local setting changed is waited for in the same update."""
    news = MINIMAL | {"store_api_key": False}
    change = compare(_state(MINIMAL, status="deployming"), news)
    assert Change(("store_api_key",), (), resume=True) == change


def test_compare_ignores_keys_that_are_no_inputs() -> None:
    """The package's own keys, those of 0.1.0 too, never make a change."""
    hidden = {"__adopt": "gp-demo:ms-1", "__organization": "one"}
    olds = _state(MINIMAL | hidden) | OLD_KEYS
    assert compare(olds, MINIMAL | {"__organization": "two"}) == _NOTHING


def test_compare_tells_true_from_one_inside_model_params() -> None:
    """A flag that becomes a number is another value."""
    change = _compare(MINIMAL | {"model_params": {"a": True}}, MINIMAL | {"model_params": {"a": 1}})
    assert Change(("model_params",), ("model_params",), resume=False) == change


def test_keep_spelling_takes_the_old_order_of_the_same_nodes() -> None:
    """The engine compares texts, and must find none that differs."""
    olds = MINIMAL | {"ai_nodes": ["ai-1", "ai-2"]}
    news = MINIMAL | {"ai_nodes": ["ai-2", "ai-1"]}
    assert olds == keep_spelling(olds, news)


def test_keep_spelling_takes_the_old_texts_that_mean_the_same() -> None:
    """A last newline gone, or a name in another case, is nothing that the engine should find."""
    olds = MINIMAL | {"description": "mine\n", "model_name": "Qwen3-8B"}
    news = MINIMAL | {"description": "mine", "model_name": "qwen3-8b"}
    assert olds == keep_spelling(olds, news)
    other = MINIMAL | {"description": "yours", "model_name": "Qwen3-32B"}
    assert other == keep_spelling(olds, other)


@pytest.mark.parametrize("name", ["model_name", "ai_nodes", "description", "security_ip_list"])
@pytest.mark.parametrize("old", [[None], [1.0], [[]], {"a": 1}, "ai-1", 3, [UNKNOWN], UNKNOWN, []])
def test_keep_spelling_survives_old_inputs_of_any_kind(name: str, old: Any) -> None:
    """A check that raises would be a crash in place of an answer."""
    news = MINIMAL | {"description": "mine", "security_ip_list": ["10.0.0.1"]}
    assert news == keep_spelling({name: old}, news)
