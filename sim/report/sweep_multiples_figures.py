"""Pictures of a sweep of three axes or more: small multiples and main effects."""

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.document.picture import Picture
from sim.experiment.axes import Axis
from sim.report.palette import BLACK, BLUE, GREEN, INK, PURPLE, VERMILION, entitle
from sim.report.sweep_content import (
    Findings,
    axis_name,
    instability,
    is_numeric,
    main_effect,
    on_grid,
)
from sim.report.sweep_line_figures import plot_line
from sim.report.sweep_panels import (
    INTERVALS,
    MOST_AXES,
    alt_text,
    begin_at_zero,
    finish_panel,
    in_unit,
    panel_grid,
    reaches,
    row_label,
    say_no_data,
    shown_estimates,
    value_names,
)

MOST_LINES, MOST_COLUMNS = 5, 4
"""Values of the second and third axis of small multiples."""
_STYLES = (
    (BLUE, "solid", "o"),
    (VERMILION, (0, (5, 1.5)), "s"),
    (GREEN, (0, (5, 1.5, 1, 1.5)), "^"),
    (BLACK, (0, (1, 1.2)), "D"),
    (PURPLE, (0, (9, 2)), "v"),
)


def plot_lines(lines: Mapping[str, pd.DataFrame], ax: Axes) -> Axes:
    """Draw a metric against a first axis, a line for each value of a second.

    Args:
        lines: at most five, by their label: index the numbers on the horizontal axis, columns
            `mean`, `ci_low`, `ci_high`.
        ax: where to draw.
    """
    spread = max((np.ptp(frame.index.to_numpy(dtype=float)) for frame in lines.values()), default=0)
    for number, ((label, frame), style) in enumerate(zip(lines.items(), _STYLES, strict=False)):
        colour, dashes, marker = style
        # Side by side, so that the intervals of one line do not hide those of another.
        aside = 0.012 * spread * (number - (len(lines) - 1) / 2)
        ax.errorbar(
            frame.index.to_numpy(dtype=float) + aside,
            frame["mean"],
            yerr=reaches(frame),
            color=colour,
            linestyle=dashes,
            marker=marker,
            markersize=4,
            linewidth=1.4,
            elinewidth=1.0,
            capsize=2,
            label=label,
        )
    if all(frame["mean"].isna().all() for frame in lines.values()):
        say_no_data(ax)
    return ax


def roles_of_axes(found: Findings) -> tuple[int, int, int] | None:
    """Return which axis goes across, which makes the lines and which the columns, if it fits."""
    numeric = [number for number, axis in enumerate(found.axes) if is_numeric(axis)]
    across = numeric[0] if numeric else 0
    others = [number for number in range(3) if number != across]
    sizes = [len(value_names(axis)) for axis in found.axes]
    for lines, columns in (others, others[::-1]):
        if sizes[lines] <= MOST_LINES and sizes[columns] <= MOST_COLUMNS:
            return across, lines, columns
    return None


def multiples_picture(found: Findings, roles: tuple[int, int, int]) -> Picture:
    """Return curves in a column of panels for each value of one of three axes."""
    across, by_line, by_column = (found.axes[role] for role in roles)
    columns = value_names(by_column)
    figure, panels = panel_grid(
        10.0, 2.65 * len(found.shown), len(found.shown), len(columns), "all", "row"
    )
    x, names = _positions(across)
    for metric, row in zip(found.shown, panels, strict=True):
        arrays = {
            column: np.transpose(on_grid(found, values), roles)
            for column, values in shown_estimates(found, metric).items()
        }
        for number, ax in enumerate(row):
            lines = {
                name: pd.DataFrame(
                    {key: array[:, line, number] for key, array in arrays.items()}, index=x
                )
                for line, name in enumerate(value_names(by_line))
            }
            plot_lines(lines, ax)
            finish_panel(ax, names)
        row[0].set_ylabel(row_label(found, metric), fontsize=9.5)
        begin_at_zero(row)
    for name, ax in zip(columns, panels[0], strict=True):
        ax.set_title(f"{axis_name(by_column)}: {name}", loc="left", fontsize=11, color=INK)
    for ax in panels[-1]:
        ax.set_xlabel(axis_name(across), fontsize=10)
    what = [axis_name(axis) for axis in (across, by_line, by_column)]
    entitle(
        figure,
        f"The metrics against {what[0]}, by {what[1]} and {what[2]}",
        instability(found),
    )
    _explain_lines(figure, panels, what[1])
    caption = f"Bars are {INTERVALS}; a row of panels shares its scale."
    alt = alt_text(
        found, f"Curves over {what[0]}, a line for each {what[1]}, a column per {what[2]}."
    )
    return Picture(
        "metrics", figure, f"What do {what[0]}, {what[1]} and {what[2]} do?", caption, alt
    )


