"""What was asked for, against what the cloud shows."""

from __future__ import annotations

from collections.abc import Collection

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, ModelServiceSpec, Phase
from pulumi_adbpg_model.fields import same_model_name, same_nodes, same_text, same_whitelist
from pulumi_adbpg_model.lifecycle.operation import Operation

#: The whitelist that admits nobody, as the API documents it.
_NOBODY = ("127.0.0.1",)
_NOT_SAID = " is not as the service has it"


def differences(
    service: ModelServiceId,
    spec: ModelServiceSpec,
    details: ModelServiceDetails,
    secret: Collection[str] = (),
) -> list[str]:
    """
    What is declared and can be seen, but is not so: one phrase each. Undeclared is free, and what
    the cloud leaves out is not said.

    While it is being deployed, or deleted, the cloud may show nodes and whitelist in part: they are
    left out. Of what is `secret`, and of the description, neither value is said.
    """
    found = {}
    settled = details.phase in (Phase.ACTIVE, Phase.FAILED)
    if spec.db_instance_id != service.db_instance_id:
        found["db_instance_id"] = (
            f"db_instance_id is declared {spec.db_instance_id!r}, the id says "
            f"{service.db_instance_id!r}"
        )
    shows_model = details.model_name is not None
    if shows_model and not same_model_name(spec.model_name, details.model_name):
        found["model_name"] = (
            f"model_name is declared {spec.model_name!r}, the service runs {details.model_name!r}"
        )
    shows_nodes = settled and details.ai_nodes is not None
    if shows_nodes and not same_nodes(spec.ai_nodes, details.ai_nodes):
        found["ai_nodes"] = (
            f"ai_nodes are declared {sorted(spec.ai_nodes)}, the service is on "
            f"{sorted(details.ai_nodes or ())}"
        )
    shows_description = spec.description is not None and details.description is not None
    if shows_description and not same_text(spec.description, details.description):
        found["description"] = _not_said("description")
    asked, shown = spec.security_ip_list, details.security_ip_list
    if asked and settled and shown is not None and not same_whitelist(asked, shown):
        found["security_ip_list"] = (
            f"security_ip_list is declared {list(asked)}, the service admits {list(shown)}"
        )
    return [_not_said(name) if name in secret else told for name, told in found.items()]


def where_it_shows(service: ModelServiceId, found: Collection[str]) -> str:
    """How to see what differences do not say; empty where they say all."""
    if not any(one.endswith(_NOT_SAID) for one in found):
        return ""
    command = f"pulumi-adbpg-model list --instance {service.db_instance_id} --json"
    return f" `{command}` shows what is not said here."


def _not_said(name: str) -> str:
    return f"{name}{_NOT_SAID}"


def verify(
    operation: Operation, spec: ModelServiceSpec, details: ModelServiceDetails | None
) -> None:
    """Compare what was asked with what the cloud shows; a difference must not pass in silence."""
    if details is None or details.phase is not Phase.ACTIVE:
        return
    for difference in differences(details.id, spec, details, operation.secret_inputs):
        operation.report.warn(f"{details.id} is not as asked: {difference}")
    if not spec.security_ip_list:
        warn_of_open_whitelist(operation, details)


def warn_of_open_whitelist(operation: Operation, details: ModelServiceDetails) -> None:
    """Tell who may call a service whose whitelist is not declared, unless it is nobody."""
    admitted = details.security_ip_list or _NOBODY
    if not same_whitelist(admitted, _NOBODY):
        operation.report.warn(
            f"{details.id} admits {', '.join(admitted)}, though security_ip_list is not set: "
            "declare it to be sure of who may call the service"
        )
