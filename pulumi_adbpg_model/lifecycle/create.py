"""
Creating exactly one service per declaration.

Before there is an id, a failure raises and nothing is left. Once there is one, nothing raises any
more: the caller gets the id with whatever is known, so that it lands in the state.

What an interrupted creation made is found again by its client token, and what was deleted is left
alone. A cloud may answer a token of the past with a service that is gone, and nothing tells that
from one that does not show yet but time. So a token is of its moment, too. Where a node is held,
the tokens of the moment at which its holder was made can create nothing; one that is answered with
the holder proves that this declaration made it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from pulumi_adbpg_model import tracing
from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    ModelServiceSpec,
    Phase,
    Submission,
)
from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    ApiError,
    BusyError,
    OperationError,
    QuotaError,
    ServerError,
    ThrottledError,
    TokenMismatchError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle.adopt import UnfitError, adopt
from pulumi_adbpg_model.lifecycle.compare import differences, verify
from pulumi_adbpg_model.lifecycle.nodes import (
    Held,
    free_nodes,
    holder_of,
    is_worth_waiting,
    list_existing,
    list_or_none,
    taken_by,
    who_may_hold,
)
from pulumi_adbpg_model.lifecycle.operation import BEING_DELETED, Operation, OwnedError, Standing
from pulumi_adbpg_model.lifecycle.presence import GoneError
from pulumi_adbpg_model.lifecycle.wait import Created, wait_until_active

#: How often a create may be answered with a service that is not there.
_MOST_ANSWERS = 10
_NOT_ABOUT_NODES = (AccessError, ServerError, ThrottledError, TokenMismatchError, TransportError)
_AGAIN = (
    "Whether it was applied is not known: run `pulumi up` again, which finds a service that was "
    "created."
)
#: For so many seconds a declaration has the same token: less than a service takes to be created
#: and deleted again.
TOKEN_S = 2.0
#: So long before a service shows as created, in seconds, its creation may have been asked for.
_LAG_S = 40.0
#: By how much the cloud's clock may be behind ours.
_SKEW_S = 6.0
#: How far back is looked where the cloud does not say when a service was created.
_RECENT_S = 300.0


def create_or_adopt(
    operation: Operation,
    spec: ModelServiceSpec,
    tokens: Tokens,
    adopted: ModelServiceId | None,
    *,
    wait_for_active: bool,
) -> Created:
    """
    Take over the service that is to be adopted, or create one when there is none.

    Where import_ was left in since, the service that was taken over then may be gone, another's, or
    kept as it was by retain_on_delete: what replaces it is created.
    """
    if adopted is not None and adopted not in operation.memory.deleted:
        try:
            return adopt(operation, adopted, spec, wait_for_active=wait_for_active)
        except (GoneError, OwnedError, UnfitError):
            if not operation.owners.is_left_in(operation.urn, adopted):
                raise
    return create(operation, spec, tokens, wait_for_active=wait_for_active)


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
    subject = f"in instance {spec.db_instance_id}"
    operation.stop_if_cancelled("CreateModelService", subject)
    existing = list_or_none(operation, spec.db_instance_id)
    creation = _Creation(operation, spec, tokens, existing)
    answers: dict[ModelServiceId, None] = {}
    for _ in range(_MOST_ANSWERS):
        submission = creation.submit(subject)
        answers[submission.id] = None
        if not creation.claim(submission.id):
            continue
        outcome = wait_until_active(operation, submission.id, only_seen=not wait_for_active)
        if not outcome.gone:
            verify(operation, spec, outcome.details)
            token = creation.answered[submission.id]
            return Created(submission.id, submission.request_id, outcome, token)
        operation.owners.release(operation.urn, submission.id)
        if outcome.details is not None:
            raise deleted_outside(submission.id)
    raise OperationError(
        f"CreateModelService {subject} answered {_MOST_ANSWERS} times with services that are not "
        f"there, or that are to be replaced: {', '.join(map(str, answers))}. Run `pulumi up` again "
        "later."
    )


def deleted_outside(service: ModelServiceId) -> OperationError:
    """The error for a service that this run created, and that is proven gone already."""
    return OperationError(
        f"model service {service} was deleted by someone else while it was being deployed. "
        "Nothing is left; run `pulumi up` again to create it anew."
    )


class _Creation:
    """One creation: what was asked for, and what came of it so far."""

    def __init__(
        self,
        operation: Operation,
        spec: ModelServiceSpec,
        tokens: Tokens,
        existing: Sequence[ModelServiceDetails] | None,
    ) -> None:
        self._operation = operation
        self._spec = spec
        self._tokens = tokens
        # A replacement has other inputs, which the cloud would not take with the same token.
        replaces = tokens.own is not None and operation.owners.created_before(operation.urn)
        self._own = None if replaces else tokens.own
        #: Tokens that led to what is of no use.
        self._spent = set(operation.memory.spent_tokens)
        #: What the cloud answered with that has not shown, with the token that led there.
        self.answered: dict[ModelServiceId, str] = {}
        #: Services that were looked at whether they are ours.
        self._probed: set[ModelServiceId] = set()
        #: Since when a holder is in the way.
        self._since: dict[ModelServiceId, float] = {}
        #: Whether it was said who may hold the nodes.
        self._noted = False
        #: What was there before; None when that is not known.
        self._known = None if existing is None else {service.id for service in existing}
        #: The tokens to ask with first: the program's own, before those of an interrupted run.
        self._likely = self._tokens_of(existing or ())
        if self._own is not None and self._own not in self._spent:
            self._likely.insert(0, self._own)

    def submit(self, subject: str) -> Submission:
        """
        Ask until there is an answer.

        Raises:
            AdbpgModelError: A refusal that is final; explained.
        """
        operation, in_doubt = self._operation, False
        self._noted = False
        token = self._next_token()
        while True:
            operation.stop_if_cancelled("CreateModelService", subject)
            try:
                submission = operation.api.create_model_service(self._spec, token)
            except (ApiError, TransportError) as refusal:
                in_doubt = in_doubt or refusal.in_doubt
                late = self._refused(refusal, in_doubt=in_doubt)
                if late is not None:
                    return Submission(late, None)
                if not in_doubt:  # while it may have been applied, it is the same request
                    token = self._next_token()
            else:
                self._spent.add(token)
                if submission.id not in operation.memory.deleted:
                    self.answered.setdefault(submission.id, token)
                return submission

    def claim(self, service: ModelServiceId) -> bool:
        """
        Make what was answered the resource's own, and tell of it; False for one of no use.

        Raises:
            OwnedError: It is another resource's.
        """
        operation, urn = self._operation, self._operation.urn
        if service in operation.memory.deleted:
            return False
        existed = self._known is not None and service in self._known
        maybe = existed or self._known is None
        if operation.owners.is_former(urn, service, existed=maybe):
            del self.answered[service]
            return False
        whose = operation.owners.claim(urn, service, existed=maybe)
        report = operation.report
        with_token = f"{service} exists already with this client_token: nothing new was created"
        if not existed:
            report.note(f"CreateModelService answers with {service}")
        elif whose is not None:
            report.note(f"{with_token}. {whose}")
        elif self.answered.get(service) != self._own:
            report.note(
                f"{service} exists already from an earlier run of this declaration: resuming it, "
                "nothing new was created"
            )
        else:
            report.warn(f"{with_token}. `pulumi-adbpg-model orphans` tells if another stack has it")
        return True

    def _next_token(self) -> str:
        clock, own = self._operation.clock, self._own
        if self._likely:
            return self._likely.pop(0)
        if own is not None and own not in self._spent:
            return own
        token = self._tokens.at(clock.time())
        while token in self._spent and not self._operation.over:
            tracing.sleep(clock, TOKEN_S - clock.time() % TOKEN_S)
            token = self._tokens.at(clock.time())
        return token

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
        if service.id in operation.memory.deleted or service.phase is Phase.LEAVING:
            return False
        if differences(service.id, spec, service):
            return False
        node = spec.ai_nodes[0] if held is None else held[1]
        return operation.owners.standing(operation.urn, service.id, node).unowned

    def _refused(
        self, refusal: ApiError | TransportError, *, in_doubt: bool
    ) -> ModelServiceId | None:
        """
        What to do about a refusal: None to ask again, now that it was waited for what is in the
        way, or with another token; or the service that was meant.

        Args:
            refusal: The last answer.
            in_doubt: Whether it, or one before, may have been applied all the same.

        Raises:
            AdbpgModelError: It is final; explained.
        """
        error = refusal.replace(in_doubt=in_doubt)
        if in_doubt and isinstance(error, (BusyError, ServerError)):
            error = error.replace(hint=_AGAIN)
        elif in_doubt:  # what to check, where it says that
            error = error.replace(hint=f"{error.hint} {_AGAIN}".lstrip())
        existing = list_existing(self._operation, self._spec.db_instance_id)
        held = holder_of(existing, self._spec.ai_nodes)
        if held is not None and held[0].id in self.answered:
            return self._shown_late(held[0].id)
        about_nodes = not isinstance(error, _NOT_ABOUT_NODES)
        if about_nodes and not in_doubt:
            # Where no holder shows, it may be one that does not show its nodes.
            self._likely += self._tokens_of(existing, nodeless=held is None)
            if self._likely:
                return None
        failure: AdbpgModelError | None
        if held is not None:
            failure = self._wait_for_holder(error, held, waits=about_nodes)
        else:
            failure = self._wait_for_nodes(error, existing, explains=about_nodes)
        if failure is None:
            return None
        if self.answered and isinstance(failure, (ApiError, TransportError)):
            answered = ", ".join(map(str, self.answered))
            hint = f"{failure.hint} Answered before, not shown: {answered}."
            failure = failure.replace(hint=hint)
        raise failure from refusal

    def _wait_for_holder(
        self, error: ApiError | TransportError, held: Held, *, waits: bool
    ) -> AdbpgModelError | None:
        """Wait for a holder that is going; of any other, the error that says who it is."""
        operation, (holder, node) = self._operation, held
        if holder.phase is Phase.LEAVING:
            standing = Standing(BEING_DELETED, leaves=True, wait_s=math.inf)
        else:
            standing = operation.owners.standing(operation.urn, holder.id, node)
        now_s = operation.clock.monotonic()
        waited_s = now_s - max(self._since.setdefault(holder.id, now_s), standing.wait_from_s)
        if (
            waits
            and is_worth_waiting(operation, holder.id, standing.wait_s, waited_s)
            and operation.wait_for(f"AI node {node}, held by {holder.id}")
        ):
            return None
        if not error.in_doubt:  # that text is the whole error, whatever the code was
            return OperationError(f"{_failed(error)}. {taken_by(held)}. {standing.advice}")
        before = self._known is not None and holder.id in self._known
        origin = "was there before" if before else "may come from this very call"
        return error.replace(hint=f"{error.hint} {taken_by(held)}; it {origin}. {standing.advice}")

    def _wait_for_nodes(
        self,
        error: ApiError | TransportError,
        existing: Sequence[ModelServiceDetails],
        *,
        explains: bool,
    ) -> AdbpgModelError | None:
        """
        No holder is known: wait for a busy instance. Of any other refusal, the error, which says
        what is free and which services may hold the nodes all the same.
        """
        operation, spec = self._operation, self._spec
        if explains:
            wanted = [(spec.db_instance_id, node) for node in spec.ai_nodes]
            rival = operation.owners.rival(operation.urn, wanted)
            if rival is not None and not error.in_doubt:
                return OperationError(f"{_failed(error)}. {rival}")
            if isinstance(error, QuotaError):
                free = free_nodes(operation, spec.db_instance_id)
                asked = f"Asked for {', '.join(spec.ai_nodes)}. {free}"
                error = error.replace(hint=f"{asked}{error.hint}")
            advice = who_may_hold(operation, existing, spec.ai_nodes)
            if advice is not None:
                error = error.replace(hint=f"{error.hint} {advice}".lstrip())
                if isinstance(error, BusyError) and not self._noted:  # it may be waited for long
                    operation.report.note(f"{error.reason}. {advice}")
            self._noted = True
        waited = isinstance(error, BusyError) and operation.wait_while_busy(error)
        return None if waited else error

    def _shown_late(self, service: ModelServiceId) -> ModelServiceId:
        """A service that this create was answered with before, and that only shows now."""
        for other in self.answered:
            if other != service:
                self._operation.report.warn(f"{other} did not show: it may exist and be billed")
        return service


def _failed(error: ApiError | TransportError) -> str:
    return f"{error.action} {error.subject} failed: {error.reason}{error.details}"


@dataclass(frozen=True)
class Tokens:
    """The client tokens of one declaration: 64 hexadecimal digits each, the API's limit."""

    seed: str
    #: The token that the program gives; it is used first, as it is.
    own: str | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        organization: str,
        urn: str,
        region: str | None,
        spec: ModelServiceSpec,
        own: str | None = None,
    ) -> Tokens:
        """
        The tokens of what is declared.

        They depend on that and the time alone, so that any machine finds them again; another stack,
        resource, region or input has others.
        """
        declared = [organization, urn, region, spec.inputs, *([] if own is None else [own])]
        text = json.dumps(declared, sort_keys=True, separators=(",", ":"))
        return cls(hashlib.sha256(text.encode()).hexdigest(), own)

    def at(self, time_s: float) -> str:
        """The token of a moment, in seconds since 1970."""
        return self._number(int(time_s // TOKEN_S))

    def around(self, create_time: str | None, now_s: float) -> Iterator[str]:
        """
        The tokens that a service may have been created with, the likeliest first.

        Args:
            create_time: When the cloud says that it was created: ISO 8601.
            now_s: The time by which it was there.
        """
        created_s = _seconds(create_time)
        if created_s is None:  # the newest first
            last = int(now_s // TOKEN_S)
            yield from (self._number(last - step) for step in range(int(_RECENT_S // TOKEN_S) + 1))
        else:
            middle, ahead = int(created_s // TOKEN_S), int(_SKEW_S // TOKEN_S)
            for step in range(int(_LAG_S // TOKEN_S) + 1):
                yield self._number(middle - step)
                if 0 < step <= ahead:
                    yield self._number(middle + step)
        yield self.seed  # what 0.1.0 asked with

    def _number(self, number: int) -> str:
        return hashlib.sha256(f"{self.seed}:{number}".encode()).hexdigest()


def _seconds(create_time: str | None) -> float | None:
    """Seconds since 1970; None where there is no such time. Without a zone it is UTC."""
    try:
        time = datetime.fromisoformat((create_time or "").strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
