"""The folder in which the commands of these tests run."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _outside_of_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of this checkout, which is a Pulumi project."""
    monkeypatch.chdir(tmp_path)
