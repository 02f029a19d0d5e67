"""Pictures of a sweep, chosen by its design and the number of axes that it varies.

Each plot takes a plain frame and an ``Axes``, draws into it and returns it. Numbers in the frames
are in the unit in which they are shown; intervals are 95 % intervals. As in
:mod:`sim.report.palette`, colours are those of Okabe and Ito (2008), and line styles, markers and
hatches say the same without them; heat maps use cividis (Nuñez, Anderton and Renslow 2018), whose
lightness rises evenly for every kind of colour vision.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from sim.document.picture import Picture
from sim.experiment.axes import Axis, Interval
from sim.experiment.intervals import FloatArray
from sim.experiment.pareto import pareto_front
from sim.metrics import catalogue
from sim.metrics.catalogue import headlines
from sim.report.palette import (
    BLACK,
    BLUE,
    GREEN,
    INK,
    PURPLE,
    SKY,
    VERMILION,
    entitle,
    tidy,
    write_after,
)
from sim.report.sweep_content import (
    COST,
    Findings,
    axis_name,
    better_in_words,
    indices_of,
    instability,
    is_clear,
    is_numeric,
    label_of,
    leading_candidates,
    main_effect,
    most_different,
    name_of,
    on_grid,
    panel_title,
    point_label,
    point_name,
    sentences,
    shortened,
    show_index,
    title_of_labels,
    value_name,
)
from sim.report.units import (
    NO_DATA,
    Unit,
    count_noun,
    decimals_for,
    format_given,
    format_number,
    format_percent,
    unit_of_change,
)
from sim.words import capitalized

MOST_ROWS = 30
"""Points in a forest plot."""
MOST_NAMED_POINTS = 60
"""Points with a row of their own; more of them are drawn as a cloud."""
MOST_ANNOTATED = 8
"""Rows and columns of a heat map whose cells have their number."""
MOST_LINES, MOST_COLUMNS = 5, 4
"""Values of the second and third axis of small multiples."""
MOST_AXES = 6
"""Axes that are drawn beside each other."""
MOST_BARS = 200
"""Points up to which each has its interval drawn in a cloud."""
MOST_DOTS = 2000
"""Points of a cloud."""
MOST_CANDIDATES = 10
"""Points in the picture of a selection."""

Sharing = Literal["none", "all", "row", "col"]
_STYLES = (
    (BLUE, "solid", "o"),
    (VERMILION, (0, (5, 1.5)), "s"),
    (GREEN, (0, (5, 1.5, 1, 1.5)), "^"),
    (BLACK, (0, (1, 1.2)), "D"),
    (PURPLE, (0, (9, 2)), "v"),
)
_INTERVALS = "95 % intervals of the mean over the replications"
_LONGEST_LABEL = 14
"""Letters up to which points of a front are labelled with their values."""
_LOG_FROM = 30.0
"""Ratio of largest to smallest from which colours follow the logarithm."""


def sweep_pictures(found: Findings) -> list[Picture]:
    """Return the pictures of a sweep.

    `metrics` shows the four metrics against what was swept: lines for one axis, heat maps for two,
    small multiples or main effects for more, clouds for sampled designs. `sensitivity` follows for
    the designs that have one, `effects` (differences to the baseline) unless nothing is known of
    any, `pareto` if there are prices, `selection` if there was a goal.

    Args:
        found: what :func:`sim.report.sweep_content.findings` read of it.
    """
    pictures = []
    if found.axes:
        pictures.append(_metrics_picture(found))
    if found.indices is not None:
        pictures.append(_sensitivity_picture(found))
    if found.has_baseline and any(rows.notna().any(axis=None) for rows in found.effects.values()):
        pictures.append(_effects_picture(found))
    if found.is_priced and len(found.sweep.points) > 1:
        pictures.append(_pareto_picture(found))
    if found.selection is not None and found.selection.table["best_probability"].notna().any():
        pictures.append(_selection_picture(found))
    return pictures


def _metrics_picture(found: Findings) -> Picture:
    if found.sweep.design in ("lhs", "sobol", "morris"):
        return _cloud_picture(found)
    if len(found.axes) == 1 and is_numeric(found.axes[0]):
        return _line_picture(found)
    if len(found.axes) == 1 or found.sweep.design == "zip":
        few = len(found.sweep.points) <= MOST_NAMED_POINTS
        return _points_picture(found) if few else _cloud_picture(found)
    if len(found.axes) == 2:
        return _heat_picture(found)
    if len(found.axes) == 3 and (roles := _roles(found)):
        return _multiples_picture(found, roles)
    return _main_effects_picture(found)


def _panels(
    width: float,
    height: float,
    rows: int,
    columns: int,
    sharex: Sharing = "none",
    sharey: Sharing = "none",
) -> tuple[Figure, list[list[Axes]]]:
    """Return an empty figure, in inches, with rows of axes."""
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained", facecolor="white")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, [list(row) for row in panels]


def _by_metric(height: float = 7.4) -> tuple[Figure, dict[str, Axes]]:
    """Return an empty figure with axes for each headline, two in a row; the height is of two rows.

    Axes that are left over are taken out.
    """
    rows = math.ceil(len(headlines()) / 2)
    figure, panels = _panels(10.0, height * rows / 2, rows, 2)
    every = [ax for row in panels for ax in row]
    for ax in every[len(headlines()) :]:
        ax.remove()
    return figure, dict(zip(headlines(), every, strict=False))


def _footnote(figure: Figure, text: str) -> None:
    """Write how to read it below a figure, which may be shown without its caption."""
    figure.supxlabel(text, x=0.99, ha="right", fontsize=9, color=INK)


def _shown(found: Findings, metric: str) -> pd.DataFrame:
    """Return the estimates of a metric in its unit; an interval ends where values do."""
    return _in_unit(found, metric, found.estimates[metric][["mean", "ci_low", "ci_high"]])


def _in_unit(found: Findings, metric: str, estimates: pd.DataFrame) -> pd.DataFrame:
    of_metric, ends = catalogue.metric(metric), ["ci_low", "ci_high"]
    frame = estimates.copy()
    frame[ends] = frame[ends].clip(lower=of_metric.lowest, upper=of_metric.highest)
    return frame / found.units[metric].size


def _reach(
    frame: pd.DataFrame, columns: Sequence[str] = ("mean", "ci_low", "ci_high")
) -> FloatArray:
    """Return how far intervals reach below and above their means, (2, rows); 0 where unknown."""
    mean, low, high = (frame[column].to_numpy(dtype=float) for column in columns)
    reach: FloatArray = np.nan_to_num(np.vstack([mean - low, high - mean])).clip(min=0.0)
    return reach


def _from_zero(axes: Sequence[Axes]) -> None:
    """Let vertical axes that share their scale begin at zero.

    What hardly changes has to look so; the differences have a figure of their own.
    """
    tops = [ax.dataLim.y1 for ax in axes if np.isfinite(ax.dataLim.y1)]
    if tops:
        axes[0].set_ylim(0.0, 1.06 * max(tops) or 1.0)


def _say_no_data(ax: Axes) -> None:
    """Write into empty axes that there is nothing to draw; ticks may be shared with others."""
    ax.text(0.5, 0.5, NO_DATA, transform=ax.transAxes, ha="center", va="center", fontsize=12)
    ax.tick_params(left=False, bottom=False, labelleft=False)
    if len(ax.get_shared_x_axes().get_siblings(ax)) == 1:
        ax.tick_params(labelbottom=False)
    for spine in ax.spines.values():
        spine.set_color("#bbbbbb")


def _plain_numbers(ax: Axes, axis: str) -> None:
    which = ax.xaxis if axis == "x" else ax.yaxis
    which.set_major_formatter(FuncFormatter(lambda number, _: _plain(number)))


def _plain(number: float) -> str:
    return format_given(number)


def _alt(found: Findings, kind: str) -> str:
    said = " ".join(sentences(found)[: len(headlines())])
    return f"{kind} {said}"


# --- one axis ------------------------------------------------------------------------------------


def plot_line(frame: pd.DataFrame, baseline: float, ax: Axes) -> Axes:
    """Draw a metric against a number, with the band of its intervals.

    Args:
        frame: index the numbers, increasing; columns `mean`, `ci_low`, `ci_high`.
        baseline: the number that differences refer to; NaN if it is not to be marked.
        ax: where to draw.
    """
    known = frame.dropna(subset="mean")
    if known.empty:
        _say_no_data(ax)
        return ax
    x = known.index.to_numpy(dtype=float)
    ax.fill_between(x, known["ci_low"], known["ci_high"], color=SKY, alpha=0.35, linewidth=0)
    ax.errorbar(
        x,
        known["mean"],
        yerr=_reach(known),
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
    _plain_numbers(ax, "x")
    _plain_numbers(ax, "y")
    _from_zero([ax])
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
        _say_no_data(ax)
        return ax
    rows = np.arange(len(frame))
    ax.errorbar(
        frame["mean"],
        rows,
        xerr=_reach(frame),
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
    _plain_numbers(ax, "x")
    return ax


def _line_picture(found: Findings) -> Picture:
    axis = found.axes[0]
    figure, panels = _by_metric()
    values = found.sweep.points[axis.key].to_numpy(dtype=float)
    start = values[found.numbers.index(found.sweep.baseline)]
    for metric, ax in panels.items():
        frame = _shown(found, metric).set_axis(values).sort_index()
        plot_line(frame, start, ax)
        if len(values) <= MOST_ANNOTATED and ax.lines:
            ax.set_xticks(frame.index, [value_name(axis, value) for value in frame.index])
        ax.set_title(panel_title(metric, found.units[metric]), loc="left", fontsize=11, color=INK)
        ax.set_xlabel(axis_name(axis), fontsize=10)
    name = axis_name(axis)
    entitle(figure, f"The four metrics against {name}", instability(found))
    _footnote(figure, "diamond: baseline; bands and bars: 95 % intervals")
    caption = f"Bands and bars are {_INTERVALS}; the diamond is the baseline."
    alt = _alt(found, f"Four curves over {name}.")
    return Picture("metrics", figure, f"What does {name} do?", caption, alt)


def _points_picture(found: Findings) -> Picture:
    numbers = found.numbers
    figure, (row,) = _panels(
        10.0, 1.7 + 0.24 * max(len(numbers), 4), 1, len(headlines()), sharey="all"
    )
    for metric, ax in zip(headlines(), row, strict=True):
        plot_rows(_shown(found, metric), numbers.index(found.sweep.baseline), ax)
        _narrow_title(ax, metric, found.units[metric])
    _label_rows(row[0], [point_label(found, number) for number in numbers], found)
    what = title_of_labels(found)
    entitle(figure, f"The four metrics by {what}", instability(found))
    _footnote(figure, "diamond and line: baseline; bars: 95 % intervals")
    caption = f"Bars are {_INTERVALS}; the diamond and its line are the baseline."
    return Picture(
        "metrics", figure, f"How do they differ by {what}?", caption, _alt(found, "Rows of points.")
    )


def _narrow_title(ax: Axes, metric: str, unit: Unit, change: bool = False) -> None:
    better = {"more": "→ better", "less": "← better"}.get(catalogue.metric(metric).better or "", "")
    label = textwrap.fill(capitalized(label_of(metric)), 14)
    ax.set_title(label, loc="left", fontsize=10.5, color=INK)
    name = (unit_of_change(unit) if change else unit).heading
    ax.set_xlabel(f"{name}   {better}", fontsize=9.5)


def _label_rows(ax: Axes, labels: Sequence[str], found: Findings) -> None:
    shown = shortened(labels, 36)
    ax.set_yticks(range(len(shown)), shown, fontsize=9)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_ylabel(textwrap.fill(title_of_labels(found), 40), fontsize=9.5)


# --- two axes ------------------------------------------------------------------------------------


def plot_heat_map(
    cells: pd.DataFrame, unclear: pd.DataFrame, baseline: tuple[int, int], unit: str, ax: Axes
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
    """
    values = cells.to_numpy(dtype=float)
    if np.isnan(values).all():
        _say_no_data(ax)
        return ax
    known = values[~np.isnan(values)]
    low, high = float(known.min()), float(known.max())
    logarithmic = low > 0.0 and high / low > _LOG_FROM
    norm = LogNorm(low, high) if logarithmic else Normalize(low, high if high > low else low + 1)
    colours = colormaps["cividis"].with_extremes(bad="#efefef")
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
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda number, _: _plain(number)))
    bar.outline.set_visible(False)
    return ax


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


