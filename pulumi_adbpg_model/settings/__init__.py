"""
Where to call, and how: region, endpoint and limits from config and environment.

The first source that is set wins: the resource's own region, config `adbpg:`, config `alicloud:`,
then the environment, with the names that pulumi-alicloud reads. As whom is `identity`'s to say.
Nothing here makes a call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.fields import is_region
from pulumi_adbpg_model.settings.identity import (
    ConfigReader,
    Credentials,
    Identity,
    Reader,
)

__all__ = ["Endpoint", "Settings", "parse_endpoint"]

_COUNT = re.compile(r"0*[1-9][0-9]{0,5}")
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_REGION_VARIABLES = ("ALICLOUD_REGION", "ALIBABA_CLOUD_REGION", "ALIBABA_CLOUD_REGION_ID")
#: Of the endpoint of one product, in the order of pulumi-alicloud.
_ENDPOINT_VARIABLES = ("ALIBABA_CLOUD_ENDPOINT_{}", "{}_ENDPOINT")
_MOST_PARALLEL = 999_999
#: Of a malformed number, so many signs are shown.
_SHOWN = 40


@dataclass(frozen=True)
class Endpoint:
    """An address that replaces the region's own."""

    host: str
    protocol: str = "https"

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return _is_loopback(self.host.rpartition(":")[0] or self.host)


@dataclass(frozen=True)
class Settings:
    """One resolved set; equal sets share one client. The repr holds no secret."""

    region: str | None
    endpoint: Endpoint | None
    credentials: Credentials
    #: What else is set to say who calls, and comes later.
    passed_over: tuple[str, ...] = ()
    #: What answers for accounts and roles; None: the cloud's own.
    sts: Endpoint | None = None
    #: Caps the pause between two polls, in seconds; None leaves the schedule alone.
    max_poll_interval_s: float | None = None
    #: How many resources the dynamic provider host works on at once.
    parallel: int = 64
    #: Whether `check` asks the cloud about the model and the nodes of a service to be created.
    preflight: bool = True

    @classmethod
    def resolve(
        cls,
        config: ConfigReader,
        environ: Mapping[str, str],
        region_id: str | None = None,
        *,
        region_required: bool = True,
    ) -> Settings:
        """
        Read everything once.

        Args:
            config: Gives the value of a full config key such as `adbpg:region`, or None.
            environ: The process environment.
            region_id: The resource's own region, which goes first.
            region_required: Whether it is wrong to have neither a region nor an endpoint.

        Raises:
            ConfigurationError: A value is malformed, or neither region nor endpoint is set; the
                text lists all that is wrong.
        """
        problems: list[str] = []

        def read(reader: Callable[[], Any]) -> Any:
            try:
                return reader()
            except ConfigurationError as error:
                problems.append(str(error))
                return None

        reader = Reader(config, environ)
        region = read(lambda: _region(reader, region_id))
        endpoint = read(lambda: _endpoint(reader))
        if region_required and not problems and region is None and endpoint is None:
            problems.append(
                "no region is set: give a region_id (or --region), set config adbpg:region or "
                f"alicloud:region, or one of the variables {', '.join(_REGION_VARIABLES)}"
            )
        sts = read(lambda: _parsed(_of_product("sts", reader)))
        identity = read(lambda: Identity.resolve(config, environ, sts and sts.host))
        interval = read(lambda: _max_poll_interval(config))
        parallel = read(lambda: _parallel(config))
        preflight = read(lambda: _preflight(config))
        if problems:
            raise ConfigurationError("; ".join(dict.fromkeys(problems)))
        return cls(
            region,
            endpoint,
            identity.credentials,
            identity.passed_over,
            sts,
            interval,
            parallel,
            preflight,
        )


def parse_endpoint(text: str) -> Endpoint:
    """
    Read `host`, `host:port` or a URL. Plain http is accepted for loopback addresses only.

    Raises:
        ValueError: It is malformed, or would send credentials in clear over a network.
    """
    try:
        url = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:  # in words that repeat the text
        raise ValueError("must be a host name or a URL") from None
    try:
        port = url.port
    except ValueError:
        raise ValueError("the port must be a number from 0 to 65535") from None
    host = url.hostname or ""
    if url.scheme not in ("http", "https"):
        raise ValueError("the scheme must be http or https")
    if "@" in url.netloc or url.path not in ("", "/") or url.query or url.fragment:
        raise ValueError("must be a host name with an optional port, and nothing else")
    if not _HOST.fullmatch(host):
        raise ValueError("must name a host, such as gpdb.cn-beijing.aliyuncs.com")
    if url.scheme == "http" and not _is_loopback(host):
        raise ValueError("plain http is accepted for loopback addresses only; use https")
    return Endpoint(host if port is None else f"{host}:{port}", url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _region(reader: Reader, own: str | None) -> str | None:
    names = ("adbpg:region", "alicloud:region", *_REGION_VARIABLES)
    found = ("region_id", own) if own else reader.first(*names)
    if found is None:
        return None
    source, value = found
    if not is_region(value):
        raise ConfigurationError(f"{source} must be a region id such as cn-hangzhou, got {value!r}")
    return value


def _endpoint(reader: Reader) -> Endpoint | None:
    shared = _of_product("gpdb", reader)  # first, since it may be malformed
    return _parsed(reader.first("adbpg:endpoint", "ADBPG_ENDPOINT") or shared)


def _of_product(product: str, reader: Reader) -> tuple[str, str] | None:
    """Where pulumi-alicloud finds the endpoint of a product."""
    text = str(reader.mapping("alicloud:endpoints", several=True).get(product, ""))
    if text:
        return f"config alicloud:endpoints.{product}", text
    return reader.first(*(name.format(product.upper()) for name in _ENDPOINT_VARIABLES))


def _parsed(found: tuple[str, str] | None) -> Endpoint | None:
    if found is None:
        return None
    source, value = found
    try:
        return parse_endpoint(value)
    except ValueError as error:
        shown = value.rpartition("@")[2]  # what is before it may be a key, put here by mistake
        raise ConfigurationError(f"{source}: {error}, got {shown!r}") from None


def _max_poll_interval(config: ConfigReader) -> float | None:
    text = config("adbpg:maxPollInterval")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigurationError(
            "config adbpg:maxPollInterval must be a number of seconds above 0, got "
            f"{text[:_SHOWN]!r}"
        )
    return seconds


def _parallel(config: ConfigReader) -> int:
    text = config("adbpg:parallel")
    if not text:
        return Settings.parallel
    if not _COUNT.fullmatch(text):
        raise ConfigurationError(
            f"config adbpg:parallel must be a whole number from 1 to {_MOST_PARALLEL}, got "
            f"{text[:_SHOWN]!r}"
        )
    return int(text)


def _preflight(config: ConfigReader) -> bool:
    text = config("adbpg:preflight")
    if text and text.lower() not in ("true", "false"):
        raise ConfigurationError(f"config adbpg:preflight must be true or false, got {text!r}")
    return not text or text.lower() == "true"
