"""Every fault of the simulated cloud, at every action: retried, or the right error at once."""

from __future__ import annotations

from itertools import cycle

import pytest

from pulumi_adbpg_model.errors import (
    AccessError,
    AdbpgModelError,
    BusyError,
    InstanceNotFoundError,
    NotFoundError,
    QuotaError,
    ServerError,
    ThrottledError,
    TransportError,
)
from pulumi_adbpg_model.gateway import RetryPolicy
from pulumi_adbpg_model.testing import FAULTS, Simulator
from tests.gateway.support import ACTIONS, SECRET, SPEC, add_service, gateway_for
from tests.lifecycle.fakes import FakeClock

#: What a fault that passes is, when it does not pass.
_PASSING: dict[str, type[AdbpgModelError]] = {
    "reset-before": TransportError,
    "reset-after": TransportError,
    "hang": TransportError,
    "hang-after": TransportError,
    "internal-error": ServerError,
    "internal-error-after": ServerError,
    "unavailable": ServerError,
    "html-502": TransportError,
    "html-200": TransportError,
    "huge": TransportError,
    "redirect": TransportError,
    "truncated-json": TransportError,
    "wrong-shape": TransportError,
    "empty-200": TransportError,
    "throttled": ThrottledError,
    "throttled-retry-after": ThrottledError,
}
_FINAL: dict[str, type[AdbpgModelError]] = {
    "busy": BusyError,
    "quota": QuotaError,
    "forbidden": AccessError,
    "clock-skew": AccessError,
    "expired-token": AccessError,
    "not-found-404": NotFoundError,
    "instance-not-found": InstanceNotFoundError,
}
_READ_TIMEOUT_S = 0.15


def test_every_fault_is_in_these_tests() -> None:
    """A fault that the simulator learns is tested here too."""
    assert _PASSING.keys() | _FINAL.keys() == FAULTS.keys()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("fault", _PASSING)
def test_a_fault_that_passes_is_outlived(simulator: Simulator, fault: str, action: str) -> None:
    """Struck once, the call is sent again and succeeds; a delete finds its own work done."""
    service = add_service(simulator)
    before = len(simulator.services)
    simulator.inject(fault, action)
    gateway = gateway_for(simulator, read_timeout_s=_READ_TIMEOUT_S)

    if action == "DeleteModelService" and FAULTS[fault].applied:
        with pytest.raises(NotFoundError, match=r"code=ModelService\.NotFound"):
            ACTIONS[action](gateway, service)
    else:
        ACTIONS[action](gateway, service)

    assert [call.fault for call in simulator.calls(action)] == [fault, None]
    after = {"CreateModelService": before + 1, "DeleteModelService": before - 1}
    assert len(simulator.services) == after.get(action, before)


@pytest.mark.parametrize(("fault", "action"), [*zip(_PASSING, cycle(ACTIONS))])
def test_a_fault_that_stays_ends_in_its_error_after_bounded_calls(
    simulator: Simulator, fault: str, action: str
) -> None:
    """The last error is raised in one line, without a secret, a URL or a parameter's value."""
    service = add_service(simulator)
    simulator.inject(fault, action, times=None)
    gateway = gateway_for(simulator, policy=RetryPolicy(attempts=3), read_timeout_s=_READ_TIMEOUT_S)

    with pytest.raises(AdbpgModelError) as caught:
        ACTIONS[action](gateway, service)

    assert type(caught.value) is _PASSING[fault]
    assert len(simulator.calls(action)) == 3
    _check_text(str(caught.value), action)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("fault", _FINAL)
def test_a_refusal_is_sent_once_and_raised(simulator: Simulator, fault: str, action: str) -> None:
    """A 4xx will not succeed by itself: one call, and the error of its code."""
    service = add_service(simulator)
    simulator.inject(fault, action, times=None)
    clock = FakeClock()

    with pytest.raises(AdbpgModelError) as caught:
        ACTIONS[action](gateway_for(simulator, clock), service)

    assert type(caught.value) is _FINAL[fault]
    assert len(simulator.calls(action)) == 1
    assert clock.sleeps == []
    _check_text(str(caught.value), action)


def _check_text(text: str, action: str) -> None:
    assert text.startswith(f"{action} ")
    assert " failed: " in text
    assert "\n" not in text
    for unwanted in (SECRET, "http:", "https:", "?", "&", "10.9.8.7", "not for errors", "Tea"):
        assert unwanted not in text


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("reset-before", "{host} cannot be reached or drops the connection"),
        ("hang", "{host} does not answer in time"),
        ("html-502", "the answer of {host} is not JSON"),
        ("huge", "the answer of {host} is larger than 16 MB"),
        ("redirect", "{host} answers with a redirect"),
        ("html-200", "the answer of {host} is not JSON"),
        ("truncated-json", "the answer of {host} is not JSON"),
        ("empty-200", "the answer of {host} is not JSON"),
        ("wrong-shape", "the answer of {host} has an unexpected shape"),
        ("unavailable", "The service is temporarily unavailable (code=ServiceUnavailable, "),
    ],
)
def test_an_error_says_what_broke(simulator: Simulator, fault: str, reason: str) -> None:
    """Each kind of trouble has its own words, with the host that was called."""
    simulator.inject(fault, times=None)
    gateway = gateway_for(simulator, policy=RetryPolicy(attempts=1), read_timeout_s=_READ_TIMEOUT_S)

    with pytest.raises(AdbpgModelError) as caught:
        gateway.list_model_services("gp-demo")

    told = reason.format(host=f"127.0.0.1:{simulator.port}")
    assert f"ListModelServices of instance gp-demo failed: {told}" in str(caught.value)


def test_a_refused_connection_is_a_transport_error(simulator: Simulator) -> None:
    """Nothing listens: retried to the bound, then told."""
    gateway = gateway_for(simulator, clock := FakeClock())
    simulator.stop()

    with pytest.raises(TransportError) as caught:
        gateway.list_model_services("gp-demo")

    assert str(caught.value) == (
        f"ListModelServices of instance gp-demo failed: 127.0.0.1:{simulator.port} cannot be "
        "reached or drops the connection. Check the region, the endpoint, the network and the "
        "proxy settings."
    )
    assert len(clock.sleeps) == 6


def test_all_requests_of_one_create_carry_the_same_token(simulator: Simulator) -> None:
    """A create that is sent again, applied or not, makes one service."""
    for fault in ("reset-after", "internal-error", "hang-after", "truncated-json", "throttled"):
        simulator.inject(fault, "CreateModelService")
    gateway = gateway_for(simulator, read_timeout_s=_READ_TIMEOUT_S)

    gateway.create_model_service(SPEC, "token-1")

    calls = simulator.calls("CreateModelService")
    assert [call.body["ClientToken"] for call in calls] == ["token-1"] * 6
    assert len({call.headers["x-acs-signature-nonce"] for call in calls}) == 6
    assert len(simulator.services) == 1
