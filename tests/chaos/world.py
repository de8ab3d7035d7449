"""
A stack with one model service, without the engine: the host is called as the engine calls it.

It knows the order of the calls and what is kept between them, nothing more; what the engine really
does is shown by running the same scenarios on it (tests/engine/test_dialects.py).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from pulumi import CustomTimeouts, ResourceOptions

from pulumi_adbpg_model.resource._arguments import InputError, check_timeouts
from pulumi_adbpg_model.simulator.signature import Verifier
from tests.chaos.commands import INSTANCE, Ran
from tests.chaos.hosting import MovedClock
from tests.chaos.stage import ORGANIZATION, Kept, Stage, plain, seconds_of, unfinished, warned
from tests.provider.dynamic_host import HostError, PartialFailureError, Properties, Stored

__all__ = ["MOST_TRIES", "AgainBy", "Kept", "OnError", "World"]

_T = TypeVar("_T")
#: How a create is tried again that failed in part: by another create, as with CLI 3.259, or by an
#: update of what it left, as with 3.274.
AgainBy = Literal["create", "update"]

URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::model"
_HIDDEN = {"__organization": ORGANIZATION}
DECLARED: Properties = {
    "db_instance_id": INSTANCE,
    "model_name": "Qwen3-Embedding-8B",
    "ai_nodes": ["ai-1"],
}
#: What fails for so many times in a row is not tried again, and leaves nothing in the state.
MOST_TRIES = 100


@dataclass(frozen=True)
class OnError:
    """A program's hook: it has what fails tried again so many times, after a pause."""

    times: int
    pause_s: float
    again_by: AgainBy


