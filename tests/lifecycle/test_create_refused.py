"""`create` when the cloud says no: who holds the node, what is free, and when to try again."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    ApiError,
    BusyError,
    ConfigurationError,
    InvalidRequestError,
    OperationError,
    QuotaError,
    ServerError,
    ThrottledError,
    TokenMismatchError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle import create
from tests.lifecycle.fakes import (
    DERIVED,
    SPEC,
    FakeClock,
    FakeCloud,
    Voice,
    busy,
    operation,
    outage,
    quota,
)

_ACTION = ("CreateModelService", "in instance gp-demo")
_AGAIN = (
    "Whether it was applied is not known: run `pulumi up` again, which finds a service that was "
    "created."
)
_TAKEN = "AI node ai-1 is held by model service gp-demo:ms-old, which runs Qwen3-8B"
#: What no run of the declaration can have made.
_OTHER = "Qwen3-32B"
_THEN = (
    'To take that service over, declare it with opts=ResourceOptions(import_="gp-demo:ms-old"), if '
    "no other stack has it; else choose a free node, or delete that service."
)


def _create(cloud: FakeCloud, voice: Voice, limit_s: float = 600.0) -> None:
    create(operation(cloud, voice, limit_s), SPEC, DERIVED, wait_for_active=True)


def test_create_retries_while_the_instance_is_busy(cloud: FakeCloud, voice: Voice) -> None:
    """Busy is waited for, with the token of each moment, and the wait is shown."""
    cloud.fail("create", busy(), busy("IncorrectDBInstanceState"), busy())

    _create(cloud, voice)

    assert cloud.times("create") == [0.0, 2.0, 4.0, 6.0]
    assert cloud.abouts("create") == [DERIVED.at(second) for second in (0.0, 2.0, 4.0, 6.0)]
    assert len(cloud.services) == 1
    assert voice.progressed == [
        "waiting for the instance: not now (0 s so far)",
        "waiting for the instance: not now (2 s so far)",
        "waiting for the instance: not now (4 s so far)",
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (busy("OperationDenied.AINodeBound"), "code=OperationDenied.AINodeBound"),
        (busy(), "code=OperationDenied.DBInstanceStatus"),
        (quota(), "code=QuotaNotEnough"),
        (InvalidRequestError(*_ACTION, "no", code="InvalidParameter"), "code=InvalidParameter"),
        (ThrottledError(*_ACTION, "slowly", code="Throttling"), "code=Throttling"),
        (TokenMismatchError(*_ACTION, "no", code="Mismatch"), "code=Mismatch"),
        (ApiError(*_ACTION, "no", code="Never.Heard.Of", status=400), "code=Never.Heard.Of, st"),
    ],
)
def test_create_names_the_holder_of_a_taken_node_whatever_the_code(
    cloud: FakeCloud, voice: Voice, error: ApiError, code: str
) -> None:
    """A taken node ends the create at once, with who holds it and the line that takes it over."""
    cloud.add(model_name=_OTHER)
    cloud.fail_always("create", error)

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice)

    text = str(caught.value)
    assert text.startswith(f"CreateModelService in instance gp-demo failed: {error.reason} ({code}")
    assert text.endswith(f"). {_TAKEN.replace(SPEC.model_name, _OTHER)}. {_THEN}")
    assert error is caught.value.__cause__
    assert cloud.times("create") == [0.0]
    assert cloud.clock.sleeps == []


def test_create_asks_without_a_pause_whether_a_holder_like_its_own_is_its_own(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Each token that it may have been made with is asked once, then the holder is named."""
    cloud.add()

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice)

    assert str(caught.value).endswith(f"). {_TAKEN}. {_THEN}")
    around = list(DERIVED.around("1970-01-01T00:00:00Z", 0.0))
    assert cloud.abouts("create") == around
    assert cloud.clock.sleeps == []


