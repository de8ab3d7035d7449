"""
Which services no stack owns, which are owned twice, and which a stack holds though they are gone.

A stack comes as bytes: what `pulumi stack export` prints, or a state file of the file backend.
Encrypted values do not matter: ids are in clear.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.fields import same_nodes
from pulumi_adbpg_model.lifecycle import Operation, inventory
from pulumi_adbpg_model.lifecycle.presence import (
    GRACE_S,
    SECOND_LOOK_S,
    describe_or_none,
)
from pulumi_adbpg_model.service import state
from pulumi_adbpg_model.service.stack import UnknownFormatError, check_format

#: What a deployment may consist of, of any known version.
_DEPLOYMENT = frozenset(
    {
        "extensions",
        "manifest",
        "metadata",
        "pending_operations",
        "resources",
        "secrets_providers",
        "snippets",
    }
)


@dataclass(frozen=True)
class Entry:
    """A service that a stack manages."""

    id: ModelServiceId
    urn: str
    #: The region in its outputs; None when it is not known, or encrypted.
    region: str | None
    #: Whether the cloud had shown it when the state was written.
    seen: bool
    #: Whether the engine has yet to delete it, whatever the program says.
    pending_deletion: bool

    @property
    def stack(self) -> str:
        """Its stack, as `project/stack`; the URN does not tell the organization."""
        return "/".join(reversed(self.urn.removeprefix("urn:pulumi:").split("::", 2)[:2]))


@dataclass(frozen=True)
class Creation:
    """A creation that was interrupted: the stack does not know which service came of it."""

    urn: str
    db_instance_id: str
    ai_nodes: tuple[str, ...]


@dataclass(frozen=True)
class Stack:
    """What one stack knows of model services."""

    entries: tuple[Entry, ...]
    creations: tuple[Creation, ...]


@dataclass(frozen=True)
class Orphan:
    """A service that no stack owns, and the interrupted creations that it may come from."""

    service: ModelServiceDetails
    maybe_from: tuple[Creation, ...]


@dataclass(frozen=True)
class OwnedTwice:
    """A service that several resources own: whichever is deleted first takes it from the others."""

    id: ModelServiceId
    owners: tuple[Entry, ...]


@dataclass(frozen=True)
class Comparison:
    """What the instances hold beside what the stacks hold."""

    services: int
    entries: int
    orphans: tuple[Orphan, ...]
    gone: tuple[Entry, ...]
    owned_twice: tuple[OwnedTwice, ...]
    #: Entries of another region than the one that was asked: nothing is known of them.
    unchecked: tuple[Entry, ...]


def parse(content: bytes, name: str) -> Stack:
    """
    Read one stack.

    Args:
        content: The JSON of `pulumi stack export`, or of a state file of the file backend, in
            UTF-8, UTF-16 or UTF-32, with a byte order mark or without.
        name: What to call it in an error.

    Raises:
        OperationError: It is neither, or of a version that is not known here.
    """
    try:
        document = json.loads(content)
        resources, pending = _contents(document)
        entries = [found for one in resources if (found := _entry(one)) is not None]
        creations = [begun for one in pending if (begun := _creation(one)) is not None]
    except UnknownFormatError as error:
        raise OperationError(f"{name} cannot be read: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise OperationError(
            f"{name} is not the state of a stack. Write it with: pulumi stack export --file FILE"
        ) from None
    return Stack(tuple(entries), tuple(creations))


def _contents(document: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """Resources and pending operations; what is not certainly a stack raises, and is not empty."""
    of_backend = "deployment" not in document
    known = document["checkpoint"] if of_backend else document
    check_format(document)
    if of_backend and isinstance(known["stack"], str) and known.keys() <= {"stack", "config"}:
        return [], []  # made, and nothing more
    deployment = known["latest" if of_backend else "deployment"]
    if deployment is None:
        return [], []
    resources, pending = deployment.get("resources"), deployment.get("pending_operations")
    if resources is None and not ("manifest" in deployment and deployment.keys() <= _DEPLOYMENT):
        # Only a stack without resources leaves them out: this one may have them elsewhere.
        raise ValueError("no resources")
    if not all(one is None or isinstance(one, list) for one in (resources, pending)):
        raise TypeError("no lists")
    return resources or [], pending or []


def compare(
    operation: Operation, instances: Sequence[str], stacks: Sequence[Stack], region: str | None
) -> Comparison:
    """
    Compare what the instances hold with what the stacks hold.

    Args:
        operation: What to ask the cloud with.
        instances: Ids of the instances, each once.
        stacks: Every stack that may own a service of theirs.
        region: The region that is asked; None when only an endpoint is set.

    Raises:
        InstanceNotFoundError: An instance is not visible, so nothing in it is known to be gone.
        AdbpgModelError: A call failed.
    """
    services = _existing(operation, instances)
    entries = [
        entry for stack in stacks for entry in stack.entries if entry.id.db_instance_id in instances
    ]
    owned = dict.fromkeys(entry.id for entry in entries)
    creations = [creation for stack in stacks for creation in stack.creations]
    listed = {service.id for service in services}
    absent = [entry for entry in entries if entry.id not in listed]
    elsewhere = [entry for entry in absent if region and entry.region not in (None, region)]
    return Comparison(
        services=len(services),
        entries=len(entries),
        orphans=tuple(
            Orphan(service, tuple(one for one in creations if _may_be(one, service)))
            for service in services
            if service.id not in owned
        ),
        gone=tuple(_proven(operation, [one for one in absent if one not in elsewhere])),
        owned_twice=tuple(_owned_twice(stacks, owned)),
        unchecked=tuple(elsewhere),
    )


def _owned_twice(stacks: Sequence[Stack], owned: Iterable[ModelServiceId]) -> Iterator[OwnedTwice]:
    for id_ in owned:
        by_stack: dict[str, list[Entry]] = {}
        for stack in stacks:
            holding = [entry for entry in stack.entries if entry.id == id_]
            if holding:
                # Two exports of one stack, an older and a newer one, make no second owner.
                name = holding[0].stack
                by_stack[name] = max(by_stack.get(name, []), holding, key=len)
        everywhere = [entry for holding in by_stack.values() for entry in holding]
        for region in dict.fromkeys(entry.region for entry in everywhere if entry.region) or [None]:
            owners = [entry for entry in everywhere if entry.region in (None, region)]
            # If all are to be deleted, nobody loses it.
            if len(owners) > 1 and not all(entry.pending_deletion for entry in owners):
                yield OwnedTwice(id_, tuple(owners))


def _existing(operation: Operation, instances: Iterable[str]) -> list[ModelServiceDetails]:
    return [
        service
        for instance in instances
        for service in inventory(operation.api, instance)
        if not service.is_deleted
    ]


def _proven(operation: Operation, absent: list[Entry]) -> list[Entry]:
    """Those that are gone for certain: twice neither listed nor described, some time apart."""
    absent = [
        entry for entry in absent if describe_or_none(operation, entry.id, any_code=True) is None
    ]
    if not absent:
        return []
    operation.clock.sleep(SECOND_LOOK_S if all(entry.seen for entry in absent) else GRACE_S)
    instances = dict.fromkeys(entry.id.db_instance_id for entry in absent)
    listed = {service.id for service in _existing(operation, instances)}
    return [entry for entry in absent if entry.id not in listed and not _is_shown(operation, entry)]


def _is_shown(operation: Operation, entry: Entry) -> bool:
    return describe_or_none(operation, entry.id, any_code=True) is not None


def _entry(resource: Mapping[str, Any]) -> Entry | None:
    outputs = resource.get("outputs") or {}
    if not state.is_managed(resource):
        return None
    # Deleted already, and not yet created again: there is nothing to own.
    if resource.get("pendingReplacement") or not resource.get("id"):
        return None
    region = outputs.get("region_id")
    return Entry(
        ModelServiceId.parse(resource["id"]),
        str(resource["urn"]),
        region if isinstance(region, str) else None,
        outputs.get("status") != state.UNSEEN,
        resource.get("delete") is True,
    )


def _creation(pending: Mapping[str, Any]) -> Creation | None:
    resource = pending["resource"]
    inputs = resource.get("inputs") or {}
    if pending["type"] != "creating" or resource["type"] != state.TYPE:
        return None
    instance, nodes = inputs.get("db_instance_id"), inputs.get("ai_nodes")
    if not isinstance(instance, str) or not isinstance(nodes, list):
        return None  # encrypted: there is nothing to compare
    return Creation(str(resource["urn"]), instance, tuple(map(str, nodes)))


def _may_be(creation: Creation, service: ModelServiceDetails) -> bool:
    return creation.db_instance_id == service.id.db_instance_id and same_nodes(
        creation.ai_nodes, service.ai_nodes
    )
