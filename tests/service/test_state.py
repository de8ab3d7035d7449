"""Inputs to state and back: what a create and a refresh leave behind."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceSpec
from pulumi_adbpg_model.service.state import (
    declared_inputs,
    is_hidden,
    keeps_api_key,
    outputs,
    spec_from,
    waits,
    was_active,
)
from tests.service.values import FULL, MINIMAL, OLD_KEYS, SERVICE, as_floats, known, live

_HIDDEN = {"__organization": "org", "__adopt": "gp-demo:ms-1"}


def _created(inputs: dict[str, Any], details: ModelServiceDetails | None) -> dict[str, Any]:
    return outputs(inputs, known(), SERVICE, details, "not yet")


def _refreshed(outs: dict[str, Any], details: ModelServiceDetails) -> dict[str, Any]:
    return outputs(
        declared_inputs(outs), outs, SERVICE, details, details.why_not_active, live_wins=True
    )


def test_outputs_hold_every_input_and_what_the_cloud_shows() -> None:
    """The state of an active service is its inputs, as typed, and everything the cloud shows."""
    inputs = FULL | _HIDDEN
    assert _created(inputs, live()) == inputs | {
        "__declared": sorted(FULL),
        "model_service_id": "ms-1",
        "request_id": "r-1",
        "status": "active",
        "create_time": "2026-03-21T08:00:00Z",
        "private_connect_url": "http://ms-1.example",
        "public_connect_url": "http://ms-1-o.example",
        "api_key": "made-up-api-key",
    }


def test_outputs_fill_in_what_was_not_declared() -> None:
    """Inputs that were left unset show the cloud's values, and stay undeclared."""
    outs = _created(MINIMAL, live())
    assert (outs["description"], outs["security_ip_list"], outs["region_id"]) == (
        "embeddings", ["10.0.0.1", "10.1.0.0/16"], "cn-hangzhou",
    )  # fmt: skip
    assert outs["__declared"] == ["ai_nodes", "db_instance_id", "model_name"]


def test_outputs_of_a_create_keep_what_was_declared() -> None:
    """After a create the declared values stay, even where the cloud contradicts them."""
    outs = _created(FULL, live(description="other", model_name="m", ai_nodes=("ai-9",)))
    assert {name: outs[name] for name in FULL} == FULL


def test_outputs_of_a_pending_service_hold_no_connection_and_no_key() -> None:
    """Until it is active a service has a reason instead of connection outputs and key."""
    outs = _created(FULL, live(status="Deployming"))
    assert (outs["status"], outs["status_reason"]) == ("Deployming", "not yet")
    assert {"private_connect_url", "public_connect_url", "api_key"}.isdisjoint(outs)


def test_outputs_of_an_active_service_hold_no_reason() -> None:
    """An active service has no reason for not being so."""
    assert "status_reason" not in _created(FULL, live())


@pytest.mark.parametrize("details", [None, ModelServiceDetails(SERVICE)], ids=["none", "empty"])
def test_outputs_of_an_unseen_service_say_unknown(details: ModelServiceDetails | None) -> None:
    """A service that the cloud never showed keeps its id and inputs, with status `unknown`."""
    assert _created(MINIMAL, details) == MINIMAL | {
        "__declared": ["ai_nodes", "db_instance_id", "model_name"],
        "region_id": "cn-hangzhou",
        "model_service_id": "ms-1",
        "request_id": "r-1",
        "status": "unknown",
        "status_reason": "not yet",
    }


@pytest.mark.parametrize(
    ("flag", "key"), [(None, "made-up-api-key"), (True, "made-up-api-key"), (False, None)]
)
def test_outputs_hold_the_api_key_only_when_it_is_to_be_stored(
    *, flag: bool | None, key: str | None
) -> None:
    """With `store_api_key=False` the key is in no value of the state, now and after a refresh."""
    outs = _created(MINIMAL | {"store_api_key": flag}, live())
    again = _refreshed(outs, live())
    assert [key, key] == [outs.get("api_key"), again.get("api_key")]
    assert (key is not None) == ("made-up-api-key" in repr(outs) + repr(again))


_MADE_FROM = ("private_connect_url", "public_connect_url", "api_key")


