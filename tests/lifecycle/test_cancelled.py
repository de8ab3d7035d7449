"""
Nothing that changes the cloud is sent after a cancel.

Who cancels may be gone: then a call that waited for its turn, or for an answer, would change what
another command has dealt with meanwhile.
"""

from __future__ import annotations

import dataclasses

import pytest

from pulumi_adbpg_model.domain import ModelServiceDetails
from pulumi_adbpg_model.errors import OperationError
from pulumi_adbpg_model.lifecycle import WhitelistChange, delete, update
from tests.lifecycle.fakes import SPEC, FakeClock, FakeCloud, Voice, not_found, operation

_NEW = ("10.0.0.1",)
_ENTRIES = dataclasses.replace(SPEC, security_ip_list=_NEW)


def test_a_delete_that_starts_after_the_cancel_is_not_sent(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A delete may have waited for a free worker of the host while its engine died."""
    service = cloud.add()
    clock.cancel()

    with pytest.raises(OperationError) as caught:
        delete(operation(cloud, voice), service)

    assert str(caught.value) == (
        "DeleteModelService gp-demo:ms-old was not sent: the operation was cancelled. Run "
        "the command again."
    )
    assert cloud.calls == []


def test_a_delete_is_not_sent_for_a_service_that_shows_after_the_cancel(
    cloud: FakeCloud, clock: FakeClock, voice: Voice
) -> None:
    """A service that seemed to be gone and shows after all is not deleted behind a dead engine."""
    service = cloud.add()
    cloud.fail("delete", not_found())
    cloud.call_s = 1.0
    clock.at(1.5, clock.cancel)  # while it is described

    with pytest.raises(OperationError, match=r"^DeleteModelService .* was not sent"):
        delete(operation(cloud, voice), service)

    assert len(cloud.times("delete")) == 1
    assert service in cloud.services


@pytest.mark.parametrize("cancelled_at_s", [0.0, 0.5])
def test_a_whitelist_change_is_not_sent_after_the_cancel(
    cloud: FakeCloud, clock: FakeClock, voice: Voice, cancelled_at_s: float
) -> None:
    """Also not when the poll that was under way finds the service active."""
    service = cloud.add()
    cloud.reach["mine"] = service
    cloud.call_s = 1.0
    clock.at(cancelled_at_s, clock.cancel)
    clock.advance(0.0)

    with pytest.raises(OperationError) as caught:
        update(
            operation(cloud, voice),
            service,
            _ENTRIES,
            unfinished=cancelled_at_s > 0,
            wait_for_active=True,
            last=ModelServiceDetails(service, status="deploying"),
            whitelist=WhitelistChange("mine", _NEW),
        )

    assert str(caught.value) == (
        "ModifySecurityIps for gp-demo:ms-old was not sent: the operation was cancelled. Run "
        "the command again."
    )
    assert cloud.times("modify") == []
