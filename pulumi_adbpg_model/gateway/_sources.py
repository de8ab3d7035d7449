"""
Each source of credentials, by the official library: what it needs, what it gives, why it does not.

The library's texts hold what it was working with, tokens and whole answers. None of them leaves
this module: what is told is the source, the kind of failure, and the host or file.
"""

from __future__ import annotations

import configparser
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alibabacloud_credentials.provider import (
    CLIProfileCredentialsProvider,
    CloudSSOCredentialsProvider,
    EcsRamRoleCredentialsProvider,
    ExternalCredentialsProvider,
    OIDCRoleArnCredentialsProvider,
    RamRoleArnCredentialsProvider,
    RsaKeyPairCredentialsProvider,
    StaticAKCredentialsProvider,
    StaticSTSCredentialsProvider,
    URLCredentialsProvider,
)

from pulumi_adbpg_model.gateway import _fetch
from pulumi_adbpg_model.settings.identity import (
    CLI_FILE,
    INI_FILE,
    AssumedRole,
    Credentials,
    CredentialsFile,
    CredentialsUri,
    DefaultChain,
    EcsRole,
    OidcRole,
    Profile,
    Role,
    StaticKey,
    unusable_sign,
)

__all__ = ["Chain", "Supply", "UnusableError", "supply_of"]

_fetch.install()

_LOG_IN = "log in anew with the Alibaba Cloud CLI"
_KEY = ("access_key_id", "access_key_secret")
#: By mode of a CLI profile: what it has to have, lest the library takes it from the environment.
_MODES = {
    "AK": _KEY,
    "StsToken": (*_KEY, "sts_token"),
    "RamRoleArn": (*_KEY, "ram_role_arn"),
    "EcsRamRole": (),
    "OIDC": ("ram_role_arn", "oidc_provider_arn", "oidc_token_file"),
    "ChainableRamRoleArn": ("source_profile", "ram_role_arn"),
    "CloudSSO": ("cloud_sso_sign_in_url", "access_token"),
    "OAuth": (),
    "External": ("process_command",),
}
#: By type of a section of a credentials file, likewise.
_TYPES = {
    "access_key": _KEY,
    "ram_role_arn": (*_KEY, "role_arn"),
    "oidc_role_arn": ("role_arn", "oidc_provider_arn", "oidc_token_file_path"),
    "ecs_ram_role": (),
    "rsa_key_pair": ("public_key_id", "private_key_file"),
}
#: Modes that pulumi-alicloud looks at later than at others, or not at all.
_LATER_MODES = ("EcsRamRole", "OIDC")
#: From the library's parameters to the fields of a profile.
_SSO = {
    "sign_in_url": "cloud_sso_sign_in_url",
    "account_id": "cloud_sso_account_id",
    "access_config": "cloud_sso_access_config",
    "access_token": "access_token",
    "access_token_expire": "cloud_sso_access_token_expire",
}
#: What to say of a mode that asked no host and failed.
_OTHERWISE = {
    "External": "its command fails, or prints no credentials",
    "CloudSSO": f"its session is over: {_LOG_IN}",
    "OAuth": f"its session is over: {_LOG_IN}",
}
#: More than any file of credentials has.
_MOST_SIGNS = 1024 * 1024
_MALFORMED = "what is there is incomplete or malformed"
_NO_URL = "it is no URL that can be asked"


class UnusableError(Exception):
    """A source gives no credentials; the text says why, and is ours."""

    def __init__(self, reason: str, *, nothing: bool = False, passing: bool = False) -> None:
        super().__init__(reason)
        #: Whether there is simply nothing, so that the next of the chain may be looked at.
        self.nothing = nothing
        #: Whether it may go better in a moment.
        self.passing = passing


