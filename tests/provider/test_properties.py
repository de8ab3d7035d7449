"""Rules of check and diff that hold for every program, through the host where the wire matters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.dynamic import CheckResult, Config, ConfigureRequest, DiffResult

from pulumi_adbpg_model.domain import ModelServiceId, phase_of
from pulumi_adbpg_model.fields import ALWAYS_SECRET, INPUTS, parse_network
from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.service.state import (
    FORMER,
    OUTPUTS,
    is_hidden,
    outputs,
)
from tests.provider.dynamic_host import DynamicHost, Properties, Stored, encoded, urn_of
from tests.provider.servicer import serve
from tests.service.values import declarations, json_values, live

#: The host's own way costs more time.
_FEW = settings(max_examples=40)
_DOCUMENT = Path(__file__).parents[2] / "docs" / "model-service.md"

_keys = st.sampled_from([*INPUTS, *FORMER, "__adopt", "__organization"])
_anything = st.recursive(
    json_values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
#: One valid program with some of its values exchanged, or no program at all.
_programs = st.builds(
    lambda valid, broken: {**valid, **broken},
    declarations | st.just({}),
    st.dictionaries(_keys | st.text(min_size=1, max_size=10), _anything, max_size=3),
)
_config_keys = [
    f"{namespace}:{name}"
    for namespace in ("adbpg", "alicloud")
    for name in (
        "region", "endpoint", "accessKey", "secretKey", "securityToken", "profile",
        "maxPollInterval", "parallel",
    )
]  # fmt: skip
_texts = st.text(max_size=12) | st.sampled_from(
    [
        "http://[::1",
        "//",
        "https://a:b@c",
        "1e999",
        "-0",
        "nan",
        "9" * 400,
        "cn-hangzhou",
        "h:99999",
    ]
)
_active = st.sampled_from(["active", "Active", " ACTIVE "])


def _provider(config: Mapping[str, str]) -> ModelServiceProvider:
    provider = ModelServiceProvider()
    provider.configure(ConfigureRequest(Config(dict(config), "shop")))
    return provider


@cache
def _in_process() -> ModelServiceProvider:
    return _provider({"adbpg:region": "cn-hangzhou"})


def _check(
    olds: Properties, news: Properties, provider: ModelServiceProvider | None = None
) -> CheckResult:
    return serve(lambda: (provider or _in_process()).check(olds, news))


def _on_the_wire(properties: Mapping[str, Any]) -> Properties:
    """Properties after a way through gRPC's own encoding."""
    decoded: Properties = json_format.MessageToDict(encoded(properties))
    return decoded


def _as_text(properties: Mapping[str, Any]) -> str:
    """Text that tells true from 1; the wire shuffles the keys."""
    return json.dumps(properties, sort_keys=True)


def _state(inputs: Mapping[str, Any], status: str = "active") -> Stored:
    """What is stored after a create, as it comes back over the wire."""
    service = ModelServiceId(str(inputs["db_instance_id"]), "ms-1")
    known = {"region_id": str(inputs.get("region_id") or "cn-hangzhou"), "request_id": "r"}
    outs = outputs(inputs, known, service, live(status=status), None)
    return Stored(str(service), _on_the_wire(outs))


def _diff(stored: Stored, news: Properties) -> DiffResult:
    return _in_process().diff(stored.id, stored.outs, news)


# Check


@given(_programs, _programs)
def test_check_answers_whatever_it_is_given(news: Properties, olds: Properties) -> None:
    """Any JSON for any input: inputs come back, or failures that name property and rule."""
    checked = _check(olds, _on_the_wire(news))

    for failure in checked.failures:
        assert failure.property in {*INPUTS, "", *news}
        named = (failure.property,) if failure.property else ("import_ ", *ALWAYS_SECRET)
        assert failure.reason.startswith(named)
    broken = {failure.property for failure in checked.failures}
    for name, value in checked.inputs.items():
        known = name in (*INPUTS, "__adopt") or not is_hidden(name)
        assert value is not None
        assert name not in FORMER
        if name in broken and known and isinstance(value, (str, int)):
            reasons = [f.reason for f in checked.failures if f.property == name]
            assert any(repr(value)[:90] in reason or "not an input" in reason for reason in reasons)


@given(_programs, _programs)
def test_check_of_what_check_gave_back_changes_nothing(news: Properties, olds: Properties) -> None:
    """The engine may check twice: the second time finds what the first one did."""
    once = _check(olds, _on_the_wire(news))
    again = _check(olds, _on_the_wire(once.inputs))

    assert _as_text(once.inputs) == _as_text(again.inputs)
    assert {f.property for f in once.failures} == {f.property for f in again.failures}


@_FEW
@given(news=_programs, olds=_programs)
def test_check_answers_whatever_it_is_given_through_the_host(
    host: DynamicHost, news: Properties, olds: Properties
) -> None:
    """The host's own decoding stands before ours: an answer comes, and the same one again."""
    checked = host.check(news, olds)
    again = host.check(checked.inputs, olds)

    assert checked.inputs == again.inputs
    # The wire knows no order of properties, nor the host of nulls within them.
    assert {name for name, _ in checked.failures} == {name for name, _ in again.failures}
    assert all(reason for _, reason in checked.failures)


@given(st.dictionaries(st.sampled_from(_config_keys), _texts, max_size=6), declarations)
def test_check_answers_whatever_the_configuration_is(
    config: dict[str, str], news: Properties
) -> None:
    """A malformed setting is one failure without a property, in one line, without a secret."""
    checked = _check({}, _on_the_wire(news), _provider(config))

    for failure in checked.failures:
        assert failure.property == ""
        assert len(failure.reason.splitlines()) == 1
        assert "adbpg:" in failure.reason or "alicloud:" in failure.reason


