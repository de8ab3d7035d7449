"""`.get`: an existing service, read without being managed."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import TimedHost
from tests.provider.dynamic_host import DynamicHost, HostError, Properties, Stored


def test_get_needs_no_state(host: DynamicHost, inputs: Properties) -> None:
    """Engines differ in whether they send the inputs of a `.get` as the state too."""
    stored = host.create(inputs)
    asked = {"region_id": "cn-beijing"}

    assert host.get(stored.id, asked) == host.get(stored.id, asked, as_state=False)


def test_get_reads_a_service_without_managing_it(
    host: DynamicHost, cloud: Simulator, inputs: Properties
) -> None:
    """`.get` shows all that the cloud shows; nothing counts as declared."""
    stored = host.create({**inputs, "description": "mine", "replicas": 2})

    read = host.get(stored.id, {"region_id": "cn-beijing"})

    service = cloud.service(stored.outs["model_service_id"])
    assert (
        Stored(
            stored.id,
            {
                "db_instance_id": inputs["db_instance_id"],
                "model_service_id": service.id,
                "model_name": "Qwen3-Embedding-8B",
                "ai_nodes": ["ai-1"],
                "description": "mine",
                "security_ip_list": ["127.0.0.1"],
                "region_id": "cn-beijing",
                "status": "active",
                "create_time": service.create_time,
                "private_connect_url": service.private_connect_url,
                "api_key": service.api_key,
                "__declared": [],
            },
            None,
        )
        == read
    )


def test_get_raises_when_there_is_no_such_service(host: DynamicHost, instance: str) -> None:
    """`.get` of a missing service is a mistake in the program, not something gone."""
    with pytest.raises(HostError) as refused:
        host.get(f"{instance}:ms-none", {})

    assert (
        f"get of model service {instance}:ms-none failed: instance {instance} has no such "
        "service. Correct the id, or declare the service to create it."
    ) == str(refused.value)


@pytest.mark.parametrize("id_", ["ms-1", "gp-1:ms-1:x", "gp-1:", "gp 1:ms-1", ""])
def test_get_raises_when_the_id_is_malformed(host: DynamicHost, id_: str) -> None:
    """An id that is no composite id is told apart from a missing service."""
    with pytest.raises(HostError) as refused:
        host.get(id_, {})

    assert (
        f"the id must be '<db_instance_id>:<model_service_id>', such as gp-abc:ms-123, got {id_!r}"
    ) == str(refused.value)


def test_get_warns_of_no_whitelist(
    quick: TimedHost, inputs: Properties, capsys: pytest.CaptureFixture[str]
) -> None:
    """What others manage is theirs to open."""
    created = quick.create({**inputs, "security_ip_list": ["0.0.0.0/0"]})
    capsys.readouterr()

    outs = quick.get(created.id, {}).outs

    assert ["0.0.0.0/0"] == outs["security_ip_list"]
    assert "" == capsys.readouterr().out


def test_get_refuses_a_region_that_is_none(host: DynamicHost, instance: str) -> None:
    """The engine has no check for what is only read, so that any type arrives."""
    for region, shown in ((3, "3"), ("Hangzhou", "'Hangzhou'"), (["cn-hangzhou"], "['cn-hang")):
        with pytest.raises(HostError) as refused:
            host.get(f"{instance}:ms-1", {"region_id": region})
        expected = f"region_id must be a region id such as cn-hangzhou, got {shown}"
        assert str(refused.value).startswith(expected)
