"""Verify after write: what the cloud made is compared with what was asked for."""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.lifecycle import adopt, create
from tests.lifecycle.fakes import DERIVED, SPEC, FakeCloud, Voice, operation

_ID = "gp-demo:ms-1"


def _create(cloud: FakeCloud, voice: Voice, spec: ModelServiceSpec) -> None:
    create(operation(cloud, voice), spec, DERIVED, wait_for_active=True)


def _replayed(cloud: FakeCloud, **fields: object) -> None:
    """A cloud that answers the create with a service of its own making."""
    cloud.tokens[DERIVED.at(0.0)] = cloud.add("ms-1", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "live"),
    [
        ({}, {"model_name": SPEC.model_name.upper()}),
        ({"ai_nodes": ("ai-1", "ai-2")}, {"ai_nodes": ("ai-2", "ai-1")}),
        ({"description": "of two\nlines\n"}, {"description": "of two\r\nlines"}),
        ({"description": ""}, {"description": None}),
        ({"description": ""}, {"description": ""}),
        ({"description": None}, {"description": "theirs"}),
        (
            {"security_ip_list": ("10.1.2.3/24", " 10.0.0.1 ")},
            {"security_ip_list": ("10.0.0.1/32", "10.1.2.0/24", "10.1.2.0/24")},
        ),
    ],
)
def test_what_means_the_same_or_is_not_declared_is_no_difference(
    cloud: FakeCloud, voice: Voice, asked: dict[str, object], live: dict[str, object]
) -> None:
    """Order, spaces, line ends, the case of the model's name and host bits; created or adopted."""
    spec = dataclasses.replace(SPEC, **asked)  # type: ignore[arg-type]
    _replayed(cloud, **live)

    _create(cloud, voice, spec)
    adopt(operation(cloud, voice), ModelServiceId.parse(_ID), spec, wait_for_active=True)

    assert voice.warnings == []


@pytest.mark.parametrize(
    ("asked", "live", "text"),
    [
        (
            {},
            {"model_name": "Qwen3-32B"},
            "model_name is declared 'Qwen3-8B', the service runs 'Qwen3-32B'",
        ),
        (
            {},
            {"ai_nodes": ("ai-3", "ai-2")},
            "ai_nodes are declared ['ai-1'], the service is on ['ai-2', 'ai-3']",
        ),
        (
            {"description": "mine"},
            {"description": ""},
            "description is not as the service has it",
        ),
        (
            {"description": ""},
            {"description": "theirs"},
            "description is not as the service has it",
        ),
        (
            {"security_ip_list": ("10.0.0.1",)},
            {"security_ip_list": ("0.0.0.0/0",)},
            "security_ip_list is declared ['10.0.0.1'], the service admits ['0.0.0.0/0']",
        ),
        (
            {"security_ip_list": ("10.0.0.1",)},
            {"security_ip_list": ("10.0.0.1", "10.0.0.2")},
            (
                "security_ip_list is declared ['10.0.0.1'], the service admits "
                "['10.0.0.1', '10.0.0.2']"
            ),
        ),
        (
            {"security_ip_list": ("10.0.0.1",)},
            {"security_ip_list": ("10.0.0.1", "::/0")},
            "security_ip_list is declared ['10.0.0.1'], the service admits ['10.0.0.1', '::/0']",
        ),
    ],
)
def test_verify_warns_of_each_difference_with_both_values(
    cloud: FakeCloud,
    voice: Voice,
    asked: dict[str, object],
    live: dict[str, object],
    text: str,
) -> None:
    """A difference is a lasting warning that names what was asked and what is there."""
    _replayed(cloud, **live)

    _create(cloud, voice, dataclasses.replace(SPEC, **asked))  # type: ignore[arg-type]

    assert [f"{_ID} is not as asked: {text}"] == voice.warnings


@pytest.mark.parametrize(
    "admitted",
    [
        ("0.0.0.0/0",),
        ("10.0.0.1", "10.0.0.2"),
        ("127.0.0.1", "8.8.8.8"),
        ("8.8.8.8",),
        ("::/0",),
        ("127.0.0.0/8",),
    ],
)
def test_verify_never_lets_an_undeclared_whitelist_pass_in_silence(
    cloud: FakeCloud, voice: Voice, admitted: tuple[str, ...]
) -> None:
    """Without a declared whitelist, whoever is admitted by the cloud's default is named."""
    cloud.whitelist = admitted

    _create(cloud, voice, SPEC)

    text = "though security_ip_list is not set: declare it to be sure of who may call the service"
    assert voice.warnings == [f"{_ID} admits {', '.join(admitted)}, {text}"]


@pytest.mark.parametrize("admitted", [None, (), ("127.0.0.1",), ("127.0.0.1/32",)])
def test_verify_is_silent_when_nobody_is_admitted(
    cloud: FakeCloud, voice: Voice, admitted: tuple[str, ...] | None
) -> None:
    """The documented value for nobody, or none at all, needs no warning."""
    cloud.whitelist = admitted

    _create(cloud, voice, SPEC)

    assert voice.warnings == []


def test_verify_waits_until_active(cloud: FakeCloud, voice: Voice) -> None:
    """A service that is still being made is not judged yet."""
    cloud.whitelist = ("0.0.0.0/0",)
    cloud.statuses = ["deploying"]

    create(operation(cloud, voice), SPEC, DERIVED, wait_for_active=False)

    assert voice.warnings == []


def test_verify_warns_of_the_whitelist_of_an_adopted_service(
    cloud: FakeCloud, voice: Voice
) -> None:
    """A service taken over without a declared whitelist may be open too."""
    service = cloud.add(security_ip_list=("0.0.0.0/0",))

    adopt(operation(cloud, voice), service, SPEC, wait_for_active=True)

    assert voice.warnings == [
        (
            "gp-demo:ms-old admits 0.0.0.0/0, though security_ip_list is not set: declare it to be "
            "sure of who may call the service"
        )
    ]