# Diff


@given(declarations, _active)
def test_diff_of_the_same_program_is_no_change(inputs: Properties, status: str) -> None:
    """What was created as declared is left alone, whatever its numbers became on the way."""
    checked = _check({}, inputs).inputs
    stored = _state(checked, status)

    for news in (checked, _on_the_wire(checked), _check(checked, inputs).inputs):
        diffed = _diff(stored, news)
        assert (diffed.changes, diffed.replaces) == (False, [])


@given(declarations, st.randoms(use_true_random=False))
def test_diff_of_another_spelling_is_no_change(inputs: Properties, random: Random) -> None:
    """Order, spaces, host bits, /32 and repeated entries mean nothing, so nothing is replaced."""
    respelt = dict(inputs)
    nodes = [f" {node} " if random.random() < 0.5 else node for node in inputs["ai_nodes"]]
    respelt["ai_nodes"] = random.sample(nodes, len(nodes))
    respelt["model_name"] = f"{inputs['model_name']} "
    entries = [_respelt(entry, random) for entry in inputs.get("security_ip_list", [])]
    if entries:
        respelt["security_ip_list"] = [*random.sample(entries, len(entries)), entries[0]]
    stored = _state(_check({}, inputs).inputs)

    checked = _check(stored.outs, _on_the_wire(respelt))

    assert [] == checked.failures
    diffed = _diff(stored, checked.inputs)
    assert (diffed.changes, diffed.replaces) == (False, [])


@_FEW
@given(old=declarations, new=declarations)
def test_diff_says_the_same_through_the_host(
    host: DynamicHost, old: Properties, new: Properties
) -> None:
    """The host's own decoding changes no verdict, and no change stays none."""
    urn = urn_of({})  # one resource, whatever becomes of its nodes
    stored = _state(host.check(old, urn=urn).inputs)
    same = host.diff(stored, host.check(old, old, urn=urn).inputs, urn=urn)
    assert (same.changes, same.replaces) == ("DIFF_NONE", [])

    news = host.check(new, old, urn=urn).inputs
    assert host.diff(stored, news, urn=urn).replaces == _diff(stored, news).replaces


def test_the_document_says_of_every_input_whether_it_replaces() -> None:
    """The reference that the next test reads has a word on each."""
    assert set(_documented()) == set(INPUTS)
    assert set(_documented().values()) == {"replaces", "in place", "both"}


@given(declarations, declarations, st.sampled_from(["active", "deployming", "Create_Failed"]))
def test_diff_replaces_exactly_what_the_document_says(
    old: Properties, new: Properties, status: str
) -> None:
    """For any two programs: every input that differs and that the document lets replace."""
    olds = _check({}, old).inputs
    stored = _state(olds, status)
    news = _check(olds, new).inputs
    documented = _documented()
    expected = {
        name
        for name in INPUTS
        if _means_another(name, stored.outs, news, set(olds))
        and (
            documented[name] == "replaces"
            or (
                documented[name] == "both"
                and not (news.get("security_ip_group") and news.get(name))
            )
        )
    }
    if phase_of(status).value == "failed":
        expected.add("status")

    diffed = _diff(stored, news)

    assert set(diffed.replaces or ()) == expected
    assert diffed.delete_before_replace


# State


@given(declarations, st.sampled_from(["active", "deployming", "failed"]))
def test_the_state_survives_the_wire_and_holds_nothing_unknown(
    inputs: Properties, status: str
) -> None:
    """What is stored comes back the same, has documented names only, and no None."""
    stored = _state(_check({}, inputs).inputs, status)

    assert stored.outs == _on_the_wire(stored.outs)
    names = {name for name in stored.outs if not is_hidden(name)}
    assert names <= {*INPUTS, *OUTPUTS}
    assert None not in stored.outs.values()


def _respelt(entry: str, random: Random) -> str:
    network = parse_network(entry)
    if network.prefixlen == 32:
        text = random.choice([str(network.network_address), str(network)])
    elif network.prefixlen == 0:
        text = str(network)
    else:
        text = f"{network[random.randrange(min(network.num_addresses, 256))]}/{network.prefixlen}"
    return random.choice([text, f" {text}"])


def _documented() -> dict[str, str]:
    """What the reference says of a change of each input."""
    section = _DOCUMENT.read_text().split("\n## Inputs")[1].split("\n## ")[0]
    found = re.findall(r"^- \*\*`(\w+)`\*\*(.*?)<br>", section, re.MULTILINE | re.DOTALL)
    verdicts = {
        (True, False): "replaces",
        (False, True): "in place",
        (True, True): "both",
    }
    return {name: verdicts["*replaces*" in text, "*in place*" in text] for name, text in found}


def _means_another(name: str, old: Properties, new: Properties, declared: set[str]) -> bool:
    """Whether the document takes two values for different ones; an own reading of it."""
    before, after = old.get(name), new.get(name)
    if name == "region_id":
        return after is not None and before != after
    if after is None and name not in declared:
        return False
    return bool(_meaning(name, before) != _meaning(name, after))


def _meaning(name: str, value: Any) -> Any:
    if not value and not isinstance(value, (bool, int, float)):
        return None
    if name == "ai_nodes":
        return set(value)
    if name == "security_ip_list":
        networks = {parse_network(entry) for entry in value}
        nobody = parse_network("127.0.0.1")
        return networks - {nobody} or {nobody}
    return _as_text(_on_the_wire({"value": value}))
