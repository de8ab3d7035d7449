"""
Where to call and as whom: region, endpoint and credentials from config and environment.

The first source that is set wins: the resource's own region, config `adbpg:`, config `alicloud:`,
then the environment, with the names that pulumi-alicloud reads. Nothing here makes a call or
imports the cloud SDK; the default credential chain is only named, and loaded by `gateway` at the
first call that needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from pulumi_adbpg_model.errors import ConfigurationError

__all__ = [
    "CREDENTIAL_SOURCES",
    "DefaultChain",
    "Endpoint",
    "Profile",
    "Settings",
    "StaticKey",
    "is_region",
    "parse_endpoint",
]

ConfigReader = Callable[[str], "str | None"]

_REGION = re.compile(r"[a-z]+(-[a-z0-9]+)+")
_COUNT = re.compile(r"0*[1-9][0-9]{0,5}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_REGION_VARIABLES = ("ALICLOUD_REGION", "ALIBABA_CLOUD_REGION", "ALIBABA_CLOUD_REGION_ID")
_PROFILE_VARIABLE = "ALICLOUD_PROFILE"
_KEY_VARIABLES = (
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN"),
    (
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
    ),
)

#: Every place that is looked in, in order; named in the error about missing credentials.
CREDENTIAL_SOURCES = (
    "config adbpg:accessKey with adbpg:secretKey",
    "config adbpg:profile",
    "config alicloud:accessKey with alicloud:secretKey",
    "config alicloud:profile",
    *(f"environment {key} with {secret}" for key, secret, _ in _KEY_VARIABLES),
    f"environment {_PROFILE_VARIABLE}",
    (
        "the default credential chain (OIDC role, ~/.aliyun/config.json and "
        "~/.alibabacloud/credentials.ini with ALIBABA_CLOUD_PROFILE, ECS RAM role, credentials URI)"
    ),
)


@dataclass(frozen=True)
class StaticKey:
    """An access key, or STS credentials when `security_token` is set."""

    source: str
    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Profile:
    """A named profile of the Alibaba Cloud CLI (`~/.aliyun/config.json`)."""

    source: str
    name: str


@dataclass(frozen=True)
class DefaultChain:
    """The default chain of alibabacloud-credentials, loaded when first needed."""

    source: str = "the default credential chain"


Credentials = StaticKey | Profile | DefaultChain


@dataclass(frozen=True)
class Endpoint:
    """An address that replaces the region's own."""

    host: str
    protocol: str = "https"


@dataclass(frozen=True)
class Settings:
    """One resolved set; equal sets share one client. The repr holds no secret."""

    region: str | None
    endpoint: Endpoint | None
    credentials: Credentials
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

        def read(reader: Callable[[], object]) -> object:
            try:
                return reader()
            except ConfigurationError as error:
                problems.append(str(error))
                return None

        region = read(lambda: _region(config, environ, region_id))
        endpoint = read(lambda: _endpoint(config, environ))
        if region_required and not problems and region is None and endpoint is None:
            problems.append(
                "no region is set: give a region_id (or --region), set config adbpg:region or "
                f"alicloud:region, or one of the variables {', '.join(_REGION_VARIABLES)}"
            )
        credentials = read(lambda: _credentials(config, environ))
        interval = read(lambda: _max_poll_interval(config))
        parallel = read(lambda: _parallel(config))
        preflight = read(lambda: _preflight(config))
        if problems:
            raise ConfigurationError("; ".join(problems))
        return cls(region, endpoint, credentials, interval, parallel, preflight)  # type: ignore[arg-type]


def is_region(text: str) -> bool:
    """Whether this is formed like a region id, such as `cn-hangzhou`."""
    return _REGION.fullmatch(text) is not None


def parse_endpoint(text: str) -> Endpoint:
    """
    Read `host`, `host:port` or a URL. Plain http is accepted for loopback addresses only.

    Raises:
        ValueError: It is malformed, or would send credentials in clear over a network.
    """
    url = urlsplit(text if "://" in text else f"https://{text}")
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


def _first(*found: tuple[str, str | None]) -> tuple[str, str] | None:
    """The first source that has a value, with the value; empty text counts as not set."""
    return next(((source, value) for source, value in found if value), None)


def _region(config: ConfigReader, environ: Mapping[str, str], own: str | None) -> str | None:
    found = _first(
        ("region_id", own),
        ("config adbpg:region", config("adbpg:region")),
        ("config alicloud:region", config("alicloud:region")),
        *((f"environment {name}", environ.get(name)) for name in _REGION_VARIABLES),
    )
    if found is None:
        return None
    source, value = found
    if not is_region(value):
        raise ConfigurationError(f"{source} must be a region id such as cn-hangzhou, got {value!r}")
    return value


def _endpoint(config: ConfigReader, environ: Mapping[str, str]) -> Endpoint | None:
    found = _first(
        ("config adbpg:endpoint", config("adbpg:endpoint")),
        ("environment ADBPG_ENDPOINT", environ.get("ADBPG_ENDPOINT")),
    )
    if found is None:
        return None
    source, value = found
    try:
        return parse_endpoint(value)
    except ValueError as error:
        shown = value.rpartition("@")[2]  # what is before it may be a key, put here by mistake
        raise ConfigurationError(f"{source}: {error}, got {shown!r}") from None


def _credentials(config: ConfigReader, environ: Mapping[str, str]) -> Credentials:
    for namespace in ("adbpg", "alicloud"):
        names = [f"{namespace}:{key}" for key in ("accessKey", "secretKey", "securityToken")]
        key = _static_key("config", names, [config(name) for name in names])
        if key is not None:
            return key
        profile = config(f"{namespace}:profile")
        if profile:
            return Profile(f"config {namespace}:profile", profile)
    for variables in _KEY_VARIABLES:
        key = _static_key("environment", variables, [environ.get(name) for name in variables])
        if key is not None:
            return key
    profile = environ.get(_PROFILE_VARIABLE)
    return Profile(f"environment {_PROFILE_VARIABLE}", profile) if profile else DefaultChain()


def _static_key(
    where: str, names: tuple[str, ...] | list[str], values: list[str | None]
) -> StaticKey | None:
    key_id, secret, token = values
    if key_id and secret:
        return StaticKey(f"{where} {names[0]}", key_id, secret, token or None)
    if key_id or secret:
        given, missing = (names[0], names[1]) if key_id else (names[1], names[0])
        raise ConfigurationError(f"{where} {given} is set but {missing} is not: they go together")
    return None


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
            f"config adbpg:maxPollInterval must be a number of seconds above 0, got {text!r}"
        )
    return seconds


def _parallel(config: ConfigReader) -> int:
    text = config("adbpg:parallel")
    if not text:
        return Settings.parallel
    if not _COUNT.fullmatch(text):
        raise ConfigurationError(
            f"config adbpg:parallel must be a whole number of at least 1, got {text!r}"
        )
    return int(text)


def _preflight(config: ConfigReader) -> bool:
    text = config("adbpg:preflight")
    if text and text.lower() not in ("true", "false"):
        raise ConfigurationError(f"config adbpg:preflight must be true or false, got {text!r}")
    return not text or text.lower() == "true"
