"""
What a preview can tell of a service that is to be created: whether the cloud knows the model, the
instance and the nodes, and whether the nodes are free.

All that is found is a warning, because only a create shows what the cloud really accepts; whatever
goes wrong here is silent, and its time is bounded.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Protocol

from pulumi_adbpg_model import host, tracing
from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import AiNode, ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import AccessError, InstanceNotFoundError, NotFoundError
from pulumi_adbpg_model.lifecycle import Reporter
from pulumi_adbpg_model.service.findings import Declared, Seen, findings, shared_nodes
from pulumi_adbpg_model.service.owners import Owners
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.settings.identity import CLI_FILE, INI_FILE, DefaultChain, EcsRole, Profile

#: Seconds that all waiting for answers may take in one process. With what is around it, a preview
#: stays within 3 s of one without a preflight.
BOUND_S = 2.5
#: An older answer is not used: what this very run has made since is not in it.
_FRESH_S = 30.0
#: How soon a cancel is noticed.
_SLICE_S = 0.05


class PreflightApi(Protocol):
    """The calls that are made; `gateway.Gateway` is the real one."""

    def list_supported_models(self) -> Sequence[str]:
        """ListSupportModels."""
        ...

    def list_ai_nodes(self, db_instance_id: str) -> Sequence[AiNode]:
        """ListAINodePools, as nodes."""
        ...

    def list_model_services(self, db_instance_id: str) -> Sequence[ModelServiceDetails]:
        """ListModelServices, complete or raising."""
        ...


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
        owners: Owners,
        deleted_here: Collection[ModelServiceId] = frozenset(),
        *,
        new_api: Callable[[Settings, Clock], PreflightApi] = _gateway,
        new_report: Callable[[str | None], Reporter] = host.EngineLog,
    ) -> None:
        self._owners = owners
        #: The services that this process has deleted; it grows meanwhile.
        self._deleted_here = deleted_here
        self._new_report = new_report
        self._questions = _Questions(clock, new_api)
        self._lock = threading.Lock()
        self._declared: dict[str, Declared] = {}
        #: Of these, more is known once the program has declared all that it has.
        self._unsure: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    def tell(self, settings: Settings, urn: str, inputs: Mapping[str, Any]) -> None:
        """
        Warn, in the row of a resource that is to be created, of what will not work.

        Never raises. Values that are not known yet are passed over; the others have passed
        validation, and the owners know the resource.
        """
        if not settings.preflight:
            return
        with suppress(Exception):  # a look ahead costs nobody the preview
            self._declared[urn] = Declared(urn, settings, inputs, self._owners)
            if self._owners.to_be_created(urn):
                self._warn(urn, shared_nodes(self._declared[urn]))
                self._look(urn)
            else:  # it may name a node of one that is, in whose row that is told
                for other in self._declared.keys() & self._owners.neighbours(urn).values():
                    if self._owners.to_be_created(other):
                        self._warn(other, shared_nodes(self._declared[other]))
            self.tell_more()

    def tell_more(self) -> None:
        """Warn of what was not known before the program had declared all that it has."""
        with suppress(Exception):  # see above
            if self._owners.all_declared:
                for unsure in list(self._unsure):
                    self._look(unsure)

    def _look(self, urn: str) -> None:
        declared = self._declared[urn]
        region = declared.inputs.get("region_id")
        if not (region is None or isinstance(region, str)) or not _may_ask(declared.settings):
            return
        seen = self._questions.answers(
            declared.settings,
            declared.instance,
            models=declared.model is not None or declared.loses is not None,
        )
        found = list(findings(declared, seen, frozenset(self._deleted_here)))
        self._warn(urn, filter(None, found))
        (self._unsure.add if None in found else self._unsure.discard)(urn)

    def _warn(self, urn: str, found: Iterable[str]) -> None:
        report = self._new_report(urn)
        for finding in found:
            with self._lock:
                known = (urn, finding) in self._told
                self._told.add((urn, finding))
            if not known:
                report.warn(finding)


def _may_ask(settings: Settings) -> bool:
    """
    Whether there may be credentials that are quick to find.

    With nothing set, the default chain would look for a role at the metadata address of ECS, which
    takes seconds wherever there is none.
    """
    if not isinstance(settings.credentials, DefaultChain):
        return True
    files = [
        source.file or (CLI_FILE if isinstance(source, Profile) else INI_FILE)
        for source in settings.credentials.sources
        if not isinstance(source, EcsRole)
    ]
    return any(os.path.isfile(os.path.expanduser(file)) for file in files)  # noqa: PTH111, PTH113 - never raise


#: What came, and when, on the clock; None stands for nothing that can be used.
_Answer = futures.Future[tuple[Any, float]]


class _Questions:
    """Questions to the cloud, each asked once in a process. Threads share them."""

    def __init__(self, clock: Clock, new_api: Callable[[Settings, Clock], PreflightApi]) -> None:
        self._clock = clock
        self._new_api = new_api
        self._making = threading.Lock()
        self._apis: dict[Settings, PreflightApi] = {}
        self._lock = threading.Lock()
        self._asked: dict[tuple[Settings, str], _Answer] = {}
        #: Under these, a call failed as the next one would.
        self._failed: set[Settings] = set()
        #: The time that is left runs only while somebody waits: how many do, and until when.
        self._left_s = BOUND_S
        self._waiting = 0
        self._until_s = 0.0

    def answers(self, settings: Settings, instance: str | None, *, models: bool) -> Seen:
        """What the cloud says of the models and an instance, as far as it comes in time."""
        ask = partial(self._ask, settings)
        asked: dict[str, _Answer | None] = {}
        with self._counted():
            if models:
                asked["models"] = ask("models", lambda api: api.list_supported_models())
            if instance is not None:
                asked["nodes"] = ask(
                    f"nodes of {instance}", lambda api: api.list_ai_nodes(instance)
                )
                asked["services"] = ask(
                    f"services of {instance}", lambda api: api.list_model_services(instance)
                )
            pending = [answer for answer in asked.values() if answer is not None]
            while not self._over and futures.wait(pending, timeout=_SLICE_S).not_done:
                pass
        seen = {what: self._result(answer) for what, answer in asked.items()}
        of_instance = [seen[what] for what in ("nodes", "services") if seen.get(what) is not None]
        unknown = [isinstance(answer, InstanceNotFoundError) for answer in of_instance]
        if any(unknown):  # when the other one shows the instance, nothing is certain
            return Seen(seen.get("models"), invisible=all(unknown))
        return Seen(**seen)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Let the time that is left run; what several threads wait at once counts once."""
        with self._lock:
            if not self._waiting:
                self._until_s = self._clock.monotonic() + self._left_s
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting:
                    self._left_s = self._until_s - self._clock.monotonic()

    @property
    def _over(self) -> bool:
        return self._clock.cancelled or self._clock.monotonic() >= self._until_s

    def _ask(
        self, settings: Settings, name: str, call: Callable[[PreflightApi], Any]
    ) -> _Answer | None:
        """The question, asked by the first who needs it; None when asking is over."""
        with self._lock:
            over = self._over or settings in self._failed
            if (settings, name) not in self._asked and not over:
                answer: _Answer = futures.Future()
                given = (settings, call, answer)
                # Not of a pool, for whose threads Python waits at its end: one may hang.
                threading.Thread(
                    target=tracing.in_this_context(self._call), args=given, daemon=True
                ).start()
                self._asked[settings, name] = answer
            return self._asked.get((settings, name))

    def _call(
        self, settings: Settings, call: Callable[[PreflightApi], Any], answer: _Answer
    ) -> None:
        result: Any = None
        try:
            with self._making:  # here, because it may load the cloud's SDK
                if settings not in self._apis:
                    self._apis[settings] = self._new_api(settings, self._clock)
            result = call(self._apis[settings])
        except InstanceNotFoundError as error:
            result = error
        except (AccessError, NotFoundError):
            pass  # it came quickly, and is about this question alone
        except Exception:  # noqa: BLE001 - whatever it is, it is neither told nor tried again
            self._failed.add(settings)
        answer.set_result((result, self._clock.monotonic()))

    def _result(self, answer: _Answer | None) -> Any:
        if answer is None or not answer.done():
            return None
        result, came_s = answer.result()
        return result if self._clock.monotonic() - came_s <= _FRESH_S else None
