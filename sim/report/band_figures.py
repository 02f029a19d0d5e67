"""The picture of the four metrics over the bands of DORA.

Each plot takes a plain frame and an ``Axes``, draws into it and returns it.
"""

import math
import re
from functools import lru_cache

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sim.document.picture import Picture
from sim.experiment.replicate import Study
from sim.hours import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_WEEK, HOURS_PER_YEAR
from sim.metrics.bands import dora_band, has_bands
from sim.metrics.catalogue import headlines, metric
from sim.report.content import (
    DORA_YEAR,
    MetricRow,
    band_words,
    instability,
    mean_and_interval,
    metric_rows,
)
from sim.report.evidence import Evidence
from sim.report.palette import BLACK, INK, VERMILION, entitle, new_figure
from sim.report.pictures import draws
from sim.report.units import NO_DATA, count_noun, format_percent
from sim.words import capitalized

_HOURS = {
    "1 min": 1 / 60,
    "10 min": 1 / 6,
    "1 h": 1.0,
    "6 h": 6.0,
    "1 day": HOURS_PER_DAY,
    "1 week": HOURS_PER_WEEK,
    "1 month": HOURS_PER_MONTH,
    "6 months": 6 * HOURS_PER_MONTH,
    "2 years": 2 * HOURS_PER_YEAR,
}
_FREQUENCIES = {
    "every 2 years": 1 / 730.5,
    "every 6 months": 1 / 182.6,
    "monthly": 1 / 30.44,
    "weekly": 1 / 7,
    "daily": 1.0,
    "10 per day": 10.0,
    "100 per day": 100.0,
}
# What is shown at least, so that the bands give an orientation.
SHOWN_AT_LEAST = {
    "deployment_frequency": (1 / 365.0, 8.0),
    "lead_time_h": (4.0, HOURS_PER_YEAR),
    "change_failure_rate": (0.0, 0.7),
    "time_to_restore_h": (0.25, 2000.0),
}
_BAND_SHADES = {
    "elite": "#cfe3f2",
    "high": "#e4eef6",
    "medium": "#f6f1e3",
    "low": "#ecdcc0",
    "below": "#d9c3a0",
}


def plot_metric(values: pd.Series, row: MetricRow, interval: tuple[float, float], ax: Axes) -> Axes:
    """Draw one of the four metrics over its DORA bands: where does the organization stand?

    Better is always to the right. The axis is logarithmic, except for the change failure rate.

    Args:
        values: The metric of every replication, in the unit of the metric; NaN is left out.
        row: The row of the table that belongs to it.
        interval: Interval of the mean over the replications; NaN if there is none.
        ax: Where to draw.
    """
    name = row.metric
    there = values.dropna().to_numpy(dtype=float)
    low, high = SHOWN_AT_LEAST[name]
    positive = there[there > 0.0]
    if positive.size:
        low = min(low, 0.7 * positive.min()) if low > 0.0 else low
        high = max(high, 1.4 * positive.max()) if low > 0.0 else max(high, 1.05 * positive.max())
    _scale(ax, name, low, high)
    _shade_bands(ax, name, low, high)

    # Spread over the height by the golden ratio: neighbours in the table stay apart.
    height = 0.18 + 0.34 * (np.arange(there.size) * 0.618034 % 1.0)
    ax.scatter(there, height, s=16, facecolor="white", edgecolor=INK, linewidth=0.8, zorder=3)
    if there.size:
        mean = float(there.mean())
        ends = [max(end, low) if not math.isnan(end) else mean for end in interval]
        ax.plot(ends, [0.74, 0.74], color=BLACK, linewidth=2.0, zorder=4)
        ax.plot(ends, [0.74, 0.74], "|", color=BLACK, markersize=10, markeredgewidth=2.0, zorder=4)
        ax.plot([mean], [0.74], "D", color=VERMILION, markeredgecolor=BLACK, markersize=6, zorder=5)
    said = row.estimate.value
    if row.estimate.interval:
        said += f"  [{row.estimate.interval}]"
    label = f"{capitalized(row.label)}: {metric(name).meaning}"
    ax.set_title(label, loc="left", fontsize=10, color=INK)
    ax.set_title(said, loc="right", fontsize=11, fontweight="bold", color=INK)
    ax.set_ylim(0.0, 1.3)
    ax.set_yticks([])
    ax.tick_params(labelsize=9, length=3)
    for spine in ("left", "right", "top"):
        ax.spines[spine].set_visible(False)
    return ax


