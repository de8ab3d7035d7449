"""
A plugin that pytest finds once the package is installed: the fixture `adbpg_simulator`.

Imports nothing of the package until the fixture is asked for: pytest loads plugins in every run.
`-p no:adbpg_simulator` leaves it out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pulumi_adbpg_model.testing import Simulator

_MARKER = "adbpg_simulator"
_CLOUD_SETTINGS = ("ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_", "ADBPG_ENDPOINT")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, so that `--strict-markers` knows it."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(**arguments): what the fixture `adbpg_simulator` passes to Simulator, "
        "such as provision_seconds=2 or dialects=['status-capitalised']",
    )


@pytest.fixture
def adbpg_simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """
    A running simulator, which programs and engines that the test starts find by themselves.

    Services are active and gone at once (`provision_seconds=0, delete_seconds=0`), with `like` too,
    unless the marker `@pytest.mark.adbpg_simulator(**arguments)` says otherwise; None is what the
    survey says. It takes what `pulumi_adbpg_model.testing.Simulator` takes, and a marker of the
    test goes before those of its class and module. For the time of the test the environment names
    the simulator and its made-up credentials, and neither real credentials nor proxies.

    Raises:
        pytest.UsageError: The marker has arguments without a name.
        TypeError, ValueError: The simulator cannot be made with an argument; the text names it.
    """
    from pulumi_adbpg_model.testing import Simulator  # noqa: PLC0415 - see above

    arguments: dict[str, object] = {"provision_seconds": 0, "delete_seconds": 0}
    for marker in reversed(list(request.node.iter_markers(_MARKER))):
        if marker.args:
            raise pytest.UsageError(f"@pytest.mark.{_MARKER} takes keyword arguments only")
        arguments.update(marker.kwargs)
    with (
        Simulator(**arguments) as simulator,  # type: ignore[arg-type]
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in list(os.environ):
            if name.startswith(_CLOUD_SETTINGS) or name.lower() in _PROXIES:
                patch.delenv(name)
        # Else the default credential chain would ask the metadata service of a cloud server.
        patch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
        for name, value in simulator.environment().items():
            patch.setenv(name, value)
        yield simulator