def test_create_names_the_node_that_is_taken_among_several(cloud: FakeCloud, voice: Voice) -> None:
    """Services on other nodes are not the holder."""
    cloud.add("ms-other", "ai-2")
    cloud.add("ms-old", "ai-3", "ai-1")

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice)

    assert _TAKEN in str(caught.value)


def test_create_retries_busy_when_nobody_holds_the_node(cloud: FakeCloud, voice: Voice) -> None:
    """Other services on other nodes do not stop the retries."""
    cloud.add("ms-other", "ai-2")
    cloud.fail("create", busy())

    _create(cloud, voice)

    assert cloud.times("create") == [0.0, 2.0]


def test_create_stops_once_somebody_takes_the_node_meanwhile(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """Each refusal looks again: a node taken during the wait ends it."""
    cloud.fail_always("create", busy())
    clock.at(3.0, lambda: cloud.appear("ms-old"))

    with pytest.raises(OperationError) as caught:
        _create(cloud, voice)

    assert _TAKEN in str(caught.value)
    assert clock.now == 4.0


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            quota(),
            (
                "no more (code=QuotaNotEnough). Asked for ai-1. Free AI nodes of the instance: "
                "ai-2, ai-3. Free an AI node, or raise the quota or balance, then run `pulumi up` "
                "again."
            ),
        ),
        (
            InvalidRequestError(*_ACTION, "no"),
            "no. Correct the declaration, then run the command again.",
        ),
        (
            TransportError(*_ACTION, "no answer"),
            f"no answer. {TransportError.default_hint} {_AGAIN}",
        ),
        (
            ServerError(*_ACTION, "a fault", code="InternalError"),
            f"a fault (code=InternalError). {_AGAIN}",
        ),
    ],
)
def test_create_raises_the_refusal_without_the_holder_when_the_list_cannot_be_had(
    cloud: FakeCloud, voice: Voice, error: AdbpgModelError, text: str
) -> None:
    """Naming the holder is best effort; what is to be done next is told all the same."""
    cloud.add()
    cloud.fail_always("list", outage())
    cloud.fail_always("create", error)

    with pytest.raises(type(error)) as caught:
        _create(cloud, voice)

    assert error is caught.value.__cause__
    assert f"CreateModelService in instance gp-demo failed: {text}" == str(caught.value)


@pytest.mark.parametrize("action", ["list", "nodes"])
def test_create_raises_the_refusal_when_the_credentials_are_lost_meanwhile(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, action: str
) -> None:
    """Credentials that go missing after the refusal do not hide it."""
    cloud.call_s = 1.0
    cloud.fail_always("create", quota())
    clock.at(1.5, lambda: cloud.fail_always(action, ConfigurationError("no credentials")))

    with pytest.raises(QuotaError, match=r"\(code=QuotaNotEnough\)\. Asked for ai-1\. F"):
        _create(cloud, voice)

    assert len(cloud.times(action)) == {"list": 2, "nodes": 1}[action]


@pytest.mark.parametrize(
    ("nodes", "free"),
    [
        (["ai-1", "ai-2", "ai-3"], "Free AI nodes of the instance: ai-1, ai-3. "),
        (["ai-2"], "Free AI nodes of the instance: none. "),
        (None, ""),
    ],
)
def test_create_does_not_retry_quota_and_names_what_is_free(
    cloud: FakeCloud, voice: Voice, nodes: list[str] | None, free: str
) -> None:
    """Waiting does not help against a quota; the error says what was asked for and what is free."""
    cloud.add("ms-other", "ai-2")
    cloud.fail_always("create", quota())
    if nodes is None:
        cloud.fail_always("nodes", outage())
    else:
        cloud.nodes = nodes

    with pytest.raises(QuotaError) as caught:
        _create(cloud, voice)

    assert str(caught.value) == (
        "CreateModelService in instance gp-demo failed: no more (code=QuotaNotEnough). Asked for "
        f"ai-1. {free}Free an AI node, or raise the quota or balance, then run `pulumi up` again."
    )
    assert cloud.times("create") == [0.0]
    assert [call.remaining_s for call in cloud.calls if call.action == "nodes"] == [5.0]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            TransportError(*_ACTION, "no way", hint="Check the network."),
            f"no way. Check the network. {_AGAIN}",
        ),
        (
            ServerError(*_ACTION, "a fault", code="InternalError", status=500),
            f"a fault (code=InternalError, status=500). {_AGAIN}",
        ),
    ],
)
def test_create_says_that_an_ambiguous_create_may_have_been_applied(
    cloud: FakeCloud, voice: Voice, error: AdbpgModelError, text: str
) -> None:
    """After what to check about the connection; the text says how a service is found."""
    cloud.fail_always("create", error)

    with pytest.raises(type(error)) as caught:
        _create(cloud, voice)

    assert error is caught.value.__cause__
    assert str(caught.value) == f"CreateModelService in instance gp-demo failed: {text}"


