"""The J-curve of a roadmap: the four metrics and the cost with it and without."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.document.picture import Picture
from sim.experiment.intervals import estimate, interval
from sim.experiment.payback import Payback
from sim.hours import HOURS_PER_WEEK
from sim.metrics import catalogue
from sim.metrics.series import ROLLING
from sim.report.palette import BLUE, INK, VERMILION, ShownFigure, tidy
from sim.report.payback import ROLLING_WEEKS, TITLE, in_words, money_of
from sim.report.units import format_value, unit_for


def payback_picture(payback: Payback) -> Picture:
    """Return the picture of the four metrics over time, with the roadmap and without, and the cost.

    Args:
        payback: the two organizations; without prices, there is no cost.
    """
    rolled = payback.rolling(ROLLING_WEEKS)
    figure = ShownFigure(figsize=(10.0, 11.5), dpi=150, layout="constrained", facecolor="white")
    axes = list(figure.subplots(len(ROLLING) + 1, 1, sharex=True))
    plot_cumulated(payback, axes[0])  # when it pays is the question
    for metric, ax in zip(ROLLING, axes[1:], strict=True):
        plot_rolling(rolled, metric, ax)
    axes[-1].set_xlabel(
        f"week (hatched: warm-up; metrics over the {ROLLING_WEEKS} weeks before)", fontsize=10
    )
    for ax in axes:
        _mark_dates(payback, ax)
        ax.set_xlim(0, payback.invested.scenario.horizon_weeks)
    figure.suptitle("With the roadmap and without", x=0.01, ha="left", fontsize=13, color=INK)
    handles, labels = axes[1].get_legend_handles_labels()
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
    money = money_of(payback)
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
        ax.hlines(0.0, date.earliest, date.week, color=INK, linewidth=4.0, alpha=0.5, zorder=4)
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
