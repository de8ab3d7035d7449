"""Whatever happens at whichever request, nothing is left, or each id is named with its line."""

from __future__ import annotations

import functools
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import Result

from pulumi_adbpg_model.testing import RecordedRequest, Simulator
from tests.survey.world import INSTANCE, NODE, TRIAL, World, removals, world

_QUICK = ("--timeout", "2")


def _ctrl_c(_: Simulator) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def _ctrl_c_often(simulator: Simulator) -> None:
    """At each request from now on."""
    _ctrl_c(simulator)
    raise _Again


class _Again(Exception):  # noqa: N818 - it is none
    pass


def _fault(name: str, times: int | None = 1) -> Callable[[Simulator], None]:
    return lambda simulator: simulator.inject(name, times=times)


#: What happens at a request, by name: the answer lost, the cloud away from then on, and so on.
_TROUBLE: dict[str, Callable[[Simulator], None]] = {
    "ctrl-c": _ctrl_c,
    "ctrl-c at each request": _ctrl_c_often,
    "lost answer": _fault("reset-after"),
    "outage": _fault("reset-before", None),
    "outage after it was applied": _fault("internal-error-after", None),
    "refused": _fault("busy"),
    "forbidden": _fault("forbidden"),
    "expired": _fault("expired-token", None),
    "no such instance": _fault("instance-not-found"),
}
#: Those that last. Who calls waits for each answer, as long as a server in front may take.
_OUTAGES = ("outage", "outage after it was applied")
_OUTAGE_ANSWERS_S = 20.0
#: Those that keep the request from being done.
_PREVENT = ("outage", "refused", "forbidden", "expired", "no such instance")
#: Those after which nobody can know at once what there is.
_WORST = ("lost answer", "outage after it was applied")
#: A cloud in which a new service is hard to see, and hard to delete.
_HARD = ("tokens-forget-dead", "invisible-20s", "delete-refused-while-deploying", "list-stale")
_BLIND = ("fields-missing", "tokens-ignored", "invisible-after-create")


class _At:
    """The time of signatures, with something that happens at one request, by its number."""

    #: How often the simulator looks at the time of one signature.
    PER_REQUEST = 2

    def __init__(self, number: int, trouble: str) -> None:
        self.cloud: World | None = None
        self.count = 0
        self._number = number
        self._happens = _TROUBLE[trouble]
        self._slow = trouble in _OUTAGES

    def __call__(self) -> float:
        if self.cloud is not None:
            self.count += 1
            first = self.PER_REQUEST * (self._number - 1) + 1
            if self.count == first:
                try:
                    self._happens(self.cloud.simulator)
                except _Again:
                    self._number += 1
            if self._slow and self.count >= first and (self.count - first) % self.PER_REQUEST == 0:
                self.cloud.clock.advance(_OUTAGE_ANSWERS_S)
        return time.time()


class _Watch(_At):
    """Sees which services each request finds, and lets nothing happen."""

    def __init__(self) -> None:
        super().__init__(0, "ctrl-c")
        self.found: list[frozenset[tuple[str, str]]] = []

    def __call__(self) -> float:
        now = super().__call__()
        if self.cloud is not None and self.count % self.PER_REQUEST:
            self.found.append(
                frozenset((one.id, one.status) for one in self.cloud.simulator.services)
            )
        return now


@functools.cache
def _undisturbed(dialects: tuple[str, ...]) -> list[tuple[RecordedRequest, object]]:
    """The requests of a survey, each with the services that it finds."""
    watch = _Watch()
    with world(dialects, services=0, provision_seconds=5.0, signing_clock=watch) as cloud:
        watch.cloud = cloud
        cloud.document(*TRIAL, *_QUICK)
        assert watch.count == _At.PER_REQUEST * len(cloud.simulator.requests)
        return list(zip(cloud.simulator.requests, watch.found, strict=True))


