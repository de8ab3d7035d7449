"""Lists keep their old spelling where they mean the same, whatever the old inputs are."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.diffing import keep_spelling
from tests.unit.values import MINIMAL, UNKNOWN


def test_keep_spelling_takes_the_old_order_of_the_same_nodes() -> None:
    """The engine compares texts, and must find none that differs."""
    olds = MINIMAL | {"ai_nodes": ["ai-1", "ai-2"]}
    news = MINIMAL | {"ai_nodes": ["ai-2", "ai-1"]}
    assert olds == keep_spelling(olds, news)


@pytest.mark.parametrize("name", ["ai_nodes", "security_ip_list"])
@pytest.mark.parametrize("old", [[None], [1.0], [[]], {"a": 1}, "ai-1", 3, [UNKNOWN], UNKNOWN, []])
def test_keep_spelling_survives_old_inputs_of_any_kind(name: str, old: Any) -> None:
    """A check that raises would be a crash in place of an answer."""
    news = MINIMAL | {"ai_nodes": ["ai-1"], "security_ip_list": ["10.0.0.1"]}
    assert news == keep_spelling({name: old}, news)
