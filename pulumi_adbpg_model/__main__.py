"""`python -m pulumi_adbpg_model`: the console script under another name."""

from __future__ import annotations

from pulumi_adbpg_model.cli import main

main()
