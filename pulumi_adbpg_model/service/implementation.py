"""
What the provider's process does for each of Pulumi's calls: property bags in, results out.

A module of its own for the sake of programs, which import `provider` too and need none of this.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, TypeVar, cast

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)
from pulumi.output import UNKNOWN as PULUMI_UNKNOWN
from pulumi.output import Unknown

from pulumi_adbpg_model import host, lifecycle, tracing
from pulumi_adbpg_model.clock import Deadline, SystemClock
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import (
    AdbpgModelError,
    ConfigurationError,
    OperationError,
    text_of,
)
from pulumi_adbpg_model.fields import UNKNOWN, is_region, whole_numbers
from pulumi_adbpg_model.service import state
from pulumi_adbpg_model.service.comparison import (
    compare,
    holds_unknown,
    keep_spelling,
    rests_on_status,
    with_status,
)
from pulumi_adbpg_model.service.owners import Owners
from pulumi_adbpg_model.service.preflight import Preflight
from pulumi_adbpg_model.service.redaction import SecretValues
from pulumi_adbpg_model.service.stack import StackState
from pulumi_adbpg_model.service.unfinished import (
    how_to_give_up,
    how_to_remove,
    on_target,
    other_import,
    unfinished,
    what_up_does,
    why_unfinished,
)
from pulumi_adbpg_model.service.validation import validate
from pulumi_adbpg_model.settings import Settings

Properties = dict[str, Any]
NewGateway = Callable[[Settings, SystemClock, Callable[[str], str]], lifecycle.ModelServiceApi]
_Call = TypeVar("_Call", bound=Callable[..., Any])

#: In seconds, where `opts.custom_timeouts` do not say otherwise.
DEFAULT_TIMEOUTS_S = {"create": 3600.0, "update": 600.0, "delete": 1200.0, "read": 300.0}
#: An update that finishes a creation may take as long as one.
_DEFAULTS_S = {**DEFAULT_TIMEOUTS_S, "resume": DEFAULT_TIMEOUTS_S["create"]}
#: Of the run, and what earlier releases stored: `ignore_changes` may bring that from old inputs.
_NOT_STORED = (state.NUMBER, *state.FORMER)
#: After so many tries of a create, or of an update, the engine stores a resource without an id or
#: without outputs.
_MOST_TRIES = 100
#: For a look at a service before a preview says that it is replaced.
_GLANCE_S = 5.0
#: The SDK's: the serialised provider, in every bag.
_PROVIDER = "__provider"


def _from_the_engine(call: _Call) -> _Call:
    """
    Hand a call of the engine its property bags in plain values: whole numbers and `UNKNOWN`.

    And let it fail without the secret values in them. It is a span of the engine's trace.
    """
    name = f"ModelService.{call.__name__}"

    @functools.wraps(call)
    def plain(this: Implementation, *args: Any) -> Any:
        given = [whole_numbers(_exchanged(one, Unknown, UNKNOWN)) for one in args]
        bags = [one for one in given if isinstance(one, Mapping)]
        names = _secret_names(*bags)
        for bag in bags:
            this.secrets.learn(bag, names)
        with tracing.operation(name, _trace_headers) as span:
            span.set("adbpg.action", call.__name__)
            try:
                result = call(this, *given)
            except AdbpgModelError as error:
                raise this.secrets.hide_in_error(error) from None
            if isinstance(result, CheckResult) and result.failures:
                span.set("error.type", "CheckFailure")
            return result

    return cast("_Call", plain)


class Implementation:
    """What all operations of one provider process share."""

    def __init__(
        self,
        config: Any,
        clock: SystemClock,
        new_gateway: NewGateway,
        export_stack: Callable[[str, str], str | None],
    ) -> None:
        # Neither configuration nor environment changes while the process lives.
        self._settings = functools.cache(functools.partial(Settings.resolve, config, os.environ))
        self._clock = clock
        self._began_s = clock.monotonic()
        #: Instances with a service that could not be looked at.
        self._out_of_reach: set[str] = set()
        self._new_gateway = new_gateway
        self.secrets = SecretValues()
        self._lock = threading.Lock()
        self._gateways: dict[Settings, lifecycle.ModelServiceApi] = {}
        self._memory = lifecycle.Memory()
        self._stack = StackState(clock, export_stack)
        self._owners = Owners(clock, self._stack.services)
        self._preflight = Preflight(clock, self._owners, self._memory.deleted, new_report=self._row)
        # By URN, because a program may have what fails tried again, with an `on_error` hook.
        self._created: dict[str, lifecycle.Created] = {}
        self._kept: dict[str, tuple[str, Properties]] = {}
        self._tries: Counter[str] = Counter()

    def prepare_host(self) -> None:
        """Patch the host of this process, as `host.prepare` says."""
        try:
            parallel = self._settings(None, region_required=False).parallel
        except ConfigurationError:
            parallel = Settings.parallel
        host.prepare(parallel, self._clock.cancel.set)
        refused = host.trace(os.environ, self.secrets.hide_all)
        if refused:
            self._row(None).note(refused)

    @_from_the_engine
    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Validate inputs and configuration, reporting all that is wrong at once."""
        inputs = {
            name: value
            for name, value in news.items()
            if value is not None and name not in _NOT_STORED
        }
        if inputs.get("security_ip_list") == []:  # empty means unset: the cloud's own list applies
            del inputs["security_ip_list"]
        failures = [
            CheckFailure(failure.property, failure.reason)
            for failure in validate(inputs, _secret_names(olds, news))
        ]
        region = news.get("region_id")
        usable = isinstance(region, str) and is_region(region)
        try:
            settings = self._settings(region if usable else None, region_required=region is None)
        except ConfigurationError as error:
            failures.append(CheckFailure("", self.secrets.hide(str(error))))
        call = host.current_call()
        urn = call.urn if call else ""
        creating = all(state.is_hidden(name) for name in olds)
        if creating and call is None:
            failures.append(CheckFailure("", _no_call()))
        if urn:
            self._stack.is_of(news.get(state.ORGANIZATION) or "", urn)
            impossible = self._owners.declare(urn, olds, inputs, news.get(state.NUMBER))
            failures += [CheckFailure("", self.secrets.hide(reason)) for reason in impossible]
        if not failures:
            inputs = keep_spelling(olds, inputs)
        if urn and not failures:
            self._preflight.tell(settings, urn, inputs)
        return CheckResult(_exchanged(inputs, type(UNKNOWN), PULUMI_UNKNOWN), failures)

    @_from_the_engine
    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        """
        Tell what a change means.

        Where inputs differ, `changes` is left to the engine: it compares them itself, which gives
        it the changed keys that `replace_on_changes` and the display need. Not so where the status
        alone asks for an update: the engine, which knows inputs only, might find nothing to do.
        """
        service, urn = _parse(id_), _call().urn
        self._stack.knows(service)
        self._owners.own(urn, service)
        if holds_unknown(news):
            self._owners.foresee(urn, news)
        self._preflight.tell_more()
        self._refuse_other_import(urn, service, olds, news)
        change = compare(olds, news)
        found = self._status_now(urn, service, olds) if rests_on_status(change, olds) else None
        now = with_status(change, olds, found)
        forced = now.resume or "status" in (*change.replaces, *now.replaces)
        if forced:
            self._row(urn).note(what_up_does(service, olds, found, replaces=bool(now.replaces)))
        changes = True if forced else (None if change.changed else False)
        return DiffResult(changes=changes, replaces=[*now.replaces], delete_before_replace=True)

    def _status_now(self, urn: str, service: ModelServiceId, olds: Properties) -> str | None:
        """The status of a service, in place of that in the state; None where it cannot be had."""
        instance = service.db_instance_id
        if instance in self._out_of_reach or not self._owners.is_declared(urn):
            return None
        found = self._glance(olds, service)
        if found is None:  # each of its services would wait for the same
            self._out_of_reach.add(instance)
        return found

    def _refuse_other_import(
        self, urn: str, service: ModelServiceId, olds: Properties, news: Properties
    ) -> None:
        """Refuse an `import_` that names another service than the one that the resource has."""
        adopted = news.get(state.ADOPT)
        # One that was left in since then names what may be gone, and means nothing.
        left_in = adopted in (None, olds.get(state.ADOPT), str(service))
        if not left_in and not self._owners.is_replaced(urn):
            raise other_import(urn, service, str(adopted))

    def _glance(self, olds: Properties, service: ModelServiceId) -> str | None:
        """
        See `lifecycle.glance`.

        What never showed may have been asked for just before this run: it is given time to.
        """
        while True:
            operation = self._operation(olds, "glance")
            found = lifecycle.glance(operation, service)
            late = self._clock.monotonic() - self._began_s >= lifecycle.GRACE_S
            if found != "" or late or state.was_seen(olds):
                return found
            if not operation.wait_for(f"{service}, which does not show yet"):
                return None

    @_from_the_engine
    def create(self, props: Properties) -> CreateResult:
        """Create the service, or take one over; one that is not active fails, and is kept."""
        call = host.current_call()
        if call is None:
            raise OperationError(_no_call())
        operation = self._operation(props, "create")
        region = self._settings(props.get("region_id")).region
        try:
            with self._owners.operating(call.urn):
                created = self._create(operation, props, call.urn, region)
        except Exception as error:  # noqa: BLE001 - raised again
            return CreateResult(*self._rescue(call.urn, error))
        self._stack.knows(created.id, before=False)
        details = created.outcome.details
        known = {
            "region_id": region,
            "request_id": created.request_id,
            state.TOKENS: state.tokens_of(created.token, details),
        }
        reason = self.secrets.hide(created.outcome.reason)
        outs = state.outputs(props, known, created.id, details, reason)
        why = why_unfinished(call.urn, created.id, details, outs, props)
        if why:
            self._fail_but_keep(str(created.id), outs, props, why)
        return CreateResult(str(created.id), outs)

    def _create(
        self, operation: lifecycle.Operation, props: Properties, urn: str, region: str | None
    ) -> lifecycle.Created:
        spec, waits = state.spec_from(props), state.waits(props)
        begun = self._created.pop(urn, None)
        if begun is None or begun.id in self._memory.deleted:
            organization, own = props.get(state.ORGANIZATION) or "", props.get("client_token")
            tokens = lifecycle.Tokens.of(organization, urn, region, spec, own)
            adopted = ModelServiceId.parse(props[state.ADOPT]) if props.get(state.ADOPT) else None
            created = lifecycle.create_or_adopt(
                operation, spec, tokens, adopted, wait_for_active=waits
            )
        else:
            try:
                outcome = lifecycle.resume(
                    operation, begun.id, spec, begun.outcome.details, wait_for_active=waits
                )
            except lifecycle.GoneError:
                raise lifecycle.deleted_outside(begun.id) from None
            created = dataclasses.replace(begun, outcome=outcome)
        if urn and created.token:  # what is taken over is compared again by the next try
            self._created[urn] = created
        return created

    def _fail_but_keep(self, id_: str, outs: Properties, inputs: Properties, why: str) -> None:
        """
        Fail the call that this thread serves, in such a way that the engine keeps the service.

        Returns where raising would lose it: the state then says success, a warning the rest.
        """
        why = self.secrets.hide(why)
        call, kept = _call(), {**outs, _PROVIDER: inputs.get(_PROVIDER)}
        many = self._tries[call.urn] >= _MOST_TRIES
        if not many and call.tell_partial_failure(id_, kept, why):
            self._kept[call.urn] = (id_, outs)
            raise OperationError(why)
        self._row(call.urn).warn(why)

    def _rescue(self, urn: str, error: Exception) -> tuple[str, Properties]:
        """
        What an earlier try told of a resource, where another failure would make the engine forget
        it: a refresh tells what became of it.

        Raises:
            Exception: The error, which is harmless.
        """
        if urn not in self._kept or self._tries[urn] < _MOST_TRIES:
            raise error
        self._row(urn).warn(text_of(error))
        return self._kept[urn]

    @_from_the_engine
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the live service, for refresh and `.get`. Gone needs proof."""
        service, is_get = _parse(id_), "model_service_id" not in props
        if is_get:
            _refuse_region(props.get("region_id"))  # the engine does not have it checked
            details = lifecycle.find_or_prove_gone(self._operation(props, "read"), service)
            if details is None:
                raise OperationError(
                    f"get of model service {service} failed: instance {service.db_instance_id} has "
                    "no such service. Correct the id, or declare the service to create it."
                )
        else:
            operation = self._operation(props, "read")
            details = lifecycle.refresh(operation, service, seen=state.was_seen(props))
            if details is None:
                return ReadResult("", {})
            if "security_ip_list" not in state.declared_names(props):
                lifecycle.warn_of_open_whitelist(operation, details)
        outs = state.outputs(
            state.declared_inputs(props),
            {**props, "region_id": self._settings(props.get("region_id")).region},
            service,
            details,
            self.secrets.hide(details.why_not_active),
            live_wins=True,
        )
        if is_get:
            return ReadResult(id_, outs, None)
        inputs, marked = state.declared_inputs(outs), _call().stored_input(state.SECRETS)
        if marked is not None:
            inputs[state.SECRETS] = marked
        return ReadResult(id_, outs, inputs)

    @_from_the_engine
    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Change the whitelist, go on waiting, and record settings, as far as each is needed."""
        service, urn = _parse(id_), _call().urn
        try:
            with self._owners.operating(urn):
                outs, details = self._update(service, olds, news)
            why = why_unfinished(urn, service, details, outs, news)
        except Exception as error:  # noqa: BLE001 - raised again, or told
            begun = self._created.get(urn)
            if begun is None or begun.id != service:
                return UpdateResult(self._rescue(urn, error)[1])
            # It is the next try of a create, of which the engine has stored nothing yet.
            if isinstance(error, lifecycle.GoneError):
                del self._created[urn]
                return UpdateResult(self._rescue(urn, lifecycle.deleted_outside(service))[1])
            outs, text, seen = olds, text_of(error), state.was_seen(olds)
            why = unfinished(service, olds.get("status"), text, how_to_remove(urn), seen=seen)
        if why:
            self._fail_but_keep(id_, outs, news, why)
        return UpdateResult(outs)

    def _update(
        self, service: ModelServiceId, olds: Properties, news: Properties
    ) -> tuple[Properties, ModelServiceDetails | None]:
        change = compare(olds, news)
        finishing = change.resume and not state.was_active(olds)
        kind = "resume" if finishing else "update"
        operation = self._operation({**news, "region_id": olds.get("region_id")}, kind)
        if state.is_taking_over(olds):
            outcome = _take_over(operation, service, olds.get("region_id"), news)
            details, reason = outcome.details, self.secrets.hide(outcome.reason)
            known = {name: olds.get(name) for name in ("region_id", "request_id")}
            known[state.TOKENS] = state.tokens_of(None, details)
            return state.outputs(news, known, service, details, reason), details
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
        inputs = news
        if whitelist is not None and not updated.whitelist_changed:
            inputs = {**news, "security_ip_list": olds.get("security_ip_list")}
        reason = self.secrets.hide(updated.reason)
        return state.outputs(inputs, olds, service, updated.details, reason), updated.details

    @_from_the_engine
    def delete(self, id_: str, props: Properties) -> None:
        """Delete the service and wait until it is gone."""
        service, urn = _parse(id_), _call().urn
        operation = self._operation(props, "delete")
        if urn:
            self._stack.is_of(props.get(state.ORGANIZATION) or "", urn)
            self._stack.knows(service)
        left_alone = self._owners.begin_deletion(urn, service, props.get("client_token"))
        if left_alone is not None:
            report = operation.report
            (report.warn if self._owners.is_awaited(service) else report.note)(left_alone)
            return
        gone = False
        try:
            with self._owners.operating(urn):
                self._delete(operation, service, urn, props)
            gone = True
        finally:
            self._owners.end_deletion(service, gone=gone)

    def _delete(
        self, operation: lifecycle.Operation, service: ModelServiceId, urn: str, props: Properties
    ) -> None:
        if state.is_taking_over(props) and self._owners.declares(urn, service):
            raise OperationError(
                f"delete of model service {service} was not sent: the program declares it, but it "
                "was not compared with that yet. Run `pulumi up` without what replaces it, such as "
                "replace_on_changes, --replace or a taint (`pulumi state untaint`); "
                f"{how_to_give_up(urn)}."
            )
        adopted = self._owners.new_import(urn, service)
        if adopted is not None:  # what is tainted comes without a diff
            raise other_import(urn, service, adopted)
        wanted = self._owners.next_nodes(urn, service)
        for instance in {instance for instance, _ in wanted}:
            names = {name for _, name in wanted}
            own = [name.strip() for name in props.get("ai_nodes") or ()]
            lifecycle.refuse_if_held(operation, service, instance, names, own)
        self._refuse_if_unlisted(operation, service, urn, props.get("model_name"))
        lifecycle.delete(operation, service, seen=state.was_seen(props))
        self._memory.spent_tokens |= set(props.get(state.TOKENS) or ())

    def _refuse_if_unlisted(
        self, operation: lifecycle.Operation, service: ModelServiceId, urn: str, runs: str | None
    ) -> None:
        """Keep a service whose successor is to run a model that the cloud does not list."""
        following = self._owners.following(urn, service)
        model = None if following is None else following.model or runs
        if following is None or model is None:
            return
        settings = self._settings(following.region)
        if settings.preflight:
            there = self._gateway(settings).within(operation.deadline)
            looking = dataclasses.replace(operation, api=there)
            lifecycle.refuse_if_unlisted(
                looking,
                service,
                model,
                known=following.model is not None,
                first=None if following.declared else on_target("up", urn),
                destroy=on_target("destroy", urn),
            )

    def _operation(self, props: Mapping[str, Any], kind: str) -> lifecycle.Operation:
        call = _call()
        urn = call.urn
        if urn and kind == "delete":  # what is made in its place is another
            del self._tries[urn]
        elif urn and kind not in ("read", "glance"):
            self._tries[urn] += 1
        settings = self._settings(props.get("region_id"))
        limit_s = _GLANCE_S if kind == "glance" else call.timeout_s or _DEFAULTS_S[kind]
        gateway = self._gateway(settings)  # which may load the SDK first
        deadline = Deadline.after(self._clock, limit_s)
        return lifecycle.Operation(
            api=gateway.within(deadline),
            clock=self._clock,
            deadline=deadline,
            report=self._row(urn),
            max_poll_interval_s=settings.max_poll_interval_s,
            urn=urn,
            owners=self._owners,
            memory=self._memory,
            secret_inputs=_secret_names(props),
        )

    def _row(self, urn: str | None) -> lifecycle.Reporter:
        return host.EngineLog(urn, self.secrets.hide)

    def _gateway(self, settings: Settings) -> lifecycle.ModelServiceApi:
        with self._lock:
            if settings not in self._gateways:
                self._gateways[settings] = self._new_gateway(
                    settings, self._clock, self.secrets.hide_all
                )
            return self._gateways[settings]


