"""Values on their way through the provider, as the host is handed them."""

from __future__ import annotations

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_adbpg_model.provider import ModelServiceProvider
from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import Properties
from tests.provider.servicer import serve


@pytest.fixture
def provider(cloud: Simulator, monkeypatch: pytest.MonkeyPatch) -> ModelServiceProvider:
    """The provider without a host."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    configured = ModelServiceProvider()
    configured.configure(ConfigureRequest(Config({}, "shop")))
    return configured


def test_numbers_are_whole_again_in_inputs_and_outputs(
    provider: ModelServiceProvider, inputs: Properties
) -> None:
    """Doubles from the wire become integers at any depth, and fractions stay."""
    wire = {
        **inputs,
        "replicas": 2.0,
        "model_params": {"a": 1.0, "b": [2.0, 2.5, {"c": -3.0}], "d": True},
    }

    checked = serve(lambda: provider.check({}, dict(wire))).inputs
    created = serve(lambda: provider.create(dict(wire))).outs or {}

    for properties in (checked, created):
        assert "2" == repr(properties["replicas"])
        assert "{'a': 1, 'b': [2, 2.5, {'c': -3}], 'd': True}" == repr(properties["model_params"])


def test_results_are_copies(provider: ModelServiceProvider, inputs: Properties) -> None:
    """The host writes into what check and create return, so it is never what they were given."""
    given = {**inputs, "model_params": {"a": [1]}}

    checked = serve(lambda: provider.check({}, given)).inputs
    created = serve(lambda: provider.create(given)).outs or {}

    for result in (checked, created):
        assert given is not result
        assert given["model_params"] is not result["model_params"]
