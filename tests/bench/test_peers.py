"""Peers are what they are said to be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.names import inputs
from bench.peers.shaped import Shaped, ShapedProvider
from pulumi_adbpg_model import ModelService
from pulumi_adbpg_model.fields import INPUTS
from pulumi_adbpg_model.service.state import DECLARED, OUTPUTS, TOKENS
from tests.resource.registering import run

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("peer", ["trivial", "sdk_provider"])
def test_peers_load_nothing_of_ours(peer: str) -> None:
    """Else they would pay for what they are measured against."""
    code = f"import sys, bench.peers.{peer}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    loaded = done.stdout.split()
    assert f"bench.peers.{peer}" in loaded
    assert [name for name in loaded if name.startswith("pulumi_adbpg_model")] == []


def test_shaped_peer_registers_what_a_service_does() -> None:
    """As many properties, by the same names, and as many secrets among them."""

    def program() -> None:
        ModelService("ours", **inputs(1))
        Shaped("shaped", inputs(1))

    requests = run(program).requests
    ours, shaped = requests["ours"], requests["shaped"]
    assert {*shaped.object} == {*ours.object}
    assert list(shaped.additionalSecretOutputs) == list(ours.additionalSecretOutputs)


def test_shaped_peer_stores_what_a_service_does() -> None:
    """Every output has a value, the secrets among them; inputs are as declared."""
    given = inputs(1)
    stored = ShapedProvider().create(given).outs
    assert stored is not None
    assert given.items() <= stored.items()
    assert {*OUTPUTS, DECLARED, TOKENS} <= stored.keys()
    assert stored.keys() <= {*INPUTS, *OUTPUTS, DECLARED, TOKENS}
    assert "api_key" in stored
