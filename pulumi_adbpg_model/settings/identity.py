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

#: Id, secret and token of a key, in each spelling of their names, in order.
_OWN_KEY = ("adbpg:accessKey", "adbpg:secretKey", "adbpg:securityToken")
_SHARED_KEY = (
    ("alicloud:accessKey", "alicloud:secretKey", "alicloud:securityToken"),
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN"),
    (
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
    ),
    ("ALIBABACLOUD_ACCESS_KEY_ID", "ALIBABACLOUD_ACCESS_KEY_SECRET", "ALIBABACLOUD_SECURITY_TOKEN"),
)
_KEY_IDS, _KEY_SECRETS, _TOKENS = zip(*_SHARED_KEY, strict=True)
#: The names of one setting, in order.
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
_OIDC_TOKEN = "ALIBABA_CLOUD_OIDC_TOKEN"  # noqa: S105 - a name
_OIDC_TOKEN_FILE = "ALIBABA_CLOUD_OIDC_TOKEN_FILE"  # noqa: S105 - a name
_OIDC_PROVIDER = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"
_ROLE = "ALIBABA_CLOUD_ROLE_ARN"
_SESSION_NAME = "ALIBABA_CLOUD_ROLE_SESSION_NAME"
_ASSUMED = "alicloud:assumeRole"
_ASSUMED_ROLE = "ALICLOUD_ASSUME_ROLE_ARN"
#: The fields of `alicloud:assumeRole`, and the variables that pulumi-alicloud reads in their stead.
_ASSUMED_FIELDS = {
    "roleArn": (_ASSUMED_ROLE, _ROLE),
    "sessionName": ("ALICLOUD_ASSUME_ROLE_SESSION_NAME", _SESSION_NAME),
    "policy": (),
    "sessionExpiration": ("ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION",),
    "externalId": (),
}
#: Those of `alicloud:assumeRoleWithOidc`.
_OIDC_FIELDS = {
    "roleArn": (_ROLE,),
    "roleSessionName": (_SESSION_NAME,),
    "oidcProviderArn": (_OIDC_PROVIDER,),
    "oidcTokenFile": (_OIDC_TOKEN_FILE,),
    "oidcToken": (),
    "policy": (),
    "sessionExpiration": (),
}
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
        reader = Reader(config, environ, sts_host)
        set_ones = [place for place in _ORDER if reader.names(*place.settings)]
        first, *later = [*set_ones, _Place((), _chain)]
        credentials = first.make(reader)
        used = [found[0] for group in first.groups if (found := reader.first(*group))]
        groups = [*first.groups, *(group for place in later for group in place.groups)]
        given = reader.names(*groups, _TOKENS, (_OIDC_TOKEN,))  # tokens alone make nobody
        passed_over = [name for name in given if name not in used]
        if first.alone:
            passed_over += reader.names((_ASSUMED, _ASSUMED_ROLE))
        else:
            role = _assumed_role(reader)
            if role is not None:
                source = f"config {_ASSUMED}, with {credentials.source}"
                credentials = AssumedRole(source, role, credentials)
        return cls(credentials, tuple(dict.fromkeys(passed_over)))


def unusable_sign(text: str) -> str | None:
    """What of a key, secret or token no header can carry, in words; None where all is well."""
    if any(sign.isspace() or not sign.isprintable() for sign in text):
        return "holds white space or a control character, such as a line end"
    return None if text.isascii() else "holds a character that is not ASCII"


@dataclass(frozen=True)
class Reader:
    """
    Reads settings by their names: config keys have a colon, variables of the environment have none.

    A setting that is found is a pair: how texts call it, and its value. Empty text is not set.
    """

    config: ConfigReader
    environ: Mapping[str, str]
    sts_host: str | None = None

    def set_ones(self, *names: str) -> list[tuple[str, str]]:
        """Those of the settings that are set."""
        found = []
        for name in names:
            if ":" in name:
                source, value = f"config {name}", self.config(name)
            else:
                source, value = f"environment {name}", self.environ.get(name)
            if value:
                found.append((source, value))
        return found

    def first(self, *names: str) -> tuple[str, str] | None:
        """The first that is set."""
        return next(iter(self.set_ones(*names)), None)

    def first_usable(self, *names: str) -> tuple[str, str]:
        """
        The first that is set; two empty texts without one.

        Raises:
            ConfigurationError: It holds what nobody means.
        """
        source, value = self.first(*names) or ("", "")
        if value != value.strip() or not value.isprintable():
            raise ConfigurationError(
                f"{source} holds white space at an end, or a control character, such as a line "
                "end: set it anew without"
            )
        return source, value

    def names(self, *groups: tuple[str, ...]) -> list[str]:
        """How texts call those that are set."""
        return [source for group in groups for source, _ in self.set_ones(*group)]

    def says_true(self, name: str) -> bool:
        """Whether a variable switches something on."""
        return self.environ.get(name, "").lower() == "true"

    def mapping(self, key: str, *, several: bool = False) -> dict[str, object]:
        """
        An object of the configuration, empty where it is not set.

        Args:
            key: The full config key.
            several: Whether it may be a list of objects, which are taken together.

        Raises:
            ConfigurationError: It is something else.
        """
        text: object = self.config(key)
        if not text:
            return {}
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


