"""
The dynamic provider, as every stack stores it: Pulumi's six calls, handed on to `service`.

Module and class name are part of the state of every stack (the provider is stored by reference), so
they stay. The class keeps no state of its own when it is stored; `configure` gives it what it needs
in the provider's process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

# Programs import this module too, for the sake of the class: what it does is loaded when it is
# done, so that they start in less time and load no cloud SDK.
if TYPE_CHECKING:
    from pulumi_adbpg_model import lifecycle
    from pulumi_adbpg_model.clock import SystemClock
    from pulumi_adbpg_model.service.implementation import Implementation
    from pulumi_adbpg_model.settings import Settings

Properties = dict[str, Any]

#: What was made last for a class, and the configuration that it was made for, as the host holds it:
#: one object, for as long as it is the same.
_made: dict[type, tuple[object, Implementation]] = {}


class ModelServiceProvider(ResourceProvider):
    """Create, read, update and delete of `ModelService`, called by the engine."""

    serialize_as_secret_always = False

    def __init__(self) -> None:
        """Keep nothing: an attribute set here would be stored in every stack."""

    def __getstate__(self) -> None:
        """Store nothing either once configured, when there are credentials to give away."""

    def configure(self, req: ConfigureRequest) -> None:
        """
        Take the stack's configuration. Malformed values are reported by `check`.

        The host makes an instance for each text by which states refer to the class. Python 3.14
        pickles with another protocol than older ones, so that a program and its state may differ;
        it is one process all the same that knows whose is what.
        """
        from pulumi_adbpg_model.service.implementation import Implementation  # noqa: PLC0415

        bag = getattr(req.config, "_props", None)
        made_for, made = _made.get(type(self), (None, None))
        if made is None or bag is None or made_for is not bag:
            made = Implementation(
                req.config.get, self.new_clock(), self.new_gateway, self.export_stack
            )
            made.prepare_host()
            _made[type(self)] = bag, made
        self._implementation = made

    def new_clock(self) -> SystemClock:
        """The clock of all operations of this process; tests bring their own."""
        from pulumi_adbpg_model.clock import SystemClock  # noqa: PLC0415

        return SystemClock()

    def new_gateway(
        self, settings: Settings, clock: SystemClock, redact: Callable[[str], str]
    ) -> lifecycle.ModelServiceApi:
        """The way to the cloud under one set of settings; tests bring one that waits less."""
        from pulumi_adbpg_model.gateway import Gateway  # noqa: PLC0415

        return Gateway(settings, clock, redact=redact)

    def export_stack(self, organization: str, urn: str) -> str | None:
        """The state of the stack of a resource, as text; tests bring one of their own."""
        from pulumi_adbpg_model.service.stack import export  # noqa: PLC0415

        return export(organization, urn)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Validate inputs and configuration, reporting all that is wrong at once."""
        return self._implementation.check(olds, news)

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        """Tell what a change means: nothing, an update in place, or a replacement."""
        return self._implementation.diff(id_, olds, news)

    def create(self, props: Properties) -> CreateResult:
        """Create the service, or take one over; fails unless it becomes active, and keeps it."""
        return self._implementation.create(props)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the live service, for refresh and `.get`. Gone needs proof."""
        return self._implementation.read(id_, props)

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Change the whitelist, go on waiting, and record settings, as far as each is needed."""
        return self._implementation.update(id_, olds, news)

    def delete(self, id_: str, props: Properties) -> None:
        """Delete the service and wait until it is gone."""
        self._implementation.delete(id_, props)
