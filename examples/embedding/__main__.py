"""The smallest real use: an embedding model on one AI node, callable from one network."""

import pulumi

from pulumi_adbpg_model import ModelService

config = pulumi.Config()

embedding = ModelService(
    "embedding",
    db_instance_id=config.require("dbInstanceId"),
    model_name="Qwen3-Embedding-8B",
    ai_nodes=[config.require("aiNode")],
    security_ip_list=["10.0.0.0/8"],
)

pulumi.export("url", embedding.private_connect_url)
pulumi.export("apiKey", embedding.api_key)