@dataclass(frozen=True)
class _Place:
    """One place in the order: its settings, each by any of its names, and whom they make."""

    settings: tuple[tuple[str, ...], ...]
    make: Callable[[Reader], Credentials]
    #: What belongs to it, but makes nobody alone.
    extras: tuple[tuple[str, ...], ...] = ()
    #: Whether `alicloud:assumeRole` does not apply to it.
    alone: bool = False

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        return self.settings + self.extras


def _key(
    reader: Reader, spellings: tuple[tuple[str, str, str], ...], beside: Profile | None = None
) -> StaticKey:
    """Each part from the first of its own names that is set."""
    ids, secrets, tokens = zip(*spellings, strict=True)
    id_, secret, token = (reader.first(*names) for names in (ids, secrets, tokens))
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
    family = next(names for names in spellings if names[0] == _bare(id_[0]))
    others = [found[0] for found in (secret, token) if found and _bare(found[0]) not in family]
    source = f"{id_[0]} with {' and '.join(others)}" if others else id_[0]
    return StaticKey(source, id_[1], secret[1], token and token[1], beside)


def _bare(source: str) -> str:
    return source.rpartition(" ")[2]


def _shared_key(reader: Reader) -> StaticKey:
    found = reader.first(*_PROFILES)
    beside = None if found is None else _profile_of(reader, *found)
    return _key(reader, _SHARED_KEY, beside)


def _own_profile(reader: Reader) -> Profile:
    source, name = reader.first_usable(*_OWN_PROFILE)
    _check_profiles_are_on(reader, source)
    file = reader.first_usable(*_PROFILE_FILES[:2])[1] or None
    return Profile(source, name, file, sts_host=reader.sts_host)


def _profile(reader: Reader) -> Profile:
    source, name = reader.first_usable(*_PROFILES)
    _check_profiles_are_on(reader, source)
    token = reader.first(*_TOKENS)
    if token is not None:
        raise ConfigurationError(
            f"{token[0]} is set without a key, and {source} names a profile, with whose key "
            "pulumi-alicloud sends it: unset one of them"
        )
    return _profile_of(reader, source, name)


def _profile_of(reader: Reader, source: str, name: str) -> Profile:
    return Profile(
        source,
        name,
        file=reader.first_usable(*_PROFILE_FILES)[1] or None,
        or_section=_bare(source) == "ALIBABA_CLOUD_PROFILE",
        rivals=tuple(reader.names(_URIS, _ECS_ROLES, (_OIDC,))),
        sts_host=reader.sts_host,
    )


def _check_profiles_are_on(reader: Reader, source: str) -> None:
    if reader.says_true(_NO_PROFILES):
        raise ConfigurationError(
            f"{source} names a profile, but {_NO_PROFILES}=true forbids to read it: unset one of "
            "them"
        )


def _file_alone(reader: Reader) -> Credentials:
    source, _ = reader.first_usable(*_PROFILE_FILES[:2])
    raise ConfigurationError(
        f"{source} names a file, but nothing says which profile of it: set alicloud:profile, or "
        "ALICLOUD_PROFILE, too"
    )


def _ecs_role(reader: Reader) -> EcsRole:
    source, name = reader.first_usable(*_ECS_ROLES)
    if reader.says_true(_NO_ECS):
        raise ConfigurationError(
            f"{source} asks for a role of the ECS instance, but {_NO_ECS}=true forbids to ask for "
            "it: unset one of them"
        )
    return EcsRole(source, name)


def _chain(reader: Reader) -> DefaultChain:
    sources: list[Profile | CredentialsFile | EcsRole] = []
    if not reader.says_true(_NO_PROFILES):
        sources.append(Profile(CLI_FILE, None, sts_host=reader.sts_host))
    source, file = reader.first("ALIBABA_CLOUD_CREDENTIALS_FILE") or (INI_FILE, None)
    sources.append(CredentialsFile(source, file=file, sts_host=reader.sts_host))
    if not reader.says_true(_NO_ECS):
        sources.append(EcsRole("the RAM role of the ECS instance"))
    return DefaultChain(tuple(sources))


