"""A cloud in memory and a clock that never sleeps: what `lifecycle` works with in these tests."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, cast

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Submission,
)
from pulumi_adbpg_model.errors import (
    BusyError,
    InstanceNotFoundError,
    NotFoundError,
    QuotaError,
    ServerError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle import (
    Memory,
    Operation,
    OwnedError,
    Ownership,
    Standing,
    Tokens,
)

INSTANCE = "gp-demo"
SPEC = ModelServiceSpec(INSTANCE, "Qwen3-8B", ("ai-1",))
NOBODY = ("127.0.0.1",)
#: Those of `SPEC`, with a token of the program's own and without.
DERIVED = Tokens("5eed")
OWN = Tokens("5eed", "t-1")
#: Seconds after which a thread that a test waits for is stuck.
PATIENCE_S = 10.0


class FakeClock:
    """Time that passes only when something sleeps or takes its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cancelled = False
        self.sleeps: list[float] = []
        self._due: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0, "nothing can sleep backwards"
        self.sleeps.append(seconds)
        if not self.cancelled:
            # A pause too short for the number still takes time, as a real one does.
            self.advance(max(seconds, math.ulp(self.now)))

    def advance(self, seconds: float) -> None:
        """Let time pass, doing on the way what is due; a cancel ends it."""
        end = self.now + seconds
        while not self.cancelled and self._due and self._due[0][0] <= end:
            when, action = self._due.pop(0)
            self.now = max(self.now, when)
            action()
        if not self.cancelled:
            self.now = end

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something once that time has come."""
        self._due = sorted([*self._due, (when, action)], key=lambda due: due[0])

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Voice:
    """A reporter that remembers."""

    progressed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def progress(self, message: str) -> None:
        self.progressed.append(message)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@dataclass
class FakeOwners(Ownership):
    """Says of services what it is told to, and remembers what was claimed."""

    standings: dict[ModelServiceId, Standing] = field(default_factory=dict)
    #: Those that another resource has, and those that the resource had.
    others: set[ModelServiceId] = field(default_factory=set)
    former: set[ModelServiceId] = field(default_factory=set)
    #: What is said of whose a service was.
    whose: str | None = None
    before: bool = False
    claims: list[tuple[ModelServiceId, bool]] = field(default_factory=list)
    releases: list[ModelServiceId] = field(default_factory=list)

    def claim(self, urn: str, service: ModelServiceId, *, existed: bool) -> str | None:
        self.claims.append((service, existed))
        if service in self.others:
            raise OwnedError(f"{service} is another's")
        return self.whose

    def release(self, urn: str, service: ModelServiceId) -> None:
        self.releases.append(service)

    def is_former(self, urn: str, service: ModelServiceId, *, existed: bool) -> bool:
        return existed and service in self.former

    def created_before(self, urn: str) -> bool:
        return self.before

    def is_left_in(self, urn: str, adopted: ModelServiceId) -> bool:
        return self.before

    def standing(self, urn: str, service: ModelServiceId, node: str) -> Standing:
        return self.standings.get(service) or super().standing(urn, service, node)


@dataclass(frozen=True)
class Call:
    """One call as it arrived."""

    action: str
    at_s: float
    about: str
    remaining_s: float


@dataclass
class FakeService:
    """A service, with the status words that its next describes show; the last one stays."""

    details: ModelServiceDetails
    statuses: list[str | None]
    shows_at_s: float = 0.0
    listed: bool = True


class _Bound:
    """A cloud that is called within a deadline."""

    def __init__(self, cloud: FakeCloud, deadline: Deadline) -> None:
        self._cloud = cloud
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        self._cloud.deadline = self._deadline
        return getattr(self._cloud, name)


class FakeCloud:
    """`ModelServiceApi` in memory. Every call may be scripted to fail, and takes `call_s`."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.deadline = Deadline.after(clock, math.inf)
        self.calls: list[Call] = []
        self.services: dict[ModelServiceId, FakeService] = {}
        self.tokens: dict[str, ModelServiceId] = {}
        #: Whether it takes each create for another, whatever its token.
        self.ignores_tokens = False
        #: What it adds to the time at which it creates a service.
        self.skew_s = 0.0
        self.groups: dict[str, tuple[str, ...]] = {}
        self.nodes = ["ai-1", "ai-2", "ai-3"]
        self.models = ["Qwen3-8B", "Qwen3-Embedding-8B"]
        #: Those that are held by services that do not show it.
        self.bound: set[str] = set()
        self.visible = True
        self.call_s = 0.0
        #: What a new service is like.
        self.statuses: list[str | None] = ["active"]
        self.hidden_s = 0.0
        self.whitelist: tuple[str, ...] | None = NOBODY
        #: Which whitelist group reaches which service.
        self.reach: dict[str, ModelServiceId] = {}
        #: What a delete leads to: gone after so many further describes.
        self.delete_polls = 0
        self._faults: dict[str, list[Exception]] = {}
        self._standing: dict[str, Exception] = {}
        self._dying: dict[ModelServiceId, int] = {}

    # Scripting

    def fail(self, action: str, *errors: Exception) -> None:
        """Let the next calls of an action fail, one after the other."""
        self._faults.setdefault(action, []).extend(errors)

    def fail_always(self, action: str, error: Exception) -> None:
        self._standing[action] = error

    def heal(self) -> None:
        self._faults.clear()
        self._standing.clear()

    def add(
        self, name: str = "ms-old", *nodes: str, status: str | None = "active", **fields: object
    ) -> ModelServiceId:
        """Put a service there, as an earlier run or somebody else would have."""
        service = ModelServiceId(INSTANCE, name)
        details = ModelServiceDetails(
            service,
            status=status,
            model_name="Qwen3-8B",
            ai_nodes=nodes or ("ai-1",),
            security_ip_list=NOBODY,
            create_time=self._stamp(),
        )
        self.services[service] = FakeService(
            dataclasses.replace(details, **fields),  # type: ignore[arg-type]
            [status],
        )
        return service

    def appear(self, name: str) -> None:
        """`add`, as something that the clock can do."""
        self.add(name)

    def remove(self, service: ModelServiceId) -> None:
        del self.services[service]

    def times(self, action: str) -> list[float]:
        return [call.at_s for call in self.calls if call.action == action]

    def abouts(self, action: str) -> list[str]:
        return [call.about for call in self.calls if call.action == action]

    # The API

    def create_model_service(self, spec: ModelServiceSpec, client_token: str) -> Submission:
        self._called("create", client_token)
        known = self.tokens.get(client_token)
        if known is not None and not self.ignores_tokens:
            return Submission(known, "REQ-replayed")
        held = {n for s in self.services.values() for n in s.details.ai_nodes or ()}
        for node in spec.ai_nodes:
            if node in held:
                raise busy("OperationDenied.AINodeBound")
        service = ModelServiceId(spec.db_instance_id, f"ms-{len(self.tokens) + 1}")
        self.tokens[client_token] = service
        self.services[service] = FakeService(
            ModelServiceDetails(
                service,
                model_name=spec.model_name,
                ai_nodes=spec.ai_nodes,
                description=spec.description,
                security_ip_list=spec.security_ip_list or self.whitelist,
                create_time=self._stamp(),
            ),
            list(self.statuses),
            self.clock.now + self.hidden_s,
        )
        return Submission(service, "REQ-created")

    def describe_model_service(self, service: ModelServiceId) -> ModelServiceDetails:
        self._called("describe", str(service))
        if service in self._dying:
            self._dying[service] -= 1
            if self._dying[service] < 0:
                self.services.pop(service, None)
        found = self.services.get(service)
        if found is None or self.clock.now < found.shows_at_s:
            raise not_found(str(service))
        status = found.statuses[0]
        if len(found.statuses) > 1:
            found.statuses.pop(0)
        return dataclasses.replace(found.details, status=status)

    def delete_model_service(self, service: ModelServiceId) -> None:
        self._called("delete", str(service))
        if service not in self.services:
            raise not_found(str(service))
        if self.delete_polls:
            self.services[service].statuses = ["deleting"]
            self._dying.setdefault(service, self.delete_polls)
        else:
            self.remove(service)

    def list_model_services(self, db_instance_id: str) -> Sequence[ModelServiceDetails]:
        self._called("list", db_instance_id)
        return [
            found.details
            for found in self.services.values()
            if found.listed and self.clock.now >= found.shows_at_s
        ]

    def list_ai_nodes(self, db_instance_id: str) -> Sequence[AiNode]:
        self._called("nodes", db_instance_id)
        held = {n for s in self.services.values() for n in s.details.ai_nodes or ()} | self.bound
        return [AiNode(name, None, None, name in held) for name in self.nodes]

    def list_supported_models(self) -> Sequence[str]:
        self._called("models", "")
        return self.models

    def modify_security_ips(self, db_instance_id: str, group: str, entries: Sequence[str]) -> None:
        self._called("modify", f"{db_instance_id} {group} {','.join(entries)}")
        self.groups[group] = tuple(entries)
        reached = self.reach.get(group)
        if reached is not None:
            self.set_whitelist(reached, entries)

    def set_whitelist(self, service: ModelServiceId, entries: Iterable[str] | None) -> None:
        found = self.services[service]
        new = None if entries is None else tuple(entries)
        found.details = dataclasses.replace(found.details, security_ip_list=new)

    def _stamp(self) -> str:
        """The time, as the API page writes it: whole seconds."""
        now = datetime.fromtimestamp(self.clock.time() + self.skew_s, timezone.utc)
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def within(self, deadline: Deadline) -> FakeCloud:
        return cast("FakeCloud", _Bound(self, deadline))

    def _called(self, action: str, about: str) -> None:
        self.calls.append(Call(action, self.clock.now, about, self.deadline.remaining_s))
        self.clock.advance(self.call_s)
        queued = self._faults.get(action)
        if queued:
            raise queued.pop(0)
        if action in self._standing:
            raise self._standing[action]
        if not self.visible:
            raise InstanceNotFoundError(
                "Call", "of it", "no such instance", code="InvalidDBInstanceId.NotFound"
            )


