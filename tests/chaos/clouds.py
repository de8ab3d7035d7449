"""
Clouds: every dialect by itself, in pairs and in random combinations of those that go together.

In each of them one life of a service, from create to destroy, has to go right.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.testing import DIALECTS, EXCLUSIVE, SimulatedService, Simulator
from tests.chaos.clarity import is_clear
from tests.chaos.commands import GROUP, INSTANCE, Commands, Ran
from tests.chaos.on_engine import EngineCommands
from tests.chaos.verdict import Verdict, judge
from tests.chaos.world import World
from tests.engine.support.programs import place

_MOST = 12
#: Besides those that exclude each other: a service that is there, refused with a code of no page
#: again and again, is an error on purpose.
_EXCLUSIVE = (*EXCLUSIVE, frozenset({"describe-flaps", "describe-gone-unknown-code"}))
#: Those that cost no minutes in real time, for the engine.
_FAST = sorted(DIALECTS.keys() - {"invisible-20s", "failure-abnormal"})


@dataclass(frozen=True)
class CloudPoint:
    """One cloud, as the dialects that it speaks."""

    dialects: tuple[str, ...]

    @property
    def name(self) -> str:
        """Enough to run it again."""
        return "cloud: " + ("+".join(self.dialects) or "as documented")


def _goes_with(name: str, chosen: Iterable[str]) -> bool:
    return not any(name in group and not group.isdisjoint(chosen) for group in _EXCLUSIVE)


def combination(source: random.Random) -> CloudPoint:
    """Two dialects to a dozen that do not exclude each other."""
    wanted = source.randint(2, _MOST)
    chosen: set[str] = set()
    for name in source.sample(sorted(DIALECTS), len(DIALECTS)):
        if _goes_with(name, chosen):
            chosen.add(name)
        if len(chosen) == wanted:
            break
    return CloudPoint(tuple(sorted(chosen)))


def points(seed: int, combinations: int) -> Iterator[CloudPoint]:
    """The documented cloud, every dialect by itself, then so many combinations."""
    yield CloudPoint(())
    for name in sorted(DIALECTS):
        yield CloudPoint((name,))
    source = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    for _ in range(combinations):
        yield combination(source)


def pairs(seed: int) -> Iterator[CloudPoint]:
    """Every dialect once, each beside one that it goes with."""
    left = random.Random(seed).sample(sorted(DIALECTS), len(DIALECTS))  # noqa: S311 - as above
    while left:
        one = left.pop()
        other = next((name for name in left if _goes_with(name, (one,))), None)
        left = [name for name in left if name != other]
        yield CloudPoint(tuple(sorted({one, other or one})))


def covering(seed: int) -> list[CloudPoint]:
    """As few clouds as can speak all dialects, but for the slowest ones."""
    source = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    left = source.sample(_FAST, len(_FAST))
    found = []
    while left:
        chosen: list[str] = []
        for name in left:
            if _goes_with(name, chosen):
                chosen.append(name)
        left = [name for name in left if name not in chosen]
        found.append(CloudPoint(tuple(sorted(chosen))))
    return found


def run(point: CloudPoint) -> Verdict:
    """Live a whole life there, without the engine."""
    deploy_s = _LONG_DEPLOYMENT_S if "invisible-20s" in point.dialects else _DEPLOYMENT_S
    # The preflight must raise no false alarm.
    with World(point.dialects, provision_seconds=deploy_s, preflight=True) as world:
        return live(world, point.dialects, point.name)


def run_on_engine(point: CloudPoint, home: Path) -> Verdict:
    """The same life on the real engine, in real time."""
    with Simulator(
        dialects=point.dialects, provision_seconds=0.1, whitelist_groups={GROUP: "ai-1"}
    ) as simulator:
        stack = EngineCommands(home, simulator)
        return live(stack, point.dialects, f"engine, {point.name}", repeat=False)


#: As a file is read that has seen several editors.
_TEXT = " first,\r\nof three\nlines\n"
_FIRST: dict[str, Any] = {
    "ai_nodes": ["ai-1", "ai-2"],
    "description": _TEXT,
    "security_ip_list": ["10.0.0.1", "10.1.2.3/16", "10.0.0.1"],
    "security_ip_group": GROUP,
}
_HIDING = {"fields-missing", "fields-null", "fields-empty"}
#: Where lists are long, there have to be more services than one page holds.
_LISTED = {"list-paged-at-20", "list-reordered"}
_NEIGHBOURS = 25
#: Longer than anything is kept from being seen; each poll has its price.
_DEPLOYMENT_S, _LONG_DEPLOYMENT_S = 10.0, 30.0


class _Life:
    """The steps so far: what was run, and what was not as it should be."""

    def __init__(self, stack: Commands, dialects: Iterable[str], *, repeat: bool) -> None:
        self.stack = stack
        self.repeat = repeat
        self.simulator = stack.simulator
        self.dialects = frozenset(dialects)
        self.story: list[str] = []
        self.wrong: list[str] = []
        self.unclear: list[str] = []
        self.keys: set[str] = set()
        self.verdicts: list[Verdict] = []
        #: Every id that was ever in the state.
        self.held: set[str] = set()
        self.warned = ""
        self.neighbours: set[str] = set()

    @property
    def ours(self) -> list[SimulatedService]:
        """The services in the cloud but for those of somebody else."""
        return [one for one in self.simulator.services if _id(one) not in self.neighbours]

    def did(self, step: str, ran: Ran, *expected: str) -> None:
        """Note a command, and compare what it did; `error` stands for a clear refusal."""
        outcome = ran.did if ran.well else "error"
        self.story += [f"{step}: {outcome}", *ran.told.splitlines()]
        self.keys |= {one.api_key for one in self.simulator.services if one.api_key}
        self.unclear += [error for error in ran.errors if not is_clear(error, secrets=self.keys)]
        self.unclear += [f"{step}: a key is shown" for key in self.keys if key in ran.told]
        self.warned = ran.warned
        if ran.well and "is not as asked" in ran.told and not self.dialects & _HIDING:
            self.note(f"{step}: warned of a difference")
        if ran.well and " should be " in ran.told:
            self.note(f"{step}: the preflight raised a false alarm")
        if len(self.ours) > 1:
            self.judge(1)
        if outcome not in expected:
            self.note(f"{step}: {outcome} instead of {' or '.join(expected)}")

    def declared_again(self, name: str) -> dict[str, Any]:
        """The first declaration, for a service that is gone."""
        return _FIRST if self.repeat else {**_FIRST, "description": name}

    def note(self, problem: str) -> None:
        """Remember what is wrong."""
        self.wrong.append(problem)
        self.story.append(f"WRONG {problem}")

    def agrees(self, step: str, **fields: Any) -> None:
        """State and cloud hold the same one service, and it is as declared."""
        if not self.judge(1).converged:
            self.note(f"{step}: cloud {self.ours}, state {sorted(self.stack.ids())}")
            return
        for service in self.ours:
            shown = {name: getattr(service, name) for name in fields}
            if shown != fields:
                self.note(f"{step}: the cloud has {shown} instead of {fields}")
            if service.status == "active" and self.stack.key() != service.api_key:
                self.note(f"{step}: the state has another API key than the cloud, or none")

    def empty(self, step: str) -> None:
        """Neither state nor cloud holds anything."""
        if not self.judge(0).converged:
            self.note(f"{step}: cloud {self.ours}, state {self.stack.ids()}")

    def judge(self, resources: int) -> Verdict:
        """Compare the cloud with the state now; the figures count."""
        state = self.stack.ids()
        verdict = judge(
            "",
            in_cloud={_id(one) for one in self.ours},
            in_state=state,
            resources=resources,
            held=self.held,
            told=self.warned,
        )
        self.held |= state
        self.verdicts.append(verdict)
        return verdict

    def only_service(self) -> str:
        """The id in the cloud, without its instance."""
        (service,) = self.ours
        return service.id


def _id(service: SimulatedService) -> str:
    return str(ModelServiceId(service.instance_id, service.id))


def live(stack: Commands, dialects: Iterable[str], point: str, *, repeat: bool = True) -> Verdict:
    """
    Create, no-op, refresh, drift, change, replace, delete outside, fail, go on, destroy, create.

    Args:
        stack: Empty, with whatever carries the commands out.
        dialects: Those in force: some things cannot be seen in some of them.
        point: What to call it.
        repeat: Whether what was destroyed is declared again just as it was: the cloud may then
            answer with dead ids, each of which takes 30 s to be sure of.
    """
    life = _Life(stack, dialects, repeat=repeat)
    try:
        if life.dialects & _LISTED:
            _settle_neighbours(life)
        _ordinary(life)
        _drift(life)
        _whitelist(life)
        _replacement(life)
        _outside_deletion(life)
        _failure(life)
        _slow_deployment(life)
        _end(life)
    except Exception as error:  # noqa: BLE001 - a point that breaks must not end the others
        life.note(f"{type(error).__name__}: {error}")
    return Verdict(
        point,
        converged=not life.wrong,
        duplicates=max((one.duplicates for one in life.verdicts), default=0),
        orphans=max((one.orphans for one in life.verdicts), default=0),
        dropped=max((one.dropped for one in life.verdicts), default=0),
        unclear=tuple(life.unclear),
        story=tuple(life.story),
    )


def _settle_neighbours(life: _Life) -> None:
    """Services of somebody else in the same instance."""
    nodes = [f"other-{number}" for number in range(_NEIGHBOURS)]
    life.simulator.add_instance(INSTANCE, nodes)
    life.neighbours |= {place(life.simulator, ai_nodes=(node,)) for node in nodes}


def _ordinary(life: _Life) -> None:
    life.did("create", life.stack.up(**_FIRST), "create")
    life.agrees("create", description=_TEXT, model_name="Qwen3-Embedding-8B")
    life.simulator.clear_requests()
    life.did("no-op", life.stack.up(**_FIRST), "same")
    life.did("refresh", life.stack.refresh(), "same", "update")
    life.did("no-op after refresh", life.stack.up(**_FIRST), "same")
    if life.simulator.mutations:
        life.note(f"no-op: {[request.action for request in life.simulator.mutations]}")
    life.agrees("refresh")


def _drift(life: _Life) -> None:
    seen = not life.dialects & _HIDING
    life.simulator.change_service(life.only_service(), description="changed outside")
    life.did("refresh of drift", life.stack.refresh(), "same", "update")
    life.did("mend drift", life.stack.up(**_FIRST), "replace" if seen else "same")
    life.agrees("drift", **({"description": _TEXT} if seen else {}))
    if not seen or "modify-not-reaching" in life.dialects:
        return
    wider = ("10.0.0.1", "10.1.2.3/16", "0.0.0.0/0")
    life.simulator.change_service(life.only_service(), security_ip_list=wider)
    life.did("refresh of a wider whitelist", life.stack.refresh(), "update")
    life.did("mend the whitelist", life.stack.up(**_FIRST), "update")
    life.agrees("mend the whitelist", security_ip_list=tuple(_FIRST["security_ip_list"]))


def _whitelist(life: _Life) -> None:
    reaches = "modify-not-reaching" not in life.dialects
    empty = "fields-empty" in life.dialects  # as if nobody were admitted, which is no success
    hidden = bool(life.dialects & _HIDING) and not empty
    changed = {**_FIRST, "security_ip_list": ["10.9.0.1"]}
    if hidden or (reaches and not empty):
        life.did("whitelist", life.stack.up(**changed), "update")
    else:
        life.did("whitelist", life.stack.up(**changed), "error")
        changed.pop("security_ip_group")
        life.did("whitelist without group", life.stack.up(**changed), "replace")
    if reaches or not hidden:
        life.agrees("whitelist", security_ip_list=("10.9.0.1",))
    life.did("whitelist again", life.stack.up(**changed), "same")


def _replacement(life: _Life) -> None:
    old = life.only_service()
    life.did("replace", life.stack.up(**_FIRST, model_name="Qwen3-8B"), "replace")
    life.agrees("replace", model_name="Qwen3-8B", description=_TEXT)
    if life.ours and life.only_service() == old:
        life.note("replace: the service is the old one")


def _outside_deletion(life: _Life) -> None:
    life.simulator.remove_service(life.only_service())
    if "describe-gone-unknown-code" in life.dialects:
        life.did("refresh of the deleted", life.stack.refresh(), "error")
        life.did("destroy of the deleted", life.stack.destroy(), "delete")
        life.stack.later(3.0)  # as a refresh takes: the nodes may be bound for so long
    else:
        life.did("refresh of the deleted", life.stack.refresh(), "delete")
    life.empty("refresh of the deleted")
    declared = life.declared_again("again")
    life.did("create again", life.stack.up(**declared), "create")
    life.agrees("create again", description=declared["description"])


def _failure(life: _Life) -> None:
    life.simulator.fail_next_deployment()
    declared = {**_FIRST, "description": "fails", "timeouts": {"create": "10m", "update": "1m"}}
    life.did("failed deployment", life.stack.up(**declared), "error")
    life.agrees("failed deployment")
    if "failure-abnormal" in life.dialects:  # a word that nobody can take for a failure
        life.did("resume in vain", life.stack.up(**declared), "error")
        life.did("destroy of the failed", life.stack.destroy(), "delete")
        life.did("create after the failure", life.stack.up(**declared), "create")
    else:
        life.did("replace the failed", life.stack.up(**declared), "replace")
    life.agrees("after the failure", description="fails", status="active")


def _slow_deployment(life: _Life) -> None:
    """Longer than its program allows, twice: it is kept, and the next commands go on with it."""
    life.simulator.hold_deployments()
    limits = {"create": "5s", "update": "5s"}
    declared = {**_FIRST, "description": "slow", "timeouts": limits}
    life.did("slow deployment", life.stack.up(**declared), "error")
    life.agrees("slow deployment", description="slow")
    slow = life.only_service()
    life.did("go on in vain", life.stack.up(**declared), "error")
    life.simulator.release_deployments()
    life.did("go on", life.stack.up(**{**declared, "timeouts": {"update": "5m"}}), "update")
    life.agrees("go on", description="slow", status="active")
    if life.only_service() != slow:
        life.note("go on: the service is another one")
    life.did("no-op after going on", life.stack.up(**declared), "same")


def _end(life: _Life) -> None:
    for step in ("destroy", "destroy again"):
        life.did(step, life.stack.destroy(), "delete")
        life.empty(step)
        if step == "destroy":
            declared = life.declared_again("anew")
            if "whitelist-open-default" in life.dialects:
                declared = {**declared, "security_ip_list": None, "description": "open"}
            ran = life.stack.up(**declared)
            life.did("create anew", ran, "create")
            told = "admits 0.0.0.0/0, though security_ip_list is not set" in ran.told
            if told != ("whitelist-open-default" in life.dialects and not life.dialects & _HIDING):
                life.note(f"create anew: an open whitelist is told of: {told}")
            life.agrees("create anew", description=declared["description"], status="active")
    if not life.neighbours <= {_id(one) for one in life.simulator.services}:
        life.note("a service of somebody else is gone")
