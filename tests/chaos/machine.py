"""
Any commands, on any cloud, with anything going wrong between and within them: nothing is lost.

A Hypothesis state machine that makes up the lives of stacks; what must hold in them is in `life`.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar, get_args

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.gateway import Gateway, RetryPolicy
from pulumi_adbpg_model.testing import DIALECTS, EXCLUSIVE, FAULTS
from tests.chaos.commands import GROUP, INSTANCE
from tests.chaos.hosting import READ_TIMEOUT_S
from tests.chaos.injection import Moment
from tests.chaos.life import FOREIGN, PATIENT, BrokenPromiseError, Life
from tests.chaos.verdict import Verdict
from tests.chaos.world import AgainBy, OnError
from tests.gateway.support import settings_for
from tests.provider.dynamic_host import Properties

#: So many steps a life has at most, and so many lives a session, before time is looked at.
STEPS = 18
_LIVES = 4

_NODES = ["ai-1", "ai-2", "ai-3", "ai-4"]
_ACTIONS = (
    "CreateModelService",
    "DescribeModelService",
    "DeleteModelService",
    "ListModelServices",
    "ListAINodePools",
    "ModifySecurityIps",
)
#: Each call of these costs real time, so they do not stay.
_SLOW = tuple(name for name, fault in sorted(FAULTS.items()) if fault.delivery in ("hang", "huge"))
_FAST = tuple(sorted(FAULTS.keys() - set(_SLOW)))

_inputs = st.fixed_dictionaries(
    {
        "timeouts": st.sampled_from(
            [
                PATIENT,
                {"create": "60s", "update": "60s", "delete": "60s"},
                {"create": "10m", "update": "5s", "delete": "45s", "read": "45s"},
                {"create": "20s", "update": "20s", "delete": "60s"},  # too short for a deployment
            ]
        )
    },
    optional={
        "model_name": st.sampled_from(["Qwen3-Embedding-8B", "Qwen3-8B"]),
        "ai_nodes": st.lists(st.sampled_from(_NODES), min_size=1, max_size=2, unique=True),
        "description": st.sampled_from(["one", "other", ""]),
        "security_ip_list": st.sampled_from(
            [["10.0.0.0/8"], ["10.0.0.9/8", "192.168.1.7"], ["192.168.1.7/32", "10.0.0.0/8"], []]
        ),
        "security_ip_group": st.sampled_from([GROUP, "nobodys"]),
        "replicas": st.sampled_from([1, 2]),
        "wait_for_active": st.booleans(),
        "store_api_key": st.booleans(),
    },
)
_mistakes = st.sampled_from(
    [
        {"replicas": 0},
        {"ai_nodes": []},
        {"ai_nodes": ["ai-1", "ai-1"]},
        {"security_ip_list": ["10.0.0.0/0"]},
        {"security_ip_group": "default"},
        {"timeouts": {"create": "soon"}},
        {"client_token": "x" * 65},
        {"desciption": "misspelt"},
        {"wait_for_active": 1},
    ]
)
_hooks = st.none() | st.builds(
    OnError,
    times=st.sampled_from([1, 3]),
    pause_s=st.sampled_from([0.0, 15.0, 60.0]),
    again_by=st.sampled_from(get_args(AgainBy)),
)
_drifts = st.sampled_from(
    [
        {"description": "drifted"},
        {"model_name": "Qwen3-32B"},
        {"security_ip_list": ["172.16.0.0/12"]},
        {"status": "active"},
        {"status": "deploy_failed"},
        {"private_connect_url": "http://moved.example"},
    ]
)


class Machine(RuleBasedStateMachine):
    """One life of a stack; see the module."""

    #: How many lives were lived to their end, and with how many events.
    lives: ClassVar[int] = 0
    events: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.life: Life | None = None
        self._foreign = 0

    @initialize(
        dialects=st.lists(st.sampled_from(sorted(DIALECTS)), max_size=5, unique=True),
        delete_seconds=st.sampled_from([0.0, 20.0]),
    )
    def begin(self, dialects: list[str], delete_seconds: float) -> None:
        """A cloud of these dialects, as far as they go together."""
        spoken: list[str] = []
        for name in dialects:
            if not any(name in group and group & set(spoken) for group in EXCLUSIVE):
                spoken.append(name)
        self.life = Life(spoken, delete_seconds)

    @property
    def _now(self) -> Life:
        assert self.life is not None
        return self.life

    # What the person does

    @precondition(lambda self: not self._now.lost)
    @rule(inputs=_inputs)
    def declare(self, inputs: Properties) -> None:
        """Who does not know what became of the last program waits with a change."""
        self._now.declare(inputs)

    @rule(command=st.sampled_from(["up", "up", "refresh", "destroy"]))
    def command(self, command: str) -> None:
        getattr(self._now, command)()

    @rule(mistake=_mistakes)
    def mistake(self, mistake: Properties) -> None:
        self._now.mistake(mistake)

    @rule(hook=_hooks)
    def hook(self, hook: OnError | None) -> None:
        self._now.hook(hook)

    @rule(
        command=st.sampled_from(["up", "up", "refresh", "destroy"]),
        at=st.integers(0, 7),
        moment=st.sampled_from(["before", "after"]),
    )
    def die(self, command: str, at: int, moment: Moment) -> None:
        self._now.die(getattr(self._now, command), at, moment)

    @precondition(lambda self: not self._now.lost)
    @rule(inputs=_inputs, at=st.integers(0, 12), moment=st.sampled_from(["before", "after"]))
    def declare_and_die(self, inputs: Properties, at: int, moment: Moment) -> None:
        self._now.die(lambda: self._now.declare(inputs), at, moment)

    @rule(seconds=st.sampled_from([0.5, 3.0, 15.0, 35.0, 70.0]))
    def cancel(self, seconds: float) -> None:
        self._now.cancel_after(seconds)

    # What the cloud and others do

    @rule(seconds=st.sampled_from([1.0, 5.0, 45.0, 100.0]), heal=st.booleans())
    def later(self, seconds: float, heal: bool) -> None:  # noqa: FBT001 - drawn by name
        self._now.say(f"{seconds} s pass{', no faults any more' if heal else ''}")
        self._now.world.later(seconds)
        if heal:
            self._now.world.simulator.clear_faults()

    @precondition(lambda self: self._now.ours)
    @rule(fields=_drifts)
    def drift(self, fields: dict[str, Any]) -> None:
        self._now.say(f"drift: {fields}")
        self._now.world.simulator.change_service(self._now.ours[0].id, **fields)

    @precondition(lambda self: self._now.ours)
    @rule()
    def remove_outside(self) -> None:
        self._now.remove(self._now.ours[:1])

    @rule(what=st.sampled_from(["fail next", "hold", "hold", "release"]))
    def deployments(self, what: str) -> None:
        self._now.say(f"deployments: {what}")
        simulator = self._now.world.simulator
        if what == "fail next":
            self._now.failing += 1
            simulator.fail_next_deployment()
        elif what == "hold":
            simulator.hold_deployments()
        else:
            simulator.release_deployments()

    @rule(node=st.sampled_from(_NODES))
    def neighbour(self, node: str) -> None:
        """Somebody else takes a node, if it is free."""
        self._foreign += 1
        world = self._now.world
        gateway = Gateway(
            settings_for(world.simulator.port, region="cn-hangzhou"),
            world.clock,
            RetryPolicy(attempts=1),
            read_timeout_s=READ_TIMEOUT_S,
        )
        spec = ModelServiceSpec(INSTANCE, "Qwen3-Reranker-8B", (node,))
        try:
            gateway.create_model_service(spec, f"{FOREIGN}{self._foreign}")
        except AdbpgModelError:
            self._now.say(f"somebody else does not get {node}")
        else:
            self._now.say(f"somebody else takes {node}")

    @precondition(lambda self: self._now.foreign)
    @rule()
    def neighbour_leaves(self) -> None:
        self._now.remove(self._now.foreign)

    @rule(
        name=st.sampled_from(_FAST),
        action=st.none() | st.sampled_from(_ACTIONS),
        times=st.sampled_from([1, 2, 3, None]),
        after=st.sampled_from([0, 0, 1, 3]),
    )
    def fault(self, name: str, action: str | None, times: int | None, after: int) -> None:
        self._now.say(f"{name}, {times} times at {action} after {after}")
        self._now.world.simulator.inject(name, action, times, after)

    @rule(
        name=st.sampled_from(_SLOW),
        action=st.sampled_from(_ACTIONS),
        after=st.sampled_from([0, 1]),
    )
    def slow_fault(self, name: str, action: str, after: int) -> None:
        self._now.say(f"{name} at {action} after {after}")
        self._now.world.simulator.inject(name, action, 1, after)

    @rule(seconds=st.sampled_from([1.0, 20.0, 90.0, 400.0]))
    def outage(self, seconds: float) -> None:
        self._now.be_out(seconds)

    def teardown(self) -> None:
        if self.life is None:
            return
        try:
            self.life.converge()
        finally:
            type(self).lives += 1
            type(self).events += len(self.life.story)
            self.life.close()


def run(number: int, seconds: float) -> list[Verdict]:
    """Live lives for a while; see `sessions`."""
    return sessions(Machine, "machine", number, seconds)


def sessions(
    machine: type[RuleBasedStateMachine], name: str, number: int, seconds: float
) -> list[Verdict]:
    """
    Live lives for a while, one verdict for each; what goes wrong is not made smaller.

    Args:
        machine: Makes them up; it counts in `lives` those that came to their end.
        name: What the verdicts are called.
        number: The seed: the same lives for the same number, as far as time goes.
        seconds: When no further session begins.
    """
    verdicts: list[Verdict] = []
    give_up = time.monotonic() + seconds
    session = 0
    while not session or time.monotonic() < give_up:
        verdicts += _session(machine, f"{name} {number}.{session}", f"{number}.{session}")
        session += 1
    return verdicts


def _told_by(error: Exception) -> tuple[str, tuple[str, ...]]:
    """What went wrong; also where it did so only once, as time may decide."""
    first = next(iter(getattr(error, "exceptions", ())), error)
    if isinstance(first, BrokenPromiseError):
        return first.kind, first.story
    return "unconverged", (f"{type(first).__name__}: {first}",)


def _session(machine: type[RuleBasedStateMachine], name: str, number: str) -> list[Verdict]:
    counting: Any = type("Session", (machine,), {"lives": 0})  # each session for itself
    broken: tuple[str, tuple[str, ...]] | None = None
    lived = settings(
        max_examples=_LIVES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(number)(counting), settings=lived)
    except Exception as error:  # noqa: BLE001 - told as a verdict
        broken = _told_by(error)
    well = counting.lives if broken is None else max(0, counting.lives - 2)  # it is lived twice
    verdicts = [Verdict(f"{name}.{life}", converged=True) for life in range(well)]
    if broken is not None:
        kind, story = broken
        verdicts.append(
            Verdict(
                name,
                converged=kind != "unconverged",
                duplicates=int(kind == "duplicates"),
                orphans=int(kind == "orphans"),
                dropped=int(kind == "dropped"),
                lost=int(kind == "lost"),
                owned_twice=int(kind == "owned twice"),
                unclear=(story[-1],) if kind == "unclear" else (),
                story=story,
            )
        )
    return verdicts
