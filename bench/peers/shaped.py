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
from pulumi_adbpg_model.fields import DEFAULTS, INPUTS
from pulumi_adbpg_model.service.state import (
    DECLARED,
    ORGANIZATION,
    OUTPUTS,
    TOKENS,
)


class ShapedProvider(TrivialProvider):
    """Gives each output a value, as a cloud does."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Echo the inputs, and make the rest up."""
        made: dict[str, Any] = {name: f"a value for {name}" for name in OUTPUTS}
        declared = sorted(name for name in INPUTS if props.get(name) is not None)
        made |= {DECLARED: declared, TOKENS: ["the first", "the last"]}
        return CreateResult(f"shaped-{props['db_instance_id']}", {**props, **made})


class Shaped(Resource, module="bench", name="Shaped"):
    """A resource of as many properties as `ModelService`, with as many secrets."""

    __annotations__ = dict(ModelService.__annotations__)

    def __init__(self, name: str, inputs: dict[str, Any]) -> None:
        """Declare one."""
        unset = dict.fromkeys((*INPUTS, *OUTPUTS))
        hidden = {ORGANIZATION: pulumi.get_organization()}
        opts = pulumi.ResourceOptions(additional_secret_outputs=["api_key", TOKENS])
        super().__init__(ShapedProvider(), name, {**unset, **DEFAULTS, **inputs, **hidden}, opts)