class Supply:
    """Gives credentials of one source, and renews them in time."""

    def __init__(
        self, behind: Any, told: str, otherwise: str = _MALFORMED, *, lasting: bool = False
    ) -> None:
        """
        Make one.

        Args:
            behind: The library's provider.
            told: What it is, for texts.
            otherwise: What to say of a failure without an answer of any host.
            lasting: Whether nothing renews what it gives.
        """
        self._behind = behind
        self.told = told
        self._otherwise = otherwise
        self.lasting = lasting

    def get_credentials(self) -> Any:
        """
        What to sign with now, as the library has it.

        Raises:
            UnusableError: There is nothing that could be used.
        """
        try:
            with _fetch.guarded():
                found = self._behind.get_credentials()
        except Exception as error:  # noqa: BLE001 - the library raises several unrelated kinds
            raise self.unusable(error) from None
        parts = {
            "access key id": found.get_access_key_id(),
            "access key secret": found.get_access_key_secret(),
            "security token": found.get_security_token(),
        }
        for name, text in parts.items():
            if not text and name != "security token":
                raise UnusableError(f"{self.told}: the {name} is empty", nothing=True)
            if not isinstance(text, str | None):
                raise UnusableError(f"{self.told}: the {name} is no text")
            sign = unusable_sign(text or "")
            if sign is not None:
                raise UnusableError(f"{self.told}: the {name} {sign}")
        return found

    def unusable(self, error: Exception) -> UnusableError:
        """Why there are none, in our words."""
        for cause in _causes(error):
            if isinstance(cause, UnusableError):
                return UnusableError(str(cause), nothing=cause.nothing, passing=cause.passing)
            if isinstance(cause, _fetch.FetchError):
                return UnusableError(f"{self.told}: {cause}", passing=cause.passing)
            if isinstance(cause, subprocess.TimeoutExpired):
                return UnusableError(f"{self.told}: its command does not end", passing=True)
            about_files = self._otherwise == _MALFORMED and not _fetch.asked_host()
            if isinstance(cause, OSError) and about_files:
                return UnusableError(f"{self.told}: {_kind(cause)}")
        host = _fetch.asked_host()
        if host is not None:
            return UnusableError(f"{self.told}: the answer of {host} holds no usable credentials")
        return UnusableError(f"{self.told}: {self._otherwise}")


class Chain:
    """The first source that has anything; that one from then on."""

    told = "the default credential chain"
    lasting = False

    def __init__(self, chain: DefaultChain) -> None:
        self._sources = chain.sources
        self._found: Supply | Chain | None = None

    def get_credentials(self) -> Any:
        """See `Supply`."""
        if self._found is not None:
            return self._found.get_credentials()
        reasons = []
        for source in self._sources:
            try:
                supply = supply_of(source)
                credentials = supply.get_credentials()
            except UnusableError as error:
                # Elsewhere nobody answers at the metadata address of ECS.
                if not error.nothing and not isinstance(source, EcsRole):
                    raise
                reasons.append(str(error))
                continue
            self._found, self.told, self.lasting = supply, supply.told, supply.lasting
            return credentials
        raise UnusableError("; ".join(reasons), nothing=True)


def supply_of(credentials: Credentials) -> Supply | Chain:
    """
    Make what gives the credentials of a source.

    Raises:
        UnusableError: It is incomplete, malformed or not there.
    """
    try:
        return _supply_of(credentials)
    except UnusableError:
        raise
    except Exception:  # noqa: BLE001 - files may hold anything
        raise UnusableError(_MALFORMED) from None


def _supply_of(credentials: Credentials) -> Supply | Chain:
    if isinstance(credentials, StaticKey):
        return _static_key(credentials)
    if isinstance(credentials, Profile):
        return _profile(credentials)
    if isinstance(credentials, CredentialsFile):
        return _section(credentials)
    if isinstance(credentials, CredentialsUri):
        return _made(URLCredentialsProvider, "the credentials URI", _NO_URL, uri=credentials.uri)
    if isinstance(credentials, EcsRole):
        return _ecs_role("the RAM role of the ECS instance", credentials.name)
    if isinstance(credentials, OidcRole):
        told = f"the OIDC role with the token of {credentials.token_file}"
        return _oidc_role(told, credentials.role, credentials.provider_arn, credentials.token_file)
    if isinstance(credentials, AssumedRole):
        base = credentials.base
        found: Supply | Chain
        # Of a profile with a role of its own the key counts, as in pulumi-alicloud.
        if isinstance(base, Profile):
            found = _profile(base, key_alone=True)
        elif isinstance(base, StaticKey):
            found = _static_key(base, role_is_set=True)
        else:
            found = _supply_of(base)
        return _assumed_role("the RAM role to assume", credentials.role, found)
    return Chain(credentials)


