"""Changes made behind the API's back: drift, outside deletion, failures, holds.

Decision: apart from `cloud`, so that the rules of the API stay readable by themselves. Each
lever takes effect at once and is saved like any mutation; holds and announced failures are
test levers, not cloud state, and do not survive a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import checks, responses
from .cloud import Cloud
from .progress import connect
from .records import SimulatedService
from .state import Instance, Service, State

_Change = Callable[[Service, Any], None]
_Check = Callable[[str, Any], Any]


def _plain(attribute: str) -> _Change:
    return lambda service, value: setattr(service, attribute, value)


def _change_whitelist(service: Service, value: Any) -> None:
    service.whitelist = list(value)
    service.former_whitelists = []


def _change_status(service: Service, value: Any) -> None:
    service.status = value
    service.next_status = None
    service.status_before = None
    if value == "active":
        connect(service)


def _or_none(check: _Check) -> _Check:
    return lambda what, value: None if value is None else check(what, value)


def _whitelist(what: str, value: Any) -> list[str]:
    return value.split(",") if isinstance(value, str) else checks.texts(what, value)


_CHANGES: dict[str, tuple[_Check, _Change]] = {
    "model_name": (checks.name, _plain("model_name")),
    "ai_nodes": (checks.names, _plain("ai_nodes")),
    "description": (_or_none(checks.text), _plain("description")),
    "security_ip_list": (_whitelist, _change_whitelist),
    "model_params": (checks.mapping, _plain("model_params")),
    "replicas": (checks.count, _plain("replicas")),
    "inference_engine": (checks.name, _plain("inference_engine")),
    "enable_public_connection": (checks.flag, _plain("public")),
    "resource_group_id": (_or_none(checks.text), _plain("resource_group_id")),
    "status": (checks.name, _change_status),
    "private_connect_url": (_or_none(checks.text), _plain("private_url")),
    "public_connect_url": (_or_none(checks.text), _plain("public_url")),
    "api_key": (checks.text, _plain("api_key")),
}


class Backdoor:
    """What tests may do to a cloud that its API does not offer."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def services(self) -> list[SimulatedService]:
        """Return every service, hidden or being deleted too, oldest first."""
        with self._cloud.reading() as state:
            return [responses.snapshot(service) for service in state.services.values()]

    def service(self, service_id: str) -> SimulatedService:
        """Return one service; KeyError when there is none."""
        with self._cloud.reading() as state:
            return responses.snapshot(_found(state, service_id))

    def change(self, service_id: str, fields: dict[str, Any]) -> SimulatedService:
        """Set fields of a service; a status set here stays. All of them, or none."""
        unknown = sorted(fields.keys() - _CHANGES.keys())
        if unknown:
            msg = f"cannot change {', '.join(unknown)}; known: {', '.join(sorted(_CHANGES))}"
            raise TypeError(msg)
        with self._cloud.writing() as state:
            service = _found(state, service_id)
            values = {name: _CHANGES[name][0](name, value) for name, value in fields.items()}
            for name, value in values.items():
                _CHANGES[name][1](service, value)
            return responses.snapshot(service)

    def remove(self, service_id: str) -> None:
        """Delete a service outside the API's records."""
        with self._cloud.writing() as state:
            self._cloud.remove(_found(state, service_id))

    def attach_group(self, service_id: str, group: str) -> None:
        """Let a whitelist group of the instance reach a service; what it holds applies now."""
        checks.name("group", group)
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
            groups = _instance(state, instance_id).groups
            return {name: tuple(entries) for name, entries in groups.items()}

    def hold(self, *, held: bool) -> None:
        """Keep deployments from ending, or let them end again."""
        self._cloud.hold(held=held)

    def fail_next(self, status: str) -> None:
        """Let the next created service end in a status other than active."""
        checks.name("status", status)
        with self._cloud.writing():
            self._cloud.next_outcomes.append(status)

    def remove_instance(self, instance_id: str) -> None:
        """Delete an instance with its services."""
        with self._cloud.writing() as state:
            del state.instances[_instance(state, instance_id).id]
            for services in (state.services, state.deleted):
                for service in list(services.values()):
                    if service.instance_id == instance_id:
                        del services[service.id]


def _found(state: State, service_id: str) -> Service:
    """The service of an id, the API's `ms-…` or Pulumi's `gp-…:ms-…`."""
    instance_id, colon, own = checks.text("service_id", service_id).rpartition(":")
    service = state.services.get(own)
    if service is None or (colon and instance_id != service.instance_id):
        msg = f"no model service {service_id}"
        raise KeyError(msg)
    return service


def _instance(state: State, instance_id: str) -> Instance:
    instance = state.instances.get(checks.text("instance_id", instance_id))
    if instance is None:
        msg = f"no instance {instance_id}"
        raise KeyError(msg)
    return instance
