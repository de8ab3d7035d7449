"""How charts look: one style, and SVG files that change only when what they show does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler

mpl.use("svg")

from matplotlib import pyplot as plt

#: Ours first; peers in the order in which a chart shows them.
COLOURS = ("#2563eb", "#6b7280", "#d97706", "#059669", "#9333ea", "#dc2626", "#0891b2", "#65a30d")
PALE = "#d1d5db"

plt.rcParams.update(
    {
        "axes.grid": True,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 11,
        "figure.constrained_layout.use": True,
        "font.family": "sans-serif",
        "font.size": 10,
        "grid.color": "#e5e7eb",
        "legend.frameon": False,
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "bench",  # names of its parts that do not change
    }
)


def subplots(columns: int = 1) -> Any:
    """A figure and its axes, side by side."""
    return plt.subplots(1, columns, figsize=(5.4 * columns if columns > 1 else 7.2, 3.8))


def save(figure: Any, path: Path) -> None:
    """Write the figure, and forget it."""
    # Not transparent: pages are dark for some readers.
    figure.savefig(path, format="svg", metadata={"Date": None}, facecolor="white")
    plt.close(figure)