def _made(
    new: Callable[..., Any],
    told: str,
    otherwise: str = _MALFORMED,
    *,
    lasting: bool = False,
    **given: Any,
) -> Supply:
    try:
        return Supply(new(**given), told, otherwise, lasting=lasting)
    except Exception as error:  # noqa: BLE001 - the library raises several unrelated kinds
        raise Supply(None, told, otherwise).unusable(error) from None


def _key(told: str, id_: Any, secret: Any, token: Any = None) -> Supply:
    given = {"access_key_id": id_, "access_key_secret": secret}
    if token is None:
        return _made(StaticAKCredentialsProvider, told, lasting=True, **given)
    given["security_token"] = token
    return _made(StaticSTSCredentialsProvider, told, lasting=True, **given)


def _static_key(key: StaticKey, *, role_is_set: bool = False) -> Supply:
    mode = None if key.beside is None else _mode_of(key.beside)
    with_token = mode == "StsToken" and not key.security_token
    with_role = mode == "RamRoleArn" and not role_is_set
    if key.beside is not None and (with_role or with_token):
        part = "RAM role" if mode == "RamRoleArn" else "security token"
        raise UnusableError(
            f"{key.beside.source} names a profile with a {part}, too, which pulumi-alicloud takes "
            "together with this key: unset one of them"
        )
    return _key("the access key", key.access_key_id, key.access_key_secret, key.security_token)


def _ecs_role(told: str, name: str | None) -> Supply:
    # Without a thread of its own, which would go on asking.
    return _made(EcsRamRoleCredentialsProvider, told, role_name=name, async_update_enabled=False)


def _oidc_role(told: str, role: Role, provider_arn: str, token_file: str) -> Supply:
    file = _path(token_file)
    token = _text_of(file, told)
    sign = unusable_sign(token)
    if sign is not None or not token:
        raise UnusableError(f"{told}: the file {sign or 'is empty'}")
    return _made(
        OIDCRoleArnCredentialsProvider,
        told,
        oidc_provider_arn=provider_arn,
        oidc_token_file_path=str(file),
        **_of_role(role),
    )


def _assumed_role(told: str, role: Role, base: Supply | Chain) -> Supply:
    return _made(
        RamRoleArnCredentialsProvider,
        told,
        credentials_provider=base,
        external_id=role.external_id,
        **_of_role(role),
    )


def _of_role(role: Role) -> dict[str, Any]:
    return {
        "role_arn": role.arn,
        "role_session_name": role.session_name,
        "duration_seconds": role.duration_s,
        "policy": role.policy,
        "sts_endpoint": role.sts_host,
    }


def _profile(profile: Profile, *, key_alone: bool = False) -> Supply:
    shown = profile.file or CLI_FILE
    file = _path(shown)
    absent = profile.file is None and not os.path.exists(file)  # noqa: PTH110 - never raises
    known = None if absent and profile.or_section else _profiles(file, shown)
    if known is None:  # no file of the CLI: then it is one of the SDKs
        return _section_instead(profile, None if absent else profile.file)
    profiles, current = known
    name = profile.name or current
    found = profiles.get(name or "")
    if found is None and profile.or_section:
        return _section_instead(profile, None)
    if found is None:
        told = f"no profile {name!r}" if profile.name else "no current profile"
        raise UnusableError(f"{shown} has {told}", nothing=profile.name is None)
    if found.get("mode") in _LATER_MODES:
        _refuse_rivals(profile, f"one of mode {found['mode']}")
    kept = _Kept(profile, file, profiles, key_alone)
    return _by_mode(kept, found, f"profile {name!r} of {shown}", ())


