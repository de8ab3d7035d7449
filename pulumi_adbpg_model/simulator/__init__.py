"""A simulator of the model-service API of AnalyticDB for PostgreSQL (gpdb 2016-05-03).

Boundary: an independent reading of the API pages. It imports nothing else of this package and
no vendor SDK, so that a mistake in the provider cannot hide behind the same mistake here.
Inside: `server` > `wire` > `cloud` > `placement` and `progress` (what time does) > `dialects` >
`state`; beside them `signature`, `faults`, `backdoor` (what tests do behind the API's back),
`responses` (their bodies), `history` (for lists that lag), `store` with its `lock`, `checks` (what
tests hand over), and `console` (the page for a browser).
"""

from __future__ import annotations

from .dialects import DIALECTS, EXCLUSIVE, clashing
from .faults import FAULTS, Fault
from .records import RecordedRequest, SimulatedService
from .server import DEFAULT_MODELS, DEFAULT_NODES, Simulator
from .serving import serve_forever

__all__ = [
    "DEFAULT_MODELS",
    "DEFAULT_NODES",
    "DIALECTS",
    "EXCLUSIVE",
    "FAULTS",
    "Fault",
    "RecordedRequest",
    "SimulatedService",
    "Simulator",
    "clashing",
    "serve_forever",
]
