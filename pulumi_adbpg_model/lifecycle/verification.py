"""What was asked for, against what the cloud shows."""

from __future__ import annotations

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Phase,
    same_nodes,
    same_whitelist,
)
from pulumi_adbpg_model.lifecycle.operation import Operation

__all__ = ["differences", "verify"]

#: The whitelist that admits nobody, as the API documents it.
_NOBODY = ("127.0.0.1",)


def differences(
    service: ModelServiceId, spec: ModelServiceSpec, details: ModelServiceDetails
) -> list[str]:
    """What is declared and can be seen, but is not so: one phrase each. Undeclared is free."""
    found = []
    if spec.db_instance_id != service.db_instance_id:
        found.append(
            f"db_instance_id is declared {spec.db_instance_id!r}, the id says "
            f"{service.db_instance_id!r}"
        )
    if details.model_name is not None and spec.model_name != details.model_name:
        found.append(
            f"model_name is declared {spec.model_name!r}, the service runs {details.model_name!r}"
        )
    if details.ai_nodes is not None and not same_nodes(spec.ai_nodes, details.ai_nodes):
        found.append(
            f"ai_nodes are declared {sorted(spec.ai_nodes)}, the service is on "
            f"{sorted(details.ai_nodes)}"
        )
    if spec.description and spec.description != (details.description or ""):
        found.append(
            f"description is declared {spec.description!r}, the service has {details.description!r}"
        )
    if spec.security_ip_list and not same_whitelist(
        spec.security_ip_list, details.security_ip_list
    ):
        found.append(
            f"security_ip_list is declared {list(spec.security_ip_list)}, the service admits "
            f"{list(details.security_ip_list or ())}"
        )
    return found


def verify(
    operation: Operation, spec: ModelServiceSpec, details: ModelServiceDetails | None
) -> None:
    """Compare what was asked with what the cloud shows; a difference must not pass in silence."""
    if details is None or details.phase is not Phase.ACTIVE:
        return
    for difference in differences(details.id, spec, details):
        operation.report.warn(f"{details.id} is not as asked: {difference}")
    if not spec.security_ip_list and not same_whitelist(
        details.security_ip_list or _NOBODY, _NOBODY
    ):
        operation.report.warn(
            f"{details.id} admits {', '.join(details.security_ip_list or ())}, though "
            "security_ip_list is not set: declare it to be sure of who may call the service"
        )