def _section_instead(profile: Profile, file: str | None) -> Supply:
    _refuse_rivals(profile, "a section of a file of the SDKs")
    name = profile.name or "default"
    return _section(CredentialsFile(profile.source, name, file, profile.sts_host))


def _refuse_rivals(profile: Profile, what: str) -> None:
    if profile.rivals:
        raise UnusableError(
            f"it names {what}, and {profile.rivals[0]} is set, too, which pulumi-alicloud takes "
            "before that: unset one of them"
        )


@dataclass(frozen=True)
class _Kept:
    """The file that a profile is in, and how it is wanted."""

    profile: Profile
    file: Path
    profiles: Mapping[str, Mapping[str, Any]]
    key_alone: bool


def _by_mode(kept: _Kept, found: Mapping[str, Any], told: str, above: tuple[Any, ...]) -> Supply:
    mode = found.get("mode")
    if not isinstance(mode, str) or mode not in _MODES:
        raise UnusableError(f"{told} has no mode that is known ({', '.join(_MODES)})")
    told = f"{told} (mode {mode})"
    missing = [field for field in _MODES[mode] if not found.get(field)]
    if missing:
        # What `aliyun configure` leaves when it is broken off is as good as nothing.
        empty = kept.profile.name is None and mode == "AK"
        raise UnusableError(f"{told} has no {' and no '.join(missing)}", nothing=empty)
    id_, secret, token = (found.get(name) for name in (*_KEY, "sts_token"))
    if mode == "AK" or (mode == "RamRoleArn" and kept.key_alone):
        return _key(told, id_, secret)
    if mode == "StsToken":
        return _key(told, id_, secret, token)
    if mode == "EcsRamRole":
        return _ecs_role(told, found.get("ram_role_name") or None)
    if mode in _OTHERWISE:
        return _session(kept, found, told, mode)
    session = found.get("ram_session_name") or found.get("role_session_name")
    role = Role(
        found["ram_role_arn"],
        session or Role.session_name,
        found.get("policy"),
        found.get("external_id"),
        found.get("expired_seconds") or Role.duration_s,
        kept.profile.sts_host or _sts_host(found),
    )
    if mode == "OIDC":
        return _oidc_role(told, role, found["oidc_provider_arn"], str(found["oidc_token_file"]))
    if mode == "RamRoleArn":
        return _assumed_role(told, role, _key(told, id_, secret))
    source, name = found["source_profile"], found.get("name")
    if not isinstance(source, str) or source in (*above, name) or source not in kept.profiles:
        raise UnusableError(f"{told} builds on a profile that does not exist, or on itself")
    base = _by_mode(kept, kept.profiles[source], f"{told}, its source profile", (*above, name))
    return _assumed_role(told, role, base)


def _sts_host(found: Mapping[str, Any]) -> str | None:
    """Where a profile has its role assumed; None: where it says nothing of it."""
    region = found.get("sts_region")
    prefix = "sts-vpc" if found.get("enable_vpc") is True else "sts"
    return f"{prefix}.{region}.aliyuncs.com" if isinstance(region, str) and region else None


def _session(kept: _Kept, found: Mapping[str, Any], told: str, mode: str) -> Supply:
    """A mode in which somebody has logged in, or a command has."""
    given: dict[str, Any]
    if mode == "CloudSSO":
        new: Any = CloudSSOCredentialsProvider
        given = {parameter: found.get(field) for parameter, field in _SSO.items()}
    elif mode == "External":
        new, given = ExternalCredentialsProvider, {"process_command": found["process_command"]}
    else:  # it writes what it was given into the file, to be used next time
        new = CLIProfileCredentialsProvider
        given = {"profile_name": found.get("name"), "profile_file": str(kept.file)}
    return _made(new, told, _OTHERWISE[mode], **given)


