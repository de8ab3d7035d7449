"""A survey of a simulator that speaks a dialect finds that dialect, and no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulumi_adbpg_model.survey import UNTELLABLE
from pulumi_adbpg_model.testing import DIALECTS
from tests.survey.world import TELLABLE, TRIAL, choices, comparable, covering, told, world

#: What a dialect needs to be seen, beside a cloud with two services.
_OCCASION: dict[str, dict[str, Any]] = {
    "delete-again-refused": {"delete_seconds": 5.0},
    "list-null-when-empty": {"services": 0},
    "list-paged-at-20": {"services": 22},
}
_FAILURES = sorted(name for name in TELLABLE if name.startswith("failure-"))
#: Told from services that are there, without one of the survey's own.
_BY_READING = {
    "describe-gone-400",
    "describe-gone-empty",
    "describe-gone-metadb",
    "describe-gone-unknown-code",
    "fields-empty",
    "fields-extra",
    "fields-missing",
    "fields-null",
    "instance-404-forbidden",
    "list-null-when-empty",
    "list-paged-at-20",
    "list-reordered",
    "list-status-success",
    "list-without-total",
    "model-lower-case",
    "model-upper-case",
    "names-padded",
    "nodes-bind-object-service",
    "nodes-namespace-instance",
    "nodes-pool-of-instance",
    "status-capitalised",
    "whitelist-spaced",
}


def test_what_cannot_be_told_are_dialects() -> None:
    """Each with the reason; all others are found, by the tests below."""
    assert UNTELLABLE.keys() < DIALECTS.keys()
    assert all(UNTELLABLE.values())


def test_the_simulator_without_a_dialect_fits_none_otherwise() -> None:
    """Whatever it does is the documented behaviour, or cannot be told; nothing fits none."""
    with world(provision_seconds=60.0) as cloud:
        document = cloud.document(*TRIAL)
    assert document["dialects"] == []
    assert [] == [one for one in document["questions"] if one["fits"] == "fits none"]
    assert (document["provision_seconds"], document["delete_seconds"]) == (63.0, 0.0)
    assert document["complete"] is True
    assert document["models"] is None


@pytest.mark.parametrize("name", sorted(TELLABLE - {*_FAILURES}))
def test_a_survey_finds_the_dialect(name: str) -> None:
    """That one alone, and nothing is left of the service by which it is found."""
    with world([name], **_OCCASION.get(name, {})) as cloud:
        before = {one.id for one in cloud.simulator.services}
        document = cloud.document(*TRIAL)
        assert before == {one.id for one in cloud.simulator.services}
    assert document["dialects"] == [name]


@pytest.mark.parametrize("name", sorted(_BY_READING))
def test_a_survey_that_only_reads_finds_the_dialect(name: str) -> None:
    """Of what services show that are there already, nothing waits for one of its own."""
    with world([name], **_OCCASION.get(name, {})) as cloud:
        document = cloud.document()
        assert [] == cloud.simulator.mutations
    assert document["dialects"] == [name]


def test_a_word_of_a_list_that_is_behind_is_one_of_describe() -> None:
    """Though Describe shows it no more when the list does."""
    with world(["list-stale"], provision_seconds=2.0) as cloud:
        document = cloud.document(*TRIAL)
    assert told(document, "status in the list")["fits"] == "default"


@pytest.mark.parametrize("services", [0, 2])
def test_the_order_of_a_list_is_told_by_its_own_services_too(services: int) -> None:
    """Where it shows no times; of the services that the survey makes there are two."""
    names = {"fields-empty", "list-keeps-deleted", "list-reordered", "list-stale"}
    names |= {"tokens-forgotten"}
    with world(names, services=services) as cloud:
        assert set(cloud.document(*TRIAL)["dialects"]) == names


def test_a_node_whose_service_is_listed_as_deleted_is_free() -> None:
    """So that a survey can be repeated."""
    with world(["list-keeps-deleted"]) as cloud:
        assert cloud.document(*TRIAL)["dialects"] == cloud.document(*TRIAL)["dialects"]


@pytest.mark.parametrize("name", _FAILURES)
def test_a_survey_finds_the_word_for_a_failure(name: str) -> None:
    """Of a deployment that fails while it looks."""
    with world([name]) as cloud:
        cloud.simulator.fail_next_deployment()
        document = cloud.document(*TRIAL)
    assert document["dialects"] == [name]
    assert told(document, "status words")["seen"]["ended"] == "failed"
    assert document["provision_seconds"] is None


@pytest.mark.parametrize("name", sorted(UNTELLABLE))
def test_what_cannot_be_told_is_not_taken_for_something_else(name: str) -> None:
    """Nor does it keep the survey from its end."""
    with world([name]) as cloud:
        document = cloud.document(*TRIAL)
    assert document["dialects"] == []
    assert name in document["cannot_be_told"]


def _closes_the_circle(names: frozenset[str], **options: Any) -> None:
    """A survey finds these dialects; a simulator made from its file gives the same survey."""
    with world(names, **options) as cloud:
        first = cloud.document(*TRIAL)
    found = set(first["dialects"])
    assert found <= names
    assert set() == names - found - _hidden(names, **options)

    Path("survey.json").write_text(json.dumps(first), "utf-8")
    durations = {"provision_seconds": None, "delete_seconds": None}
    with world((), **{**options, **durations}, like="survey.json") as cloud:
        second = cloud.document(*TRIAL)
    for one, other in zip(comparable(first), comparable(second), strict=True):
        assert one == other


def _hidden(names: frozenset[str], *, provision_seconds: float, delete_seconds: float) -> set[str]:
    """What is not to be seen in this company, or at this speed, or with two services."""
    hidden = {"list-null-when-empty", "list-paged-at-20", *_FAILURES}
    if names & {"fields-missing", "fields-null", "fields-empty"}:
        hidden |= {name for name in names if name.startswith(("description-", "model-"))}
        hidden |= {"whitelist-slash-32", "whitelist-spaced"}
    late = "delete-seen-late" in names
    slow = max(delete_seconds, 2.0 if "slow-delete" in names else 0.0)
    if delete_seconds > 2:
        hidden |= {"slow-delete"}
    if not slow and not late:
        hidden |= {"delete-again-refused"}
    unseen = (
        20.0 if "invisible-20s" in names else 1.0 if names & {"invisible-after-create"} else 0.0
    )
    if provision_seconds <= unseen:
        hidden |= {"status-deploying", "status-missing"}
        hidden |= set() if slow else {"status-unknown-words"}
    return hidden


@pytest.mark.parametrize("names", covering(), ids=range(len(covering())))
def test_a_simulator_made_from_a_survey_gives_the_same_survey(names: frozenset[str]) -> None:
    """Each tellable dialect is in one of these mixtures; times and all are the same."""
    _closes_the_circle(names, provision_seconds=60.0, delete_seconds=5.0)


def test_the_mixtures_have_all_dialects() -> None:
    """So that the test above leaves none out."""
    assert TELLABLE == frozenset().union(*covering())


@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.too_slow],
    phases=set(Phase) - {Phase.shrink, Phase.explain},  # a smaller mixture takes as long
)
@given(
    names=st.tuples(*(st.sampled_from(group) for group in choices())),
    provision_seconds=st.sampled_from([0.0, 2.0, 40.0, 300.0]),
    delete_seconds=st.sampled_from([0.0, 5.0, 45.0]),
)
def test_mixtures_of_dialects_are_told_apart(
    names: tuple[str | None, ...], provision_seconds: float, delete_seconds: float
) -> None:
    """In any company, at any speed of the cloud."""
    chosen = frozenset(name for name in names if name is not None)
    _closes_the_circle(chosen, provision_seconds=provision_seconds, delete_seconds=delete_seconds)
