"""Where the commands call, and as whom: three options, and the provider's own environment."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import Any

import click

from pulumi_adbpg_model.domain import is_id_part
from pulumi_adbpg_model.identity import Profile
from pulumi_adbpg_model.settings import Settings, is_region, parse_endpoint

__all__ = [
    "check_region",
    "instance_id",
    "instance_ids",
    "instance_option",
    "instances_option",
    "json_option",
    "resolve",
    "settings_options",
    "with_settings",
]


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
        "--region", callback=check_region, help="Region id; default: from the environment."
    ),
    click.option(
        "--endpoint",
        callback=_endpoint,
        help="Address that replaces the region's own; default: ADBPG_ENDPOINT.",
    ),
    click.option(
        "--profile",
        help="Profile of the Alibaba Cloud CLI (~/.aliyun/config.json); "
        "default: the credentials in the environment.",
    ),
)

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


def resolve(region: str | None, endpoint: str | None, profile: str | None) -> Settings:
    """
    The settings that the options and the environment make, as the provider resolves them.

    Raises:
        ConfigurationError: A value is malformed, or neither region nor endpoint is set.
    """
    given = {"adbpg:region": region, "adbpg:endpoint": endpoint, "adbpg:profile": profile}
    settings = Settings.resolve(given.get, os.environ)
    if profile:  # named as it was given: there is no configuration here
        return dataclasses.replace(settings, credentials=Profile("--profile", profile))
    return settings


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --region, --endpoint, --profile as one argument `settings`."""

    @functools.wraps(command)
    def run(
        *args: Any, region: str | None, endpoint: str | None, profile: str | None, **kwargs: Any
    ) -> Any:
        return command(*args, settings=resolve(region, endpoint, profile), **kwargs)

    return settings_options(run)


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --region, --endpoint, --profile as they are."""
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), command)
