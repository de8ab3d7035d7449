"""As whom the cloud is called: which setting wins, and that none is passed over in silence."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping

import pytest

from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.settings.identity import (
    CREDENTIAL_SOURCES,
    AssumedRole,
    Credentials,
    CredentialsFile,
    CredentialsUri,
    DefaultChain,
    EcsRole,
    Identity,
    OidcRole,
    Profile,
    Role,
    StaticKey,
)

_ARN = "acs:ram::1234567890123456:role/deployer"
_OIDC = {
    "roleArn": _ARN,
    "oidcProviderArn": "acs:ram::1234567890123456:oidc-provider/ci",
    "oidcTokenFile": "/run/token",
}

#: Every place that says who calls, first that wins: what is set, and what it makes.
_PLACES: list[tuple[dict[str, str], Credentials]] = [
    (
        {
            "adbpg:accessKey": "id-1",
            "adbpg:secretKey": "secret-1",
            "adbpg:securityToken": "token-1",
        },
        StaticKey("config adbpg:accessKey", "id-1", "secret-1", "token-1"),
    ),
    ({"adbpg:profile": "profile-2"}, Profile("config adbpg:profile", "profile-2")),
    (
        {
            "alicloud:accessKey": "id-3",
            "alicloud:secretKey": "secret-3",
            "alicloud:securityToken": "token-3",
        },
        StaticKey("config alicloud:accessKey", "id-3", "secret-3", "token-3"),
    ),
    (
        {
            "ALICLOUD_ACCESS_KEY": "id-4",
            "ALICLOUD_SECRET_KEY": "secret-4",
            "ALICLOUD_SECURITY_TOKEN": "token-4",
        },
        StaticKey("environment ALICLOUD_ACCESS_KEY", "id-4", "secret-4", "token-4"),
    ),
    (
        {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "id-5",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret-5",
            "ALIBABA_CLOUD_SECURITY_TOKEN": "token-5",
        },
        StaticKey("environment ALIBABA_CLOUD_ACCESS_KEY_ID", "id-5", "secret-5", "token-5"),
    ),
    (
        {
            "ALIBABACLOUD_ACCESS_KEY_ID": "id-6",
            "ALIBABACLOUD_ACCESS_KEY_SECRET": "secret-6",
            "ALIBABACLOUD_SECURITY_TOKEN": "token-6",
        },
        StaticKey("environment ALIBABACLOUD_ACCESS_KEY_ID", "id-6", "secret-6", "token-6"),
    ),
    ({"alicloud:profile": "profile-7"}, Profile("config alicloud:profile", "profile-7")),
    ({"ALICLOUD_PROFILE": "profile-8"}, Profile("environment ALICLOUD_PROFILE", "profile-8")),
    (
        {"ALIBABA_CLOUD_PROFILE": "profile-9"},
        Profile("environment ALIBABA_CLOUD_PROFILE", "profile-9", or_section=True),
    ),
    (
        {"alicloud:credentialsUri": "http://a/"},
        CredentialsUri("config alicloud:credentialsUri", "http://a/"),
    ),
    (
        {"ALICLOUD_CREDENTIALS_URI": "http://b/"},
        CredentialsUri("environment ALICLOUD_CREDENTIALS_URI", "http://b/"),
    ),
    (
        {"ALIBABA_CLOUD_CREDENTIALS_URI": "http://c/"},
        CredentialsUri("environment ALIBABA_CLOUD_CREDENTIALS_URI", "http://c/"),
    ),
    ({"alicloud:ecsRoleName": "role-1"}, EcsRole("config alicloud:ecsRoleName", "role-1")),
    (
        {"ALICLOUD_ECS_ROLE_NAME": "role-2"},
        EcsRole("environment ALICLOUD_ECS_ROLE_NAME", "role-2"),
    ),
    (
        {"ALIBABA_CLOUD_ECS_METADATA": "role-3"},
        EcsRole("environment ALIBABA_CLOUD_ECS_METADATA", "role-3"),
    ),
    (
        {"alicloud:assumeRoleWithOidc": json.dumps(_OIDC)},
        OidcRole(
            "config alicloud:assumeRoleWithOidc",
            Role(_ARN),
            _OIDC["oidcProviderArn"],
            "/run/token",
        ),
    ),
    (
        {
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/run/other",
            "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "provider",
            "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/x",
        },
        OidcRole(
            "environment ALIBABA_CLOUD_OIDC_TOKEN_FILE",
            Role("acs:ram::1:role/x"),
            "provider",
            "/run/other",
        ),
    ),
]
_NAMES = ["+".join(settings) for settings, _ in _PLACES]
_KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}


def _bare(found: Credentials) -> Credentials:
    """Without what else was set."""
    return dataclasses.replace(found, rivals=()) if isinstance(found, Profile) else found


def _identity(settings: Mapping[str, str]) -> Identity:
    """Names with a colon are config, the others variables."""
    config = {name: value for name, value in settings.items() if ":" in name}
    environ = {name: value for name, value in settings.items() if ":" not in name}
    return Identity.resolve(config.get, environ)


def _problem(settings: Mapping[str, str]) -> str:
    with pytest.raises(ConfigurationError) as raised:
        _identity(settings)
    return str(raised.value)


def _called(name: str) -> str:
    return f"config {name}" if ":" in name else f"environment {name}"


@pytest.mark.parametrize("place", range(len(_PLACES)), ids=_NAMES)
def test_each_place_alone_says_who_calls(place: int) -> None:
    """Every setting of this package, of pulumi-alicloud and of the SDKs is read."""
    settings, credentials = _PLACES[place]
    assert _identity(settings) == Identity(credentials)


@pytest.mark.parametrize("place", range(len(_PLACES) - 1), ids=_NAMES[:-1])
def test_each_place_comes_before_the_later_ones(place: int) -> None:
    """The order is that of pulumi-alicloud; what comes later is told as passed over."""
    (settings, credentials), (later, _) = _PLACES[place], _PLACES[place + 1]
    found = _identity({**later, **settings})
    one_setting = found.credentials.source.rpartition(" ")[2] in settings
    assert one_setting
    assert type(found.credentials) is type(credentials)
    key_wins_in_parts = 2 <= place < 5  # of three spellings, each part has its own
    if not key_wins_in_parts:
        assert {_called(name) for name in later} >= set(found.passed_over) != set()


@pytest.mark.parametrize("first", [2, 3, 4, 5])
def test_each_part_of_a_key_has_its_own_spellings(first: int) -> None:
    """CI actions export a token under another spelling than the key: it is used, and named."""
    names = [list(_PLACES[place][0]) for place in (2, 3, 4, 5)]
    for other in range(4):
        id_, secret, token = names[first - 2][0], names[first - 2][1], names[other][2]
        key = _identity({id_: "id", secret: "secret", token: "token"}).credentials
        assert isinstance(key, StaticKey)
        assert (key.access_key_id, key.access_key_secret) == ("id", "secret")
        assert key.security_token == "token"
        beside = "" if other == first - 2 else f" with {_called(token)}"
        assert key.source == f"{_called(id_)}{beside}"


def test_a_key_of_this_package_takes_no_part_from_elsewhere() -> None:
    """A token that is exported belongs to another key than the one in adbpg:."""
    own = {"adbpg:accessKey": "id", "adbpg:secretKey": "secret"}
    found = _identity({**own, "ALICLOUD_SECURITY_TOKEN": "other", "alicloud:accessKey": "other"})
    assert found.credentials == StaticKey("config adbpg:accessKey", "id", "secret")


def test_nothing_set_leaves_it_to_the_default_chain() -> None:
    """The places of the cloud's SDKs, without those that are switched off."""
    assert _identity({}).credentials == DefaultChain(
        (
            Profile("~/.aliyun/config.json", None),
            CredentialsFile("~/.alibabacloud/credentials.ini"),
            EcsRole("the RAM role of the ECS instance"),
        )
    )
    off = {
        "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "True",
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
        "ALIBABA_CLOUD_CREDENTIALS_FILE": "/etc/keys.ini",
    }
    file = CredentialsFile("environment ALIBABA_CLOUD_CREDENTIALS_FILE", "default", "/etc/keys.ini")
    assert _identity(off).credentials == DefaultChain((file,))


