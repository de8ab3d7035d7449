"""
A stack with one model service, without the engine: the host is called as the engine calls it.

It knows the order of the calls and what is kept between them, nothing more; what the engine really
does is shown by running the same scenarios on it (tests/engine/test_dialects.py).
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, redirect_stdout
from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.resource import _raise_unless_active
from pulumi_adbpg_model.simulator.signature import Verifier
from pulumi_adbpg_model.state import WRITTEN
from pulumi_adbpg_model.testing import Simulator
from tests.chaos.commands import GROUP, INSTANCE, Ran
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import HostError, Properties, Stored

if TYPE_CHECKING:
    from typing_extensions import Self

#: Notes of what goes well, which are printed as warnings are; test_verdict.py keeps them complete.
_NOTE = re.compile(
    r"answers with \S+$|resuming it, nothing new was created$|nothing was created$| is deleted$"
    r"| is '[^']*' after [0-9a-z ]+$"
    r"|: `pulumi up` (goes on waiting for|replaces) it$"
)
URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::model"
_HIDDEN = {"__urn": URN, "__organization": "acme"}
DECLARED: Properties = {
    "db_instance_id": INSTANCE,
    "model_name": "Qwen3-Embedding-8B",
    "ai_nodes": ["ai-1"],
}


class World:
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
        self._preflight = preflight
        self.clock = MovedClock()
        self.simulator = Simulator(
            dialects=dialects,
            provision_seconds=provision_seconds,
            delete_seconds=delete_seconds,
            security_token=security_token,
            whitelist_groups={GROUP: "ai-1"},
            clock=self.clock.time,
            signing_clock=time.time,
        )
        self._token = security_token
        self.stored: Stored | None = None
        self._inputs: Properties = {}
        self._told = io.StringIO()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(redirect_stdout(self._told))
        self._open.enter_context(self.simulator)
        self.host = TimedHost(self.clock, self._config())
        return self

    def __exit__(self, *_: object) -> None:
        self.host.stop()
        self._open.close()

    def restart(self) -> None:
        """End the provider's process: what it knew is gone, the state stays."""
        self.host.stop()
        self.host = TimedHost(self.clock, self._config())

    # Commands

    def up(self, **inputs: Any) -> Ran:
        """See `Commands`. Every command has a process of its own."""
        self.restart()
        return self._told_by(lambda: self._up({**DECLARED, **inputs, **_HIDDEN}))

    def refresh(self) -> Ran:
        """See `Commands`."""
        self.restart()
        return self._told_by(self._refresh)

    def destroy(self) -> Ran:
        """See `Commands`."""
        self.restart()
        return self._told_by(self._delete)

    def get(self, id_: str) -> Ran:
        """`pulumi up` of a program that only reads a service; of this, no state is kept."""
        self.restart()
        return self._told_by(lambda: self._get(id_))

    def ids(self) -> set[str]:
        """See `Commands`."""
        return set() if self.stored is None else {self.stored.id}

    def key(self) -> str | None:
        """See `Commands`."""
        return None if self.stored is None else self.stored.outs.get("api_key")

    def later(self, seconds: float) -> None:
        """See `Commands`."""
        self.clock.advance(seconds)

    def forget(self) -> None:
        """Lose the state; the cloud stays as it is."""
        self.stored, self._inputs = None, {}

    def renew_token(self, token: str) -> None:
        """A new security token, for the cloud and for the commands from now on."""
        simulator, self._token = self.simulator, token
        key, secret = simulator._access_key_id, simulator._access_key_secret
        simulator.stop()
        simulator._verifier = Verifier(key, secret, token, time.time)
        simulator.start()

    # What a test looks at

    @property
    def in_cloud(self) -> set[str]:
        """The ids of all services that are there."""
        return {str(ModelServiceId(one.instance_id, one.id)) for one in self.simulator.services}

    # What the engine does

    def _up(self, news: Properties) -> str:
        checked = self.host.check(news, self._inputs)
        if checked.failures:
            raise HostError("; ".join(reason for _, reason in checked.failures))
        inputs = checked.inputs
        if self.stored is None:
            self._create(inputs)
            return "create"
        diffed = self.host.diff(self.stored, inputs)
        if diffed.replaces:
            assert diffed.delete_before_replace
            inputs = self.host.check(news).inputs
            self._delete()
            self._create(inputs)
            return "replace"
        if diffed.changes == "DIFF_SOME" or (
            diffed.changes == "DIFF_UNKNOWN" and inputs != self._inputs
        ):
            self.stored = self.host.update(self.stored, inputs)
            self._inputs = inputs
            return "update"
        self._inputs = inputs
        return "same"

    def _create(self, inputs: Properties) -> None:
        self.stored = self.host.create(inputs)
        self._inputs = inputs

    def _refresh(self) -> str:
        if self.stored is None:
            return "none"
        read = self.host.refresh(self.stored)
        if not read.id:
            self.stored, self._inputs = None, {}
            return "delete"
        changed = read.outs != self.stored.outs or (read.inputs or {}) != self._inputs
        self.stored, self._inputs = read, read.inputs or {}
        return "update" if changed else "same"

    def _get(self, id_: str) -> str:
        self.host.get(id_, _HIDDEN)
        return "get"

    def _delete(self) -> str:
        if self.stored is None:
            return "none"
        self.host.delete(self.stored)
        self.stored, self._inputs = None, {}
        return "delete"

    def _told_by(self, command: Callable[[], str]) -> Ran:
        start, began = self._told.tell(), time.time()
        errors: tuple[str, ...] = ()
        did = "failed"
        try:
            did = command()
            if self.stored is not None and did in ("create", "update", "replace", "same"):
                _run_program(self.stored, began)
        except (HostError, pulumi.RunError) as error:
            errors = (str(error).removeprefix("Exception calling application: "),)
        self._told.seek(start)
        printed = self._told.read()
        warnings = [line for line in printed.splitlines() if not _NOTE.search(line)]
        return Ran(did, errors, "\n".join([printed, *errors]), "\n".join([*warnings, *errors]))

    def _config(self) -> Mapping[str, str]:
        settings = {
            "adbpg:endpoint": self.simulator.endpoint,
            "adbpg:region": "cn-hangzhou",
            "adbpg:accessKey": "simulator-key-id",
            "adbpg:secretKey": "simulator-key-secret",
            # The calls that are counted here are those of the life of a service.
            "adbpg:preflight": "true" if self._preflight else "false",
        }
        return settings | ({"adbpg:securityToken": self._token} if self._token else {})


def _run_program(stored: Stored, began: float) -> None:
    """What the resource does in the program once its outputs are known."""
    outs = stored.outs
    seen = {
        "id": stored.id,
        "status": outs.get("status"),
        "reason": outs.get("status_reason"),
        "waits": outs.get("wait_for_active"),
        "written": outs.get(WRITTEN),
    }
    _raise_unless_active(seen, began)
