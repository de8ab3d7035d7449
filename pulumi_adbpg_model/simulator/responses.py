"""Response bodies, element by element as the API pages show them: the only home of their keys.

Decision: Describe and List are written out apart, because their keys differ on the real pages
too (PrivateConnectUrl and PrivateConnUrl, SecurityIpList and SecurityIPList).
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from typing import Any

from .dialects import Dialects
from .records import SimulatedService
from .state import DELETING, Instance, Service

_NODE_SPEC = "ADB.AIMedium.2"
_ACCOUNT = "1234567890123456"


def caller() -> dict[str, Any]:
    """The elements of GetCallerIdentity, an action of STS."""
    return {
        "AccountId": _ACCOUNT,
        "Arn": f"acs:ram::{_ACCOUNT}:user/simulator",
        "IdentityType": "RAMUser",
        "PrincipalId": "200000000000000001",
        "UserId": "200000000000000001",
    }


def describe(service: Service, dialects: Dialects, now: float) -> dict[str, Any]:
    """The elements of DescribeModelService."""
    reading = dialects.reading
    elements = {
        "AiNodes": reading.nodes(service.ai_nodes),
        "CreateTime": stamp(service.created_at),
        "ModelName": reading.model(service.model_name),
        "ModelParams": service.model_params,
        "ModelServiceId": service.id,
        "SecurityIpList": reading.whitelist(_whitelist(service, now)),
        "Status": reading.status(_status(service, dialects, now), deployed=_share(service, now)),
        "Description": reading.description(service.description),
        "ApiKey": visible_key(service),
        "PrivateConnectUrl": service.private_url,
        "PublicConnectUrl": service.public_url,
    }
    return reading.fields(elements)


def listed(
    services: Sequence[Service], number: int, size: int, dialects: Dialects, now: float
) -> dict[str, Any]:
    """The elements of ListModelServices. A page past the end is empty."""
    shown = services[(number - 1) * size : number * size]
    elements = {
        "ModelServices": [_list_item(service, dialects, now) for service in shown],
        "PageNumber": number,
        "PageRecordCount": len(shown),
        "TotalRecordCount": len(services),
    }
    return dialects.reading.extended(dialects.lists.elements(elements))


def _list_item(service: Service, dialects: Dialects, now: float) -> dict[str, Any]:
    """One item of ListModelServices; ModelParams is a map of strings here."""
    reading = dialects.reading
    status = _status(service, dialects, now)
    elements = {
        "AiNodes": reading.nodes(service.ai_nodes),
        "CreateTime": stamp(service.created_at),
        "ModelName": reading.model(service.model_name),
        "ModelParams": {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in service.model_params.items()
        },
        "ModelServiceId": service.id,
        "SecurityIPList": reading.whitelist(_whitelist(service, now)),
        "Status": reading.listed_status(status, deployed=_share(service, now)),
        "Description": reading.description(service.description),
        "ApiKey": visible_key(service),
        "PrivateConnUrl": service.private_url,
        "PublicConnUrl": service.public_url,
    }
    return reading.fields(elements)


def models(names: Sequence[str], dialects: Dialects) -> dict[str, Any]:
    """The elements of ListSupportModels."""
    reading = dialects.reading
    return reading.extended({"ModelNames": {"modelNames": [reading.name(name) for name in names]}})


def node_pools(
    instance: Instance, bound: Collection[str], zone: str, dialects: Dialects
) -> dict[str, Any]:
    """The elements of ListAINodePools: one pool with all the nodes; NodeNum is a string."""
    extended = dialects.reading.extended
    nodes = [
        {
            "NodeName": dialects.reading.name(node.name),
            "NodeSpec": _NODE_SPEC,
            "BindStatus": "bound" if node.name in bound else "unbound",
            "Namespace": dialects.nodes.namespace(instance.id),
            "ZoneId": zone,
            "CreateTime": stamp(node.created_at),
            "UpdateTime": stamp(node.updated_at),
            **({"BindObject": dialects.nodes.bind_object()} if node.name in bound else {}),
        }
        for node in instance.nodes.values()
    ]
    pool = {
        "AINodePoolId": dialects.nodes.pool_id(instance.id),
        "NodeNum": str(len(nodes)),
        "AINodeInfos": [extended(node) for node in nodes],
    }
    return extended({"AINodePoolInfos": [extended(pool)]})


def snapshot(service: Service) -> SimulatedService:
    """The service as tests see it: no dialect, Python names."""
    return SimulatedService(
        id=service.id,
        instance_id=service.instance_id,
        model_name=service.model_name,
        ai_nodes=tuple(service.ai_nodes),
        description=service.description,
        security_ip_list=tuple(service.whitelist),
        model_params=dict(service.model_params),
        replicas=service.replicas,
        inference_engine=service.inference_engine,
        enable_public_connection=service.public,
        resource_group_id=service.resource_group_id,
        client_token=service.client_token,
        status=service.status,
        create_time=stamp(service.created_at),
        private_connect_url=service.private_url,
        public_connect_url=service.public_url,
        api_key=visible_key(service),
    )


def visible_key(service: Service) -> str | None:
    """The API key, once the service has been active."""
    return service.api_key if service.private_url is not None else None


def stamp(seconds: float) -> str:
    """A time as the pages write it: 2019-09-08T16:00:00Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _status(service: Service, dialects: Dialects, now: float) -> str:
    unseen = now - service.deleting_since < dialects.deletion.unseen_seconds()
    before = service.status_before
    return before if before and service.status == DELETING and unseen else service.status


def _share(service: Service, now: float) -> float:
    """How much of a deployment's time has passed, 1 for all of it."""
    whole = service.ready_at - service.created_at
    return (now - service.created_at) / whole if whole > 0 else 1.0


def _whitelist(service: Service, now: float) -> list[str]:
    for until, entries in service.former_whitelists:
        if now < until:
            return entries
    return service.whitelist
