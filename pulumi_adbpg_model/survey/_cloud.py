"""
One instance, asked for answers as they come: the survey's own reading of the wire.

The gateway reads an answer leniently, so that an operation goes on whatever the cloud does. Here
the difference is the subject, so elements are taken as they are. All answers are kept, for what the
report must not hold is known by them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import AccessError, ApiError, InstanceNotFoundError, NotFoundError
from pulumi_adbpg_model.gateway import Gateway, RawAnswer

#: What admits nobody.
NOBODY = "127.0.0.1"
#: How every description of a service that a survey makes begins, but for white space.
MARK = "pulumi-adbpg-model survey"
#: Names no instance and no service: no real one is so long.
NO_INSTANCE = "gp-surveynosuchinstance0"
NO_SERVICE = "ms-surveynosuchservice0"
PAGE_SIZES = (20, 50, 100)
_MAX_PAGES = 1000
#: Codes for credentials or a clock that no call gets through with, whatever their status is.
_OF_ALL_CALLS = (
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidCredentials",
    "InvalidSecurityToken",
    "InvalidTimeStamp",
    "SignatureDoesNotMatch",
)

#: The keys of a whitelist and of addresses, which the pages of Describe and List spell apart.
WHITELIST_KEYS = ("SecurityIpList", "SecurityIPList")

Elements = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """One call and its answer."""

    action: str
    answer: RawAnswer


@dataclass
class Listing:
    """All pages of a list: its items, or the refusal of one page."""

    pages: list[RawAnswer] = field(default_factory=list, repr=False)
    items: list[Elements] = field(default_factory=list, repr=False)

    @property
    def refusal(self) -> ApiError | None:
        """Why it is not complete."""
        return next((page.refusal for page in self.pages if page.refusal is not None), None)

    @property
    def is_forbidden(self) -> bool:
        """Whether one page of it is not permitted."""
        return any(map(is_forbidden, self.pages))

    def item(self, service_id: str) -> Elements | None:
        """A service's item."""
        return next((one for one in self.items if id_of(one) == service_id), None)


class Cloud:
    """
    Calls about one instance. Every method may raise `TransportError` and `ConfigurationError`.

    `AccessError` is raised where nothing can be asked any more, not for want of one permission.
    """

    def __init__(self, gateway: Gateway, clock: Clock, instance: str) -> None:
        self._gateway = gateway
        self.clock = clock
        self.instance = instance
        self.region = gateway.region
        self.asked: list[Asked] = []
        #: What describing answers for a service that never was, once that was asked.
        self.unknown: RawAnswer | None = None

    def ask(
        self,
        action: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None = None,
        needs: str | None = None,
    ) -> RawAnswer:
        """One call, by its wire names."""
        given = {key: value for key, value in query.items() if value is not None}
        subject = f"of instance {self.instance}"
        answer = self._gateway.ask(action, subject, given, body, needs=needs)
        self.asked.append(Asked(action, answer))
        if isinstance(answer.refusal, AccessError) and not is_forbidden(answer):
            raise answer.refusal
        return answer

    def describe(self, service_id: str | None, instance: str | None = None) -> RawAnswer:
        """DescribeModelService."""
        query = {"DBInstanceId": instance or self.instance, "ModelServiceId": service_id}
        return self.ask("DescribeModelService", query)

    def page(self, number: int, size: int, instance: str | None = None) -> RawAnswer:
        """One page of ListModelServices."""
        query = {
            "DBInstanceId": instance or self.instance,
            "RegionId": self.region,
            "PageNumber": number,
            "PageSize": size,
        }
        return self.ask("ListModelServices", query)

    def listing(self) -> Listing:
        """All pages of ListModelServices."""
        found, seen = Listing(), set[str | None]()
        for number in range(1, _MAX_PAGES + 1):
            page = self.page(number, PAGE_SIZES[-1])
            found.pages.append(page)
            items = items_of(page)
            fresh = [one for one in items if id_of(one) not in seen]
            seen.update(map(id_of, fresh))
            found.items += fresh
            if not fresh or len(found.items) == number_of(
                (page.elements or {}), "TotalRecordCount"
            ):
                break
        return found

    def nodes(self) -> RawAnswer:
        """ListAINodePools."""
        return self.ask("ListAINodePools", {"DBInstanceId": self.instance, "RegionId": self.region})

    def models(self) -> RawAnswer:
        """ListSupportModels."""
        return self.ask("ListSupportModels", {"RegionId": self.region})

    def create(
        self, node: str, model: str, description: str, token: str, replicas: int | None = None
    ) -> RawAnswer:
        """CreateModelService, of a service that admits nobody."""
        query = {
            "AiNodes": json.dumps([node], ensure_ascii=False, separators=(",", ":")),
            "DBInstanceId": self.instance,
            "Description": description,
            "ModelName": model,
            "Replicas": replicas,
            "SecurityIPList": NOBODY,
        }
        return self.ask("CreateModelService", query, {"ClientToken": token}, "ModelServiceId")

    def delete(self, service_id: str) -> RawAnswer:
        """DeleteModelService."""
        query = {"DBInstanceId": self.instance, "ModelServiceId": service_id}
        return self.ask("DeleteModelService", query)