def _scale(ax: Axes, name: str, low: float, high: float) -> None:
    of_metric = metric(name)
    if of_metric.dimension == "share":
        ax.set_xlim(high, low)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: format_percent(share)))
        return
    ax.set_xscale("log")
    ax.set_xlim((low, high) if of_metric.better == "more" else (high, low))
    ticks = _FREQUENCIES if of_metric.dimension == "frequency" else _HOURS
    shown = {name: value for name, value in ticks.items() if low <= value <= high}
    ax.xaxis.set_major_locator(FixedLocator(list(shown.values())))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels(list(shown))


@lru_cache(maxsize=64)
def band_segments(metric: str, low: float, high: float) -> tuple[tuple[str, float, float], ...]:
    """Return the stretches of an axis that lie in one DORA band: band, start, end, upwards.

    Args:
        metric: One of the four metrics.
        low: Start of the axis, in the unit of the metric.
        high: End of the axis.
    """
    # Read off the classifier, finely enough for a picture: it is the one place that knows edges.
    spaced = np.geomspace if low > 0.0 else np.linspace
    grid = spaced(low, high, 2001)
    bands = [dora_band(metric, float(value), DORA_YEAR) for value in grid]
    starts = [0, *(i for i in range(1, grid.size) if bands[i] != bands[i - 1])]
    ends = [*starts[1:], grid.size - 1]
    return tuple(
        (bands[start], float(grid[start]), float(grid[end]))
        for start, end in zip(starts, ends, strict=True)
    )


def _shade_bands(ax: Axes, metric: str, low: float, high: float) -> None:
    total = math.log(high / low) if low > 0.0 else high - low
    for band, start, end in band_segments(metric, low, high):
        # By the first word of "elite/high/medium" or "below low"; "between" has no shade: a hole.
        shade = _BAND_SHADES.get(re.split("[/ ]", band)[0])
        ax.axvspan(
            start,
            end,
            facecolor=shade or "white",
            edgecolor="#bbbbbb",
            hatch=None if shade else "//",
            linewidth=0.8,
            zorder=0,
        )
        share = (math.log(end / start) if low > 0.0 else end - start) / total
        if share > 0.05:
            middle = math.sqrt(start * end) if low > 0.0 else (start + end) / 2
            ax.text(
                middle,
                1.26,
                band if share > 0.012 * len(band) else band.replace(" ", "\n", 1),
                ha="center",
                va="top",
                fontsize=8.5,
                color="#444444",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0} if not shade else None,
            )


@draws(section="The four metrics and their companions", place=1)
def _metrics_picture(evidence: Evidence) -> Picture:
    rows = metric_rows(evidence, [name for name in headlines() if has_bands(name, DORA_YEAR)])
    figure, axes = new_figure(10.0, 7.4, rows=len(rows))
    for row, ax in zip(rows, axes, strict=True):
        _, low, high = mean_and_interval(evidence, row.metric)
        plot_metric(evidence.runs[row.metric], row, (low, high), ax)
    title = f"The four metrics over DORA's {DORA_YEAR} bands"
    entitle(figure, title, instability(evidence))
    better = "better is to the right →"
    if isinstance(evidence, Study):
        replications = count_noun(len(evidence.runs), "replication")
        better = f"circles: {replications}; diamond and bar: mean with 95 % interval; {better}"
    figure.supxlabel(
        better,
        x=0.99,
        ha="right",
        fontsize=9.5,
        color=INK,
    )
    told = [
        f"{row.label} {row.estimate.value}"
        + (f" (95 % interval {row.estimate.interval})" if row.estimate.interval else "")
        + f", DORA band {band_words(row.bands)}"
        for row in rows
    ]
    alt = f"Four strips with DORA's {DORA_YEAR} bands, better to the right: {'; '.join(told)}."
    caption = (
        "Where DORA's clusters leave a hole between them, it is hatched; clusters that answered "
        "alike share a band."
    )
    if isinstance(evidence, Study):
        caption = f"Each circle is a replication. {caption}"
    elif all(row.estimate.value == NO_DATA for row in rows):
        alt = f"{title}: {NO_DATA}"
    return Picture("metrics", figure, "Where does the organization stand?", caption, alt)
