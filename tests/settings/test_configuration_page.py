"""docs/configuration.md says of each setting of pulumi-alicloud what really becomes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.settings import Settings

_PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
#: The config keys of pulumi-alicloud's provider, as its SDK lists them.
_KEYS = """
    accessKey accountId accountType assumeRole assumeRoleWithOidc clientConnectTimeout
    clientReadTimeout configurationSource credentialsUri ecsRoleName endpoints fc logEndpoint
    maxRetryTimeout mnsEndpoint otsInstanceName profile protocol region secretKey secureTransport
    securityToken securityTransport sharedCredentialsFile signVersion skipRegionValidation sourceIp
""".split()  # noqa: SIM905 - easier to compare with that list
#: Those that have to do with neither identity, region nor endpoint of this product.
_OTHERS = """
    clientConnectTimeout clientReadTimeout configurationSource fc logEndpoint maxRetryTimeout
    mnsEndpoint otsInstanceName signVersion
""".split()  # noqa: SIM905 - likewise
_ARN = "acs:ram::1234567890123456:role/deployer"
_KEY = {"alicloud:accessKey": "id", "alicloud:secretKey": "secret"}
_OIDC = {"roleArn": _ARN, "oidcProviderArn": "provider", "oidcTokenFile": "/token"}
#: What else has to be set for a setting to mean anything.
_BESIDE: dict[str, Mapping[str, str]] = {
    "accessKey": {"alicloud:secretKey": "secret"},
    "secretKey": {"alicloud:accessKey": "id"},
    "securityToken": _KEY,
    "sharedCredentialsFile": {"adbpg:profile": "", "alicloud:profile": "p"},
    "endpoints.sts": _KEY,
}
_SAMPLES = {
    "sessionExpiration": "1800",
    "region": "cn-beijing",
    "endpoints.gpdb": "gpdb.example.com",
    "endpoints.sts": "sts.example.com",
    "protocol": "HTTP",
    "skipRegionValidation": "true",
    "secureTransport": "true",
    "securityTransport": "true",
}


def _rows() -> list[tuple[str, list[str], str]]:
    section = _PAGE.partition("## Settings of pulumi-alicloud")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `alicloud:(\S+)` \|(.*?)\| (.*) \|$", section, re.MULTILINE)
    return [(key, re.findall(r"`(\w+)`", names), told) for key, names, told in found]


def _resolved(settings: Mapping[str, str]) -> Settings | str:
    """Names with a colon are config, the others variables; or why it is refused."""
    config = {name: value for name, value in settings.items() if ":" in name}
    environ = {name: value for name, value in settings.items() if ":" not in name}
    try:
        return Settings.resolve(config.get, environ, region_required=False)
    except ConfigurationError as error:
        return str(error)


def _becomes(settings: Mapping[str, str], name: str, value: str) -> str:
    """What becomes of one more setting."""
    before, after = _resolved(settings), _resolved({**settings, name: value})
    if isinstance(after, str):
        return "Refused" if name.partition(".")[0] in after else after
    return "Not used" if after == before else "Used"


def _object(key: str, field: str, value: str) -> tuple[dict[str, str], str]:
    """The object without that field, beside what it needs; and with it."""
    fields = dict(_OIDC) if key == "assumeRoleWithOidc" else {"roleArn": _ARN}
    if key == "endpoints":
        fields = {"ecs": "x"}
    fields[field] = value
    beside = _KEY if key == "assumeRole" else {}
    return dict(beside), json.dumps(fields)


@pytest.mark.parametrize(("key", "variables", "told"), _rows(), ids=[row[0] for row in _rows()])
def test_each_setting_becomes_what_the_table_says(
    key: str, variables: list[str], told: str
) -> None:
    """In config, and in each of its variables."""
    what = re.match("Used|Refused|Not used", told)
    assert what is not None
    object_, _, field = key.partition(".")
    sample = _SAMPLES.get(field, _SAMPLES.get(key, "made-up"))
    if field:
        beside, text = _object(object_, field, _SAMPLES.get(key, sample))
        assert _becomes(beside, f"alicloud:{object_}", text) == what[0]
    else:
        assert _becomes(_BESIDE.get(key, {}), f"alicloud:{key}", sample) == what[0]
    for variable in variables:
        settings = dict(_BESIDE.get(key, {}))
        if object_ in ("assumeRole", "assumeRoleWithOidc"):
            beside, text = _object(object_, "policy", "made-up")
            fields = json.loads(text)
            fields.pop(field, None)
            if field == "roleArn" or field in _OIDC:  # needed: without it, it is refused
                whole = {**beside, f"alicloud:{object_}": json.dumps(fields), variable: sample}
                assert sample in repr(_resolved(whole))
                continue
            settings = {**beside, f"alicloud:{object_}": json.dumps(fields)}
        assert _becomes(settings, variable, _SAMPLES.get(key, sample)) == what[0]


def test_no_setting_is_missing() -> None:
    """Each config key of that provider is in the table, or has to do with something else."""
    told = {key.partition(".")[0] for key, _, _ in _rows()}
    assert told == set(_KEYS) - set(_OTHERS)
    assert len(_rows()) > 25
