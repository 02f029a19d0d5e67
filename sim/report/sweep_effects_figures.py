"""The picture of differences to the baseline, point by point."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from sim.document.picture import Picture
from sim.report.palette import BLUE, INK, entitle, tidy
from sim.report.sweep_content import (
    Findings,
    instability,
    is_clear,
    most_different,
    point_label,
    point_name,
    sentences,
)
from sim.report.sweep_panels import (
    label_rows,
    panel_grid,
    reaches,
    say_no_data,
    show_plain_numbers,
    write_narrow_title,
)
from sim.report.units import format_given

MOST_ROWS = 30
"""Points in a forest plot."""


def plot_effects(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw differences to the baseline with their adjusted intervals, a row each, first on top.

    Args:
        frame: a row per point; columns `difference`, `adjusted_low`, `adjusted_high`.
        ax: where to draw.
    """
    if frame["difference"].isna().all():
        say_no_data(ax)
        return ax
    ax.axvline(0.0, color=INK, linewidth=1.0, zorder=1)
    clear = is_clear(frame).to_numpy()
    rows = np.arange(len(frame))
    reach = reaches(frame, ("difference", "adjusted_low", "adjusted_high"))
    for chosen, colour, fill in ((clear, BLUE, BLUE), (~clear, "#777777", "white")):
        ax.errorbar(
            frame["difference"].to_numpy()[chosen],
            rows[chosen],
            xerr=reach[:, chosen],
            fmt="o",
            color=colour,
            markerfacecolor=fill,
            markersize=4.5,
            elinewidth=1.3,
            capsize=2,
            zorder=3,
        )
    tidy(ax)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    show_plain_numbers(ax, "x")
    return ax


def effects_picture(found: Findings) -> Picture:
    """Return the differences to the baseline that are largest."""
    baseline = found.sweep.baseline
    shown = [n for n in most_different(found, MOST_ROWS + 1) if n != baseline]
    figure, (row,) = panel_grid(
        10.0, 1.9 + 0.22 * max(len(shown), 4), 1, len(found.shown), sharey="all"
    )
    for metric, ax in zip(found.shown, row, strict=True):
        unit = found.units[metric]
        plot_effects(found.effects[metric].loc[shown] / unit.size, ax)
        write_narrow_title(ax, metric, unit, change=True, better_is_right=True)
    label_rows(row[0], [point_label(found, number) for number in shown], found)
    name = point_name(found, baseline)
    entitle(figure, textwrap.fill(f"Difference to the baseline ({name})", 95), instability(found))
    caption = (
        "Paired differences with Holm-adjusted 95 % intervals over all points and the four "
        "metrics. Filled circles differ from it, hollow ones cannot be told apart from it."
    )
    if any(rows["adjusted_low"].isna().any() for rows in found.effects.values()):
        caption += " Without a line the interval is unknown."
    others = len(found.numbers) - 1
    if len(shown) < others:
        caption += (
            f" Of {format_given(others)} points, the {len(shown)} with the largest differences are "
            "shown, each relative to the largest of its metric."
        )
    said = [s for s in sentences(found) if s.startswith("Of the ")]
    alt = " ".join(["Forest plot of the differences to the baseline.", *said])
    return Picture("effects", figure, "What differs from the baseline?", caption, alt)
