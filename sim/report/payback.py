"""The return of a roadmap: figure and table of the J-curve."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.document.document import Column, Group, Row, Table
from sim.document.picture import Picture
from sim.experiment.intervals import FloatArray, estimate, interval
from sim.experiment.payback import BreakEven, Payback
from sim.experiment.replicate import Study
from sim.hours import HOURS_PER_WEEK
from sim.metrics import catalogue, rolling_metrics
from sim.metrics.catalogue import Quantity
from sim.metrics.series import ROLLING
from sim.report.palette import BLUE, INK, VERMILION, tidy
from sim.report.units import (
    format_difference,
    format_number,
    format_value,
    format_weeks,
    unit_for,
)

ROLLING_WEEKS = 12
"""Width of the window over which the metrics are taken."""


TITLE = "With the roadmap, against the same organization without it"


def payback_picture(payback: Payback) -> Picture:
    """Return the picture of the four metrics over time, with the roadmap and without, and the cost.

    Args:
        payback: the two organizations; without prices, there is no cost.
    """
    rolled = payback.rolling(ROLLING_WEEKS)
    figure = Figure(figsize=(10.0, 11.5), dpi=150, layout="constrained", facecolor="white")
    axes = list(figure.subplots(len(ROLLING) + 1, 1, sharex=True))
    for metric, ax in zip(ROLLING, axes, strict=False):
        plot_rolling(rolled, metric, ax)
    plot_cumulated(payback, axes[-1])
    axes[-1].set_xlabel(
        f"week (hatched: warm-up; metrics over the {ROLLING_WEEKS} weeks before)", fontsize=10
    )
    for ax in axes:
        _mark_dates(payback, ax)
        ax.set_xlim(0, payback.invested.scenario.horizon_weeks)
    figure.suptitle("With the roadmap and without", x=0.01, ha="left", fontsize=13, color=INK)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    caption = (
        "Both organizations meet the same luck. Bands are 95 % intervals of the mean. The vertical "
        "lines are of the first replication: dotted where people begin to work on a practice, "
        "dashed where it is adopted."
    )
    question = "What does the roadmap bring, and when?"
    return Picture("payback", figure, question, caption, in_words(payback), section=TITLE)


def plot_rolling(rolled: pd.DataFrame, metric: str, ax: Axes) -> Axes:
    """Draw one metric over time, with the roadmap and without.

    Args:
        rolled: what :meth:`sim.experiment.payback.Payback.rolling` returned.
        metric: one of its metrics.
        ax: where to draw.
    """
    of_metric = catalogue.metric(metric)
    size = unit_for(of_metric, float(rolled.xs(metric, level="metric")["mean"].mean()))
    for arm, label, colour, style in (
        ("waited", "without the roadmap", VERMILION, (0, (4, 1.5))),
        ("invested", "with the roadmap", BLUE, "solid"),
    ):
        course = rolled.xs((arm, metric), level=("arm", "metric")) / size.size
        week = course.index.to_numpy(np.float64) + 1.0  # a week is known at its end
        ax.fill_between(
            week, course["ci_low"], course["ci_high"], color=colour, alpha=0.2, linewidth=0
        )
        ax.plot(week, course["mean"], color=colour, linestyle=style, linewidth=1.8, label=label)
    ax.set_title(f"{of_metric.label}, {size.heading}", loc="left", fontsize=11)
    ax.set_ylim(bottom=0)
    tidy(ax)
    return ax


def plot_cumulated(payback: Payback, ax: Axes) -> Axes:
    """Draw how much more was spent with the roadmap than without, since the beginning."""
    money = _money(payback)
    ax.set_title(
        f"cumulated net cost against the organization without it, {money.currency}",
        loc="left",
        fontsize=11,
    )
    cumulated = payback.cumulated()
    if np.isnan(cumulated).all():
        ax.text(0.5, 0.5, "no prices", transform=ax.transAxes, ha="center")
        return ax
    estimates = estimate(cumulated)
    low, high = interval(estimates, 0.95)
    week = np.arange(cumulated.shape[1]) + 1.0
    ax.fill_between(week, low, high, color=BLUE, alpha=0.2, linewidth=0)
    ax.plot(week, estimates.mean, color=BLUE, linewidth=1.8)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    date = payback.break_even()
    if math.isfinite(date.week) and date.week > 0:
        ax.plot([date.week], [0.0], marker="o", color=INK, zorder=5)
        ends = [min(end, cumulated.shape[1]) for end in (date.low, date.high)]
        ax.hlines(0.0, *ends, color=INK, linewidth=4.0, alpha=0.5, zorder=4)
        ax.annotate(
            "break-even",
            (date.week, 0.0),
            textcoords="offset points",
            xytext=(6, 8),
            fontsize=9,
        )
    ax.margins(y=0.15)
    ax.yaxis.set_major_formatter(lambda value, _: format_value(replace(money, currency=""), value))
    tidy(ax)
    return ax


def _money(payback: Payback) -> Quantity:
    """Return what an amount of money is that was spent in all."""
    currency = payback.invested.scenario.cost.currency
    return Quantity(dimension="money", currency=currency, lowest=-math.inf)


def in_words(payback: Payback) -> str:
    """Return in a sentence or two what the roadmap costs and when it has paid for itself."""
    cumulated = payback.cumulated()
    if np.isnan(cumulated).all():
        return "Without prices nobody can say whether the roadmap pays."
    mean = cumulated.mean(axis=0)
    worst = int(np.argmax(mean))
    said = ""
    if mean[worst] > 0:
        said = (
            f"At its worst, in week {worst + 1}, the roadmap has cost "
            f"{format_value(_money(payback), float(mean[worst]))} more than it has brought. "
        )
    return said + _break_even_in_words(payback.break_even(), cumulated.shape[1])


def _break_even_in_words(date: BreakEven, horizon_weeks: int) -> str:
    if not math.isfinite(date.week):
        early = ""
        if math.isfinite(date.low):
            early = f"; at the earliest in week {format_number(date.low, 0)}"
        return f"It has not paid for itself by the end, week {horizon_weeks}{early}."
    if math.isfinite(date.high):
        between = format_weeks(int(date.low), int(date.high))
    else:
        between = f"week {format_number(date.low, 0)} to after week {horizon_weeks}"
    return (
        f"It has paid for itself from week {format_number(date.week, 0)} on "
        f"(95 % interval: {between})."
    )


def payback_table(payback: Payback) -> Table:
    """Return how the metrics differ from those of the same organization without the roadmap."""
    columns = [Column("metric")]
    for name, first, last in periods(payback):
        columns.append(Column(name, format_weeks(first, last - 1), is_number=True))
    rows = [Row([label, *cells]) for label, cells in period_rows(payback)]
    caption = "Paired differences with 95 % intervals; times are means."
    return Table(columns, [Group(rows)], caption=caption)


def period_rows(payback: Payback) -> list[tuple[str, list[str]]]:
    """Return how the metrics differ in each of the :func:`periods`: with the roadmap - without.

    Returns:
        A row per metric: its name, and a paired difference with its interval for each period.
    """
    rows = []
    for name in ROLLING:
        cells = []
        for _, first, last in periods(payback):
            with_it, without = (
                _over(study, name, first, last) for study in (payback.invested, payback.waited)
            )
            estimates = estimate((with_it - without)[:, np.newaxis])
            low, high = interval(estimates, 0.95)
            cells.append(
                format_difference(
                    catalogue.metric(name),
                    mean_of_known(without),
                    float(estimates.mean[0]),
                    float(low[0]),
                    float(high[0]),
                )
            )
        rows.append((catalogue.metric(name).label, cells))
    return rows


def _over(study: Study, metric: str, first: int, last: int) -> FloatArray:
    """Return a metric over the weeks from ``first`` to before ``last``, by replication."""
    until = study.weekly[study.weekly["week"] < last]
    rolled = rolling_metrics(until, len(study.first.tables["services"]), last - first)
    values: FloatArray = rolled.loc[rolled["week"] == last - 1, metric].to_numpy(np.float64)
    return values


def mean_of_known(values: FloatArray) -> float:
    """Return the mean of the values that are known; NaN, without a warning, if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def periods(payback: Payback) -> list[tuple[str, int, int]]:
    """Return the periods of a roadmap as (name, first week, week after the last)."""
    dates = payback.investments
    horizon = payback.invested.scenario.horizon_weeks
    start = int(dates["started_at"].min() // HOURS_PER_WEEK)
    learned = dates["learned_at"].max()
    if dates["learned_at"].isna().any() or learned >= horizon * HOURS_PER_WEEK:
        return [("building and learning", start, horizon)]
    end = math.ceil(learned / HOURS_PER_WEEK)
    spans = [("building and learning", start, end), ("afterwards", end, horizon)]
    return [(name, first, last) for name, first, last in spans if first < last]


def _mark_dates(payback: Payback, ax: Axes) -> None:
    ax.axvspan(
        0,
        payback.invested.scenario.warmup_weeks,
        facecolor="#eeeeee",
        edgecolor="#bbbbbb",
        hatch="//",
        zorder=0,
    )
    for _, dates in payback.investments.iterrows():
        ax.axvline(dates["started_at"] / HOURS_PER_WEEK, color=INK, linestyle=":", linewidth=1.0)
        if not np.isnan(dates["adopted_at"]):
            ax.axvline(
                dates["adopted_at"] / HOURS_PER_WEEK, color=INK, linestyle="--", linewidth=1.0
            )
