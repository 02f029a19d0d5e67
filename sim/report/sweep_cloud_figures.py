"""Clouds of points: the pictures of sampled designs, and of many points."""

import math
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.document.picture import Picture
from sim.experiment.axes import Axis
from sim.report.palette import BLUE, SKY, entitle
from sim.report.sweep_content import Findings, axis_name, instability, is_numeric, value_name
from sim.report.sweep_panels import (
    INTERVALS,
    MOST_AXES,
    MOST_BARS,
    alt_text,
    begin_at_zero,
    finish_panel,
    panel_grid,
    row_label,
    say_no_data,
    shown_estimates,
    value_names,
)
from sim.report.units import count_noun, format_given

MOST_DOTS = 2000
"""Points of a cloud."""


def plot_cloud(frame: pd.DataFrame, bars: bool, ax: Axes) -> Axes:
    """Draw a metric of sampled points against one axis.

    Args:
        frame: a row per point; columns `x`, `mean`, `ci_low`, `ci_high`.
        bars: whether to draw the intervals.
        ax: where to draw.
    """
    if frame["mean"].isna().all():
        say_no_data(ax)
        return ax
    if bars:
        ax.vlines(frame["x"], frame["ci_low"], frame["ci_high"], color="#888888", linewidth=0.9)
    ax.scatter(
        frame["x"],
        frame["mean"],
        s=16 if bars else 7,
        facecolor=SKY,
        edgecolor=BLUE,
        linewidth=0.7,
        zorder=3,
        rasterized=not bars,
    )
    return ax


def cloud_picture(found: Findings) -> Picture:
    """Return all points over each axis, for each metric."""
    axes = found.axes[:MOST_AXES]
    drawn = found.numbers[:: math.ceil(len(found.numbers) / MOST_DOTS)]
    bars = len(drawn) <= MOST_BARS
    rows = len(found.shown)
    figure, panels = panel_grid(
        max(10.0, 2.0 * len(axes)), 2.55 * rows, rows, len(axes), "col", "row"
    )
    for metric, row in zip(found.shown, panels, strict=True):
        frame = shown_estimates(found, metric).loc[drawn]
        for axis, ax in zip(axes, row, strict=True):
            x, names = _cloud_positions(axis, found.sweep.points.loc[drawn, axis.key])
            plot_cloud(frame.assign(x=x), bars, ax)
            if not frame["mean"].isna().all():
                finish_panel(ax, names)
        row[0].set_ylabel(row_label(found, metric), fontsize=9.5)
        begin_at_zero(row)
    for axis, ax in zip(axes, panels[-1], strict=True):
        ax.set_xlabel(textwrap.fill(axis_name(axis), 24), fontsize=10)
    entitle(figure, f"The metrics of {count_noun(len(drawn), 'point')}", instability(found))
    caption = "Each circle is a point of the design, against each axis in turn"
    caption += f"; bars are {INTERVALS}." if bars else "; too many for their intervals."
    if len(drawn) < len(found.numbers):
        some, every = format_given(len(drawn)), format_given(len(found.numbers))
        caption += f" {some} of {every} points are drawn, evenly spread."
    if len(axes) < len(found.axes):
        caption += f" The first {len(axes)} of {len(found.axes)} axes are drawn."
    alt = alt_text(found, "A cloud of points for each metric and axis.")
    return Picture("metrics", figure, "What goes with what?", caption, alt)


def _cloud_positions(axis: Axis, values: pd.Series) -> tuple[list[float], list[str]]:
    if is_numeric(axis):
        return [float(value) for value in values], []
    names = value_names(axis)
    places = [float(names.index(value_name(axis, value))) for value in values]
    # Spread by the golden ratio, so that points with the same value do not cover each other.
    aside = 0.5 * ((np.arange(len(places)) * 0.618034) % 1.0 - 0.5)
    return (np.array(places) + aside).tolist(), names
