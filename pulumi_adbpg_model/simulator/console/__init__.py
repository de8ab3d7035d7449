"""The page of the simulator: watch the cloud in a browser, and change it behind the API's back.

Boundary: no rules of the cloud. It shows what `cloud` knows, pulls the levers of `backdoor` and
`faults`, and is no part of the API: its requests are neither recorded nor signed, and no fault
or dialect bends them.
Inside: `handlers` > `guard` (who may ask), `stream` (what changed) > `picture` (what is shown).
"""

from __future__ import annotations

from .handlers import Console

__all__ = ["Console"]
