"""Panels, scales and labels that the pictures of a sweep have in common.

Numbers in frames are in the unit in which they are shown; intervals are 95 % intervals.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.experiment.axes import Axis
from sim.experiment.intervals import FloatArray
from sim.metrics import catalogue
from sim.report.palette import INK, ShownFigure, tidy
from sim.report.sweep_content import (
    Findings,
    better_in_words,
    label_of,
    sentences,
    shortened,
    title_of_labels,
    value_name,
)
from sim.report.units import NO_DATA, Unit, format_given, unit_of_change
from sim.words import capitalized

Sharing = Literal["none", "all", "row", "col"]
MOST_ANNOTATED = 8
"""Rows and columns of a heat map whose cells have their number."""
MOST_AXES = 6
"""Axes that are drawn beside each other."""
MOST_BARS = 200
"""Points up to which each has its interval drawn."""
INTERVALS = "95 % intervals of the mean over the replications"


def panel_grid(
    width: float,
    height: float,
    rows: int,
    columns: int,
    sharex: Sharing = "none",
    sharey: Sharing = "none",
) -> tuple[Figure, list[list[Axes]]]:
    """Return an empty figure, in inches, with rows of axes."""
    figure = ShownFigure(figsize=(width, height), dpi=150, layout="constrained", facecolor="white")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, [list(row) for row in panels]


def panel_by_metric(metrics: Sequence[str], height: float = 7.4) -> tuple[Figure, dict[str, Axes]]:
    """Return an empty figure with axes for each metric, two in a row; the height is of two rows.

    Axes that are left over are taken out.
    """
    columns = min(2, len(metrics))
    rows = math.ceil(len(metrics) / columns)
    figure, panels = panel_grid(10.0, height * rows / 2, rows, columns)
    every = [ax for row in panels for ax in row]
    for ax in every[len(metrics) :]:
        ax.remove()
    return figure, dict(zip(metrics, every, strict=False))


def write_footnote(figure: Figure, text: str) -> None:
    """Write how to read it below a figure, which may be shown without its caption."""
    figure.supxlabel(text, x=0.99, ha="right", fontsize=9, color=INK)


def shown_estimates(found: Findings, metric: str) -> pd.DataFrame:
    """Return the estimates of a metric in its unit; an interval ends where values do."""
    return in_unit(found, metric, found.estimates[metric][["mean", "ci_low", "ci_high"]])


def in_unit(found: Findings, metric: str, estimates: pd.DataFrame) -> pd.DataFrame:
    """Return estimates of a metric in the unit of its tables; an interval ends where values do."""
    of_metric, ends = catalogue.metric(metric), ["ci_low", "ci_high"]
    frame = estimates.copy()
    frame[ends] = frame[ends].clip(lower=of_metric.lowest, upper=of_metric.highest)
    return frame / found.units[metric].size


def reaches(
    frame: pd.DataFrame, columns: Sequence[str] = ("mean", "ci_low", "ci_high")
) -> FloatArray:
    """Return how far intervals reach below and above their means, (2, rows); NaN where unknown."""
    mean, low, high = (frame[column].to_numpy(dtype=float) for column in columns)
    reach: FloatArray = np.vstack([mean - low, high - mean]).clip(min=0.0)
    return reach


def begin_at_zero(axes: Sequence[Axes]) -> None:
    """Let vertical axes that share their scale begin at zero.

    What hardly changes has to look so; the differences have a figure of their own.
    """
    tops = [ax.dataLim.y1 for ax in axes if np.isfinite(ax.dataLim.y1)]
    if tops:
        axes[0].set_ylim(0.0, 1.06 * max(tops) or 1.0)


def say_no_data(ax: Axes) -> None:
    """Write into empty axes that there is nothing to draw; ticks may be shared with others."""
    ax.text(0.5, 0.5, NO_DATA, transform=ax.transAxes, ha="center", va="center", fontsize=12)
    ax.tick_params(left=False, bottom=False, labelleft=False)
    if len(ax.get_shared_x_axes().get_siblings(ax)) == 1:
        ax.tick_params(labelbottom=False)
    for spine in ax.spines.values():
        spine.set_color("#bbbbbb")


def show_plain_numbers(ax: Axes, axis: str) -> None:
    """Show the numbers of an axis with the digits that they have."""
    which = ax.xaxis if axis == "x" else ax.yaxis
    which.set_major_formatter(FuncFormatter(lambda number, _: format_given(number)))


def alt_text(found: Findings, kind: str) -> str:
    """Return a picture in words: its kind, and what the sweep found."""
    said = " ".join(sentences(found)[: len(found.shown)])
    return f"{kind} {said}"


def write_narrow_title(
    ax: Axes, metric: str, unit: Unit, change: bool = False, better_is_right: bool = False
) -> None:
    """Write the name of a metric and its unit above a narrow panel.

    Args:
        ax: the panel.
        metric: name of the metric.
        unit: its unit.
        change: the panel shows differences.
        better_is_right: turn the axis around where less is better.
    """
    better = {"more": "→ better", "less": "← better"}.get(catalogue.metric(metric).better or "", "")
    if better_is_right and better.startswith("←"):
        ax.invert_xaxis()
        better = "→ better"
    label = textwrap.fill(capitalized(label_of(metric)), 14)
    ax.set_title(label, loc="left", fontsize=10.5, color=INK)
    name = (unit_of_change(unit) if change else unit).heading
    # Many panels are narrow ones.
    ax.set_xlabel(f"{textwrap.fill(name, 14)}   {better}", fontsize=9.5)


def label_rows(ax: Axes, labels: Sequence[str], found: Findings) -> None:
    """Write the names of points beside their rows."""
    shown = shortened(labels, 36)
    ax.set_yticks(range(len(shown)), shown, fontsize=9)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_ylabel(textwrap.fill(title_of_labels(found), 40), fontsize=9.5)


def value_names(axis: Axis) -> list[str]:
    """Return the values of an axis as ticks show them."""
    return [value_name(axis, value) for value in axis.listed or ()]


def finish_panel(ax: Axes, names: Sequence[str]) -> None:
    """Tidy a panel, and put the names of values below it if it has any."""
    tidy(ax)
    show_plain_numbers(ax, "y")
    if names:
        crowded = sum(len(name) + 2 for name in names) > 26
        ax.set_xticks(
            range(len(names)),
            names,
            rotation=30 if crowded else 0,
            ha="right" if crowded else "center",
            rotation_mode="anchor",
        )
        ax.set_xlim(-0.4, len(names) - 0.6)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(5))
        show_plain_numbers(ax, "x")


def row_label(found: Findings, metric: str) -> str:
    """Return the label of a row of panels: a metric and its unit."""
    unit = f"{found.units[metric].heading} ({better_in_words(metric)})"
    return f"{capitalized(label_of(metric))}\n{unit}"