def test_a_profile_knows_what_is_taken_before_it_in_some_modes() -> None:
    """Which mode it has shows later: then one of these is refused by name."""
    rivals = {
        "ALICLOUD_CREDENTIALS_URI": "http://a/",
        "alicloud:ecsRoleName": "role",
        "alicloud:assumeRoleWithOidc": json.dumps(_OIDC),
    }
    names = (
        "environment ALICLOUD_CREDENTIALS_URI",
        "config alicloud:ecsRoleName",
        "config alicloud:assumeRoleWithOidc",
    )
    found = _identity({"ALICLOUD_PROFILE": "p", **rivals}).credentials
    assert found == Profile("environment ALICLOUD_PROFILE", "p", rivals=names)
    own = _identity({"adbpg:profile": "p", **rivals}).credentials
    assert own == Profile("config adbpg:profile", "p")


def test_empty_text_and_a_token_alone_are_no_identity() -> None:
    """Empty keys, profiles and tokens fall through to the next place."""
    empty = dict.fromkeys([name for settings, _ in _PLACES for name in settings], "")
    assert isinstance(_identity(empty).credentials, DefaultChain)
    assert isinstance(_identity({"ALICLOUD_SECURITY_TOKEN": "t"}).credentials, DefaultChain)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("adbpg:accessKey", "adbpg:secretKey is not"),
        ("adbpg:secretKey", "adbpg:accessKey is not"),
        (
            "ALIBABACLOUD_ACCESS_KEY_ID",
            "none of alicloud:secretKey, ALICLOUD_SECRET_KEY, ALIBABA_CLOUD_ACCESS_KEY_SECRET, "
            "ALIBABACLOUD_ACCESS_KEY_SECRET is",
        ),
        (
            "alicloud:secretKey",
            "none of alicloud:accessKey, ALICLOUD_ACCESS_KEY, ALIBABA_CLOUD_ACCESS_KEY_ID, "
            "ALIBABACLOUD_ACCESS_KEY_ID is",
        ),
    ],
)
def test_half_a_key_is_refused(given: str, missing: str) -> None:
    """It is an error that names both halves, and no value; not a reason to look further."""
    told = _problem({given: "made-up-value", "alicloud:ecsRoleName": "role"})
    assert told == f"{_called(given)} is set but {missing}: they go together"


