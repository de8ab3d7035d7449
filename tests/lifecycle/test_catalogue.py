"""A model that left the catalogue, before a deletion that could not be made good."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.domain import ModelServiceId
from pulumi_adbpg_model.errors import (
    AccessError,
    ConfigurationError,
    OperationError,
    ServerError,
    TransportError,
)
from pulumi_adbpg_model.lifecycle import refuse_if_unlisted
from tests.lifecycle.fakes import INSTANCE, FakeCloud, Voice, operation

_SERVICE = ModelServiceId(INSTANCE, "ms-mine")


def _look(cloud: FakeCloud, voice: Voice, model: str, limit_s: float = 600.0) -> None:
    refuse_if_unlisted(operation(cloud, voice, limit_s), _SERVICE, model)


@pytest.mark.parametrize("model", ["Qwen3-8B", " qwen3-8b\n"])
def test_a_model_that_is_listed_in_any_case_passes(
    cloud: FakeCloud, voice: Voice, model: str
) -> None:
    """One call, that ends early enough to be of no weight."""
    _look(cloud, voice, model)

    (call,) = cloud.calls
    assert call.action == "models"
    assert call.remaining_s <= 5.0


def test_a_model_that_is_not_listed_keeps_the_service(cloud: FakeCloud, voice: Voice) -> None:
    """The line says what there is instead, and how to have the service deleted all the same."""
    cloud.models = ["Qwen4-8B", *(f"m-\n{number}" for number in range(12))]

    with pytest.raises(OperationError) as caught:
        _look(cloud, voice, "Qwen3-8B")

    assert str(caught.value) == (
        "delete of model service gp-demo:ms-mine was not sent, since what replaces it cannot be "
        "created: ListSupportModels does not list model 'Qwen3-8B'. It lists Qwen4-8B, m- 0, m- 1, "
        "m- 2, m- 3, m- 4, m- 5, m- 6, m- 7, m- 8 and 3 more. Declare one of these, or undo what "
        "replaces the service, such as a changed input, --replace or a taint (`pulumi state "
        "untaint`). To be rid of the service, take the resource out of the program. Only if the "
        "model is known to be deployed without being listed, switch this look off with "
        "adbpg:preflight: false."
    )


def test_what_goes_with_another_is_told_what_to_do_first(cloud: FakeCloud, voice: Voice) -> None:
    """The engine deletes it by what was declared before: the program may be right by now."""
    cloud.models = ["B"]

    with pytest.raises(OperationError) as caught:
        refuse_if_unlisted(
            operation(cloud, voice),
            _SERVICE,
            "A",
            known=False,
            first="`pulumi up --target U`",
            destroy="`pulumi destroy --target U`",
        )

    assert (
        "created: its model_name is not known yet, and ListSupportModels does not list model 'A', "
        "which the service runs. It lists B. Declare one of these, or undo "
    ) in str(caught.value)
    assert (
        "It was to go together with a resource that it depends on, before the program is asked: "
        "once that names a listed model as plain text, run `pulumi up --target U`, then `pulumi "
        "up`. To be rid of the service, run `pulumi destroy --target U`. "
    ) in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        AccessError("ListSupportModels", "of it", "no", code="NoPermission", status=403),
        ServerError("ListSupportModels", "of it", "no", status=503),
        TransportError("ListSupportModels", "of it", "the answer names no models"),
        ConfigurationError("no credentials"),
        None,
    ],
)
def test_a_catalogue_that_is_empty_or_cannot_be_read_is_no_news(
    cloud: FakeCloud, voice: Voice, error: Exception | None
) -> None:
    """Who may not list models may delete services."""
    cloud.models = []
    if error is not None:
        cloud.fail("models", error)

    _look(cloud, voice, "Qwen3-8B")
