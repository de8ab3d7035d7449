"""`list`, `models`, `nodes` and `api-key`: what an instance and its region have. Read-only."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.text import Text

from pulumi_adbpg_model.cli._cloud import instance_option, json_option, with_settings
from pulumi_adbpg_model.cli._output import print_json, print_table
from pulumi_adbpg_model.cli._streams import say, writable
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import (
    AiNode,
    ModelServiceDetails,
    ModelServiceId,
    Phase,
    printable,
)
from pulumi_adbpg_model.errors import AdbpgModelError, OperationError
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.lifecycle import inventory
from pulumi_adbpg_model.settings import Settings

_STYLES = {
    Phase.ACTIVE: "green",
    Phase.FAILED: "red",
    Phase.PENDING: "yellow",
    Phase.LEAVING: "yellow",
}


@click.command("list")
@instance_option
@json_option
@with_settings
def list_services(settings: Settings, instance: str, *, as_json: bool) -> None:
    """List the model services of an instance, whoever created them. Shows no API key."""
    services = inventory(Gateway(settings, SystemClock()), instance)
    if as_json:
        print_json({"services": [service.public_fields for service in services]})
        return
    print_table(
        ["ID", "Status", "Model", "Nodes", "URL"],
        [
            [
                service.id,
                _status(service),
                service.model_name,
                ", ".join(service.ai_nodes or ()),
                service.private_connect_url,
            ]
            for service in services
        ],
        empty=f"Instance {instance} has no model services.",
        whole=["ID"],
    )


@click.command()
@json_option
@with_settings
def models(settings: Settings, *, as_json: bool) -> None:
    """List the models that the region can deploy, as `model_name` takes them."""
    names = Gateway(settings, SystemClock()).list_supported_models()
    if as_json:
        print_json({"region_id": settings.region, "model_names": names})
        return
    print_table(["Model"], [[name] for name in names], empty="The region lists no models.")


@click.command()
@instance_option
@json_option
@with_settings
def nodes(settings: Settings, instance: str, *, as_json: bool) -> None:
    """
    List the AI nodes of an instance, and what holds each.

    The services are listed too, because the node itself need not say which one holds it. `?` stands
    where a node is bound and no service names it, or the services cannot be listed.
    """
    gateway = Gateway(settings, SystemClock())
    found = gateway.list_ai_nodes(instance)
    try:
        services = gateway.list_model_services(instance)
    except AdbpgModelError as error:
        say(f"Note: who holds a node is not known: {printable(str(error))}", err=True)
        services = []
    holders = {name: service for service in services for name in service.ai_nodes or ()}
    if as_json:
        print_json({"nodes": [_node_json(node, holders.get(node.name)) for node in found]})
        return
    print_table(
        ["Node", "State", "Held by", "Model", "Spec"],
        [_node_row(node, holders.get(node.name)) for node in found],
        empty=f"Instance {instance} has no AI nodes.",
        whole=["Node", "Held by"],
    )


def _service_id(_context: click.Context, _parameter: click.Parameter, value: str) -> ModelServiceId:
    try:
        return ModelServiceId.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("api-key")
@click.argument("service", metavar="ID", callback=_service_id)
@json_option
@with_settings
def api_key(settings: Settings, service: ModelServiceId, *, as_json: bool) -> None:
    """
    Print the API key of a model service, and nothing else.

    ID is the service's id in Pulumi, such as gp-abc:ms-123; `list` shows it.
    """
    details = Gateway(settings, SystemClock()).describe_model_service(service)
    key = details.api_key
    if key is None:
        raise OperationError(
            f"model service {service} has no API key: {details.why_no_api_key}. "
            f"See `pulumi-adbpg-model list --instance {service.db_instance_id}`."
        )
    if not key.isprintable():
        raise OperationError(f"the API key of {service} holds control characters: not printed.")
    if as_json:
        print_json({"id": str(service), "api_key": key})
    elif writable(key, sys.stdout) != key:
        raise OperationError(
            f"the API key of {service} has characters that stdout cannot write: not printed. Use "
            "--json, or set PYTHONIOENCODING=utf-8."
        )
    else:
        say(key)


def _status(service: ModelServiceDetails) -> Text | None:
    return Text(service.status, _STYLES[service.phase]) if service.status else None


def _node_row(node: AiNode, holder: ModelServiceDetails | None) -> Sequence[object]:
    state = Text("bound", "yellow") if node.bound else Text("free", "green")
    if holder is not None:
        return [node.name, state, holder.id, holder.model_name, node.spec]
    if not node.bound:
        return [node.name, state, None, None, node.spec]
    held_by = f"? ({node.bound_to})" if node.bound_to else "?"
    return [node.name, state, held_by, "?", node.spec]


def _node_json(node: AiNode, holder: ModelServiceDetails | None) -> dict[str, Any]:
    return {
        **dataclasses.asdict(node),
        "held_by": None if holder is None else str(holder.id),
        "model_name": None if holder is None else holder.model_name,
    }
