"""Pictures of an adaptive sweep: the surface of each metric, and how wide its intervals are.

Colours are those of cividis, as in :mod:`sim.report.sweep_heat_figures`.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.document.picture import Picture
from sim.experiment.adaptive import Fit
from sim.experiment.intervals import FloatArray
from sim.report.palette import INK, VERMILION, entitle
from sim.report.surface_content import Asked, Told, answer_sentences, crossing_value
from sim.report.sweep_content import Findings, better_in_words, instability
from sim.report.sweep_panels import panel_grid, show_plain_numbers, write_footnote
from sim.report.units import format_given, unit_of_change
from sim.words import capitalized, listed

_LOG_FROM = 30.0
"""Ratio of largest to smallest from which colours follow the logarithm."""


def plot_surface(
    surface: pd.DataFrame,
    points: pd.DataFrame,
    unit: str,
    ends: tuple[float, float],
    ax: Axes,
    line: float | None = None,
    undecided: pd.DataFrame | None = None,
    best: tuple[float, float] | None = None,
) -> Axes:
    """Draw values over two keys, with the points that were simulated and a colour bar.

    Args:
        surface: values; index and columns are those of the keys up and across. NaN is without data.
        points: columns `across`, `up` and `n`, the replications of each point.
        unit: what stands at the colour bar.
        ends: smallest and largest value of the colours.
        ax: where to draw.
        line: a value whose line is drawn.
        undecided: of the shape of the surface: which places may be on either side of the line.
        best: where a star is drawn.
    """
    across, up = surface.columns.to_numpy(dtype=float), surface.index.to_numpy(dtype=float)
    values = surface.to_numpy(dtype=float)
    low, high = ends
    logarithmic = low > 0.0 and high / low > _LOG_FROM
    norm = LogNorm(low, high) if logarithmic else Normalize(low, high if high > low else low + 1.0)
    colours = colormaps["cividis"].with_extremes(bad="#efefef")
    image = ax.pcolormesh(
        across, up, np.ma.masked_invalid(values), cmap=colours, norm=norm, shading="nearest"
    )
    if undecided is not None and undecided.to_numpy().any():
        flags = undecided.to_numpy(dtype=float)
        ax.contourf(across, up, flags, [0.5, 1.5], colors="none", hatches=["///"])
        ax.contour(across, up, flags, [0.5], colors=INK, linewidths=0.8, linestyles="dotted")
    if line is not None and np.nanmin(values) < line < np.nanmax(values):
        for colour, width in (("white", 4.0), (VERMILION, 2.0)):
            ax.contour(across, up, values, [line], colors=colour, linewidths=width)
    ax.scatter(
        points["across"],
        points["up"],
        s=7.0 + 2.0 * points["n"],
        facecolor="white",
        edgecolor=INK,
        linewidth=0.8,
        clip_on=False,
        zorder=3,
    )
    if best is not None:
        ax.plot(
            *best, marker="*", markersize=17, color=VERMILION, markeredgecolor="white", zorder=4,
            clip_on=False,
        )  # fmt: skip
    bar = ax.figure.colorbar(image, ax=ax, pad=0.03)
    bar.set_label(f"{unit} (logarithmic)" if logarithmic else unit, fontsize=9)
    bar.ax.tick_params(labelsize=8.5)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda number, _: format_given(number, 3)))
    bar.outline.set_visible(False)
    ax.tick_params(labelsize=9)
    for which in (ax.xaxis, ax.yaxis):
        which.set_major_locator(MaxNLocator(6))
    show_plain_numbers(ax, "x")
    show_plain_numbers(ax, "y")
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def surface_picture(found: Findings, told: Told) -> Picture | None:
    """Return the surface of each metric that was asked about beside its intervals, if any has one.

    Two keys make two panels of each metric; of three keys, the lowest, middle and highest value of
    the third have panels of their own.
    """
    drawn = [(asked, asked.fit) for asked in told.asked if asked.fit is not None]
    if not drawn:
        return None
    lines = told.answer.region.lattice()
    slices = [None] if len(lines) == 2 else sorted({0, len(lines[2]) // 2, len(lines[2]) - 1})
    each = 1 if len(lines) == 2 else 2
    columns = 2 if len(lines) == 2 else len(slices)
    figure, panels = panel_grid(
        10.0 if columns == 2 else 13.0, 3.9 * each * len(drawn) + 0.6, each * len(drawn), columns
    )
    for number, (asked, fit) in enumerate(drawn):
        flat = [ax for row in panels[each * number : each * (number + 1)] for ax in row]
        _draw_metric(found, told, asked, fit, slices, flat)
    names = listed(list(told.names))
    entitle(figure, f"Surfaces over {names}", instability(found))
    marks = "circles: points, larger with more replications"
    marks += {
        "surface": "",
        "crossing": "; line: where the value is crossed; hatched: undecided",
        "best": "; star: the best place",
    }[told.answer.spec.kind]
    write_footnote(figure, marks)
    caption = (
        "A Gaussian process through the means of the points, and the 95 % interval that it gives "
        f"for the mean at each place ({marks})."
    )
    if len(lines) == 3:
        caption += " Points are drawn in the panel whose value of the third key is nearest."
    said = " ".join(answer_sentences(told)[: 1 + len(drawn)])
    return Picture(
        "surface", figure, f"What do {names} do together?", caption, f"Heat maps. {said}"
    )


def _draw_metric(
    found: Findings,
    told: Told,
    asked: Asked,
    fit: Fit,
    slices: Sequence[int | None],
    panels: Sequence[Axes],
) -> None:
    """Draw the surface of a metric in the first half of the panels, its intervals in the others."""
    keys = [axis.key for axis in told.axes]
    lines = [
        interval.low + line * (interval.high - interval.low)
        for interval, line in zip(
            told.answer.region.intervals, told.answer.region.lattice(), strict=True
        )
    ]
    shape = [len(line) for line in lines]

    def on_lattice(values: FloatArray) -> FloatArray:
        array: FloatArray = np.where(fit.defined, values, np.nan).reshape(shape)
        return array

    mean, half = fit.bands.mean, (fit.bands.high - fit.bands.low) / 2.0
    relative = asked.width.relative
    value = crossing_value(told, asked)
    is_open = (fit.bands.low < value) & (fit.bands.high > value)
    wide = 100.0 * half / np.abs(mean) if relative else half / asked.unit.size
    unit = "± % of the metric" if relative else f"± {unit_of_change(asked.unit).heading}"
    maps = [
        (on_lattice(mean / asked.unit.size), asked.unit.heading),
        (on_lattice(np.where(np.isfinite(wide), wide, np.nan)), unit),
    ]
    points = found.sweep.points
    counts = pd.Series(found.sweep.replications, index=points.index)
    best = told.answer.best
    for which, (array, heading) in enumerate(maps):
        known = array[np.isfinite(array)]
        ends = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        for place, piece in enumerate(slices):
            ax = panels[which * len(slices) + place]
            cut = array if piece is None else array[:, :, piece]
            open_ = on_lattice(is_open.astype(float)) == 1.0
            open_ = open_ if piece is None else open_[:, :, piece]
            there = points.index == points.index
            at, star = "", None
            if piece is not None:
                at = f", {told.names[2]} {format_given(float(lines[2][piece]), 3)}"
                marks = np.array([lines[2][each] for each in slices if each is not None])
                distance = np.abs(points[keys[2]].to_numpy(dtype=float)[:, np.newaxis] - marks)
                there = distance.argmin(axis=1) == place
            if best is not None and which == 0:
                values = [float(str(each)) for each in told.answer.region.point(best)]
                nearest = piece is None or place == int(
                    np.argmin([abs(values[2] - lines[2][each or 0]) for each in slices])
                )
                star = (values[0], values[1]) if nearest else None
            plot_surface(
                pd.DataFrame(cut.T, index=lines[1], columns=lines[0]),
                pd.DataFrame(
                    {
                        "across": points.loc[there, keys[0]].astype(float),
                        "up": points.loc[there, keys[1]].astype(float),
                        "n": counts[there],
                    }
                ),
                heading,
                ends,
                ax,
                None if which or math.isnan(value) else value / asked.unit.size,
                None if which or math.isnan(value) else pd.DataFrame(open_.T),
                star,
            )
            label = capitalized(asked.metric.label)
            title = (
                f"{label} ({better_in_words(asked.metric.name)})"
                if which == 0
                else ("Half-width of its 95 % interval")
            )
            ax.set_title(f"{title}{at}", loc="left", fontsize=10.5, color=INK)
            ax.set_xlabel(told.names[0], fontsize=10)
            ax.set_ylabel(told.names[1], fontsize=10)