def is_forbidden(answer: RawAnswer) -> bool:
    """Whether this action is not permitted, while others may be."""
    refusal = answer.refusal
    code = (refusal.code or "") if refusal else ""
    return (
        isinstance(refusal, AccessError)
        and not code.startswith(_OF_ALL_CALLS)
        and (refusal.status == 403 or code.startswith(("Forbidden", "NoPermission")))
    )


def is_absent(answer: RawAnswer, unknown: RawAnswer | None) -> bool:
    """
    Whether a describe says that there is no such service.

    Args:
        answer: The describe.
        unknown: What it says of a service that never was, if that is known.
    """
    if answer.elements is not None:
        return not shows(answer)
    refusal = answer.refusal
    same = unknown is not None and kind_of_refusal(answer) == kind_of_refusal(unknown)
    if same and not is_forbidden(answer):
        return True
    # Also by a code of no document: what passes, and what is not allowed, has codes of its own.
    plain = type(refusal) is ApiError and refusal.status in (400, 404)
    known = isinstance(refusal, NotFoundError) and not isinstance(refusal, InstanceNotFoundError)
    return known or plain


def kind_of_refusal(answer: RawAnswer) -> tuple[int | None, str | None] | None:
    """Status and code; None for a success."""
    return None if answer.refusal is None else (answer.refusal.status, answer.refusal.code)


def shows(answer: RawAnswer) -> bool:
    """Whether a describe shows a service, be it a deleted one."""
    elements = answer.elements or {}
    return id_of(elements) is not None or text(elements.get("Status")) is not None


def is_deleted(elements: Elements) -> bool:
    """Whether a service is shown as one that is no more."""
    word = text(elements.get("Status"))
    return ModelServiceDetails(ModelServiceId("-", "-"), status=word).is_deleted


def id_of(elements: Elements) -> str | None:
    """The id of a service."""
    value = elements.get("ModelServiceId")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return bare(value)


def items_of(page: RawAnswer) -> list[Elements]:
    """The services of a page."""
    return _maps((page.elements or {}).get("ModelServices"))


def pools_of(answer: RawAnswer) -> list[Elements]:
    """The pools of ListAINodePools."""
    return _maps((answer.elements or {}).get("AINodePoolInfos"))


def nodes_of(answer: RawAnswer) -> Iterator[Elements]:
    """The nodes of all pools."""
    for pool in pools_of(answer):
        yield from _maps(pool.get("AINodeInfos"))


def node_of(answer: RawAnswer, name: str) -> Elements | None:
    """A node by its name."""
    return next((one for one in nodes_of(answer) if bare(one.get("NodeName")) == name), None)


def is_bound(node: Elements | None) -> bool:
    """Whether something holds a node."""
    return node is not None and (text(node.get("BindStatus")) or "").lower() == "bound"


def model_names(answer: RawAnswer) -> list[str]:
    """The catalogue as it came."""
    names = (answer.elements or {}).get("ModelNames")
    if isinstance(names, dict):
        names = names.get("modelNames")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def node_names(elements: Elements) -> list[str]:
    """The nodes of a service, as they came but for white space around them."""
    value = elements.get("AiNodes")
    return [name for one in value if (name := bare(one))] if isinstance(value, list) else []


def whitelist_of(elements: Elements) -> object:
    """A service's whitelist as it came; None when there is none."""
    return next((elements[key] for key in WHITELIST_KEYS if key in elements), None)


def is_marked(elements: Elements) -> bool:
    """Whether a survey has made this service: its description begins with that of a run."""
    description = text(elements.get("Description")) or ""
    return re.match(rf"\s*{MARK} [0-9a-f]{{12}}(?!\w)", description, re.IGNORECASE) is not None


def admits_others(elements: Elements) -> bool:
    """Whether a service shows a whitelist that is not that of a survey."""
    return text(whitelist_of(elements)) is not None and not admits_nobody(elements)


def admits_nobody(elements: Elements) -> bool:
    """Whether a service shows the whitelist of a survey."""
    return whitelist_of(elements) in (NOBODY, f"{NOBODY}/32")


def number_of(elements: Elements, key: str) -> int | None:
    """A count, also one in a string."""
    value = elements.get(key)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object) -> str | None:
    """A string that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def bare(value: object) -> str | None:
    """A string without white space around it, else None."""
    return (text(value) or "").strip() or None


def _maps(value: object) -> list[Elements]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
