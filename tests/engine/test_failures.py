"""What the cloud or the settings refuse: one clear line, and the state as it was."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.settings.identity import CREDENTIAL_SOURCES
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import mutations, place, program, pulumi_ids
from tests.engine.support.stack import Failed, Stack


def test_destroy_keeps_the_state_when_the_key_is_wrong(stack: Stack, simulator: Simulator) -> None:
    """A destroy that the cloud refuses forgets nothing; with the right key it works."""
    stack.up(program())
    (service,) = simulator.services
    right = stack.environment["ALICLOUD_SECRET_KEY"]
    stack.environment["ALICLOUD_SECRET_KEY"] = "a-wrong-secret"
    with pytest.raises(Failed) as failed:
        stack.destroy()
    assert failed.value.reasons == {
        f"DeleteModelService gp-demo:{service.id} failed: Specified signature is not matched with "
        "our calculation (code=SignatureDoesNotMatch, status=400, request_id=…). Check the access "
        "key and its secret, the RAM policy, and the security token's expiry. The credentials come "
        "from environment ALICLOUD_ACCESS_KEY."
    }
    assert "a-wrong-secret" not in failed.value.output
    assert simulator.services == [service]
    assert stack.ids() == {f"gp-demo:{service.id}"}

    stack.environment["ALICLOUD_SECRET_KEY"] = right
    assert stack.destroy().changes == {"delete": 2}
    assert simulator.services == []
    assert stack.resources() == []


def test_up_names_every_place_when_there_are_no_credentials(
    tmp_path: Path, simulator: Simulator
) -> None:
    """Preview works without credentials; up fails and says where it looked for them."""
    home = tmp_path / "home"
    home.mkdir()
    outside = {
        "ADBPG_ENDPOINT": simulator.endpoint,
        "ALICLOUD_REGION": "cn-hangzhou",
        "HOME": str(home),
    }
    stack = Stack(tmp_path, None, environment=outside)
    assert stack.preview(program()).changes == {"create": 2}
    with pytest.raises(Failed) as failed:
        stack.up()
    (line,) = failed.value.reasons
    assert line.startswith(
        f"no Alibaba Cloud credentials were found. Looked in: {'; '.join(CREDENTIAL_SOURCES)}. Of "
        "the last: ~/.aliyun/config.json: the file does not exist; "
    )
    assert "Traceback" not in failed.value.output
    assert simulator.requests == []
    assert stack.resources() == []


def test_up_creates_nothing_when_the_key_is_wrong(stack: Stack, simulator: Simulator) -> None:
    """A wrong key fails up in one line, and leaves neither a service nor a state."""
    stack.environment["ALICLOUD_SECRET_KEY"] = "a-wrong-secret"
    with pytest.raises(Failed) as failed:
        stack.up(program())
    assert failed.value.reasons == {
        "CreateModelService in instance gp-demo failed: Specified signature is not matched with "
        "our calculation (code=SignatureDoesNotMatch, status=400, request_id=…). Check the access "
        "key and its secret, the RAM policy, and the security token's expiry. The credentials come "
        "from environment ALICLOUD_ACCESS_KEY."
    }
    assert "Traceback" not in failed.value.output
    assert "a-wrong-secret" not in failed.value.output
    assert simulator.services == []
    assert stack.resources() == []


def test_up_creates_nothing_when_the_instance_is_not_visible(
    stack: Stack, simulator: Simulator
) -> None:
    """An instance of another region or account looks like none: the line says what to check."""
    with pytest.raises(Failed) as failed:
        stack.up(program(db_instance_id="gp-elsewhere"))
    assert failed.value.reasons == {
        "CreateModelService in instance gp-elsewhere failed: The specified instance does not exist "
        "(code=InvalidDBInstanceId.NotFound, status=404, request_id=…). The instance does not "
        "exist, or belongs to another region or account than the one in use: check db_instance_id, "
        "the region and the credentials."
    }
    assert "Traceback" not in failed.value.output
    assert simulator.services == []
    assert stack.resources() == []


def test_up_names_the_holder_when_a_node_is_taken(stack: Stack, simulator: Simulator) -> None:
    """The line names the service on the node and how to take it over; nothing more is created."""
    id_ = place(simulator)
    (holder,) = simulator.services
    with pytest.raises(Failed) as failed:
        stack.up(program(model_name="Qwen3-8B", ai_nodes=["ai-2", "ai-1"]))
    assert failed.value.reasons == {
        "CreateModelService in instance gp-demo failed: The AI node ai-1 is already bound to a "
        "model (code=OperationDenied.AINodeBound, status=400, request_id=…). AI node ai-1 is held "
        f"by model service gp-demo:{holder.id}, which runs Qwen3-Embedding-8B. To take that "
        "service over, declare it with "
        f'opts=ResourceOptions(import_="{id_}"), if no other stack has it; else choose a free '
        "node, or delete that service."
    }
    assert "Traceback" not in failed.value.output
    # Busy for now would be tried again; a node that is held is not.
    assert mutations(simulator) == ["CreateModelService"]
    assert simulator.services == [holder]
    assert stack.ids() == set()


def test_up_gives_up_in_time_when_the_cloud_cannot_be_reached(tmp_path: Path) -> None:
    """An address where nobody listens fails up within the creation's timeout, in one line."""
    with socket.socket() as closed:  # bound, but never listening
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        outside = {
            "ADBPG_ENDPOINT": f"http://{address}",
            "ALICLOUD_REGION": "cn-hangzhou",
            "ALICLOUD_ACCESS_KEY": "a-key-id",
            "ALICLOUD_SECRET_KEY": "a-secret",
        }
        stack = Stack(tmp_path, None, environment=outside)
        began = time.monotonic()
        with pytest.raises(Failed) as failed:
            stack.up(program(ResourceOptions(custom_timeouts=CustomTimeouts(create="2s"))))
    assert time.monotonic() - began < 20  # half of what retries take without a timeout
    (line,) = failed.value.reasons
    assert line.startswith(
        f"CreateModelService in instance gp-demo failed: {address} cannot be reached or drops the "
        "connection."
    )
    assert "Traceback" not in failed.value.output
    assert stack.resources() == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (
            "busy",
            "The operation is not permitted in the current state of the instance "
            "(code=OperationDenied.DBInstanceStatus, status=400, request_id=…).",
        ),
        (
            "forbidden",
            "User not authorized to operate on the resource (code=Forbidden.RAM, status=403, "
            "request_id=…). Check the access key and its secret, the RAM policy, and the security "
            "token's expiry. The credentials come from environment ALICLOUD_ACCESS_KEY.",
        ),
    ],
)
def test_destroy_keeps_the_state_when_the_cloud_refuses_to_delete(
    stack: Stack, simulator: Simulator, fault: str, reason: str
) -> None:
    """A deletion that is refused, at once or until the timeout, leaves service and state."""
    stack.up(program(ResourceOptions(custom_timeouts=CustomTimeouts(delete="2s"))))
    (service,) = simulator.services
    simulator.inject(fault, "DeleteModelService", times=None)
    with pytest.raises(Failed) as failed:
        stack.destroy()
    (line,) = failed.value.reasons
    assert line.startswith(f"DeleteModelService gp-demo:{service.id} failed: {reason}")
    assert "Traceback" not in failed.value.output
    attempts = len(simulator.calls("DeleteModelService"))
    assert attempts > 1 if fault == "busy" else attempts == 1
    assert simulator.services == [service]
    assert stack.ids() == {f"gp-demo:{service.id}"}


def test_refresh_keeps_the_state_when_the_cloud_is_out_of_order(
    stack: Stack, simulator: Simulator
) -> None:
    """A cloud that cannot describe proves nothing: refresh fails and the state stays."""
    stack.up(program(ResourceOptions(custom_timeouts=CustomTimeouts(read="2s"))))
    before = stack.resource(show_secrets=True)
    simulator.inject("unavailable", "DescribeModelService", times=None)
    with pytest.raises(Failed) as failed:
        stack.refresh()
    assert failed.value.reasons == {
        f"DescribeModelService {before['id']} failed: The service is temporarily unavailable "
        "(code=ServiceUnavailable, status=503, request_id=…). The service has a fault of its own: "
        "run the command again later."
    }
    assert "Traceback" not in failed.value.output
    after = stack.resource(show_secrets=True)
    assert {key: after[key] for key in ("id", "inputs", "outputs")} == {
        key: before[key] for key in ("id", "inputs", "outputs")
    }
    assert pulumi_ids(simulator) == {before["id"]}