def _heat_picture(found: Findings) -> Picture:
    across, up = found.axes
    figure, panels = _by_metric(7.6)
    names = [_value_names(axis) for axis in (up, across)]
    place = found.numbers.index(found.sweep.baseline)
    column, row = divmod(place, len(names[0]))
    for metric, ax in panels.items():
        cells = pd.DataFrame(on_grid(found, _shown(found, metric)["mean"]).T, names[0], names[1])
        unclear = ~is_clear(found.effects[metric])
        unclear[found.sweep.baseline] = False
        flags = on_grid(found, unclear.reindex(found.numbers).astype(float)).T > 0.0
        plot_heat_map(
            cells,
            pd.DataFrame(flags, names[0], names[1]),
            (row, column),
            found.units[metric].heading,
            ax,
        )
        ax.set_title(panel_title(metric, found.units[metric]), loc="left", fontsize=11, color=INK)
        ax.set_xlabel(axis_name(across), fontsize=10)
        ax.set_ylabel(axis_name(up), fontsize=10)
    what = f"{axis_name(across)} and {axis_name(up)}"
    entitle(figure, f"The four metrics over {what}", instability(found))
    mark = "hatched" if max(map(len, names)) <= MOST_ANNOTATED else "dotted"
    _footnote(
        figure, f"frame: baseline; {mark}: cannot be told apart from it; crossed out: no data"
    )
    caption = (
        "Means over the replications. The frame is the baseline; "
        f"{mark} cells cannot be told apart from it (paired "
        "differences, Holm's adjustment over the whole sweep); crossed-out cells have no data. "
        "The intervals are in the table of points."
    )
    return Picture(
        "metrics", figure, f"What do {what} do together?", caption, _alt(found, "Four heat maps.")
    )


