"""
A plugin that pytest finds once the package is installed: the fixture `adbpg_simulator`.

Imports nothing of the package until the fixture is asked for: pytest loads plugins in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pulumi_adbpg_model.testing import Simulator

__all__ = ["adbpg_simulator"]


@pytest.fixture
def adbpg_simulator() -> Iterator[Simulator]:
    """A running `pulumi_adbpg_model.testing.Simulator` in which services are active at once."""
    from pulumi_adbpg_model.testing import Simulator  # noqa: PLC0415 - see above

    with Simulator(provision_seconds=0) as simulator:
        yield simulator