@pytest.mark.parametrize("status", ["deployming", "modifying", "failed", "deleting", None])
def test_outputs_of_a_refresh_keep_what_others_were_made_from(status: str | None) -> None:
    """Whatever becomes of a service that was active, and whatever the cloud shows of it then."""
    before = _created(FULL, live())
    bare = live(status=status, api_key=None, private_connect_url=None, public_connect_url=None)

    outs = _refreshed(before, bare)

    assert {name: outs[name] for name in _MADE_FROM} == {name: before[name] for name in _MADE_FROM}
    assert outs["status_reason"] == bare.why_not_active


def test_outputs_take_nothing_from_a_service_that_is_not_active() -> None:
    """A key that it shows by then may be another one's: what was there before stays."""
    outs = _refreshed(_created(FULL, live()), live(status="modifying", api_key="other"))
    assert outs["api_key"] == "made-up-api-key"
    assert "api_key" not in _refreshed(_created(FULL, live(status="deployming")), live(status="x"))


def test_outputs_keep_no_key_that_is_not_to_be_stored() -> None:
    """Not even while the service is not active."""
    outs = _created(FULL, live()) | {"store_api_key": False}
    assert "api_key" not in _refreshed(outs, live(status="modifying"))


@pytest.mark.parametrize("name", _MADE_FROM)
def test_was_active_tells_from_any_of_what_only_an_active_service_has(name: str) -> None:
    """One of them is enough, and the time of its creation is none of them."""
    never = _created(FULL, live(status="deployming"))
    assert "create_time" in never
    assert not was_active(never)
    assert was_active(never | {name: "made-up"})
    assert not was_active(never | {name: ""})


def test_a_service_that_was_active_stays_so_for_those_who_wait() -> None:
    """A refresh while it is under maintenance does not make it one that was never ready."""
    assert was_active(_refreshed(_created(FULL, live()), live(status="modifying")))


def test_outputs_of_a_refresh_drop_the_reason_of_a_service_now_active() -> None:
    """A refresh of a service that became active leaves no stale reason."""
    outs = _refreshed(_created(FULL, live(status="deployming")), live())
    assert "status_reason" not in outs
    assert outs["api_key"] == "made-up-api-key"


@pytest.mark.parametrize(
    ("name", "shown", "expected"),
    [
        ("description", "drifted", "drifted"),
        ("model_name", "other-model", "other-model"),
        ("ai_nodes", ("ai-1", "ai-9"), ["ai-1", "ai-9"]),
        ("description", "embeddings\r\n", "embeddings"),
        ("description", " \n", "embeddings"),
        ("description", "", ""),
        ("model_name", "qwen3-embedding-8b", "Qwen3-Embedding-8B"),
        ("ai_nodes", ("ai-2", "ai-1"), ["ai-1", "ai-2"]),
        ("security_ip_list", ("0.0.0.0/0",), ["0.0.0.0/0"]),
        ("security_ip_list", ("10.1.0.0/16", "10.0.0.1/32"), ["10.0.0.1", "10.1.0.0/16"]),
        ("description", None, "embeddings"),
        ("ai_nodes", (), ["ai-1", "ai-2"]),
        ("security_ip_list", None, ["10.0.0.1", "10.1.0.0/16"]),
    ],
)
def test_outputs_of_a_refresh_take_a_live_value_only_when_it_means_another(
    name: str, shown: Any, expected: Any
) -> None:
    """Drift shows; another spelling, and what the cloud leaves out, keep what was written."""
    outs = _refreshed(_created(FULL, live()), live(**{name: shown}))
    assert expected == outs[name]
    assert expected == declared_inputs(outs)[name]


def test_outputs_of_a_refresh_take_an_emptied_description_from_a_whole_answer_alone() -> None:
    """A cloud that shows what it leaves out as empty shows no model and no nodes either."""
    before = _created(FULL, live())
    for shown in ({"model_name": None}, {"ai_nodes": None}, {"status": "deployming"}):
        outs = _refreshed(before, live(description="", **shown))
        assert outs["description"] == "embeddings"
        assert "__mute" not in outs
    undeclared = _refreshed(_created(MINIMAL, live()), live(description=""))
    assert "description" not in undeclared
    assert "__mute" not in undeclared


