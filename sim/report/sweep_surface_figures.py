"""Pictures of an adaptive sweep: the surface of each metric, and how wide its intervals are.

Colours are those of cividis, as in :mod:`sim.report.sweep_heat_figures`.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.document.picture import Picture
from sim.experiment.adaptive import BoolArray, Fit
from sim.experiment.intervals import FloatArray
from sim.report.palette import INK, VERMILION, entitle
from sim.report.surface_content import Asked, Told, answer_sentences, crossing_value
from sim.report.sweep_content import Findings, better_in_words, instability, shortened
from sim.report.sweep_heat_figures import colours_of
from sim.report.sweep_panels import panel_grid, say_no_data, show_plain_numbers, write_footnote
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
    better: str | None = None,
) -> Axes:
    """Draw values over two keys, with the points that were simulated and a colour bar.

    Args:
        surface: values; index and columns are those of the keys up and across. NaN is without data.
        points: columns `across`, `up` and `n`, the replications of each point.
        unit: what stands at the colour bar.
        ends: smallest and largest value of the colours.
        ax: where to draw.
        better: ``less`` makes what is less lighter; otherwise what is more is.
    """
    if surface.isna().all(axis=None):
        say_no_data(ax)
        return ax
    across, up = surface.columns.to_numpy(dtype=float), surface.index.to_numpy(dtype=float)
    values = surface.to_numpy(dtype=float)
    low, high = ends
    logarithmic = low > 0.0 and high / low > _LOG_FROM
    norm = LogNorm(low, high) if logarithmic else Normalize(low, high if high > low else low + 1.0)
    image = ax.pcolormesh(
        across,
        up,
        np.ma.masked_invalid(values),
        cmap=colours_of(better),
        norm=norm,
        shading="nearest",
    )
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
    bar = ax.figure.colorbar(image, ax=ax, pad=0.03)
    bar.set_label(f"{unit} (logarithmic)" if logarithmic else unit, fontsize=9)
    bar.ax.tick_params(labelsize=8.5)
    if better == "less":
        bar.ax.invert_yaxis()
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


def mark_crossing(
    across: FloatArray,
    up: FloatArray,
    surface: FloatArray,
    value: float,
    undecided: BoolArray,
    ax: Axes,
) -> Axes:
    """Draw the line where a surface crosses a value, and hatch where it may do so.

    Args:
        across: values of the key across.
        up: values of the key up.
        surface: a row per value of the key up; NaN is without data.
        value: what is crossed.
        undecided: of the same shape: which places may lie on either side.
        ax: where to draw.
    """
    if undecided.any():
        flags = undecided.astype(float)
        ax.contourf(across, up, flags, [0.5, 1.5], colors="none", hatches=["///"])
        ax.contour(across, up, flags, [0.5], colors=INK, linewidths=0.8, linestyles="dotted")
    known = surface[~np.isnan(surface)]
    if known.size and known.min() < value < known.max():
        for colour, width in (("white", 4.0), (VERMILION, 2.0)):
            ax.contour(across, up, surface, [value], colors=colour, linewidths=width)
    return ax


class _Slice(NamedTuple):
    """What a panel shows: everything of two keys, or one value of the third of three.

    Attributes:
        place: of the value of the third key in the lattice; None of two keys.
        name: of the value, with its key; empty of two keys.
        points: which points are drawn.
    """

    place: int | None
    name: str
    points: BoolArray

    def of(self, array: FloatArray) -> FloatArray:
        """Return the slice of an array over the lattice, a row per value of the second key."""
        return array.T if self.place is None else array[:, :, self.place].T


def surface_picture(found: Findings, told: Told) -> Picture | None:
    """Return the surface of each metric that was asked about beside its intervals, if any has one.

    Two keys make two panels of each metric; of three keys, the lowest, middle and highest value of
    the third have panels of their own.
    """
    drawn = [(asked, asked.fit) for asked in told.asked if asked.fit is not None]
    if not drawn:
        return None
    slices = _slices(found, told)
    columns, rows = (2, 1) if len(slices) == 1 else (len(slices), 2)
    width, height = 10.0 if columns == 2 else 13.5, 3.9 * rows * len(drawn) + 0.6
    figure, panels = panel_grid(width, height, rows * len(drawn), columns)
    for number, (asked, fit) in enumerate(drawn):
        flat = [ax for row in panels[rows * number : rows * (number + 1)] for ax in row]
        half = len(flat) // 2
        _draw_means(found, told, asked, fit, list(zip(slices, flat[:half], strict=True)))
        _draw_widths(found, told, asked, fit, list(zip(slices, flat[half:], strict=True)))
    names = listed(list(told.names))
    entitle(figure, f"Surfaces over {shortened([names], 70)[0]}", instability(found))
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
    if len(slices) > 1:
        caption += " A point is drawn in the panel whose value of the third key is nearest."
    said = " ".join(answer_sentences(told)[: 1 + len(drawn)])
    question = f"What do {names} do together?"
    return Picture("surface", figure, question, caption, f"Heat maps. {said}")


def _slices(found: Findings, told: Told) -> list[_Slice]:
    lines = _values(told)
    every = np.ones(len(found.numbers), dtype=bool)
    if len(lines) == 2:
        return [_Slice(None, "", every)]
    third = lines[2]
    places = sorted({0, len(third) // 2, len(third) - 1})
    own = found.sweep.points[told.axes[2].key].to_numpy(dtype=float)
    nearest = np.abs(own[:, np.newaxis] - third[places]).argmin(axis=1)
    name = shortened([told.names[2]], 36)[0]
    return [
        _Slice(place, f"{name} {format_given(float(third[place]), 3)}", nearest == number)
        for number, place in enumerate(places)
    ]


def _values(told: Told) -> list[FloatArray]:
    """Return the values of each key at which surfaces were looked at."""
    pairs = zip(told.answer.region.intervals, told.answer.region.lattice(), strict=True)
    return [interval.low + line * (interval.high - interval.low) for interval, line in pairs]


Panels = Sequence[tuple[_Slice, Axes]]


def _draw_means(found: Findings, told: Told, asked: Asked, fit: Fit, panels: Panels) -> None:
    value, best, lines = crossing_value(told, asked), told.answer.best, _values(told)
    is_crossing = not math.isnan(value)
    undecided = ((fit.bands.low < value) & (fit.bands.high > value)).astype(float)
    title = f"{capitalized(asked.metric.label)} ({better_in_words(asked.metric.name)})"
    means = fit.bands.mean / asked.unit.size
    _draw(found, told, fit, means, asked.unit.heading, title, panels, asked.metric.better)
    for piece, ax in panels:
        across, up = lines[:2]
        if is_crossing:
            own = piece.of(_on_lattice(told, fit, means))
            flags = piece.of(_on_lattice(told, fit, undecided)) == 1.0
            mark_crossing(across, up, own, value / asked.unit.size, flags, ax)
        if best is not None:
            values = [float(str(each)) for each in told.answer.region.point(best)]
            if piece.place is None or values[2] == lines[2][piece.place]:
                ax.scatter(
                    values[0],
                    values[1],
                    s=260,
                    marker="*",
                    facecolor=VERMILION,
                    edgecolor="white",
                    clip_on=False,
                    zorder=4,
                )


def _draw_widths(found: Findings, told: Told, asked: Asked, fit: Fit, panels: Panels) -> None:
    half = (fit.bands.high - fit.bands.low) / 2.0
    size = 0.01 * np.abs(fit.bands.mean) if asked.width.relative else asked.unit.size
    known = np.broadcast_to(size > 0.0, half.shape)
    widths = np.divide(half, size, out=np.full(half.shape, np.nan), where=known)
    change = unit_of_change(asked.unit).heading
    unit = "± % of the metric" if asked.width.relative else f"± {change}"
    _draw(found, told, fit, widths, unit, "Half-width of its 95 % interval", panels)


def _draw(
    found: Findings,
    told: Told,
    fit: Fit,
    values: FloatArray,
    unit: str,
    title: str,
    panels: Panels,
    better: str | None = None,
) -> None:
    """Draw one value per place of the lattice, all panels with the same colours."""
    across, up = _values(told)[:2]
    array = _on_lattice(told, fit, values)
    known = array[~np.isnan(array)]
    ends = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    keys = [axis.key for axis in told.axes[:2]]
    points = found.sweep.points[keys].astype(float).set_axis(["across", "up"], axis="columns")
    points["n"] = found.sweep.replications
    for piece, ax in panels:
        surface = pd.DataFrame(piece.of(array), index=up, columns=across)
        plot_surface(surface, points[piece.points], unit, ends, ax, better)
        ax.set_title(f"{title}\n{piece.name}".rstrip(), loc="left", fontsize=10.5, color=INK)
        ax.set_xlabel(textwrap.fill(told.names[0], 36), fontsize=10)
        ax.set_ylabel(textwrap.fill(told.names[1], 36), fontsize=10)


def _on_lattice(told: Told, fit: Fit, values: FloatArray) -> FloatArray:
    shape = [len(line) for line in told.answer.region.lattice()]
    array: FloatArray = np.where(fit.defined, values, np.nan).reshape(shape)
    return array
