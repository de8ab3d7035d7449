"""
What a preview can tell of a service that is to be created: whether the cloud knows the model, the
instance and the nodes, and whether the nodes are free.

All that is found is a warning, because only a create shows what the cloud really accepts; whatever
goes wrong here is silent, and its time is bounded.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pulumi_adbpg_model import host
from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.lifecycle import Reporter
from pulumi_adbpg_model.service.findings import Declared, Findings, shared_nodes
from pulumi_adbpg_model.service.inquiry import BOUND_S, Inquiry, Patience, PreflightApi
from pulumi_adbpg_model.service.owners import Owners
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.settings.identity import CLI_FILE, INI_FILE, DefaultChain

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
        owners: Owners,
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
            owners: Who has what, and what the program declares.
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
        self._owners = owners
        #: By URN: what is declared, and what to ask with.
        self._declared: dict[str, tuple[Settings, Properties]] = {}
        #: Of these, more is known once the program has declared all that it has.
        self._unsure: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    def tell(self, settings: Settings, urn: str, inputs: Properties) -> None:
        """
        Warn, in the row of a resource that is to be created, of what will not work.

        Never raises. Values that are not known yet are passed over.

        Args:
            settings: Where to ask, and as whom.
            urn: The URN of a resource that the owners know.
            inputs: The inputs, which have passed validation.
        """
        if not settings.preflight:
            return
        try:
            with self._lock:
                self._declared[urn] = (settings, inputs)
            for row in self._affected(urn):
                self._warn(row, shared_nodes(self._read(row)))
            if self._owners.to_be_created(urn):
                self._look(urn)
        except Exception:  # noqa: BLE001 - a look ahead costs nobody the preview
            return
        self.tell_more()

    def tell_more(self) -> None:
        """Warn of what was not known before the program had declared all that it has."""
        try:
            if self._owners.all_declared:
                for unsure in list(self._unsure):
                    self._look(unsure)
        except Exception:  # noqa: BLE001 - see above
            return

    def _affected(self, urn: str) -> Iterator[str]:
        """Whose row is to tell that a resource names the nodes of another."""
        if self._owners.to_be_created(urn):
            yield urn
            return
        for other in set(self._owners.neighbours(urn).values()):
            if other in self._declared and self._owners.to_be_created(other):
                yield other

    def _read(self, urn: str) -> Declared:
        return Declared.of(urn, self._declared[urn][1], self._owners)

    def _look(self, urn: str) -> None:
        settings, inputs = self._declared[urn]
        own = inputs.get("region_id")
        if not (own is None or isinstance(own, str)) or not _may_ask(settings, self._environ):
            return
        declared = self._read(urn)
        inquiry = self._inquiry(settings)
        seen = inquiry.see(declared.instance, models=declared.model is not None)
        found = Findings(declared, seen, settings, frozenset(self._deleted_here))
        self._warn(urn, found)
        (self._unsure.add if found.unsure else self._unsure.discard)(urn)

    def _warn(self, urn: str, findings: Iterable[str]) -> None:
        report = self._new_report(urn)
        for finding in findings:
            with self._lock:
                known = (urn, finding) in self._told
                self._told.add((urn, finding))
            if not known:
                report.warn(finding)

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

    files = [Path(INI_FILE).expanduser()]
    if environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE"):
        files.append(Path(environ["ALIBABA_CLOUD_CREDENTIALS_FILE"]))
    if environ.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() != "true":
        files.append(Path(CLI_FILE).expanduser())
    return any(os.path.isfile(file) for file in files)  # noqa: PTH113 - never raises
