"""The picture of a selection: how probable it is that a point is the best."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.document.picture import Picture
from sim.report.palette import BLUE, SKY, entitle, tidy, write_after
from sim.report.sweep_content import (
    Findings,
    indifference_in_words,
    instability,
    leading_candidates,
    point_name,
    shortened,
)
from sim.report.sweep_panels import panel_grid
from sim.report.units import format_percent

MOST_CANDIDATES = 10
"""Points in the picture of a selection."""


def plot_selection(probability: pd.Series, ax: Axes) -> Axes:
    """Draw how probable it is of some points to be as good as the best, the first on top.

    Args:
        probability: index the labels of the points.
        ax: where to draw.
    """
    rows = np.arange(len(probability))
    percent = 100.0 * probability.to_numpy(dtype=float)
    ax.barh(rows, percent, height=0.66, color=SKY, edgecolor=BLUE, linewidth=0.8)
    write_after(percent, [format_percent(value / 100.0) for value in percent], ax, fontsize=9.5)
    ax.set_yticks(rows, [str(label) for label in probability.index], fontsize=9.5)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(0.0, 1.12 * max(float(percent.max()), 1.0))
    ax.set_xlabel("probability of being as good as the best, %", fontsize=10)
    tidy(ax, "x")
    ax.tick_params(axis="y", length=0)
    return ax


def selection_picture(found: Findings) -> Picture:
    """Return the points that are most probably the best."""
    rows = leading_candidates(found, MOST_CANDIDATES)
    labels = [point_name(found, number) for number in rows.index]
    shown = shortened(labels, 60)
    figure, (panels,) = panel_grid(10.0, 1.6 + 0.34 * max(len(rows), 3), 1, 1)
    plot_selection(rows["best_probability"].set_axis(shown), panels[0])
    entitle(figure, "Probability of being as good as the best", instability(found))
    same = indifference_in_words(found)
    caption = (
        f"Of being the best, or within {same} of it, from means drawn again and again from the "
        "replications. That the point with the best mean is the right choice is put more "
        "carefully in the text: it was picked because it looked best."
    )
    alt = "; ".join(
        f"{label}: {format_percent(value)}"
        for label, value in zip(labels, rows["best_probability"], strict=True)
    )
    return Picture(
        "selection",
        figure,
        "Which point is best?",
        caption,
        f"Probability of being as good as the best: {alt}.",
    )
