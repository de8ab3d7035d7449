"""What the simulated cloud holds, and how the benchmark declares services on it."""

from __future__ import annotations

from typing import Any

INSTANCE = "gp-demo"


def node(number: int) -> str:
    """The name of an AI node."""
    return f"ai-{number}"


def inputs(number: int) -> dict[str, Any]:
    """The inputs of one service, on a node of its own."""
    return {
        "db_instance_id": INSTANCE,
        "model_name": "Qwen3-Embedding-8B",
        "ai_nodes": [node(number)],
        "description": "A service of the benchmark.",
        "security_ip_list": ["10.0.0.0/8"],
    }


def declared(number: int) -> dict[str, Any]:
    """The same as a host is given them."""
    defaults = {"region_id": "cn-hangzhou", "wait_for_active": True, "store_api_key": True}
    return {**inputs(number), **defaults, "__organization": "bench"}
