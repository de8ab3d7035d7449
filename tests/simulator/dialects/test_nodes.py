"""Dialects of ListAINodePools: what its page shows as an example and does not explain."""

from __future__ import annotations

from typing import Any

from tests.simulator.conftest import Sdk
from tests.simulator.dialects.registry import dialect


def _nodes(sdk: Sdk) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = sdk.pools()["AINodePoolInfos"][0]["AINodeInfos"]
    return nodes


@dialect("nodes-bind-object-service")
def test_nodes_bind_object_service(sdk: Sdk) -> None:
    """A bound node says so, and a free one nothing."""
    sdk.create("ai-1")
    assert [node.get("BindObject") for node in _nodes(sdk)] == ["ModelService", None, None, None]


@dialect("nodes-namespace-instance")
def test_nodes_namespace_instance(sdk: Sdk) -> None:
    """It is the instance's own."""
    assert {node["Namespace"] for node in _nodes(sdk)} == {"gp-demo"}


@dialect("nodes-pool-of-instance")
def test_nodes_pool_of_instance(sdk: Sdk) -> None:
    """The id tells the instance."""
    assert sdk.pools()["AINodePoolInfos"][0]["AINodePoolId"] == "ainp-gp-demo"
