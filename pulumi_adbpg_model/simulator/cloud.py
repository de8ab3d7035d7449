"""The rules of the simulated cloud: one method per API action, named like it.

Decision: pure state and rules. No HTTP, no threads of its own, and the clock is given; each
method takes the request's parameters and returns the response's elements (without RequestId)
or raises `CloudError`. One lock makes each action atomic.

Not simulated: regions (RegionId is ignored, since the endpoint picks the region), permissions,
billing, quotas, any relation of Replicas to AiNodes, hidden whitelist groups.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from . import errors, responses
from .dialects import Dialects
from .history import History
from .parameters import (
    CreateRequest,
    Parameters,
    create_request,
    modify_mode,
    page,
    required,
)
from .placement import Placement
from .progress import Progress, touch_nodes
from .state import ACTIVE, DELETED, DELETING, DEPLOYING, Instance, Node, Service, State, Token
from .store import Store
from .whitelists import DEFAULT_WHITELIST, addresses, edited

_DEFAULT_GROUP = "default"

Elements = dict[str, Any]


class Cloud:
    """Instances, AI nodes, model services, client tokens and whitelist groups."""

    def __init__(
        self,
        *,
        region: str,
        models: Sequence[str],
        provision_seconds: float,
        delete_seconds: float,
        dialects: Dialects,
        whitelist_groups: Mapping[str, str],
        clock: Callable[[], float],
        store: Store | None,
    ) -> None:
        self.region = region
        self.models = tuple(models)
        self._placement = Placement(self.models, dialects)
        self._provision_seconds = provision_seconds
        self._dialects = dialects
        self._group_nodes = dict(whitelist_groups)
        self._clock = clock
        self._delete_seconds = delete_seconds
        self._store = store
        self._lock = threading.RLock()
        self._load()
        self._describes: Counter[str] = Counter()
        self.next_outcomes: list[str] = []

    def _load(self) -> None:
        self._state = self._store.load() if self._store else State()
        self._history = History(self._dialects.lists.age_seconds(), self._state)
        self._progress = Progress(self._dialects, self._history, self._delete_seconds)

    def catch_up(self) -> None:
        """Take over what another simulator has made of the state file since this one had it."""
        with self._lock:
            if self._store is not None and self._store.changed():
                held = self._progress.held
                self._load()
                self._progress.held = held

    @contextmanager
    def reading(self) -> Iterator[State]:
        """Give the state, with all that was due by now done."""
        with self._lock:
            if self._store is not None and not self._store.held:
                self.catch_up()
            if self._progress.settle(self._state, self._clock()):
                with suppress(BlockingIOError):  # who has the file settles it there
                    self._save()
            yield self._state

    @contextmanager
    def writing(self) -> Iterator[State]:
        """Give the state for a change, which is saved unless it is refused."""
        with self._lock, self._sole_writer(), self.reading() as state:
            yield state
            self._history.record(state, self._clock())
            self._save()

    @contextmanager
    def _sole_writer(self) -> Iterator[None]:
        if self._store is None or self._store.held:
            yield
            return
        with self._store.holding():
            self.catch_up()
            yield

    def _save(self) -> None:
        if self._store is not None:
            self._store.save(self._state)

    def add_instance(self, instance_id: str, nodes: Sequence[str]) -> None:
        """Make sure that an instance and its nodes exist; what is there already stays."""
        now = self._clock()
        with self.writing() as state:
            instance = state.instances.setdefault(instance_id, Instance(instance_id, now))
            for name in nodes:
                instance.nodes.setdefault(name, Node(name, now, now))

    def create_model_service(self, parameters: Parameters) -> Elements:
        """CreateModelService. A refused create does not use up its ClientToken.

        A token replays its service's id even after that service was deleted; tokens are kept
        for ever (the real retention is not documented).
        """
        with self.writing() as state:
            creation = self._dialects.creation
            request = create_request(parameters, creation.default_whitelist(DEFAULT_WHITELIST))
            instance = self._instance(request.instance_id)
            now = self._clock()
            self._placement.check_busy(state, instance, now)
            token = request.client_token if creation.honours_token() else None
            known = self._replayed(token) if token else None
            if known is not None:
                if known.fingerprint != request.fingerprint():
                    raise errors.token_mismatch()
                return {"ModelServiceId": known.service_id}
            self._placement.check(state, instance, request, now)
            service = self._new_service(request, now)
            state.services[service.id] = service
            touch_nodes(state, service, now)
            if token:
                state.tokens[token] = Token(request.fingerprint(), service.id, now)
            return {"ModelServiceId": service.id}

    def describe_model_service(self, parameters: Parameters) -> Elements:
        """DescribeModelService. What an unknown service answers is not documented."""
        with self.reading() as state:
            instance_id = required(parameters, "DBInstanceId")
            service_id = required(parameters, "ModelServiceId")
            self._instance(instance_id)
            describing = self._dialects.describing
            now = self._clock()
            service = _in(instance_id, state.services.get(service_id))
            if service is not None and not describing.hides(now - service.created_at):
                self._describes[service_id] += 1
                if not describing.flaps(self._describes[service_id]):
                    return responses.describe(service, self._dialects, now)
            deleted = _in(instance_id, state.deleted.get(service_id))
            if deleted is not None and describing.shows_deleted():
                return responses.describe(deleted, self._dialects, now)
            refusal = describing.gone()
            if refusal is None:
                return {}
            raise refusal

    def delete_model_service(self, parameters: Parameters) -> Elements:
        """DeleteModelService. Deleting what is being deleted succeeds again."""
        with self.writing() as state:
            instance_id = required(parameters, "DBInstanceId")
            service_id = required(parameters, "ModelServiceId")
            self._instance(instance_id)
            service = _in(instance_id, state.services.get(service_id))
            if service is None:
                if self._dialects.deletion.of_gone_succeeds():
                    return {}
                raise errors.service_not_found()
            if self._dialects.deletion.refuses(service.status):
                raise errors.instance_busy()
            if service.status != DELETING:
                self._progress.begin_delete(service, self._clock())
            return {}

    def list_model_services(self, parameters: Parameters) -> Elements:
        """ListModelServices, oldest first. A page past the end is empty."""
        with self.reading() as state:
            instance_id = required(parameters, "DBInstanceId")
            number, size = page(parameters)
            self._instance(instance_id)
            lists = self._dialects.lists
            moment = self._clock() - lists.age_seconds()
            services = [
                service
                for service in self._history.services(state, self._clock())
                if service.instance_id == instance_id
                and (service.status != DELETED or lists.keeps_deleted())
                and not self._dialects.describing.hides(moment - service.created_at)
            ]
            size = lists.page_size(size)
            return responses.listed(lists.order(services), number, size, self._dialects, moment)

    def list_support_models(self, _parameters: Parameters) -> Elements:
        """ListSupportModels: the same list for every instance."""
        return responses.models(self.models, self._dialects)

    def list_ai_node_pools(self, parameters: Parameters) -> Elements:
        """ListAINodePools."""
        with self.reading() as state:
            instance = self._instance(required(parameters, "DBInstanceId"))
            bound = self._placement.bound(state, instance.id, self._clock())
            return responses.node_pools(instance, bound, f"{self.region}-j", self._dialects)

    def modify_security_ips(self, parameters: Parameters) -> Elements:
        """ModifySecurityIps: edits a whitelist group of the instance.

        Which groups reach a model service is not documented. Here it is the group named like
        its id, one attached to it by a test, or one mapped to one of its nodes at start.
        A service keeps one list: creating sets it, and so does each edit of a group of its.
        """
        with self.writing():
            instance_id = required(parameters, "DBInstanceId")
            entries = addresses(required(parameters, "SecurityIPList"))
            mode = modify_mode(parameters)
            instance = self._instance(instance_id)
            group = parameters.get("DBInstanceIPArrayName") or _DEFAULT_GROUP
            reached = self._governed(instance_id, group)
            old = reached[0].whitelist if reached else instance.groups.get(group, [])
            new = edited(old, entries, mode)
            instance.groups[group] = new
            for service in reached:
                self._show_later(service)
                service.whitelist = list(new)
            return {}

    def bound(self, instance_id: str) -> set[str]:
        """Return the nodes that hold a service, or still seem to."""
        with self.reading() as state:
            return self._placement.bound(state, instance_id, self._clock())

    @property
    def held(self) -> bool:
        """Whether deployments are kept from ending."""
        return self._progress.held

    def hold(self, *, held: bool) -> None:
        """Keep deployments from ending, or let them end again."""
        with self.writing():
            self._progress.held = held

    def remove(self, service: Service) -> None:
        """Take a service out, outside the API. The caller is writing."""
        self._progress.remove(self._state, service, self._clock())

    def _new_service(self, request: CreateRequest, now: float) -> Service:
        return Service(
            id=f"ms-{secrets.token_hex(6)}",
            instance_id=request.instance_id,
            model_name=request.model_name,
            ai_nodes=list(request.ai_nodes),
            description=request.description,
            whitelist=list(request.whitelist),
            model_params=request.model_params,
            replicas=request.replicas,
            inference_engine=request.inference_engine,
            public=request.public,
            resource_group_id=request.resource_group_id,
            client_token=request.client_token,
            created_at=now,
            api_key=f"sk-{secrets.token_hex(16)}",
            status=DEPLOYING,
            next_status=self.next_outcomes.pop(0) if self.next_outcomes else ACTIVE,
            changes_at=now + self._provision_seconds,
            ready_at=now + self._provision_seconds,
        )

    def _replayed(self, token: str) -> Token | None:
        known = self._state.tokens.get(token)
        if known is None:
            return None
        alive = known.service_id in self._state.services
        age = self._clock() - known.created_at
        return known if self._dialects.creation.replays(age, alive=alive) else None

    def _instance(self, instance_id: str) -> Instance:
        instance = self._state.instances.get(instance_id)
        if instance is None:
            raise self._dialects.describing.no_instance()
        return instance

    def _of_instance(self, instance_id: str) -> list[Service]:
        return [s for s in self._state.services.values() if s.instance_id == instance_id]

    def _governed(self, instance_id: str, group: str) -> list[Service]:
        if not self._dialects.creation.modify_reaches():
            return []
        return [s for s in self._of_instance(instance_id) if group in self._groups(s)]

    def _show_later(self, service: Service) -> None:
        now, seconds = self._clock(), self._dialects.creation.modify_seconds()
        service.former_whitelists = [f for f in service.former_whitelists if now < f[0]]
        if seconds:
            service.former_whitelists.append((now + seconds, service.whitelist))

    def _groups(self, service: Service) -> set[str]:
        mapped = {group for group, node in self._group_nodes.items() if node in service.ai_nodes}
        return {service.id, *service.groups} | mapped


def _in(instance_id: str, service: Service | None) -> Service | None:
    return service if service is not None and service.instance_id == instance_id else None
