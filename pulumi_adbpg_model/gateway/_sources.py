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
from collections.abc import Callable, Iterator, Mapping, Sequence
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

_fetch.install()

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
#: The modes that are the same, and a section's fields by their names in a profile.
_MODE_OF = {
    "access_key": "AK",
    "ram_role_arn": "RamRoleArn",
    "oidc_role_arn": "OIDC",
    "ecs_ram_role": "EcsRamRole",
}
_IN_SECTION = {
    **{name: name for name in (*_KEY, "oidc_provider_arn", "policy")},
    "ram_role_arn": "role_arn",
    "ram_role_name": "role_name",
    "ram_session_name": "role_session_name",
    "oidc_token_file": "oidc_token_file_path",
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
#: More than any file of credentials has.
_MOST_SIGNS = 1024 * 1024
_MALFORMED = "what is there is incomplete or malformed"
_NO_URL = "it is no URL that can be asked"
_NO_COMMAND = "its command fails, or prints no credentials"
_NO_SESSION = "its session is over: log in anew with the Alibaba Cloud CLI"


class UnusableError(Exception):
    """A source gives no credentials; the text says why, and is ours."""

    def __init__(self, reason: str, *, absent: bool = False, transient: bool = False) -> None:
        super().__init__(reason)
        #: Whether there is simply nothing, so that the next of the chain may be looked at.
        self.absent = absent
        #: Whether it may go better in a moment.
        self.transient = transient


class Provider:
    """Gives credentials of one source, and renews them in time."""

    def __init__(
        self,
        told: str,
        new: Callable[..., Any],
        otherwise: str = _MALFORMED,
        *,
        lasting: bool = False,
        **arguments: Any,
    ) -> None:
        """
        Have the library's provider made: `new` makes it, of the arguments.

        `told` is what it is, and `otherwise` how it fails without an answer of any host; nothing
        renews what is `lasting`.
        """
        self.told = told
        self.lasting = lasting
        self._otherwise = otherwise
        try:
            self._provider = new(**arguments)
        except Exception as error:  # noqa: BLE001 - the library raises several unrelated kinds
            raise self._unusable(error) from None

    def get_credentials(self) -> Any:
        """
        What to sign with now, as the library has it.

        Raises:
            UnusableError: There is nothing that could be used.
        """
        try:
            with _fetch.guarded():
                found = self._provider.get_credentials()
        except Exception as error:  # noqa: BLE001 - the library raises several unrelated kinds
            raise self._unusable(error) from None
        parts = {
            "access key id": found.get_access_key_id(),
            "access key secret": found.get_access_key_secret(),
            "security token": found.get_security_token(),
        }
        for name, text in parts.items():
            if not text and name != "security token":
                raise UnusableError(f"{self.told}: the {name} is empty", absent=True)
            if not isinstance(text, str | None):
                raise UnusableError(f"{self.told}: the {name} is no text")
            sign = unusable_sign(text or "")
            if sign is not None:
                raise UnusableError(f"{self.told}: the {name} {sign}")
        return found

    def _unusable(self, error: Exception) -> UnusableError:
        """Why there are none, in our words."""
        host = _fetch.asked_host()
        for cause in _causes(error):
            match cause:
                case UnusableError():
                    return UnusableError(str(cause), absent=cause.absent, transient=cause.transient)
                case _fetch.FetchError():
                    return UnusableError(f"{self.told}: {cause}", transient=cause.transient)
                case subprocess.TimeoutExpired():
                    return UnusableError(f"{self.told}: its command does not end", transient=True)
                case OSError() if host is None and self._otherwise == _MALFORMED:
                    return UnusableError(f"{self.told}: {_kind(cause)}")
        if host is not None:
            return UnusableError(f"{self.told}: the answer of {host} holds no usable credentials")
        return UnusableError(f"{self.told}: {self._otherwise}")


class Chain:
    """The first source that has anything; that one from then on."""

    told = "the default credential chain"
    lasting = False

    def __init__(self, chain: DefaultChain) -> None:
        self._sources = chain.sources
        self._found: Provider | Chain | None = None

    def get_credentials(self) -> Any:
        """See `Provider`."""
        if self._found is not None:
            return self._found.get_credentials()
        reasons = []
        for source in self._sources:
            try:
                provider = provider_of(source)
                credentials = provider.get_credentials()
            except UnusableError as error:
                # Elsewhere nobody answers at the metadata address of ECS.
                if not error.absent and not isinstance(source, EcsRole):
                    raise
                reasons.append(str(error))
                continue
            self._found, self.told, self.lasting = provider, provider.told, provider.lasting
            return credentials
        raise UnusableError("; ".join(reasons), absent=True)


def provider_of(credentials: Credentials) -> Provider | Chain:
    """
    Make what gives the credentials of a source.

    Raises:
        UnusableError: It is incomplete, malformed or not there.
    """
    try:
        return _provider_of(credentials)
    except UnusableError:
        raise
    except Exception:  # noqa: BLE001 - files may hold anything
        raise UnusableError(_MALFORMED) from None


def _provider_of(credentials: Credentials, *, as_base: bool = False) -> Provider | Chain:
    """As base, with which a role is assumed, a profile with a role of its own gives its key."""
    match credentials:
        case StaticKey():
            return _static_key(credentials, as_base=as_base)
        case Profile():
            return _profile(credentials, key_alone=as_base)  # as in pulumi-alicloud
        case CredentialsFile():
            return _section(credentials)
        case CredentialsUri(uri=uri):
            return Provider("the credentials URI", URLCredentialsProvider, _NO_URL, uri=uri)
        case EcsRole(name=name):
            return _ecs_role("the RAM role of the ECS instance", name)
        case OidcRole(role=role, provider_arn=arn, token_file=file):
            return _oidc_role(f"the OIDC role with the token of {file}", role, arn, file)
        case AssumedRole(role=role, base=base):
            return _assumed_role("the RAM role to assume", role, _provider_of(base, as_base=True))
        case DefaultChain():
            return Chain(credentials)


def _key(told: str, id_: Any, secret: Any, token: Any = None) -> Provider:
    given = {"access_key_id": id_, "access_key_secret": secret}
    if token is None:
        return Provider(told, StaticAKCredentialsProvider, lasting=True, **given)
    return Provider(told, StaticSTSCredentialsProvider, lasting=True, security_token=token, **given)


def _static_key(key: StaticKey, *, as_base: bool) -> Provider:
    mode = key.beside and _mode_of(key.beside)
    part = None
    if mode == "RamRoleArn" and not as_base:
        part = "RAM role"
    if mode == "StsToken" and not key.security_token:
        part = "security token"
    if key.beside and part:
        raise UnusableError(
            f"{key.beside.source} names a profile with a {part}, too, which pulumi-alicloud takes "
            "together with this key: unset one of them"
        )
    return _key("the access key", key.access_key_id, key.access_key_secret, key.security_token)


def _ecs_role(told: str, name: str | None) -> Provider:
    # Without a thread of its own, which would go on asking.
    new = EcsRamRoleCredentialsProvider
    return Provider(told, new, role_name=name, async_update_enabled=False)


def _oidc_role(told: str, role: Role, provider_arn: str, token_file: str) -> Provider:
    token = _text_of(token_file, told)
    sign = unusable_sign(token)
    if sign is not None or not token:
        raise UnusableError(f"{told}: the file {sign or 'is empty'}")
    given = {"oidc_provider_arn": provider_arn, **_of_role(role)}
    file = str(_path(token_file))
    return Provider(told, OIDCRoleArnCredentialsProvider, oidc_token_file_path=file, **given)


def _assumed_role(told: str, role: Role, base: Provider | Chain) -> Provider:
    given = {"credentials_provider": base, "external_id": role.external_id, **_of_role(role)}
    return Provider(told, RamRoleArnCredentialsProvider, **given)


def _of_role(role: Role) -> dict[str, Any]:
    return {
        "role_arn": role.arn,
        "role_session_name": role.session_name,
        "duration_seconds": role.duration_s,
        "policy": role.policy,
        "sts_endpoint": role.sts_host,
    }


def _profile(profile: Profile, *, key_alone: bool) -> Provider:
    shown = profile.file or CLI_FILE
    absent = profile.file is None and not os.path.exists(_path(shown))  # noqa: PTH110 - see below
    known = None if absent and profile.or_section else _profiles(shown)
    if known is None:  # no file of the CLI: then it is one of the SDKs
        return _section_instead(profile, profile.file)
    profiles, current = known
    name = profile.name or current
    found = profiles.get(name or "")
    if found is None and profile.or_section:
        return _section_instead(profile, None)
    if found is None:
        told = f"no profile {name!r}" if profile.name else "no current profile"
        raise UnusableError(f"{shown} has {told}", absent=profile.name is None)
    if found.get("mode") in _LATER_MODES:
        _refuse_rivals(profile, f"one of mode {found['mode']}")
    kept = _Kept(profile, profiles, key_alone)
    return _by_mode(kept, found, f"profile {name!r} of {shown}", ())


def _section_instead(profile: Profile, file: str | None) -> Provider:
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
    profiles: Mapping[str, Mapping[str, Any]]
    key_alone: bool


def _checked(
    told: str,
    what: str,
    needs: Mapping[str, Sequence[str]],
    found: Mapping[str, Any],
    *,
    may_be_empty: str | None = None,
) -> tuple[str, str]:
    """Its kind, and how it is told with that; one of the kind that may be empty is as nothing."""
    kind = found.get(what)
    if not isinstance(kind, str) or kind not in needs:
        raise UnusableError(f"{told} has no {what} that is known ({', '.join(needs)})")
    told = f"{told} ({what} {kind})"
    missing = [field for field in needs[kind] if not found.get(field)]
    if missing:
        absent = kind == may_be_empty
        raise UnusableError(f"{told} has no {' and no '.join(missing)}", absent=absent)
    return kind, told


def _by_mode(kept: _Kept, found: Mapping[str, Any], told: str, above: tuple[Any, ...]) -> Provider:
    # What `aliyun configure` leaves when it is broken off is as good as nothing.
    may_be_empty = "AK" if kept.profile.name is None else None
    mode, told = _checked(told, "mode", _MODES, found, may_be_empty=may_be_empty)
    sts_host = kept.profile.sts_host or _sts_host(found)
    given: dict[str, Any]
    match mode:
        case "CloudSSO":
            given = {parameter: found.get(field) for parameter, field in _SSO.items()}
            return Provider(told, CloudSSOCredentialsProvider, _NO_SESSION, **given)
        case "External":
            command = found["process_command"]
            return Provider(told, ExternalCredentialsProvider, _NO_COMMAND, process_command=command)
        case "OAuth":  # it writes what it was given into the file, to be used next time
            file = str(_path(kept.profile.file or CLI_FILE))
            given = {"profile_name": found.get("name"), "profile_file": file}
            return Provider(told, CLIProfileCredentialsProvider, _NO_SESSION, **given)
        case "ChainableRamRoleArn":
            source, name = found["source_profile"], found.get("name")
            known = isinstance(source, str) and source in kept.profiles
            if not known or source in (*above, name):
                raise UnusableError(f"{told} builds on a profile that does not exist, or on itself")
            of_source = f"{told}, its source profile"
            base = _by_mode(kept, kept.profiles[source], of_source, (*above, name))
            return _assumed_role(told, _role(found, sts_host), base)
        case "RamRoleArn" if kept.key_alone:
            mode = "AK"
    return _of_fields(mode, found, told, sts_host)


def _of_fields(mode: str, found: Mapping[str, Any], told: str, sts_host: str | None) -> Provider:
    """A mode that needs nothing but its fields, which are there."""
    if mode == "EcsRamRole":
        return _ecs_role(told, found.get("ram_role_name") or None)
    if mode == "OIDC":
        arn, file = found["oidc_provider_arn"], str(found["oidc_token_file"])
        return _oidc_role(told, _role(found, sts_host), arn, file)
    token = found["sts_token"] if mode == "StsToken" else None
    key = _key(told, found["access_key_id"], found["access_key_secret"], token)
    return _assumed_role(told, _role(found, sts_host), key) if mode == "RamRoleArn" else key


def _role(found: Mapping[str, Any], sts_host: str | None) -> Role:
    return Role(
        found["ram_role_arn"],
        found.get("ram_session_name") or found.get("role_session_name") or Role.session_name,
        found.get("policy"),
        found.get("external_id"),
        found.get("expired_seconds") or Role.duration_s,
        sts_host,
    )


def _sts_host(found: Mapping[str, Any]) -> str | None:
    """Where a profile has its role assumed; None: where it says nothing of it."""
    region = found.get("sts_region")
    prefix = "sts-vpc" if found.get("enable_vpc") is True else "sts"
    return f"{prefix}.{region}.aliyuncs.com" if isinstance(region, str) and region else None


def _profiles(shown: str) -> tuple[dict[str, Mapping[str, Any]], str | None] | None:
    """The profiles of a file of the CLI by name, and the current one; None for another format."""
    text = _text_of(shown, shown)
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
        known = _profiles(profile.file or CLI_FILE)
    except UnusableError:
        return None
    return known and known[0].get(profile.name or "", {}).get("mode")


def _section(credentials: CredentialsFile) -> Provider:
    shown = credentials.file or INI_FILE
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_text_of(shown, shown))
        section = dict(parser.items(credentials.section))
    except configparser.NoSectionError:
        raise UnusableError(
            f"{shown} has no section {credentials.section!r}",
            absent=credentials.section == "default",
        ) from None
    except configparser.Error as error:
        line = getattr(error, "lineno", None)
        where = f", see line {line}" if isinstance(line, int) else ""
        raise UnusableError(f"{shown} is no credentials file{where}") from None
    # What is behind a # is a remark, wherever it stands.
    section = {name: value.partition("#")[0].strip() for name, value in section.items()}
    told = f"section {credentials.section!r} of {shown}"
    type_, told = _checked(told, "type", _TYPES, section)
    if type_ == "rsa_key_pair":
        given: dict[str, Any] = {name: section[name] for name in _TYPES[type_]}
        new = RsaKeyPairCredentialsProvider
        return Provider(told, new, sts_endpoint=credentials.sts_host, **given)
    found = {field: section.get(name) for field, name in _IN_SECTION.items()}
    return _of_fields(_MODE_OF[type_], found, told, credentials.sts_host)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # there is no home
        return Path(text)


def _text_of(name: str, told: str) -> str:
    file = _path(name)
    try:
        # A pipe would be waited for. These two never raise, as those of a path do.
        if os.path.exists(file) and not os.path.isfile(file):  # noqa: PTH110, PTH113
            raise UnusableError(f"{told}: it is no file")
        with file.open(encoding="utf-8-sig") as opened:
            text = opened.read(_MOST_SIGNS + 1)
    except FileNotFoundError:
        raise UnusableError(f"{told}: the file does not exist", absent=True) from None
    except (OSError, ValueError) as error:
        raise UnusableError(f"{told}: {_kind(error)}") from None
    if len(text) > _MOST_SIGNS:
        raise UnusableError(f"{told}: the file is too large")
    return text


def _kind(error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "a file that it needs does not exist"
        case PermissionError():
            return "the file may not be read"
        case UnicodeError():
            return "the file is not UTF-8"
    return "the file cannot be read"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was raised over."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