class World(Stage):
    """A cloud, a host and what a stack remembers. A context manager."""

    def __init__(
        self,
        dialects: Iterable[str] = (),
        *,
        provision_seconds: float = 40.0,
        delete_seconds: float = 0.0,
        security_token: str | None = None,
        preflight: bool = False,
    ) -> None:
        self.clock = MovedClock()
        super().__init__(
            self.clock,
            dialects,
            provision_seconds=provision_seconds,
            delete_seconds=delete_seconds,
            security_token=security_token,
            preflight=preflight,
        )
        self.kept: Kept | None = None
        self.on_error: OnError | None = None
        #: Called before something is tried again, with the error that the program's hook is told.
        self.on_retry: Callable[[str], None] = lambda _error: None

    # Commands

    def up(self, *, timeouts: Mapping[str, str] | None = None, **inputs: Any) -> Ran:
        """See `Commands`. Every command has a process of its own."""
        self.restart()
        return self._told_by(lambda: self._up({**DECLARED, **inputs, **_HIDDEN}, timeouts or {}))

    def refresh(self) -> Ran:
        """See `Commands`."""
        self.restart()
        return self._told_by(self._refresh)

    def destroy(self) -> Ran:
        """See `Commands`."""
        self.restart()
        return self._told_by(self._destroy)

    def get(self, id_: str) -> Ran:
        """`pulumi up` of a program that only reads a service; of this, no state is kept."""
        self.restart()
        return self._told_by(lambda: self._get(id_))

    def ids(self) -> set[str]:
        """See `Commands`."""
        return set() if self.kept is None else {self.kept.stored.id}

    def key(self) -> str | None:
        """See `Commands`."""
        return None if self.kept is None else self.kept.stored.outs.get("api_key")

    def forget(self) -> None:
        """Lose the state; the cloud stays as it is."""
        self.kept = None

    def renew_token(self, token: str) -> None:
        """A new security token, for the cloud and for the commands from now on."""
        simulator, self._token = self.simulator, token
        key, secret = simulator._access_key_id, simulator._access_key_secret
        simulator.stop()
        simulator._verifier = Verifier(key, secret, token, time.time)
        simulator.start()

    # What the engine does

    def _up(self, declared: Properties, timeouts: Mapping[str, str]) -> str:
        limits: Any = CustomTimeouts(**timeouts) if timeouts else None
        check_timeouts("model", ResourceOptions(custom_timeouts=limits))  # in the program
        kept = self.kept
        inputs = self._checked(declared, kept.inputs if kept else {})
        if kept is None:
            self._create(inputs, timeouts)
            return "create"
        diffed = self.host.diff(kept.stored, inputs, urn=URN)
        if diffed.replaces:
            assert diffed.delete_before_replace
            inputs = self._checked(declared, {})
            self._tried(lambda: self._delete(kept))
            self._create(inputs, timeouts)
            return "replace"
        changed = diffed.changes == "DIFF_SOME" or (
            diffed.changes == "DIFF_UNKNOWN" and inputs != kept.inputs
        )
        if changed or kept.init_errors:
            self._update(kept, inputs, timeouts)
            return "update"
        self.kept = Kept(kept.stored, inputs, timeouts)
        return "same"

    def _checked(self, declared: Properties, olds: Properties) -> Properties:
        checked = self.host.check(declared, olds, urn=URN)
        if checked.failures:
            raise HostError("; ".join(reason for _, reason in checked.failures))
        return checked.inputs

    def _create(self, inputs: Properties, timeouts: Mapping[str, str]) -> None:
        limit_s = seconds_of(timeouts.get("create"))
        by_update = self.on_error is not None and self.on_error.again_by == "update"

        def call(left: Stored | None) -> Stored:
            if left is not None and by_update:
                return self.host.update(left, inputs, urn=URN, timeout_s=limit_s)
            return self.host.create(inputs, urn=URN, timeout_s=limit_s)

        self._apply(call, inputs, timeouts)
        if by_update:  # this engine forgets them when a later try succeeds
            self.kept = self.kept and replace(self.kept, init_errors=())

    def _update(self, kept: Kept, inputs: Properties, timeouts: Mapping[str, str]) -> None:
        limit_s = seconds_of(timeouts.get("update"))
        self._apply(
            lambda _left: self.host.update(kept.stored, inputs, urn=URN, timeout_s=limit_s),
            inputs,
            timeouts,
        )
        assert self.ids() == {kept.stored.id}

    def _apply(
        self,
        call: Callable[[Stored | None], Stored],
        inputs: Properties,
        timeouts: Mapping[str, str],
    ) -> None:
        """Create or update, and keep what comes of it; the call is given what the last one left."""
        left: Stored | None = None
        reasons: tuple[str, ...] = ()

        def attempt() -> Stored:
            nonlocal left, reasons
            try:
                return call(left)
            except PartialFailureError as error:
                left, reasons = unfinished(error.stored), (plain(error),)
                raise

        try:
            stored = self._tried(attempt)
        except PartialFailureError as error:
            self.kept = Kept(error.stored, inputs, timeouts, reasons)
            raise
        self.kept = Kept(stored, inputs, timeouts, reasons)

    def _tried(self, call: Callable[[], _T]) -> _T:
        """Call, and again for as long as it fails and the program's hook asks for it."""
        for number in itertools.count(1):
            try:
                return call()
            except HostError as error:
                if number == MOST_TRIES:
                    raise HostError(str(error)) from error  # whatever it left
                if self.on_error is None or number > self.on_error.times or self.host.gone:
                    raise
                failure = plain(error)
            self.on_retry(failure)
            self.clock.advance(self.on_error.pause_s)
        raise AssertionError("counting ends")

    def _refresh(self) -> str:
        kept = self.kept
        if kept is None:
            return "none"
        limit_s = seconds_of(kept.timeouts.get("read"))
        read = self.host.refresh(kept.stored, urn=URN, timeout_s=limit_s)
        if not read.id:
            self.kept = None
            return "delete"
        inputs = read.inputs or {}
        self.kept = Kept(read, inputs, kept.timeouts)
        return "update" if (read.outs, inputs) != (kept.stored.outs, kept.inputs) else "same"

    def _get(self, id_: str) -> str:
        self.host.get(id_, _HIDDEN)
        return "get"

    def _destroy(self) -> str:
        if self.kept is None:
            return "none"
        self._delete(self.kept)
        return "delete"

    def _delete(self, kept: Kept) -> None:
        limit_s = seconds_of(kept.timeouts.get("delete"))
        self.host.delete(kept.stored, urn=URN, timeout_s=limit_s)
        self.kept = None

    def _told_by(self, command: Callable[[], str]) -> Ran:
        start = self._listen()
        errors: tuple[str, ...] = ()
        did = "failed"
        try:
            did = command()
        except (HostError, InputError) as error:
            errors = (plain(error),)
        printed = self._heard(start)
        return Ran(did, errors, "\n".join([printed, *errors]), warned(printed, errors))
