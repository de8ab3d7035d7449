"""
An embedding and a reranker service on nodes of one instance, for a retrieval pipeline.

Both deploy at the same time. What an application needs to call them is handed on as one secret
output each, ready for a secret store or another stack.
"""

import json

import pulumi

from pulumi_adbpg_model import ModelService

config = pulumi.Config()
instance = config.require("dbInstanceId")
application_ips = config.require_object("applicationIps")


def model_service(name: str, model_name: str, node: str) -> ModelService:
    """A service that is given an hour and a half to come up."""
    return ModelService(
        name,
        db_instance_id=instance,
        model_name=model_name,
        ai_nodes=[node],
        description=f"{name} of {pulumi.get_stack()}",
        security_ip_list=application_ips,
        opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="90m")),
    )


def connection(service: ModelService) -> pulumi.Output[str]:
    """Address, model and key as one JSON document; secret, because the key is."""
    return pulumi.Output.all(
        url=service.private_connect_url, model=service.model_name, apiKey=service.api_key
    ).apply(lambda parts: json.dumps(parts, sort_keys=True))


embedding = model_service("embedding", "Qwen3-Embedding-8B", config.require("embeddingNode"))
reranker = model_service("reranker", "Qwen3-Reranker-8B", config.require("rerankerNode"))

pulumi.export("embeddingConnection", connection(embedding))
pulumi.export("rerankerConnection", connection(reranker))
