"""What an open page is told, and when."""

from __future__ import annotations

import json
import socket

import pytest
import requests

from pulumi_adbpg_model.simulator.console.stream import SHOWN_REQUESTS
from pulumi_adbpg_model.testing import DIALECTS, FAULTS, Simulator
from tests.simulator.conftest import FakeClock, Raw, Sdk, Start
from tests.simulator.console.conftest import PATIENCE_S, Console

_MASK = "********"


def test_a_page_learns_what_it_can_choose_from(console: Console) -> None:
    """Region, models, actions and every fault with its sentence."""
    about = console.event("about")
    assert "cn-hangzhou" == about["region"]
    assert "Qwen3-32B" in about["models"]
    assert {"CreateModelService", "ModifySecurityIps"} <= set(about["actions"])
    assert {name: fault.doc for name, fault in FAULTS.items()} == about["faults"]


def test_instances_nodes_and_services_are_shown(
    simulator: Simulator, console: Console, sdk: Sdk, clock: FakeClock
) -> None:
    """Each node with what holds it; each service with its status and when it began."""
    simulator.add_instance("gp-other", ["n-1"])
    service_id = sdk.create("ai-1", "ai-2", description="Answers")
    first, second = console.event("state")["instances"]
    assert ("gp-demo", "gp-other", []) == (first["id"], second["id"], second["services"])
    holders = {node["name"]: node["services"] for node in first["nodes"]}
    assert {"ai-1": [service_id], "ai-2": [service_id], "ai-3": [], "ai-4": []} == holders
    (service,) = first["services"]
    assert ("deployming", "Answers") == (service["status"], service["description"])
    assert (clock.now, clock.now + 1) == (service["created_at"], service["due_at"])
    assert clock.now == console.event("time")


def test_a_node_that_lingers_is_bound_by_nothing(start: Start, connect: type[Sdk]) -> None:
    """Where a deletion frees its node later, the page can tell."""
    assert "nodes-bound-after-delete" in DIALECTS
    simulator = start(dialects=["nodes-bound-after-delete"])
    sdk = connect(simulator)
    sdk.delete(sdk.create("ai-1"))
    nodes = Console(simulator).event("state")["instances"][0]["nodes"]
    assert {"name": "ai-1", "bound": True, "services": []} == nodes[0]


def test_changes_come_by_themselves(
    simulator: Simulator, console: Console, sdk: Sdk, clock: FakeClock
) -> None:
    """Time, calls and a test's own changes each reach a page that is open."""
    with console.events() as events:

        def statuses() -> list[str]:
            state = next(content for name, content in events if name == "state")
            return [service["status"] for service in state["instances"][0]["services"]]

        assert [] == statuses()
        service_id = sdk.create("ai-1")
        assert ["deployming"] == statuses()
        clock.advance(1)
        assert ["active"] == statuses()
        simulator.fail_service(service_id)
        assert ["deploy_failed"] == statuses()
        simulator.remove_service(service_id)
        assert [] == statuses()


def test_requests_are_told_once(simulator: Simulator, console: Console, sdk: Sdk) -> None:
    """The log grows by what is new, and begins anew when the test forgets its requests."""
    sdk.list()
    with console.events() as events:

        def news() -> tuple[bool, list[tuple[int, str]]]:
            content = next(content for name, content in events if name == "requests")
            return content["anew"], [(new["number"], new["action"]) for new in content["new"]]

        assert (True, [(1, "ListModelServices")]) == news()
        sdk.pools()
        assert (False, [(2, "ListAINodePools")]) == news()
        simulator.clear_requests()
        assert (True, []) == news()
        sdk.models()
        assert (False, [(1, "ListSupportModels")]) == news()


def test_the_log_of_a_page_is_bounded(simulator: Simulator, console: Console) -> None:
    """A page that is opened late gets the last requests only; the recorder keeps them all."""
    count = SHOWN_REQUESTS + 5
    call = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{simulator.port}\r\nx-acs-action: None\r\n"
    last = f"{call}Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=PATIENCE_S) as connection:
        connection.sendall((f"{call}\r\n" * (count - 1) + last).encode())
        while connection.recv(65536):
            pass
    new = console.event("requests")["new"]
    assert (SHOWN_REQUESTS, count) == (len(new), new[-1]["number"])
    assert count == len(simulator.requests)


def test_secrets_are_masked(start: Start, connect: type[Sdk], clock: FakeClock, raw: Raw) -> None:
    """Neither a key nor a token nor a signature is sent to the page; a client token is."""
    simulator = start(security_token="sts-token")
    sdk = connect(simulator, security_token="sts-token")
    params = {"api_key": "key-inside", "max_tokens": 7, "more": [{"hf-token": "hf-inside"}]}
    sdk.create("ai-1", client_token="mine", model_params=params)
    clock.advance(1)
    (service,) = simulator.services
    assert service.api_key
    stranger = Raw(simulator)
    stranger.call("ListSupportModels", {"SecurityToken": "old-token", "Signature": "old-sign"})
    console = Console(simulator)
    state, log = console.event("state"), console.event("requests")

    create, listing = log["new"]
    told = json.dumps([state, log])
    secrets = [service.api_key, "sts-token", "key-inside", "hf-inside", "old-token", "old-sign"]
    secrets += [call.headers["authorization"] for call in simulator.requests]
    assert [] == [secret for secret in secrets if secret in told]
    assert "simulator-key-secret" not in told
    assert _MASK == create["headers"]["authorization"] == create["headers"]["x-acs-security-token"]
    assert _MASK == listing["parameters"]["SecurityToken"]
    assert "mine" == create["parameters"]["ClientToken"]
    assert "Qwen3-Embedding-8B" == create["parameters"]["ModelName"]
    (shown,) = state["instances"][0]["services"]
    assert _MASK == shown["api_key"]
    assert 7 == shown["model_params"]["max_tokens"]


def test_how_a_request_ended_is_shown(simulator: Simulator, console: Console, raw: Raw) -> None:
    """Status, code and fault; no status where no answer went out."""
    simulator.inject("throttled")
    raw.call("ListSupportModels")
    simulator.inject("reset-before")
    with pytest.raises(requests.ConnectionError):
        raw.call("ListSupportModels")
    ends = [(new["status"], new["code"], new["fault"]) for new in console.event("requests")["new"]]
    assert [(400, "Throttling.User", "throttled"), (None, None, "reset-before")] == ends


def test_stopping_does_not_wait_for_open_pages(simulator: Simulator, console: Console) -> None:
    """An open page is let go at once; after a restart it finds the same address."""
    with console.events() as events:
        next(events)
        simulator.stop()
        assert "about" not in dict(events)  # and they end in good order
    simulator.start()
    assert {"anew": True, "new": []} == console.event("requests")