@pytest.mark.parametrize(
    ("appears_at_s", "origin"),
    [(1.5, "it may come from this very call"), (0.0, "it was there before")],
)
@pytest.mark.parametrize("kind", [TransportError, ServerError])
def test_create_names_the_holder_after_an_ambiguous_create(
    cloud: FakeCloud,
    voice: Voice,
    kind: type[TransportError | ServerError],
    appears_at_s: float,
    origin: str,
) -> None:
    """After no answer or a 5xx the holder of the node may be what this very call made."""
    cloud.call_s = 1.0
    cloud.clock.at(appears_at_s, lambda: cloud.appear("ms-old"))
    cloud.fail_always("create", kind(*_ACTION, "no answer"))

    with pytest.raises(kind) as caught:
        _create(cloud, voice)

    check = f"{TransportError.default_hint} " if kind is TransportError else ""
    assert (
        f"CreateModelService in instance gp-demo failed: no answer. {check}{_AGAIN} {_TAKEN}; "
        f"{origin}. {_THEN}" == str(caught.value)
    )


def _doubtful(error: ApiError) -> ApiError:
    """A refusal that the gateway had only after an answer was lost."""
    error.in_doubt = True
    return error


@pytest.mark.parametrize("kind", [AccessError, BusyError, QuotaError])
def test_create_says_that_a_lost_answer_came_before_a_refusal(
    cloud: FakeCloud, voice: Voice, kind: type[ApiError]
) -> None:
    """An earlier attempt may have made the service: the error says how to find it."""
    cloud.fail("create", _doubtful(kind(*_ACTION, "no way", hint="Mend it.")))
    cloud.fail_always("create", kind(*_ACTION, "no way", hint="Mend it."))
    with pytest.raises(kind) as caught:
        _create(cloud, voice)
    assert str(caught.value).endswith(_AGAIN)


def test_create_does_not_wait_for_a_node_that_its_own_lost_service_holds(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Busy for now would be waited for; a holder that may be this create's own is named at once."""
    cloud.clock.at(1.5, lambda: cloud.appear("ms-old"))
    cloud.call_s = 1.0
    cloud.fail_always("create", _doubtful(BusyError(*_ACTION, "bound")))
    with pytest.raises(BusyError) as caught:
        _create(cloud, voice)
    assert str(caught.value) == (
        f"CreateModelService in instance gp-demo failed: bound. {_AGAIN} {_TAKEN}; "
        f"it may come from this very call. {_THEN}"
    )
    assert len(cloud.times("create")) == 1


def test_create_raises_missing_credentials_before_anything_is_sent(
    cloud: FakeCloud, voice: Voice
) -> None:
    """Credentials are needed by the first call already: no create goes out."""
    cloud.fail_always("list", ConfigurationError("no credentials"))

    with pytest.raises(ConfigurationError, match=r"^no credentials$"):
        _create(cloud, voice)

    assert cloud.times("create") == []
