"""
Wire names and shapes: `domain` values to request parameters, and answers back.

Parameters equal those of the generated SDK; what an answer lacks, or gives in another shape than
documented, reads as None. https://www.alibabacloud.com/help/en/analyticdb/
analyticdb-for-postgresql/developer-reference/api-gpdb-2016-05-03-createmodelservice
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pulumi_adbpg_model.domain import (
    AiNode,
    Caller,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
)
from pulumi_adbpg_model.fields import FIELDS, comma_separated

__all__ = [
    "caller",
    "count",
    "create_body",
    "create_query",
    "described",
    "identifier",
    "instance_query",
    "list_query",
    "listed",
    "models",
    "nodes",
    "region_query",
    "service_query",
    "text",
    "whitelist_query",
]

Parameters = dict[str, object]


def _present(parameters: Parameters) -> Parameters:
    return {name: value for name, value in parameters.items() if value is not None}


def create_query(spec: ModelServiceSpec) -> Parameters:
    """The query of CreateModelService."""
    return _sent(vars(spec), in_body=False)


def create_body(spec: ModelServiceSpec, client_token: str) -> Parameters:
    """The form body of CreateModelService."""
    return _sent({**vars(spec), "client_token": client_token}, in_body=True)


def _sent(asked: Mapping[str, object], *, in_body: bool) -> Parameters:
    there = {
        field.wire: field.sent(asked[field.name])
        for field in FIELDS
        if field.wire and field.in_body is in_body and asked[field.name] is not None
    }
    return _present(dict(sorted(there.items())))


def service_query(service: ModelServiceId) -> Parameters:
    """The query of DescribeModelService and DeleteModelService."""
    return {"DBInstanceId": service.db_instance_id, "ModelServiceId": service.model_service_id}


def instance_query(db_instance_id: str, region: str | None) -> Parameters:
    """The query of ListAINodePools."""
    return _present({"DBInstanceId": db_instance_id, "RegionId": region})


def region_query(region: str | None) -> Parameters:
    """The query of ListSupportModels."""
    return _present({"RegionId": region})


def list_query(db_instance_id: str, region: str | None, page: int, page_size: int) -> Parameters:
    """The query of ListModelServices."""
    paging: Parameters = {"PageNumber": page, "PageSize": page_size}
    return instance_query(db_instance_id, region) | paging


def whitelist_query(db_instance_id: str, group: str, entries: Sequence[str]) -> Parameters:
    """The query of ModifySecurityIps. Without ModifyMode the list covers the group's old one."""
    return {
        "DBInstanceIPArrayName": group,
        "DBInstanceId": db_instance_id,
        "SecurityIPList": comma_separated(entries),
    }


def described(service: ModelServiceId, body: Parameters) -> ModelServiceDetails | None:
    """The service in a Describe answer; None when it describes none."""
    if identifier(body.get("ModelServiceId")) is None and text(body.get("Status")) is None:
        return None
    return _details(service, body, "PrivateConnectUrl", "PublicConnectUrl", "SecurityIpList")


def listed(db_instance_id: str, body: Parameters) -> list[ModelServiceDetails] | None:
    """The services in one page of a List answer; None when it holds no list."""
    items = body.get("ModelServices")
    if items is None and count(body.get("TotalRecordCount")) == 0:
        return []
    if not isinstance(items, list):
        return None
    found = []
    for item in items:
        service_id = identifier(item.get("ModelServiceId")) if isinstance(item, dict) else None
        if service_id is None:
            return None
        service = ModelServiceId(db_instance_id, service_id)
        found.append(_details(service, item, "PrivateConnUrl", "PublicConnUrl", "SecurityIPList"))
    return found


def nodes(body: Parameters) -> list[AiNode] | None:
    """The nodes in a ListAINodePools answer, of all pools; None when it holds something else."""
    found: list[AiNode] = []
    pools = _objects(body.get("AINodePoolInfos"))
    for pool in pools or ():
        members = _objects(pool.get("AINodeInfos"))
        if members is None:
            return None
        for node in members:
            name = _name(node.get("NodeName"))
            if name is None:
                return None
            found.append(
                AiNode(
                    name=name,
                    spec=text(node.get("NodeSpec")),
                    pool_id=text(pool.get("AINodePoolId")),
                    bound=(text(node.get("BindStatus")) or "").lower() == "bound",
                    bound_to=text(node.get("BindObject")),
                    zone_id=text(node.get("ZoneId")),
                    create_time=text(node.get("CreateTime")),
                )
            )
    return None if pools is None else found


def models(body: Parameters) -> list[str] | None:
    """The names in a ListSupportModels answer; None when it holds no list of names."""
    names = body.get("ModelNames")
    if isinstance(names, dict):
        names = names.get("modelNames")
    if not isinstance(names, list):
        return None
    return [name for name in map(_name, names) if name]


def caller(body: Parameters) -> Caller | None:
    """Who calls; None when the answer does not say."""
    account_id = identifier(body.get("AccountId"))
    return None if account_id is None else Caller(account_id, _name(body.get("Arn")))


def identifier(value: object) -> str | None:
    """An id, which may come as a number, else None."""
    number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if number else _name(value)


def text(value: object) -> str | None:
    """A non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def _name(value: object) -> str | None:
    """A name without white space around it, which means nothing; None when nothing is left."""
    return (text(value) or "").strip() or None


def count(value: object) -> int | None:
    """A count that is a number, or digits in a string, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _details(
    service: ModelServiceId, body: Parameters, private: str, public: str, whitelist: str
) -> ModelServiceDetails:
    ips, description = body.get(whitelist), body.get("Description")
    return ModelServiceDetails(
        id=service,
        status=text(body.get("Status")),
        model_name=_name(body.get("ModelName")),
        description=description if isinstance(description, str) else None,  # empty is said too
        ai_nodes=_names(body.get("AiNodes")),
        security_ip_list=_split(ips) if isinstance(ips, str) else None,
        create_time=text(body.get("CreateTime")),
        private_connect_url=text(body.get(private)),
        public_connect_url=text(body.get(public)),
        api_key=text(body.get("ApiKey")),
    )


def _names(value: object) -> tuple[str, ...] | None:
    """A list of names; None when there are none, or something else is among them."""
    names = [_name(item) for item in value] if isinstance(value, list) else []
    return tuple(name for name in names if name) if names and all(names) else None


def _split(entries: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in entries.split(",") if part.strip())


def _objects(value: object) -> list[Parameters] | None:
    """A list of objects, which may be left out; None when it is anything else."""
    items = [] if value is None else value
    fits = isinstance(items, list) and all(isinstance(item, dict) for item in items)
    return items if fits else None  # type: ignore[return-value]
