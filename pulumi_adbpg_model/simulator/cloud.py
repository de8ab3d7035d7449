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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from . import errors, pages
from .dialects import Dialects
from .parameters import (
    CreateRequest,
    Parameters,
    create_request,
    modify_mode,
    page,
    required,
)
from .state import Instance, Node, Service, State, Token
from .store import Store
from .whitelists import addresses, edited

ACTIVE = "active"
DELETING = "deleting"
# The page's own spelling.
DEPLOYING = "deployming"
_GONE = "gone"
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
        self._region = region
        self._models = tuple(models)
        self._provision_seconds = provision_seconds
        self._delete_seconds = delete_seconds
        self._dialects = dialects
        self._group_nodes = dict(whitelist_groups)
        self._clock = clock
        self._store = store
        self._state = store.load() if store else State()
        self._lock = threading.RLock()
        self.held = False
        self.next_outcomes: list[str] = []

    @contextmanager
    def reading(self) -> Iterator[State]:
        """Give the state, with all that was due by now done."""
        with self._lock:
            if self._settle():
                self._save()
            yield self._state

    @contextmanager
    def writing(self) -> Iterator[State]:
        """Give the state for a change, which is saved unless it is refused."""
        with self.reading() as state:
            yield state
            self._save()

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
            request = create_request(parameters)
            instance = self._instance(request.instance_id)
            token = request.client_token if self._dialects.honours_token() else None
            known = state.tokens.get(token) if token else None
            if known is not None:
                if known.fingerprint != request.fingerprint():
                    raise errors.token_mismatch()
                return {"ModelServiceId": known.service_id}
            self._check_placement(instance, request)
            service = self._new_service(request)
            state.services[service.id] = service
            self._touch_nodes(service, self._clock())
            if token:
                state.tokens[token] = Token(request.fingerprint(), service.id)
            return {"ModelServiceId": service.id}

    def describe_model_service(self, parameters: Parameters) -> Elements:
        """DescribeModelService. What an unknown service answers is not documented."""
        with self.reading():
            instance_id = required(parameters, "DBInstanceId")
            service_id = required(parameters, "ModelServiceId")
            self._instance(instance_id)
            for service in self._visible(instance_id):
                if service.id == service_id:
                    return pages.describe(service, self._dialects)
            status = self._dialects.gone_status()
            if status == 200:
                return {}
            raise errors.service_not_found(status)

    def delete_model_service(self, parameters: Parameters) -> Elements:
        """DeleteModelService. Deleting what is being deleted succeeds again."""
        with self.writing() as state:
            instance_id = required(parameters, "DBInstanceId")
            service_id = required(parameters, "ModelServiceId")
            self._instance(instance_id)
            service = state.services.get(service_id)
            if service is None or service.instance_id != instance_id:
                raise errors.service_not_found()
            if self._dialects.refuses_delete(service.status):
                raise errors.instance_busy()
            if service.status != DELETING:
                service.status = DELETING
                service.next_status = _GONE
                duration = self._dialects.delete_seconds(self._delete_seconds)
                service.changes_at = self._clock() + duration
            return {}

    def list_model_services(self, parameters: Parameters) -> Elements:
        """ListModelServices, oldest first. A page past the end is empty."""
        with self.reading():
            instance_id = required(parameters, "DBInstanceId")
            number, size = page(parameters)
            self._instance(instance_id)
            services = self._visible(instance_id)
            shown = services[(number - 1) * size : number * size]
            return {
                "ModelServices": [pages.list_item(s, self._dialects) for s in shown],
                "PageNumber": number,
                "PageRecordCount": len(shown),
                "TotalRecordCount": len(services),
            }

    def list_support_models(self, _parameters: Parameters) -> Elements:
        """ListSupportModels: the same list for every instance."""
        return {"ModelNames": {"modelNames": list(self._models)}}

    def list_ai_node_pools(self, parameters: Parameters) -> Elements:
        """ListAINodePools."""
        with self.reading():
            instance = self._instance(required(parameters, "DBInstanceId"))
            return pages.node_pools(instance, sorted(self._bound(instance.id)), f"{self._region}-j")

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
            reached = [s for s in self._of_instance(instance_id) if group in self._groups(s)]
            old = reached[0].whitelist if reached else instance.groups.get(group, [])
            new = edited(old, entries, mode)
            instance.groups[group] = new
            for service in reached:
                service.whitelist = list(new)
            return {}

    def _settle(self) -> bool:
        """Do what is due by now; tell whether anything was."""
        now = self._clock()
        due = [
            service
            for service in self._state.services.values()
            if service.next_status is not None
            and now >= service.changes_at
            and not (self.held and service.status == DEPLOYING)
        ]
        for service in due:
            if service.next_status == _GONE:
                self.remove(service)
                continue
            service.status, service.next_status = service.next_status or ACTIVE, None
            if service.status == ACTIVE:
                self.connect(service)
        return bool(due)

    def remove(self, service: Service) -> None:
        """Forget a service; its nodes become free. The caller is writing."""
        self._touch_nodes(service, self._clock())
        del self._state.services[service.id]

    @staticmethod
    def connect(service: Service) -> None:
        """Give an active service its addresses."""
        domain = f"{service.instance_id}.rds.aliyuncs.com"
        service.private_url = service.private_url or f"http://{service.id}.{domain}"
        if service.public:
            service.public_url = service.public_url or f"http://{service.id}-o.{domain}"

    def _new_service(self, request: CreateRequest) -> Service:
        now = self._clock()
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
        )

    def _check_placement(self, instance: Instance, request: CreateRequest) -> None:
        if request.model_name not in self._models:
            raise errors.invalid_parameter("ModelName", "the model is not supported")
        bound = self._bound(instance.id)
        for node in request.ai_nodes:
            if node not in instance.nodes:
                why = f"the instance has no AI node {node}"
                raise errors.invalid_parameter("AiNodes", why)
            if node in bound:
                raise errors.node_bound(node)

    def _instance(self, instance_id: str) -> Instance:
        instance = self._state.instances.get(instance_id)
        if instance is None:
            raise errors.instance_not_found()
        return instance

    def _of_instance(self, instance_id: str) -> list[Service]:
        return [s for s in self._state.services.values() if s.instance_id == instance_id]

    def _visible(self, instance_id: str) -> list[Service]:
        now = self._clock()
        services = self._of_instance(instance_id)
        return [s for s in services if not self._dialects.hides(now - s.created_at)]

    def _bound(self, instance_id: str) -> set[str]:
        return {node for s in self._of_instance(instance_id) for node in s.ai_nodes}

    def _touch_nodes(self, service: Service, now: float) -> None:
        instance = self._state.instances.get(service.instance_id)
        for name in service.ai_nodes:
            if instance is not None and name in instance.nodes:
                instance.nodes[name].updated_at = now

    def _groups(self, service: Service) -> set[str]:
        mapped = {group for group, node in self._group_nodes.items() if node in service.ai_nodes}
        return {service.id, *service.groups} | mapped