def _value_names(axis: Axis) -> list[str]:
    assert not isinstance(axis.values, Interval)  # only listed values make a grid
    return [value_name(axis, value) for value in axis.values]


# --- three axes and more -------------------------------------------------------------------------


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
            yerr=_reach(frame),
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
        _say_no_data(ax)
    return ax


def _roles(found: Findings) -> tuple[int, int, int] | None:
    """Return which axis goes across, which makes the lines and which the columns, if it fits."""
    numeric = [number for number, axis in enumerate(found.axes) if is_numeric(axis)]
    across = numeric[0] if numeric else 0
    others = [number for number in range(3) if number != across]
    sizes = [len(_value_names(axis)) for axis in found.axes]
    for lines, columns in (others, others[::-1]):
        if sizes[lines] <= MOST_LINES and sizes[columns] <= MOST_COLUMNS:
            return across, lines, columns
    return None


def _multiples_picture(found: Findings, roles: tuple[int, int, int]) -> Picture:
    across, by_line, by_column = (found.axes[role] for role in roles)
    columns = _value_names(by_column)
    figure, panels = _panels(10.0, 10.6, len(headlines()), len(columns), "all", "row")
    x, names = _positions(across)
    for metric, row in zip(headlines(), panels, strict=True):
        arrays = {
            column: np.transpose(on_grid(found, values), roles)
            for column, values in _shown(found, metric).items()
        }
        for number, ax in enumerate(row):
            lines = {
                name: pd.DataFrame(
                    {key: array[:, line, number] for key, array in arrays.items()}, index=x
                )
                for line, name in enumerate(_value_names(by_line))
            }
            plot_lines(lines, ax)
            _finish_panel(ax, names)
        row[0].set_ylabel(_row_label(found, metric), fontsize=9.5)
        _from_zero(row)
    for name, ax in zip(columns, panels[0], strict=True):
        ax.set_title(f"{axis_name(by_column)}: {name}", loc="left", fontsize=11, color=INK)
    for ax in panels[-1]:
        ax.set_xlabel(axis_name(across), fontsize=10)
    what = [axis_name(axis) for axis in (across, by_line, by_column)]
    entitle(
        figure,
        f"The four metrics against {what[0]}, by {what[1]} and {what[2]}",
        instability(found),
    )
    _explain_lines(figure, panels, what[1])
    caption = f"Bars are {_INTERVALS}; a row of panels shares its scale."
    alt = _alt(found, f"Curves over {what[0]}, a line for each {what[1]}, a column per {what[2]}.")
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
    assert not isinstance(axis.values, Interval)
    if is_numeric(axis):
        return [float(str(value)) for value in axis.values], []
    return [float(number) for number in range(len(axis.values))], _value_names(axis)


