"""Dialects of being seen or not: services that are gone, new or flapping, unknown instances."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_adbpg_model.simulator import errors
from pulumi_adbpg_model.simulator.errors import CloudError

INVISIBLE_SECONDS = 1.0
LONG_INVISIBLE_SECONDS = 20.0
FLAP_EVERY = 3


@dataclass(frozen=True)
class Describing:
    """What an unknown service or instance answers, and when a known one is not shown."""

    names: frozenset[str]

    def gone(self) -> CloudError | None:
        """Return what describing an unknown service is refused with; None: an empty answer."""
        if "describe-gone-empty" in self.names:
            return None
        if "describe-gone-metadb" in self.names:
            return errors.service_not_found(400, "MetaDBApiCalled.Failed")
        if "describe-gone-unknown-code" in self.names:
            return errors.service_not_found(400, "ModelServiceNotExist")
        return errors.service_not_found(400 if "describe-gone-400" in self.names else 404)

    def shows_deleted(self) -> bool:
        """Is a deleted service described as such?"""
        return bool(self.names & {"describe-gone-terminal", "describe-gone-released"})

    def flaps(self, describes: int) -> bool:
        """Is this describe of a service, by its number, answered as if it were unknown?"""
        return "describe-flaps" in self.names and describes % FLAP_EVERY == 0

    def hides(self, age_seconds: float) -> bool:
        """Is a service of this age not shown by any read yet?"""
        if "invisible-20s" in self.names:
            return age_seconds < LONG_INVISIBLE_SECONDS
        return "invisible-after-create" in self.names and age_seconds < INVISIBLE_SECONDS

    def no_instance(self) -> CloudError:
        """Return what an unknown instance is refused with."""
        if "instance-404-forbidden" in self.names:
            return errors.instance_not_found("Forbidden.InstanceNotFound")
        return errors.instance_not_found()