def test_outputs_of_0_1_0_keep_a_description_that_shows_empty() -> None:
    """They do not say whether it was ever shown; a refresh leaves that, and the rest, as it is."""
    old = {**_created(FULL, live()), "__written": True}
    assert _refreshed(old, live()) == old
    assert _refreshed(old, live(description="")) == old


@pytest.mark.parametrize("first", ["active", "deployming"])
def test_outputs_keep_a_description_that_the_cloud_never_shows(first: str) -> None:
    """What is empty at the first look was not emptied by anybody; once it shows, it can be."""
    outs = _created(FULL, live(status=first, description=""))
    for _ in range(3):
        outs = _refreshed(outs, live(description=""))
        assert outs["description"] == "embeddings"
    assert declared_inputs(outs)["description"] == "embeddings"
    outs = _refreshed(outs, live(status="modifying", description=None))
    outs = _refreshed(outs, live(description=""))
    assert outs["description"] == "embeddings"
    outs = _refreshed(_refreshed(outs, live()), live(description=""))
    assert outs["description"] == ""


@pytest.mark.parametrize("status", ["active", "failed"])
def test_outputs_of_an_update_know_a_description_that_was_shown(status: str) -> None:
    """Also of a service that has neither key nor address: it was looked at, so it was emptied."""
    bare = dict.fromkeys(["api_key", "private_connect_url", "public_connect_url"])
    before = _created(FULL, live(status=status, **bare))
    emptied = live(description="", **bare)
    updated = outputs(FULL, before, SERVICE, emptied, None)
    assert updated["description"] == "embeddings"
    assert _refreshed(updated, emptied)["description"] == ""


def test_outputs_of_a_refresh_after_maintenance_show_an_emptied_description() -> None:
    """It was active before, so that it was shown."""
    outs = _refreshed(_created(FULL, live()), live(status="modifying"))
    assert _refreshed(outs, live(description=""))["description"] == ""


@pytest.mark.parametrize("name", ["api_key", "private_connect_url", "create_time"])
def test_outputs_of_a_refresh_keep_what_the_cloud_leaves_out(name: str) -> None:
    """An answer without the key, say, loses no key that others depend on."""
    before = _created(FULL, live())

    assert _refreshed(before, live(**{name: None}))[name] == before[name]


def test_outputs_of_a_refresh_drop_a_public_address_that_is_gone() -> None:
    """A service without a public address has none in the state."""
    outs = _refreshed(_created(FULL, live()), live(public_connect_url=None))
    assert "public_connect_url" not in outs


def test_outputs_of_a_refresh_wait_with_drift_until_the_service_is_deployed() -> None:
    """A service that is being deployed may show a part of its nodes: that is no drift yet."""
    outs = _refreshed(_created(FULL, live()), live(status="deployming", ai_nodes=("ai-1",)))
    assert outs["ai_nodes"] == ["ai-1", "ai-2"]


def test_outputs_of_a_refresh_follow_the_cloud_on_undeclared_inputs() -> None:
    """What the program does not manage is shown as it is now, and never becomes an input."""
    outs = _refreshed(_created(MINIMAL, live()), live(description="new"))
    assert outs["description"] == "new"
    assert "description" not in declared_inputs(outs)


def test_outputs_of_a_refresh_forget_an_undeclared_value_that_is_gone() -> None:
    """An undeclared value that the cloud no longer shows leaves the state."""
    assert "description" not in _refreshed(_created(MINIMAL, live()), live(description=None))


def test_outputs_of_a_refresh_change_nothing_when_nothing_changed() -> None:
    """Refreshing an unchanged service gives the state as it was."""
    outs = _created(FULL | _HIDDEN, live())
    assert outs == _refreshed(as_floats(outs), live())


def test_outputs_without_the_serialised_provider() -> None:
    """The SDK's own key is left for the host to add."""
    assert "__provider" not in _created(MINIMAL | {"__provider": "pickle"}, live())


def test_outputs_record_nothing_declared_for_a_looked_up_service() -> None:
    """A service that was only read has no declared input, and every value is the cloud's."""
    outs = _refreshed({"region_id": "cn-hangzhou"}, live())
    assert (outs["db_instance_id"], outs["model_name"], outs["__declared"]) == (
        "gp-demo", "Qwen3-Embedding-8B", [],
    )  # fmt: skip
    assert declared_inputs(outs) == {}


