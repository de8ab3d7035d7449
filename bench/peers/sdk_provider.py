"""A dynamic provider that loads the official generated SDK, and then waits: what any would load."""

from __future__ import annotations

import os
import time
from typing import Any

from pulumi.dynamic import CreateResult, ResourceProvider


class SdkProvider(ResourceProvider):
    """Makes a client, and creates nothing, within the time that its input says."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make a client, wait, and echo the inputs."""
        # Where it is needed, as ours does.
        from bench.peers.official import official  # noqa: PLC0415

        official(os.environ)
        time.sleep(props["seconds"])
        return CreateResult(f"sdk-{props['number']}", props)
