"""
When others look at what they wait for, and when we do.

Each schedule names its source. What was read in that source is said plainly; what was inferred is
marked as such. A call is taken to last no time, for all alike.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pulumi_adbpg_model.lifecycle.operation import poll_delay


@dataclass(frozen=True)
class Schedule:
    """Looks, in seconds since the wait began: the first, then one after each pause."""

    name: str
    first_s: float
    #: The pause after a look, by when that look was and by its number, from 1.
    delay: Callable[[float, int], float]

    def looks(self) -> Iterator[float]:
        """The moments of all looks, without end."""
        moment = self.first_s
        for number in itertools.count(1):
            yield moment
            moment += self.delay(moment, number)

    def until(self, active_s: float) -> list[float]:
        """The looks up to the one that finds active what is so from that moment on."""
        looks = []
        for moment in self.looks():
            looks.append(moment)
            if moment >= active_s:
                break
        return looks


def flat(seconds: float, name: str = "") -> Schedule:
    """A look at once, then one in every so many seconds."""
    return Schedule(name or f"every {seconds:g} s", 0.0, lambda _waited, _number: seconds)


def geometric(share: float, first_s: float = 2.0) -> Schedule:
    """Pauses that are always the same share of the time waited."""
    return Schedule(f"{share:.1%} of the wait", first_s, lambda waited, _number: share * waited)


def adaptive(share: float, floor_s: float = 2.0, cap_s: float = float("inf")) -> Schedule:
    """Our rule with other figures, to see what they would cost."""
    return Schedule(
        f"{share:.1%} of the wait, {floor_s:g} to {cap_s:g} s",
        0.0,
        lambda waited, _number: min(max(floor_s, share * waited), cap_s),
    )


def _sdk_backoff(name: str, first_s: float, least_s: float) -> Schedule:
    """
    `StateChangeConf` of terraform-plugin-sdk (helper/retry/state.go, read).

    After a first look it waits 200 ms, then twice as long each time, never less than `MinTimeout`
    and never more than 10 s.
    """
    return Schedule(
        name, first_s, lambda _waited, number: min(least_s * 2.0 ** min(number - 1, 30), 10.0)
    )


#: A look at once, then the pauses of the real code.
OURS = Schedule("this package", 0.0, lambda waited, _number: poll_delay(waited))

#: `alicloud_gpdb_instance` and `alicloud_pai_service` (read): `BuildStateConf` with a delay of 5 s,
#: and in it a `MinTimeout` of 3 s.
ALICLOUD = _sdk_backoff("Terraform alicloud: 5 s, then 3 s doubling to 10 s", 5.0, 3.0)

#: `aws_sagemaker_endpoint` (read): `waitEndpointInService` sets neither delay nor interval, and
#: internal/backoff of terraform-provider-aws doubles from 200 ms to 10 s, as the plugin SDK does.
SAGEMAKER = _sdk_backoff("Terraform SageMaker: 0.2 s doubling to 10 s", 0.0, 0.2)

#: `databricks_model_serving` waits by the Go SDK, whose retries/retries.go (read) pauses 1 s longer
#: each time, up to 10 s, plus 50 to 750 ms by chance; here their mean. That the resource uses this
#: wait is inferred from the SDK's generated `WaitGetServingEndpointNotUpdating`.
DATABRICKS = Schedule(
    "Databricks SDK: 1 s longer each time, to 10 s",
    0.0,
    lambda _waited, number: min(float(number), 10.0) + 0.4,
)

#: `baseten_model` (read): `modelPushPollInterval`, after a look at once. The same interval:
#: `InferenceEndpoint.wait` of huggingface_hub (read), which takes its first look from the answer to
#: the create, so makes one call less.
FIVE = flat(5.0, "every 5 s: Baseten, huggingface_hub")

#: Google's Terraform provider, for `google_vertex_ai_endpoint_with_model_garden_deployment`: its
#: configuration sets `PollInterval` to 10 s (read); that the wait keeps to it is inferred. The
#: same: a script around an SDK with `sleep(10)`, as people write it by hand (assumed).
TEN = flat(10.0, "every 10 s: Google, a script by hand")

PEERS = (ALICLOUD, SAGEMAKER, DATABRICKS, FIVE, TEN)


def allowed_s(active_s: float) -> float:
    """How late we may be: 5 % of the wait, but 2 s in any case and 30 s at most."""
    return min(max(2.0, 0.05 * active_s), 30.0)


def worst_s(schedule: Schedule, until_s: float) -> float:
    """How late a service is noticed at worst that turns active at any moment up to this one."""
    looks = itertools.chain((0.0,), schedule.until(until_s))
    return round(max(later - look for look, later in itertools.pairwise(looks)), 9)


def worst_share(schedule: Schedule, from_s: float, until_s: float) -> float:
    """The worst of lateness as a share of the time until active, over a range of such times."""
    looks = [look for look in schedule.until(until_s) if look >= from_s]
    moments = itertools.pairwise([from_s, *looks])
    return round(max((later - moment) / moment for moment, later in moments), 9)


def mean_s(schedule: Schedule, until_s: float) -> float:
    """How late on average, where any moment up to this one is as likely as another."""
    looks = [*schedule.until(until_s)[:-1], until_s]
    pauses = (b - a for a, b in itertools.pairwise(itertools.chain((0.0,), looks)))
    return sum(pause**2 for pause in pauses) / 2 / until_s


def worst_of_allowed(schedule: Schedule, until_s: float) -> float:
    """How late at worst as a share of max(2 s, 5 % of the wait), up to this moment."""
    looks = itertools.chain((0.0,), schedule.until(until_s))
    pairs = itertools.pairwise(looks)
    return round(max((later - look) / max(2.0, 0.05 * look) for look, later in pairs), 9)


def fewest_looks(share: float, from_s: float, until_s: float) -> float:
    """
    How many looks no schedule can do without, from `from_s` to the one that notices `until_s`.

    Let nothing that turns active within this range be noticed later than by this share of the time
    until then. So `from_s` is noticed by `from_s * (1 + share)` at the latest, what turns active
    right after that look by `(1 + share)` times as much again, and so on: n looks reach no further
    than `from_s * (1 + share) ** n`. Geometric polling that begins at `from_s` attains it, rounded
    up to whole looks.
    """
    return math.log(until_s / from_s) / math.log1p(share)


def fewest_within(until_s: float) -> int:
    """
    How many looks any schedule needs that is never later than allowed, to notice `until_s`.

    Each look at the last moment that is allowed: no schedule gets ahead of this one, as what is
    allowed grows by the wait.
    """
    moment, number = 0.0, 0
    while moment < until_s:
        moment += allowed_s(moment)
        number += 1
    return number