def _finish_panel(ax: Axes, names: Sequence[str]) -> None:
    tidy(ax)
    _plain_numbers(ax, "y")
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
        _plain_numbers(ax, "x")


def _row_label(found: Findings, metric: str) -> str:
    unit = f"{found.units[metric].heading} ({better_in_words(metric)})"
    return f"{capitalized(label_of(metric))}\n{unit}"


def _main_effects_picture(found: Findings) -> Picture:
    numbers = _leading_axes(found)
    figure, panels = _panels(
        max(10.0, 2.0 * len(numbers)), 10.2, len(headlines()), len(numbers), "col", "row"
    )
    for metric, row in zip(headlines(), panels, strict=True):
        for number, ax in zip(numbers, row, strict=True):
            frame = _in_unit(found, metric, main_effect(found, metric, number))
            x, names = _positions(found.axes[number])
            plot_line(frame.set_axis(x).sort_index(), math.nan, ax)
            _finish_panel(ax, names)
        row[0].set_ylabel(_row_label(found, metric), fontsize=9.5)
        _from_zero(row)
    for number, ax in zip(numbers, panels[-1], strict=True):
        ax.set_xlabel(textwrap.fill(axis_name(found.axes[number]), 24), fontsize=10)
    left_out = len(found.axes) - len(numbers)
    entitle(figure, "What each axis does on average over the others", instability(found))
    caption = (
        "Main effects: the mean over all values of the other axes. The interval of such a mean is "
        "no wider than the intervals of the points are on average, which is what is drawn. A row "
        "of panels shares its scale."
    )
    if left_out:
        caption += f" Of {len(found.axes)} axes, the {len(numbers)} that do most are drawn."
    alt = _alt(found, "A panel for each metric and axis with the mean over the other axes.")
    return Picture("metrics", figure, "Which axis does what?", caption, alt)