def _parse(id_: str) -> ModelServiceId:
    try:
        return ModelServiceId.parse(id_)
    except ValueError as error:
        raise OperationError(f"the id {error}") from None


def _refuse_region(region: object) -> None:
    for failure in validate({"region_id": region}):
        if failure.property == "region_id":
            raise OperationError(failure.reason)


def _take_over(
    operation: lifecycle.Operation, service: ModelServiceId, region: str | None, news: Properties
) -> lifecycle.Outcome:
    """Compare a service, which did not show in full before, with what is declared now."""
    wanted = news.get("region_id")
    try:
        if wanted not in (None, region):
            found = [f"region_id is declared {wanted!r}, the service is in {region!r}"]
            raise lifecycle.differing(service, found)
        spec, waits = state.spec_from(news), state.waits(news)
        return lifecycle.adopt(operation, service, spec, wait_for_active=waits).outcome
    except lifecycle.GoneError:
        raise OperationError(
            f"import of {service} failed: it is gone. Remove import_ and run `pulumi refresh`, "
            "then `pulumi up` to create a new one."
        ) from None
    except OperationError as error:
        urn = _call().urn
        raise OperationError(
            f"{error} It is in the state by now: {how_to_give_up(urn)}; {how_to_remove(urn)}."
        ) from None


def _call() -> host.Call:
    """The call that this thread serves; one that says nothing where the SDK does not show it."""
    return host.current_call() or host.Call("", None)


def _trace_headers() -> Mapping[str, str]:
    return _call().trace_headers(os.environ)


def _secret_names(*bags: Mapping[str, Any]) -> frozenset[str]:
    """The inputs that are secret, by these bags or, where the engine shows it, by the state."""
    return state.secret_names(*bags, {state.SECRETS: _call().stored_input(state.SECRETS)})


def _no_call() -> str:
    oldest, newest = host.WORKING_SDKS
    return (
        "no model service can be created with this version of Pulumi's Python SDK "
        f"({version('pulumi')}), which does not show what would keep one from being lost. Install "
        f"`pulumi>={oldest},<={newest}`; what exists can be refreshed, changed in place and "
        "destroyed with this one too."
    )


def _exchanged(value: Any, kind: type, other: object) -> Any:
    """The value, at any depth, with another in place of those of a kind."""
    if isinstance(value, kind):
        return other
    if isinstance(value, Mapping):
        return {key: _exchanged(item, kind, other) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exchanged(item, kind, other) for item in value]
    return value
