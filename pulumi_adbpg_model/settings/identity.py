"""
As whom the cloud is called: every place that may say so, and which of them wins.

The order is that of pulumi-alicloud's provider, so that an instance and its services are in one
account; `adbpg:` goes before it, the places that the cloud's SDKs know come after it. A setting of
that provider which says who calls is used or refused by name. Nothing here makes a call, reads a
file or imports the cloud SDK.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi_adbpg_model.errors import ConfigurationError

__all__ = [
    "CLI_FILE",
    "CREDENTIAL_SOURCES",
    "INI_FILE",
    "AssumedRole",
    "ConfigReader",
    "Credentials",
    "CredentialsFile",
    "CredentialsUri",
    "DefaultChain",
    "EcsRole",
    "Identity",
    "OidcRole",
    "Profile",
    "Role",
    "StaticKey",
    "first_set",
    "mapping_of",
    "unusable_sign",
]

#: Gives the value of a full config key such as `adbpg:region`; objects as JSON.
ConfigReader = Callable[[str], "str | None"]
#: The profiles of the Alibaba Cloud CLI.
CLI_FILE = "~/.aliyun/config.json"
#: The SDKs' own file.
INI_FILE = "~/.alibabacloud/credentials.ini"


@dataclass(frozen=True)
class StaticKey:
    """An access key, or STS credentials when `security_token` is set."""

    source: str
    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    #: One that is named beside the key: pulumi-alicloud takes the role that it may have.
    beside: Profile | None = None


@dataclass(frozen=True)
class Profile:
    """A profile of the Alibaba Cloud CLI."""

    source: str
    #: None: the file's current one.
    name: str | None
    #: None: `CLI_FILE`.
    file: str | None = None
    #: Whether it may be a section of `CredentialsFile` as well.
    or_section: bool = False
    #: What is set besides, and is taken before a profile of some modes.
    rivals: tuple[str, ...] = ()
    #: Where its role is assumed; None: where it says, or at the address of the whole cloud.
    sts_host: str | None = None


@dataclass(frozen=True)
class CredentialsFile:
    """A section of the SDKs' own file."""

    source: str
    section: str = "default"
    #: None: `INI_FILE`.
    file: str | None = None
    #: See `Profile`.
    sts_host: str | None = None


@dataclass(frozen=True)
class CredentialsUri:
    """A service that gives credentials to whoever asks it."""

    source: str
    uri: str = field(repr=False)


@dataclass(frozen=True)
class EcsRole:
    """The RAM role of the ECS instance that this runs on."""

    source: str
    #: None: whichever it has.
    name: str | None = None


@dataclass(frozen=True)
class Role:
    """A RAM role to assume with STS."""

    arn: str
    session_name: str = "pulumi-adbpg-model"
    policy: str | None = field(default=None, repr=False)
    external_id: str | None = field(default=None, repr=False)
    duration_s: int = 3600
    #: None: that of the whole cloud.
    sts_host: str | None = None


@dataclass(frozen=True)
class OidcRole:
    """A role that is assumed with the token of an OIDC provider."""

    source: str
    role: Role
    provider_arn: str
    token_file: str


@dataclass(frozen=True)
class AssumedRole:
    """A role that is assumed with other credentials."""

    source: str
    role: Role
    base: Credentials


@dataclass(frozen=True)
class DefaultChain:
    """Where the cloud's SDKs look when nothing is set. The first that has anything is used."""

    sources: tuple[Profile | CredentialsFile | EcsRole, ...] = ()
    source: str = "the default credential chain"


Credentials = (
    StaticKey
    | Profile
    | CredentialsFile
    | CredentialsUri
    | EcsRole
    | OidcRole
    | AssumedRole
    | DefaultChain
)

