"""Reading answers: what is missing or in another shape reads as None, never as something else."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import AiNode, ModelServiceDetails, ModelServiceId, Submission
from pulumi_adbpg_model.errors import NotFoundError, TransportError
from pulumi_adbpg_model.gateway import RetryPolicy, _wire
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
            ModelServiceDetails(_SERVICE, description="", security_ip_list=()),
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


@pytest.mark.parametrize(
    "body", [{}, {"ModelServiceId": ""}, {"ModelServiceId": " "}, {"ModelServiceId": True}]
)
def test_a_create_without_an_id_is_repeated_with_the_same_token(body: object) -> None:
    """Something may have been made: only the same token may be sent again."""
    answers = [Answer(body), Answer(body), Answer({"ModelServiceId": "ms-1", "RequestId": "r"})]
    with stub(lambda _: answers.pop(0)) as cloud:
        submission = gateway_for(cloud).create_model_service(SPEC, "token-1")
        tokens = [body["ClientToken"] for body in cloud.bodies]
    assert submission == Submission(_SERVICE, "r")
    assert tokens == ["token-1", "token-1", "token-1"]


@pytest.mark.parametrize(
    "body", [{}, {"ModelServiceId": ""}, {"ModelServiceId": " "}, {"ModelServiceId": True}]
)
def test_a_create_that_never_names_an_id_raises_after_bounded_calls(body: object) -> None:
    """It counts as no answer, so that the caller treats it as ambiguous."""
    with stub(lambda _: Answer(body)) as cloud:
        with pytest.raises(TransportError) as caught:
            gateway_for(cloud).create_model_service(SPEC, "token-1")
        calls = len(cloud.queries)
    assert str(caught.value) == (
        "CreateModelService in instance gp-demo failed: the answer names no ModelServiceId. "
        "Check the region, the endpoint, the network and the proxy settings."
    )
    assert calls == 7


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ms-1", "ms-1"),
        (" ms-1\n", "ms-1"),
        (7, "7"),
        (0, "0"),
        ("7", "7"),
        ("", None),
        (" ", None),
        (None, None),
        (True, None),
        (1.0, None),
        (["ms-1"], None),
    ],
)
def test_an_id_is_text_or_a_whole_number(value: object, expected: str | None) -> None:
    """Ids come as text, with or without spaces around, or as numbers; anything else is none."""
    assert _wire.identifier(value) == expected


def test_a_numeric_id_is_the_same_service_in_every_answer() -> None:
    """What a create names by number is described and found in the list by its digits."""
    item = {"ModelServiceId": 7, "Status": "active"}
    body = {**item, "ModelServices": [item], "TotalRecordCount": 1}
    with stub(lambda _: Answer(body)) as cloud:
        gateway = gateway_for(cloud)
        created = gateway.create_model_service(SPEC, "token-1").id
        described = gateway.describe_model_service(created)
        listed = gateway.list_model_services(INSTANCE)
        sent = cloud.queries[1]["ModelServiceId"]
    assert (str(created), sent) == ("gp-demo:7", "7")
    assert [described] == listed


def test_names_come_without_white_space_around() -> None:
    """Of a model and of nodes; a description is a text, and stays as it is."""
    body = {
        "ModelServiceId": "ms-1",
        "ModelName": " Qwen3-8B\n",
        "AiNodes": [" ai-1 "],
        "Description": " mine\n",
    }
    with stub(lambda _: Answer(body)) as cloud:
        shown = gateway_for(cloud).describe_model_service(_SERVICE)
    expected = ("Qwen3-8B", ("ai-1",), " mine\n")
    assert expected == (shown.model_name, shown.ai_nodes, shown.description)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "ai-1",
        7,
        {"AiNode": ["ai-1"]},
        [""],
        ["ai-1", ""],
        ["ai-1", " "],
        ["ai-1", None],
        ["ai-1", 7],
        [["ai-1"]],
        [{"NodeName": "ai-1"}],
    ],
)
def test_nodes_of_a_service_in_another_shape_are_unknown(value: object) -> None:
    """A part of the names would look like another deployment: it is all of them, or None."""
    body = {"ModelServiceId": "ms-1", "AiNodes": value}
    with stub(lambda _: Answer(body)) as cloud:
        assert gateway_for(cloud).describe_model_service(_SERVICE).ai_nodes is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, []),
        ({"AINodePoolInfos": None}, []),
        ({"AINodePoolInfos": [{"AINodePoolId": "p-1"}, {"AINodeInfos": None}]}, []),
        (
            {
                "AINodePoolInfos": [
                    {"AINodePoolId": "p-1", "AINodeInfos": [{"NodeName": " ai-1\n"}]},
                    {"AINodeInfos": [{"NodeName": "ai-2", "BindStatus": "Bound"}]},
                ]
            },
            [AiNode("ai-1", None, "p-1", bound=False), AiNode("ai-2", None, None, bound=True)],
        ),
    ],
)
def test_nodes_are_read_from_whatever_pools_there_are(body: object, expected: list[AiNode]) -> None:
    """Pools are flattened; one without nodes counts for nothing."""
    with stub(lambda _: Answer(body)) as cloud:
        assert gateway_for(cloud).list_ai_nodes(INSTANCE) == expected


@pytest.mark.parametrize(
    "pools",
    [
        "none",
        {"AINodePoolInfo": [{"AINodeInfos": []}]},
        [7],
        [{"AINodeInfos": "none"}],
        [{"AINodeInfos": {"AINodeInfo": [{"NodeName": "ai-1"}]}}],
        [{"AINodeInfos": [{"NodeName": "ai-1"}, {"NodeName": ""}]}],
    ],
)
def test_nodes_in_another_shape_are_not_taken_for_none(pools: object) -> None:
    """Else a preflight would call nodes missing that are there."""
    with (
        stub(lambda _: Answer({"AINodePoolInfos": pools})) as cloud,
        pytest.raises(TransportError, match="the answer holds no list of nodes"),
    ):
        gateway_for(cloud, policy=RetryPolicy(attempts=1)).list_ai_nodes(INSTANCE)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"ModelNames": {"modelNames": ["a", "b"]}}, ["a", "b"]),
        ({"ModelNames": [" a\n", None, 7, "", " "]}, ["a"]),
        ({"ModelNames": {"modelNames": []}}, []),
    ],
)
def test_models_are_read_nested_or_not(body: object, expected: list[str]) -> None:
    """The documented nesting, or a bare list; what is no name is passed over."""
    with stub(lambda _: Answer(body)) as cloud:
        assert gateway_for(cloud).list_supported_models() == expected


@pytest.mark.parametrize("body", [{}, {"ModelNames": None}, {"ModelNames": {"ModelNames": ["a"]}}])
def test_an_answer_without_models_is_none(body: object) -> None:
    """No list is not the same as an empty one."""
    with (
        stub(lambda _: Answer(body)) as cloud,
        pytest.raises(TransportError, match="failed: the answer names no models"),
    ):
        gateway_for(cloud).list_supported_models()


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
