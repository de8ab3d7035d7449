"""Region, credentials and limits: which source wins, and what is reported when it is malformed."""

from __future__ import annotations

import re

import pytest

from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.fields import is_region
from pulumi_adbpg_model.settings import Endpoint, Settings

#: Sources of the region, first that wins: where, name, value.
_REGIONS = [
    ("own", "region_id", "cn-own"),
    ("config", "adbpg:region", "cn-adbpg"),
    ("config", "alicloud:region", "cn-alicloud"),
    ("environ", "ALICLOUD_REGION", "cn-env-1"),
    ("environ", "ALIBABA_CLOUD_REGION", "cn-env-2"),
    ("environ", "ALIBABA_CLOUD_REGION_ID", "cn-env-3"),
]


def _resolve(
    config: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
    region_id: str | None = "cn-hangzhou",
) -> Settings:
    return Settings.resolve((config or {}).get, environ or {}, region_id)


def _problem(config: dict[str, str] | None = None, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as raised:
        _resolve(config, environ)
    return str(raised.value)


@pytest.mark.parametrize("first", range(len(_REGIONS)), ids=[name for _, name, _ in _REGIONS])
def test_region_comes_from_the_first_source_that_is_set(first: int) -> None:
    """Each source of the region beats all that come after it."""
    kept = _REGIONS[first:]
    settings = _resolve(
        {name: value for where, name, value in kept if where == "config"},
        {name: value for where, name, value in kept if where == "environ"},
        next((value for where, _, value in kept if where == "own"), None),
    )
    assert _REGIONS[first][2] == settings.region


def test_region_skips_sources_that_are_empty() -> None:
    """Empty text counts as not set."""
    settings = _resolve({"adbpg:region": ""}, {"ALICLOUD_REGION": "cn-beijing"}, "")
    assert settings.region == "cn-beijing"


def test_region_is_required_without_an_endpoint() -> None:
    """With neither region nor endpoint the error names every place to set a region."""
    with pytest.raises(ConfigurationError) as raised:
        _resolve(region_id=None)
    assert str(raised.value) == (
        "no region is set: give a region_id (or --region), set config adbpg:region or "
        "alicloud:region, or one of the variables ALICLOUD_REGION, ALIBABA_CLOUD_REGION, "
        "ALIBABA_CLOUD_REGION_ID"
    )


def test_region_is_not_required_with_an_endpoint() -> None:
    """An endpoint alone says where to call."""
    settings = _resolve({"adbpg:endpoint": "gpdb.example.com"}, region_id=None)
    assert (settings.region, settings.endpoint) == (None, Endpoint("gpdb.example.com"))


def test_region_is_not_required_when_the_caller_says_so() -> None:
    """A caller that makes no call of its own resolves the rest without a region."""
    assert Settings.resolve(dict[str, str]().get, {}, region_required=False).region is None


@pytest.mark.parametrize("text", ["cn-hangzhou", "ap-southeast-1", "cn-hangzhou-finance", "a-b"])
def test_is_region_accepts_region_ids(text: str) -> None:
    """Lower-case words joined by hyphens are a region id."""
    assert is_region(text)


@pytest.mark.parametrize(
    "text",
    ["", "cn", "CN-hangzhou", "cn_hangzhou", "cn-", "-cn", "cn--x", " cn-x", "cn-x\n", "1-a"],
)
def test_is_region_refuses_other_text(text: str) -> None:
    """Anything else is no region id."""
    assert not is_region(text)


@pytest.mark.parametrize(
    ("config", "environ", "source"),
    [
        ({"adbpg:region": "Hangzhou!"}, {}, "config adbpg:region"),
        ({"alicloud:region": "Hangzhou!"}, {}, "config alicloud:region"),
        ({}, {"ALIBABA_CLOUD_REGION": "Hangzhou!"}, "environment ALIBABA_CLOUD_REGION"),
    ],
)
def test_region_is_refused_when_malformed(
    config: dict[str, str], environ: dict[str, str], source: str
) -> None:
    """A malformed region is reported with its source, the rule and the value."""
    with pytest.raises(ConfigurationError) as raised:
        _resolve(config, environ, None)
    expected = f"{source} must be a region id such as cn-hangzhou, got 'Hangzhou!'"
    assert str(raised.value) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5.0), ("0.5", 0.5), ("1e1", 10.0), ("", None), (None, None)],
)
def test_max_poll_interval_reads_seconds(text: str | None, seconds: float | None) -> None:
    """A positive number of seconds is taken; unset leaves the schedule alone."""
    config = {} if text is None else {"adbpg:maxPollInterval": text}
    assert seconds == _resolve(config).max_poll_interval_s


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "5s", "soon", "true", " "])
def test_max_poll_interval_refuses_anything_else(text: str) -> None:
    """A value that is not a finite number above zero is refused by name."""
    expected = f"config adbpg:maxPollInterval must be a number of seconds above 0, got {text!r}"
    assert expected == _problem({"adbpg:maxPollInterval": text})


