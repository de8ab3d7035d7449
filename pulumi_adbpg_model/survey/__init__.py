"""
A real cloud, asked what the documents leave open.

Decision: reads come first and change nothing; one service is made only on demand, admits nobody,
and is deleted whatever happens. What may be told of the answers is decided by construction, and
which dialects of the simulator they fit by one table.

Inside: `_cloud` asks; `_reading` and `_trial` say what, `_ledger` has what was made until it is
gone; `_evidence` is what was seen, `_inference` what it means, `_report` and `_redaction` what is
told of it.
"""

from __future__ import annotations

from pulumi_adbpg_model.survey._cloud import (
    MARK,
    Cloud,
    admits_nobody,
    admits_others,
    is_marked,
    shows,
    whitelist_of,
)
from pulumi_adbpg_model.survey._evidence import Evidence
from pulumi_adbpg_model.survey._inference import UNTELLABLE
from pulumi_adbpg_model.survey._ledger import UNSEEN_S, Ledger, Left
from pulumi_adbpg_model.survey._reading import look
from pulumi_adbpg_model.survey._report import FORMAT, report, rows
from pulumi_adbpg_model.survey._stopping import StoppableClock
from pulumi_adbpg_model.survey._trial import (
    DELETION_S,
    Interrupted,
    Life,
    check,
    left_over,
)

__all__ = [
    "DELETION_S",
    "FORMAT",
    "MARK",
    "UNSEEN_S",
    "UNTELLABLE",
    "Cloud",
    "Evidence",
    "Interrupted",
    "Ledger",
    "Left",
    "Life",
    "StoppableClock",
    "admits_nobody",
    "admits_others",
    "check",
    "is_marked",
    "left_over",
    "look",
    "report",
    "rows",
    "shows",
    "whitelist_of",
]