#: The names of one setting, in order: config keys have a colon, variables have none.
_KEY_IDS = (
    "alicloud:accessKey",
    "ALICLOUD_ACCESS_KEY",
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABACLOUD_ACCESS_KEY_ID",
)
_KEY_SECRETS = (
    "alicloud:secretKey",
    "ALICLOUD_SECRET_KEY",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABACLOUD_ACCESS_KEY_SECRET",
)
_TOKENS = (
    "alicloud:securityToken",
    "ALICLOUD_SECURITY_TOKEN",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "ALIBABACLOUD_SECURITY_TOKEN",
)
_OWN_KEY = ("adbpg:accessKey",), ("adbpg:secretKey",), ("adbpg:securityToken",)
_OWN_PROFILE = ("adbpg:profile",)
_PROFILES = ("alicloud:profile", "ALICLOUD_PROFILE", "ALIBABA_CLOUD_PROFILE")
_PROFILE_FILES = (
    "alicloud:sharedCredentialsFile",
    "ALICLOUD_SHARED_CREDENTIALS_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_FILE",
)
_URIS = ("alicloud:credentialsUri", "ALICLOUD_CREDENTIALS_URI", "ALIBABA_CLOUD_CREDENTIALS_URI")
_ECS_ROLES = ("alicloud:ecsRoleName", "ALICLOUD_ECS_ROLE_NAME", "ALIBABA_CLOUD_ECS_METADATA")
_NO_ECS = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"
_NO_PROFILES = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"
_OIDC = "alicloud:assumeRoleWithOidc"
_OIDC_VARIABLES = (
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_ROLE_ARN",
)
_OIDC_TOKEN = "ALIBABA_CLOUD_OIDC_TOKEN"  # noqa: S105 - a name
_ASSUMED = "alicloud:assumeRole"
#: What pulumi-alicloud reads for `alicloud:assumeRole` alone.
_ASSUMED_VARIABLES = (
    "ALICLOUD_ASSUME_ROLE_ARN",
    "ALICLOUD_ASSUME_ROLE_SESSION_NAME",
    "ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION",
)
_SESSION_NAME = "ALIBABA_CLOUD_ROLE_SESSION_NAME"
_LEAST_SESSION_S, _MOST_SESSION_S = 900, 43200
#: What says who calls, and is read in `alicloud:` alone.
_ONLY_ALICLOUD = (
    "assumeRole",
    "assumeRoleWithOidc",
    "credentialsUri",
    "ecsRoleName",
    "sharedCredentialsFile",
)

#: Every place that is looked in, in order; named in the error about missing credentials.
CREDENTIAL_SOURCES = (
    "config adbpg:accessKey with adbpg:secretKey",
    "config adbpg:profile",
    "config alicloud:accessKey with alicloud:secretKey",
    "environment ALICLOUD_ACCESS_KEY with ALICLOUD_SECRET_KEY",
    "environment ALIBABA_CLOUD_ACCESS_KEY_ID with ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "environment ALIBABACLOUD_ACCESS_KEY_ID with ALIBABACLOUD_ACCESS_KEY_SECRET",
    "config alicloud:profile",
    "environment ALICLOUD_PROFILE, ALIBABA_CLOUD_PROFILE",
    "config alicloud:credentialsUri",
    "environment ALICLOUD_CREDENTIALS_URI, ALIBABA_CLOUD_CREDENTIALS_URI",
    "config alicloud:ecsRoleName",
    "environment ALICLOUD_ECS_ROLE_NAME, ALIBABA_CLOUD_ECS_METADATA",
    "config alicloud:assumeRoleWithOidc",
    (
        "environment ALIBABA_CLOUD_ROLE_ARN with ALIBABA_CLOUD_OIDC_PROVIDER_ARN and "
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE"
    ),
    (
        f"the default credential chain ({CLI_FILE}, {INI_FILE} or "
        "ALIBABA_CLOUD_CREDENTIALS_FILE, RAM role of the ECS instance)"
    ),
)


@dataclass(frozen=True)
class Identity:
    """Who calls, and what else was set to say so."""

    credentials: Credentials
    #: What is set and comes later in the order, as `environment ALICLOUD_PROFILE`.
    passed_over: tuple[str, ...] = ()

    @classmethod
    def resolve(
        cls, config: ConfigReader, environ: Mapping[str, str], sts_host: str | None = None
    ) -> Identity:
        """
        Find who calls.

        Args:
            config: Gives the value of a full config key such as `adbpg:profile`, or None.
            environ: The process environment.
            sts_host: Where roles are assumed; None: at the address of the whole cloud.

        Raises:
            ConfigurationError: What wins is incomplete, malformed or not supported.
        """
        for name in _ONLY_ALICLOUD:
            if config(f"adbpg:{name}"):
                raise ConfigurationError(
                    f"config adbpg:{name} is not a setting: set alicloud:{name}, which holds for "
                    "this package and for pulumi-alicloud"
                )
        reader = _Reader(config, environ, sts_host)
        set_ones = [place for place in _ORDER if reader.names(*place.settings)]
        first, *later = [*set_ones, _Place((), _Reader.chain)]
        credentials = first.make(reader)
        used = [found[0] for group in first.groups if (found := reader.first(group))]
        groups = [*first.groups, *(group for place in later for group in place.groups)]
        given = reader.names(*groups, _TOKENS, (_OIDC_TOKEN,))  # tokens alone make nobody
        passed_over = [name for name in given if name not in used]
        if first.alone:
            passed_over += reader.names((_ASSUMED,), _ASSUMED_VARIABLES[:1])
        else:
            role = _assumed_role(reader)
            if role is not None:
                source = f"config {_ASSUMED}, with {credentials.source}"
                credentials = AssumedRole(source, role, credentials)
        return cls(credentials, tuple(dict.fromkeys(passed_over)))