def _leading_axes(found: Findings) -> list[int]:
    """Return the axes that move a metric most, relative to how far the metric is moved at all."""
    moved = np.zeros(len(found.axes))
    for metric in headlines():
        ranges = np.array(
            [np.ptp(main_effect(found, metric, number)["mean"]) for number in range(moved.size)]
        )
        if np.nanmax(ranges, initial=0.0) > 0.0:
            moved = np.fmax(moved, ranges / np.nanmax(ranges))
    leading = np.argsort(-moved, kind="stable")[:MOST_AXES]
    return sorted(leading.tolist())


# --- samples -------------------------------------------------------------------------------------


def plot_cloud(frame: pd.DataFrame, bars: bool, ax: Axes) -> Axes:
    """Draw a metric of sampled points against one axis.

    Args:
        frame: a row per point; columns `x`, `mean`, `ci_low`, `ci_high`.
        bars: whether to draw the intervals.
        ax: where to draw.
    """
    if frame["mean"].isna().all():
        _say_no_data(ax)
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


def _cloud_picture(found: Findings) -> Picture:
    axes = found.axes[:MOST_AXES]
    drawn = found.numbers[:: math.ceil(len(found.numbers) / MOST_DOTS)]
    bars = len(drawn) <= MOST_BARS
    figure, panels = _panels(
        max(10.0, 2.0 * len(axes)), 10.2, len(headlines()), len(axes), "col", "row"
    )
    for metric, row in zip(headlines(), panels, strict=True):
        frame = _shown(found, metric).loc[drawn]
        for axis, ax in zip(axes, row, strict=True):
            x, names = _cloud_positions(axis, found.sweep.points.loc[drawn, axis.key])
            plot_cloud(frame.assign(x=x), bars, ax)
            if not frame["mean"].isna().all():
                _finish_panel(ax, names)
        row[0].set_ylabel(_row_label(found, metric), fontsize=9.5)
        _from_zero(row)
    for axis, ax in zip(axes, panels[-1], strict=True):
        ax.set_xlabel(textwrap.fill(axis_name(axis), 24), fontsize=10)
    entitle(figure, f"The four metrics of {count_noun(len(drawn), 'point')}", instability(found))
    caption = "Each circle is a point of the design, against each axis in turn"
    caption += f"; bars are {_INTERVALS}." if bars else "; too many for their intervals."
    if len(drawn) < len(found.numbers):
        some, every = format_given(len(drawn)), format_given(len(found.numbers))
        caption += f" {some} of {every} points are drawn, evenly spread."
    if len(axes) < len(found.axes):
        caption += f" The first {len(axes)} of {len(found.axes)} axes are drawn."
    alt = _alt(found, "A cloud of points for each metric and axis.")
    return Picture("metrics", figure, "What goes with what?", caption, alt)


