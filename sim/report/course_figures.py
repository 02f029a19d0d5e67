"""Pictures of the course over time: whether a study has settled, how records developed.

Each plot takes a plain frame and an ``Axes``, draws into it and returns it.
"""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from sim.document.picture import Picture
from sim.experiment.replicate import Study
from sim.hours import HOURS_PER_WEEK
from sim.metrics.series import weekly_columns, weekly_series
from sim.metrics.warmup import welch
from sim.report.content import SETTLING, instability, suggested_warm_up
from sim.report.evidence import Evidence
from sim.report.palette import (
    BLACK,
    BLUE,
    INK,
    SKY,
    VERMILION,
    entitle,
    new_figure,
    say_no_data,
    tidy,
)
from sim.report.pictures import draws
from sim.report.units import count_noun, format_value, unit_for

_COURSES = (*SETTLING, "deployments")
WELCH_HALF_WIDTH = 4
"""Weeks to each side of Welch's moving average."""


def plot_course(weekly: pd.DataFrame, column: str, warmup_weeks: int, ax: Axes) -> Axes:
    """Draw the course of one quantity over the weeks: is the warm-up long enough?

    The mean over the replications, the middle 80 % of them as a band, Welch's moving average of
    the mean, the warm-up that is left out, and the truncation that MSER-5 suggests.

    Args:
        weekly: The weekly series of every replication: columns `replication`, `week`, `column`.
        column: What to draw, in its best unit; see :func:`sim.metrics.series.weekly_columns`.
        warmup_weeks: Weeks that are left out of the metrics.
        ax: Where to draw.
    """
    by_week = weekly.groupby("week")[column]
    course = welch(weekly, WELCH_HALF_WIDTH, column)
    mean = course["mean"]
    what = weekly_columns()[column]
    unit = unit_for(what, float(mean.mean()))
    title = f"{what.label}, {unit.name}" if unit.name else what.label
    ax.set_title(title, loc="left", fontsize=11, color=INK)
    if mean.isna().all():
        say_no_data(ax)
        return ax
    middle = mean.index + 0.5
    low, high = by_week.quantile(0.1) / unit.size, by_week.quantile(0.9) / unit.size
    ax.axvspan(0, warmup_weeks, facecolor="#eeeeee", edgecolor="#bbbbbb", hatch="//", zorder=0)
    ax.fill_between(
        middle, low, high, color=SKY, alpha=0.35, linewidth=0, label="middle 80 % of replications"
    )
    ax.plot(middle, mean / unit.size, color=BLUE, linewidth=1.0, label="mean of replications")
    ax.plot(
        middle,
        course["moving_average"] / unit.size,
        color=BLACK,
        linewidth=2.0,
        linestyle=(0, (5, 1.5)),
        label=f"moving average, {2 * WELCH_HALF_WIDTH + 1} weeks (Welch)",
    )
    suggested = suggested_warm_up(weekly, column)
    ax.axvline(suggested, color=VERMILION, linewidth=1.5, linestyle=":")
    ax.set_title(
        f"dotted: MSER-5 would leave out {count_noun(suggested, 'week')}",
        loc="right",
        fontsize=9,
        color=INK,
    )
    ax.set_xlim(0, len(mean))
    ax.set_ylim(bottom=0)
    ax.grid(True, color="#e3e3e3", linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=9)
    for spine in ("right", "top"):
        ax.spines[spine].set_visible(False)
    return ax


@draws(section="Course over time", place=1)
def _course_picture(evidence: Evidence) -> Picture:
    """Return whether a study has settled, and how records have developed."""
    return _settling(evidence) if isinstance(evidence, Study) else _weeks(evidence)


def _settling(study: Study) -> Picture:
    figure, axes = new_figure(10.0, 8.0, rows=len(_COURSES))
    warmup = study.scenario.warmup_weeks
    for column, ax in zip(_COURSES, axes, strict=True):
        plot_course(study.weekly, column, warmup, ax)
    axes[-1].set_xlabel("week (hatched: warm-up, left out of the metrics)", fontsize=10)
    entitle(figure, "From week to week", instability(study))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    means = study.weekly.groupby("week")[list(_COURSES)].mean().loc[warmup:].mean()
    told = ", ".join(
        f"{weekly_columns()[column].label} "
        f"{format_value(weekly_columns()[column], float(means[column]))}"
        for column in _COURSES
    )
    alt = (
        f"Three curves over {study.scenario.horizon_weeks} weeks, of which the first {warmup} are "
        f"warm-up. Means after it: {told}."
    )
    caption = (
        "The warm-up has to cover the climb at the beginning: the moving average should be level "
        "where the hatched area ends."
    )
    return Picture("course", figure, "Has it settled?", caption, alt)


def plot_weeks(weekly: pd.DataFrame, column: str, ax: Axes) -> Axes:
    """Draw the course of one quantity of an organization over the weeks, and its moving average.

    Args:
        weekly: The weekly series: a row per week (index `week`), with the column.
        column: What to draw, in its best unit; see :func:`sim.metrics.series.weekly_columns`.
        ax: Where to draw.
    """
    what = weekly_columns()[column]
    course = weekly[column]
    unit = unit_for(what, float(course.mean()))
    title = f"{what.label}, {unit.name}" if unit.name else what.label
    ax.set_title(title, loc="left", fontsize=11, color=INK)
    width = 2 * WELCH_HALF_WIDTH + 1
    smooth = course.rolling(width, center=True).mean()
    middle = course.index + 0.5
    ax.plot(middle, course / unit.size, "o-", color=BLUE, linewidth=1.0, markersize=3, label="week")
    if smooth.notna().any():
        label = f"moving average, {width} weeks"
        ax.plot(middle, smooth / unit.size, color=BLACK, linewidth=2.0, label=label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlim(course.index[0], course.index[-1] + 1)
    ax.set_ylim(bottom=0)
    tidy(ax)
    return ax


def _weeks(evidence: Evidence) -> Picture:
    """Return the picture of the whole weeks of the window."""
    tables, (start, end) = evidence.records.tables, evidence.records.window
    first, stop = math.ceil(start / HOURS_PER_WEEK), math.floor(end / HOURS_PER_WEEK)
    weekly = weekly_series(tables, max(stop, 0)).iloc[first:]
    told_of = [column for column in _COURSES if weekly[column].notna().sum() > 1]
    title, question = "From week to week", "How has it developed?"
    rows = max(len(told_of), 1)
    figure, axes = new_figure(10.0, 0.8 + 2.4 * rows, rows=rows)
    caption = "A dot is a week; of a week without data there is none."
    if not told_of:
        title = entitle(figure, title, instability(evidence), no_data=True)
        return Picture("course", figure, question, caption, title)
    for column, ax in zip(told_of, axes, strict=True):
        plot_weeks(weekly, column, ax)
    axes[-1].set_xlabel("week", fontsize=10)
    entitle(figure, title, instability(evidence))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    told = ", ".join(
        f"{weekly_columns()[column].label} "
        f"{format_value(weekly_columns()[column], float(weekly[column].mean()))}"
        for column in told_of
    )
    alt = f"A curve over {count_noun(len(weekly), 'week')} for each of: {told} (means)."
    return Picture("course", figure, question, caption, alt)
