"""Heat maps of a sweep of two axes.

Colours are those of cividis (Nuñez, Anderton and Renslow 2018), whose lightness rises evenly for
every kind of colour vision.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LogNorm, Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from sim.document.picture import Picture
from sim.experiment.axes import Axis
from sim.experiment.intervals import FloatArray
from sim.metrics import catalogue
from sim.report.palette import INK, VERMILION, entitle
from sim.report.sweep_content import (
    Findings,
    axis_name,
    instability,
    is_clear,
    is_numeric,
    on_grid,
    panel_title,
)
from sim.report.sweep_panels import (
    MOST_ANNOTATED,
    alt_text,
    panel_by_metric,
    say_no_data,
    shown_estimates,
    value_names,
    write_footnote,
)
from sim.report.units import decimals_for, format_given, format_number

_LOG_FROM = 30.0
"""Ratio of largest to smallest from which colours follow the logarithm."""


_LEAST_SPAN = 0.25
"""Least span of the colours, relative to the largest value."""


def colours_of(better: str | None) -> Colormap:
    """Return the colours of a metric: lighter is better, or more where neither is."""
    name = "cividis_r" if better == "less" else "cividis"
    return colormaps[name].with_extremes(bad="#efefef")


def plot_heat_map(
    cells: pd.DataFrame,
    unclear: pd.DataFrame,
    baseline: tuple[int, int],
    unit: str,
    ax: Axes,
    better: str | None = None,
) -> Axes:
    """Draw a metric over two axes, with a colour bar.

    A cell whose difference to the baseline is not distinguishable from none is hatched (dotted in a
    large map); one without data is light grey and crossed out; the baseline has a frame.

    Args:
        cells: means; a row per value of the axis that goes up, a column per value of the other;
            index and columns are the names of the values.
        unclear: of the same shape: whether a cell is indistinguishable from the baseline.
        baseline: row and column of the baseline.
        unit: what stands at the colour bar.
        ax: where to draw.
        better: ``less`` makes what is less lighter; otherwise what is more is.
    """
    values = cells.to_numpy(dtype=float)
    if np.isnan(values).all():
        say_no_data(ax)
        return ax
    known = values[~np.isnan(values)]
    low, high = float(known.min()), float(known.max())
    logarithmic = low > 0.0 and high / low > _LOG_FROM
    norm = LogNorm(low, high) if logarithmic else Normalize(*_ends_of_colours(low, high))
    colours = colours_of(better)
    image = ax.imshow(
        np.ma.masked_invalid(values),
        origin="lower",
        aspect="auto",
        cmap=colours,
        norm=norm,
        interpolation="nearest",
    )
    small = max(values.shape) <= MOST_ANNOTATED
    # The same for all cells: at least two digits of the smallest.
    decimals = max(decimals_for(high), decimals_for(low) - 1)
    for row, column in np.argwhere(np.isnan(values)):
        ax.plot([column - 0.5, column + 0.5], [row - 0.5, row + 0.5], color="#999999", lw=0.8)
        ax.plot([column - 0.5, column + 0.5], [row + 0.5, row - 0.5], color="#999999", lw=0.8)
    for row, column in np.argwhere(unclear.to_numpy(dtype=bool) & ~np.isnan(values)):
        ink = _ink_on(colours(norm(values[row, column])))
        if small:
            ax.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1.0,
                    1.0,
                    fill=False,
                    hatch="///",
                    linewidth=0.0,
                    edgecolor=ink,
                    alpha=0.45,
                )
            )
        else:
            ax.plot([column], [row], marker=".", color=ink, markersize=5, linestyle="none")
    if small:
        for (row, column), value in np.ndenumerate(values):
            if not math.isnan(value):
                colour = colours(norm(value))
                ax.text(
                    column,
                    row,
                    format_number(float(value), decimals),
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=_ink_on(colour),
                    bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.2},
                )
    row, column = baseline
    for colour, width in (("white", 4.0), (VERMILION, 2.0)):
        ax.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                1.0,
                1.0,
                fill=False,
                edgecolor=colour,
                linewidth=width,
                clip_on=False,
                zorder=4,
            )
        )
    _label_cells(ax, [str(name) for name in cells.columns], [str(name) for name in cells.index])
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02)
    bar.set_label(f"{unit} (logarithmic)" if logarithmic else unit, fontsize=9)
    bar.ax.tick_params(labelsize=8.5)
    if better == "less":
        bar.ax.invert_yaxis()
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda number, _: format_given(number)))
    bar.outline.set_visible(False)
    return ax


def _ends_of_colours(low: float, high: float) -> tuple[float, float]:
    """Return the ends of a scale on which small effects look small.

    It spans at least a share of the largest value: what differs by 1 % is nearly one colour.
    """
    least = _LEAST_SPAN * max(abs(low), abs(high)) or 1.0
    missing = max(least - (high - low), 0.0)
    return low - missing / 2.0, high + missing / 2.0


def _ink_on(colour: Sequence[float]) -> str:
    red, green, blue = colour[:3]
    return "#111111" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#ffffff"


def _label_cells(ax: Axes, across: Sequence[str], up: Sequence[str]) -> None:
    def every(names: Sequence[str], room: int) -> slice:
        return slice(None, None, max(1, math.ceil(len(names) / room)))

    shown = every(across, 12)
    crowded = sum(len(name) + 1 for name in across[shown]) > 42
    ax.set_xticks(
        range(len(across))[shown],
        across[shown],
        rotation=30 if crowded else 0,
        ha="right" if crowded else "center",
        rotation_mode="anchor",
    )
    shown = every(up, 16)
    ax.set_yticks(range(len(up))[shown], up[shown])
    ax.tick_params(labelsize=9, length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def ascending(axis: Axis) -> list[int]:
    """Return the places of the values of an axis: numbers ascending, words as they are listed."""
    places = range(len(axis.listed or ()))
    if not is_numeric(axis):
        return list(places)
    return list(map(int, np.argsort(np.array(axis.listed, dtype=float), kind="stable")))


def heat_picture(found: Findings) -> Picture:
    """Return a heat map for each of the metrics."""
    across, up = found.axes
    figure, panels = panel_by_metric(found.shown, 7.6)
    orders = [ascending(axis) for axis in (up, across)]
    rows, columns = orders
    names = [
        [value_names(axis)[place] for place in order]
        for axis, order in zip((up, across), orders, strict=True)
    ]

    def placed(values: "pd.Series[float]") -> FloatArray:
        cells: FloatArray = on_grid(found, values).T[np.ix_(rows, columns)]
        return cells

    is_baseline = pd.Series(0.0, index=found.numbers)
    is_baseline[found.sweep.baseline] = 1.0
    ((row, column),) = np.argwhere(placed(is_baseline) == 1.0).tolist()
    for metric, ax in panels.items():
        cells = pd.DataFrame(placed(shown_estimates(found, metric)["mean"]), names[0], names[1])
        unclear = ~is_clear(found.effects[metric])
        unclear[found.sweep.baseline] = False
        flags = placed(unclear.reindex(found.numbers).astype(float)) > 0.0
        plot_heat_map(
            cells,
            pd.DataFrame(flags, names[0], names[1]),
            (row, column),
            found.units[metric].heading,
            ax,
            catalogue.metric(metric).better,
        )
        ax.set_title(panel_title(metric, found.units[metric]), loc="left", fontsize=11, color=INK)
        ax.set_xlabel(axis_name(across), fontsize=10)
        ax.set_ylabel(axis_name(up), fontsize=10)
    what = f"{axis_name(across)} and {axis_name(up)}"
    entitle(figure, f"The metrics over {what}", instability(found))
    mark = "hatched" if max(map(len, names)) <= MOST_ANNOTATED else "dotted"
    write_footnote(
        figure,
        f"lighter is better; frame: baseline; {mark}: cannot be told apart from it; crossed out: "
        "no data",
    )
    caption = (
        "Means over the replications; lighter is better. The frame is the baseline; "
        f"{mark} cells cannot be told apart from it (paired "
        "differences, Holm's adjustment over the whole sweep); crossed-out cells have no data. "
        "The intervals are in the table of points."
    )
    return Picture(
        "metrics",
        figure,
        f"What do {what} do together?",
        caption,
        alt_text(found, "Heat maps."),
    )
