"""
The cloud's API in the package's own terms: the only importer of `alibabacloud_*`.

`Gateway` has one method per action. Each builds the request that the official generated SDK would
build, sends it under one retry policy, and gives back `domain` values or raises `errors`; no SDK
type leaves this package. API pages: https://www.alibabacloud.com/help/en/analyticdb/
analyticdb-for-postgresql/developer-reference/api-gpdb-2016-05-03-overview
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.clock import Clock, Deadline
from pulumi_adbpg_model.domain import (
    AiNode,
    Caller,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import ApiError, TransportError
from pulumi_adbpg_model.gateway import _wire
from pulumi_adbpg_model.gateway._client import Client
from pulumi_adbpg_model.gateway._endpoints import endpoint_of
from pulumi_adbpg_model.gateway._retry import RetryPolicy, call_with_retry
from pulumi_adbpg_model.gateway._time import time_ahead_s
from pulumi_adbpg_model.settings import Settings

__all__ = ["Gateway", "RawAnswer", "RetryPolicy", "endpoint_of", "time_ahead_s"]

_PAGE_SIZE = 100
#: Stops a cloud that pages without end: 1000 pages hold 100,000 services.
_MAX_PAGES = 1000
_READ_TIMEOUT_S = 10.0
#: A list that changes between its pages is read again, so often.
_MAX_READINGS = 3

_T = TypeVar("_T")
_Object = dict[str, object]


@dataclass(frozen=True)
class RawAnswer:
    """What the cloud said to one call, unread. The elements hold keys: no text may show them."""

    #: The JSON object of a success; None for a refusal.
    elements: Mapping[str, object] | None = field(repr=False)
    #: The refusal; None for a success.
    refusal: ApiError | None
    #: How long the last attempt took, in seconds.
    seconds: float
    #: How far this machine's clock was ahead of the answer's date, in seconds; None without one.
    ahead_s: float | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether a write that is refused may have been applied, now or by an earlier attempt."""
        return self.refusal is not None and self.refusal.in_doubt


