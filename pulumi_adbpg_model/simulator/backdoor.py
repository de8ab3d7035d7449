"""Changes made behind the API's back: drift, outside deletion, failures, holds.

Decision: apart from `cloud`, so that the rules of the API stay readable by themselves. Each
lever takes effect at once and is saved like any mutation; holds and announced failures are
test levers, not cloud state, and do not survive a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import pages
from .cloud import Cloud
from .progress import connect
from .records import SimulatedService
from .state import Service, State

_Change = Callable[[Service, Any], None]


def _plain(attribute: str) -> _Change:
    return lambda service, value: setattr(service, attribute, value)


def _change_whitelist(service: Service, value: Any) -> None:
    service.whitelist = value.split(",") if isinstance(value, str) else list(value)
    service.former_whitelists = []


def _change_nodes(service: Service, value: Any) -> None:
    service.ai_nodes = list(value)


def _change_params(service: Service, value: Any) -> None:
    service.model_params = dict(value)


def _change_status(service: Service, value: Any) -> None:
    service.status = value
    service.next_status = None
    service.status_before = None
    if value == "active":
        connect(service)


_CHANGES: dict[str, _Change] = {
    "model_name": _plain("model_name"),
    "ai_nodes": _change_nodes,
    "description": _plain("description"),
    "security_ip_list": _change_whitelist,
    "model_params": _change_params,
    "replicas": _plain("replicas"),
    "inference_engine": _plain("inference_engine"),
    "enable_public_connection": _plain("public"),
    "resource_group_id": _plain("resource_group_id"),
    "status": _change_status,
    "private_connect_url": _plain("private_url"),
    "public_connect_url": _plain("public_url"),
    "api_key": _plain("api_key"),
}


class Backdoor:
    """What tests may do to a cloud that its API does not offer."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def services(self) -> list[SimulatedService]:
        """Return every service, hidden or being deleted too, oldest first."""
        with self._cloud.reading() as state:
            return [pages.snapshot(service) for service in state.services.values()]

    def service(self, service_id: str) -> SimulatedService:
        """Return one service; KeyError when there is none."""
        with self._cloud.reading() as state:
            return pages.snapshot(_found(state, service_id))

    def change(self, service_id: str, fields: dict[str, Any]) -> SimulatedService:
        """Set fields of a service; a status set here stays."""
        unknown = sorted(fields.keys() - _CHANGES.keys())
        if unknown:
            msg = f"cannot change {', '.join(unknown)}; known: {', '.join(sorted(_CHANGES))}"
            raise TypeError(msg)
        with self._cloud.writing() as state:
            service = _found(state, service_id)
            for name, value in fields.items():
                _CHANGES[name](service, value)
            return pages.snapshot(service)

    def remove(self, service_id: str) -> None:
        """Delete a service outside the API's records."""
        with self._cloud.writing() as state:
            self._cloud.remove(_found(state, service_id))

    def attach_group(self, service_id: str, group: str) -> None:
        """Let a whitelist group of the instance reach a service; what it holds applies now."""
        with self._cloud.writing() as state:
            service = _found(state, service_id)
            if group not in service.groups:
                service.groups.append(group)
            instance = state.instances.get(service.instance_id)
            if instance is not None and group in instance.groups:
                _change_whitelist(service, instance.groups[group])

    def groups(self, instance_id: str) -> dict[str, tuple[str, ...]]:
        """Return the whitelist groups of an instance that were ever written."""
        with self._cloud.reading() as state:
            groups = state.instances[instance_id].groups
            return {name: tuple(entries) for name, entries in groups.items()}

    def hold(self, *, held: bool) -> None:
        """Keep deployments from ending, or let them end again."""
        self._cloud.hold(held=held)

    def fail_next(self, status: str) -> None:
        """Let the next created service end in a status other than active."""
        with self._cloud.writing():
            self._cloud.next_outcomes.append(status)

    def remove_instance(self, instance_id: str) -> None:
        """Delete an instance with its services."""
        with self._cloud.writing() as state:
            del state.instances[instance_id]
            for services in (state.services, state.deleted):
                for service in list(services.values()):
                    if service.instance_id == instance_id:
                        del services[service.id]


def _found(state: State, service_id: str) -> Service:
    if service_id not in state.services:
        msg = f"no model service {service_id}"
        raise KeyError(msg)
    return state.services[service_id]
