"""
The API key of a model service in a secret store: written when the service is created or replaced.

The store is a folder here. For another one, write `_put` and `_remove` anew. Inputs, outputs and
state have the id of the service and the name of the entry, never the key.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from pulumi_adbpg_model import ModelService

STORE = Path("secrets")


def _put(entry: str, key: str) -> None:
    path = STORE / entry
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _remove(entry: str) -> None:
    (STORE / entry).unlink(missing_ok=True)


def _read_key(props: dict[str, Any]) -> str:
    """Ask the cloud. (`get_api_key` returns an Output, which is for programs, not providers.)"""
    command = [sys.executable, "-m", "pulumi_adbpg_model", "api-key", props["service_id"]]
    command += ["--stack", props["stack"]]  # whose settings and credentials
    if props["region_id"]:
        command += ["--region", props["region_id"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the API key cannot be read: {done.stderr.strip()}")
    return done.stdout.strip()


class _Provider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        _put(props["entry"], _read_key(props))
        return CreateResult(props["entry"], props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        # Another service has another key, for the same entry; another name is another entry.
        changed = [name for name in ("service_id", "entry") if olds[name] != news[name]]
        return DiffResult(bool(changed), replaces=[name for name in changed if name == "entry"])

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        _put(news["entry"], _read_key(news))
        return UpdateResult(news)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        _remove(props["entry"])


class StoredApiKey(Resource, module="store", name="ApiKey"):
    """The key of a service, in the entry `<stack>/<name>` of the store."""

    def __init__(
        self, name: str, service: ModelService, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        stack = pulumi.get_stack()
        props = {
            "entry": f"{stack}/{name}",
            "service_id": service.id,
            "region_id": service.region_id,
            "stack": f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}",
        }
        # With `--replace`, too, the old one's entry is removed before the new one's is written.
        first = pulumi.ResourceOptions(delete_before_replace=True)
        super().__init__(_Provider(), name, props, pulumi.ResourceOptions.merge(opts, first))
