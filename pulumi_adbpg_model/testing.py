"""The simulated cloud for users' own tests; see `Simulator`.

Boundary: re-exports only. `DIALECTS` and `FAULTS` document the names that it takes.
"""

from __future__ import annotations

from .simulator import DIALECTS, FAULTS, Fault, RecordedRequest, SimulatedService, Simulator

__all__ = [
    "DIALECTS",
    "FAULTS",
    "Fault",
    "RecordedRequest",
    "SimulatedService",
    "Simulator",
]