def _telling_numbers(dialects: tuple[str, ...], *, prevented: bool) -> list[int]:
    """
    The numbers of the requests that change something, and of the one before the end.

    Of several in a row that find the same services the first stands for all: where each asks for
    the same and is answered alike, or is not to be done anyway.
    """
    numbers: list[int] = []
    before: object = None
    requests = _undisturbed(dialects)
    for number, (request, found) in enumerate(requests, 1):
        if request.action in ("CreateModelService", "DeleteModelService"):
            asks: object = request.parameters.get("ModelServiceId")
            if not prevented:
                asks = request.parameters, request.response_code
            if (request.action, asks, found) != before:
                numbers.append(number)
            before = request.action, asks, found
    return [*numbers, len(requests) - 1]


def _check(cloud: World, done: Result, folder: Path, dialects: Sequence[str] = ()) -> None:
    """Nothing is left that is not named; what is named goes with the line that is printed."""
    simulator = cloud.simulator
    simulator.clear_faults()
    assert done.exit_code in (0, 1, 130), done.output
    if done.exit_code != 1:
        assert [] == simulator.services, done.output
    cloud.clock.advance(600.0)  # what was being deleted is gone
    lines = removals(done.stderr)[::-1]
    known = {words[1] for words in lines}
    left = {one.id for one in simulator.services}
    if "Whether a service was created that is not named here" not in done.stderr:
        assert left <= known, done.output
    else:
        assert f"AI node {NODE} of instance {INSTANCE}" in done.stderr
        lines += removals(cloud.survey("--out", "-").stderr)[::-1]
        if left - {words[1] for words in lines}:
            # The cloud shows no descriptions: what the list has that nobody else has made.
            assert "fields-missing" in dialects
            (unnamed,) = left
            lines += [[unnamed if word == "ID" else word for word in words] for words in lines]
    for words in lines:
        if words[1] in {one.id for one in simulator.services}:
            gone = cloud.survey(*words)
            assert gone.exit_code == 0, gone.output
    assert [] == simulator.services, done.output
    file = folder / "survey.json"
    if file.exists():
        document = json.loads(file.read_text("utf-8"))
        if done.exit_code != 1:  # all may have been seen before it could not be taken back
            assert document["complete"] is (done.exit_code == 0)
        assert 0o600 == file.stat().st_mode & 0o777
        file.unlink()
    assert [] == list(folder.iterdir())


@pytest.mark.parametrize(
    ("dialects", "trouble"),
    [
        *(((), trouble) for trouble in _TROUBLE),
        (_HARD, "ctrl-c at each request"),
        (_HARD, "lost answer"),
        *((_BLIND, trouble) for trouble in _WORST),
    ],
)
def test_nothing_is_left_unnamed(dialects: tuple[str, ...], trouble: str, tmp_path: Path) -> None:
    """At each request that changes something."""
    numbers = _telling_numbers(dialects, prevented=trouble in _PREVENT)
    assert len(numbers) >= 8
    for number in numbers:
        at = _At(number, trouble)
        with world(dialects, services=0, provision_seconds=5.0, signing_clock=at) as cloud:
            at.cloud = cloud
            done = cloud.survey(*TRIAL, *_QUICK)
            at.cloud = None
            _check(cloud, done, tmp_path, dialects)


@pytest.mark.parametrize("trouble", ["ctrl-c", "outage", "expired"])
def test_trouble_before_a_service_is_made_ends_in_a_line(trouble: str, tmp_path: Path) -> None:
    """Of the first requests none leaves anything to be told."""
    for number in (1, 2, 3, 5, 9):
        at = _At(number, trouble)
        with world((), services=0, signing_clock=at) as cloud:
            at.cloud = cloud
            done = cloud.survey()
            at.cloud = None
            assert done.exit_code == (130 if trouble == "ctrl-c" else 1), done.output
            assert [] == cloud.simulator.mutations
            _check(cloud, done, tmp_path)
