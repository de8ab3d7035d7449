"""Every operation of the provider, as a command to strike: what comes before, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from tests.chaos.commands import GROUP, Ran
from tests.chaos.world import AgainBy, OnError, World

#: Too short for a deployment; enough to go on with one.
_MORE_TIME = {"timeouts": {"create": "10s", "update": "10m"}}
#: Too short for a deployment, enough for calls that have to be repeated.
_SHORT_S = 30.0
_SHORT = {"timeouts": {"create": "30s"}}
#: Longer than a token lives in the matrix; the other one longer than any of the limits above.
_DEPLOYMENT_S, _LONG_DEPLOYMENT_S = 24.0, 40.0
#: How a program with a hook goes on then.
_TRIES, _PAUSE_S = 2, 30.0
_LISTED = {"security_ip_list": ["10.0.0.1"], "security_ip_group": GROUP}


def _nothing(_world: World) -> None:
    """A stack that has never been up."""


@dataclass(frozen=True)
class Operation:
    """
    One command in one situation.

    `calls` says how often it calls each action when nothing goes wrong (at least, where it polls),
    `limit_s` the longest that it may take by its default timeout. Where it waits for no deployment
    there is none to wait for before and after it either: each poll has its price.
    """

    name: str
    did: str
    calls: Mapping[str, int]
    limit_s: float
    prepare: Callable[[World], None] = _nothing
    act: Callable[[World], Ran] = World.up
    #: What the program declares from then on, and the service shows.
    inputs: Mapping[str, Any] = field(default_factory=dict)
    delete_s: float = 0.0
    deploy_s: float = 0.0
    #: A fault that comes with the situation: (fault, action).
    always: tuple[str, str] | None = None
    #: Whether it ends with nothing in the cloud and nothing in the state.
    removes: bool = False

    def world(self, security_token: str | None = None) -> World:
        """A cloud in which deployments and deletions take as long as this needs."""
        return World(
            provision_seconds=self.deploy_s,
            delete_seconds=self.delete_s,
            security_token=security_token,
        )


def _up(**inputs: Any) -> Callable[[World], Ran]:
    return lambda world: world.up(**inputs)


def _exists(**inputs: Any) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        made = world.up(**inputs)
        assert made.well, made.errors

    return prepare


def _pending(world: World) -> None:
    """A create that gave up before the service was active."""
    made = world.up(**_MORE_TIME)
    assert not made.well, "the deployment was to outlast the timeout"
    assert len(world.ids()) == 1


def _unmanaged(world: World) -> None:
    """A service that is being deployed, and that no state knows."""
    _pending(world)
    world.forget()


def _tried_again(again_by: AgainBy) -> Callable[[World], Ran]:
    """A create that fails in part at first, and is tried again in the same process."""

    def act(world: World) -> Ran:
        world.on_error = OnError(_TRIES, _PAUSE_S, again_by)
        try:
            return world.up(**_SHORT)
        finally:
            world.on_error = None

    return act


def _adopt(world: World) -> Ran:
    (id_,) = world.in_cloud
    return world.up(__adopt=id_)


def _get(world: World) -> Ran:
    (id_,) = world.in_cloud
    return world.get(id_)


def _removed(world: World) -> None:
    """A service that somebody deleted behind the state's back."""
    _exists()(world)
    world.simulator.remove_service(world.simulator.services[0].id)


_CREATE, _DESCRIBE, _DELETE, _LIST, _NODES, _MODIFY = (
    "CreateModelService",
    "DescribeModelService",
    "DeleteModelService",
    "ListModelServices",
    "ListAINodePools",
    "ModifySecurityIps",
)
_HOUR_S, _UPDATE_S, _DELETE_S, _READ_S = 3600.0, 600.0, 1200.0, 300.0

OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            "create",
            "create",
            {_LIST: 1, _CREATE: 1, _DESCRIBE: 3},
            _HOUR_S,
            deploy_s=_DEPLOYMENT_S,
        ),
        Operation(
            "create without quota",
            "failed",
            {_LIST: 2, _CREATE: 1, _NODES: 1},
            _HOUR_S,
            always=("quota", _CREATE),
        ),
        *(
            Operation(
                f"create, tried again by {again_by}",
                "create",
                {_LIST: 1, _CREATE: 1, _DESCRIBE: 6},
                _SHORT_S + _TRIES * (_PAUSE_S + _SHORT_S),
                act=_tried_again(again_by),
                inputs=_SHORT,
                deploy_s=_LONG_DEPLOYMENT_S,
            )
            for again_by in get_args(AgainBy)
        ),
        Operation(
            "resume",
            "update",
            {_DESCRIBE: 3},
            _UPDATE_S,
            prepare=_pending,
            act=_up(**_MORE_TIME),
            inputs=_MORE_TIME,
            deploy_s=_LONG_DEPLOYMENT_S,
        ),
        Operation(
            "take over",
            "create",
            {_DESCRIBE: 3},
            _HOUR_S,
            prepare=_unmanaged,
            act=_adopt,
            deploy_s=_LONG_DEPLOYMENT_S,
        ),
        Operation("refresh", "same", {_DESCRIBE: 1}, _READ_S, prepare=_exists(), act=World.refresh),
        Operation("get", "get", {_DESCRIBE: 1}, _READ_S, prepare=_exists(), act=_get),
        Operation(
            "whitelist",
            "update",
            {_MODIFY: 1, _DESCRIBE: 1},
            _UPDATE_S,
            prepare=_exists(**_LISTED),
            act=_up(**{**_LISTED, "security_ip_list": ["10.0.0.2"]}),
            inputs={**_LISTED, "security_ip_list": ["10.0.0.2"]},
        ),
        Operation(
            "replace",
            "replace",
            {_DELETE: 1, _DESCRIBE: 12, _LIST: 2, _CREATE: 1},
            _DELETE_S + _HOUR_S,
            prepare=_exists(),
            act=_up(model_name="Qwen3-8B"),
            inputs={"model_name": "Qwen3-8B"},
            delete_s=10.0,
            deploy_s=_DEPLOYMENT_S,
        ),
        Operation(
            "delete",
            "delete",
            {_DELETE: 1, _DESCRIBE: 3, _LIST: 1},
            _DELETE_S,
            prepare=_exists(),
            act=World.destroy,
            delete_s=10.0,
            removes=True,
        ),
        Operation(
            "delete of a removed service",
            "delete",
            {_DELETE: 1, _DESCRIBE: 1, _LIST: 1},
            _DELETE_S,
            prepare=_removed,
            act=World.destroy,
            removes=True,
        ),
        Operation(
            "refresh of a removed service",
            "delete",
            {_DESCRIBE: 1, _LIST: 1},
            _READ_S,
            prepare=_removed,
            act=World.refresh,
            removes=True,
        ),
    )
}
