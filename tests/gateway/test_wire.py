"""Reading answers: what is missing or in another shape reads as None, never as something else."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import AiNode, ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import NotFoundError, TransportError
from pulumi_adbpg_model.gateway import _wire
from tests.gateway.support import INSTANCE, SPEC, Answer, gateway_for, stub

_SERVICE = ModelServiceId(INSTANCE, "ms-1")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"Status": "active"}, ModelServiceDetails(_SERVICE, status="active")),
        ({"ModelServiceId": "ms-1"}, ModelServiceDetails(_SERVICE)),
        (
            {
                "ModelServiceId": "ms-1",
                "Status": "",
                "ModelName": 7,
                "Description": "",
                "AiNodes": [],
                "SecurityIpList": " ",
                "ApiKey": None,
                "PrivateConnectUrl": ["x"],
            },
            ModelServiceDetails(_SERVICE),
        ),
        (
            {"Status": "active", "SecurityIpList": " 10.0.0.1 , 10.0.0.2,,", "AiNodes": ["b", "a"]},
            ModelServiceDetails(
                _SERVICE,
                status="active",
                security_ip_list=("10.0.0.1", "10.0.0.2"),
                ai_nodes=("b", "a"),
            ),
        ),
        (
            {"Status": "active", "SecurityIPList": "10.0.0.1", "PrivateConnUrl": "http://x"},
            ModelServiceDetails(_SERVICE, status="active"),
        ),
    ],
)
def test_describe_reads_what_is_there(body: object, expected: ModelServiceDetails) -> None:
    """Empty and odd values are None; the keys of List mean nothing in Describe."""
    with stub(lambda _: Answer(body)) as cloud:
        assert gateway_for(cloud).describe_model_service(_SERVICE) == expected


@pytest.mark.parametrize(
    "body", [{}, {"RequestId": "r"}, {"ModelServiceId": None, "Status": ""}, {"ApiKey": "sk-x"}]
)
def test_describe_of_nothing_is_not_found(body: object) -> None:
    """A success that describes no service is a not-found, and proves nothing by itself."""
    with stub(lambda _: Answer(body)) as cloud, pytest.raises(NotFoundError) as caught:
        gateway_for(cloud).describe_model_service(_SERVICE)
    assert "the answer describes no service" in str(caught.value)


@pytest.mark.parametrize("body", [{}, {"ModelServiceId": ""}, {"ModelServiceId": 7}])
def test_a_create_without_an_id_is_ambiguous(body: object) -> None:
    """Something may have been made: the text says how it is found."""
    with stub(lambda _: Answer(body)) as cloud, pytest.raises(TransportError) as caught:
        gateway_for(cloud).create_model_service(SPEC, "token-1")
    assert str(caught.value) == (
        "CreateModelService in instance gp-demo failed: the answer names no ModelServiceId. Run "
        "`pulumi up` again: the same client token finds what was created."
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, []),
        ({"AINodePoolInfos": None}, []),
        (
            {"AINodePoolInfos": [7, {"AINodeInfos": "none"}, {"AINodeInfos": [{"NodeName": ""}]}]},
            [],
        ),
        (
            {
                "AINodePoolInfos": [
                    {"AINodePoolId": "p-1", "AINodeInfos": [{"NodeName": "ai-1"}]},
                    {"AINodeInfos": [{"NodeName": "ai-2", "BindStatus": "Bound"}]},
                ]
            },
            [AiNode("ai-1", None, "p-1", bound=False), AiNode("ai-2", None, None, bound=True)],
        ),
    ],
)
def test_nodes_are_read_from_whatever_pools_there_are(body: object, expected: list[AiNode]) -> None:
    """Pools are flattened; what is not a node is passed over."""
    with stub(lambda _: Answer(body)) as cloud:
        assert gateway_for(cloud).list_ai_nodes(INSTANCE) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (7, 7), ("7", 7), ("", None), ("x", None), (True, None), (None, None), (1.0, None)],
)
def test_a_count_is_a_number_or_its_digits(value: object, expected: int | None) -> None:
    """Counts come as numbers or text; anything else is no count."""
    assert _wire.count(value) == expected


def test_an_empty_description_is_sent() -> None:
    """Empty is something else than absent, as in the official client."""
    assert _wire.create_query(SPEC) | {"Description": ""} == _wire.create_query(
        type(SPEC)(**{**vars(SPEC), "description": ""})
    )


def test_details_keep_the_key_out_of_their_repr() -> None:
    """A log line with a service in it holds no key."""
    assert "sk-made-up" not in repr(ModelServiceDetails(_SERVICE, api_key="sk-made-up"))