def _oidc_of_variables(reader: Reader) -> OidcRole:
    names = (_OIDC_TOKEN_FILE, _OIDC_PROVIDER, _ROLE)
    missing = [name for name in names if not reader.environ.get(name)]
    if missing:
        given = reader.names(names)[0]
        raise ConfigurationError(
            f"{given} is set but {' and '.join(missing)} is not: they go together"
        )
    token_file, provider, arn = (reader.first_usable(name)[1] for name in names)
    session = reader.first_usable(_SESSION_NAME)[1] or Role.session_name
    role = Role(arn, session, sts_host=reader.sts_host)
    return OidcRole(f"environment {_OIDC_TOKEN_FILE}", role, provider, token_file)


class _Object:
    """An object of the configuration that asks for a role. No value of its fields is shown."""

    def __init__(self, reader: Reader, key: str, fields: Mapping[str, tuple[str, ...]]) -> None:
        self.key = key
        self.values = reader.mapping(key)
        self._reader = reader
        self._fields = fields
        unknown = [name for name in self.values if name not in fields]
        if unknown:
            raise ConfigurationError(
                f"config {key} has fields that are not supported ({', '.join(unknown)}); it may "
                f"have {', '.join(fields)}"
            )

    def text(self, name: str) -> str | None:
        """A field, or the variable that is read in its stead."""
        value = self.values.get(name)
        if value is None or value == "":
            return self._reader.first_usable(*self._fields.get(name, ()))[1] or None
        if not isinstance(value, str):
            raise ConfigurationError(f"config {self.key}.{name} must be a string")
        return value

    def required(self, name: str) -> str:
        """The same, of one that has to be there."""
        value = self.text(name)
        if not value:
            either = " or ".join(self._fields[name])
            raise ConfigurationError(f"config {self.key} needs {name}, or {either}")
        sign = unusable_sign(value)
        if sign is not None:
            raise ConfigurationError(f"{name} of config {self.key} {sign}")
        return value

    def role(self) -> Role:
        source, duration = (
            f"config {self.key}.sessionExpiration",
            self.values.get("sessionExpiration"),
        )
        if not duration:
            variables = self._fields["sessionExpiration"]
            source, duration = self._reader.first(*variables) or (source, Role.duration_s)
        text = str(duration)
        seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
        if not _LEAST_SESSION_S <= seconds <= _MOST_SESSION_S:
            raise ConfigurationError(
                f"{source} must be a whole number of seconds from {_LEAST_SESSION_S} to "
                f"{_MOST_SESSION_S}"
            )
        return Role(
            self.required("roleArn"),
            self.text("sessionName") or self.text("roleSessionName") or Role.session_name,
            self.text("policy"),
            self.text("externalId"),
            seconds,
            self._reader.sts_host,
        )


def _assumed_role(reader: Reader) -> Role | None:
    if reader.config(_ASSUMED):
        return _Object(reader, _ASSUMED, _ASSUMED_FIELDS).role()
    alone = reader.first(_ASSUMED_ROLE)
    if alone is not None:
        raise ConfigurationError(
            f"{alone[0]} is set without config {_ASSUMED}, which alone makes pulumi-alicloud read "
            f"it. Run `pulumi config set --path {_ASSUMED}.roleArn ARN` to assume the role, or "
            "unset the variable"
        )
    return None


def _oidc_role(reader: Reader) -> OidcRole:
    fields = _Object(reader, _OIDC, _OIDC_FIELDS)
    tokens = reader.names((_OIDC_TOKEN,))
    if fields.values.get("oidcToken"):
        tokens = [f"config {_OIDC}.oidcToken"]
    if tokens:  # it would go before the file
        raise ConfigurationError(
            f"{tokens[0]} is not supported: write the token to a file, and set oidcTokenFile "
            "instead"
        )
    return OidcRole(
        f"config {_OIDC}",
        fields.role(),
        fields.required("oidcProviderArn"),
        fields.required("oidcTokenFile"),
    )


#: Whatever has any of its settings set; the first makes who calls.
_ORDER = (
    _Place(
        tuple((name,) for name in _OWN_KEY), lambda reader: _key(reader, (_OWN_KEY,)), alone=True
    ),
    _Place((_OWN_PROFILE,), _own_profile, alone=True),
    _Place((_KEY_IDS, _KEY_SECRETS), _shared_key, extras=(_TOKENS,)),
    _Place((_PROFILES,), _profile),
    _Place((_URIS,), lambda reader: CredentialsUri(*reader.first_usable(*_URIS))),
    _Place((_PROFILE_FILES[:2],), _file_alone),
    _Place((_ECS_ROLES,), _ecs_role),
    _Place(((_OIDC,),), _oidc_role),
    _Place(((_OIDC_TOKEN_FILE,), (_OIDC_PROVIDER,)), _oidc_of_variables),
)