def _cloud_positions(axis: Axis, values: pd.Series) -> tuple[list[float], list[str]]:
    if is_numeric(axis):
        return [float(value) for value in values], []
    assert not isinstance(axis.values, Interval)
    names = _value_names(axis)
    places = [float(names.index(value_name(axis, value))) for value in values]
    # Spread by the golden ratio, so that points with the same value do not cover each other.
    aside = 0.5 * ((np.arange(len(places)) * 0.618034) % 1.0 - 0.5)
    return (np.array(places) + aside).tolist(), names


# --- which dial matters --------------------------------------------------------------------------


def plot_tornado(indices: pd.DataFrame, labels: Sequence[str], ax: Axes) -> Axes:
    """Draw how much a metric depends on each axis, the strongest on top.

    Args:
        indices: a row per axis, the strongest first, index their names; columns `index`, `low`,
            `high`, and `first` for a marker inside the bar.
        labels: what stands behind each bar.
        ax: where to draw.
    """
    if indices.empty or indices["index"].isna().all():
        _say_no_data(ax)
        return ax
    rows = np.arange(len(indices))
    value = indices["index"].to_numpy(dtype=float)
    ax.barh(rows, value, height=0.62, color=SKY, edgecolor=BLUE, linewidth=0.8)
    ax.errorbar(
        value,
        rows,
        xerr=_reach(indices, ("index", "low", "high")),
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
    for row, end, label in zip(rows, ends, labels, strict=True):
        ax.annotate(
            label,
            (0.0 if math.isnan(end) else float(end), float(row)),
            xytext=(5, 0),
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
    _plain_numbers(ax, "x")
    ax.tick_params(axis="y", length=0)
    return ax


def _sensitivity_picture(found: Findings) -> Picture:
    sobol = found.sweep.design == "sobol"
    figure, panels = _by_metric(2.6 + 0.6 * max(len(found.axes), 3))
    told = []
    for metric, ax in panels.items():
        indices = indices_of(found, metric)
        labels = [
            show_index(row) + ("" if sobol else _direction(row)) for _, row in indices.iterrows()
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


# --- differences to the baseline -----------------------------------------------------------------


def plot_effects(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Draw differences to the baseline with their adjusted intervals, a row each, first on top.

    Args:
        frame: a row per point; columns `difference`, `adjusted_low`, `adjusted_high`.
        ax: where to draw.
    """
    if frame["difference"].isna().all():
        _say_no_data(ax)
        return ax
    ax.axvline(0.0, color=INK, linewidth=1.0, zorder=1)
    clear = is_clear(frame).to_numpy()
    rows = np.arange(len(frame))
    reach = _reach(frame, ("difference", "adjusted_low", "adjusted_high"))
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
    _plain_numbers(ax, "x")
    return ax


def _effects_picture(found: Findings) -> Picture:
    baseline = found.sweep.baseline
    shown = [n for n in most_different(found, MOST_ROWS + 1) if n != baseline]
    figure, (row,) = _panels(
        10.0, 1.9 + 0.22 * max(len(shown), 4), 1, len(headlines()), sharey="all"
    )
    for metric, ax in zip(headlines(), row, strict=True):
        unit = found.units[metric]
        plot_effects(found.effects[metric].loc[shown] / unit.size, ax)
        _narrow_title(ax, metric, unit, change=True)
    _label_rows(row[0], [point_label(found, number) for number in shown], found)
    name = point_name(found, baseline)
    entitle(figure, textwrap.fill(f"Difference to the baseline ({name})", 95), instability(found))
    caption = (
        "Paired differences with Holm-adjusted 95 % intervals over all points and the four "
        "metrics. Filled circles differ from it, hollow ones cannot be told apart from it."
    )
    others = len(found.numbers) - 1
    if len(shown) < others:
        caption += (
            f" Of {format_given(others)} points, the {len(shown)} with the largest differences are "
            "shown, each relative to the largest of its metric."
        )
    said = [s for s in sentences(found) if s.startswith("Of the ")]
    alt = " ".join(["Forest plot of the differences to the baseline.", *said])
    return Picture("effects", figure, "What differs from the baseline?", caption, alt)


# --- cost ----------------------------------------------------------------------------------------


def plot_pareto(frame: pd.DataFrame, larger_is_better: bool, ax: Axes) -> Axes:
    """Draw a metric against cost, and the front of the points that none beats in both.

    Args:
        frame: a row per point; `cost`, `cost_low`, `cost_high`, `mean`, `ci_low`, `ci_high`,
            `front` (bool) and `label`.
        larger_is_better: whether more of the metric is better; less cost always is.
        ax: where to draw.
    """
    known = frame.dropna(subset=["cost", "mean"])
    if known.empty:
        _say_no_data(ax)
        return ax
    beaten = known[~known["front"]]
    ax.scatter(
        beaten["cost"], beaten["mean"], s=16, facecolor="white", edgecolor="#999999", zorder=3
    )
    for rows, colour, width in ((beaten, "#c8c8c8", 0.7), (known[known["front"]], BLUE, 1.0)):
        if len(rows) <= MOST_BARS:
            ax.errorbar(
                rows["cost"],
                rows["mean"],
                xerr=_reach(rows, ("cost", "cost_low", "cost_high")),
                yerr=_reach(rows),
                fmt="none",
                ecolor=colour,
                elinewidth=width,
                zorder=2,
            )
    front = known[known["front"]].sort_values("cost")
    ax.step(
        front["cost"],
        front["mean"],
        where="post",
        color=BLUE,
        linewidth=1.2,
        marker="o",
        markersize=5,
        zorder=4,
    )
    ax.margins(0.12)
    ax.autoscale_view()
    _label_front(front, larger_is_better, ax)
    tidy(ax)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    _plain_numbers(ax, "x")
    _plain_numbers(ax, "y")
    return ax


def _label_front(front: pd.DataFrame, larger_is_better: bool, ax: Axes) -> None:
    """Write beside the points of the front, on the side where no point can be."""
    taken: list[Bbox] = []
    for label, cost, mean in zip(front["label"], front["cost"], front["mean"], strict=True):
        text = ax.annotate(
            str(label),
            (float(cost), float(mean)),
            ha="right",
            va="bottom" if larger_is_better else "top",
            textcoords="offset points",
            xytext=(-4, 4 if larger_is_better else -4),
            fontsize=8.5,
            color=INK,
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
        )
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)


def _pareto_picture(found: Findings) -> Picture:
    figure, panels = _by_metric()
    labels = [point_label(found, number) for number in found.numbers]
    named = title_of_labels(found)
    if max(map(len, labels)) > _LONGEST_LABEL:
        labels = [f"#{number}" for number in found.numbers]
        named = "numbers of the points, as in the tables"
    cost = _shown(found, COST).set_axis(["cost", "cost_low", "cost_high"], axis="columns")
    told = []
    for metric, ax in panels.items():
        frame = pd.concat([cost, _shown(found, metric)], axis="columns")
        larger = catalogue.metric(metric).better == "more"
        frame["front"] = pareto_front(
            frame[["cost", "mean"]].to_numpy(dtype=float), [False, larger]
        )
        frame["label"] = labels
        plot_pareto(frame, larger, ax)
        ax.set_title(panel_title(metric, found.units[metric]), loc="left", fontsize=11, color=INK)
        ax.set_xlabel(found.units[COST].heading, fontsize=10)
        best = frame[frame["front"]].sort_values("cost")["label"]
        told.append(f"{capitalized(label_of(metric))}: {'; '.join(best) or NO_DATA}.")
    entitle(figure, "Cost against each of the four metrics", instability(found))
    _footnote(figure, f"joined: Pareto front; labels: {named}; bars: 95 % intervals")
    caption = (
        "Joined points are the Pareto front: no other point is both cheaper and better, going by "
        f"the means. Labels are {named}; those that would cover others are left "
        "out. "
        f"Bars are {_INTERVALS}."
    )
    alt = f"Pareto fronts of cost, the cheapest first. {' '.join(told)}"
    return Picture("pareto", figure, "What does better cost?", caption, alt)


# --- selection -----------------------------------------------------------------------------------


def plot_selection(probability: pd.Series, ax: Axes) -> Axes:
    """Draw the probability of being the best of each of some points, the first on top.

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
    ax.set_xlabel("probability of being the best, %", fontsize=10)
    tidy(ax, "x")
    ax.tick_params(axis="y", length=0)
    return ax


def _selection_picture(found: Findings) -> Picture:
    rows = leading_candidates(found, MOST_CANDIDATES)
    labels = [point_name(found, number) for number in rows.index]
    shown = shortened(labels, 60)
    figure, (panels,) = _panels(10.0, 1.6 + 0.34 * max(len(rows), 3), 1, 1)
    plot_selection(rows["best_probability"].set_axis(shown), panels[0])
    entitle(figure, "Probability of being the best", instability(found))
    caption = (
        "From draws of the means given what the replications say of them. That the point with the "
        "best mean is the right choice is put more carefully in the text: it was picked because it "
        "looked best."
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
        f"Probability of being the best: {alt}.",
    )
