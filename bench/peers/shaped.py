"""
A trivial resource with the properties of a model service.

Pulumi's SDK, engine and host spend their time on each property, so this is what a provider costs
that does nothing with as many.
"""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource

from bench.peers.trivial import TrivialProvider
from pulumi_adbpg_model import ModelService
from pulumi_adbpg_model.state import DEFAULTS, INPUTS, OUTPUTS

__all__ = ["Shaped", "ShapedProvider"]


class ShapedProvider(TrivialProvider):
    """Gives each output a value, as a cloud does."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Echo the inputs, and make the rest up."""
        made = {name: f"a value for {name}" for name in OUTPUTS}
        return CreateResult(f"shaped-{props['db_instance_id']}", {**props, **made})


class Shaped(Resource, module="bench", name="Shaped"):
    """A resource of as many properties as `ModelService`, with as many secrets."""

    __annotations__ = dict(ModelService.__annotations__)

    def __init__(self, name: str, inputs: dict[str, Any]) -> None:
        """Declare one."""
        hidden = {
            "__urn": f"urn:pulumi:dev::bench::bench:Shaped::{name}",
            "__organization": "bench",
        }
        unset = dict.fromkeys((*INPUTS, *OUTPUTS, "__written"))
        opts = pulumi.ResourceOptions(additional_secret_outputs=["api_key"])
        super().__init__(ShapedProvider(), name, {**unset, **DEFAULTS, **inputs, **hidden}, opts)
