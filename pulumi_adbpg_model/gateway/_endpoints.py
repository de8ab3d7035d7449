"""Which host serves a region: the rule of the official generated SDK."""

from __future__ import annotations

from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.settings import Endpoint, Settings

_STS = Endpoint("sts.aliyuncs.com")

#: Regions that the central endpoint serves; every other one has a host of its own.
CENTRAL_REGIONS = frozenset(
    """
    ap-northeast-2-pop ap-south-1 ap-southeast-2 cn-beijing-finance-1 cn-beijing-finance-pop
    cn-beijing-gov-1 cn-beijing-nu16-b01 cn-edge-1 cn-fujian cn-haidian-cm12-c01 cn-hangzhou
    cn-hangzhou-bj-b01 cn-hangzhou-finance cn-hangzhou-internal-prod-1
    cn-hangzhou-internal-test-1 cn-hangzhou-internal-test-2 cn-hangzhou-internal-test-3
    cn-hangzhou-test-306 cn-hongkong-finance-pop cn-huhehaote-nebula-1 cn-qingdao-nebula
    cn-shanghai-et15-b01 cn-shanghai-et2-b01 cn-shanghai-inner cn-shanghai-internal-test-1
    cn-shenzhen-inner cn-shenzhen-st4-d01 cn-shenzhen-su18-b01 cn-wuhan cn-yushanfang cn-zhangbei
    cn-zhangbei-na61-b01 cn-zhangjiakou-na62-a01 cn-zhengzhou-nebula-1 eu-west-1-oxs
    rus-west-1-pop
    """.split()  # noqa: SIM905 - easier to compare with the SDK's map
)


def host_of(region: str | None, endpoint: Endpoint | None) -> str:
    """
    The host, with a port where the endpoint names one.

    Raises:
        ConfigurationError: Neither is given.
    """
    if endpoint is not None:
        return endpoint.host
    if region is None:
        raise ConfigurationError("neither a region nor an endpoint is set")
    if region in CENTRAL_REGIONS:
        return "gpdb.aliyuncs.com"
    return f"gpdb.{region}.aliyuncs.com"


def endpoint_of(settings: Settings) -> str:
    """
    The URL that is called.

    Raises:
        ConfigurationError: Neither a region nor an endpoint is set.
    """
    protocol = settings.endpoint.protocol if settings.endpoint else "https"
    return f"{protocol}://{host_of(settings.region, settings.endpoint)}"


def sts_of(settings: Settings) -> Endpoint:
    """Who is asked which account calls. A cloud on this machine answers for itself."""
    here = settings.endpoint if settings.endpoint and settings.endpoint.is_loopback else None
    return settings.sts or here or _STS
