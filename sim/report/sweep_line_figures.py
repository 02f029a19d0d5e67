"""Pictures of a sweep of one axis: curves over numbers, rows of points over anything else."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from sim.document.picture import Picture
from sim.report.palette import BLUE, INK, SKY, VERMILION, entitle, tidy
from sim.report.sweep_content import (
    Findings,
    axis_name,
    instability,
    panel_title,
    point_label,
    title_of_labels,
    value_name,
)
from sim.report.sweep_panels import (
    INTERVALS,
    MOST_ANNOTATED,
    alt_text,
    begin_at_zero,
    label_rows,
    panel_by_metric,
    panel_grid,
    reaches,
    say_no_data,
    show_plain_numbers,
    shown_estimates,
    write_footnote,
    write_narrow_title,
)
from sim.report.units import NO_DATA


def plot_line(frame: pd.DataFrame, baseline: float, ax: Axes) -> Axes:
    """Draw a metric against a number, with the band of its intervals.

    Args:
        frame: index the numbers, increasing; columns `mean`, `ci_low`, `ci_high`.
        baseline: the number that differences refer to; NaN if it is not to be marked.
        ax: where to draw.
    """
    known = frame.dropna(subset="mean")
    if known.empty:
        say_no_data(ax)
        return ax
    x = known.index.to_numpy(dtype=float)
    ax.fill_between(x, known["ci_low"], known["ci_high"], color=SKY, alpha=0.35, linewidth=0)
    ax.errorbar(
        x,
        known["mean"],
        yerr=reaches(known),
        color=BLUE,
        ecolor=BLUE,
        elinewidth=1.2,
        capsize=3,
        marker="o",
        markersize=5,
        linewidth=1.8,
        zorder=3,
    )
    if baseline in known.index:
        _mark_baseline(ax, baseline, float(known["mean"][baseline]))
    tidy(ax)
    show_plain_numbers(ax, "x")
    show_plain_numbers(ax, "y")
    begin_at_zero([ax])
    return ax


def _mark_baseline(ax: Axes, x: float, y: float) -> None:
    ax.plot(
        [x],
        [y],
        marker="D",
        markersize=8,
        markerfacecolor="white",
        markeredgecolor=VERMILION,
        markeredgewidth=2.0,
        linestyle="none",
        zorder=4,
        label="baseline",
    )


def plot_rows(frame: pd.DataFrame, baseline: int, ax: Axes) -> Axes:
    """Draw a metric of some points, a row for each, first on top.

    Args:
        frame: a row per point; columns `mean`, `ci_low`, `ci_high`.
        baseline: the row that differences refer to; -1 for none.
        ax: where to draw.
    """
    if frame["mean"].isna().all():
        say_no_data(ax)
        return ax
    rows = np.arange(len(frame))
    ax.errorbar(
        frame["mean"],
        rows,
        xerr=reaches(frame),
        fmt="o",
        color=BLUE,
        markersize=4.5,
        elinewidth=1.4,
        capsize=2.5,
        zorder=3,
    )
    for row in rows[frame["mean"].isna()]:
        ax.annotate(
            NO_DATA,
            (0.02, float(row)),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8.5,
            color="#666666",
        )
    start = float(frame["mean"].to_numpy(dtype=float)[baseline]) if baseline >= 0 else math.nan
    if not math.isnan(start):
        _mark_baseline(ax, start, float(baseline))
        ax.axvline(start, color=VERMILION, linewidth=0.8, zorder=1)
    tidy(ax)
    ax.set_xlim(0.0, 1.06 * ax.dataLim.x1 or 1.0)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    show_plain_numbers(ax, "x")
    return ax


def line_picture(found: Findings) -> Picture:
    """Return curves of the metrics over the values of a single axis."""
    axis = found.axes[0]
    figure, panels = panel_by_metric(found.shown)
    values = found.sweep.points[axis.key].to_numpy(dtype=float)
    start = values[found.numbers.index(found.sweep.baseline)]
    for metric, ax in panels.items():
        frame = shown_estimates(found, metric).set_axis(values).sort_index()
        plot_line(frame, start, ax)
        if len(values) <= MOST_ANNOTATED and ax.lines:
            ax.set_xticks(frame.index, [value_name(axis, value) for value in frame.index])
        ax.set_title(panel_title(metric, found.units[metric]), loc="left", fontsize=11, color=INK)
        ax.set_xlabel(axis_name(axis), fontsize=10)
    name = axis_name(axis)
    entitle(figure, f"The metrics against {name}", instability(found))
    write_footnote(figure, "diamond: baseline; bands and bars: 95 % intervals")
    caption = f"Bands and bars are {INTERVALS}; the diamond is the baseline."
    alt = alt_text(found, f"Four curves over {name}.")
    return Picture("metrics", figure, f"What does {name} do?", caption, alt)


def points_picture(found: Findings) -> Picture:
    """Return a row with the metrics for each point."""
    numbers = found.numbers
    figure, (row,) = panel_grid(
        10.0, 1.7 + 0.24 * max(len(numbers), 4), 1, len(found.shown), sharey="all"
    )
    for metric, ax in zip(found.shown, row, strict=True):
        plot_rows(shown_estimates(found, metric), numbers.index(found.sweep.baseline), ax)
        write_narrow_title(ax, metric, found.units[metric])
    label_rows(row[0], [point_label(found, number) for number in numbers], found)
    what = title_of_labels(found)
    entitle(figure, f"The metrics by {what}", instability(found))
    write_footnote(figure, "diamond and line: baseline; bars: 95 % intervals")
    caption = f"Bars are {INTERVALS}; the diamond and its line are the baseline."
    return Picture(
        "metrics",
        figure,
        f"How do they differ by {what}?",
        caption,
        alt_text(found, "Rows of points."),
    )
