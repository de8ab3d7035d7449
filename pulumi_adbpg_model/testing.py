"""The simulated cloud for users' own tests; see `Simulator`.

Boundary: re-exports only. `DIALECTS` and `FAULTS` document the names that it takes, `EXCLUSIVE`
which dialects cannot be in force together.
"""

from __future__ import annotations

from .simulator import (
    DIALECTS,
    EXCLUSIVE,
    FAULTS,
    Fault,
    RecordedRequest,
    SimulatedService,
    Simulator,
)

__all__ = [
    "DIALECTS",
    "EXCLUSIVE",
    "FAULTS",
    "Fault",
    "RecordedRequest",
    "SimulatedService",
    "Simulator",
]