@pytest.mark.parametrize(
    ("text", "count"),
    [("1", 1), ("128", 128), ("0128", 128), ("999999", 999_999), ("", 64), (None, 64)],
)
def test_parallel_reads_a_count(text: str | None, count: int) -> None:
    """A whole number of at least 1 is taken; the default is 64."""
    config = {} if text is None else {"adbpg:parallel": text}
    assert count == _resolve(config).parallel


@pytest.mark.parametrize("text", ["0", "-1", "2.0", "many", "٣", " 2", "1000000", "9" * 5000])
def test_parallel_refuses_anything_else(text: str) -> None:
    """A value that is not a whole number of at least 1 is refused by name."""
    expected = f"config adbpg:parallel must be a whole number from 1 to 999999, got {text[:40]!r}"
    assert expected == _problem({"adbpg:parallel": text})


@pytest.mark.parametrize(
    ("text", "asks"),
    [("true", True), ("True", True), ("false", False), ("FALSE", False), ("", True), (None, True)],
)
def test_preflight_is_on_unless_switched_off(text: str | None, *, asks: bool) -> None:
    """Pulumi writes booleans in lower case; another case is as good."""
    config = {} if text is None else {"adbpg:preflight": text}
    assert asks is _resolve(config).preflight


@pytest.mark.parametrize("text", ["no", "0", "off", " false"])
def test_preflight_refuses_anything_else(text: str) -> None:
    """A value that is neither true nor false is refused by name."""
    expected = f"config adbpg:preflight must be true or false, got {text!r}"
    assert expected == _problem({"adbpg:preflight": text})


def test_resolve_reports_all_problems_at_once() -> None:
    """Every malformed value is in the one error, each with its own name."""
    text = _problem(
        {
            "adbpg:endpoint": "ftp://gpdb.example.com",
            "adbpg:accessKey": "id",
            "adbpg:maxPollInterval": "0",
            "adbpg:parallel": "0",
        },
    )
    found = re.findall(r"adbpg:endpoint|adbpg:accessKey|adbpg:maxPollInterval|adbpg:parallel", text)
    assert found == [
        "adbpg:endpoint", "adbpg:accessKey", "adbpg:maxPollInterval", "adbpg:parallel",
    ]  # fmt: skip


def test_resolve_reports_a_missing_region_beside_other_problems() -> None:
    """A region that is missing is named together with what is malformed."""
    with pytest.raises(ConfigurationError) as raised:
        _resolve({"adbpg:parallel": "0"}, region_id=None)
    problems = str(raised.value).split("; ")
    assert [problem.split(":")[0] for problem in problems] == [
        "no region is set", "config adbpg",
    ]  # fmt: skip


def test_settings_are_equal_and_hash_alike_when_resolved_alike() -> None:
    """Equal settings share one client; another secret makes another one."""
    pair = {"adbpg:accessKey": "id", "adbpg:secretKey": "secret"}
    assert {_resolve(pair)} == {_resolve(dict(pair))}
    assert _resolve(pair) != _resolve(pair | {"adbpg:secretKey": "other"})
