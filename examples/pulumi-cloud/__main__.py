"""One model service, described by the stack's configuration and deployed without a person."""

import pulumi

from pulumi_adbpg_model import ModelService

config = pulumi.Config()

service = ModelService(
    "model",
    db_instance_id=config.require("dbInstanceId"),
    model_name=config.require("modelName"),
    ai_nodes=config.require_object("aiNodes"),
    security_ip_list=config.require_object("securityIpList"),
    opts=pulumi.ResourceOptions(
        protect=config.require_bool("protect"),
        # Delete and create together, as in a replacement, end before the runner's job does.
        custom_timeouts=pulumi.CustomTimeouts(create="60m", delete="20m"),
    ),
)

pulumi.export("id", service.id)
pulumi.export("url", service.private_connect_url)
pulumi.export("apiKey", service.api_key)
