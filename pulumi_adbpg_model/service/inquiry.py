"""Questions to the cloud: each asked once, in a thread of its own, all within one bound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import AiNode, ModelServiceDetails
from pulumi_adbpg_model.errors import AccessError, InstanceNotFoundError, NotFoundError

__all__ = ["BOUND_S", "Inquiry", "Patience", "PreflightApi", "Seen"]

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


@dataclass(frozen=True)
class Seen:
    """What the cloud answers. None: it cannot be told."""

    models: Sequence[str] | None = None
    nodes: Sequence[AiNode] | None = None
    services: Sequence[ModelServiceDetails] | None = None
    #: Whether the cloud says that there is no such instance.
    invisible: bool = False


#: What came, and when, on the clock; None stands for nothing that can be used.
_Answer = futures.Future[tuple[Any, float]]


class Patience:
    """How much waiting is left, in one process. Threads share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        #: How many threads ask or wait, since when, and the seconds spent before.
        self._busy = 0
        self._busy_since_s = 0.0
        self._past_s = 0.0

    @property
    def over(self) -> bool:
        """Whether nobody waits any longer."""
        with self._lock:
            going_on = self._clock.monotonic() - self._busy_since_s if self._busy else 0.0
            return self._clock.cancelled or self._past_s + going_on >= BOUND_S

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time; what several threads spend at once counts once."""
        with self._lock:
            if not self._busy:
                self._busy_since_s = self._clock.monotonic()
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                now_s = self._clock.monotonic()
                self._past_s += now_s - self._busy_since_s
                self._busy_since_s = now_s
                self._busy -= 1


class Inquiry:
    """Asks under one set of settings. Threads share it."""

    def __init__(
        self, clock: Clock, patience: Patience, new_api: Callable[[], PreflightApi]
    ) -> None:
        """
        Make one that has asked nothing yet.

        Args:
            clock: Tells how old an answer is.
            patience: Bounds the waiting, together with that of others.
            new_api: Makes the way to the cloud, which may take as long as a call.
        """
        self._clock = clock
        self._patience = patience
        self._new_api = new_api
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._api: PreflightApi | None = None
        self._asked: dict[str, _Answer] = {}
        self._failed = False

    def see(self, instance: str | None, *, models: bool) -> Seen:
        """The answers about the models and an instance, as far as they come in time."""
        with self._patience.timed():
            asked = (
                self._ask("models", lambda api: api.list_supported_models()) if models else None,
                self._ask_of("nodes", lambda api, id_: api.list_ai_nodes(id_), instance),
                self._ask_of("services", lambda api, id_: api.list_model_services(id_), instance),
            )
            self._wait([answer for answer in asked if answer is not None])
        shown, nodes, services = (self._result(answer) for answer in asked)
        both = [answer for answer in (nodes, services) if answer is not None]
        if not any(isinstance(answer, InstanceNotFoundError) for answer in both):
            return Seen(shown, nodes, services)
        # When the other one shows the instance, nothing is certain.
        agree = all(isinstance(answer, InstanceNotFoundError) for answer in both)
        return Seen(shown, invisible=agree)

    def _ask_of(
        self, what: str, call: Callable[[PreflightApi, str], Any], instance: str | None
    ) -> _Answer | None:
        if instance is None:
            return None
        return self._ask(f"{what} of {instance}", lambda api: call(api, instance))

    def _ask(self, name: str, call: Callable[[PreflightApi], Any]) -> _Answer | None:
        """The question, asked by the first who needs it; None when asking is over."""
        with self._lock:
            if name not in self._asked and not self._failed and not self._patience.over:
                answer: _Answer = futures.Future()
                # A daemon: one that hangs must not keep the process from its end.
                threading.Thread(target=self._call, args=(call, answer), daemon=True).start()
                self._asked[name] = answer
            return self._asked.get(name)

    def _call(self, call: Callable[[PreflightApi], Any], answer: _Answer) -> None:
        result: Any = None
        try:
            with self._making:
                self._api = self._api or self._new_api()
            result = call(self._api)
        except InstanceNotFoundError as error:
            result = error
        except (AccessError, NotFoundError):
            pass  # it came quickly, and is about this question alone
        except Exception:  # noqa: BLE001 - whatever it is, it is neither told nor tried again
            self._failed = True
        answer.set_result((result, self._clock.monotonic()))

    def _wait(self, answers: Collection[_Answer]) -> None:
        while not self._patience.over:
            if not futures.wait(answers, timeout=_SLICE_S).not_done:
                break

    def _result(self, answer: _Answer | None) -> Any:
        if answer is None or not answer.done():
            return None
        result, came_s = answer.result()
        return result if self._clock.monotonic() - came_s <= _FRESH_S else None
