"""
What the provider's process does for each of Pulumi's calls: property bags in, results out.

A module of its own for the sake of programs, which import `provider` too and need none of this.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)
from pulumi.output import Unknown

from pulumi_adbpg_model import host, lifecycle, state
from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.diffing import compare, keep_spelling
from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import ConfigurationError, OperationError
from pulumi_adbpg_model.preflight import Preflight
from pulumi_adbpg_model.settings import Settings, is_region
from pulumi_adbpg_model.validation import parse_duration, validate

__all__ = ["DEFAULT_TIMEOUTS", "Process", "diff"]

Properties = dict[str, Any]

#: Durations as `opts.custom_timeouts` takes them; the defaults of the documentation.
DEFAULT_TIMEOUTS = {"create": "60m", "update": "10m", "delete": "20m", "read": "5m"}


def diff(id_: str, olds: Properties, news: Properties) -> DiffResult:
    """
    Tell what a change means.

    Where inputs differ, `changes` is left to the engine: it compares them itself, which gives
    it the changed keys that `replace_on_changes` and the display need. Not so where the status
    alone asks for an update: the engine, which knows inputs only, might find nothing to do.
    """
    change = compare(olds, news, _is_unknown)
    forced = change.resume or "status" in change.replaces
    changes = True if forced else (None if change.changed else False)
    if forced:
        then = "goes on waiting for it" if change.resume else "replaces it"
        host.EngineLog(_known(news.get(state.URN))).note(
            f"{id_} is {olds.get('status')!r}: `pulumi up` {then}"
        )
    return DiffResult(changes=changes, replaces=list(change.replaces), delete_before_replace=True)


class Process:
    """What all operations of one provider process share."""

    def __init__(
        self,
        config: Any,
        clock: SystemClock,
        new_gateway: Callable[[Settings, SystemClock], lifecycle.ModelServiceApi],
    ) -> None:
        self._config = config
        # Neither configuration nor environment changes while the process lives.
        self._settings = functools.cache(self._resolve)
        self._clock = clock
        self._new_gateway = new_gateway
        self._lock = threading.Lock()
        self._gateways: dict[Settings, lifecycle.ModelServiceApi] = {}
        self._deleted_here: set[ModelServiceId] = set()
        self._next_tokens: dict[str, str] = {}
        self._looks = lifecycle.SharedLooks()
        self._preflight = Preflight(clock, os.environ, self._deleted_here)

    def prepare_host(self) -> None:
        """Mend the host of this process."""
        try:
            parallel = self._settings(None, region_required=False).parallel
        except ConfigurationError:
            parallel = Settings.parallel
        host.prepare(parallel, self._clock.cancel.set)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Validate inputs and configuration, reporting all that is wrong at once."""
        inputs = {
            name: state.whole_numbers(value) for name, value in news.items() if value is not None
        }
        if inputs.get("security_ip_list") == []:  # empty means unset: the cloud's own list applies
            del inputs["security_ip_list"]
        failures = [
            CheckFailure(failure.property, failure.reason)
            for failure in validate(inputs, _is_unknown)
        ]
        region = news.get("region_id")
        usable = isinstance(region, str) and is_region(region)
        try:
            settings = self._settings(
                str(region) if usable else None, region_required=region is None
            )
        except ConfigurationError as error:
            failures.append(CheckFailure("", str(error)))
        if not failures:
            inputs = keep_spelling(olds, inputs)
            self._preflight.tell(settings, olds, inputs)
        return CheckResult(inputs, failures)

    def create(self, props: Properties) -> CreateResult:
        """Create the service, or take one over; returns its state active or not."""
        spec = state.spec_from(props)
        operation = self._operation(props, "create")
        region = self._region(props)
        adopted = props.get(state.ADOPT)
        token = props.get("client_token") or lifecycle.first_token(
            props.get(state.ORGANIZATION) or "", props.get(state.URN) or "", region, spec
        )
        created = lifecycle.create_or_adopt(
            operation,
            spec,
            token,
            ModelServiceId.parse(adopted) if adopted else None,
            wait_for_active=state.waits(props),
        )
        tokens = created.tokens and [created.tokens.first, created.tokens.last]
        outs = state.outputs(
            {**props, state.TOKENS: tokens},
            created.id,
            created.outcome.details,
            region=region,
            reason=created.outcome.reason,
            request_id=created.request_id,
            written=time.time(),
        )
        return CreateResult(str(created.id), outs)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the live service, for refresh and `.get`. Gone needs proof."""
        service = _parse(id_)
        operation = self._operation(props, "read")
        is_get = "model_service_id" not in props
        if is_get:
            details = lifecycle.look(operation, service)
        else:
            seen = state.last_seen(props, service) is not None
            details = lifecycle.read(operation, service, seen=seen)
        if details is None and is_get:
            raise OperationError(
                f"get of model service {service} failed: instance {service.db_instance_id} has no "
                "such service. Correct the id, or declare the service to create it."
            )
        if details is None:
            return ReadResult("", {})
        if not is_get and "security_ip_list" not in state.declared_names(props):
            lifecycle.warn_of_open_whitelist(operation, details)
        outs = state.outputs(
            props,
            service,
            details,
            region=self._region(props),
            reason=details.why_not_active,
            request_id=props.get("request_id"),
            declared=state.declared_names(props),
            live_wins=True,
        )
        return ReadResult(id_, outs, None if is_get else state.declared_inputs(outs))

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Change the whitelist, go on waiting, and record settings, as far as each is needed."""
        service = _parse(id_)
        change = compare(olds, news, _is_unknown)
        kind = "resume" if change.resume else "update"
        operation = self._operation({**news, "region_id": olds.get("region_id")}, kind)
        whitelist = None
        if "security_ip_list" in change.changed:
            whitelist = lifecycle.WhitelistChange(
                news["security_ip_group"], news["security_ip_list"]
            )
        updated = lifecycle.update(
            operation,
            service,
            state.spec_from(news),
            unfinished=change.resume,
            wait_for_active=state.waits(news),
            last=state.last_seen(olds, service),
            whitelist=whitelist,
        )
        kept = (state.TOKENS, "create_time", "private_connect_url", "api_key")
        inputs = {**news, **{name: olds.get(name) for name in kept}}
        if whitelist is not None and not updated.whitelist_changed:
            inputs["security_ip_list"] = olds.get("security_ip_list")
        outs = state.outputs(
            inputs,
            service,
            updated.details,
            region=olds.get("region_id"),
            reason=updated.reason,
            request_id=olds.get("request_id"),
            written=time.time(),
        )
        return UpdateResult(outs)

    def delete(self, id_: str, props: Properties) -> None:
        """Delete the service and wait until it is gone."""
        service = _parse(id_)
        seen = state.last_seen(props, service) is not None
        tokens = lifecycle.TokenChain(*props[state.TOKENS]) if state.TOKENS in props else None
        operation = self._operation(props, "delete")
        lifecycle.delete(operation, service, seen=seen, tokens=tokens)

    def _resolve(self, region_id: str | None, *, region_required: bool = True) -> Settings:
        return Settings.resolve(
            self._config, os.environ, region_id, region_required=region_required
        )

    def _region(self, props: Mapping[str, Any]) -> str | None:
        return self._settings(props.get("region_id")).region

    def _operation(self, props: Mapping[str, Any], kind: str) -> lifecycle.Operation:
        settings = self._settings(props.get("region_id"))
        limit_s = parse_duration(_timeout(props.get(state.TIMEOUTS) or {}, kind))
        return lifecycle.Operation(
            api=self._gateway(settings),
            clock=self._clock,
            deadline=lifecycle.Deadline.after(self._clock, limit_s),
            report=host.EngineLog(props.get(state.URN)),
            max_poll_interval_s=settings.max_poll_interval_s,
            deleted_here=self._deleted_here,
            next_tokens=self._next_tokens,
            looks=self._looks,
        )

    def _gateway(self, settings: Settings) -> lifecycle.ModelServiceApi:
        with self._lock:
            if settings not in self._gateways:
                self._gateways[settings] = self._new_gateway(settings, self._clock)
            return self._gateways[settings]


def _timeout(timeouts: Mapping[str, str | None], kind: str) -> str:
    given = timeouts.get(kind)
    if given:
        return given
    if kind != "resume":
        return DEFAULT_TIMEOUTS[kind]
    # An update that goes on with a creation may take as long, unless it has a limit of its own.
    create = timeouts.get("create") or DEFAULT_TIMEOUTS["create"]
    return timeouts.get("update") or max(create, DEFAULT_TIMEOUTS["update"], key=parse_duration)


def _parse(id_: str) -> ModelServiceId:
    try:
        return ModelServiceId.parse(id_)
    except ValueError as error:
        raise OperationError(f"the id {error}") from None


def _known(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _is_unknown(value: object) -> bool:
    return isinstance(value, Unknown)
