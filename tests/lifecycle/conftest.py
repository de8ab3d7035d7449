"""The fakes, one set per test."""

from __future__ import annotations

import pytest

from tests.lifecycle.fakes import FakeClock, FakeCloud, Voice


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cloud(clock: FakeClock) -> FakeCloud:
    return FakeCloud(clock)


@pytest.fixture
def voice() -> Voice:
    return Voice()
