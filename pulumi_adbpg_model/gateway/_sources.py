"""
Each source of credentials, by the official library: what it needs, what it gives, why it does not.

The library's texts hold what it was working with, tokens and whole answers. None of them leaves
this module: what is told is the source, the kind of failure, and the host or file.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from alibabacloud_credentials.provider import (
    CLIProfileCredentialsProvider,
    EcsRamRoleCredentialsProvider,
    OIDCRoleArnCredentialsProvider,
    ProfileCredentialsProvider,
    RamRoleArnCredentialsProvider,
    StaticAKCredentialsProvider,
    StaticSTSCredentialsProvider,
    URLCredentialsProvider,
)

from pulumi_adbpg_model.gateway import _fetch
from pulumi_adbpg_model.identity import (
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

_CLI_FILE = "~/.aliyun/config.json"
_INI_FILE = "~/.alibabacloud/credentials.ini"
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
#: What to say of a mode or type that asked no host and failed.
_OTHERWISE = {
    "External": "its command fails, or prints no credentials",
    "CloudSSO": f"its session is over: {_LOG_IN}",
    "OAuth": f"its session is over: {_LOG_IN}",
}
#: More than any file of credentials has.
_MOST_SIGNS = 1024 * 1024
_MALFORMED = "what is there is incomplete or malformed"


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

    def __init__(self, provider: Any, told: str, otherwise: str = _MALFORMED) -> None:
        """
        Make one.

        Args:
            provider: The library's.
            told: What it is, for texts.
            otherwise: What to say of a failure without an answer of any host.
        """
        self._provider = provider
        self.told = told
        self._otherwise = otherwise

    def get_credentials(self) -> Any:
        """
        What to sign with now, as the library has it.

        Raises:
            UnusableError: There is nothing that could be used.
        """
        _fetch.forget_host()
        try:
            found = self._provider.get_credentials()
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
            self._found, self.told = supply, supply.told
            return credentials
        raise UnusableError("; ".join(reasons), nothing=True)


def supply_of(credentials: Credentials) -> Supply | Chain:
    """
    Make what gives the credentials of a source.

    Raises:
        UnusableError: It is incomplete, malformed or not there.
    """
    if isinstance(credentials, StaticKey):
        return _static_key(credentials)
    if isinstance(credentials, Profile):
        return _profile(credentials)
    if isinstance(credentials, CredentialsFile):
        return _section(credentials)
    if isinstance(credentials, CredentialsUri):
        return _made(URLCredentialsProvider, "the credentials URI", uri=credentials.uri)
    if isinstance(credentials, EcsRole):
        told = "the RAM role of the ECS instance"
        # Without a thread of its own, which would go on asking.
        name = credentials.name
        return _made(
            EcsRamRoleCredentialsProvider, told, role_name=name, async_update_enabled=False
        )
    if isinstance(credentials, OidcRole):
        return _oidc_role(credentials)
    if isinstance(credentials, AssumedRole):
        base = supply_of(credentials.base)
        return _assumed(credentials.role, credentials_provider=base)
    return Chain(credentials)


def _made(new: Callable[..., Any], told: str, otherwise: str = _MALFORMED, **given: Any) -> Supply:
    try:
        return Supply(new(**given), told, otherwise)
    except Exception as error:  # noqa: BLE001 - the library raises several unrelated kinds
        raise Supply(None, told, otherwise).unusable(error) from None


def _static_key(key: StaticKey) -> Supply:
    if key.beside is not None and _mode_of(key.beside) == "RamRoleArn":
        raise UnusableError(
            f"{key.beside.source} names a profile with a RAM role, too, which pulumi-alicloud "
            "assumes with this key: set alicloud:assumeRole instead of the profile, or unset one "
            "of them"
        )
    given = {"access_key_id": key.access_key_id, "access_key_secret": key.access_key_secret}
    if key.security_token is None:
        return _made(StaticAKCredentialsProvider, "the access key", **given)
    given["security_token"] = key.security_token
    return _made(StaticSTSCredentialsProvider, "the access key", **given)


def _oidc_role(credentials: OidcRole) -> Supply:
    file = _path(credentials.token_file)
    told = f"the OIDC role with the token of {credentials.token_file}"
    _check_token(_text_of(file, told), told)
    return _made(
        OIDCRoleArnCredentialsProvider,
        told,
        oidc_provider_arn=credentials.provider_arn,
        oidc_token_file_path=str(file),
        **_of_role(credentials.role),
    )


def _assumed(role: Role, credentials_provider: Any) -> Supply:
    given = {**_of_role(role), "external_id": role.external_id}
    told = "the RAM role to assume"
    return _made(
        RamRoleArnCredentialsProvider, told, credentials_provider=credentials_provider, **given
    )


def _of_role(role: Role) -> dict[str, Any]:
    return {
        "role_arn": role.arn,
        "role_session_name": role.session_name,
        "duration_seconds": role.duration_s,
        "policy": role.policy,
        "sts_endpoint": role.sts_host,
    }


def _check_token(token: str, told: str) -> None:
    sign = unusable_sign(token)
    if sign is not None or not token:
        raise UnusableError(f"{told}: the file {sign or 'is empty'}")


def _profile(profile: Profile) -> Supply:
    shown = profile.file or _CLI_FILE
    file = _path(shown)
    if profile.or_section and profile.file is None and not file.exists():
        return _section(CredentialsFile(profile.source, str(profile.name)))
    known = _profiles(file, shown)
    if known is None:  # no file of the CLI: then it is one of the SDKs
        return _section(CredentialsFile(profile.source, profile.name or "default", shown))
    profiles, current = known
    name = profile.name or current
    found = profiles.get(name or "")
    if found is None and profile.or_section:
        return _section(CredentialsFile(profile.source, str(name)))
    if found is None:
        told = f"no profile {name!r}" if profile.name else "no current profile"
        raise UnusableError(f"{shown} has {told}", nothing=profile.name is None)
    told = _checked_profile(found, profiles, f"profile {name!r} of {shown}", profile)
    mode = str(found.get("mode"))
    return _made(
        CLIProfileCredentialsProvider,
        told,
        _OTHERWISE.get(mode, _MALFORMED),
        profile_name=name,
        profile_file=str(file),
    )


def _checked_profile(
    found: Mapping[str, Any], profiles: Mapping[str, Any], told: str, profile: Profile
) -> str:
    """What the profile is, in words; it has what its mode needs, and so have those it builds on."""
    seen = []
    while True:
        mode = found.get("mode")
        if not isinstance(mode, str) or mode not in _MODES:
            raise UnusableError(f"{told} has no mode that is known ({', '.join(_MODES)})")
        told = f"{told} (mode {mode})"
        missing = [field for field in _MODES[mode] if not found.get(field)]
        if missing:
            # What `aliyun configure` leaves when it is broken off is as good as nothing.
            empty = profile.name is None and mode == "AK"
            raise UnusableError(f"{told} has no {' and no '.join(missing)}", nothing=empty)
        if mode == "OIDC":
            token = _text_of(_path(str(found["oidc_token_file"])), told)
            _check_token(token, told)
        if mode != "ChainableRamRoleArn":
            return told
        source = found["source_profile"]
        seen.append(found.get("name"))
        if source in seen or source not in profiles:
            raise UnusableError(f"{told} builds on a profile that does not exist, or on itself")
        found, told = profiles[source], f"{told}, on its source profile"


def _profiles(file: Path, shown: str) -> tuple[dict[str, Mapping[str, Any]], str | None] | None:
    """The profiles of a file of the CLI by name, and the current one; None for another format."""
    text = _text_of(file, shown)
    if not text.lstrip().startswith("{") and shown != _CLI_FILE:
        return None
    try:
        content = json.loads(text)
        listed = content.get("profiles") or []
        profiles = {one["name"]: one for one in listed if isinstance(one.get("name"), str)}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UnusableError(f"{shown} is no file of CLI profiles") from None
    current = content.get("current")
    return profiles, current if isinstance(current, str) else None


def _mode_of(profile: Profile) -> object:
    try:
        known = _profiles(_path(profile.file or _CLI_FILE), profile.file or _CLI_FILE)
    except UnusableError:
        return None
    return known and known[0].get(profile.name or "", {}).get("mode")


def _section(credentials: CredentialsFile) -> Supply:
    shown = credentials.file or _INI_FILE
    file = _path(shown)
    parser = configparser.ConfigParser()
    try:
        parser.read_string(_text_of(file, shown))
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
    told = f"section {credentials.section!r} of {shown}"
    type_ = section.get("type")
    if type_ not in _TYPES:
        raise UnusableError(f"{told} has no type that is known ({', '.join(_TYPES)})")
    told = f"{told} (type {type_})"
    missing = [name for name in _TYPES[type_] if not section.get(name)]
    if missing:
        raise UnusableError(f"{told} has no {' and no '.join(missing)}")
    return _made(
        ProfileCredentialsProvider,
        told,
        profile_file=str(file),
        profile_name=credentials.section,
    )


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # there is no home
        return Path(text)


def _text_of(file: Path, told: str) -> str:
    try:
        if not file.is_file() and file.exists():  # a pipe would be waited for
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