@pytest.mark.parametrize("inputs", [MINIMAL, FULL], ids=["minimal", "full"])
@pytest.mark.parametrize("status", ["active", "deployming", "failed"])
def test_declared_inputs_give_back_what_was_declared(inputs: dict[str, Any], status: str) -> None:
    """From the state of a service come exactly the inputs behind it, hidden ones too."""
    given = inputs | _HIDDEN
    assert given == declared_inputs(_created(given, live(status=status)))


def test_declared_inputs_are_those_that_are_set_when_the_state_does_not_say() -> None:
    """Without a record, every input in the state counts, but the region, which is resolved."""
    outs = {name: value for name, value in _created(FULL, live()).items() if name != "__declared"}
    expected = {name: value for name, value in FULL.items() if name != "region_id"}
    assert expected == declared_inputs(outs)


def test_spec_from_takes_everything_the_cloud_is_asked_for() -> None:
    """The request has whole numbers and tuples, and nothing of the local settings."""
    assert spec_from(as_floats(FULL)) == ModelServiceSpec(
        db_instance_id="gp-demo",
        model_name="Qwen3-Embedding-8B",
        ai_nodes=("ai-1", "ai-2"),
        description="embeddings",
        security_ip_list=("10.0.0.1", "10.1.0.0/16"),
        others={
            "model_params": {"max_len": 8, "nested": {"stops": [1, 2]}},
            "resource_group_id": "rg-1",
            "replicas": 2,
            "inference_engine": "vllm",
            "enable_public_connection": True,
        },
    )
    assert repr(spec_from(as_floats(FULL)).others["replicas"]) == "2"


def test_spec_from_strips_names() -> None:
    """Spaces around the names of model and nodes are not sent."""
    inputs = MINIMAL | {"model_name": " Qwen3-Embedding-8B\n", "ai_nodes": [" ai-1 ", "ai-2"]}
    expected = ModelServiceSpec("gp-demo", "Qwen3-Embedding-8B", ("ai-1", "ai-2"))
    assert expected == spec_from(inputs)


def test_spec_from_leaves_the_rest_unset() -> None:
    """The required inputs alone leave every other parameter out of the request."""
    expected = ModelServiceSpec("gp-demo", "Qwen3-Embedding-8B", ("ai-1",))
    assert expected == spec_from(MINIMAL)


def test_declared_inputs_hold_nothing_that_the_package_recorded() -> None:
    """What a create records for later runs never comes back as an input."""
    outs = outputs(MINIMAL | _HIDDEN, known(["first", "last"]), SERVICE, live(), None)
    assert outs["__tokens"] == ["first", "last"]
    assert MINIMAL | _HIDDEN == declared_inputs(outs)


def test_keys_of_old_states_are_neither_made_nor_missed() -> None:
    """A create stores nothing of what 0.1.0 did; a refresh leaves it, since its going is drift."""
    outs = _created(FULL | _HIDDEN, live())
    assert outs == _created(FULL | _HIDDEN | OLD_KEYS, live())
    assert outs | OLD_KEYS == _refreshed(outs | OLD_KEYS, live())
    former = {name: value for name, value in OLD_KEYS.items() if name != "__written"}
    assert FULL | _HIDDEN | former == declared_inputs(outs | OLD_KEYS)


@pytest.mark.parametrize(("flag", "expected"), [(None, True), (True, True), (False, False)])
def test_flags_are_on_unless_turned_off(*, flag: bool | None, expected: bool) -> None:
    """`wait_for_active` and `store_api_key` default to true, each by itself."""
    assert expected == waits({"wait_for_active": flag, "store_api_key": not flag})
    assert expected == keeps_api_key({"store_api_key": flag, "wait_for_active": not flag})
    assert waits({})
    assert keeps_api_key({})


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("__adopt", True),
        ("__provider", True),
        ("__new", True),
        ("_adopt", False),
        ("status", False),
    ],
)
def test_is_hidden_tells_keys_of_the_package(*, name: str, hidden: bool) -> None:
    """Keys with two leading underscores are the package's or the SDK's own."""
    assert hidden == is_hidden(name)
