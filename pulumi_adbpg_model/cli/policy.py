"""`policy`: the RAM policy that the package needs."""

from __future__ import annotations

import click

from pulumi_adbpg_model.cli import _permissions
from pulumi_adbpg_model.cli._cloud import check_region, instance_ids
from pulumi_adbpg_model.cli._output import print_json
from pulumi_adbpg_model.cli._streams import say

#: Reading is not harmless here: the answers of both actions hold the keys, and nothing grants them
#: without.
_WHO_READS_KEYS = (
    "Whoever may describe or list model services can read their API keys: "
    "gpdb:DescribeModelService and gpdb:ListModelServices answer with them. The managed policy "
    "AliyunGPDBReadOnlyAccess allows both (gpdb:Describe*, gpdb:List* on *)."
)


def _account(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _permissions.is_account_id(value):
        raise click.BadParameter(f"must be the number of an account, got {value!r}")
    return value


@click.command()
@click.option(
    "--instance",
    "instances",
    multiple=True,
    metavar="ID",
    callback=instance_ids,
    help="Id of an instance; may be repeated. Default: every instance.",
)
@click.option(
    "--read-only",
    is_flag=True,
    help="Only what preview, refresh, get and the commands here need: nothing that changes "
    "anything. It lets API keys be read all the same.",
)
@click.option(
    "--account-id",
    metavar="NUMBER",
    callback=_account,
    help="Id of the account; default: the one that the policy is made in.",
)
@click.option(
    "--region",
    callback=check_region,
    help="Region id, for ListModelServices: the other actions know none. Default: every region.",
)
def policy(
    instances: list[str], *, read_only: bool, account_id: str | None, region: str | None
) -> None:
    """
    Print the smallest RAM policy for what the package calls, as JSON.

    It needs no credentials. ModifySecurityIps, which sets a whitelist of the instance, is called
    for services with a security_ip_group alone: without such, take it out of the policy.

    DescribeModelService and ListModelServices answer with the API key of each service, so whoever
    has this policy can read the keys, with --read-only too. The managed policy
    AliyunGPDBReadOnlyAccess grants both for every instance.
    """
    if read_only:
        say(_WHO_READS_KEYS, err=True)
    print_json(
        _permissions.policy(instances, read_only=read_only, account_id=account_id, region=region)
    )
