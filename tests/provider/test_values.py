"""Values on their way through the provider: numbers, and requests that must repeat exactly."""

from __future__ import annotations

from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import Properties


def test_numbers_are_whole_again_in_inputs_and_outputs(
    provider: ModelServiceProvider, inputs: Properties
) -> None:
    """Doubles from the wire become integers at any depth, and fractions stay."""
    wire = {
        **inputs,
        "replicas": 2.0,
        "model_params": {"a": 1.0, "b": [2.0, 2.5, {"c": -3.0}], "d": True},
    }

    checked = provider.check({}, dict(wire)).inputs
    created = provider.create(dict(wire)).outs or {}

    for properties in (checked, created):
        assert "2" == repr(properties["replicas"])
        assert "{'a': 1, 'b': [2, 2.5, {'c': -3}], 'd': True}" == repr(properties["model_params"])


def test_create_repeats_the_very_same_request_when_a_mapping_comes_in_another_order(
    provider: ModelServiceProvider, cloud: Simulator, inputs: Properties
) -> None:
    """Mappings come off the wire in any order; one token must never carry two requests."""
    provider.create({**inputs, "model_params": {"a": 1, "b": {"c": 2, "d": 3}}})
    provider.create({**inputs, "model_params": {"b": {"d": 3, "c": 2}, "a": 1}})

    first, second = cloud.calls("CreateModelService")
    assert first.parameters == second.parameters


def test_check_result_is_a_copy(provider: ModelServiceProvider, inputs: Properties) -> None:
    """The host writes into what check and create return, so it is never what they were given."""
    given = {**inputs, "model_params": {"a": [1]}}

    checked = provider.check({}, given).inputs
    created = provider.create(given).outs or {}

    for result in (checked, created):
        assert given is not result
        assert given["model_params"] is not result["model_params"]
