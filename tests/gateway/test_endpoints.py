"""Which host is called: the rule of the official generated SDK."""

from __future__ import annotations

import pytest
from alibabacloud_gpdb20160503.client import Client
from alibabacloud_tea_openapi.utils_models import Config

from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.gateway._endpoints import CENTRAL_REGIONS, host_of
from pulumi_adbpg_model.settings import Endpoint

_REGIONAL = [
    "ap-northeast-1",
    "ap-southeast-1",
    "cn-beijing",
    "cn-hongkong",
    "cn-shanghai",
    "cn-shenzhen",
    "cn-wulanchabu",
    "eu-central-1",
    "me-east-1",
    "us-west-1",
    "xx-not-yet-built-1",
]


def _official(region: str) -> Client:
    config = Config(access_key_id="made-up", access_key_secret="made-up", region_id=region)
    return Client(config)


def test_central_regions_are_those_of_the_sdk() -> None:
    """The SDK in use maps exactly these regions to the central host."""
    endpoints = _official("cn-beijing")._endpoint_map
    assert endpoints == dict.fromkeys(CENTRAL_REGIONS, "gpdb.aliyuncs.com")


@pytest.mark.parametrize("region", [*sorted(CENTRAL_REGIONS), *_REGIONAL])
def test_host_equals_that_of_the_sdk(region: str) -> None:
    """Region for region, the host is the one that the generated client would call."""
    assert host_of(region, None) == _official(region)._endpoint


@pytest.mark.parametrize("region", ["cn-hangzhou", None])
def test_an_endpoint_goes_before_the_region(region: str | None) -> None:
    """A given endpoint is called as it is."""
    assert host_of(region, Endpoint("127.0.0.1:8080", "http")) == "127.0.0.1:8080"


def test_without_region_and_endpoint_there_is_no_host() -> None:
    """Nothing to call is a configuration error."""
    with pytest.raises(ConfigurationError, match="neither a region nor an endpoint is set"):
        host_of(None, None)