def _profiles(file: Path, shown: str) -> tuple[dict[str, Mapping[str, Any]], str | None] | None:
    """The profiles of a file of the CLI by name, and the current one; None for another format."""
    text = _text_of(file, shown)
    if not text.lstrip().startswith("{") and shown != CLI_FILE:
        return None
    try:
        content = json.loads(text)
        listed = [one for one in content.get("profiles") or [] if isinstance(one.get("name"), str)]
        profiles = {one["name"]: one for one in listed}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UnusableError(f"{shown} is no file of CLI profiles") from None
    if len(profiles) != len(listed):  # which one counts, tools do not agree on
        raise UnusableError(f"{shown} has two profiles of one name")
    current = content.get("current")
    return profiles, current if isinstance(current, str) else None


def _mode_of(profile: Profile) -> object:
    try:
        known = _profiles(_path(profile.file or CLI_FILE), profile.file or CLI_FILE)
    except UnusableError:
        return None
    return known and known[0].get(profile.name or "", {}).get("mode")


def _section(credentials: CredentialsFile) -> Supply:
    shown = credentials.file or INI_FILE
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_text_of(_path(shown), shown))
        section = dict(parser.items(credentials.section))
    except configparser.NoSectionError:
        raise UnusableError(
            f"{shown} has no section {credentials.section!r}",
            nothing=credentials.section == "default",
        ) from None
    except configparser.Error as error:
        line = getattr(error, "lineno", None)
        where = f", see line {line}" if isinstance(line, int) else ""
        raise UnusableError(f"{shown} is no credentials file{where}") from None
    # What is behind a # is a remark, wherever it stands.
    section = {name: value.partition("#")[0].strip() for name, value in section.items()}
    told = f"section {credentials.section!r} of {shown}"
    return _by_type(section, told, credentials.sts_host)


def _by_type(section: Mapping[str, str], told: str, sts_host: str | None) -> Supply:
    type_ = section.get("type")
    if type_ not in _TYPES:
        raise UnusableError(f"{told} has no type that is known ({', '.join(_TYPES)})")
    told = f"{told} (type {type_})"
    missing = [name for name in _TYPES[type_] if not section.get(name)]
    if missing:
        raise UnusableError(f"{told} has no {' and no '.join(missing)}")
    if type_ == "ecs_ram_role":
        return _ecs_role(told, section.get("role_name") or None)
    if type_ == "rsa_key_pair":
        given: dict[str, Any] = {name: section[name] for name in _TYPES[type_]}
        return _made(RsaKeyPairCredentialsProvider, told, sts_endpoint=sts_host, **given)
    if type_ == "access_key":
        return _key(told, section["access_key_id"], section["access_key_secret"])
    session = section.get("role_session_name") or Role.session_name
    role = Role(section["role_arn"], session, section.get("policy"), sts_host=sts_host)
    if type_ == "oidc_role_arn":
        provider_arn, file = section["oidc_provider_arn"], section["oidc_token_file_path"]
        return _oidc_role(told, role, provider_arn, file)
    base = _key(told, section["access_key_id"], section["access_key_secret"])
    return _assumed_role(told, role, base)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # there is no home
        return Path(text)


def _text_of(file: Path, told: str) -> str:
    try:
        # A pipe would be waited for. These two never raise, as those of a path do.
        if os.path.exists(file) and not os.path.isfile(file):  # noqa: PTH110, PTH113
            raise UnusableError(f"{told}: it is no file")
        with file.open(encoding="utf-8-sig") as opened:
            text = opened.read(_MOST_SIGNS + 1)
    except FileNotFoundError:
        raise UnusableError(f"{told}: the file does not exist", nothing=True) from None
    except (OSError, ValueError) as error:
        raise UnusableError(f"{told}: {_kind(error)}") from None
    if len(text) > _MOST_SIGNS:
        raise UnusableError(f"{told}: the file is too large")
    return text


def _kind(error: Exception) -> str:
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (FileNotFoundError, "a file that it needs does not exist"),
        (PermissionError, "the file may not be read"),
        (UnicodeError, "the file is not UTF-8"),
    )
    return next((kind for cls, kind in kinds if isinstance(error, cls)), "the file cannot be read")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was raised over."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
