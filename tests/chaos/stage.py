"""A simulated cloud and a provider's process on one clock, whatever stacks live on them."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.testing import Simulator
from tests.chaos.commands import GROUP
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import Properties, Stored

if TYPE_CHECKING:
    from typing_extensions import Self

ORGANIZATION = "acme"
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0}
#: Notes of what goes well, which are printed as warnings are; test_verdict.py keeps them complete.
_NOTE = re.compile(
    r"answers with \S+$|resuming it, nothing new was created$|nothing was created$| is deleted$"
    r"|nothing new was created(\. .*)?$| from now on$| by now: it is left alone$"
    r"| is '[^']*' after [0-9a-z ]+$"
    r"|: `pulumi up` (goes on waiting for|keeps|replaces) it$"
)


@dataclass(frozen=True)
class Kept:
    """The state of a resource."""

    stored: Stored
    inputs: Properties
    timeouts: Mapping[str, str]
    #: Why its last create or update failed, though it left the resource.
    init_errors: tuple[str, ...] = ()


class Stage:
    """A cloud, and the host of the command that runs. A context manager."""

    def __init__(
        self,
        clock: MovedClock,
        dialects: Iterable[str] = (),
        *,
        provision_seconds: float = 40.0,
        delete_seconds: float = 0.0,
        security_token: str | None = None,
        preflight: bool = False,
    ) -> None:
        self._preflight = preflight
        self._clock = clock
        self.simulator = Simulator(
            dialects=dialects,
            provision_seconds=provision_seconds,
            delete_seconds=delete_seconds,
            security_token=security_token,
            whitelist_groups={GROUP: "ai-1"},
            clock=clock.time,
            signing_clock=time.time,
        )
        self._token = security_token
        self._told = io.StringIO()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(redirect_stdout(self._told))
        self._open.enter_context(self.simulator)
        self.host = TimedHost(self._clock, self._config())
        return self

    def __exit__(self, *_: object) -> None:
        self.host.stop()
        self._open.close()

    def restart(self) -> None:
        """End the provider's process: what it knew is gone, states stay."""
        self.host.stop()
        self.host = TimedHost(self._clock, self._config())

    def later(self, seconds: float) -> None:
        """See `Commands`."""
        self._clock.advance(seconds)

    @property
    def in_cloud(self) -> set[str]:
        """The ids of all services that are there."""
        return {str(ModelServiceId(one.instance_id, one.id)) for one in self.simulator.services}

    def _listen(self) -> int:
        """From where `_heard` tells what is printed."""
        return self._told.tell()

    def _heard(self, since: int) -> str:
        self._told.seek(since)
        return self._told.read()

    def _config(self) -> Mapping[str, str]:
        settings = {
            "adbpg:endpoint": self.simulator.endpoint,
            "adbpg:region": "cn-hangzhou",
            "adbpg:accessKey": "simulator-key-id",
            "adbpg:secretKey": "simulator-key-secret",
            # The calls that are counted are those of the life of a service.
            "adbpg:preflight": "true" if self._preflight else "false",
        }
        return settings | ({"adbpg:securityToken": self._token} if self._token else {})


def warned(printed: str, errors: Iterable[str]) -> str:
    """The errors, and of what was printed the warnings: they alone name what is left behind."""
    return "\n".join([*(line for line in printed.splitlines() if not _NOTE.search(line)), *errors])


def unfinished(stored: Stored) -> Stored:
    """What a failure leaves is not active, or it would be no failure."""
    assert stored.outs["status"] != "active"
    return stored


def plain(error: Exception) -> str:
    """What the person reads."""
    return str(error).removeprefix("Exception calling application: ")


def seconds_of(duration: str | None) -> float:
    """As the engine sends it; 0 where there is none."""
    parts = re.findall(r"(\d+)([hms])", duration or "")
    return sum(int(number) * _UNITS_S[unit] for number, unit in parts)
