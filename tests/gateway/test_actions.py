"""Every action against the simulated cloud: what is sent takes effect, what comes back is read."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
)
from pulumi_adbpg_model.errors import (
    AccessError,
    BusyError,
    InstanceNotFoundError,
    InvalidRequestError,
    NotFoundError,
    TokenMismatchError,
)
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Endpoint, Settings
from pulumi_adbpg_model.settings.identity import StaticKey
from pulumi_adbpg_model.simulator import DEFAULT_MODELS
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import INSTANCE, SPEC, TOKEN, add_service, gateway_for, settings_for
from tests.lifecycle.fakes import FakeClock


def test_create_makes_the_service_that_was_asked_for(simulator: Simulator) -> None:
    """Every parameter arrives, typed."""
    spec = ModelServiceSpec(
        INSTANCE,
        "Qwen3-Embedding-8B",
        ("ai-2", "ai-1"),
        description="ein Dienst für 文本",
        security_ip_list=(" 10.0.0.1", "10.1.0.0/16 "),
        others={
            "model_params": {"a": {"b": [1, 2.5, None, "ü"]}},
            "resource_group_id": "rg-1",
            "replicas": 2,
            "inference_engine": "vllm",
            "enable_public_connection": True,
        },
    )

    submission = gateway_for(simulator).create_model_service(spec, "token-1")

    [service] = simulator.services
    assert submission.id == ModelServiceId(INSTANCE, service.id)
    assert submission.request_id is not None
    assert service.model_name == "Qwen3-Embedding-8B"
    assert service.ai_nodes == ("ai-2", "ai-1")
    assert service.description == "ein Dienst für 文本"
    assert service.security_ip_list == ("10.0.0.1", "10.1.0.0/16")
    assert service.model_params == {"a": {"b": [1, 2.5, None, "ü"]}}
    assert service.resource_group_id == "rg-1"
    assert (service.replicas, service.inference_engine) == (2, "vllm")
    assert service.enable_public_connection is True
    assert service.client_token == "token-1"


def test_create_with_the_same_token_gives_the_same_service(simulator: Simulator) -> None:
    """The token makes a repeated create harmless."""
    gateway = gateway_for(simulator)
    first = gateway.create_model_service(SPEC, "token-1")
    assert gateway.create_model_service(SPEC, "token-1").id == first.id
    assert len(simulator.services) == 1


def test_describe_reads_the_whole_service(simulator: Simulator) -> None:
    """Everything that the cloud shows of an active service is there."""
    spec = ModelServiceSpec(
        INSTANCE,
        "Qwen3-8B",
        ("ai-1", "ai-2"),
        description="d",
        security_ip_list=("10.0.0.1", "10.1.0.0/16"),
        others={"enable_public_connection": True},
    )
    gateway = gateway_for(simulator)
    service = gateway.create_model_service(spec, "token-1").id
    live = simulator.service(service.model_service_id)

    assert gateway.describe_model_service(service) == ModelServiceDetails(
        service,
        status="active",
        model_name="Qwen3-8B",
        description="d",
        ai_nodes=("ai-1", "ai-2"),
        security_ip_list=("10.0.0.1", "10.1.0.0/16"),
        create_time=live.create_time,
        private_connect_url=live.private_connect_url,
        public_connect_url=live.public_connect_url,
        api_key=live.api_key,
    )
    assert live.api_key is not None
    assert live.public_connect_url is not None


def test_list_reads_the_same_of_each_service(simulator: Simulator) -> None:
    """List spells its keys differently and says the same."""
    gateway = gateway_for(simulator)
    service = add_service(simulator)
    second = gateway.create_model_service(SPEC, "token-1").id

    assert gateway.list_model_services(INSTANCE) == [
        gateway.describe_model_service(service),
        gateway.describe_model_service(second),
    ]


def test_list_of_an_empty_instance_is_empty(simulator: Simulator) -> None:
    """No service is a complete list too, had with one call."""
    assert gateway_for(simulator).list_model_services(INSTANCE) == []
    assert len(simulator.requests) == 1


def test_delete_removes_the_service(simulator: Simulator) -> None:
    """The service is gone, and a second delete says so."""
    service = add_service(simulator)
    gateway = gateway_for(simulator)

    gateway.delete_model_service(service)

    assert simulator.services == []
    with pytest.raises(NotFoundError, match=r"code=ModelService\.NotFound"):
        gateway.delete_model_service(service)


def test_list_ai_nodes_tells_the_bound_ones(simulator: Simulator) -> None:
    """All nodes of all pools come with what they are and whether they are taken."""
    add_service(simulator)

    nodes = gateway_for(simulator).list_ai_nodes(INSTANCE)

    assert nodes[0] == AiNode(
        "ai-1",
        "ADB.AIMedium.2",
        nodes[0].pool_id,
        bound=True,
        bound_to="model_serving",
        zone_id="cn-hangzhou-j",
        create_time=nodes[0].create_time,
    )
    assert str(nodes[0].pool_id).startswith("aipool-")
    assert str(nodes[0].create_time).endswith("Z")
    assert [(node.name, node.bound) for node in nodes] == [
        ("ai-1", True),
        ("ai-2", False),
        ("ai-3", False),
        ("ai-4", False),
    ]


def test_list_supported_models_names_them(simulator: Simulator) -> None:
    """The names come as the cloud lists them, asked for the region in use."""
    assert list(DEFAULT_MODELS) == gateway_for(simulator).list_supported_models()
    (call,) = simulator.calls("ListSupportModels")
    assert {"RegionId": "cn-hangzhou"} == call.query


def test_modify_security_ips_covers_the_named_group_alone(simulator: Simulator) -> None:
    """The old list of that group is replaced; the default group is never named."""
    gateway = gateway_for(simulator)
    gateway.modify_security_ips(INSTANCE, "mine", ["10.0.0.1"])
    gateway.modify_security_ips(INSTANCE, "mine", [" 10.0.0.2", "10.1.0.0/16"])

    assert simulator.whitelist_groups(INSTANCE) == {"mine": ("10.0.0.2", "10.1.0.0/16")}


def test_an_unknown_instance_is_told_as_such(simulator: Simulator) -> None:
    """Every action on an instance that is not there says that the instance is not visible."""
    gateway = gateway_for(simulator)
    elsewhere = ModelServiceId("gp-else", "ms-1")
    with pytest.raises(InstanceNotFoundError, match="belongs to another region or account"):
        gateway.describe_model_service(elsewhere)
    with pytest.raises(InstanceNotFoundError):
        gateway.delete_model_service(elsewhere)
    with pytest.raises(InstanceNotFoundError):
        gateway.list_model_services("gp-else")
    with pytest.raises(InstanceNotFoundError):
        gateway.list_ai_nodes("gp-else")
    with pytest.raises(InstanceNotFoundError):
        gateway.modify_security_ips("gp-else", "mine", ["10.0.0.1"])


@pytest.mark.parametrize(
    ("dialects", "text"),
    [
        ((), "code=ModelService.NotFound, status=404"),
        (("describe-gone-400",), "code=ModelService.NotFound, status=400"),
        (("describe-gone-empty",), "the answer describes no service (request_id="),
    ],
)
def test_describe_of_what_is_gone_is_not_found_in_every_dialect(
    dialects: tuple[str, ...], text: str
) -> None:
    """However the cloud says it, it is one error, and not that of the instance."""
    with Simulator(dialects=dialects) as simulator, pytest.raises(NotFoundError) as caught:
        gateway_for(simulator).describe_model_service(ModelServiceId(INSTANCE, "ms-gone"))
    assert text in str(caught.value)
    assert type(caught.value) is NotFoundError


def test_refused_creates_have_their_classes(simulator: Simulator) -> None:
    """A taken node, a changed declaration and a wrong parameter are told apart."""
    add_service(simulator)
    gateway = gateway_for(simulator)
    taken = ModelServiceSpec(INSTANCE, "Qwen3-8B", ("ai-1",))
    with pytest.raises(BusyError, match=r"code=OperationDenied\.AINodeBound"):
        gateway.create_model_service(taken, "token-9")
    with pytest.raises(TokenMismatchError, match="Set another client_token"):
        gateway.create_model_service(SPEC, "token-0")
    with pytest.raises(InvalidRequestError, match="the instance has no AI node ai-9"):
        gateway.create_model_service(ModelServiceSpec(INSTANCE, "Qwen3-8B", ("ai-9",)), "token-8")


def test_calls_work_without_a_region(simulator: Simulator) -> None:
    """An endpoint alone is enough; no region is sent then."""
    gateway = Gateway(settings_for(simulator.port), FakeClock())

    assert (gateway.list_model_services(INSTANCE), gateway.region) == ([], None)
    assert "RegionId" not in simulator.requests[0].query


def test_calls_sign_with_a_security_token() -> None:
    """STS credentials are sent and accepted."""
    with Simulator(security_token=TOKEN) as simulator:
        gateway = Gateway(settings_for(simulator.port, token=TOKEN), FakeClock())
        assert gateway.list_model_services(INSTANCE) == []
        assert simulator.requests[0].headers["x-acs-security-token"] == TOKEN


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (StaticKey("here", "wrong", "simulator-key-secret"), "InvalidAccessKeyId.NotFound"),
        (StaticKey("here", "simulator-key-id", "wrong"), "SignatureDoesNotMatch"),
        (
            StaticKey("here", "simulator-key-id", "simulator-key-secret", "unexpected"),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
    ],
)
def test_wrong_credentials_are_an_access_error(
    simulator: Simulator, key: StaticKey, code: str
) -> None:
    """A wrong key, even where the cloud answers 404, is not taken for something missing."""
    settings = Settings(None, Endpoint(f"127.0.0.1:{simulator.port}", "http"), key)
    with pytest.raises(AccessError) as caught:
        Gateway(settings, FakeClock()).list_model_services(INSTANCE)
    assert f"code={code}" in str(caught.value)
    assert "Check the access key" in str(caught.value)
    assert len(simulator.requests) == 1
