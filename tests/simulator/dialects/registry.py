"""Which dialects have a test, and how a test says that it is one's."""

from __future__ import annotations

from typing import Any

import pytest

TESTED: set[str] = set()


def dialect(name: str, *others: str, **options: Any) -> pytest.MarkDecorator:
    """Run a test in a dialect, of which it is the test, with others or options beside it."""
    TESTED.add(name)
    value = {"dialects": [name, *others], **options}
    return pytest.mark.parametrize("simulator", [value], indirect=True, ids=[name])
