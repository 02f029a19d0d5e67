"""The picture of a sensitivity analysis: a tornado for each of the metrics."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.document.picture import Picture
from sim.report.palette import BLACK, BLUE, INK, SKY, VERMILION, entitle, tidy
from sim.report.sweep_content import (
    Findings,
    index_decimals,
    indices_of,
    instability,
    label_of,
    name_of,
    show_index,
)
from sim.report.sweep_panels import panel_by_metric, reaches, say_no_data, show_plain_numbers
from sim.report.units import NO_DATA, unit_of_change
from sim.words import capitalized


def plot_tornado(indices: pd.DataFrame, labels: Sequence[str], ax: Axes) -> Axes:
    """Draw how much a metric depends on each axis, the strongest on top.

    Args:
        indices: a row per axis, the strongest first, index their names; columns `index`, `low`,
            `high`, and `first` for a marker inside the bar.
        labels: what stands behind each bar.
        ax: where to draw.
    """
    if indices.empty or indices["index"].isna().all():
        say_no_data(ax)
        return ax
    rows = np.arange(len(indices))
    value = indices["index"].to_numpy(dtype=float)
    ax.barh(rows, value, height=0.62, color=SKY, edgecolor=BLUE, linewidth=0.8)
    ax.errorbar(
        value,
        rows,
        xerr=reaches(indices, ("index", "low", "high")),
        fmt="none",
        ecolor=BLACK,
        elinewidth=1.2,
        capsize=3,
    )
    if "first" in indices:
        ax.plot(
            indices["first"],
            rows,
            "D",
            color="white",
            markeredgecolor=VERMILION,
            markeredgewidth=1.5,
            markersize=5.5,
        )
    ends = np.fmax(value, indices["high"].to_numpy(dtype=float))
    if "first" in indices:  # a label is clear of the diamond, too
        ends = np.fmax(ends, indices["first"].to_numpy(dtype=float))
    for row, end, label in zip(rows, ends, labels, strict=True):
        ax.annotate(
            label,
            (0.0 if math.isnan(end) else float(end), float(row)),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
        )
    ax.set_yticks(rows, [textwrap.fill(str(name), 22) for name in indices.index], fontsize=9.5)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    largest = float(np.nanmax(ends))
    ax.set_xlim(min(0.0, float(np.nanmin(indices["low"].fillna(0.0)))), 1.9 * largest or 1.0)
    tidy(ax, "x")
    show_plain_numbers(ax, "x")
    ax.tick_params(axis="y", length=0)
    return ax


def sensitivity_picture(found: Findings) -> Picture:
    """Return how much each axis moves the metrics."""
    sobol = found.sweep.design == "sobol"
    figure, panels = panel_by_metric(found.shown, 2.6 + 0.6 * max(len(found.axes), 3))
    told = []
    for metric, ax in panels.items():
        indices = indices_of(found, metric)
        decimals = index_decimals(found, indices)
        labels = [
            show_index(row, decimals) + ("" if sobol else _direction(row))
            for _, row in indices.iterrows()
        ]
        names = [name_of(found, str(key)) for key in indices.index]
        plot_tornado(indices.set_axis(names), labels, ax)
        if sobol:
            ax.set_xticks([0.0, 0.5, 1.0])
        ax.set_title(capitalized(label_of(metric)), loc="left", fontsize=11, color=INK)
        unit = unit_of_change(found.units[metric]).heading
        ax.set_xlabel(
            "share of the variance" if sobol else f"mean absolute effect, {unit}", fontsize=9.5
        )
        pairs = ", ".join(f"{name} {label}" for name, label in zip(names, labels, strict=True))
        told.append(f"{capitalized(label_of(metric))}: {pairs or NO_DATA}.")
    entitle(figure, "How much each metric depends on each axis", instability(found))
    caption = (
        "Bars are total-order Sobol indices: the share of the variance between points that would "
        "be left if all other axes were known; diamonds are first-order indices, without "
        "interactions. Bootstrapped 95 % intervals. Noise of the replications looks like "
        "interaction."
        if sobol
        else "Bars are Morris' mean absolute effect of going from one end of an axis to the other, "
        "with 95 % intervals over the trajectories. The arrow says which way the metric goes with "
        "the axis; both ways if that depends on the other axes."
    )
    return Picture(
        "sensitivity",
        figure,
        "Which dial matters most?",
        caption,
        " ".join(told),
    )


def _direction(row: "pd.Series[float]") -> str:
    share = row["mu"] / row["index"] if row["index"] > 0.0 else 0.0
    return "  ↑" if share > 0.8 else "  ↓" if share < -0.8 else "  ↕"
