"""The endpoint: its forms, and plain http to loopback only."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.settings import Endpoint, Settings, parse_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("gpdb.aliyuncs.com", Endpoint("gpdb.aliyuncs.com", "https")),
        ("gpdb.aliyuncs.com:8443", Endpoint("gpdb.aliyuncs.com:8443", "https")),
        ("https://gpdb.aliyuncs.com", Endpoint("gpdb.aliyuncs.com", "https")),
        ("https://gpdb.aliyuncs.com/", Endpoint("gpdb.aliyuncs.com", "https")),
        ("HTTPS://GPDB.aliyuncs.com", Endpoint("gpdb.aliyuncs.com", "https")),
        ("127.0.0.1:8080", Endpoint("127.0.0.1:8080", "https")),
        ("http://127.0.0.1:8080", Endpoint("127.0.0.1:8080", "http")),
        ("http://127.8.9.10", Endpoint("127.8.9.10", "http")),
        ("http://localhost:8080", Endpoint("localhost:8080", "http")),
        ("http://LOCALHOST", Endpoint("localhost", "http")),
    ],
)
def test_endpoint_reads_hosts_and_urls(text: str, endpoint: Endpoint) -> None:
    """A host, a host with a port and a URL are read; https is the default."""
    assert endpoint == parse_endpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://gpdb.aliyuncs.com",
        "http://10.0.0.1:8080",
        "http://0.0.0.0:8080",
        "http://128.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://example.localhost",
        "http://localhost-1",
        "http://127.1",
        "http://0177.0.0.1",
        "http://0x7f.0.0.1",
        "http://2130706433",
        "http://127.0.0.1\n.example.com",
        "HTTP://gpdb.aliyuncs.com",
    ],
)
def test_endpoint_refuses_plain_http_beyond_loopback(text: str) -> None:
    """Signed requests never travel in clear over a network."""
    with pytest.raises(ValueError, match="plain http is accepted for loopback addresses only"):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ftp://gpdb.aliyuncs.com", "the scheme must be http or https"),
        ("https://[gpdb", "must be a host name or a URL"),
        ("id:made-up@gpdb\N{ACCOUNT OF}", "must be a host name or a URL"),
        ("gpdb..aliyuncs.com", "must name a host"),
        (f"{'a' * 64}.com", "must name a host"),
        ("://gpdb.aliyuncs.com", "the scheme must be http or https"),
        ("gpdb.aliyuncs.com:port", "the port must be a number from 0 to 65535"),
        ("gpdb.aliyuncs.com:65536", "the port must be a number from 0 to 65535"),
        ("gpdb.aliyuncs.com/path", "must be a host name with an optional port"),
        ("https://gpdb.aliyuncs.com?x=1", "must be a host name with an optional port"),
        ("https://gpdb.aliyuncs.com#x", "must be a host name with an optional port"),
        ("https://user@gpdb.aliyuncs.com", "must be a host name with an optional port"),
        ("https://user:word@gpdb.aliyuncs.com", "must be a host name with an optional port"),
        ("https://:word@gpdb.aliyuncs.com", "must be a host name with an optional port"),
        ("http://127.0.0.1@gpdb.aliyuncs.com", "must be a host name with an optional port"),
        ("http://localhost:80@gpdb.aliyuncs.com", "must be a host name with an optional port"),
        ("http://127.0.0.1#@gpdb.aliyuncs.com", "must be a host name with an optional port"),
        ("http://127.0.0.1?@gpdb.aliyuncs.com", "must be a host name with an optional port"),
        ("http://127.0.0.1\\@gpdb.aliyuncs.com", "must be a host name with an optional port"),
        ("http://127.0.0.1\\.example.com", "must name a host"),
        ("http://127.0.0.1%2eexample.com", "must name a host"),
        ("http://\u24db\u24deca\u24dbhost", "must name a host"),
        ("http://localhost.", "must name a host"),
        ("https://", "must name a host"),
        (" ", "must name a host"),
        ("gpdb aliyuncs com", "must name a host"),
        ("gpdb.aliyuncs.com.", "must name a host"),
        ("-gpdb.aliyuncs.com", "must name a host"),
        ("http://[::1]:8080", "must name a host"),
        ("http://[::ffff:127.0.0.1]", "must name a host"),
        ("::1", "the port must be a number"),
        ("[::1", "must be a host name or a URL"),
    ],
)
def test_endpoint_refuses_other_text(text: str, rule: str) -> None:
    """Anything else is refused by the rule that it breaks; the cloud has no IPv6 literals."""
    with pytest.raises(ValueError, match=rule):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("config", "environ", "host"),
    [
        ({"adbpg:endpoint": "one.example"}, {"ADBPG_ENDPOINT": "two.example"}, "one.example"),
        ({"adbpg:endpoint": ""}, {"ADBPG_ENDPOINT": "two.example"}, "two.example"),
        ({}, {"ADBPG_ENDPOINT": "two.example"}, "two.example"),
    ],
)
def test_endpoint_comes_from_config_before_environment(
    config: dict[str, str], environ: dict[str, str], host: str
) -> None:
    """Config beats the environment."""
    assert Endpoint(host) == Settings.resolve(config.get, environ).endpoint


def test_endpoint_is_none_when_no_source_is_set() -> None:
    """Without an override the region decides."""
    assert Settings.resolve(dict[str, str]().get, {}, "cn-hangzhou").endpoint is None


@pytest.mark.parametrize(
    ("config", "environ", "source"),
    [
        ({"adbpg:endpoint": "http://gpdb.example"}, {}, "config adbpg:endpoint"),
        ({}, {"ADBPG_ENDPOINT": "http://gpdb.example"}, "environment ADBPG_ENDPOINT"),
    ],
)
def test_endpoint_is_refused_with_its_source(
    config: dict[str, str], environ: dict[str, str], source: str
) -> None:
    """The error names source, rule and value."""
    with pytest.raises(ConfigurationError) as raised:
        Settings.resolve(config.get, environ)
    assert str(raised.value) == (
        f"{source}: plain http is accepted for loopback addresses only; use https, "
        "got 'http://gpdb.example'"
    )


@pytest.mark.parametrize(
    "value", ["https://key-id:key-secret@gpdb.example", "key-id:key-secret@gpdb.example/path"]
)
def test_endpoint_error_does_not_repeat_credentials(value: str) -> None:
    """Credentials put before the host by mistake are refused without being shown."""
    with pytest.raises(ConfigurationError) as raised:
        Settings.resolve({"adbpg:endpoint": value}.get, {})
    assert "key-" not in str(raised.value)
    assert "gpdb.example" in str(raised.value)
