"""What the operations of one provider process share, and what they do not ask twice."""

from __future__ import annotations

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.provider import ModelServiceProvider
from tests.provider.dynamic_host import Properties


def _configured(**config: str) -> ModelServiceProvider:
    provider = ModelServiceProvider()
    values = {f"adbpg:{name}": value for name, value in config.items()}
    provider.configure(ConfigureRequest(Config(values, "shop")))
    return provider


def test_operations_share_what_the_process_knows(inputs: Properties) -> None:
    """Each has a deadline of its own, and all else in common."""
    process = _configured(
        region="cn-hangzhou", accessKey="made-up", secretKey="made-up"
    )._implementation
    one, other = (process._operation(inputs, kind) for kind in ("create", "delete"))
    assert one.deadline != other.deadline
    for name in ("clock", "memory", "owners"):
        assert getattr(one, name) is getattr(other, name), name


def test_regions_have_ways_of_their_own(inputs: Properties) -> None:
    """Settings are found once for each region, not once for all."""
    process = _configured(
        region="cn-hangzhou", accessKey="made-up", secretKey="made-up"
    )._implementation
    regions = ("cn-beijing", "cn-hangzhou", "cn-beijing")
    asked = [process._gateway(process._settings(name)) for name in regions]
    assert asked[0] is asked[2]
    assert asked[0] is not asked[1]


def test_settings_that_are_refused_are_refused_again(inputs: Properties) -> None:
    """An error is not kept in place of an answer."""
    process = _configured(region="nowhere?")._implementation
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"nowhere\?"):
            process._operation({**inputs, "region_id": None}, "read")
