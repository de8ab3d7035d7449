"""
What a preview can tell of a service that is to be created: whether the cloud knows the model, the
instance and the nodes, and whether the nodes are free.

All that is found is a warning, because only a create shows what the cloud really accepts; whatever
goes wrong here is silent, and its time is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pulumi_adbpg_model import host, state
from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.lifecycle.operation import Reporter
from pulumi_adbpg_model.preflight._findings import Declared, findings, nodes_of, shared_nodes
from pulumi_adbpg_model.preflight._inquiry import BOUND_S, Inquiry, Patience, PreflightApi
from pulumi_adbpg_model.settings import DefaultChain, Settings

__all__ = ["BOUND_S", "Preflight", "PreflightApi"]

Properties = Mapping[str, Any]


def _gateway(settings: Settings, clock: Clock) -> PreflightApi:
    # Here, so that a host with nothing to ask does not load the cloud's SDK.
    from pulumi_adbpg_model.gateway import Gateway, RetryPolicy  # noqa: PLC0415

    once = RetryPolicy(attempts=1, seconds=BOUND_S)
    return Gateway(settings, clock, once, read_timeout_s=BOUND_S)


class Preflight:
    """The preflight of one provider process. Threads share it."""

    def __init__(
        self,
        clock: Clock,
        environ: Mapping[str, str],
        deleted_here: Collection[ModelServiceId] = frozenset(),
        *,
        new_api: Callable[[Settings, Clock], PreflightApi] = _gateway,
        new_report: Callable[[str | None], Reporter] = host.EngineLog,
    ) -> None:
        """
        Make one that has asked nothing yet.

        Args:
            clock: Bounds the waiting; a cancel ends it.
            environ: The process environment.
            deleted_here: The services that this process has deleted; it grows meanwhile.
            new_api: Makes the way to the cloud for one set of settings.
            new_report: Makes the voice in the row of the resource with a URN.
        """
        self._clock = clock
        self._environ = environ
        self._deleted_here = deleted_here
        self._new_api = new_api
        self._new_report = new_report
        self._patience = Patience(clock)
        self._lock = threading.Lock()
        self._inquiries: dict[Settings, Inquiry] = {}
        #: By URN: instance and nodes of the service that exists.
        self._existing: dict[str, tuple[object, frozenset[str]]] = {}
        #: By instance and node: the first resource of the program that names it.
        self._named: dict[tuple[str, str], str] = {}
        self._told: set[tuple[str, str]] = set()

    def tell(self, settings: Settings, urn: str, olds: Properties, inputs: Properties) -> None:
        """
        Warn, in the row of a resource that is to be created, of what will not work.

        Never raises. Values that are not known yet are passed over.

        Args:
            settings: Where to ask, and as whom.
            urn: The resource's.
            olds: The inputs of the service that exists; without any, one is to be created.
            inputs: The inputs, which have passed validation.
        """
        if not settings.preflight:
            return
        try:
            self._remember(urn, olds, inputs)
            if any(not state.is_hidden(name) for name in olds):
                return
            report = self._new_report(urn)
            for finding in self._look(settings, urn, inputs):
                with self._lock:
                    known = (urn, finding) in self._told
                    self._told.add((urn, finding))
                if not known:
                    report.warn(finding)
        except Exception:  # noqa: BLE001 - a look ahead costs nobody the preview
            return

    def _remember(self, urn: str, olds: Properties, inputs: Properties) -> None:
        """Who has which nodes: what is replaced is checked again as if there were nothing yet."""
        instance = inputs.get("db_instance_id")
        with self._lock:
            if "ai_nodes" in olds:
                nodes = frozenset(node for _, node in nodes_of(olds))
                self._existing[urn] = (olds.get("db_instance_id"), nodes)
            if isinstance(instance, str):
                for _, node in nodes_of(inputs):
                    self._named.setdefault((instance, node), urn)

    def _look(self, settings: Settings, urn: str, inputs: Properties) -> Iterator[str]:
        with self._lock:
            declared = Declared.of(urn, inputs, self._existing.get(urn), self._named)
        yield from shared_nodes(declared)
        own = inputs.get("region_id")
        if (own is None or isinstance(own, str)) and _may_ask(settings, self._environ):
            inquiry = self._inquiry(settings)
            seen = inquiry.see(declared.instance, models=declared.model is not None)
            yield from findings(declared, seen, settings, frozenset(self._deleted_here))

    def _inquiry(self, settings: Settings) -> Inquiry:
        with self._lock:
            if settings not in self._inquiries:
                new_api = partial(self._new_api, settings, self._clock)
                self._inquiries[settings] = Inquiry(self._clock, self._patience, new_api)
            return self._inquiries[settings]


def _may_ask(settings: Settings, environ: Mapping[str, str]) -> bool:
    """
    Whether there may be credentials that are quick to find.

    With nothing set, the default chain would look for a role at the metadata address of ECS, which
    takes seconds wherever there is none.
    """
    if not isinstance(settings.credentials, DefaultChain):
        return True

    def says_true(name: str) -> bool:
        return environ.get(name, "").lower() == "true"

    files = [Path.home() / ".alibabacloud" / "credentials.ini"]
    if environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE"):
        files.append(Path(environ["ALIBABA_CLOUD_CREDENTIALS_FILE"]))
    if not says_true("ALIBABA_CLOUD_CLI_PROFILE_DISABLED"):
        files.append(Path.home() / ".aliyun" / "config.json")
    # The chain comes to the URI only after the metadata address.
    no_ecs = says_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED")
    late = "ALIBABA_CLOUD_CREDENTIALS_URI" if no_ecs else "ALIBABA_CLOUD_ECS_METADATA"
    named = ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", late)
    return any(environ.get(name) for name in named) or any(file.is_file() for file in files)
