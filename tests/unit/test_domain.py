"""Status words, composite ids, and when two lists mean the same."""

from __future__ import annotations

import pytest
from hypothesis import given

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    Phase,
    phase_of,
)
from tests.service.values import SERVICE, live, names


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("active", Phase.ACTIVE),
        ("Active", Phase.ACTIVE),
        ("ACTIVE", Phase.ACTIVE),
        (" active ", Phase.ACTIVE),
        ("deployming", Phase.PENDING),
        ("deploying", Phase.PENDING),
        ("DEPLOYING", Phase.PENDING),
        ("creating", Phase.PENDING),
        ("inactive", Phase.PENDING),
        ("activating", Phase.PENDING),
        ("active_updating", Phase.PENDING),
        ("success", Phase.PENDING),
        ("unknown", Phase.PENDING),
        ("", Phase.PENDING),
        (None, Phase.PENDING),
        ("deleting", Phase.LEAVING),
        (" Deleted ", Phase.LEAVING),
        ("WAIT_FOR_DESTROY", Phase.LEAVING),
        ("NET_DELETING", Phase.PENDING),
        ("node_removing", Phase.PENDING),
        ("releasing", Phase.LEAVING),
        ("removing", Phase.LEAVING),
        ("Terminating", Phase.LEAVING),
        ("undeploying", Phase.LEAVING),
        ("delete_failed", Phase.FAILED),
        ("fail", Phase.FAILED),
        ("failed", Phase.FAILED),
        ("Failed", Phase.FAILED),
        ("deploy_failed", Phase.FAILED),
        ("CREATE-FAILURE", Phase.FAILED),
        ("error", Phase.FAILED),
        ("DeployError", Phase.FAILED),
    ],
)
def test_phase_of_classifies_a_word(word: str | None, phase: Phase) -> None:
    """Only `active` is ready, parts tell a failure and an end, and all else is pending."""
    assert phase == phase_of(word)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("Active", None),
        ("deployming", "it is not active yet, status 'deployming'"),
        ("Deploy_Failed", "the deployment failed, status 'Deploy_Failed'"),
        (None, "it is not active yet, status None"),
    ],
)
def test_why_not_active_shows_the_raw_word(status: str | None, why: str | None) -> None:
    """The reason quotes the cloud's own word, and an active service has none."""
    assert why == ModelServiceDetails(SERVICE, status=status).why_not_active


def test_details_repr_holds_no_api_key() -> None:
    """What the cloud shows can be logged: the API key is not in its repr."""
    assert "made-up-api-key" not in repr(live())


@pytest.mark.parametrize(
    ("text", "instance", "service"),
    [
        ("gp-abc:ms-123", "gp-abc", "ms-123"),
        ("gp-abc:mx-123", "gp-abc", "mx-123"),
        ("a:b", "a", "b"),
        ("gp-bp1A_x:ms_9", "gp-bp1A_x", "ms_9"),
    ],
)
def test_id_parses_into_its_parts(text: str, instance: str, service: str) -> None:
    """A composite id splits at its colon, whatever the prefixes."""
    assert ModelServiceId(instance, service) == ModelServiceId.parse(text)


def test_id_accepts_whatever_the_cloud_may_hand_out() -> None:
    """A service that exists can be read and deleted, however its id is formed."""
    assert ModelServiceId.parse("gp_1.a:MX-1/é") == ModelServiceId("gp_1.a", "MX-1/é")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "gp-abc",
        "ms-123",
        "gp-abc:",
        ":ms-123",
        "gp-abc:ms-123:x",
        "gp-abc::ms-123",
        "gp abc:ms-123",
        " gp-abc:ms-123",
        "gp-abc:ms-123\n",
        "gp-abc/ms-123",
    ],
)
def test_id_refuses_anything_but_two_parts(text: str) -> None:
    """A malformed id is refused, with the form that is expected and what was given."""
    with pytest.raises(ValueError, match="must be '<db_instance_id>:<model_service_id>'") as raised:
        ModelServiceId.parse(text)
    assert repr(text) in str(raised.value)


@given(names, names)
def test_id_round_trips(instance: str, service: str) -> None:
    """The text of an id parses back into it."""
    identity = ModelServiceId(instance, service)
    assert identity == ModelServiceId.parse(str(identity))