def _explain_lines(figure: Figure, panels: Sequence[Sequence[Axes]], title: str) -> None:
    found = next(
        (ax.get_legend_handles_labels() for row in panels for ax in row if ax.containers), None
    )
    if found:
        handles, labels = found
        figure.legend(
            handles,
            [f"{title}: {label}" for label in labels],
            loc="outside lower center",
            ncols=len(labels),
            fontsize=9.5,
            frameon=False,
            handlelength=3.2,
        )


def _positions(axis: Axis) -> tuple[list[float], list[str]]:
    """Return where the values of an axis stand, and their names if they are no numbers."""
    listed = axis.listed or ()
    if is_numeric(axis):
        return [float(str(value)) for value in listed], []
    return [float(number) for number in range(len(listed))], value_names(axis)


def main_effects_picture(found: Findings) -> Picture:
    """Return the mean over the other axes for each metric and axis."""
    numbers = _leading_axes(found)
    rows = len(found.shown)
    figure, panels = panel_grid(
        max(10.0, 2.0 * len(numbers)), 2.55 * rows, rows, len(numbers), "col", "row"
    )
    for metric, row in zip(found.shown, panels, strict=True):
        for number, ax in zip(numbers, row, strict=True):
            frame = in_unit(found, metric, main_effect(found, metric, number))
            x, names = _positions(found.axes[number])
            plot_line(frame.set_axis(x).sort_index(), math.nan, ax)
            finish_panel(ax, names)
        row[0].set_ylabel(row_label(found, metric), fontsize=9.5)
        begin_at_zero(row)
    for number, ax in zip(numbers, panels[-1], strict=True):
        ax.set_xlabel(textwrap.fill(axis_name(found.axes[number]), 24), fontsize=10)
    left_out = len(found.axes) - len(numbers)
    entitle(figure, "What each axis does on average over the others", instability(found))
    caption = (
        "Main effects: the mean over the combinations of the other axes that have data at all "
        "values, with its 95 % interval over the replications. A row of panels shares its scale."
    )
    if left_out:
        caption += f" Of {len(found.axes)} axes, the {len(numbers)} that do most are drawn."
    alt = alt_text(found, "A panel for each metric and axis with the mean over the other axes.")
    return Picture("metrics", figure, "Which axis does what?", caption, alt)


def _leading_axes(found: Findings) -> list[int]:
    """Return the axes that move a metric most, relative to how far the metric is moved at all."""
    moved = np.zeros(len(found.axes))
    for metric in found.shown:
        ranges = np.array(
            [_spread(main_effect(found, metric, number)["mean"]) for number in range(moved.size)]
        )
        if np.nanmax(ranges, initial=0.0) > 0.0:
            moved = np.fmax(moved, ranges / np.nanmax(ranges))
    leading = np.argsort(-moved, kind="stable")[:MOST_AXES]
    return sorted(leading.tolist())


def _spread(means: pd.Series) -> float:
    """Return how far means lie apart; a value of an axis may have none."""
    return float(means.max() - means.min())