def operation(
    cloud: FakeCloud,
    voice: Voice,
    limit_s: float = 3600.0,
    *,
    max_poll_interval_s: float | None = None,
    deleted: set[ModelServiceId] | None = None,
    owners: Ownership | None = None,
) -> Operation:
    """One operation that starts now."""
    deadline = Deadline.after(cloud.clock, limit_s)
    return Operation(
        cloud.within(deadline),
        cloud.clock,
        deadline,
        voice,
        max_poll_interval_s,
        owners=Ownership() if owners is None else owners,
        memory=Memory() if deleted is None else Memory(deleted),
    )


def busy(code: str = "OperationDenied.DBInstanceStatus") -> BusyError:
    return BusyError("CreateModelService", f"in instance {INSTANCE}", "not now", code=code)


def not_found(about: str = "it") -> NotFoundError:
    return NotFoundError("DescribeModelService", about, "not there", code="ModelService.NotFound")


def quota() -> QuotaError:
    return QuotaError(
        "CreateModelService", f"in instance {INSTANCE}", "no more", code="QuotaNotEnough"
    )


def outage() -> TransportError:
    return TransportError("DescribeModelService", "of it", "the cloud cannot be reached")


def fault() -> ServerError:
    return ServerError("DescribeModelService", "of it", "a fault", code="InternalError", status=500)
