"""The commands that a person runs, whoever carries them out: the engine, or `World` instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pulumi_adbpg_model.testing import Simulator

INSTANCE = "gp-demo"
#: The whitelist group that reaches the service on the first node.
GROUP = "models"


@dataclass(frozen=True)
class Ran:
    """
    A command that ended.

    `did` is what became of the one resource: create, same, update, replace, delete, refresh, or
    none. `errors` are the lines that a person sees, `told` all that was printed, `warned` of that
    the errors and warnings: they alone name what is left behind.
    """

    did: str
    errors: Sequence[str] = ()
    told: str = field(default="", repr=False)
    warned: str = field(default="", repr=False)

    @property
    def well(self) -> bool:
        """Whether the command succeeded."""
        return not self.errors


class Commands(Protocol):
    """One stack that declares at most one model service, named `model`."""

    simulator: Simulator

    def up(self, **inputs: Any) -> Ran:
        """`pulumi up` of a program that declares the service with these inputs."""
        ...

    def refresh(self) -> Ran:
        """`pulumi refresh`."""
        ...

    def destroy(self) -> Ran:
        """`pulumi destroy`."""
        ...

    def ids(self) -> set[str]:
        """The ids in the state."""
        ...

    def key(self) -> str | None:
        """The API key in the state."""
        ...

    def later(self, seconds: float) -> None:
        """Let time pass in the cloud."""
        ...
