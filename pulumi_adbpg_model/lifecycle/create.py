"""
Creating exactly one service per declaration.

Before there is an id, a failure raises and nothing is left. Once there is one, nothing raises any
more: the caller gets the id with whatever is known, so that it lands in the state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Phase,
    Submission,
)
from pulumi_adbpg_model.errors import (
    AccessError,
    ApiError,
    BusyError,
    OperationError,
    ServerError,
    ThrottledError,
    TokenMismatchError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.compare import differences, verify
from pulumi_adbpg_model.lifecycle.nodes import (
    explain_scarce,
    explain_taken,
    holder_of,
    is_patient,
    living,
    services_of,
)
from pulumi_adbpg_model.lifecycle.operation import BEING_DELETED, Operation, Standing
from pulumi_adbpg_model.lifecycle.presence import gone_error
from pulumi_adbpg_model.lifecycle.tokens import TOKEN_S, Tokens
from pulumi_adbpg_model.lifecycle.wait import Outcome, wait_until_active

__all__ = ["Created", "create", "deleted_outside", "resume"]

#: How often a create may be answered with a service that is not there.
_MOST_ANSWERS = 10
_NOT_ABOUT_NODES = (AccessError, ServerError, ThrottledError, TokenMismatchError, TransportError)
_AGAIN = (
    "Whether it was applied is not known: run `pulumi up` again, which finds a service that was "
    "created."
)


@dataclass(frozen=True)
class Created:
    """A service that exists, active or not."""

    id: ModelServiceId
    request_id: str | None
    outcome: Outcome
    #: The client token that was answered with it; None for a service that was taken over.
    token: str | None


def create(
    operation: Operation, spec: ModelServiceSpec, tokens: Tokens, *, wait_for_active: bool
) -> Created:
    """
    Submit the service and wait until it is active.

    Args:
        operation: Its deadline bounds submitting and waiting together.
        spec: What to create.
        tokens: Its client tokens; they find what an interrupted run created.
        wait_for_active: Whether to wait, or to return once the cloud shows the service.

    Raises:
        AdbpgModelError: Nothing was created, or, for a `TransportError` and a `ServerError`, the
            text says what may have been and how to find it.
    """
    operation.stop_if_cancelled("CreateModelService", f"in instance {spec.db_instance_id}")
    return _Creation(operation, spec, tokens).run(wait_for_active=wait_for_active)


def deleted_outside(service: ModelServiceId) -> OperationError:
    """The error for a service that this run created, and that is proven gone already."""
    return OperationError(
        f"model service {service} was deleted by someone else while it was being deployed. "
        "Nothing is left; run `pulumi up` again to create it anew."
    )


def resume(
    operation: Operation,
    service: ModelServiceId,
    spec: ModelServiceSpec | None,
    last: ModelServiceDetails | None,
    *,
    wait_for_active: bool = True,
) -> Outcome:
    """
    Go on waiting for a service that an earlier run, or try, left unfinished.

    Args:
        operation: Its deadline bounds the wait.
        service: The service.
        spec: What was asked for; None leaves the comparison to the caller.
        last: What was seen of it then; None when it never showed.
        wait_for_active: Whether to wait, or to return once the cloud shows the service.

    Raises:
        GoneError: It is proven gone.
    """
    outcome = wait_until_active(operation, service, only_seen=not wait_for_active, last=last)
    if outcome.gone:
        raise gone_error("update", service, seen=last is not None or outcome.details is not None)
    if spec is not None:
        verify(operation, spec, outcome.details)
    return outcome


class _Creation:
    """One creation: what was asked for, and what came of it so far."""

    def __init__(self, operation: Operation, spec: ModelServiceSpec, tokens: Tokens) -> None:
        self._operation = operation
        self._spec = spec
        # A replacement has other inputs, which the cloud would not take with the same token.
        spent = tokens.own is not None and operation.owners.created_before
        self._tokens = replace(tokens, own=None) if spent else tokens
        #: Tokens that led to what is of no use.
        self._spent = set(operation.spent_tokens)
        #: What the cloud answered with that has not shown, with the token that led there.
        self._answered: dict[ModelServiceId, str] = {}
        #: Services that were looked at whether they are ours.
        self._probed: set[ModelServiceId] = set()
        #: Since when a holder is in the way.
        self._since: dict[ModelServiceId, float] = {}
        self._in_doubt = self._told = False
        #: Whether the program's own token was not asked with yet.
        self._first = True
        shown = services_of(operation, spec.db_instance_id)
        # Their names alone: this is kept while waiting, by each of maybe hundreds of creates.
        self._known = None if shown is None else frozenset(one.id.model_service_id for one in shown)
        #: The tokens to ask with first.
        self._likely = self._tokens_of(shown or ())

    def run(self, *, wait_for_active: bool) -> Created:
        operation = self._operation
        subject = f"in instance {self._spec.db_instance_id}"
        answers: dict[ModelServiceId, None] = {}
        for _ in range(_MOST_ANSWERS):
            submission = self._submit(subject)
            service = submission.id
            answers[service] = None
            if service in operation.deleted_here:
                continue
            existed = self._known is not None and service.model_service_id in self._known
            if operation.owners.is_former(service, existed=existed or self._known is None):
                del self._answered[service]
                continue
            whose = operation.owners.claim(service, existed=existed or self._known is None)
            self._announce(service, existed=existed, whose=whose)
            outcome = wait_until_active(operation, service, only_seen=not wait_for_active)
            if not outcome.gone:
                verify(operation, self._spec, outcome.details)
                token = self._answered[service]
                return Created(service, submission.request_id, outcome, token)
            operation.owners.release(service)
            if outcome.details is not None:
                raise deleted_outside(service)
        raise OperationError(
            f"CreateModelService {subject} answered {_MOST_ANSWERS} times with services that are "
            f"not there, or that are to be replaced: {', '.join(map(str, answers))}. Run `pulumi "
            "up` again later."
        )

    def _submit(self, subject: str) -> Submission:
        operation, spec = self._operation, self._spec
        self._in_doubt = self._told = False
        token = self._next_token()
        while True:
            operation.stop_if_cancelled("CreateModelService", subject)
            try:
                submission = operation.api.create_model_service(spec, token)
            except (ApiError, TransportError) as error:
                found = self._refused(error)
                if found is not None:
                    return Submission(found, None)
                if not self._in_doubt:  # while it may have been applied, it is the same request
                    token = self._next_token()
            else:
                self._spent.add(token)
                service = submission.id
                if service not in operation.deleted_here:
                    self._answered.setdefault(service, token)
                return submission

    def _next_token(self) -> str:
        clock, own = self._operation.clock, self._tokens.own
        usable = own is not None and own not in self._spent
        if self._likely and not (usable and self._first):
            return self._likely.pop(0)
        if own is not None and usable:
            self._first = False
            return own
        token = self._tokens.at(clock.time())
        while token in self._spent and not self._operation.over:
            clock.sleep(TOKEN_S - clock.time() % TOKEN_S)
            token = self._tokens.at(clock.time())
        return token

    def _refused(self, error: ApiError | TransportError) -> ModelServiceId | None:
        """
        What to do about a refusal: None to ask again, now that it was waited for what is in the
        way, or with another token; or the service that was meant.

        Raises:
            AdbpgModelError: It is final; explained.
        """
        operation, spec = self._operation, self._spec
        self._in_doubt = error.in_doubt = self._in_doubt or error.in_doubt
        if error.in_doubt and isinstance(error, (BusyError, ServerError)):
            error.hint = _AGAIN
        elif error.in_doubt:
            error.hint = f"{error.hint} {_AGAIN}".lstrip()  # what to check, where it says that
        shown = living(operation, spec.db_instance_id)
        held = holder_of(shown, spec.ai_nodes)
        if held is not None and held[0].id in self._answered:
            return self._shown_late(held[0].id)
        about_nodes = not isinstance(error, _NOT_ABOUT_NODES)
        if about_nodes and not error.in_doubt:
            # Where no holder shows, it may be one that does not show its nodes.
            self._likely += self._tokens_of(shown, nodeless=held is None)
            if self._likely:
                return None
        try:
            if held is not None:
                self._outwait(error, *held, wait=about_nodes)
            else:
                self._outwait_scarcity(error, shown, explain=about_nodes)
        except (ApiError, TransportError):
            if self._answered:
                error.hint += f" Answered before, not shown: {', '.join(map(str, self._answered))}."
            raise
        return None

    def _outwait(
        self,
        error: ApiError | TransportError,
        holder: ModelServiceDetails,
        node: str,
        *,
        wait: bool,
    ) -> None:
        """Wait for a holder that is going; raise, explaining it, about any other."""
        operation = self._operation
        if holder.phase is Phase.LEAVING:
            standing = Standing(BEING_DELETED, leaves=True, patience_s=math.inf)
        else:
            standing = operation.owners.standing(holder.id, node)
        began_s = self._since.setdefault(holder.id, operation.clock.monotonic())
        waited_s = operation.clock.monotonic() - max(began_s, standing.since_s)
        if (
            wait
            and is_patient(operation, holder.id, standing.patience_s, waited_s)
            and operation.waited_for(f"AI node {node}, held by {holder.id}")
        ):
            return
        explain_taken(error, holder, node, standing, self._known)
        raise error

    def _outwait_scarcity(
        self,
        error: ApiError | TransportError,
        shown: Sequence[ModelServiceDetails],
        *,
        explain: bool,
    ) -> None:
        """Wait for a busy instance; raise any other error, explained where that is asked for."""
        if explain:
            instance = self._spec.db_instance_id
            rival = self._operation.owners.rival([(instance, one) for one in self._spec.ai_nodes])
            if rival is not None and not error.in_doubt:
                reason = f"{error.action} {error.subject} failed: {error.reason}{error.details}"
                raise OperationError(f"{reason}. {rival}") from error
            explain_scarce(self._operation, error, self._spec, shown, first=not self._told)
            self._told = True
        if not isinstance(error, BusyError):
            raise error
        self._operation.outwait(error)

    def _tokens_of(
        self, shown: Sequence[ModelServiceDetails], *, nodeless: bool = False
    ) -> list[str]:
        """The tokens of the services in the way that an interrupted run may have created."""
        found: dict[str, None] = {}  # two may have the same
        for service in shown:
            if service.id not in self._probed and self._may_be_ours(service, nodeless=nodeless):
                self._probed.add(service.id)
                tokens = self._tokens.around(service.create_time, self._operation.clock.time())
                found |= dict.fromkeys(tokens)
        return list(found)

    def _may_be_ours(self, service: ModelServiceDetails, *, nodeless: bool) -> bool:
        operation, spec = self._operation, self._spec
        held = holder_of([service], spec.ai_nodes)
        if held is None and (service.ai_nodes or not nodeless):
            return False
        if service.id in operation.deleted_here or service.phase is Phase.LEAVING:
            return False
        if differences(service.id, spec, service):
            return False
        node = spec.ai_nodes[0] if held is None else held[1]
        return operation.owners.standing(service.id, node).anybodys

    def _shown_late(self, service: ModelServiceId) -> ModelServiceId:
        """A service that this create was answered with before, and that only shows now."""
        for other in self._answered:
            if other != service:
                self._operation.report.warn(f"{other} did not show: it may exist and be billed")
        return service

    def _announce(self, service: ModelServiceId, *, existed: bool, whose: str | None) -> None:
        report = self._operation.report
        if not existed:
            report.note(f"CreateModelService answers with {service}")
        elif whose is None and self._answered.get(service) != self._tokens.own:
            report.note(
                f"{service} exists already from an earlier run of this declaration: resuming it, "
                "nothing new was created"
            )
        else:
            told = f"{service} exists already with this client_token: nothing new was created"
            if whose is not None:
                report.note(f"{told}. {whose}")
            else:
                report.warn(f"{told}. `pulumi-adbpg-model orphans` tells if another stack has it")