def first_set(*found: tuple[str, str | None]) -> tuple[str, str] | None:
    """The first source that has a value, with the value; empty text counts as not set."""
    return next(((source, value) for source, value in found if value), None)


def mapping_of(
    config: ConfigReader, key: str, *, several: bool = False
) -> dict[str, object] | None:
    """
    An object of the configuration, None where it is not set.

    Args:
        config: Gives the value of a full config key.
        key: The key.
        several: Whether it may be a list of objects, which are taken together.

    Raises:
        ConfigurationError: It is something else.
    """
    text: object = config(key)
    if not text:
        return None
    try:
        found: Any = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        found = None
    # A list, as Terraform has such a block.
    parts = found if isinstance(found, list) else [found]
    if not all(isinstance(part, dict) for part in parts) or (len(parts) != 1 and not several):
        raise ConfigurationError(
            f"config {key} must be an object: set its fields with "
            f"`pulumi config set --path {key}.FIELD VALUE`"
        )
    return {name: value for part in parts for name, value in part.items() if value is not None}


def unusable_sign(text: str) -> str | None:
    """What of a key, secret or token no header can carry, in words; None where all is well."""
    if any(sign.isspace() or not sign.isprintable() for sign in text):
        return "holds white space or a control character, such as a line end"
    return None if text.isascii() else "holds a character that is not ASCII"


class _Reader:
    """Reads settings by their names."""

    def __init__(
        self, config: ConfigReader, environ: Mapping[str, str], sts_host: str | None
    ) -> None:
        self.config = config
        self.environ = environ
        self.sts_host = sts_host

    def set_ones(self, *names: str) -> list[tuple[str, str]]:
        """Those that are set, as they are called in texts, with their values."""
        found = []
        for name in names:
            if ":" in name:
                source, value = f"config {name}", self.config(name)
            else:
                source, value = f"environment {name}", self.environ.get(name)
            if value:
                found.append((source, value))
        return found

    def first(self, names: tuple[str, ...]) -> tuple[str, str] | None:
        return next(iter(self.set_ones(*names)), None)

    def names(self, *groups: tuple[str, ...]) -> list[str]:
        return [source for group in groups for source, _ in self.set_ones(*group)]

    def says_true(self, name: str) -> bool:
        return self.environ.get(name, "").lower() == "true"

    def chain(self) -> DefaultChain:
        sources: list[Profile | CredentialsFile | EcsRole] = []
        if not self.says_true(_NO_PROFILES):
            sources.append(Profile(CLI_FILE, None, sts_host=self.sts_host))
        file = self.environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE") or None
        name = "environment ALIBABA_CLOUD_CREDENTIALS_FILE"
        source = name if file else INI_FILE
        sources.append(CredentialsFile(source, file=file, sts_host=self.sts_host))
        if not self.says_true(_NO_ECS):
            sources.append(EcsRole("the RAM role of the ECS instance"))
        return DefaultChain(tuple(sources))


@dataclass(frozen=True)
class _Place:
    """One place in the order: its settings, each by any of its names, and whom they make."""

    settings: tuple[tuple[str, ...], ...]
    make: Callable[[_Reader], Credentials]
    #: What belongs to it, but makes nobody alone.
    extras: tuple[tuple[str, ...], ...] = ()
    #: Whether `alicloud:assumeRole` does not apply to it.
    alone: bool = False

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        return self.settings + self.extras


def _named(reader: _Reader, names: tuple[str, ...]) -> tuple[str, str]:
    """The first that is set, where one is known to be."""
    return _checked(*reader.set_ones(*names)[0])