@pytest.mark.parametrize("place", [0, 2, 3, 4, 5])
@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize(
    ("sign", "kind"),
    [
        ("{}\n", "white space"), ("{}\r\n", "white space"), (" {}", "white space"),
        ("\t{}", "white space"), ("{}\N{NO-BREAK SPACE}", "white space"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}{}", "white space"), ("{}\x00", "white space"),
        ("{}\N{LATIN SMALL LETTER E WITH ACUTE}", "not ASCII"),
        ("{}\N{CYRILLIC SMALL LETTER A}", "not ASCII"),
    ],
)  # fmt: skip
def test_a_key_that_no_header_can_carry_is_told_at_once(
    place: int, part: int, sign: str, kind: str
) -> None:
    """The setting is named, the value is not."""
    settings = dict(_PLACES[place][0])
    name = list(settings)[part]
    settings[name] = sign.format("made-up-value")
    told = _problem(settings)
    assert told.startswith(f"{_called(name)} holds ")
    assert kind in told
    assert "made-up" not in told


@pytest.mark.parametrize(
    "settings",
    [
        {"alicloud:credentialsUri": "http://made-up/\n"},
        {"ALICLOUD_ECS_ROLE_NAME": "made-up\r\n"},
        {"ALICLOUD_PROFILE": " made-up"},
        {"alicloud:profile": "p", "alicloud:sharedCredentialsFile": "/made-up\n"},
        {**_PLACES[-1][0], "ALIBABA_CLOUD_ROLE_ARN": "made-up\n"},
        {**_PLACES[-1][0], "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "made-up\n"},
        {**_PLACES[-1][0], "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/made-up\n"},
        {**_PLACES[-1][0], "ALIBABA_CLOUD_ROLE_SESSION_NAME": "made-up\n"},
    ],
)
def test_a_line_end_in_any_setting_is_told_at_once(settings: dict[str, str]) -> None:
    """Not by whoever is asked with it, in whatever words."""
    (name,) = [name for name, value in settings.items() if value != value.strip()]
    told = _problem(settings)
    assert told.startswith(f"{_called(name)} holds white space")
    assert "made-up" not in told


def test_a_token_that_makes_nobody_is_passed_over_by_name() -> None:
    """Beside what stands alone, and the one that has to be in a file."""
    tokens = {"alicloud:securityToken": "t", "ALIBABA_CLOUD_OIDC_TOKEN": "t"}
    found = _identity({"adbpg:profile": "p", **tokens})
    assert found.passed_over == tuple(_called(name) for name in tokens)


def _role_of(settings: Mapping[str, str]) -> AssumedRole:
    found = _identity(settings).credentials
    assert isinstance(found, AssumedRole)
    return found


@pytest.mark.parametrize("place", range(2, len(_PLACES)), ids=_NAMES[2:])
def test_a_role_is_assumed_with_whatever_else_is_set(place: int) -> None:
    """As pulumi-alicloud does: the instance and its service end in one account."""
    settings, base = _PLACES[place]
    found = _role_of({**settings, "alicloud:assumeRole": json.dumps({"roleArn": _ARN})})
    assert found == AssumedRole(f"config alicloud:assumeRole, with {base.source}", Role(_ARN), base)
    assert isinstance(_role_of({"alicloud:assumeRole": '{"roleArn": "a"}'}).base, DefaultChain)


def test_a_role_has_all_its_fields() -> None:
    """Those of pulumi-alicloud, and the variables that it reads for them."""
    fields = {
        "roleArn": _ARN,
        "sessionName": "shop",
        "policy": "{}",
        "sessionExpiration": 900,
        "externalId": "x",
    }
    for text in (json.dumps(fields), json.dumps([fields])):
        found = _role_of({**_KEY, "alicloud:assumeRole": text})
        assert found.role == Role(_ARN, "shop", "{}", "x", 900)
    variables = {
        "ALICLOUD_ASSUME_ROLE_ARN": _ARN,
        "ALICLOUD_ASSUME_ROLE_SESSION_NAME": "shop",
        "ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION": "1200",
    }
    found = _role_of({**_KEY, **variables, "alicloud:assumeRole": "{}"})
    assert found.role == Role(_ARN, "shop", duration_s=1200)


def test_identity_of_this_package_alone_is_not_changed_by_a_role() -> None:
    """What adbpg: says is all; the role is told as passed over."""
    role = {"alicloud:assumeRole": json.dumps({"roleArn": _ARN})}
    found = _identity({**_PLACES[0][0], **role})
    assert found == Identity(_PLACES[0][1], ("config alicloud:assumeRole",))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"alicloud:assumeRole": "arn"}, "config alicloud:assumeRole must be an object"),
        ({"alicloud:assumeRole": "[]"}, "config alicloud:assumeRole must be an object"),
        ({"alicloud:assumeRole": "{}"}, "config alicloud:assumeRole needs roleArn"),
        ({"alicloud:assumeRole": '{"roleArn": 1}'}, "alicloud:assumeRole.roleArn must be a string"),
        ({"alicloud:assumeRole": '{"roleArn": "a b"}'}, "roleArn of config alicloud:assumeRole"),
        (
            {"alicloud:assumeRole": '{"roleArn": "a", "sourceIdentity": "s"}'},
            "config alicloud:assumeRole has fields that are not supported (sourceIdentity)",
        ),
        (
            {"alicloud:assumeRole": '{"roleArn": "a", "sessionExpiration": 60}'},
            "alicloud:assumeRole.sessionExpiration must be a whole number of seconds from 900",
        ),
        ({"ALICLOUD_ASSUME_ROLE_ARN": _ARN}, "environment ALICLOUD_ASSUME_ROLE_ARN is set without"),
        (
            {"alicloud:assumeRoleWithOidc": json.dumps({**_OIDC, "oidcToken": "made-up-token"})},
            "config alicloud:assumeRoleWithOidc.oidcToken is not supported",
        ),
        (
            {
                "alicloud:assumeRoleWithOidc": json.dumps(_OIDC),
                "ALIBABA_CLOUD_OIDC_TOKEN": "made-up-token",
            },
            "environment ALIBABA_CLOUD_OIDC_TOKEN is not supported",
        ),
        (
            {"alicloud:assumeRoleWithOidc": json.dumps({"roleArn": _ARN, "oidcProviderArn": "p"})},
            "config alicloud:assumeRoleWithOidc needs oidcTokenFile",
        ),
        (
            {"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/t", "ALIBABA_CLOUD_ROLE_ARN": _ARN},
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE is set but ALIBABA_CLOUD_OIDC_PROVIDER_ARN is not",
        ),
        ({"alicloud:sharedCredentialsFile": "/f"}, "names a file, but nothing says which profile"),
        ({"ALICLOUD_SHARED_CREDENTIALS_FILE": "/f"}, "ALICLOUD_SHARED_CREDENTIALS_FILE names a"),
        (
            {"alicloud:ecsRoleName": "r", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"},
            "config alicloud:ecsRoleName asks for a role of the ECS instance, but",
        ),
        (
            {"adbpg:profile": "p", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"},
            "config adbpg:profile names a profile, but ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true",
        ),
        (
            {"ALIBABA_CLOUD_PROFILE": "p", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"},
            "environment ALIBABA_CLOUD_PROFILE names a profile, but",
        ),
        (
            {"adbpg:securityToken": "made-up", **_KEY},
            "config adbpg:securityToken is set without adbpg:accessKey",
        ),
        (
            {"ALIBABA_CLOUD_SECURITY_TOKEN": "made-up", "alicloud:profile": "p"},
            "environment ALIBABA_CLOUD_SECURITY_TOKEN is set without a key, and config "
            "alicloud:profile names a profile",
        ),
        (
            {
                **_KEY,
                "alicloud:assumeRole": '{"roleArn": "a"}',
                "ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION": "1h",
            },
            "environment ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION must be a whole number of seconds",
        ),
        ({"adbpg:assumeRole": "{}"}, "config adbpg:assumeRole is not a setting"),
        ({"adbpg:assumeRoleWithOidc": "{}"}, "config adbpg:assumeRoleWithOidc is not a setting"),
        ({"adbpg:ecsRoleName": "r"}, "config adbpg:ecsRoleName is not a setting"),
        ({"adbpg:credentialsUri": "u"}, "config adbpg:credentialsUri is not a setting"),
        ({"adbpg:sharedCredentialsFile": "f"}, "config adbpg:sharedCredentialsFile is not a"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(settings: dict[str, str], told: str) -> None:
    """Nobody is called as somebody else for want of a word. No value is shown."""
    found = _problem(settings)
    assert told in found
    assert "made-up" not in found


def test_a_file_of_profiles_goes_with_the_profile() -> None:
    """Each spelling of the file, in order; the one of the SDKs is none for a profile of ours."""
    files = [
        ("alicloud:sharedCredentialsFile", "/1"),
        ("ALICLOUD_SHARED_CREDENTIALS_FILE", "/2"),
        ("ALIBABA_CLOUD_CREDENTIALS_FILE", "/3"),
    ]
    for first in range(3):
        found = _identity({"alicloud:profile": "p", **dict(files[first:])}).credentials
        assert found == Profile("config alicloud:profile", "p", f"/{first + 1}")
    own = _identity({"adbpg:profile": "p", **dict(files[2:])}).credentials
    assert own == Profile("config adbpg:profile", "p")


def test_the_list_of_places_is_in_the_order_of_the_search() -> None:
    """It is shown when there are no credentials, and names each source by its own name."""
    told = " ".join(CREDENTIAL_SOURCES)
    places = [told.index(credentials.source.rpartition(" ")[2]) for _, credentials in _PLACES[:-1]]
    assert places == sorted(places)
    for name in [name for settings, _ in _PLACES for name in settings]:
        assert name in told or re.search("(?i)token", name)


@pytest.mark.parametrize("place", range(len(_PLACES)), ids=_NAMES)
def test_no_repr_holds_a_secret(place: int) -> None:
    """Neither key id, secret, token nor address of credentials; the source is named instead."""
    settings, credentials = _PLACES[place]
    text = repr(_identity(settings))
    assert credentials.source in text
    assert re.findall(r"\b(?:id|secret|token)-\d|http:", text) == []
