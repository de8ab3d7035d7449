"""
How late is a service noticed to be active, and for how many calls?

Computed, not timed: the real wait runs on a clock that only its own pauses move. Being late means
the first look at or after the moment a service turns active, minus that moment. The worst case is
always a service that turns active right after a look, so it is found at the looks themselves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from bench.charts import COLOURS, PALE, subplots
from bench.measuring import Answer, Case, spread
from bench.peers.schedules import (
    OURS,
    PEERS,
    Schedule,
    adaptive,
    fewest_looks,
    fewest_within,
    flat,
    mean_s,
    worst_of_allowed,
    worst_s,
    worst_share,
)
from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.lifecycle import ModelServiceApi, Operation, wait_until_active

_TWO_HOURS_S = 7200.0
_CREATE_S = 1800.0
#: Where the trade-off begins to be judged: hardly a model is loaded in less.
_FROM_S = 60.0
_SERVICE = ModelServiceId("gp-bench", "ms-bench")


@dataclass
class _Cloud:
    """A clock, a service that turns active at one moment, and nobody who listens."""

    active_s: float
    now: float = 0.0
    cancelled: bool = False
    looks: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def describe_model_service(self, service: ModelServiceId) -> ModelServiceDetails:
        self.looks.append(self.now)
        return ModelServiceDetails(
            service, status="active" if self.now >= self.active_s else "deploying"
        )

    def progress(self, message: str) -> None:
        pass

    note = warn = progress


def real_looks(active_s: float) -> list[float]:
    """When the real wait asks about a service that turns active at that moment, to the last."""
    cloud = _Cloud(active_s)
    limit = Deadline.after(cloud, active_s + 3600.0)
    wait_until_active(Operation(cast("ModelServiceApi", cloud), cloud, limit, cloud), _SERVICE)
    return cloud.looks


def _check(moments: Iterable[float]) -> None:
    """
    See that the schedule that is drawn is that of the real code.

    Raises:
        ArithmeticError: It is not.
    """
    for moment in moments:
        if real_looks(moment) != OURS.until(moment):
            raise ArithmeticError(f"the wait for {moment} s is not what is drawn of it")


def _moments(*, quick: bool) -> list[float]:
    """Times from 10 s to 2 h, evenly by their logarithm, and those right after our looks."""
    number = 40 if quick else 400
    spaced = [10.0 * (_TWO_HOURS_S / 10.0) ** (step / number) for step in range(number + 1)]
    return spaced + [math.nextafter(look, math.inf) for look in OURS.until(_TWO_HOURS_S)]


def _thinned(points: Iterable[Sequence[float]]) -> list[list[float]]:
    """Points that lie apart on a logarithmic axis."""
    kept: list[list[float]] = []
    for x, y in points:
        if not kept or x >= kept[-1][0] * 1.02:
            kept.append([round(x, 3), round(y, 6)])
    return kept


def _drawn(schedule: Schedule) -> dict[str, Any]:
    looks = schedule.until(_TWO_HOURS_S)
    pairs = [pair for pair in itertools.pairwise(looks) if pair[0] > 0]
    return {
        "name": schedule.name,
        "lag": _thinned((look, (later - look) / look) for look, later in pairs),
        "calls": _thinned((look, number) for number, look in enumerate(looks, 1) if look > 0),
        "trade": _traded(schedule),
    }


def _traded(schedule: Schedule) -> list[float]:
    """
    Calls for a create of 30 minutes, and how late it is at worst as a share, from one minute on.

    Raises:
        ArithmeticError: It is better than anything can be, so one of the two is wrong.
    """
    calls = len(schedule.until(_CREATE_S))
    share = worst_share(schedule, _FROM_S, _CREATE_S)
    if calls < fewest_looks(share, _FROM_S, _CREATE_S) - 1e-6:
        raise ArithmeticError(f"{schedule.name} is better than the bound")
    return [calls, share]


def measure(*, quick: bool) -> Answer:
    """Ours, by the real code, and peers, by what their sources say."""
    _check(_moments(quick=quick))
    calls = len(OURS.until(_CREATE_S))
    all_calls = len(OURS.until(_TWO_HOURS_S))
    fewest = fewest_within(_CREATE_S)
    even = (_TWO_HOURS_S / 40.0) ** (1 / all_calls) - 1
    clock = "virtual clock, the real wait"
    ours = [
        Case(
            "worst lag, as a share of what is allowed", "max(2 s, 5 % of the wait)",
            f"creates of up to 10 min; {clock}", "1: any less costs more calls",
            spread([worst_of_allowed(OURS, 600.0)]), most=1.0,
        ),
        Case(
            "worst lag", "-", f"creates of up to 2 h; {clock}",
            f"{_TWO_HOURS_S / all_calls:.1f} s: as many calls at even distances",
            spread([worst_s(OURS, _TWO_HOURS_S)]), "s", most=30.0,
        ),
        Case(
            "worst lag, as a share of the wait", "-", f"creates of 40 s to 2 h; {clock}",
            f"{even:.3f}: as many calls, all of them geometric from 40 s on",
            spread([worst_share(OURS, 40.0, _TWO_HOURS_S)]), most=0.05,
        ),
        Case(
            "mean lag", "-", f"creates of any length up to 30 min alike; {clock}",
            f"{_CREATE_S / calls / 2:.1f} s: as many calls at even distances",
            spread([mean_s(OURS, _CREATE_S)]), "s",
        ),
        Case(
            "DescribeModelService calls", "-", f"a create of 30 min; {clock}",
            f"{fewest} calls: the longest pauses that keep what is allowed, which are ours; "
            "the look at once comes on top",
            spread([calls]), "calls", most=125,
        ),
    ]  # fmt: skip
    theirs = [
        Case(
            "calls for a create of 30 min", peer.name,
            f"the peer makes {len(peer.until(_CREATE_S))} calls, and is at most "
            f"{worst_s(peer, _CREATE_S):g} s late",
            f"{fewest / len(peer.until(_CREATE_S)):.2f}: as few as keep what is allowed",
            spread([calls / len(peer.until(_CREATE_S))]), most=1.0,
        )
        for peer in PEERS
    ]  # fmt: skip
    shares = [0.005 * 100 ** (step / 40) for step in range(41)]
    data = {
        "schedules": [_drawn(schedule) for schedule in (OURS, *PEERS)],
        "flat": [_traded(flat(float(seconds))) for seconds in range(1, 61)],
        "ours with other shares": [_traded(adaptive(share, cap_s=30.0)) for share in shares],
        "fewest": [[fewest_looks(share, _FROM_S, _CREATE_S), share] for share in shares],
    }
    return Answer([*ours, *theirs], data)


_TIMES = {10: "10 s", 60: "1 min", 600: "10 min", 1800: "30 min", 7200: "2 h"}
_SHARES = {
    0.005: "0.5 %",
    0.01: "1 %",
    0.02: "2 %",
    0.05: "5 %",
    0.1: "10 %",
    0.2: "20 %",
    0.5: "50 %",
}
#: Where peers are alike, a smaller mark lies on a larger one.
_MARKS = (("o", 9), ("^", 10), ("v", 8), ("D", 6), ("s", 6), ("P", 4))


def _plotted(data: Mapping[str, Any], what: str, label: str) -> Any:
    """A line for each schedule over the time until active; ours is drawn last, on top."""
    figure, axes = subplots()
    for number, drawn in enumerate(data["schedules"]):
        axes.plot(
            *zip(*drawn[what], strict=True), color=COLOURS[number], label=drawn["name"],
            linewidth=1.4 if number else 2.8, zorder=2 if number else 3,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(10, 7200), xlabel="time until active", ylabel=label)
    axes.set_xticks([*_TIMES], [*_TIMES.values()])
    axes.minorticks_off()
    return figure, axes


def _lag(data: Mapping[str, Any]) -> Any:
    figure, axes = _plotted(data, "lag", "late at worst, as a share of that time")
    axes.set(ylim=(0.0006, 1.2), title="How late an active service is noticed at worst")
    axes.set_yticks([0.001, 0.01, 0.1, 1.0], ["0.1 %", "1 %", "10 %", "100 %"])
    axes.legend(loc="lower left", fontsize=8)
    return figure


def _calls(data: Mapping[str, Any]) -> Any:
    figure, axes = _plotted(data, "calls", "calls until it is noticed")
    axes.set(ylim=(1, 2000), title="Calls that the wait costs")
    axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    axes.legend(loc="lower right", fontsize=8)
    return figure


def _trade_off(data: Mapping[str, Any]) -> Any:
    figure, axes = subplots()
    lines = (
        ("fewest", "no schedule gets below", "-", "black"),
        ("ours with other shares", "our rule, with another share than 5 %", ":", COLOURS[0]),
        ("flat", "every 1 s to 60 s", ":", COLOURS[1]),
    )
    for name, label, style, colour in lines:
        axes.plot(*zip(*data[name], strict=True), style, color=colour, label=label, linewidth=1.2)
    curve = [*zip(*data["fewest"], strict=True)]
    axes.fill_between(curve[0], curve[1], 1e-4, color=PALE, alpha=0.4, linewidth=0)
    for drawn, (mark, size), colour in zip(data["schedules"], _MARKS, COLOURS, strict=False):
        axes.plot(
            *drawn["trade"], mark, color=colour, label=drawn["name"],
            markersize=size, zorder=4,
        )  # fmt: skip
    axes.set(
        xscale="log", yscale="log", xlim=(20, 1000), ylim=(0.005, 0.6),
        xlabel="calls for a create of 30 min", title="Fewer calls, or sooner noticed",
        ylabel="late at worst, as a share of the wait\n(1 to 30 min)",
    )  # fmt: skip
    axes.set_xticks([20, 50, 100, 200, 500, 1000], ["20", "50", "100", "200", "500", "1000"])
    axes.set_yticks([*_SHARES], [*_SHARES.values()])
    axes.minorticks_off()
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    return figure


def charts(data: Mapping[str, Any]) -> dict[str, Any]:
    """
    The figures, by the names of their files.

    `waiting-lag`: at each look, how late is noticed what turns active right after it, as a share of
    the time until then. `waiting-calls`: the looks up to the one that notices.

    `waiting-trade-off`: across, all calls of a create of 30 minutes; upwards, the worst lag as a
    share of the time until active, over all such times from 1 to 30 minutes. The line is the bound
    of `fewest_looks` for that range: it counts only looks in it, so for all of them it holds too,
    and geometric polling that begins after one minute attains it, up to a whole look.
    """
    return {
        "waiting-lag": _lag(data),
        "waiting-trade-off": _trade_off(data),
        "waiting-calls": _calls(data),
    }
