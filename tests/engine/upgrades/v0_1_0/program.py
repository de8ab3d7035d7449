"""What the recorded stacks of this release declare. Frozen with them: users' programs stay too."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import ComponentResource, CustomTimeouts, Output, ResourceOptions

from pulumi_adbpg_model import ModelService, ModelServiceArgs

NODES = [f"ai-{number}" for number in range(1, 7)]
WHITELIST_GROUPS = {"embedding": "ai-1"}
MODEL = "Qwen3-Embedding-8B"
#: What `settled` becomes with `changed`.
CHANGES = {"replace": 3, "same": 3, "update": 2}


def settled(*, changed: bool = False, adopted: str | None = None) -> None:
    """Active services, declared in every way. `adopted` is the id to take over at first."""
    everything = ModelService(
        "everything",
        db_instance_id="gp-demo",
        model_name=MODEL,
        ai_nodes=["ai-1"],
        description="with every input",
        security_ip_list=["10.0.0.2", "10.23.12.24/24"] if changed else ["10.0.0.1"],
        model_params={"depth": {"of": [1, 2.5, True]}, "name": "made-up"},
        resource_group_id="rg-made-up",
        client_token=Output.secret("a-token-of-ones-own"),
        replicas=1,
        inference_engine="vllm",
        enable_public_connection=True,
        region_id="cn-hangzhou",
        wait_for_active=True,
        security_ip_group="embedding",
        store_api_key=True,
    )
    description = "changed" if changed else None
    ModelService("minimal", _inputs("ai-2", description=description))
    ModelService("replaced", _inputs("ai-3", description=description))
    ModelService("keyless", _inputs("ai-4", store_api_key=changed))
    ModelService(
        "adopted", _inputs("ai-5", description=description), ResourceOptions(import_=adopted)
    )
    nested = ModelService(
        "nested",
        _inputs("ai-6"),
        ResourceOptions(
            parent=ComponentResource("test:index:Search", "search"),
            custom_timeouts=CustomTimeouts(
                create="30m", update="5m", delete="16m" if changed else "15m"
            ),
        ),
    )
    looked_up = ModelService.get("looked-up", nested.id)
    pulumi.export("url", everything.public_connect_url)
    pulumi.export("key", looked_up.api_key)


def troubled() -> None:
    """Services that were not active when the last command ended."""
    hasty = ResourceOptions(custom_timeouts=CustomTimeouts(create="1s"))
    ModelService("unseen", _inputs("ai-1"), hasty)
    ModelService("pending", _inputs("ai-2"), hasty)
    ModelService("failed", _inputs("ai-3"), hasty)
    ModelService("unwaited", _inputs("ai-4", wait_for_active=False))


def killed() -> None:
    """A service whose creation was cut short: only the cloud knows its id."""
    ModelService("killed", _inputs("ai-1", model_params={"b": 1, "a": [2]}))


def _inputs(node: str, **more: Any) -> ModelServiceArgs:
    return ModelServiceArgs(db_instance_id="gp-demo", model_name=MODEL, ai_nodes=[node], **more)
