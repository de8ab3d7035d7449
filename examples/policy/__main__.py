"""What a model service may be: who may call it, which model it runs, how its whitelist changes."""

from __future__ import annotations

from ipaddress import IPv4Network, collapse_addresses

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

# The package's resource type, which every stack's state has.
MODEL_SERVICE = "pulumi-python:dynamic/adbpg:ModelService"
PRIVATE = [IPv4Network(name) for name in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def few_callers(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type != MODEL_SERVICE:
        return
    entries = args.props.get("security_ip_list")
    if not entries:
        report("security_ip_list must be set: without it, the cloud decides who may call")
        return
    try:
        listed = [IPv4Network(str(entry).strip(), strict=False) for entry in entries]
    except ValueError:
        report("security_ip_list must be IPv4 addresses and networks")
        return
    # Added up: 0.0.0.0/1 and 128.0.0.0/1 are everybody, too.
    public = sum(
        network.num_addresses
        for network in collapse_addresses(listed)
        if not any(network.subnet_of(private) for private in PRIVATE)
    )
    most = int(args.get_config()["mostPublicAddresses"])
    if public > most:
        report(f"security_ip_list may admit {most} public addresses, and admits {public}")


def known_models(args: ResourceValidationArgs, report: ReportViolation) -> None:
    allowed = args.get_config()["models"]
    if args.resource_type == MODEL_SERVICE and str(args.props["model_name"]).strip() not in allowed:
        report(f"model_name must be one of {', '.join(allowed)}")


def own_whitelist_group(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type == MODEL_SERVICE and not args.props.get("security_ip_group"):
        report("security_ip_group must be set: without it, another whitelist replaces the service")


PolicyPack(
    "adbpg-model-services",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        ResourceValidationPolicy(
            "few-callers",
            "A model service is not open to the internet.",
            few_callers,
            config_schema=PolicyConfigSchema(
                {"mostPublicAddresses": {"type": "integer", "minimum": 0, "default": 256}}
            ),
        ),
        ResourceValidationPolicy(
            "known-models",
            "A model service runs a model that was agreed on.",
            known_models,
            config_schema=PolicyConfigSchema(
                {
                    "models": {
                        "type": "array",
                        "items": {"type": "string"},
                        "default": ["Qwen3-Embedding-8B", "Qwen3-Reranker-8B"],
                    }
                }
            ),
        ),
        ResourceValidationPolicy(
            "own-whitelist-group",
            "The whitelist of a model service can change without an outage.",
            own_whitelist_group,
        ),
    ],
)
