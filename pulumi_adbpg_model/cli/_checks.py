"""
What works here and what does not: the tools, the settings, the clock, the permissions.

Every check gives findings, and none raises. Nothing is changed anywhere, and no finding holds a
secret.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pulumi_adbpg_model import host
from pulumi_adbpg_model.cli._host_check import probe_host
from pulumi_adbpg_model.cli._permissions import ACTIONS
from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId, Phase
from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    ApiError,
    InstanceNotFoundError,
    NotFoundError,
    RenewalError,
    ServerError,
    ThrottledError,
)
from pulumi_adbpg_model.fields import same_model_name
from pulumi_adbpg_model.gateway import Gateway, RetryPolicy, endpoint_of, time_ahead_s
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.settings.identity import CLI_FILE, INI_FILE, DefaultChain

OK, WARNING, PROBLEM, UNTRIED = "ok", "warning", "problem", "not tried"

_PACKAGES = (
    "pulumi-adbpg-model",
    "pulumi",
    "alibabacloud-tea-openapi",
    "alibabacloud-credentials",
    "darabonba-core",
)
_CLI_TIMEOUT_S = 20.0
#: The first CLI that takes what `import-file` writes.
_IMPORTING_CLI = (3, 254)
_INSTALL_CLI = "install it, see https://www.pulumi.com/docs/install/, and put it on the PATH"
#: What is missed without each part of `host.HostFeatures`.
_FEATURES = {
    "calls": ("services can be created", "no service can be created"),
    "workers": ("more than four services at once", "four are worked on at once"),
    "cancel": ("Ctrl-C ends a wait at once", "Ctrl-C waits for the end of the operation"),
    "watch": ("a killed CLI ends the provider", "after a kill of the CLI, end the host by hand"),
    "clean_errors": ("errors are one line", "errors come with a traceback"),
    "progress": ("a wait shows in its row", "only lasting lines are shown"),
}
_OTHER_SDK = (
    "install a newer pulumi-adbpg-model, or the Python package "
    f"'pulumi>={host.WORKING_SDKS[0]},<={host.WORKING_SDKS[1]}'"
)
#: Take Pulumi's own connections too, on this machine, unless no_proxy exempts them.
_GRPC_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
#: The cloud refuses what is signed with more difference.
_SKEW_LIMIT_S = 15 * 60
_SKEW_WARNING_S = 60
#: Of the one answer that is asked for; retries are for passing trouble, which a doctor is to see.
_POLICY = RetryPolicy(attempts=2, seconds=10.0)
_READ_TIMEOUT_S = 5.0
#: Refusals with status 403 that no permission helps against.
_NO_GRANT_HELPS = frozenset(
    ("Forbidden.RiskControl", "InvalidAccessKeyId.Inactive", "RealNameAuthenticationError")
)
#: Names no service; that it is not found shows that looking is allowed.
_NO_SERVICE = "ms-000000000000"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    status: str
    what: str
    text: str
    #: What to do about it, in one line; empty when there is nothing to do.
    fix: str = ""


def diagnose_tools() -> Iterator[Finding]:
    """Python, packages, the Pulumi CLI, and what takes hold in the provider host."""
    yield Finding(OK, "Python", platform.python_version())
    for name in _PACKAGES:
        try:
            yield Finding(OK, name, version(name))
        except PackageNotFoundError:
            yield Finding(WARNING, name, "is not installed as a package", f"pip install {name}")
    yield _cli()
    try:
        features = dataclasses.asdict(probe_host())
    except (OSError, RuntimeError) as error:
        fix = "look what `python -m pulumi.dynamic 127.0.0.1:9` says, with this Python"
        if any(map(os.environ.get, _GRPC_PROXIES)):
            fix = "add 127.0.0.1 to no_proxy: Pulumi's connections on this machine need no proxy"
        told = "cannot be started" if isinstance(error, OSError) else str(error)
        yield Finding(PROBLEM, "provider host", told, fix)
        return
    for name, (gain, loss) in _FEATURES.items():
        what = f"host: {name.replace('_', ' ')}"
        if features[name]:
            yield Finding(OK, what, gain)
        else:
            status = PROBLEM if name == "calls" else WARNING
            yield Finding(status, what, f"not active with this SDK: {loss}", _OTHER_SDK)


def diagnose_cloud(settings: Settings, clock: Clock, instance: str | None) -> Iterator[Finding]:
    """
    Endpoint, clock, credentials, and every action that can be tried without changing anything.

    Args:
        settings: Whom to call and as whom; a region or an endpoint is set.
        clock: Bounds the calls.
        instance: Id of an instance to look at; None: only what needs none is tried.
    """
    yield Finding(OK, "endpoint", endpoint_of(settings))
    yield Finding(OK, "region", settings.region or "none, the endpoint stands alone")
    yield _skew(settings, clock)
    gateway = Gateway(settings, clock, _POLICY, read_timeout_s=_READ_TIMEOUT_S)
    yield from _passed_over(settings)
    try:
        yield Finding(OK, "credentials", f"from {gateway.find_credentials()}")
    except AdbpgModelError as error:
        fix = "mend what is named"
        if isinstance(settings.credentials, DefaultChain):
            fix = "set ALIBABA_CLOUD_ACCESS_KEY_ID and …_ACCESS_KEY_SECRET, or --profile"
        yield Finding(PROBLEM, "credentials", str(error), fix)
        return
    yield _account(gateway)
    models: list[str] = []
    live = _tried("ListSupportModels", lambda: _models(gateway, clock, models))
    yield live
    if live.status != OK and "(code=" not in live.text:
        return  # nobody answers, so every other call would wait in vain
    yield from _permissions(gateway, instance, models)


def _passed_over(settings: Settings) -> Iterator[Finding]:
    others = list(settings.passed_over)
    if not isinstance(settings.credentials, DefaultChain):
        # Without access to it, those of a path raise.
        there = [file for file in (CLI_FILE, INI_FILE) if os.path.isfile(os.path.expanduser(file))]  # noqa: PTH111, PTH113
        others += there
    if others:
        text = f"{', '.join(others)}: {settings.credentials.source} comes first in the order"
        yield Finding(OK, "set, but not used", text)


def _account(gateway: Gateway) -> Finding:
    try:
        caller = gateway.find_caller()
    except AdbpgModelError as error:
        reason, details = getattr(error, "reason", str(error)), getattr(error, "details", "")
        if isinstance(error, AccessError):  # it was reached, and does not take the credentials
            fix = error.hint
        elif isinstance(error, (ApiError, RenewalError)):
            fix = f"{error.hint.rstrip('.')}; nothing else here needs the account"
        else:
            fix = "let sts.aliyuncs.com be reached to see it; nothing else here needs that"
        return Finding(UNTRIED, "account", f"not known: {reason}{details}", fix)
    return Finding(OK, "account", caller.account_id + (f", as {caller.arn}" if caller.arn else ""))


def _cli() -> Finding:
    path = shutil.which("pulumi")
    if path is None:
        return Finding(PROBLEM, "Pulumi CLI", "not found on the PATH", _INSTALL_CLI)
    try:
        done = subprocess.run(  # noqa: S603 - the user's own CLI
            [path, "version"], capture_output=True, text=True, timeout=_CLI_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return Finding(PROBLEM, "Pulumi CLI", f"{path} does not run", _INSTALL_CLI)
    told = " ".join(done.stdout.split())
    numbers = re.match(r"v?(\d+)\.(\d+)", told)
    if numbers is None:
        return Finding(WARNING, "Pulumi CLI", f"{path} tells no version", _INSTALL_CLI)
    if tuple(map(int, numbers.groups())) < _IMPORTING_CLI:
        text = f"{told}, too old for what import-file writes"
        return Finding(WARNING, "Pulumi CLI", text, "install 3.254 or newer")
    return Finding(OK, "Pulumi CLI", f"{told}, {path}")


def _skew(settings: Settings, clock: Clock) -> Finding:
    ahead_s = time_ahead_s(settings, clock, timeout_s=_READ_TIMEOUT_S)
    if ahead_s is None:
        fix = "check the region, the endpoint, the network and the proxy settings"
        return Finding(WARNING, "clock", "the endpoint does not tell the time", fix)
    if abs(ahead_s) <= _SKEW_WARNING_S:
        return Finding(OK, "clock", "agrees with the endpoint's, within a minute")
    side = "ahead of" if ahead_s > 0 else "behind"
    text = f"{abs(ahead_s):.0f} s {side} the endpoint's; the cloud accepts {_SKEW_LIMIT_S} s"
    status = PROBLEM if abs(ahead_s) > _SKEW_LIMIT_S else WARNING
    return Finding(status, "clock", text, "set this machine's clock right, with NTP")


def _permissions(
    gateway: Gateway, instance: str | None, models: Sequence[str]
) -> Iterator[Finding]:
    if instance is None:
        names = [one.name for one in ACTIONS if not one.writes and one.name != "ListSupportModels"]
        text = f"{', '.join(names)} need an instance"
        yield Finding(UNTRIED, "other reading actions", text, "give --instance")
    else:
        services: list[ModelServiceDetails] = []
        yield _tried("ListModelServices", lambda: _services(gateway, instance, services))
        yield from _models_in_use(services, models)
        yield _tried("ListAINodePools", lambda: _nodes(gateway, instance))
        made_up = ModelServiceId(instance, _NO_SERVICE)

        def describe() -> str:
            gateway.describe_model_service(made_up)
            return "permitted"

        yield _tried("DescribeModelService", describe, refusal_is_fine=True)
    writing = ", ".join(one.name for one in ACTIONS if one.writes)
    fix = "compare the RAM policy with what `pulumi-adbpg-model policy` prints"
    yield Finding(UNTRIED, "writing actions", f"{writing} would change something", fix)


def _tried(action: str, call: Callable[[], str], *, refusal_is_fine: bool = False) -> Finding:
    try:
        return Finding(OK, action, call())
    except AccessError as error:
        if error.status == 403 and error.code not in _NO_GRANT_HELPS:
            fix = f"grant gpdb:{action}, see `pulumi-adbpg-model policy`"
        else:
            fix = error.hint
        return Finding(PROBLEM, action, f"{error.reason}{error.details}", fix)
    except ApiError as error:
        if refusal_is_fine and not isinstance(
            error, (InstanceNotFoundError, ServerError, ThrottledError)
        ):
            if isinstance(error, NotFoundError):
                return Finding(OK, action, "permitted: a service that does not exist is not found")
            # The code for that is in no document, so the reader judges.
            text = f"permitted: for a service that does not exist, {error.reason}{error.details}"
            return Finding(OK, action, text)
        return Finding(PROBLEM, action, f"{error.reason}{error.details}", error.hint)
    except AdbpgModelError as error:
        reason, hint = getattr(error, "reason", str(error)), getattr(error, "hint", "")
        return Finding(PROBLEM, action, reason, hint)


def _models_in_use(
    services: Sequence[ModelServiceDetails], models: Sequence[str]
) -> Iterator[Finding]:
    """Whether each service could be made again; nothing where either list is not to be had."""
    there = [one for one in services if one.model_name and one.phase is not Phase.LEAVING]
    if not models or not there:
        return
    unlisted: dict[str, list[str]] = {}
    for one in there:
        name = one.model_name or ""
        if not any(same_model_name(name, listed) for listed in models):
            unlisted.setdefault(name, []).append(str(one.id))
    if not unlisted:
        yield Finding(OK, "models in use", "ListSupportModels lists each of them")
        return
    told = [f"{name!r} ({', '.join(ids)})" for name, ids in sorted(unlisted.items())]
    yield Finding(
        WARNING,
        "models in use",
        f"ListSupportModels does not list {', '.join(told)}: what runs, runs on, but cannot be "
        "created again once it is deleted",
        "change nothing that replaces these services before a listed model can do their work, see "
        "`pulumi-adbpg-model models`",
    )


def _models(gateway: Gateway, clock: Clock, models: list[str]) -> str:
    started = clock.monotonic()
    models += gateway.list_supported_models()
    return f"permitted: {len(models)} models, in {clock.monotonic() - started:.1f} s"


def _services(gateway: Gateway, instance: str, services: list[ModelServiceDetails]) -> str:
    services += gateway.list_model_services(instance)
    return f"permitted: {len(services)} services in {instance}"


def _nodes(gateway: Gateway, instance: str) -> str:
    nodes = gateway.list_ai_nodes(instance)
    free = sum(not node.bound for node in nodes)
    return f"permitted: {len(nodes)} nodes in {instance}, {free} of them free"
