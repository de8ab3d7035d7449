"""Dialects of being seen or not: services that are gone, new or flapping, unknown instances."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Raw, Refuse, Sdk, Start
from tests.simulator.dialects.conftest import Read
from tests.simulator.dialects.registry import dialect

NOT_FOUND = (404, "ModelService.NotFound")


@dialect("describe-gone-400")
def test_describe_gone_400(sdk: Sdk, refusal: Refuse) -> None:
    """The code is the same, the status is 400; deleting still answers 404."""
    assert refusal(sdk.describe, "ms-1").pair == (400, "ModelService.NotFound")
    assert refusal(sdk.delete, "ms-1").pair == NOT_FOUND


@dialect("describe-gone-metadb")
def test_describe_gone_metadb(sdk: Sdk, refusal: Refuse) -> None:
    """The code is the doubtful one of the newest APIs; deleting still answers 404."""
    assert refusal(sdk.describe, "ms-1").pair == (400, "MetaDBApiCalled.Failed")
    assert refusal(sdk.delete, "ms-1").pair == NOT_FOUND


@dialect("describe-gone-unknown-code")
def test_describe_gone_unknown_code(sdk: Sdk, refusal: Refuse) -> None:
    """The code is one that nobody could know; deleting still answers 404."""
    assert refusal(sdk.describe, "ms-1").pair == (400, "ModelServiceNotExist")
    assert refusal(sdk.delete, "ms-1").pair == NOT_FOUND


@dialect("describe-gone-empty")
def test_describe_gone_empty(read: Read) -> None:
    """A described service that is gone is an answer with only a RequestId."""
    assert read("DescribeModelService", ModelServiceId="ms-1").keys() == {"RequestId"}


@dialect("describe-gone-terminal")
def test_describe_gone_terminal(sdk: Sdk, refusal: Refuse, clock: FakeClock) -> None:
    """A deleted service keeps all its fields for ever; one that never was is unknown."""
    service_id = sdk.create("ai-1", description="mine")
    clock.advance(1.0)
    before = sdk.describe(service_id)
    sdk.delete(service_id)
    clock.advance(600.0)

    after = sdk.describe(service_id)
    assert after.pop("Status") == "deleted"
    assert before.pop("Status") == "active"
    assert before.pop("RequestId") != after.pop("RequestId")
    assert after == before
    assert sdk.list()["TotalRecordCount"] == 0
    assert sdk.bound_nodes() == []
    assert refusal(sdk.describe, "ms-1").pair == NOT_FOUND


@dialect("describe-gone-released")
def test_describe_gone_released(sdk: Sdk) -> None:
    """The same with another word for the end."""
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)
    assert sdk.describe(service_id)["Status"] == "Released"
    assert sdk.list()["TotalRecordCount"] == 0


def test_a_deleted_service_is_remembered_over_a_restart(
    start: Start, connect: type[Sdk], tmp_path: Path
) -> None:
    """What describe-gone-terminal says does not depend on the process."""
    options = {"dialects": ["describe-gone-terminal"], "state": tmp_path / "cloud.json"}
    before = start(**options)
    sdk = connect(before)
    service_id = sdk.create("ai-1")
    sdk.delete(service_id)
    before.stop()

    assert connect(start(**options)).describe(service_id)["Status"] == "deleted"


@dialect("describe-gone-terminal")
def test_a_service_deleted_outside_is_terminal_too(simulator: Simulator, sdk: Sdk) -> None:
    """It makes no difference who deleted it."""
    service_id = sdk.create("ai-1")
    simulator.remove_service(service_id)
    assert sdk.describe(service_id)["Status"] == "deleted"


@dialect("describe-gone-terminal", "list-keeps-deleted")
def test_an_instance_takes_its_deleted_services_along(simulator: Simulator, sdk: Sdk) -> None:
    """An instance that comes back under the same name is a new one."""
    sdk.delete(sdk.create("ai-1"))
    assert sdk.list()["TotalRecordCount"] == 1
    simulator.remove_instance("gp-demo")
    simulator.add_instance("gp-demo", ["ai-1"])
    assert sdk.list()["TotalRecordCount"] == 0


@dialect("instance-404-forbidden")
def test_instance_404_forbidden(simulator: Simulator, connect: type[Sdk], refusal: Refuse) -> None:
    """Every action answers so for an unknown instance, and none for a known one."""
    other = connect(simulator, "gp-other")
    calls: list[Callable[[], Any]] = [
        other.list,
        other.pools,
        other.create,
        lambda: other.describe("ms-1"),
        lambda: other.delete("ms-1"),
        lambda: other.modify("10.0.0.1", "g"),
    ]
    assert [refusal(call).pair for call in calls] == [(404, "Forbidden.InstanceNotFound")] * 6
    assert refusal(connect(simulator).describe, "ms-1").pair == NOT_FOUND


@dialect("invisible-after-create")
def test_invisible_after_create(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """For a second no read shows the service, though its node is taken."""
    _is_invisible_for(1.0, sdk, clock, refusal)


@dialect("invisible-20s")
def test_invisible_20s(sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    """For 20 seconds no read shows the service, though its node is taken and it is active."""
    _is_invisible_for(20.0, sdk, clock, refusal)


def _is_invisible_for(seconds: float, sdk: Sdk, clock: FakeClock, refusal: Refuse) -> None:
    service_id = sdk.create("ai-1")
    clock.advance(seconds - 0.1)
    assert refusal(sdk.describe, service_id).pair == NOT_FOUND
    assert sdk.list()["TotalRecordCount"] == 0
    assert sdk.bound_nodes() == ["ai-1"]
    clock.advance(0.1)
    assert sdk.describe(service_id)["ModelServiceId"] == service_id
    assert sdk.list()["TotalRecordCount"] == 1


@dialect("describe-flaps")
def test_describe_flaps(sdk: Sdk, raw: Raw) -> None:
    """Every third describe of each service misses it; the list never does."""
    one, two = sdk.create("ai-1"), sdk.create("ai-2")

    def status(service_id: str) -> int:
        query = {"DBInstanceId": "gp-demo", "ModelServiceId": service_id}
        assert sdk.list()["TotalRecordCount"] == 2
        return raw.call("DescribeModelService", query).status_code

    assert [status(one) for _ in range(4)] == [200, 200, 404, 200]
    assert [status(two) for _ in range(3)] == [200, 200, 404]
    assert [status(one) for _ in range(2)] == [200, 404]


@dialect("describe-flaps", "describe-gone-metadb")
def test_a_flap_looks_like_a_service_that_is_gone(sdk: Sdk, refusal: Refuse) -> None:
    """Its answer is the not-found of the dialect in force."""
    service_id = sdk.create("ai-1")
    sdk.describe(service_id)
    sdk.describe(service_id)
    assert refusal(sdk.describe, service_id).pair == (400, "MetaDBApiCalled.Failed")


@dialect("describe-flaps", "invisible-after-create")
def test_only_describes_of_a_service_that_shows_are_counted(
    sdk: Sdk, clock: FakeClock, refusal: Refuse
) -> None:
    """The third answer that could have shown it does not."""
    service_id = sdk.create("ai-1")
    assert refusal(sdk.describe, service_id).pair == NOT_FOUND
    clock.advance(1.0)
    sdk.describe(service_id)
    sdk.describe(service_id)
    assert refusal(sdk.describe, service_id).pair == NOT_FOUND
