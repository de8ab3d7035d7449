"""What the console shows, as JSON: the cloud's truth before any dialect, its secrets masked.

Decision: secrets are masked here, not in the page, so that they never leave the process. A
client token is no secret, as in the reprs of `records`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pulumi_adbpg_model.simulator import responses
from pulumi_adbpg_model.simulator.cloud import Cloud
from pulumi_adbpg_model.simulator.faults import FAULTS, FaultQueue
from pulumi_adbpg_model.simulator.records import MASK, MUTATIONS, RecordedRequest, masked
from pulumi_adbpg_model.simulator.state import Instance, Service, State

_SECRET = re.compile(
    r"(api|access|secret)[-_]?key|secret|password|authorization|cookie|signature$|(?<!client)token$",
    re.IGNORECASE,
)


def about(cloud: Cloud, actions: Sequence[str]) -> dict[str, Any]:
    """What stays the same as long as the simulator runs."""
    return {
        "region": cloud.region,
        "models": list(cloud.models),
        "actions": list(actions),
        "mutations": list(MUTATIONS),
        "faults": {fault.name: fault.doc for fault in FAULTS.values()},
    }


def state(cloud: Cloud, faults: FaultQueue) -> dict[str, Any]:
    """The cloud at this moment, oldest service first."""
    with cloud.reading() as shown:
        return {
            "held": cloud.held,
            "instances": [_instance(cloud, shown, one) for one in shown.instances.values()],
            "faults": [asdict(fault) for fault in faults.waiting()],
        }


def _instance(cloud: Cloud, shown: State, instance: Instance) -> dict[str, Any]:
    services = [s for s in shown.services.values() if s.instance_id == instance.id]
    bound = cloud.bound(instance.id)
    return {
        "id": instance.id,
        "nodes": [
            {
                "name": name,
                "bound": name in bound,
                "services": [service.id for service in services if name in service.ai_nodes],
            }
            for name in instance.nodes
        ],
        "services": [_service(service) for service in services],
    }


def _service(service: Service) -> dict[str, Any]:
    return {
        "id": service.id,
        "status": service.status,
        "created_at": service.created_at,
        "due_at": service.changes_at if service.next_status is not None else None,
        "model_name": service.model_name,
        "ai_nodes": list(service.ai_nodes),
        "description": service.description,
        "security_ip_list": list(service.whitelist),
        "model_params": _without_secrets(service.model_params),
        "replicas": service.replicas,
        "inference_engine": service.inference_engine,
        "resource_group_id": service.resource_group_id,
        "client_token": service.client_token,
        "private_connect_url": service.private_url,
        "public_connect_url": service.public_url,
        "api_key": MASK if responses.visible_key(service) else None,
    }


def request(number: int, recorded: RecordedRequest) -> dict[str, Any]:
    """One request of the log."""
    return {
        "number": number,
        "time": recorded.time,
        "action": recorded.action,
        "path": recorded.path,
        "parameters": _texts(recorded.parameters),
        "headers": _texts(masked(recorded.headers)),
        "status": recorded.response_status,
        "code": recorded.response_code,
        "fault": recorded.fault,
    }


def _texts(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: MASK if _SECRET.search(name) else _text(text) for name, text in texts.items()}


def _text(text: str) -> str:
    # ModelParams travels as JSON.
    if not text.startswith("{"):
        return text
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    safe = _without_secrets(content)
    return text if safe == content else json.dumps(safe)


def _without_secrets(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            key: MASK if _SECRET.search(str(key)) else _without_secrets(value)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_without_secrets(value) for value in content]
    return content