class Gateway:
    """
    Calls to one region's endpoint with one set of credentials. Safe to share between threads.

    Every method may raise `ApiError`, `TransportError`, or `ConfigurationError` when there are no
    credentials.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        policy: RetryPolicy | None = None,
        *,
        read_timeout_s: float = _READ_TIMEOUT_S,
        redact: Callable[[str], str] = str,
    ) -> None:
        """
        Make one; it calls nothing yet.

        Args:
            settings: Where to call, and as whom.
            clock: Bounds the retries; a cancel ends them.
            policy: How a call is repeated.
            read_timeout_s: How long the cloud may be silent, in seconds.
            redact: Takes out of the cloud's own words what no text may show.
        """
        self._settings = settings
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._deadline: Deadline | None = None
        self._client = Client(settings, clock, read_timeout_s, redact)

    def within(self, deadline: Deadline) -> Gateway:
        """
        The same gateway, each of whose calls ends with all its retries by a deadline.

        One attempt is always made, and what is under way is not cut short.
        """
        bound = copy(self)
        bound._deadline = deadline  # noqa: SLF001 - its own
        return bound

    @property
    def region(self) -> str | None:
        """The region that is called; None when only an endpoint is set."""
        return self._settings.region

    def find_credentials(self) -> str:
        """
        Look for credentials, without calling the API.

        Returns:
            Where they were found, and whether they are temporary; nothing of themselves.

        Raises:
            ConfigurationError: There are none, or they do not work.
        """
        return self._client.find_credentials()

    def find_caller(self) -> Caller:
        """
        GetCallerIdentity of STS, which needs no permission. Not repeated.

        Raises:
            TransportError: The answer names no account.
        """
        client = self._client.for_sts()
        subject = "of the credentials"
        return _call_once(client, "GetCallerIdentity", subject, {}, None, _wire.caller)

    def create_model_service(self, spec: ModelServiceSpec, client_token: str) -> Submission:
        """CreateModelService. Retried with the same token only, so at most one is created."""
        return self._call(
            "CreateModelService",
            f"in instance {spec.db_instance_id}",
            _wire.create_query(spec),
            _wire.create_body(spec, client_token),
            read=partial(_wire.submission, spec.db_instance_id),
        )

    def describe_model_service(self, service: ModelServiceId) -> ModelServiceDetails:
        """
        DescribeModelService.

        Raises:
            NotFoundError: Also when the answer is a success that describes nothing.
        """
        read, query = partial(_wire.described, service), _wire.service_query(service)
        return self._call("DescribeModelService", str(service), query, read=read)

    def delete_model_service(self, service: ModelServiceId) -> None:
        """DeleteModelService. Safe to repeat; returns when the cloud accepts it."""
        self._call("DeleteModelService", str(service), _wire.service_query(service), read=bool)

    def list_model_services(self, db_instance_id: str) -> list[ModelServiceDetails]:
        """
        ListModelServices, all pages: the list is complete or the call raises.

        Raises:
            TransportError: The pages do not add up to one total, also when read again, or there
                is no time for that.
        """
        deadline = self._deadline or Deadline.after(self._clock, self._policy.seconds)
        reason = "the pages do not add up to the total"
        for _ in range(_MAX_READINGS):
            services = self.within(deadline)._list_once(db_instance_id, deadline)  # noqa: SLF001
            if services is not None:
                return services
            if deadline.expired:
                reason = "there was no time to read all pages"
                break
        subject, hint = f"of instance {db_instance_id}", "Run the command again later."
        raise TransportError("ListModelServices", subject, reason, hint=hint)

    def _list_once(
        self, db_instance_id: str, deadline: Deadline
    ) -> list[ModelServiceDetails] | None:
        """One reading of all pages; None when the list changed between them."""
        read, subject = partial(_wire.listed, db_instance_id), f"of instance {db_instance_id}"
        found: dict[str, ModelServiceDetails] = {}
        first_total: int | None = None
        for page in range(1, _MAX_PAGES + 1):
            query = _wire.list_query(db_instance_id, self.region, page, _PAGE_SIZE)
            items, total = self._call("ListModelServices", subject, query, read=read)
            if page == 1:
                first_total = total
            elif total != first_total:
                return None
            fresh = {item.id.model_service_id: item for item in items}
            grew = fresh.keys() - found.keys()
            found.update(fresh)
            if len(found) == total:
                return list(found.values())
            # A total that is missing, or below what was shown, does not count.
            if not grew and (total is None or len(found) > total):
                return list(found.values())
            if not grew or (page > 1 and deadline.expired):
                return None
        return None

    def list_ai_nodes(self, db_instance_id: str) -> list[AiNode]:
        """
        ListAINodePools, flattened to its nodes.

        Raises:
            TransportError: The answer holds something else.
        """
        subject = f"of instance {db_instance_id}"
        query = _wire.instance_query(db_instance_id, self.region)
        return self._call("ListAINodePools", subject, query, read=_wire.nodes)

    def list_supported_models(self) -> list[str]:
        """
        ListSupportModels: the names of the models that the region can deploy.

        Raises:
            TransportError: The answer holds no list.
        """
        subject = f"of region {self.region}" if self.region else "of the endpoint"
        query = _wire.region_query(self.region)
        return self._call("ListSupportModels", subject, query, read=_wire.models)

    def modify_security_ips(self, db_instance_id: str, group: str, entries: Sequence[str]) -> None:
        """ModifySecurityIps: covers one named whitelist group. Safe to repeat."""
        subject = f"of group {group} of instance {db_instance_id}"
        query = _wire.whitelist_query(db_instance_id, group, entries)
        self._call("ModifySecurityIps", subject, query, read=bool)

    def ask(
        self,
        action: str,
        subject: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None = None,
        *,
        needs: str | None = None,
    ) -> RawAnswer:
        """
        Make a call by its wire names, and return the answer as it came, a refusal too.

        It is repeated like any other, so a create only with the same client token.

        Args:
            action: Name of the action.
            subject: What it is about, for errors.
            query: Parameters in the query.
            body: Parameters in the form body.
            needs: An element without which a success is no answer.

        Raises:
            TransportError: No usable answer came.
        """
        clock, started = self._clock, self._clock.monotonic()

        def once() -> RawAnswer:
            nonlocal started
            started = clock.monotonic()
            form = None if body is None else dict(body)
            elements, headers = self._client.answer(action, subject, dict(query), form)
            if needs is not None and _wire.identifier(elements.get(needs)) is None:
                raise TransportError(action, subject, f"the answer names no {needs}")
            seconds, date = clock.monotonic() - started, headers.get("date")
            try:
                sent = None if date is None else parsedate_to_datetime(date).timestamp()
            except ValueError:
                sent = None
            return RawAnswer(elements, None, seconds, None if sent is None else clock.time() - sent)

        try:
            return call_with_retry(once, policy=self._policy, clock=clock, deadline=self._deadline)
        except ApiError as refusal:
            return RawAnswer(None, refusal, clock.monotonic() - started)

    def _call(
        self,
        action: str,
        subject: str,
        query: _Object,
        body: _Object | None = None,
        *,
        read: Callable[[_Object], _T],
    ) -> _T:
        """Call and read the answer; one that cannot be read counts as none, and is retried."""
        with tracing.span(action, calls=True):
            return call_with_retry(
                lambda: _call_once(self._client, action, subject, query, body, read),
                policy=self._policy,
                clock=self._clock,
                deadline=self._deadline,
            )


def _call_once(
    client: Client,
    action: str,
    subject: str,
    query: _Object,
    body: _Object | None,
    read: Callable[[_Object], _T],
) -> _T:
    answer = client.call(action, subject, query, body)
    try:
        return read(answer)
    except _wire.UnreadableError as error:
        raise TransportError(action, subject, str(error)) from None
