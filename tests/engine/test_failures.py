"""What the cloud or the settings refuse: one clear line, and the state as it was."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.settings.identity import CREDENTIAL_SOURCES
from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, place, program
from tests.engine.support.stack import Failed, Program, Stack

_WRONG_KEY = (
    "Specified signature is not matched with our calculation (code=SignatureDoesNotMatch, "
    "status=400, request_id=…). Check the access key and its secret, the RAM policy, and the "
    "security token's expiry. The credentials come from environment ALICLOUD_ACCESS_KEY."
)


def test_what_is_refused_keeps_service_and_state(stack: Stack, simulator: Simulator) -> None:
    """A refresh or a destroy that the cloud refuses forgets nothing; later it works."""
    brief = ResourceOptions(custom_timeouts=CustomTimeouts(read="2s", delete="2s"))
    stack.up(program(brief))
    (service,) = simulator.services
    before = stack.resource(show_secrets=True)

    def refused(command: Callable[[], object]) -> str:
        with pytest.raises(Failed) as failed:
            command()
        assert "Traceback" not in failed.value.output
        assert "a-wrong-secret" not in failed.value.output
        assert simulator.services == [service]
        after = stack.resource(show_secrets=True)
        for key in ("id", "inputs", "outputs"):
            assert after[key] == before[key]
        (line,) = failed.value.reasons
        return line

    # A cloud that cannot describe proves nothing.
    simulator.inject("unavailable", "DescribeModelService", times=None)
    assert refused(stack.refresh) == (
        f"DescribeModelService {before['id']} failed: The service is temporarily unavailable "
        "(code=ServiceUnavailable, status=503, request_id=…). The service has a fault of its own: "
        "run the command again later."
    )
    simulator.clear_faults()

    deleting = f"DeleteModelService gp-demo:{service.id} failed: "
    right = stack.environment["ALICLOUD_SECRET_KEY"]
    stack.environment["ALICLOUD_SECRET_KEY"] = "a-wrong-secret"
    assert refused(stack.destroy) == deleting + _WRONG_KEY
    stack.environment["ALICLOUD_SECRET_KEY"] = right

    # What is forbidden is asked for once, what is busy until the timeout.
    for fault, reason in (
        (
            "forbidden",
            "User not authorized to operate on the resource (code=Forbidden.RAM, status=403, "
            "request_id=…). Check the access key and its secret, the RAM policy, and the security "
            "token's expiry. The credentials come from environment ALICLOUD_ACCESS_KEY.",
        ),
        (
            "busy",
            "The operation is not permitted in the current state of the instance "
            "(code=OperationDenied.DBInstanceStatus, status=400, request_id=…).",
        ),
    ):
        simulator.clear_requests()
        simulator.inject(fault, "DeleteModelService", times=None)
        assert refused(stack.destroy).startswith(deleting + reason)
        attempts = len(simulator.calls("DeleteModelService"))
        assert attempts > 1 if fault == "busy" else attempts == 1
        simulator.clear_faults()

    assert stack.destroy().changes == {"delete": 2}
    assert simulator.services == []
    assert stack.resources() == []


def test_an_up_that_is_refused_creates_nothing(stack: Stack, simulator: Simulator) -> None:
    """One line for each resource, and neither a service nor a state."""
    id_ = place(simulator)
    (holder,) = simulator.services

    def refused(program: Program, *names: str) -> dict[str, list[str]]:
        with pytest.raises(Failed) as failed:
            stack.up(program, continue_on_error=True)
        assert "Traceback" not in failed.value.output
        assert "a-wrong-secret" not in failed.value.output
        assert simulator.services == [holder]
        assert stack.resources() == []
        return {name: failed.value.log.reasons(name) for name in names}

    def two() -> None:
        declare("elsewhere", db_instance_id="gp-elsewhere")
        declare("held", model_name="Qwen3-8B", ai_nodes=["ai-2", "ai-1"])

    assert refused(two, "elsewhere", "held") == {
        # An instance of another region or account looks like none: the line says what to check.
        "elsewhere": [
            "CreateModelService in instance gp-elsewhere failed: The specified instance does not "
            "exist (code=InvalidDBInstanceId.NotFound, status=404, request_id=…). The instance "
            "does not exist, or belongs to another region or account than the one in use: check "
            "db_instance_id, the region and the credentials."
        ],
        # The line names the service on the node and how to take it over.
        "held": [
            "CreateModelService in instance gp-demo failed: The AI node ai-1 is already bound to a "
            "model (code=OperationDenied.AINodeBound, status=400, request_id=…). AI node ai-1 is "
            f"held by model service gp-demo:{holder.id}, which runs Qwen3-Embedding-8B. To take "
            f'that service over, declare it with opts=ResourceOptions(import_="{id_}"), if no '
            "other stack has it; else choose a free node, or delete that service."
        ],
    }
    # Busy for now would be tried again; a node that is held is not.
    creates = simulator.calls("CreateModelService")
    assert [call.query["DBInstanceId"] for call in creates].count("gp-demo") == 1

    stack.environment["ALICLOUD_SECRET_KEY"] = "a-wrong-secret"
    assert refused(program(ai_nodes=["ai-3"]), "model") == {
        "model": [f"CreateModelService in instance gp-demo failed: {_WRONG_KEY}"]
    }


def test_without_credentials_or_cloud_a_preview_works_and_up_says_what_is_missing(
    tmp_path: Path, simulator: Simulator
) -> None:
    """The preflight is silent; up names every place of credentials, and gives up in time."""
    home = tmp_path / "home"
    home.mkdir()
    outside = {
        "ADBPG_ENDPOINT": simulator.endpoint,
        "ALICLOUD_REGION": "cn-hangzhou",
        "HOME": str(home),
    }
    stack = Stack(tmp_path, None, environment=outside)

    def previewed_then_refused() -> str:
        previewed = stack.preview(
            program(ResourceOptions(custom_timeouts=CustomTimeouts(create="2s")))
        )
        assert previewed.changes["create"] > 0
        assert "Diagnostics" not in previewed.output
        with pytest.raises(Failed) as failed:
            stack.up()
        assert "Traceback" not in failed.value.output
        assert stack.resources() == []
        (line,) = failed.value.reasons
        return line

    assert previewed_then_refused().startswith(
        f"no Alibaba Cloud credentials were found. Looked in: {'; '.join(CREDENTIAL_SOURCES)}. Of "
        "the last: ~/.aliyun/config.json: the file does not exist; "
    )
    assert simulator.requests == []

    with socket.socket() as closed:  # bound, but never listening
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        stack.environment |= {
            "ADBPG_ENDPOINT": f"http://{address}",
            "ALICLOUD_ACCESS_KEY": "a-key-id",
            "ALICLOUD_SECRET_KEY": "a-secret",
        }
        began = time.monotonic()
        line = previewed_then_refused()
    assert time.monotonic() - began < 25  # half of what retries take without a timeout
    assert line.startswith(
        f"CreateModelService in instance gp-demo failed: {address} cannot be reached or drops the "
        "connection."
    )
