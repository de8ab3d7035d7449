"""A model service whose API key goes into a secret store in the same `up`, and into no state."""

import pulumi
from key_store import StoredApiKey

from pulumi_adbpg_model import ModelService

config = pulumi.Config()

embedding = ModelService(
    "embedding",
    db_instance_id=config.require("dbInstanceId"),
    model_name="Qwen3-Embedding-8B",
    ai_nodes=[config.require("aiNode")],
    security_ip_list=["10.0.0.0/8"],
    store_api_key=False,
    # Another value is another service, with another key.
    opts=pulumi.ResourceOptions(replacement_trigger=config.get("rotation") or "first"),
)
StoredApiKey("embedding", embedding)

pulumi.export("url", embedding.private_connect_url)