def _key(
    reader: _Reader,
    ids: tuple[str, ...],
    secrets: tuple[str, ...],
    tokens: tuple[str, ...],
    *,
    beside: Profile | None = None,
) -> StaticKey:
    """Id, secret and token, each from the first of its own names that is set."""
    id_, secret, token = (reader.first(names) for names in (ids, secrets, tokens))
    if id_ is None and secret is None and token is not None:
        raise ConfigurationError(f"{token[0]} is set without {ids[0]}: it goes with that")
    if id_ is None or secret is None:
        given, missing = (id_, secrets) if secret is None else (secret, ids)
        told = missing[0] if len(missing) == 1 else f"none of {', '.join(missing)}"
        verb = "is not" if len(missing) == 1 else "is"
        raise ConfigurationError(
            f"{given[0] if given else ids[0]} is set but {told} {verb}: they go together"
        )
    for found in filter(None, (id_, secret, token)):
        sign = unusable_sign(found[1])
        if sign is not None:
            raise ConfigurationError(f"{found[0]} {sign}: set it anew without")
    # Named by the id; what is not of its own family is named too.
    family = next(
        trio for trio in zip(ids, secrets, tokens, strict=True) if trio[0] == _bare(id_[0])
    )
    others = [found[0] for found in (secret, token) if found and _bare(found[0]) not in family]
    source = f"{id_[0]} with {' and '.join(others)}" if others else id_[0]
    return StaticKey(source, id_[1], secret[1], token and token[1], beside)


def _bare(source: str) -> str:
    return source.rpartition(" ")[2]


def _own_key(reader: _Reader) -> StaticKey:
    return _key(reader, *_OWN_KEY)


def _shared_key(reader: _Reader) -> StaticKey:
    found = reader.first(_PROFILES)
    beside = None if found is None else _profile_of(reader, *found)
    return _key(reader, _KEY_IDS, _KEY_SECRETS, _TOKENS, beside=beside)


def _own_profile(reader: _Reader) -> Profile:
    found = _named(reader, _OWN_PROFILE)
    _check_profiles_are_on(reader, found[0])
    file = _value(reader, _PROFILE_FILES[:2])
    return Profile(*found, file=file, sts_host=reader.sts_host)


def _profile(reader: _Reader) -> Profile:
    source, name = _named(reader, _PROFILES)
    _check_profiles_are_on(reader, source)
    token = reader.first(_TOKENS)
    if token is not None:
        raise ConfigurationError(
            f"{token[0]} is set without a key, and {source} names a profile, with whose key "
            "pulumi-alicloud sends it: unset one of them"
        )
    return _profile_of(reader, source, name)


def _profile_of(reader: _Reader, source: str, name: str) -> Profile:
    return Profile(
        source,
        name,
        file=_value(reader, _PROFILE_FILES),
        or_section=_bare(source) == "ALIBABA_CLOUD_PROFILE",
        rivals=tuple(reader.names(_URIS, _ECS_ROLES, (_OIDC,))),
        sts_host=reader.sts_host,
    )


def _check_profiles_are_on(reader: _Reader, source: str) -> None:
    if reader.says_true(_NO_PROFILES):
        raise ConfigurationError(
            f"{source} names a profile, but {_NO_PROFILES}=true forbids to read it: unset one of "
            "them"
        )


def _value(reader: _Reader, names: tuple[str, ...]) -> str | None:
    found = reader.first(names)
    return _checked(*found)[1] if found else None


def _checked(source: str, value: str) -> tuple[str, str]:
    if value != value.strip() or not value.isprintable():
        raise ConfigurationError(
            f"{source} holds white space at an end, or a control character, such as a line end: "
            "set it anew without"
        )
    return source, value


def _file_alone(reader: _Reader) -> Credentials:
    source, _ = _named(reader, _PROFILE_FILES[:2])
    raise ConfigurationError(
        f"{source} names a file, but nothing says which profile of it: set alicloud:profile, or "
        "ALICLOUD_PROFILE, too"
    )


def _uri(reader: _Reader) -> CredentialsUri:
    return CredentialsUri(*_named(reader, _URIS))


def _ecs_role(reader: _Reader) -> EcsRole:
    source, name = _named(reader, _ECS_ROLES)
    if reader.says_true(_NO_ECS):
        raise ConfigurationError(
            f"{source} asks for a role of the ECS instance, but {_NO_ECS}=true forbids to ask for "
            "it: unset one of them"
        )
    return EcsRole(source, name)


def _assumed_role(reader: _Reader) -> Role | None:
    fields = mapping_of(reader.config, _ASSUMED)
    if fields is None:
        alone = reader.names(_ASSUMED_VARIABLES[:1])
        if alone:
            raise ConfigurationError(
                f"{alone[0]} is set without config {_ASSUMED}, which alone makes pulumi-alicloud "
                f"read it. Run `pulumi config set --path {_ASSUMED}.roleArn ARN` to assume the "
                "role, or unset the variable"
            )
        return None
    arn, session, duration = _ASSUMED_VARIABLES
    return _role(
        reader,
        _Fields(_ASSUMED, fields, ("roleArn", "sessionName", *_OF_EITHER, "externalId")),
        arns=(arn, _OIDC_VARIABLES[2]),
        session="sessionName",
        sessions=(session, _SESSION_NAME),
        durations=(duration,),
    )


