"""Inputs keep their old spelling where they mean the same, whatever the old inputs are."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_adbpg_model.fields import UNKNOWN
from pulumi_adbpg_model.service.comparison import keep_spelling
from tests.unit.values import MINIMAL


def test_keep_spelling_takes_the_old_order_of_the_same_nodes() -> None:
    """The engine compares texts, and must find none that differs."""
    olds = MINIMAL | {"ai_nodes": ["ai-1", "ai-2"]}
    news = MINIMAL | {"ai_nodes": ["ai-2", "ai-1"]}
    assert olds == keep_spelling(olds, news)


def test_keep_spelling_takes_the_old_texts_that_mean_the_same() -> None:
    """A last newline gone, or a name in another case, is nothing that the engine should find."""
    olds = MINIMAL | {"description": "mine\n", "model_name": "Qwen3-8B"}
    news = MINIMAL | {"description": "mine", "model_name": "qwen3-8b"}
    assert olds == keep_spelling(olds, news)
    other = MINIMAL | {"description": "yours", "model_name": "Qwen3-32B"}
    assert other == keep_spelling(olds, other)


@pytest.mark.parametrize("name", ["model_name", "ai_nodes", "description", "security_ip_list"])
@pytest.mark.parametrize("old", [[None], [1.0], [[]], {"a": 1}, "ai-1", 3, [UNKNOWN], UNKNOWN, []])
def test_keep_spelling_survives_old_inputs_of_any_kind(name: str, old: Any) -> None:
    """A check that raises would be a crash in place of an answer."""
    news = MINIMAL | {"description": "mine", "security_ip_list": ["10.0.0.1"]}
    assert news == keep_spelling({name: old}, news)
