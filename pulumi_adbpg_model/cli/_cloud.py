"""Where the commands call, and as whom: three options, and the provider's own environment."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from pulumi_adbpg_model.settings import Settings, is_region, parse_endpoint

__all__ = ["instance_option", "json_option", "resolve", "with_settings"]


def _region(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
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


_OPTIONS = (
    click.option("--region", callback=_region, help="Region id; default: from the environment."),
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
    "--instance", required=True, metavar="ID", help="Id of the instance, such as gp-abc."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def resolve(region: str | None, endpoint: str | None, profile: str | None) -> Settings:
    """
    The settings that the options and the environment make, as the provider resolves them.

    Raises:
        ConfigurationError: A value is malformed, or neither region nor endpoint is set.
    """
    given = {"adbpg:region": region, "adbpg:endpoint": endpoint, "adbpg:profile": profile}
    return Settings.resolve(given.get, os.environ)


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --region, --endpoint, --profile as one argument `settings`."""

    @functools.wraps(command)
    def run(
        *args: Any, region: str | None, endpoint: str | None, profile: str | None, **kwargs: Any
    ) -> Any:
        return command(*args, settings=resolve(region, endpoint, profile), **kwargs)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), run)
