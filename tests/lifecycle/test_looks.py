"""What creates see of their instance when they share a look at it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails
from pulumi_adbpg_model.errors import ConfigurationError, OperationError, TransportError
from pulumi_adbpg_model.lifecycle import Deadline, Operation, SharedLooks, create
from pulumi_adbpg_model.lifecycle.placement import services_of
from tests.lifecycle.fakes import (
    DERIVED,
    INSTANCE,
    PATIENCE_S,
    SPEC,
    FakeClock,
    FakeCloud,
    Voice,
    Waiting,
    operation,
)

_Listing = Callable[[float], Sequence[ModelServiceDetails]]


class _Api(FakeCloud):
    """Lists as it is told; the first list waits until it is let through."""

    def __init__(self, listing: _Listing) -> None:
        super().__init__(FakeClock())
        self.listing = listing
        self.asked: list[float] = []
        self.begun, self.opened = threading.Event(), threading.Event()

    def list_model_services(
        self, db_instance_id: str, *, budget_s: float | None = None
    ) -> list[ModelServiceDetails]:
        assert db_instance_id == INSTANCE
        assert budget_s is not None
        self.asked.append(budget_s)
        self.begun.set()
        assert self.opened.wait(PATIENCE_S)
        return list(self.listing(budget_s))


def _needs_time(budget_s: float) -> Sequence[ModelServiceDetails]:
    if budget_s < 5.0:
        raise TransportError("ListModelServices", f"of instance {INSTANCE}", "no time")
    return []


def _no_credentials(_budget_s: float) -> Sequence[ModelServiceDetails]:
    raise ConfigurationError("no credentials")


def _together(api: _Api, limits_s: Sequence[float]) -> list[object]:
    """What each sees, or raises, that asks while a first look is under way."""
    waiting = Waiting(len(limits_s))
    first = dataclasses.replace(operation(api, Voice()), looks=SharedLooks(waiting))

    def see(one: Operation) -> object:
        try:
            return services_of(one, INSTANCE)
        except ConfigurationError as error:
            return error

    with ThreadPoolExecutor(len(limits_s) + 1) as pool:
        early = pool.submit(see, first)
        assert api.begun.wait(PATIENCE_S)
        late = [
            pool.submit(see, dataclasses.replace(first, deadline=Deadline.after(api.clock, limit)))
            for limit in limits_s
        ]
        assert waiting.all_wait.wait(PATIENCE_S)
        api.opened.set()
        early.result(PATIENCE_S)
        return [one.result(PATIENCE_S) for one in late]


def test_creates_that_begin_together_share_a_look() -> None:
    """One list for all that asked while the first was being made."""
    api = _Api(_needs_time)
    assert _together(api, [3600.0] * 5) == [[]] * 5
    assert api.asked == [5.0, 5.0]


def test_a_look_that_had_too_little_time_is_no_answer_for_others() -> None:
    """A create that is nearly over does not hide the instance from those that are not."""
    seen = _together(_Api(_needs_time), [0.3, 0.3, 0.3, 3600.0])
    assert seen[3] == []


def test_each_create_has_its_own_error_over_missing_credentials() -> None:
    """They are looked for once; what is raised in many threads is not one object."""
    api = _Api(_no_credentials)
    errors = _together(api, [3600.0] * 3)
    assert len(api.asked) == 2
    assert [str(error) for error in errors] == ["no credentials"] * 3
    assert len({id(error) for error in errors}) == 3


def test_no_look_begins_after_a_cancel() -> None:
    """A create that waited for another's look sends nothing once it is cancelled."""
    api = _Api(_needs_time)
    api.opened.set()
    one = operation(api, Voice())
    api.clock.cancel()
    assert services_of(one, INSTANCE) is None
    assert api.asked == []
    assert services_of(one, INSTANCE, even_cancelled=True) == []


def test_create_that_is_cancelled_while_it_waits_for_a_look_sends_nothing() -> None:
    """The look of another create was under way; then came Ctrl-C."""
    api, waiting = _Api(_needs_time), Waiting(1)
    first = dataclasses.replace(operation(api, Voice()), looks=SharedLooks(waiting))
    with ThreadPoolExecutor(2) as pool:
        pool.submit(services_of, first, INSTANCE)
        assert api.begun.wait(PATIENCE_S)
        creating = pool.submit(create, first, SPEC, DERIVED, wait_for_active=True)
        assert waiting.all_wait.wait(PATIENCE_S)
        api.clock.cancel()
        api.opened.set()
        with pytest.raises(OperationError, match="was not sent: the operation was cancelled"):
            creating.result(PATIENCE_S)
    assert api.asked == [5.0]
    assert api.times("create") == []
