"""
What is put between the provider of a `World` and its cloud: the end of its process, or a fault.

`Death` is SIGKILL at one call of the cloud: before it, or once it is done. `Fault` is one of the
fault matrix, for one command; the cloud is well again after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from tests.chaos.hosting import TimedProvider
from tests.chaos.world import World

#: Before a call is sent, or after it was answered and nothing came of it.
Moment = Literal["before", "after"]


class Killed(BaseException):
    """Ends the thread of a host that is dead; nothing in the package catches it."""


class Death:
    """
    Waits for one call of the host's, counted from 0, and ends the host there.

    The engine's call is cut first, so what it kept before stays; the host's thread ends with it.
    """

    def __init__(self, at: int, moment: Moment, cut: Callable[[], None]) -> None:
        self._left = at
        self._moment = moment
        self._cut = cut
        self.struck = False

    def __call__(self, api: Any) -> Any:
        """An API whose calls may be the last."""
        return _Mortal(api, self)

    def attend(self, call: Callable[[], Any]) -> Any:
        """Make the call, unless the host dies before it; see it die after it."""
        dies, self._left = self._left == 0, self._left - 1
        if self.struck or (dies and self._moment == "before"):
            self._strike()
        try:
            return call()
        finally:
            if dies:
                self._strike()

    def _strike(self) -> None:
        self.struck = True
        self._cut()
        raise Killed


class _Mortal:
    """Every call of the API under it, attended by death."""

    def __init__(self, api: Any, death: Death) -> None:
        self._api = api
        self._death = death

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._api, name)
        if name == "within":
            return lambda deadline: _Mortal(method(deadline), self._death)
        return lambda *args, **kwargs: self._death.attend(lambda: method(*args, **kwargs))


#: The cloud cannot be reached at all, from one call on.
REFUSED = "refused"
#: The security token ceases to be valid while the operation goes on.
EXPIRY = "token-expires"
#: The security token that expires, and the next one.
TOKENS = "sts-token-of-the-morning", "sts-token-of-the-evening"

#: How long the cloud is out of reach, by how often another fault would strike.
_AWAY_S = {1: 5.0, 3: 60.0}
_ACTIONS = {
    "create_model_service": "CreateModelService",
    "describe_model_service": "DescribeModelService",
    "delete_model_service": "DeleteModelService",
    "list_model_services": "ListModelServices",
    "list_ai_nodes": "ListAINodePools",
    "modify_security_ips": "ModifySecurityIps",
}


class Fault:
    """
    One fault of the matrix in a `World`.

    All but two are the simulator's own. `after` counts the calls of the action that go well before;
    of `EXPIRY` it is the number of seconds.
    """

    def __init__(
        self, world: World, fault: str, action: str | None, times: int | None, after: int
    ) -> None:
        self._world = world
        self._fault = fault
        self._action = action
        self._times = times
        self._after = after
        self._left = after
        self._hit = False

    def arm(self) -> None:
        """From now on."""
        simulator = self._world.simulator
        if self._fault == EXPIRY:
            self._world.clock.after(self._after, simulator.expire_token)
        elif self._fault == REFUSED:
            TimedProvider.fate = lambda api: _Watched(api, self._called)
        else:
            simulator.inject(self._fault, self._action, self._times, self._after)

    def lift(self) -> None:
        """The cloud is well again, and the user has fetched a new token."""
        world = self._world
        TimedProvider.fate = None
        world.clock.forget()
        world.simulator.clear_faults()
        if self._fault == EXPIRY:
            self._hit = any(
                call.response_code == "InvalidSecurityToken.Expired"
                for call in world.simulator.requests
            )
            world.renew_token(TOKENS[1])
        elif self._hit:
            self._back()

    @property
    def struck(self) -> bool:
        """Whether anything came of it."""
        requests = self._world.simulator.requests
        return self._hit or any(call.fault == self._fault for call in requests)

    def _called(self, action: str) -> None:
        """A call is about to be made: the cloud goes away before the one that is meant."""
        if action != self._action or self._hit:
            return
        self._left -= 1
        if self._left < 0:
            self._hit = True
            self._world.simulator.stop()
            if self._times is not None:
                self._world.clock.after(_AWAY_S[self._times], self._back)

    def _back(self) -> None:
        self._world.simulator.stop()  # harmless when it is not running
        self._world.simulator.start()


class _Watched:
    """An API whose calls are told of before they are made."""

    def __init__(self, api: Any, called: Callable[[str], None]) -> None:
        self._api = api
        self._called = called

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._api, name)
        if name == "within":
            return lambda deadline: _Watched(method(deadline), self._called)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._called(_ACTIONS[name])
            return method(*args, **kwargs)

        return call
