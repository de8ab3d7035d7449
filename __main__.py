"""One model service, described by the stack's configuration."""

import pulumi

from pulumi_adbpg_model import ModelService

config = pulumi.Config()

service = ModelService(
    "model",
    db_instance_id=config.require("dbInstanceId"),
    model_name=config.require("modelName"),
    ai_nodes=config.require_object("aiNodes"),
    description=config.get("description") or f"{pulumi.get_project()}/{pulumi.get_stack()}",
    security_ip_list=config.get_object("securityIpList"),
)

pulumi.export("id", service.id)
pulumi.export("privateConnectUrl", service.private_connect_url)
pulumi.export("apiKey", service.api_key)
