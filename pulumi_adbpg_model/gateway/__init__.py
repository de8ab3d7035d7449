"""
The cloud's API in the package's own terms: the only importer of `alibabacloud_*`.

`Gateway` has one method per action. Each builds the request that the official generated SDK would
build, sends it under one retry policy, and gives back `domain` values or raises `errors`; no SDK
type leaves this package. API pages: https://www.alibabacloud.com/help/en/analyticdb/
analyticdb-for-postgresql/developer-reference/api-gpdb-2016-05-03-overview
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import NotFoundError, TransportError
from pulumi_adbpg_model.gateway import _wire
from pulumi_adbpg_model.gateway._client import Client
from pulumi_adbpg_model.gateway._retry import RetryPolicy, call_with_retry
from pulumi_adbpg_model.settings import Settings

__all__ = ["Gateway", "RetryPolicy"]

_PAGE_SIZE = 100
#: Stops a cloud that pages without end: 1000 pages hold 100,000 services.
_MAX_PAGES = 1000
_READ_TIMEOUT_S = 10.0


class _Clock(Protocol):
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...
    @property
    def cancelled(self) -> bool: ...


class Gateway:
    """
    Calls to one region's endpoint with one set of credentials. Safe to share between threads.

    Every method may raise `ApiError`, `TransportError`, or `ConfigurationError` when there are no
    credentials. `budget_s` bounds a call with all its retries, in seconds, below the policy's own
    bound; a call that is under way is not cut short by it.
    """

    def __init__(
        self,
        settings: Settings,
        clock: _Clock,
        policy: RetryPolicy | None = None,
        *,
        read_timeout_s: float = _READ_TIMEOUT_S,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._client = Client(settings, read_timeout_s)

    @property
    def region(self) -> str | None:
        """The region that is called; None when only an endpoint is set."""
        return self._settings.region

    def create_model_service(
        self, spec: ModelServiceSpec, client_token: str, *, budget_s: float | None = None
    ) -> Submission:
        """CreateModelService. Retried with the same token only, so at most one is created."""
        body = self._call(
            "CreateModelService",
            f"in instance {spec.db_instance_id}",
            _wire.create_query(spec),
            _wire.create_body(spec, client_token),
            budget_s=budget_s,
        )
        service_id = _wire.text(body.get("ModelServiceId"))
        if service_id is None:
            raise TransportError(
                "CreateModelService",
                f"in instance {spec.db_instance_id}",
                "the answer names no ModelServiceId",
                hint="Run `pulumi up` again: the same client token finds what was created.",
            )
        return Submission(
            ModelServiceId(spec.db_instance_id, service_id), _wire.text(body.get("RequestId"))
        )

    def describe_model_service(
        self, service: ModelServiceId, *, budget_s: float | None = None
    ) -> ModelServiceDetails:
        """
        DescribeModelService.

        Raises:
            NotFoundError: Also when the answer is a success that describes nothing.
        """
        body = self._call(
            "DescribeModelService", str(service), _wire.service_query(service), budget_s=budget_s
        )
        details = _wire.described(service, body)
        if details is None:
            raise NotFoundError(
                "DescribeModelService",
                str(service),
                "the answer describes no service",
                request_id=_wire.text(body.get("RequestId")),
            )
        return details

    def delete_model_service(
        self, service: ModelServiceId, *, budget_s: float | None = None
    ) -> None:
        """DeleteModelService. Safe to repeat; returns when the cloud accepts it."""
        self._call(
            "DeleteModelService", str(service), _wire.service_query(service), budget_s=budget_s
        )

    def list_model_services(
        self, db_instance_id: str, *, budget_s: float | None = None
    ) -> list[ModelServiceDetails]:
        """
        ListModelServices, all pages: the list is complete or the call raises.

        Raises:
            TransportError: The pages do not add up to the total that the cloud names.
        """
        subject = f"of instance {db_instance_id}"
        found: dict[str, ModelServiceDetails] = {}
        for page in range(1, _MAX_PAGES + 1):
            query = _wire.list_query(db_instance_id, self.region, page, _PAGE_SIZE)
            body = self._call("ListModelServices", subject, query, budget_s=budget_s)
            items = _wire.listed(db_instance_id, body)
            if items is None:
                raise TransportError(
                    "ListModelServices", subject, "the answer holds no list of services"
                )
            fresh = {item.id.model_service_id: item for item in items}
            grew = fresh.keys() - found.keys()
            found.update(fresh)
            total = _wire.count(body.get("TotalRecordCount"))
            if len(found) == total:
                return list(found.values())
            if grew:
                continue
            # No more come. A total that is missing, or below what was shown, does not count.
            if total is None or len(found) > total:
                return list(found.values())
            raise TransportError(
                "ListModelServices",
                subject,
                f"the pages hold {len(found)} services, the total says {total}",
            )
        raise TransportError("ListModelServices", subject, "the list has no end")

    def list_ai_nodes(self, db_instance_id: str, *, budget_s: float | None = None) -> list[AiNode]:
        """ListAINodePools, flattened to its nodes."""
        body = self._call(
            "ListAINodePools",
            f"of instance {db_instance_id}",
            _wire.instance_query(db_instance_id, self.region),
            budget_s=budget_s,
        )
        return _wire.nodes(body)

    def modify_security_ips(
        self,
        db_instance_id: str,
        group: str,
        entries: Sequence[str],
        *,
        budget_s: float | None = None,
    ) -> None:
        """ModifySecurityIps: covers one named whitelist group. Safe to repeat."""
        self._call(
            "ModifySecurityIps",
            f"of group {group} of instance {db_instance_id}",
            _wire.whitelist_query(db_instance_id, group, entries),
            budget_s=budget_s,
        )

    def _call(
        self,
        action: str,
        subject: str,
        query: dict[str, object],
        body: dict[str, object] | None = None,
        *,
        budget_s: float | None,
    ) -> dict[str, object]:
        return call_with_retry(
            lambda: self._client.call(action, subject, query, body),
            policy=self._policy.within(budget_s),
            clock=self._clock,
        )
