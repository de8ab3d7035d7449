"""Where the commands call, and as whom: options, the stack's configuration, the environment."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import Any

import click

from pulumi_adbpg_model.cli._given import TEXT
from pulumi_adbpg_model.cli._stack import NO_CONFIGURATION, Configuration, read_configuration
from pulumi_adbpg_model.cli._streams import say
from pulumi_adbpg_model.domain import printable
from pulumi_adbpg_model.errors import ConfigurationError
from pulumi_adbpg_model.fields import is_id_part, is_region
from pulumi_adbpg_model.settings import Settings, parse_endpoint
from pulumi_adbpg_model.settings.identity import Profile


def check_region(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    """Callback of an option that names a region."""
    if value is not None and not is_region(value):
        raise click.BadParameter(f"must be a region id such as cn-hangzhou, got {value!r}")
    return value


def _endpoint(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is not None:
        try:
            parse_endpoint(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}, got {value.rpartition('@')[2]!r}") from None
    return value


def instance_id(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    """Callback of an option that names an instance."""
    if value is not None and not is_id_part(value):
        raise click.BadParameter(
            f"must be an instance id such as gp-abc, without spaces and colons, got {value!r}"
        )
    return value


def instance_ids(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> list[str]:
    """Callback of an option that may be repeated: ids of instances, each once."""
    for text in value:
        instance_id(context, parameter, text)
    return list(dict.fromkeys(value))


_OPTIONS = (
    click.option(
        "--region",
        callback=check_region,
        help="Region id; default: from the stack's configuration, then the environment.",
    ),
    click.option(
        "--endpoint",
        callback=_endpoint,
        help="Address that replaces the region's own; default: config adbpg:endpoint, then "
        "ADBPG_ENDPOINT.",
    ),
    click.option(
        "--profile",
        type=TEXT,
        help="Profile of the Alibaba Cloud CLI (~/.aliyun/config.json); default: the credentials "
        "in the stack's configuration, then the environment.",
    ),
    click.option(
        "--stack",
        type=TEXT,
        help="Stack whose configuration is used; default: in a folder of a Pulumi project, the "
        "selected one.",
    ),
    click.option("--no-stack", is_flag=True, help="Use the configuration of no stack."),
)
#: What `--profile`, which stands for `adbpg:profile`, goes before all the same.
_OWN_KEY = ("adbpg:accessKey", "adbpg:secretKey", "adbpg:securityToken")

instance_option = click.option(
    "--instance",
    required=True,
    metavar="ID",
    callback=instance_id,
    help="Id of the instance, such as gp-abc.",
)
instances_option = click.option(
    "--instance",
    "instances",
    required=True,
    multiple=True,
    metavar="ID",
    callback=instance_ids,
    help="Id of an instance, such as gp-abc; may be repeated.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@dataclasses.dataclass(frozen=True)
class Place:
    """The options that say where to call, and as whom, as they were given."""

    region: str | None
    endpoint: str | None
    profile: str | None
    stack: str | None
    no_stack: bool

    def configuration(self) -> Configuration:
        """
        What the configuration of the stack says.

        Raises:
            UnreadableError: It cannot be read.
            click.UsageError: Two options contradict each other.
        """
        if not self.no_stack:
            return read_configuration(self.stack)
        if self.stack is not None:
            raise click.UsageError("--stack and --no-stack exclude each other")
        return NO_CONFIGURATION

    def resolve(self, configuration: Configuration) -> Settings:
        """
        The settings that all of it makes with the environment, as the provider resolves them.

        Raises:
            ConfigurationError: A value is malformed, or neither region nor endpoint is set.
        """
        values = configuration.values
        if self.profile is not None:
            values = {key: value for key, value in values.items() if key not in _OWN_KEY}
        options = {
            "adbpg:region": self.region,
            "adbpg:endpoint": self.endpoint,
            "adbpg:profile": self.profile,
        }
        given = {key: value for key, value in options.items() if value is not None}
        try:
            settings = Settings.resolve({**values, **given}.get, os.environ)
        except ConfigurationError as error:
            raise ConfigurationError(configuration.hide(str(error))) from None
        if isinstance(settings.credentials, Profile) and self.profile is not None:
            named = dataclasses.replace(settings.credentials, source="--profile")
            return dataclasses.replace(settings, credentials=named)
        return settings


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where to call, and as whom, as one argument `place`."""

    @functools.wraps(command)
    def run(
        *args: Any,
        region: str | None,
        endpoint: str | None,
        profile: str | None,
        stack: str | None,
        no_stack: bool,
        **kwargs: Any,
    ) -> Any:
        place = Place(region, endpoint, profile, stack, no_stack)
        return command(*args, place=place, **kwargs)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), run)


def _say(note: str) -> None:
    say(printable(note), err=True)


def with_settings(
    command: Callable[..., Any], say: Callable[[str], None] = _say
) -> Callable[..., Any]:
    """
    Give a command the settings that its options, the stack and the environment make, as `settings`.

    Args:
        command: The command.
        say: Takes the line that says whose configuration is used.
    """

    @functools.wraps(command)
    def run(*args: Any, place: Place, **kwargs: Any) -> Any:
        configuration = place.configuration()
        if configuration.note:
            say(configuration.note)
        return command(*args, settings=place.resolve(configuration), **kwargs)

    return place_options(run)
