"""
Wire names and shapes: `domain` values to request parameters, and answers back.

Parameters equal those of the generated SDK. A field that an answer lacks, or gives in another shape
than documented, reads as None; an answer without what it was asked for raises.
https://www.alibabacloud.com/help/en/analyticdb/
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
    Submission,
)
from pulumi_adbpg_model.errors import NotFoundError
from pulumi_adbpg_model.fields import FIELDS, comma_separated

Parameters = dict[str, object]


class UnreadableError(Exception):
    """A success lacks what the call was for; the text says what. `Gateway` names the call."""


def _present(parameters: Parameters) -> Parameters:
    return {name: value for name, value in parameters.items() if value is not None}


def create_query(spec: ModelServiceSpec) -> Parameters:
    """The query of CreateModelService."""
    return _sent(spec.inputs, in_body=False)


def create_body(spec: ModelServiceSpec, client_token: str) -> Parameters:
    """The form body of CreateModelService."""
    return _sent({**spec.inputs, "client_token": client_token}, in_body=True)


def _sent(asked: Mapping[str, object], *, in_body: bool) -> Parameters:
    there = {
        field.wire: field.sent(asked[field.name])
        for field in FIELDS
        if field.wire and field.in_body is in_body and asked.get(field.name) is not None
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


def submission(db_instance_id: str, body: Parameters) -> Submission:
    """Which service CreateModelService has made."""
    service_id = identifier(body.get("ModelServiceId"))
    if service_id is None:
        raise UnreadableError("the answer names no ModelServiceId")
    return Submission(ModelServiceId(db_instance_id, service_id), text(body.get("RequestId")))


def described(service: ModelServiceId, body: Parameters) -> ModelServiceDetails:
    """
    The service in a Describe answer.

    Raises:
        NotFoundError: It describes none.
    """
    if identifier(body.get("ModelServiceId")) is None and text(body.get("Status")) is None:
        raise NotFoundError(
            "DescribeModelService",
            str(service),
            "the answer describes no service",
            request_id=text(body.get("RequestId")),
        )
    return _details(service, body, "PrivateConnectUrl", "PublicConnectUrl", "SecurityIpList")


def listed(db_instance_id: str, body: Parameters) -> tuple[list[ModelServiceDetails], int | None]:
    """The services in one page of a List answer, and how many there are in all."""
    total = count(body.get("TotalRecordCount"))
    found = []
    for item in _objects(body.get("ModelServices"), "services", may_be_absent=total == 0):
        service_id = identifier(item.get("ModelServiceId"))
        if service_id is None:
            raise _no_list("services")
        service = ModelServiceId(db_instance_id, service_id)
        found.append(_details(service, item, "PrivateConnUrl", "PublicConnUrl", "SecurityIPList"))
    return found, total


def nodes(body: Parameters) -> list[AiNode]:
    """The nodes in a ListAINodePools answer, of all pools."""
    found: list[AiNode] = []
    for pool in _objects(body.get("AINodePoolInfos"), "nodes"):
        for node in _objects(pool.get("AINodeInfos"), "nodes"):
            name = _name(node.get("NodeName"))
            if name is None:
                raise _no_list("nodes")
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
    return found


def models(body: Parameters) -> list[str]:
    """The names in a ListSupportModels answer."""
    names = body.get("ModelNames")
    if isinstance(names, dict):
        names = names.get("modelNames")
    if not isinstance(names, list):
        raise UnreadableError("the answer names no models")
    return [name for name in map(_name, names) if name]


def caller(body: Parameters) -> Caller:
    """Who calls, in a GetCallerIdentity answer."""
    account_id = identifier(body.get("AccountId"))
    if account_id is None:
        raise UnreadableError("the answer names no account")
    return Caller(account_id, _name(body.get("Arn")))


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


def _objects(value: object, what: str, *, may_be_absent: bool = True) -> list[Parameters]:
    items = [] if value is None and may_be_absent else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _no_list(what)
    return items


def _no_list(what: str) -> UnreadableError:
    return UnreadableError(f"the answer holds no list of {what}")