def _oidc_role(reader: _Reader) -> OidcRole:
    fields = mapping_of(reader.config, _OIDC) or {}
    known = ("roleArn", "roleSessionName", "oidcProviderArn", "oidcTokenFile", "oidcToken")
    found = _Fields(_OIDC, fields, (*known, *_OF_EITHER))
    token = f"config {_OIDC}.oidcToken" if fields.get("oidcToken") else None
    token = token or next(iter(reader.names((_OIDC_TOKEN,))), None)
    if token is not None:  # it would go before the file
        raise ConfigurationError(
            f"{token} is not supported: write the token to a file, and set oidcTokenFile instead"
        )
    role = _role(
        reader,
        found,
        arns=_OIDC_VARIABLES[2:],
        session="roleSessionName",
        sessions=(_SESSION_NAME,),
        durations=(),
    )
    token_file, provider = _OIDC_VARIABLES[:2]
    return OidcRole(
        f"config {_OIDC}",
        role,
        found.required(reader, "oidcProviderArn", (provider,)),
        found.required(reader, "oidcTokenFile", (token_file,)),
    )


def _oidc_of_variables(reader: _Reader) -> OidcRole:
    missing = [name for name in _OIDC_VARIABLES if not reader.environ.get(name)]
    if missing:
        given = reader.names(_OIDC_VARIABLES)[0]
        raise ConfigurationError(
            f"{given} is set but {' and '.join(missing)} is not: they go together"
        )
    token_file, provider, arn = (_named(reader, (name,))[1] for name in _OIDC_VARIABLES)
    session = _value(reader, (_SESSION_NAME,)) or Role.session_name
    role = Role(arn, session, sts_host=reader.sts_host)
    return OidcRole(f"environment {_OIDC_VARIABLES[0]}", role, provider, token_file)


@dataclass(frozen=True)
class _Fields:
    """The fields of an object of the configuration. No value of theirs is shown."""

    key: str
    values: Mapping[str, object]
    known: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = [name for name in self.values if name not in self.known]
        if unknown:
            raise ConfigurationError(
                f"config {self.key} has fields that are not supported ({', '.join(unknown)}); it "
                f"may have {', '.join(self.known)}"
            )

    def text(self, reader: _Reader, name: str, variables: tuple[str, ...] = ()) -> str | None:
        value = self.values.get(name)
        if value is None or value == "":
            return _value(reader, variables)
        if not isinstance(value, str):
            raise ConfigurationError(f"config {self.key}.{name} must be a string")
        return value

    def required(self, reader: _Reader, name: str, variables: tuple[str, ...]) -> str:
        value = self.text(reader, name, variables)
        if not value:
            raise ConfigurationError(f"config {self.key} needs {name}, or {' or '.join(variables)}")
        if unusable_sign(value):
            raise ConfigurationError(f"{name} of config {self.key} {unusable_sign(value)}")
        return value


_OF_EITHER = ("policy", "sessionExpiration")


def _role(
    reader: _Reader,
    fields: _Fields,
    *,
    arns: tuple[str, ...],
    session: str,
    sessions: tuple[str, ...],
    durations: tuple[str, ...],
) -> Role:
    source = f"config {fields.key}.sessionExpiration"
    duration: object = fields.values.get("sessionExpiration")
    if not duration:
        source, duration = reader.first(durations) or (source, str(Role.duration_s))
    text = str(duration)
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    if not _LEAST_SESSION_S <= seconds <= _MOST_SESSION_S:
        raise ConfigurationError(
            f"{source} must be a whole number of seconds from {_LEAST_SESSION_S} to "
            f"{_MOST_SESSION_S}"
        )
    return Role(
        fields.required(reader, "roleArn", arns),
        fields.text(reader, session, sessions) or Role.session_name,
        fields.text(reader, "policy"),
        fields.text(reader, "externalId"),
        seconds,
        reader.sts_host,
    )


#: Whatever has any of its settings set; the first makes who calls.
_ORDER = (
    _Place(_OWN_KEY, _own_key, alone=True),
    _Place((_OWN_PROFILE,), _own_profile, alone=True),
    _Place((_KEY_IDS, _KEY_SECRETS), _shared_key, extras=(_TOKENS,)),
    _Place((_PROFILES,), _profile),
    _Place((_URIS,), _uri),
    _Place((_PROFILE_FILES[:2],), _file_alone),
    _Place((_ECS_ROLES,), _ecs_role),
    _Place(((_OIDC,),), _oidc_role),
    _Place((_OIDC_VARIABLES[:1], _OIDC_VARIABLES[1:2]), _oidc_of_variables),
)
