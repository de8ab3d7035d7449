"""`simulate` as its users run it: one line, real requests, a clean end."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
from pathlib import Path

import pytest
from alibabacloud_gpdb20160503.models import DeleteModelServiceRequest
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.cli.simulated import Simulated, create, describe


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_simulate_prints_one_line_and_ends_cleanly(number: signal.Signals) -> None:
    """The address, on the port that is given, is all; both signals end it with exit code 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])

    with Simulated("--port", str(port)) as simulated:
        assert f"listening on http://127.0.0.1:{port}\n" == simulated.line
        create(simulated.client())
        assert (0, "", "") == simulated.end(number)


def test_simulate_fails_in_one_line_when_the_port_is_taken() -> None:
    """A taken port is a failure, not wrong usage, and no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with Simulated("--port", str(port)) as simulated:
            code, out, err = simulated.end(signal.SIGTERM)

    assert (1, "", "") == (code, out, simulated.line)
    told = f"port {port} of 127.0.0.1 cannot be used: {os.strerror(errno.EADDRINUSE)}"
    assert f"Error: the simulator cannot start: {told}\n" == err


def test_simulate_serves_what_its_options_say() -> None:
    """Instance, nodes, dialect and provisioning time are those of the command line."""
    arguments = ("--instance", "gp-x", "--nodes", "n-1,n-2", "--provision-seconds", "0")
    with Simulated(*arguments, "--dialect", "status-capitalised") as simulated:
        client = simulated.client()
        service = describe(client, create(client, "n-2", "gp-x"), "gp-x")
        with pytest.raises(ClientException) as refused:
            create(client, "ai-1", "gp-x")

    assert ("Active", ["n-2"]) == (service.status, service.ai_nodes)
    assert "InvalidParameter" in str(refused.value.code)


def test_simulate_behaves_like_a_survey(tmp_path: Path) -> None:
    """Its words and models hold, options that are given win, and dialects come together."""
    survey = tmp_path / "survey.json"
    keys = {"provision_seconds": 900, "delete_seconds": 900, "models": ["Qwen3-8B"]}
    survey.write_text(json.dumps({"format": 1, "dialects": ["status-capitalised"], **keys}))

    with Simulated("--like", str(survey), "--delete-seconds", "0") as simulated:
        client = simulated.client()
        service_id = create(client)
        assert "Deploying" == describe(client, service_id).status
        client.delete_model_service(
            DeleteModelServiceRequest(dbinstance_id="gp-demo", model_service_id=service_id)
        )
        with pytest.raises(ClientException):
            describe(client, service_id)
    more = ("--provision-seconds", "0", "--dialect", "names-padded")
    with Simulated("--like", str(survey), *more) as simulated:
        service = describe(simulated.client(), create(simulated.client()))
        assert ("Active", [" ai-1 "]) == (service.status, service.ai_nodes)


def test_simulate_accepts_the_key_it_is_given_and_provisions_at_leisure() -> None:
    """Another key is refused as the cloud does; a service is not active before its time."""
    own = ("--port", "0", "--access-key-secret", "another-made-up")
    with Simulated(*own, "--provision-seconds", "3600") as simulated:
        assert simulated.port > 0
        client = simulated.client("another-made-up")
        assert "deployming" == describe(client, create(client)).status
        with pytest.raises(ClientException) as refused:
            create(simulated.client(), "ai-2")

    assert "SignatureDoesNotMatch" == refused.value.code


def test_simulate_remembers_over_a_restart(tmp_path: Path) -> None:
    """With a state file the same service is there after a restart, its key too."""
    state = str(tmp_path / "cloud.json")
    with Simulated("--state", state, "--provision-seconds", "0") as first:
        client = first.client()
        service_id = create(client)
        before = describe(client, service_id)
        first.end(signal.SIGTERM)
    with Simulated("--state", state, "--provision-seconds", "0") as second:
        after = describe(second.client(), service_id)

    assert "active" == after.status
    assert (before.api_key, before.create_time) == (after.api_key, after.create_time)


def test_simulate_refuses_a_state_file_that_is_in_use(tmp_path: Path) -> None:
    """In one line that names it; once the first has ended, however, it is free."""
    state = str(tmp_path / "cloud.json")
    for ending in (signal.SIGTERM, signal.SIGKILL):
        with Simulated("--state", state) as first:
            service_id = create(first.client())
            with Simulated("--state", state) as second:
                code, out, err = second.end(signal.SIGTERM)
            assert (1, "", "") == (code, out, second.line)
            assert err == (
                f"Error: the simulator cannot start: {state} is in use by another simulator: "
                "stop it, or name another file\n"
            )
            describe(first.client(), service_id)
            first.client().delete_model_service(
                DeleteModelServiceRequest(dbinstance_id="gp-demo", model_service_id=service_id)
            )
            first.end(ending)
