"""
A dynamic provider that does nothing: what Pulumi's host and engine cost by themselves.

It is importable, so its state holds a short reference, as ours does; one defined in the program
itself would be pickled with all its code, and cost more. It imports nothing but Pulumi, and has no
postponed annotations, which Pulumi would evaluate anew for each resource.
"""

import time
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider


class TrivialProvider(ResourceProvider):
    """Creates nothing, within the time that its input says."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait, and echo the inputs."""
        time.sleep(props["seconds"])
        return CreateResult(f"trivial-{props['number']}", props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare the inputs."""
        return DiffResult(changes=any(olds.get(name) != value for name, value in news.items()))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Find everything as it was."""
        return ReadResult(id_, props)


class Trivial(Resource, module="bench", name="Trivial"):
    """A resource of two properties."""

    number: pulumi.Output[int]
    seconds: pulumi.Output[float]

    def __init__(self, name: str, number: int, seconds: float = 0.0) -> None:
        """Declare one."""
        super().__init__(TrivialProvider(), name, {"number": number, "seconds": seconds})
