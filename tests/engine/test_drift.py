"""Drift: what changed behind Pulumi's back shows and is mended; another spelling does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi import ResourceOptions

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import MODEL, declare, mutations, place, program
from tests.engine.support.stack import Stack

_NODES = ("ai-1", "ai-2", "ai-3", "ai-4", "ai-5", "ai-6")


def _one_of_each() -> None:
    declare("model_name", ai_nodes=["ai-1"])
    declare("description", ai_nodes=["ai-2"], description="embeds")
    declare("ai_nodes", ai_nodes=["ai-3"])
    declare("security_ip_list", ai_nodes=["ai-4"], security_ip_list=["10.0.0.0/8"])
    declare("emptied", ai_nodes=["ai-6"], description="embeds")


def _live(stack: Stack, simulator: Simulator) -> dict[str, tuple[object, ...]]:
    """What can drift of each service, by the name of its resource."""
    services = {f"gp-demo:{one.id}": one for one in simulator.services}
    named = {one["urn"].rsplit("::", 1)[1]: services[one["id"]] for one in stack.resources()}
    return {
        name: (one.model_name, one.description, one.ai_nodes, one.security_ip_list)
        for name, one in named.items()
    }


def test_drift_shows_at_refresh_and_is_mended_by_up(tmp_path: Path) -> None:
    """Each observable input that drifts shows its live value, and up replaces that service."""
    with Simulator(nodes=_NODES, provision_seconds=0) as simulator:
        stack = Stack(tmp_path, simulator)
        stack.up(_one_of_each)
        declared, before = _live(stack, simulator), stack.ids()
        drift = {
            "model_name": "Qwen3-32B",
            "description": "changed in the console",
            "ai_nodes": ["ai-5"],
            "security_ip_list": ["0.0.0.0/0"],
        }
        for name, value in drift.items():
            _, service_id = stack.resource(name)["id"].split(":")
            simulator.change_service(service_id, **{name: value})
        _, emptied = stack.resource("emptied")["id"].split(":")
        simulator.change_service(emptied, description="")
        simulator.clear_requests()

        assert stack.refresh().changes == {"same": 1, "update": 5}
        shown = stack.resource("emptied")
        assert (shown["outputs"]["description"], shown["inputs"]["description"]) == ("", "")
        for name, value in drift.items():
            shown = stack.resource(name)
            assert (shown["outputs"][name], shown["inputs"][name]) == (value, value)
        assert mutations(simulator) == []

        assert stack.up().changes == {"same": 1, "replace": 5}
        assert _live(stack, simulator) == declared
        assert before.isdisjoint(stack.ids())

        # `up --refresh` sees the drift and replaces the service at once.
        drifted = stack.resource("security_ip_list")["id"]
        simulator.change_service(drifted.split(":")[1], security_ip_list="0.0.0.0/0")
        assert stack.up(refresh=True).changes == {"same": 5, "replace": 1}
        assert _live(stack, simulator) == declared
        assert drifted not in stack.ids()


_ODD = [
    "nodes-reordered",
    "whitelist-canonical",
    "description-stripped",
    "description-crlf",
    "model-lower-case",
]


def test_what_is_only_written_otherwise_is_no_drift_and_no_change(tmp_path: Path) -> None:
    """Order, host bits, line ends, white space around, case: neither side means them."""
    with Simulator(nodes=_NODES, provision_seconds=0, dialects=_ODD) as simulator:
        stack = Stack(tmp_path, simulator)
        written: dict[str, Any] = {
            "ai_nodes": ["ai-1", "ai-2"],
            "security_ip_list": ["192.168.1.7/32", "10.23.12.24/24", "10.23.12.99/24"],
            "description": "a file of two\nlines\n",
            "model_name": MODEL,
        }
        created = stack.up(program(**written))
        assert "warning: " not in created.output
        assert "not as asked" not in created.output
        assert simulator.services[0].description == written["description"]  # sent as it is
        simulator.clear_requests()
        # What the cloud shows in its spelling leaves what the user wrote alone.
        assert stack.up(refresh=True).changes == {"same": 2}

        # With another change beside it, the engine compares texts by itself.
        opts = ResourceOptions(replace_on_changes=["description", "model_name"])
        respelt = written | {
            "description": "a file of two\r\nlines",
            "model_name": MODEL.upper(),
            "store_api_key": False,
        }
        assert stack.up(program(opts, **respelt)).changes == {"same": 1, "update": 1}

        # Nor is it a difference where a service is taken over.
        respelt["description"] = f" {written['description']}"
        id_ = place(simulator, ai_nodes=("ai-3",), description="placed\nhere")

        def with_another() -> None:
            declare(opts=opts, **respelt)
            taking = ResourceOptions(import_=id_)
            declare("placed", taking, ai_nodes=["ai-3"], description="placed\rhere\n")

        assert stack.up(with_another).changes == {"same": 2, "create": 1}
        assert stack.up(refresh=True).changes == {"same": 3}
        kept = stack.resource()
        for bag in (kept["inputs"], kept["outputs"]):
            assert {name: bag[name] for name in written} == written
        assert mutations(simulator) == []
